#include "splot/train/export_c.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/core/node.h"
#include "splot/graph/trace.h"
#include "splot/ops/ops.h"
#include "splot/train/internal/c_inference.h"
#include "splot/train/slots.h"

namespace splot {
namespace {

std::string title_of(const ModelInfo& info) {
  std::string out = info.recipe;
  if (!info.data.empty()) out += join(out.empty() ? "" : ", ", "trained on ", info.data);
  if (info.uncut) out += join(out.empty() ? "" : ", ", "for the middle of pictures ", *info.uncut);
  return out;
}

}  // namespace

// Bytes of pictures, or numbers that lie about their means.
Tensor train_detail::drawn_inputs(const ModelInfo& info, Index count, std::uint64_t seed) {
  const Shape& sample = info.sample;
  Ints sizes = {count};
  for (const Index size : sample) sizes.push_back(size);
  const Tensor u = uniform(Shape(sizes), RandomKey{.seed = seed});
  const Preprocessing& p = info.preprocessing;
  if (p.divisor == 255.0) return cast(floor(u * 256.0), kUInt8);
  std::vector<float> out = u.to_vector<float>();
  const auto features = static_cast<std::size_t>(sample.numel());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double from_mean = p.deviation_of(i % features) * (4.0 * static_cast<double>(out[i]) - 2.0);
    out[i] = static_cast<float>((p.mean_of(i % features) + from_mean) * p.divisor);
  }
  return Tensor::from(out, Shape(sizes));
}

namespace train_detail {

Dataset spread(const Dataset& data, Index count) {
  const Index taken = std::min(count, data.size());
  std::vector<Index> indices;
  for (Index i = 0; i < taken; ++i) indices.push_back(i * data.size() / taken);
  return data.subset(indices);
}

Tensor stored_in_c(const ModelInfo& info, const Dataset& data) {
  require(data.sample_shape() == info.sample, "export", "the network takes examples of shape ", info.sample,
          ", those of ", data.name(), " have ", data.sample_shape());
  const Tensor inputs = data.stored(0, data.size()).inputs;
  return inputs.dtype() == kUInt8 ? inputs : cast(inputs, kFloat32);
}

namespace {

CPreparation preparation_of(const Preprocessing& p, bool bytes) {
  CPreparation out{.bytes = bytes, .divisor = p.divisor, .means = {p.mean}, .deviations = {p.deviation}};
  if (p.by_feature()) {
    out.means = p.means;
    out.deviations = p.deviations;
    out.shared = static_cast<Index>(p.shared);
  }
  return out;
}

}  // namespace

CDescription described(const ModelInfo& info, const Tensor& stored) {
  CDescription out;
  out.title = title_of(info);
  out.classes = info.classes;
  out.stored = stored;
  const bool bytes = stored.dtype() == kUInt8;
  if (bytes || !(info.preprocessing == Preprocessing{}))
    out.preparation = preparation_of(info.preprocessing, bytes);
  return out;
}

// With history, so that what batch norm computes of its parameters is named after them.
Graph trace_inference(const ModelFile& file) {
  Ints sizes = {1};
  for (const Index size : file.info.sample) sizes.push_back(size);
  const Tensor x = Tensor::without_elements(Shape(sizes), file.dtype);
  return trace(
      [&](std::span<const Tensor> in, std::uint64_t) {
        Context context{.training = false};
        return TensorList{(*file.model)(in[0], context).detach()};
      },
      TensorList{x}, {.slots = slots_of(*file.model)});
}

}  // namespace train_detail

CDescription train_detail::describe_for_c(const ModelFile& file, const CExportOptions& options) {
  require<ValueError>(options.examples >= 1, "export", "needs at least one example to test with, got ",
                      options.examples);
  const Tensor stored = options.data ? train_detail::stored_in_c(
                                           file.info, train_detail::spread(*options.data, options.examples))
                                     : train_detail::drawn_inputs(file.info, options.examples, options.seed);
  CDescription description = train_detail::described(file.info, stored);
  const Index count = stored.shape()[0];
  const Dataset examples("examples", stored, zeros({count}, kInt64), {}, file.info.preprocessing);
  {
    const NoGrad off;
    description.expected = (*file.model)(cast(examples.batch(0, count).inputs, file.dtype));
  }
  return description;
}

CProgram export_c(const ModelFile& file, const CExportOptions& options) {
  const CDescription description = train_detail::describe_for_c(file, options);
  return write_c(train_detail::trace_inference(file), description);
}

namespace {

// What a compiler leaves beside the files of an export.
bool is_built(const std::filesystem::path& name) { return name == "model_test" || name.extension() == ".o"; }

void check_replaced(const std::string& folder, const CProgram& program) {
  std::error_code error;
  const std::filesystem::path header = std::filesystem::path(folder) / "model.h";
  const std::string marker = kCMarker;
  bool ours = false;
  if (std::filesystem::is_regular_file(header, error)) {
    InputFile file(header.string());
    std::string begin(marker.size(), '\0');
    begin.resize(file.read(begin.data(), begin.size()));
    ours = begin == marker;
  }
  require<ValueError>(ours, "export", '"', folder,
                      "\" is there, is not empty and is no earlier export; give a new folder");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path name = entry.path().filename();
    const bool known = is_built(name) || std::any_of(program.files.begin(), program.files.end(),
                                                     [&](const TextFile& file) { return name == file.name; });
    require<ValueError>(known, "export", '"', folder, "\" holds ", name.string(),
                        ", which is no part of an export and would be lost; give a new folder");
  }
}

}  // namespace

void write_c_folder(const std::string& folder, const CProgram& program) {
  write_folder(folder, program.files, [&](const std::string& there) { check_replaced(there, program); });
}

}  // namespace splot
