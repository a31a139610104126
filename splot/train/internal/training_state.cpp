#include "splot/train/internal/training_state.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/io/checkpoint.h"
#include "splot/train/checkpoint.h"

namespace splot::train_detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr const char* kEntry = "splot_training";  // of the metadata

// JSON has no word for what is not a number; the shortest digits that give the same double are its own way.
Json json_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0.0 ? "inf" : "-inf";
  return value;
}

double json_number(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const std::string word = json.get<std::string>();
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (word == "inf") return std::numeric_limits<double>::infinity();
  if (word == "-inf") return -std::numeric_limits<double>::infinity();
  throw FormatError(join('"', word, "\" is not a number"));
}

template <typename T, typename F>
Json list(const std::vector<T>& values, F&& json_of) {
  Json out = Json::array();
  for (const T& value : values) out.push_back(json_of(value));
  return out;
}

template <typename T, typename F>
std::vector<T> list_of(const Json& json, F&& from_json) {
  if (!json.is_array()) throw FormatError("a list is missing");
  std::vector<T> out;
  for (const Json& value : json) out.push_back(from_json(value));
  return out;
}

Json metrics_json(const std::vector<Metric>& metrics) {
  return list(metrics, [](const Metric& m) { return Json::array({m.name, json_number(m.value)}); });
}
std::vector<Metric> metrics_from(const Json& json) {
  return list_of<Metric>(json, [](const Json& m) {
    return Metric{m.at(0).get<std::string>(), json_number(m.at(1))};
  });
}

Json warnings_json(const std::vector<TrainingWarning>& warnings) {
  return list(warnings, [](const TrainingWarning& w) {
    return Json::array({w.code, w.where, w.epoch, w.text});
  });
}
std::vector<TrainingWarning> warnings_from(const Json& json) {
  return list_of<TrainingWarning>(json, [](const Json& w) {
    return TrainingWarning{w.at(0).get<std::string>(), w.at(1).get<std::string>(), w.at(2).get<Index>(),
                           w.at(3).get<std::string>()};
  });
}

Json record_json(const EpochRecord& r) {
  Json norms = list(r.norms, [](const ParameterNorms& n) {
    return Json::array({n.name, json_number(n.weight), json_number(n.gradient), json_number(n.update)});
  });
  return {{"epoch", r.epoch},          {"metrics", metrics_json(r.metrics)},
          {"lr", json_number(r.lr)},   {"seconds", json_number(r.seconds)},
          {"norms", std::move(norms)}, {"warnings", warnings_json(r.warnings)}};
}
EpochRecord record_from(const Json& json) {
  EpochRecord r;
  r.epoch = json.at("epoch").get<Index>();
  r.metrics = metrics_from(json.at("metrics"));
  r.lr = json_number(json.at("lr"));
  r.seconds = json_number(json.at("seconds"));
  r.norms = list_of<ParameterNorms>(json.at("norms"), [](const Json& n) {
    return ParameterNorms{n.at(0).get<std::string>(), json_number(n.at(1)), json_number(n.at(2)),
                          json_number(n.at(3))};
  });
  r.warnings = warnings_from(json.at("warnings"));
  return r;
}

Json setup_json(const TrainingSetup& s) {
  return {{"seed", s.seed},       {"batch_size", s.batch_size}, {"accumulate", s.accumulate},
          {"shuffle", s.shuffle}, {"examples", s.examples},     {"watch", s.watch},
          {"metrics", s.metrics}, {"average", s.average},       {"callbacks", s.callbacks}};
}
TrainingSetup setup_from(const Json& json) {
  TrainingSetup s;
  s.seed = json.at("seed").get<std::uint64_t>();
  s.batch_size = json.at("batch_size").get<Index>();
  s.accumulate = json.at("accumulate").get<Index>();
  s.shuffle = json.at("shuffle").get<bool>();
  s.examples = json.at("examples").get<Index>();
  s.watch = json.at("watch").get<std::string>();
  s.metrics = json.at("metrics").get<std::vector<std::string>>();
  s.average = json.value("average", s.average);  // not in files from before there were averages
  s.callbacks = json.at("callbacks").get<std::size_t>();
  return s;
}

