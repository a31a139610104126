#include "splot/recipe/reproduce.h"

#include <atomic>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "splot/backend/cpu/thread_pool.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

// A line through four points; figures are its loss, known only by running.
constexpr std::string_view kLine = R"(
seeds = 5
[data]
name = "table"
inputs = [[0], [1], [2], [3]]
targets = [[1], [3], [5], [7]]
[model]
dense = [1, 1]
[loss]
name = "mse"
[optimizer]
lr = 0.02
[train]
epochs = 20
batch = 2
keep = "last"
[published]
source = "a test"
metric = "loss"
epoch = "last"
bounds = ["mean <= 100"]
reason = "any"
)";

Recipe line(const std::vector<std::string>& changes = {}) {
  Recipe recipe = parse_recipe(kLine, "line.toml");
  for (const std::string& change : changes) set_value(recipe, change);
  return recipe;
}

std::vector<ReproducedRun> runs_of(const std::vector<double>& figures) {
  std::vector<ReproducedRun> out;
  for (const double figure : figures) {
    out.emplace_back().seed = out.size();
    out.back().figure = figure;
  }
  return out;
}

TEST(Compare, TakesTheStatisticAndEveryBound) {
  const Recipe recipe =
      line({"published.statistic=median", "published.bounds=[\"median >= 3\", \"max <= 4.5\"]"});
  const Reproduction good = compare(recipe, 3, runs_of({4.0, 3.0, 2.0}));
  EXPECT_EQ(good.obtained, 3.0);
  EXPECT_EQ(good.spread.mean, 3.0);
  EXPECT_TRUE(good.pass);
  const Reproduction bad = compare(recipe, 3, runs_of({5.0, 3.0, 2.0}));
  EXPECT_FALSE(bad.pass);
  EXPECT_TRUE(bad.bounds[0].holds);
  EXPECT_FALSE(bad.bounds[1].holds);
  EXPECT_EQ(bad.bounds[1].value, 5.0);
}

TEST(Compare, CountsStuckRunsAndLeavesThemOutWhereAsked) {
  const std::vector<double> figures = {96.0, 77.0, 97.0};
  const Recipe all = line({"published.stuck=90", "published.bounds=[\"mean >= 90.0\"]"});
  const Reproduction counted = compare(all, 3, runs_of(figures));
  EXPECT_EQ(counted.stuck, 1);
  EXPECT_TRUE(counted.runs[1].stuck);
  EXPECT_EQ(counted.spread.mean, 90.0);
  const Recipe some = line({"published.stuck=90", "published.leave_out_stuck=true",
                            "published.bounds=[\"mean >= 96.5\", \"stuck <= 0\"]"});
  const Reproduction left_out = compare(some, 3, runs_of(figures));
  EXPECT_EQ(left_out.spread.min, 96.0);
  EXPECT_TRUE(left_out.bounds[0].holds);
  EXPECT_FALSE(left_out.bounds[1].holds);
  EXPECT_FALSE(left_out.pass);
}

TEST(Compare, MissingRunsDoNotPass) {
  EXPECT_FALSE(compare(line(), 2, runs_of({1.0})).pass);
  const Reproduction none = compare(line(), 2, {});
  EXPECT_FALSE(none.pass);
  EXPECT_TRUE(std::isnan(none.obtained));
  const Recipe stuck = line({"published.stuck=90", "published.leave_out_stuck=true"});
  EXPECT_FALSE(compare(stuck, 1, runs_of({10.0})).pass) << "a mean of nothing is below no bound";
}

