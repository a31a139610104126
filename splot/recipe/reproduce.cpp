#include "splot/recipe/reproduce.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/error.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/recipe/run.h"

namespace splot {
namespace {

// An output is saturated when it is this low or this high for nearly every example. Not for every one: an
// output that has given up a class still rises a little for a few examples of it.
constexpr double kLow = 0.01;
constexpr double kHigh = 0.99;
constexpr double kNearlyAll = 0.99;

[[noreturn]] void fail_without_metric(const Recipe& recipe) {
  fail<ValueError>("reproduce", recipe.id, " has no ", recipe.published.metric,
                   " in its runs; published.metric is what an epoch measures, for example test_accuracy with "
                   "train.watch = \"test\"");
}

// Of the weights kept, "test_accuracy" is the accuracy on the test part, and so on.
double kept_figure(const RecipeRun& run, const std::string& name) {
  const auto after = [&](std::string_view prefix) { return std::string_view(name).substr(prefix.size()); };
  if (name.rfind("test_", 0) == 0) return metric(run.test, after("test_"));
  if (name.rfind("val_", 0) == 0) return metric(run.validation, after("val_"));
  return metric(run.train, name);
}

void take_figure(const RecipeRun& run, ReproducedRun& out) {
  const PublishedRecipe& published = run.recipe.published;
  const bool share = in_per_cent(published);
  if (published.epoch == "kept") {
    out.figure = kept_figure(run, published.metric);
  } else {
    out.figure = std::numeric_limits<double>::quiet_NaN();
    for (const EpochRecord& record : run.training.history) {
      const double value = metric(record.metrics, published.metric);
      const bool better = share ? value > out.figure : value < out.figure;
      if (out.epoch > 0 && published.epoch == "best" && !better) continue;
      out.figure = value;
      out.epoch = record.epoch;
    }
  }
  if (std::isnan(out.figure)) fail_without_metric(run.recipe);
  if (share) out.figure *= 100.0;
}

const std::string& last_type(const LayerDescription& model) {
  return model.children.empty() ? model.type : last_type(model.children.back());
}

// What the outputs of a stuck network have come to.
void describe_outputs(const RecipeRun& run, const Dataset& test, ReproducedRun& out) {
  constexpr Index kBatch = 1000;
  const std::size_t classes = run.classes.size();
  const std::string last = last_type(describe(*run.model));
  std::vector<Index> low(classes, 0);
  std::vector<Index> high(classes, 0);
  std::vector<bool> answered(classes, false);
  const NoGrad off;
  for (Index first = 0; first < test.size(); first += kBatch) {
    const Batch batch = test.batch(first, std::min(kBatch, test.size() - first));
    const std::vector<double> outputs =
        (*run.model)(cast(batch.inputs, run.recipe.train.dtype)).to_vector<double>();
    for (auto row = outputs.begin(); row != outputs.end(); row += static_cast<std::ptrdiff_t>(classes)) {
      const auto end = row + static_cast<std::ptrdiff_t>(classes);
      answered[static_cast<std::size_t>(std::max_element(row, end) - row)] = true;
      for (std::size_t j = 0; j < classes; ++j) {
        const double value = row[static_cast<std::ptrdiff_t>(j)];
        low[j] += value < kLow ? 1 : 0;
        high[j] += value > kHigh ? 1 : 0;
      }
    }
  }
  const bool bounded = last == "sigmoid" || last == "softmax";
  for (std::size_t j = 0; j < classes; ++j) {
    const double enough = kNearlyAll * static_cast<double>(test.size());
    if (bounded && static_cast<double>(low[j]) >= enough) out.saturated_low.push_back(run.classes[j]);
    if (bounded && static_cast<double>(high[j]) >= enough) out.saturated_high.push_back(run.classes[j]);
    if (!answered[j]) out.never_answered.push_back(run.classes[j]);
  }
}

// Empty when it was stopped.
std::optional<ReproducedRun> train_seed(const Recipe& recipe, const RecipeData& data,
                                        const RunOptions& options) {
  const RecipeRun run = run_recipe(recipe, data, options);
  if (run.training.stopped) return std::nullopt;
  ReproducedRun out;
  out.seed = options.seed;
  out.seconds = run.training.seconds;
  take_figure(run, out);
  out.stuck = out.figure < recipe.published.stuck;
  if (out.stuck && data.test && !run.classes.empty()) describe_outputs(run, *data.test, out);
  return out;
}

ReproducedRun measure_norms(const Recipe& recipe, const RecipeData& data, std::uint64_t seed) {
  const auto begin = std::chrono::steady_clock::now();
  ReproducedRun out;
  out.seed = seed;
  const auto deepest = static_cast<Index>(recipe.published.norms.size());
  for (Index hidden = 1; hidden <= deepest; ++hidden) {
    out.norms.push_back(bias_gradient_norms(recipe, hidden, data.train, seed));
  }
  out.figure = out.norms.back().back() / out.norms.back().front();
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return out;
}

double value_of(const std::string& statistic, const Spread& spread, Index stuck) {
  if (statistic == "mean") return spread.mean;
  if (statistic == "median") return spread.median;
  if (statistic == "min") return spread.min;
  if (statistic == "max") return spread.max;
  if (statistic == "sd") return spread.sd;
  require<ValueError>(statistic == "stuck", "reproduce", "there is no statistic ", statistic);
  return static_cast<double>(stuck);
}

// The published value of one network has to be one that the seeds' networks cover.
std::vector<NormResult> compare_norms(const PublishedRecipe& published,
                                      const std::vector<ReproducedRun>& runs) {
  std::vector<NormResult> out;
  for (std::size_t i = 0; i < published.norms.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      NormResult result{static_cast<Index>(i) + 1,
                        static_cast<Index>(j) + 1,
                        std::numeric_limits<double>::quiet_NaN(),
                        {},
                        true};
      std::vector<double> values;
      for (const ReproducedRun& run : runs) values.push_back(run.norms[i][j]);
      result.spread = spread_of(values);
      if (!published.norms[i].empty()) {
        result.published = published.norms[i][j];
        result.holds = result.published >= result.spread.min && result.published <= result.spread.max;
      }
      out.push_back(result);
    }
  }
  return out;
}

}  // namespace

