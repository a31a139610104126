#include "splot/train/model_file.h"

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/io/safetensors.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"

namespace splot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

TensorMap tensors_of(Layer& model) {
  TensorMap out;
  for (NamedTensor& entry : state_dict(model)) out.emplace(entry.name, entry.value);
  return out;
}

std::string info_text(const ModelInfo& info) {
  const Preprocessing& p = info.preprocessing;
  return Json{{"version", kVersion},
              {"sample", std::vector<Index>(info.sample.begin(), info.sample.end())},
              {"preprocessing", {{"divisor", p.divisor}, {"mean", p.mean}, {"deviation", p.deviation}}},
              {"classes", info.classes},
              {"loss", info.loss},
              {"data", info.data},
              {"recipe", info.recipe}}
      .dump();
}

ModelInfo info_from(const std::string& text) {
  const Json json = Json::parse(text);
  const int version = json.at("version").get<int>();
  if (version != kVersion)
    throw FormatError(join("the model's version is ", version, "; this Splot reads ", kVersion));
  ModelInfo info;
  info.sample = Shape(std::span<const Index>(json.at("sample").get<std::vector<Index>>()));
  const Json& p = json.at("preprocessing");
  info.preprocessing = {p.at("divisor").get<double>(), p.at("mean").get<double>(),
                        p.at("deviation").get<double>()};
  info.classes = json.at("classes").get<std::vector<std::string>>();
  info.loss = json.at("loss").get<std::string>();
  info.data = json.at("data").get<std::string>();
  info.recipe = json.at("recipe").get<std::string>();
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

std::string weights_sha256(Layer& model) { return weights_sha256(tensors_of(model)); }

}  // namespace splot