// Text as a tensor of bytes: a history of thousands of epochs is too long for a header.
Tensor text_tensor(const std::string& text) {
  return Tensor::from(
      std::span<const std::uint8_t>(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
      {static_cast<Index>(text.size())});
}

Json history_json(const TrainingState& state) {
  return {{"epochs", list(state.result.history, record_json)},
          {"warnings", warnings_json(state.result.warnings)},
          {"pending", warnings_json(state.pending)}};
}

void put(TensorMap& out, const std::string& prefix, const NamedTensors& tensors) {
  for (const NamedTensor& entry : tensors) out.emplace(prefix + entry.name, entry.value);
}

// Takes the tensors with this prefix out of the map, the prefix off their names.
NamedTensors take(TensorMap& tensors, const std::string& prefix) {
  NamedTensors out;
  auto at = tensors.lower_bound(prefix);
  while (at != tensors.end() && at->first.starts_with(prefix)) {
    out.push_back({at->first.substr(prefix.size()), at->second});
    at = tensors.erase(at);
  }
  return out;
}

Tensor take_one(TensorMap& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw FormatError(join("it holds no ", name));
  Tensor out = found->second;
  tensors.erase(found);
  return out;
}

std::string callback_prefix(std::size_t i) { return join("callback.", i, '.'); }

TrainingState read_state(TensorFile& file) {
  const auto entry = file.metadata.find(kEntry);
  if (entry == file.metadata.end()) throw FormatError("it holds tensors, but no training");
  const Json json = Json::parse(entry->second);
  const int version = json.at("version").get<int>();
  if (version != kVersion)
    throw FormatError(join("the checkpoint's version is ", version, "; this Splot reads ", kVersion));
  TrainingState state;
  state.setup = setup_from(json.at("setup"));
  state.epoch = json.at("epoch").get<Index>();
  state.step = json.at("step").get<Index>();
  state.epoch_seconds = json_number(json.at("epoch_seconds"));
  state.seconds = json_number(json.at("seconds"));
  state.result.steps = json.at("total_steps").get<Index>();
  state.result.best_epoch = json.at("best_epoch").get<Index>();
  state.result.stop_reason = json.at("stop_reason").get<std::string>();
  state.best_metrics = metrics_from(json.at("best_metrics"));
  state.reference = json_number(json.at("reference"));
  state.waited = json.at("waited").get<Index>();
  state.instruction_set = json.at("instruction_set").get<std::string>();
  state.mode = json.at("mode").get<std::string>();

  const std::vector<std::uint8_t> bytes = take_one(file.tensors, "history").to_vector<std::uint8_t>();
  const Json history = Json::parse(bytes);
  state.result.history = list_of<EpochRecord>(history.at("epochs"), record_from);
  state.result.warnings = warnings_from(history.at("warnings"));
  state.pending = warnings_from(history.at("pending"));

  state.tally = take_one(file.tensors, "tally").to_vector<double>();
  state.base_lrs = take_one(file.tensors, "base_lrs").to_vector<double>();
  state.model = take(file.tensors, "model.");
  state.best = take(file.tensors, "best.");
  state.average = take(file.tensors, "averaging.");
  state.optimizer = take(file.tensors, "optimizer.");
  for (std::size_t i = 0; i < state.setup.callbacks; ++i) {
    state.callbacks.push_back(take(file.tensors, callback_prefix(i)));
  }
  if (!file.tensors.empty()) throw FormatError(join("nothing is called ", file.tensors.begin()->first));

  const Index epochs = static_cast<Index>(state.result.history.size());
  if (state.epoch != epochs + 1 || state.step < 0 || state.result.steps < state.step ||
      state.result.best_epoch < 0 || state.result.best_epoch > epochs || state.waited < 0 ||
      state.tally.size() < state.setup.metrics.size() + 2) {
    throw FormatError("its parts contradict each other");
  }
  return state;
}

// Puts the path in front of whatever is wrong with the contents.
template <typename F>
auto reading(const std::string& path, F&& body) {
  TensorFile file = load_checkpoint(path);
  try {
    return body(file);
  } catch (const FormatError& error) {
    fail<FormatError>("checkpoint", '"', path, "\": ", error.what());
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>("checkpoint", '"', path, "\": its description is not as it should be: ", error.what());
  }
}

}  // namespace

