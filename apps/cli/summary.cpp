// splot summary: the layers of a network as a table.
#include "splot/nn/summary.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/recipe/build.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"

namespace splot::cli {
namespace {

struct SummaryOptions {
  std::string subject;
  std::string dense;
  std::vector<std::string> set;
  bool json = false;
};

// "784-16-10" as a network of its own.
Subject dense_subject(const std::string& text) {
  ModelRecipe model;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    Index size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 1 || size > 1'000'000) throw UsageError(say(Message::bad_dense, text));
    model.dense.push_back(size);
    if (next == end) break;
    if (*next != '-') throw UsageError(say(Message::bad_dense, text));
    at = next + 1;
  }
  if (model.dense.size() < 2) throw UsageError(say(Message::bad_dense, text));
  Subject out;
  out.file.info.sample = Shape{model.dense.front()};
  out.file.model = build_model(model, out.file.info.sample, kFloat32, 1);
  return out;
}

std::string batch_shape(const Shape& sample) {
  std::string out = "[n";
  for (const Index size : sample) out += ", " + std::to_string(size);
  return out + ']';
}

// As Keras shows them: "49.73 KB".
std::string size_of(Index bytes) {
  const char* const units[] = {"B", "KB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024.0 && unit + 1 < std::size(units); ++unit) size /= 1024.0;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.2f} {}", size, units[unit]);
}

struct Totals {
  Index parameters = 0;
  Index trainable = 0;
  Index multiply_adds = 0;
  Index parameter_bytes = 0;
  Index activation_bytes = 0;
};

Totals totals_of(const std::vector<LayerSummary>& rows) {
  Totals out;
  for (const LayerSummary& row : rows) {
    out.parameters += row.parameters;
    out.trainable += row.trainable;
    out.multiply_adds += row.multiply_adds;
    out.parameter_bytes += row.parameter_bytes;
    out.activation_bytes += row.activation_bytes;
  }
  return out;
}

nlohmann::ordered_json summary_json(const std::vector<LayerSummary>& rows, const Totals& totals,
                                    const ModelFile& file) {
  const auto list = [](const Shape& shape) { return std::vector<Index>(shape.begin(), shape.end()); };
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerSummary& row : rows) {
    layers.push_back({{"name", row.path},
                      {"type", row.type},
                      {"output", list(row.output)},
                      {"parameters", row.parameters},
                      {"trainable", row.trainable},
                      {"multiply_adds", row.multiply_adds},
                      {"parameter_bytes", row.parameter_bytes},
                      {"activation_bytes", row.activation_bytes}});
  }
  return {{"input", list(file.info.sample)},
          {"dtype", file.dtype.name()},
          {"layers", layers},
          {"parameters", totals.parameters},
          {"trainable", totals.trainable},
          {"frozen", totals.parameters - totals.trainable},
          {"multiply_adds", totals.multiply_adds},
          {"memory", {{"weights", totals.parameter_bytes}, {"activations", totals.activation_bytes}}}};
}

std::string as_text(const std::vector<LayerSummary>& rows, const Totals& totals) {
  const auto line = [](std::string_view layer, std::string_view shape, std::string_view parameters,
                       std::string_view multiply_adds) {
    return fmt::format("{:<28}{:<20}{:>12}{:>16}\n", layer, shape, parameters, multiply_adds);
  };
  const std::string rule(76, '=');
  std::string out = line(say(Message::summary_layer), say(Message::summary_shape),
                         say(Message::summary_parameters), say(Message::summary_multiply_adds));
  out += rule + '\n';
  for (const LayerSummary& row : rows) {
    out += line(fmt::format("{} ({})", row.path, row.type), batch_shape(row.output), grouped(row.parameters),
                grouped(row.multiply_adds));
  }
  out += rule + '\n';
  const auto total = [&](Message name, const std::string& value) {
    out += fmt::format("{}: {}\n", say(name), value);
  };
  total(Message::summary_parameters, grouped(totals.parameters));
  total(Message::summary_trained, grouped(totals.trainable));
  total(Message::summary_frozen, grouped(totals.parameters - totals.trainable));
  total(Message::summary_multiply_adds, grouped(totals.multiply_adds));
  total(Message::summary_weights, size_of(totals.parameter_bytes));
  total(Message::summary_activations, size_of(totals.activation_bytes));
  return out;
}

int run_summary(const SummaryOptions& options) {
  if (options.dense.empty() == options.subject.empty()) throw UsageError(say(Message::summary_what));
  Subject subject =
      options.dense.empty() ? find_subject(options.subject, options.set) : dense_subject(options.dense);
  const std::vector<LayerSummary> rows =
      summarize(*subject.file.model, subject.file.info.sample, subject.file.dtype);
  const Totals totals = totals_of(rows);
  print(options.json ? summary_json(rows, totals, subject.file).dump(2) + '\n' : as_text(rows, totals));
  return kOk;
}

}  // namespace

void add_summary(Command root) {
  Command command = root.add("summary", Message::summary_help, Message::summary_example);
  const auto options = std::make_shared<SummaryOptions>();
  command.option("subject", options->subject, Message::subject_argument, "MODEL|RECIPE");
  command.option("--dense", options->dense, Message::summary_dense, "SIZES");
  command.add_set(options->set);
  command.add_json(options->json);
  command.runs([options] { return run_summary(*options); });
}

}  // namespace splot::cli
