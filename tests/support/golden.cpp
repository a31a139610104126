#include "tests/support/golden.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>

#include <nlohmann/json.hpp>

namespace splot::test {
namespace {

using Json = nlohmann::json;

template <typename T>
T element(const Json& value) {
  if (value.is_string()) {
    const double infinity = std::numeric_limits<double>::infinity();
    const double special = value == "nan"   ? std::numeric_limits<double>::quiet_NaN()
                           : value == "inf" ? infinity
                                            : -infinity;
    return static_cast<T>(special);
  }
  return value.get<T>();
}

Tensor read_tensor(const Json& json) {
  if (json.is_null()) return Tensor();
  Ints sizes;
  for (const Json& size : json.at("shape")) sizes.push_back(size.get<Index>());
  const auto dtype = DType::parse(json.at("dtype").get<std::string>());
  require<FormatError>(dtype.has_value(), "golden", "not a dtype: ", json.at("dtype").get<std::string>());
  return visit_numbers(*dtype, "golden", [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<T> values;
    for (const Json& value : json.at("values")) values.push_back(element<T>(value));
    return Tensor::from(values, Shape(sizes));
  });
}

TensorList read_list(const Json& sample, const char* name) {
  TensorList out;
  if (!sample.contains(name)) return out;
  for (const Json& tensor : sample.at(name)) out.push_back(read_tensor(tensor));
  return out;
}

using Cases = std::map<std::string, std::vector<GoldenSample>>;

void read_folder(const std::string& folder, Cases& cases) {
  for (const auto& entry : std::filesystem::directory_iterator(SPLOT_TESTS_DIR "/golden/" + folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    const Json json = Json::parse(file);
    for (const auto& [name, samples] : json.items()) {
      require<FormatError>(!cases.contains(name), "golden", "the case ", name, " is in two files");
      for (const Json& sample : samples) {
        cases[name].push_back({read_list(sample, "inputs"), read_list(sample, "outputs"),
                               read_list(sample, "cotangents"), read_list(sample, "gradients"),
                               sample.at("smooth").get<bool>()});
      }
    }
  }
}

const Cases& all_cases() {
  static const Cases cases = [] {
    Cases read;
    for (const char* folder : {"ops", "nn"}) read_folder(folder, read);
    return read;
  }();
  return cases;
}

}  // namespace

const std::vector<GoldenSample>& golden_samples(const std::string& name) {
  static const std::vector<GoldenSample> none;
  const auto found = all_cases().find(name);
  return found == all_cases().end() ? none : found->second;
}

std::vector<std::string> golden_names(const std::string& folder) {
  Cases cases;
  read_folder(folder, cases);
  std::vector<std::string> out;
  for (const auto& [name, samples] : cases) out.push_back(name);
  return out;
}

}  // namespace splot::test
