#include "splot/report/run_record.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/core/internal/json_fields.h"

namespace splot {
namespace {

using core_detail::Json;
using core_detail::member;
using core_detail::read;
using core_detail::require_object;
using core_detail::wrong_kind;

constexpr std::uint64_t kMaxBytes = std::uint64_t{256} << 20;

// What is not finite is written as null.
double number(const Json& json, const std::string& what) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  double out = 0.0;
  core_detail::take(json, what, out);
  return out;
}

std::vector<TrainingWarning> warnings_of(const Json& list) {
  if (!list.is_array()) wrong_kind("warnings", "a list", list);
  std::vector<TrainingWarning> out;
  for (const Json& json : list) {
    require_object(json, "a warning");
    TrainingWarning& warning = out.emplace_back();
    read(json, "code", warning.code);
    read(json, "where", warning.where);
    read(json, "epoch", warning.epoch);
    read(json, "text", warning.text);
  }
  return out;
}

std::vector<ParameterNorms> norms_of(const Json& all) {
  require_object(all, "norms");
  std::vector<ParameterNorms> out;
  for (const auto& entry : all.items()) {
    const std::string what = join("norms of ", entry.key());
    require_object(entry.value(), what);
    const auto norm = [&](const char* which) {
      const auto found = entry.value().find(which);
      if (found == entry.value().end()) throw FormatError(join(what, " lack ", which));
      return number(*found, join(what, ", ", which));
    };
    out.push_back({entry.key(), norm("weight"), norm("gradient"), norm("update")});
  }
  return out;
}

EpochRecord epoch_of(const Json& json) {
  require_object(json, "the line");
  if (member(json, "epoch").is_null()) throw FormatError("the line has no epoch");
  EpochRecord out;
  read(json, "epoch", out.epoch);
  for (const auto& [key, value] : json.items()) {
    if (key == "epoch") continue;
    if (key == "lr") {
      out.lr = number(value, key);
    } else if (key == "seconds") {
      out.seconds = number(value, key);
    } else if (key == "norms") {
      out.norms = norms_of(value);
    } else if (key == "warnings") {
      out.warnings = warnings_of(value);
    } else if (value.is_number() || value.is_null()) {
      out.metrics.push_back({key, number(value, key)});
    }
  }
  return out;
}

std::string text_of_file(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path, kMaxBytes);
  return {bytes.begin(), bytes.end()};
}

// Calls read(the JSON in the text); whatever is wrong with it, the place is named.
template <typename F>
void reading(const std::string& place, std::string_view text, F read) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  require<FormatError>(!json.is_discarded(), "report", place,
                       ": this is no JSON; was the file cut or changed?");
  try {
    read(json);
  } catch (const FormatError& error) {
    fail<FormatError>("report", place, ": ", error.what());
  }
}

std::vector<EpochRecord> read_history(const std::string& path) {
  const std::string text = text_of_file(path);
  std::vector<EpochRecord> out;
  Index line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) {
      reading(join(path, ':', line), std::string_view(text).substr(at, end - at),
              [&](const Json& json) { out.push_back(epoch_of(json)); });
    }
    at = end + 1;
  }
  return out;
}

void read_result(const Json& json, RunRecord& run) {
  require_object(json, "the file");
  read(json, "recipe", run.recipe);
  if (json.contains("seed")) run.seed = json["seed"].dump();
  read(json, "weights_sha256", run.weights_sha256);
  read(json, "steps", run.steps);
  if (json.contains("seconds")) run.seconds = number(json["seconds"], "seconds");
  read(json, "stopped", run.stopped);
  read(json, "stop_reason", run.stop_reason);
  read(json, "diverged", run.diverged);
  read(json, "threads", run.threads);
  read(json, "instruction_set", run.instruction_set);
  read(json, "peak_memory_bytes", run.peak_memory);
  if (const Json& best = member(json, "best"); best.is_object()) read(best, "epoch", run.best_epoch);
  if (const Json& parts = member(json, "metrics"); !parts.is_null()) {
    require_object(parts, "metrics");
    for (const auto& [name, metrics] : parts.items()) {
      RunPart part{name, {}};
      for (const auto& [metric_name, value] : metrics.items()) {
        if (value.is_number() || value.is_null())
          part.metrics.push_back({metric_name, number(value, metric_name)});
      }
      run.parts.push_back(std::move(part));
    }
  }
  if (json.contains("warnings")) run.warnings = warnings_of(json["warnings"]);
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
    reading(result, text_of_file(result), [&](const Json& json) { read_result(json, run); });
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
