#include "apps/cli/robustness.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "splot/report/markup.h"
#include "splot/report/robustness_figure.h"
#include "splot/train/run_folder.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"
#include "apps/cli/test_part.h"

namespace splot::cli {
namespace {

// What is drawn in one figure has a colour each.
constexpr std::size_t kMostNetworks = 8;

// A network and what it is judged on.
struct Judged {
  ModelFile file;
  TestPart part;
};

// "runs/cnn/model.safetensors" and "runs/cnn/" -> "cnn", unless that would be the name of two.
std::vector<std::string> short_names(const std::vector<std::string>& models) {
  std::vector<std::string> out;
  for (const std::string& model : models) {
    std::filesystem::path path = std::filesystem::path(model).lexically_normal();
    if (path.filename().empty() || path.filename() == "model.safetensors") path = path.parent_path();
    out.push_back(path.stem().string().empty() ? model : path.stem().string());
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (std::count(out.begin(), out.end(), out[i]) > 1) return models;
  }
  return out;
}

Robustness measure(const std::string& name, const ModelFile& file, const Dataset& test) {
  const bool live = is_terminal(STDERR_FILENO);
  int shown = -1;
  RobustnessOptions options;
  options.progress = [&](Index done, Index of) {
    const auto part = static_cast<int>(100 * done / of);
    if (part == shown) return;
    shown = part;
    if (live) {
      print_progress('\r' + say(Message::robust_progress, name, part) + (done == of ? "\n" : ""));
    } else if (part % 10 == 0) {
      print_progress(say(Message::robust_progress, name, part) + '\n');
    }
  };
  return measure_robustness(*file.model, test, options);
}

nlohmann::ordered_json robustness_json(const MeasuredNetwork& network) {
  const Robustness& r = network.measured;
  nlohmann::ordered_json out = {{"model", network.name}};
  nlohmann::ordered_json& moved = out["moved"] = nlohmann::ordered_json::array();
  for (std::size_t scale = 0; scale < r.scales.size(); ++scale) {
    for (Index down = -r.shift; down <= r.shift; ++down) {
      for (Index right = -r.shift; right <= r.shift; ++right) {
        moved.push_back({{"scale", r.scales[scale]},
                         {"right", static_cast<double>(right) * r.step},
                         {"down", static_cast<double>(down) * r.step},
                         {"accuracy", r.at(scale, right, down)}});
      }
    }
  }
  nlohmann::ordered_json& turned = out["turned"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < r.degrees.size(); ++i) {
    turned.push_back({{"degrees", r.degrees[i]}, {"accuracy", r.turned[i]}});
  }
  out["worst_shift"] = r.worst(r.unscaled(), r.shift);
  double scaled = 1.0;
  double both = 1.0;
  for (std::size_t scale = 0; scale < r.scales.size(); ++scale) {
    scaled = std::min(scaled, r.at(scale, 0, 0));
    both = std::min(both, r.worst(scale, r.shift));
  }
  out["worst_scale"] = scaled;
  out["worst_shift_and_scale"] = both;
  return out;
}

// A row for each motion, a column for each network.
std::string table(const std::vector<MeasuredNetwork>& networks) {
  std::vector<std::vector<std::string>> rows = {{""}};
  for (const MeasuredNetwork& network : networks) rows[0].push_back(network.name);
  const auto add = [&](std::string name, const auto& value) {
    rows.push_back({std::move(name)});
    for (const MeasuredNetwork& network : networks) rows.back().push_back(percent(value(network.measured)));
  };
  const Robustness& first = networks[0].measured;
  add(say(Message::robust_as_it_is), [](const Robustness& r) { return r.at(r.unscaled(), 0, 0); });
  for (Index steps = 1; steps <= first.shift; ++steps) {
    add(say(Message::robust_row_shift, static_cast<double>(steps) * first.step),
        [&](const Robustness& r) { return r.worst(r.unscaled(), steps); });
  }
  for (std::size_t scale = 0; scale < first.scales.size(); ++scale) {
    if (first.scales[scale] == 1.0) continue;
    add(say(Message::robust_by_scale, first.scales[scale]),
        [&](const Robustness& r) { return r.at(scale, 0, 0); });
  }
  add(say(Message::robust_row_both), [](const Robustness& r) {
    double worst = 1.0;
    for (std::size_t scale = 0; scale < r.scales.size(); ++scale)
      worst = std::min(worst, r.worst(scale, r.shift));
    return worst;
  });
  for (std::size_t i = 0; i < first.degrees.size(); ++i) {
    if (first.degrees[i] == 0.0) continue;
    add(say(Message::robust_by_degrees, first.degrees[i]), [&](const Robustness& r) { return r.turned[i]; });
  }
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    out += fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i) out += fmt::format("  {:>{}}", row[i], widths[i]);
    out += '\n';
  }
  return out;
}

}  // namespace

int show_robustness(const std::vector<std::string>& models, const RobustnessCommand& command) {
  if (models.size() > kMostNetworks)
    throw UsageError(say(Message::robust_too_many, kMostNetworks, models.size()));
  // Whatever can go wrong does so before minutes of measuring.
  const std::vector<std::string> names = short_names(models);
  std::vector<Judged> subjects;
  for (const std::string& model : models) {
    ModelFile file = find_model(model);
    // What the first one was trained on is what all are judged on.
    TestPart part = find_test_part(model, file, subjects.empty() ? command.data : subjects[0].part.data);
    if (part.test.sample_shape().rank() != 3 || part.test.classes().empty()) {
      throw UsageError(say(Message::robust_pictures_only, model, part.test.sample_shape().to_string()));
    }
    if (command.examples > 0) part.test = part.test.slice(0, std::min(command.examples, part.test.size()));
    subjects.push_back({std::move(file), std::move(part)});
  }
  std::optional<RunFolder> folder;
  if (!command.folder.empty()) folder.emplace(command.folder);

  std::vector<MeasuredNetwork> networks;
  for (std::size_t i = 0; i < models.size(); ++i) {
    networks.push_back({names[i], measure(names[i], subjects[i].file, subjects[i].part.test)});
  }
  const TestPart& part = subjects[0].part;
  if (folder) {
    folder->write("robustness.csv", to_csv(networks));
    folder->write("robustness.svg",
                  draw_robustness(networks, moved_pictures(part.test, networks[0].measured)).file());
  }
  if (command.json) {
    nlohmann::ordered_json out = {
        {"data", part.data}, {"part", "test"}, {"examples", networks[0].measured.examples}};
    for (const MeasuredNetwork& network : networks) out["models"].push_back(robustness_json(network));
    print(out.dump(2) + '\n');
    return kOk;
  }
  print(say(Message::robust_title, count_text(networks[0].measured.examples)) + '\n' + table(networks));
  if (!command.folder.empty()) print(say(Message::robust_kept, command.folder) + '\n');
  return kOk;
}

}  // namespace splot::cli