void save_state(const std::string& path, const TrainingState& state, const Metadata& notes) {
  TensorMap tensors;
  put(tensors, "model.", state.model);
  put(tensors, "best.", state.best);
  put(tensors, "averaging.", state.average);
  put(tensors, "optimizer.", state.optimizer);
  for (std::size_t i = 0; i < state.callbacks.size(); ++i)
    put(tensors, callback_prefix(i), state.callbacks[i]);
  const auto doubles = [](const std::vector<double>& values) {
    return Tensor::from(values, {static_cast<Index>(values.size())});
  };
  tensors.emplace("tally", doubles(state.tally));
  tensors.emplace("base_lrs", doubles(state.base_lrs));
  tensors.emplace("history", text_tensor(history_json(state).dump()));
  const Json json = {{"version", kVersion},
                     {"setup", setup_json(state.setup)},
                     {"epoch", state.epoch},
                     {"step", state.step},
                     {"epoch_seconds", json_number(state.epoch_seconds)},
                     {"seconds", json_number(state.seconds)},
                     {"total_steps", state.result.steps},
                     {"best_epoch", state.result.best_epoch},
                     {"stop_reason", state.result.stop_reason},
                     {"best_metrics", metrics_json(state.best_metrics)},
                     {"reference", json_number(state.reference)},
                     {"waited", state.waited},
                     {"instruction_set", state.instruction_set},
                     {"mode", state.mode}};
  Metadata metadata = notes;
  require<ValueError>(metadata.emplace(kEntry, json.dump()).second, "checkpoint", "a note cannot be called ",
                      kEntry);
  save_checkpoint(path, tensors, metadata);
}

TrainingState load_state(const std::string& path) { return reading(path, read_state); }

void check_same_setup(const TrainingSetup& saved, const TrainingSetup& now) {
  const auto check = [](const char* what, const auto& was, const auto& is) {
    require<ValueError>(was == is, "resume", "the checkpoint was made with ", what, ' ', was, ", now it is ",
                        is);
  };
  check("seed", saved.seed, now.seed);
  check("batch_size", saved.batch_size, now.batch_size);
  check("accumulate", saved.accumulate, now.accumulate);
  check("shuffle", saved.shuffle, now.shuffle);
  check("a number of examples of", saved.examples, now.examples);
  check("watch", saved.watch, now.watch);
  check("the average", saved.average, now.average);
  check("a number of callbacks of", saved.callbacks, now.callbacks);
  const auto listed = [](const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
  };
  check("the metrics", listed(saved.metrics), listed(now.metrics));
}

}  // namespace splot::train_detail

namespace splot {

CheckpointInfo checkpoint_info(const std::string& path) {
  using namespace train_detail;  // NOLINT(google-build-using-namespace): a source file's own helpers
  return reading(path, [](TensorFile& file) {
    const TrainingState state = read_state(file);
    CheckpointInfo info{.seed = state.setup.seed,
                        .epoch = state.epoch,
                        .step = state.step,
                        .total_steps = state.result.steps,
                        .instruction_set = state.instruction_set,
                        .mode = state.mode,
                        .notes = file.metadata};
    info.notes.erase(kEntry);
    return info;
  });
}

}  // namespace splot
