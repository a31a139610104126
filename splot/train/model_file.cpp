#include "splot/train/model_file.h"

#include "splot/core/error.h"
#include "splot/core/internal/json_fields.h"
#include "splot/io/safetensors.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/ops/create.h"

namespace splot {
namespace {

using core_detail::Json;
using core_detail::read_required;

// A file says the lowest version that can read it. 2 knows preprocessing by feature, which 1 would leave out
// without a word; 3 knows it by channel; 4 knows where pictures came from, without which 3 would judge a
// network on pictures that it has learned from; 5 knows of which pictures an example is the middle, where 4
// would shrink the whole.
constexpr int kVersion = 5;

int version_for(const ModelInfo& info) {
  if (info.uncut) return 5;
  if (info.pictures) return 4;
  const Preprocessing& p = info.preprocessing;
  return !p.by_feature() ? 1 : p.shared == 1 ? 2 : 3;
}

TensorMap tensors_of(Layer& model) {
  TensorMap out;
  for (NamedTensor& entry : state_dict(model)) out.emplace(entry.name, entry.value);
  return out;
}

Json preprocessing_json(const Preprocessing& p) {
  if (p.by_feature()) {
    Json out = {{"divisor", p.divisor}, {"means", p.means}, {"deviations", p.deviations}};
    if (p.shared != 1) out["shared"] = p.shared;
    return out;
  }
  return {{"divisor", p.divisor}, {"mean", p.mean}, {"deviation", p.deviation}};
}

Preprocessing preprocessing_from(const Json& json) {
  core_detail::require_object(json, "preprocessing");
  Preprocessing p;
  read_required(json, "divisor", p.divisor);
  if (json.contains("means")) {
    read_required(json, "means", p.means);
    read_required(json, "deviations", p.deviations);
    if (json.contains("shared")) read_required(json, "shared", p.shared);
  } else {
    read_required(json, "mean", p.mean);
    read_required(json, "deviation", p.deviation);
  }
  return p;
}

Json pictures_json(const PictureOrigin& p) {
  return {{"folder", p.folder},
          {"fit", p.fit},
          {"test", p.test},
          {"split_seed", p.split_seed},
          {"listing", p.listing}};
}

PictureOrigin pictures_from(const Json& json) {
  core_detail::require_object(json, "pictures");
  PictureOrigin p;
  read_required(json, "folder", p.folder);
  read_required(json, "fit", p.fit);
  if (p.fit != "crop" && p.fit != "stretch") {
    throw FormatError(join("fit is \"", p.fit, "\"; it can be crop or stretch"));
  }
  read_required(json, "test", p.test);
  if (!(p.test >= 0.0 && p.test < 1.0)) throw FormatError(join("test is ", p.test, ", no share"));
  read_required(json, "split_seed", p.split_seed);
  if (p.split_seed < 0) throw FormatError(join("split_seed is ", p.split_seed, "; it is at least 0"));
  read_required(json, "listing", p.listing);
  return p;
}

std::vector<Index> sizes_of(const Shape& shape) { return {shape.begin(), shape.end()}; }

std::string problem_of_shapes(const ModelInfo& info) {
  if (!info.uncut) return {};
  const Shape &whole = *info.uncut, &piece = info.sample;
  const bool fits = whole.rank() == 3 && piece.rank() == 3 && whole[0] == piece[0] && piece[1] > 0 &&
                    piece[2] > 0 && piece[1] <= whole[1] && piece[2] <= whole[2];
  return fits ? std::string() : join("examples ", piece, " are no pieces of pictures ", whole);
}

std::string info_text(const ModelInfo& info) {
  for (const std::string& problem : {info.preprocessing.problem(info.sample), problem_of_shapes(info)})
    require<ValueError>(problem.empty(), "save_model", problem);
  Json out = {{"version", version_for(info)},
              {"sample", sizes_of(info.sample)},
              {"preprocessing", preprocessing_json(info.preprocessing)},
              {"classes", info.classes},
              {"loss", info.loss},
              {"data", info.data},
              {"recipe", info.recipe}};
  if (info.pictures) out["pictures"] = pictures_json(*info.pictures);
  if (info.uncut) out["uncut"] = sizes_of(*info.uncut);
  // A name that is no UTF-8 must not cost a trained network.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Shape shape_from(const Json& json, const char* key) {
  std::vector<Index> sizes;
  read_required(json, key, sizes);
  return Shape(std::span<const Index>(sizes));
}

ModelInfo info_from(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw FormatError("what it says of the model is no JSON");
  core_detail::require_object(json, "what it says of the model");
  int version = 0;
  read_required(json, "version", version);
  if (version < 1 || version > kVersion) {
    throw FormatError(join("the model's version is ", version, "; this Splot reads 1 to ", kVersion));
  }
  ModelInfo info;
  info.sample = shape_from(json, "sample");
  if (json.contains("uncut")) info.uncut = shape_from(json, "uncut");
  info.preprocessing = preprocessing_from(core_detail::member(json, "preprocessing"));
  for (const std::string& problem : {info.preprocessing.problem(info.sample), problem_of_shapes(info)})
    if (!problem.empty()) throw FormatError(problem);
  read_required(json, "classes", info.classes);
  read_required(json, "loss", info.loss);
  read_required(json, "data", info.data);
  read_required(json, "recipe", info.recipe);
  if (json.contains("pictures")) info.pictures = pictures_from(core_detail::member(json, "pictures"));
  return info;
}

ModelFile read_model(const TensorFile& file) {
  const auto architecture = file.metadata.find("architecture");
  const auto info = file.metadata.find("splot");
  if (architecture == file.metadata.end() || info == file.metadata.end()) {
    throw FormatError("it holds tensors, but no architecture of Splot's");
  }
  ModelFile out;
  out.info = info_from(info->second);
  out.model = layer_from_json(architecture->second);
  NamedTensors weights;
  for (const auto& [name, value] : file.tensors) weights.push_back({name, value});
  load_state_dict(*out.model, weights);
  if (!weights.empty()) out.dtype = weights.front().value.dtype();
  return out;
}

}  // namespace

void save_model(const std::string& path, Layer& model, const ModelInfo& info) {
  save_safetensors(path, tensors_of(model), {{"architecture", to_json(model)}, {"splot", info_text(info)}});
}

ModelFile load_model(const std::string& path) {
  const TensorFile file = load_safetensors(path);
  try {
    return read_model(file);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    // Whatever the content leads to - JSON that is none, arguments no layer takes, weights that do not fit.
    fail<FormatError>("load_model", path, ": ", error.what());
  }
}

Dataset prepared(const ModelInfo& info, const Tensor& stored) {
  const Dataset all("examples", stored, zeros({stored.shape()[0]}, kInt64));
  const Dataset pieces = info.uncut ? all.with_crop(info.sample[1], info.sample[2]) : all;
  return pieces.with_preprocessing(info.preprocessing);
}

std::string weights_sha256(Layer& model) { return weights_sha256(tensors_of(model)); }

}  // namespace splot
