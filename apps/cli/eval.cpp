// splot eval: how well a trained network does.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/recipe/build.h"
#include "splot/train/classification.h"
#include "splot/train/outputs.h"
#include "splot/train/regression.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"
#include "apps/cli/robustness.h"
#include "apps/cli/test_part.h"

namespace splot::cli {
namespace {

struct EvalOptions {
  std::vector<std::string> models;
  bool robustness = false;
  RobustnessCommand measure;
};

// All that one pass over a data set shows.
struct Findings {
  double loss = 0.0;  // mean over the examples
  Index examples = 0;
  std::optional<ConfusionMatrix> matrix;  // with classes
  std::map<Index, Index> top;             // k -> how often the class was among the k largest outputs
  RegressionTally numbers;                // without
};

Findings look_at(const ModelFile& file, const Dataset& data) {
  const LossFunction loss = build_loss(file.info.loss);
  const auto classes = static_cast<Index>(data.classes().size());
  Findings out;
  out.examples = data.size();
  if (classes > 0) {
    out.matrix.emplace(classes);
    for (const Index k : {3, 5}) {
      if (k < classes) out.top[k] = 0;
    }
  }
  visit_outputs(*file.model, data, [&](const Tensor& output, const Tensor& target) {
    out.loss += loss(output, target).item<double>() * static_cast<double>(target.shape()[0]);
    if (!out.matrix) {
      out.numbers.add(output, target);
      return;
    }
    out.matrix->add(output, target);
    for (auto& [k, found] : out.top) found += count_top_k(output, target, k);
  });
  out.loss /= static_cast<double>(data.size());
  return out;
}

nlohmann::ordered_json scores_json(const ClassScores& s) {
  return {{"precision", s.precision}, {"recall", s.recall}, {"f1", s.f1}, {"examples", s.support}};
}

nlohmann::ordered_json findings_json(const Findings& found, const std::vector<std::string>& names) {
  nlohmann::ordered_json out = {{"examples", found.examples}, {"metrics", {{"loss", found.loss}}}};
  nlohmann::ordered_json& metrics = out["metrics"];
  if (!found.matrix) {
    const RegressionScores s = found.numbers.scores();
    metrics["mae"] = s.mae;
    metrics["mse"] = s.mse;
    metrics["rmse"] = s.rmse;
    metrics["r2"] = s.r2;
    return out;
  }
  const ConfusionMatrix& matrix = *found.matrix;
  metrics["accuracy"] = matrix.accuracy();
  for (const auto& [k, right] : found.top) {
    metrics[join("top_", k, "_accuracy")] = static_cast<double>(right) / static_cast<double>(found.examples);
  }
  const Interval interval = matrix.accuracy_interval();
  out["accuracy_interval"] = {{"confidence", 0.95}, {"low", interval.low}, {"high", interval.high}};
  out["classes"] = nlohmann::ordered_json::array();
  out["confusion"] = nlohmann::ordered_json::array();
  const std::vector<ClassScores> scores = matrix.scores();
  for (Index c = 0; c < matrix.classes(); ++c) {
    nlohmann::ordered_json row = scores_json(scores[static_cast<std::size_t>(c)]);
    row["name"] = names[static_cast<std::size_t>(c)];
    out["classes"].push_back(std::move(row));
    std::vector<Index> counts;
    for (Index p = 0; p < matrix.classes(); ++p) counts.push_back(matrix.count(c, p));
    out["confusion"].push_back(counts);
  }
  out["macro_average"] = scores_json(matrix.macro_average());
  out["weighted_average"] = scores_json(matrix.weighted_average());
  return out;
}

std::string score_table(const ConfusionMatrix& matrix, const std::vector<std::string>& names) {
  std::size_t width = std::max(say(Message::eval_macro).size(), say(Message::eval_weighted).size());
  for (const std::string& name : names) width = std::max(width, name.size());
  const auto cells = [&](const auto& name, const auto&... values) {
    std::string line = fmt::format("{:<{}}", name, width + 2);
    ((line += fmt::format("{:>12}", values)), ...);
    return line + '\n';
  };
  const auto row = [&](const std::string& name, const ClassScores& s) {
    return cells(name, percent(s.precision), percent(s.recall), percent(s.f1), s.support);
  };
  std::string out = cells(say(Message::eval_class), say(Message::eval_precision), say(Message::eval_recall),
                          say(Message::eval_f1), say(Message::eval_examples));
  const std::vector<ClassScores> scores = matrix.scores();
  for (std::size_t c = 0; c < scores.size(); ++c) out += row(names[c], scores[c]);
  out += row(say(Message::eval_macro), matrix.macro_average());
  return out + row(say(Message::eval_weighted), matrix.weighted_average());
}

// Rows are classes, columns what they were taken for; more would not fit on a line.
std::string confusion_table(const ConfusionMatrix& matrix, const std::vector<std::string>& names) {
  constexpr Index kMostColumns = 20;
  if (matrix.classes() > kMostColumns) return {};
  std::size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::size_t column = std::max<std::size_t>(std::to_string(matrix.total()).size(), 3);
  for (const std::string& name : names) column = std::max(column, std::min<std::size_t>(name.size(), 6));
  std::string out = '\n' + say(Message::eval_confusion) + '\n' + std::string(width, ' ');
  for (const std::string& name : names) out += fmt::format("  {:>{}.{}}", name, column, column);
  out += '\n';
  for (Index t = 0; t < matrix.classes(); ++t) {
    out += fmt::format("{:<{}}", names[static_cast<std::size_t>(t)], width);
    for (Index p = 0; p < matrix.classes(); ++p) out += fmt::format("  {:>{}}", matrix.count(t, p), column);
    out += '\n';
  }
  return out;
}

std::string findings_text(const Findings& found, const std::string& data,
                          const std::vector<std::string>& names) {
  const std::string loss = fmt::format("{:.4f}", found.loss);
  if (!found.matrix) {
    const RegressionScores s = found.numbers.scores();
    return say(Message::eval_numbers, data, found.examples, fmt::format("{:.6g}", s.mae),
               fmt::format("{:.6g}", s.rmse), fmt::format("{:.4f}", s.r2), loss) +
           '\n';
  }
  const ConfusionMatrix& matrix = *found.matrix;
  const Interval interval = matrix.accuracy_interval();
  std::string out = say(Message::eval_result, data, percent(matrix.accuracy()), matrix.right(),
                        matrix.total(), percent(interval.low), percent(interval.high), loss) +
                    '\n';
  for (const auto& [k, right] : found.top) {
    out +=
        say(Message::eval_top, k, percent(static_cast<double>(right) / static_cast<double>(found.examples))) +
        '\n';
  }
  return out + '\n' + score_table(matrix, names) + confusion_table(matrix, names);
}

int run_eval(const EvalOptions& options) {
  if (options.robustness) return show_robustness(options.models, options.measure);
  if (options.models.size() > 1) throw UsageError(say(Message::eval_one_model));
  if (!options.measure.folder.empty() || options.measure.examples > 0)
    throw UsageError(say(Message::eval_robust_only));
  const ModelFile file = find_model(options.models[0]);
  const auto [shown, test, train] = find_test_part(options.models[0], file, options.measure.data);
  const Findings found = look_at(file, test);
  if (options.measure.json) {
    nlohmann::ordered_json out = {{"model", options.models[0]}, {"data", shown}, {"part", "test"}};
    out.update(findings_json(found, test.classes()));
    print(out.dump(2) + '\n');
  } else {
    print(findings_text(found, shown, test.classes()));
  }
  return kOk;
}

}  // namespace

void add_eval(Command root) {
  Command command = root.add("eval", Message::eval_help, Message::eval_example);
  const auto options = std::make_shared<EvalOptions>();
  command.option("model", options->models, Message::model_argument, "MODEL").required();
  command.option("--data", options->measure.data, Message::eval_data, "NAME");
  command.flag("--robustness", options->robustness, Message::eval_robustness);
  command.option("--examples", options->measure.examples, Message::eval_first_examples, "N").positive();
  command.option("-o,--output", options->measure.folder, Message::eval_folder, "FOLDER");
  command.add_threads();
  command.add_json(options->measure.json);
  command.runs([options] { return run_eval(*options); });
}

}  // namespace splot::cli
