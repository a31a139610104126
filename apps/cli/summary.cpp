// splot summary: the layers of a network as a table.
#include "splot/nn/summary.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
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
  out.file.model = build_model(resolve_layers(model, out.file.info.sample), kFloat32, 1);
  return out;
}

std::string with_commas(Index value) {
  std::string out = std::to_string(value);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

std::string batch_shape(const Shape& sample) {
  std::string out = "[n";
  for (const Index size : sample) out += ", " + std::to_string(size);
  return out + ']';
}

int run_summary(const SummaryOptions& options) {
  if (options.dense.empty() == options.subject.empty()) throw UsageError(say(Message::summary_what));
  Subject subject =
      options.dense.empty() ? find_subject(options.subject, options.set) : dense_subject(options.dense);
  const std::vector<LayerSummary> rows =
      summarize(*subject.file.model, subject.file.info.sample, subject.file.dtype);
  Index parameters = 0;
  Index trainable = 0;
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  std::string table = fmt::format("{:<28}{:<20}{:>12}\n", say(Message::summary_layer),
                                  say(Message::summary_shape), say(Message::summary_parameters));
  for (const LayerSummary& row : rows) {
    parameters += row.parameters;
    trainable += row.trainable;
    table += fmt::format("{:<28}{:<20}{:>12}\n", fmt::format("{} ({})", row.path, row.type),
                         batch_shape(row.output), with_commas(row.parameters));
    layers.push_back({{"name", row.path},
                      {"type", row.type},
                      {"output", std::vector<Index>(row.output.begin(), row.output.end())},
                      {"parameters", row.parameters},
                      {"trainable", row.trainable}});
  }
  if (options.json) {
    const Shape& sample = subject.file.info.sample;
    print(nlohmann::ordered_json{{"input", std::vector<Index>(sample.begin(), sample.end())},
                                 {"dtype", subject.file.dtype.name()},
                                 {"layers", layers},
                                 {"parameters", parameters},
                                 {"trainable", trainable}}
              .dump(2) +
          '\n');
  } else {
    print(table + say(Message::summary_total, with_commas(parameters), with_commas(trainable),
                      with_commas(parameters - trainable)));
  }
  return kOk;
}

}  // namespace

void add_summary(CLI::App& app, int& status) {
  CLI::App* command = add_command(app, "summary", Message::summary_help, Message::summary_example);
  const auto options = std::make_shared<SummaryOptions>();
  command->add_option("subject", options->subject, say(Message::subject_argument))->type_name("MODEL|RECIPE");
  command->add_option("--dense", options->dense, say(Message::summary_dense))->type_name("SIZES");
  add_set(*command, options->set);
  add_json(*command, options->json);
  command->callback([&status, options] { status = run_summary(*options); });
}

}  // namespace splot::cli