TEST(Reproduce, RunsSeeds1ToNWithTheSameFiguresOnAnyNumberOfThreads) {
  const int before = cpu::num_threads();
  cpu::set_num_threads(1);
  const Reproduction one = reproduce(line());
  cpu::set_num_threads(4);
  std::set<std::uint64_t> told;
  Index epochs = 0;
  const Reproduction four =
      reproduce(line(), {.on_epoch = [&](std::uint64_t, const EpochRecord&) { ++epochs; },
                         .on_run = [&](const ReproducedRun& run) { told.insert(run.seed); }});
  cpu::set_num_threads(before);
  ASSERT_EQ(one.runs.size(), 5u);
  ASSERT_EQ(four.runs.size(), 5u);
  EXPECT_EQ(told, (std::set<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(epochs, 100);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(one.runs[i].seed, i + 1);
    EXPECT_EQ(one.runs[i].figure, four.runs[i].figure);
    EXPECT_EQ(one.runs[i].epoch, 20);
  }
  EXPECT_GT(one.spread.sd, 0.0) << "seeds are different runs";
  // The same as training by itself, and fewer seeds are the first of more.
  const RecipeRun third = run_recipe(line(), {.seed = 3});
  EXPECT_EQ(metric(third.training.history.back().metrics, "loss"), one.runs[2].figure);
  EXPECT_EQ(reproduce(line(), {.seeds = 2}).runs[1].figure, one.runs[1].figure);
}

TEST(Reproduce, TakesTheBestTheLastOrTheKeptFigure) {
  const Reproduction best = reproduce(line({"published.epoch=best", "optimizer.lr=0.12"}));
  const Reproduction last = reproduce(line({"optimizer.lr=0.12"}));
  for (std::size_t i = 0; i < 5; ++i) EXPECT_LE(best.runs[i].figure, last.runs[i].figure);
  const Reproduction kept = reproduce(line({"published.epoch=kept"}));
  EXPECT_EQ(kept.runs[0].epoch, 0);
  const RecipeRun run = run_recipe(line(), {.seed = 1});
  EXPECT_EQ(kept.runs[0].figure, metric(run.train, "loss"));
}

TEST(Reproduce, StopsWhenAskedAndCountsWhatHasFinished) {
  std::atomic<bool> over = false;
  const Reproduction out =
      reproduce(line({"seeds=50"}),
                {.on_run = [&](const ReproducedRun&) { over = true; }, .stop = [&] { return over.load(); }});
  EXPECT_LT(out.runs.size(), 50u);
  EXPECT_GE(out.runs.size(), 1u);
  EXPECT_FALSE(out.pass);
}

TEST(Reproduce, SaysWhatIsMissing) {
  EXPECT_ERROR(ValueError, reproduce(line({"published.source=", "published.bounds=[]"})),
               "[reproduce] line does not say what was published: it has no published.source");
  EXPECT_ERROR(
      ValueError, reproduce(line({"published.metric=test_accuracy"})),
      "[reproduce] line has no test_accuracy in its runs; published.metric is what an epoch measures, "
      "for example test_accuracy with train.watch = \"test\"");
}

// dC/db of the hidden layer of a 1-1-1 network, by hand.
TEST(BiasGradientNorms, AreThoseOfTheMeanGradient) {
  const Recipe recipe = parse_recipe(R"toml(
[data]
name = "table"
inputs = [[0.5], [-1]]
targets = [[1], [0]]
[model]
dense = [1, 1, 1]
activation = "sigmoid"
output = "sigmoid"
init = "constant(0.5)"
bias_init = "constant(0.25)"
[loss]
name = "quadratic_cost"
[train]
dtype = "float64"
)toml",
                                     "r.toml");
  const auto sigmoid = [](double z) { return 1.0 / (1.0 + std::exp(-z)); };
  double sum = 0.0;
  for (const auto& [x, y] : std::vector<std::pair<double, double>>{{0.5, 1.0}, {-1.0, 0.0}}) {
    const double h = sigmoid(0.5 * x + 0.25);
    const double a = sigmoid(0.5 * h + 0.25);
    sum += (a - y) * a * (1.0 - a) * 0.5 * h * (1.0 - h);
  }
  const RecipeData data = load_data(recipe.data);
  const std::vector<double> norms = bias_gradient_norms(recipe, 1, data.train, 1);
  ASSERT_EQ(norms.size(), 1u);
  EXPECT_NEAR(norms[0], std::abs(sum / 2.0), 1e-15);
  EXPECT_ERROR(ValueError, bias_gradient_norms(recipe, 2, data.train, 1),
               "[reproduce] model.dense of r does not have 2 hidden layers");
}

}  // namespace
}  // namespace splot
