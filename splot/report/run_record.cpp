#include "splot/report/run_record.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/file.h"

namespace splot {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxBytes = std::uint64_t{256} << 20;

double number(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

TrainingWarning warning_of(const Json& json) {
  return {json.value("code", ""), json.value("where", ""), json.value("epoch", Index{0}),
          json.value("text", "")};
}

EpochRecord epoch_of(const Json& json) {
  EpochRecord out;
  out.epoch = json.at("epoch").get<Index>();
  for (const auto& [key, value] : json.items()) {
    if (key == "epoch") continue;
    if (key == "lr") {
      out.lr = number(value);
    } else if (key == "seconds") {
      out.seconds = number(value);
    } else if (key == "norms") {
      for (const auto& [name, n] : value.items()) {
        out.norms.push_back({name, number(n.at("weight")), number(n.at("gradient")), number(n.at("update"))});
      }
    } else if (key == "warnings") {
      for (const Json& entry : value) out.warnings.push_back(warning_of(entry));
    } else if (value.is_number() || value.is_null()) {
      out.metrics.push_back({key, number(value)});
    }
  }
  return out;
}

std::string text_of_file(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path, kMaxBytes);
  return {bytes.begin(), bytes.end()};
}

// Whatever a file leads to, it is named.
template <typename F>
void reading(const std::string& path, F read) {
  try {
    read();
  } catch (const Json::exception& error) {
    fail<FormatError>("report", path, ": ", error.what());
  }
}

std::vector<EpochRecord> read_history(const std::string& path) {
  const std::string text = text_of_file(path);
  std::vector<EpochRecord> out;
  Index line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) {
      reading(join(path, ':', line),
              [&] { out.push_back(epoch_of(Json::parse(text.substr(at, end - at)))); });
    }
    at = end + 1;
  }
  return out;
}

void read_result(const std::string& text, RunRecord& run) {
  const Json json = Json::parse(text);
  run.recipe = json.value("recipe", "");
  if (json.contains("seed")) run.seed = json["seed"].dump();
  run.weights_sha256 = json.value("weights_sha256", "");
  run.steps = json.value("steps", Index{0});
  run.seconds = json.value("seconds", 0.0);
  run.stopped = json.value("stopped", false);
  run.stop_reason = json.value("stop_reason", "");
  run.diverged = json.value("diverged", "");
  run.threads = json.value("threads", 0);
  run.instruction_set = json.value("instruction_set", "");
  run.peak_memory = json.value("peak_memory_bytes", std::uint64_t{0});
  if (json.contains("best") && json["best"].is_object())
    run.best_epoch = json["best"].value("epoch", Index{0});
  if (json.contains("metrics")) {
    for (const auto& [name, metrics] : json["metrics"].items()) {
      RunPart part{name, {}};
      for (const auto& [metric_name, value] : metrics.items()) {
        if (value.is_number() || value.is_null()) part.metrics.push_back({metric_name, number(value)});
      }
      run.parts.push_back(std::move(part));
    }
  }
  if (json.contains("warnings")) {
    for (const Json& entry : json["warnings"]) run.warnings.push_back(warning_of(entry));
  }
}

}  // namespace

RunRecord read_run(const std::string& folder) {
  const std::filesystem::path at(folder);
  RunRecord run;
  run.folder = folder;
  run.history = read_history((at / "metrics.jsonl").string());
  const std::string result = (at / "run.json").string();
  std::error_code ignored;
  if (std::filesystem::exists(result, ignored)) {
    const std::string text = text_of_file(result);
    reading(result, [&] { read_result(text, run); });
  }
  if (run.warnings.empty()) {
    for (const EpochRecord& epoch : run.history) {
      run.warnings.insert(run.warnings.end(), epoch.warnings.begin(), epoch.warnings.end());
    }
  }
  return run;
}

std::string watched_set(const std::vector<EpochRecord>& history) {
  for (const EpochRecord& epoch : history) {
    for (const char* name : {"val", "test"}) {
      for (const Metric& m : epoch.metrics) {
        if (m.name == join(name, "_loss")) return name;
      }
    }
  }
  return "";
}

Index overfitting_after(const std::vector<EpochRecord>& history) {
  const std::string loss = watched_set(history) + "_loss";
  std::size_t lowest = history.size();
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < history.size(); ++i) {
    // The last of several equally low ones: a loss that stays where it is does not rise.
    const double value = metric(history[i].metrics, loss);
    if (value <= best) {
      best = value;
      lowest = i;
    }
  }
  if (!std::isfinite(best) || lowest + 2 >= history.size()) return 0;
  const bool falls = metric(history.back().metrics, "loss") < metric(history[lowest].metrics, "loss");
  return falls ? history[lowest].epoch : 0;
}

}  // namespace splot