std::vector<double> bias_gradient_norms(const Recipe& recipe, Index hidden, const Dataset& data,
                                        std::uint64_t seed) {
  ModelRecipe part = recipe.model;
  require<ValueError>(hidden >= 1 && hidden + 2 <= static_cast<Index>(part.dense.size()), "reproduce",
                      "model.dense of ", recipe.id, " does not have ", hidden, " hidden layers");
  part.dense.erase(part.dense.begin() + 1 + hidden, part.dense.end() - 1);
  const LayerPtr model = build_model(part, data.sample_shape(), recipe.train.dtype, seed);
  const Batch all = data.batch(0, data.size());
  backward(build_loss(recipe.loss)((*model)(cast(all.inputs, recipe.train.dtype)), all.targets));
  std::vector<double> out;
  for (const NamedParameter& entry : named_parameters(*model)) {
    if (entry.parameter.shape().rank() != 1) continue;
    const Tensor gradient = cast(entry.parameter.grad(), kFloat64);
    out.push_back(std::sqrt(sum(gradient * gradient).item<double>()));
  }
  out.pop_back();  // of the last layer, which is not hidden
  return out;
}

Reproduction compare(const Recipe& recipe, Index seeds, std::vector<ReproducedRun> runs) {
  const PublishedRecipe& published = recipe.published;
  Reproduction out;
  out.recipe = recipe;
  out.seeds = seeds;
  std::vector<double> figures;
  for (ReproducedRun& run : runs) {
    run.stuck = run.figure < published.stuck;
    out.stuck += run.stuck ? 1 : 0;
    if (!run.stuck || !published.leave_out_stuck) figures.push_back(run.figure);
  }
  out.spread = spread_of(figures);
  out.obtained = value_of(published.statistic, out.spread, out.stuck);
  out.pass = static_cast<Index>(runs.size()) == seeds;
  for (const std::string& text : published.bounds) {
    const Bound bound = Bound::parse(text);
    const double value = value_of(bound.statistic, out.spread, out.stuck);
    const bool holds = bound.at_least ? value >= bound.limit : value <= bound.limit;  // false for NaN
    out.bounds.push_back({bound, value, holds});
    out.pass = out.pass && holds;
  }
  out.norms = compare_norms(published, runs);
  for (const NormResult& result : out.norms) out.pass = out.pass && result.holds;
  out.runs = std::move(runs);
  return out;
}

Reproduction reproduce(const Recipe& recipe, const ReproduceOptions& options) {
  require<ValueError>(!recipe.published.source.empty(), "reproduce", recipe.id,
                      " does not say what was published: it has no published.source");
  const Index seeds = options.seeds > 0 ? options.seeds : recipe.seeds;
  const RecipeData data = load_data(recipe.data);
  std::vector<std::optional<ReproducedRun>> runs(static_cast<std::size_t>(seeds));
  std::mutex telling;
  cpu::parallel_for(seeds, [&](Index i) {
    if (options.stop && options.stop()) return;
    RunOptions one{
        .seed = static_cast<std::uint64_t>(i) + 1, .progress = {}, .on_epoch = {}, .stop = options.stop};
    one.on_epoch = [&](const EpochRecord& record) {
      if (!options.on_epoch) return;
      const std::lock_guard lock(telling);
      options.on_epoch(one.seed, record);
    };
    std::optional<ReproducedRun>& run = runs[static_cast<std::size_t>(i)];
    if (recipe.published.norms.empty()) {
      run = train_seed(recipe, data, one);
    } else {
      run = measure_norms(recipe, data, one.seed);
    }
    if (!run || !options.on_run) return;
    const std::lock_guard lock(telling);
    options.on_run(*run);
  });
  std::vector<ReproducedRun> finished;
  for (std::optional<ReproducedRun>& run : runs) {
    if (run) finished.push_back(std::move(*run));
  }
  return compare(recipe, seeds, std::move(finished));
}

}  // namespace splot
