// splot eval: how well a trained network does.
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/recipe/build.h"
#include "splot/recipe/pictures.h"
#include "splot/train/classification.h"
#include "splot/train/outputs.h"
#include "splot/train/regression.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"

namespace splot::cli {
namespace {

struct EvalOptions {
  std::string model;
  std::string data;
  bool json = false;
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

struct EvalData {
  DataRecipe recipe;
  std::string note;  // what has to be known of the figures; empty: nothing
};

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// The data asked for by name or folder, as pictures of the size that the network takes.
DataRecipe asked_for(const EvalOptions& options, const DataRecipe& trained_on) {
  DataRecipe out;
  out.name = options.data;
  out.size = trained_on.size;
  out.channels = trained_on.channels;
  out.fit = trained_on.fit;
  const std::vector<std::string>& names = data_names();
  if (out.name == "images" || std::find(names.begin(), names.end(), out.name) == names.end()) {
    if (!is_there(out.name)) throw UsageError(say(Message::data_unknown, out.name));
    out.folder = std::exchange(out.name, "images");
  }
  return out;
}

// Which pictures are for testing follows from the names of all: those that the network has learned from are
// cut as they were then, wherever they lie now; others in the standard way.
EvalData data_for(const EvalOptions& options, const ModelFile& file) {
  const DataRecipe own = data_of_model(file.info);
  const std::optional<PictureOrigin>& origin = file.info.pictures;
  if (options.data.empty()) {
    if (own.name == "table") throw UsageError(say(Message::eval_table));
    if (own.name == "images" && !origin) throw UsageError(say(Message::eval_needs_data, options.model));
    if (own.name == "images" && !is_there(own.folder)) {
      throw UsageError(say(Message::eval_gone, options.model, own.folder));
    }
  }
  DataRecipe asked = options.data.empty() ? own : asked_for(options, own);
  if (asked.name == "table") throw UsageError(say(Message::eval_table));
  if (!has_picture_files(asked) || !has_picture_files(own)) return {asked, ""};
  if (!origin) return {asked, say(Message::eval_split_unknown, options.model)};
  if (picture_listing(asked) == origin->listing) {
    asked.test = own.test;
    asked.split_seed = own.split_seed;
    return {asked, ""};
  }
  return {asked, say(options.data.empty() ? Message::eval_changed : Message::eval_other_pictures,
                     asked.folder.empty() ? asked.name : asked.folder)};
}

int run_eval(const EvalOptions& options) {
  const ModelFile file = find_model(options.model);
  const auto [recipe, note] = data_for(options, file);
  const std::string& shown = recipe.folder.empty() ? recipe.name : recipe.folder;
  const RecipeData data = load_data(recipe);
  if (!data.test) throw UsageError(say(Message::data_no_part, shown, "test"));
  // As the network has learned to see them, whatever the data set's own way is.
  const Dataset test = data.test->with_preprocessing(file.info.preprocessing);
  if (!(test.sample_shape() == file.info.sample)) {
    throw UsageError(say(Message::eval_shape, options.model, file.info.sample.to_string(), shown,
                         test.sample_shape().to_string()));
  }
  if (!file.info.classes.empty() && file.info.classes != test.classes()) {
    throw UsageError(say(Message::eval_classes, options.model, list_of(file.info.classes), shown,
                         list_of(test.classes())));
  }
  if (!note.empty()) print_progress(say(Message::note, note) + '\n');
  const Findings found = look_at(file, test);
  if (options.json) {
    nlohmann::ordered_json out = {{"model", options.model}, {"data", shown}, {"part", "test"}};
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
  command.option("model", options->model, Message::model_argument, "MODEL").required();
  command.option("--data", options->data, Message::eval_data, "NAME");
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_eval(*options); });
}

}  // namespace splot::cli
