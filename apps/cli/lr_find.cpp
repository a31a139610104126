// splot lr-find: which learning rates the network of a recipe can take.
#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/recipe/build.h"
#include "splot/report/plot.h"
#include "splot/train/lr_finder.h"
#include "splot/train/run_folder.h"

#include "apps/cli/command.h"
#include "apps/cli/recipes.h"

namespace splot::cli {
namespace {

struct LrFindOptions {
  std::string recipe;
  std::vector<std::string> set;
  std::string folder;
  LrFinderOptions finder;
  bool json = false;
};

LinePlot plot_of(const Recipe& recipe, const LrFinderResult& result) {
  Series loss{.name = say(Message::lr_find_loss), .x = {}, .y = {}, .stroke = Stroke::dots};
  Series smoothed{.name = say(Message::lr_find_smoothed), .x = {}, .y = {}};
  for (const LrFinderPoint& point : result.points) {
    loss.x.push_back(point.lr);
    loss.y.push_back(point.loss);
    smoothed.x.push_back(point.lr);
    smoothed.y.push_back(point.smoothed);
  }
  return {.title = say(Message::lr_find_title, recipe.id),
          .x = {.label = say(Message::lr_find_rate), .log = true},
          .y = {.label = say(Message::lr_find_loss)},
          .series = {loss, smoothed},
          .marks = {{result.suggestion, say(Message::lr_find_mark)}}};
}

// The smoothed loss over the rate, in characters; the suggestion's column is marked below.
std::string curve_in_letters(const LrFinderResult& result) {
  constexpr int kColumns = 64;
  constexpr int kRows = 12;
  const std::vector<LrFinderPoint>& points = result.points;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const LrFinderPoint& point : points) {
    if (!std::isfinite(point.smoothed)) continue;
    low = std::min(low, point.smoothed);
    high = std::max(high, point.smoothed);
  }
  if (!(low <= high)) return {};
  const double from = std::log10(points.front().lr);
  const double to = std::log10(points.back().lr);
  const auto column = [&](double lr) {
    const double share = to > from ? (std::log10(lr) - from) / (to - from) : 0.0;
    return static_cast<std::size_t>(std::clamp(std::lround(share * (kColumns - 1)), 0L, kColumns - 1L));
  };
  std::vector<std::string> rows(kRows, std::string(kColumns, ' '));
  for (const LrFinderPoint& point : points) {
    if (!std::isfinite(point.smoothed)) continue;
    const double share = high > low ? (high - point.smoothed) / (high - low) : 0.0;
    rows[static_cast<std::size_t>(std::lround(share * (kRows - 1)))][column(point.lr)] = '*';
  }
  std::string out;
  for (int i = 0; i < kRows; ++i) {
    const std::string label = i == 0           ? fmt::format("{:.4g}", high)
                              : i == kRows - 1 ? fmt::format("{:.4g}", low)
                                               : "";
    out += fmt::format("{:>10} |{}\n", label, rows[static_cast<std::size_t>(i)]);
  }
  std::string foot(kColumns, '-');
  foot[column(result.suggestion)] = '^';
  out += fmt::format("{:>10} +{}\n", "", foot);
  const std::string first = fmt::format("{:.2g}", points.front().lr);
  return out + fmt::format("{:>12}{}{:>{}.2g}\n", "", first, points.back().lr,
                           kColumns - static_cast<int>(first.size()));
}

nlohmann::ordered_json finder_json(const Recipe& recipe, std::uint64_t seed, const LrFinderResult& result) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const LrFinderPoint& point : result.points) {
    points.push_back({{"lr", point.lr}, {"loss", point.loss}, {"smoothed", point.smoothed}});
  }
  return {{"recipe", recipe.id},
          {"seed", seed},
          {"suggestion", result.suggestion},
          {"steepest", result.steepest},
          {"minimum_tenth", result.minimum_tenth},
          {"diverged", result.diverged},
          {"points", points}};
}

int run_lr_find(const LrFindOptions& options) {
  const Recipe recipe = find_recipe(options.recipe, options.set);
  if (options.finder.first >= options.finder.last) {
    throw UsageError(say(Message::lr_find_range, options.finder.first, options.finder.last));
  }
  const RecipeData data = load_data(recipe.data);
  const auto model = build_model(recipe.model, sample_shape(recipe), recipe.train.dtype, options.finder.seed);
  const std::unique_ptr<Optimizer> optimizer = build_optimizer(recipe, *model, data.train.size());
  LrFinderOptions finder = options.finder;
  finder.batch_size =
      recipe.train.batch == 0 ? data.train.size() : std::min(recipe.train.batch, data.train.size());
  const LrFinderResult result = find_lr(*model, build_loss(recipe.loss), *optimizer, data.train, finder);
  if (!options.folder.empty()) {
    const RunFolder folder(options.folder);
    const LinePlot plot = plot_of(recipe, result);
    folder.write("lr-find.csv", to_csv(plot));
    folder.write("lr-find.svg", draw(plot).file());
  }
  if (options.json) {
    print(finder_json(recipe, finder.seed, result).dump(2) + '\n');
    return kOk;
  }
  print(curve_in_letters(result) +
        say(Message::lr_find_result, recipe.id, fmt::format("{:.2g}", result.suggestion),
            fmt::format("{:.2g}", result.minimum_tenth), recipe.optimizer.lr) +
        '\n');
  if (!options.folder.empty()) print(say(Message::lr_find_kept, options.folder) + '\n');
  return kOk;
}

}  // namespace

void add_lr_find(Command root) {
  Command command = root.add("lr-find", Message::lr_find_help, Message::lr_find_example);
  const auto options = std::make_shared<LrFindOptions>();
  command.option("recipe", options->recipe, Message::train_recipe, "RECIPE").required();
  command.add_set(options->set);
  command.option("--first", options->finder.first, Message::lr_find_first, "LR").positive();
  command.option("--last", options->finder.last, Message::lr_find_last, "LR").positive();
  command.option("--steps", options->finder.steps, Message::lr_find_steps, "N").between(10, 100000);
  command.option("--seed", options->finder.seed, Message::seed_option, "N");
  command.option("-o,--output", options->folder, Message::lr_find_folder, "FOLDER");
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_lr_find(*options); });
}

}  // namespace splot::cli
