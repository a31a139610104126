// The keys loss.*, optimizer.* and schedule.*: their ranges, their way through TOML, and what is built from
// them.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/optim/clip.h"
#include "splot/recipe/build.h"
#include "splot/recipe/run.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

constexpr std::string_view kSmall = "data.name = \"digits\"\nmodel.dense = [4, 3, 2]\n";

// What stands behind the equals sign, other than the standard value of the key.
const std::vector<std::pair<std::string, std::string>> kOther = {
    {"loss.name", "\"huber\""},
    {"loss.label_smoothing", "0.125"},
    {"loss.class_weights", "[1.0, 0.5]"},
    {"loss.delta", "0.25"},
    {"loss.l1", "1e-05"},
    {"loss.l2", "5.0"},
    {"loss.penalize_biases", "true"},
    {"loss.penalty_over_n", "true"},
    {"optimizer.name", "\"rmsprop\""},
    {"optimizer.lr", "0.5"},
    {"optimizer.momentum", "0.25"},
    {"optimizer.nesterov", "true"},
    {"optimizer.momentum_form", "\"increment\""},
    {"optimizer.beta1", "0.5"},
    {"optimizer.beta2", "0.25"},
    {"optimizer.alpha", "0.75"},
    {"optimizer.centered", "true"},
    {"optimizer.lr_decay", "0.125"},
    {"optimizer.initial", "0.1"},
    {"optimizer.history", "7"},
    {"optimizer.max_iter", "9"},
    {"optimizer.max_eval", "11"},
    {"optimizer.tolerance_grad", "1e-05"},
    {"optimizer.tolerance_change", "1e-06"},
    {"optimizer.eps", "1e-07"},
    {"optimizer.weight_decay", "0.001"},
    {"optimizer.maximize", "true"},
    {"schedule.name", "\"cyclic\""},
    {"schedule.warmup", "5"},
    {"schedule.every", "6"},
    {"schedule.factor", "0.25"},
    {"schedule.start", "0.0625"},
    {"schedule.final", "0.5"},
    {"schedule.rise", "0.25"},
    {"schedule.anneal", "\"linear\""},
    {"schedule.up", "3"},
    {"schedule.down", "4"},
    {"schedule.mode", "\"triangular2\""},
    {"schedule.gamma", "0.75"},
    {"train.metrics", "[\"rmse\", \"r2\"]"},
    {"train.epochs", "5"},
    {"train.average", "\"ema\""},
    {"train.average_decay", "0.5"},
    {"train.average_start", "4"},
};

TEST(TrainingKeys, EveryOneComesBackFromToml) {
  Recipe recipe = parse_recipe(kSmall, "r.toml");
  for (const auto& [key, value] : kOther) {
    const std::string before = to_toml(recipe);
    set_value(recipe, key + '=' + value);
    EXPECT_NE(to_toml(recipe), before) << key;
  }
  const std::string text = to_toml(recipe);
  EXPECT_EQ(to_toml(parse_recipe(text, "r.toml")), text);
  for (const auto& [key, value] : kOther) {
    EXPECT_NE(text.find('\n' + key.substr(key.find('.') + 1) + " = " + value + '\n'), std::string::npos)
        << key;
  }
  for (const std::string& key : recipe_keys()) {
    if (key.rfind("loss.", 0) != 0 && key.rfind("optimizer.", 0) != 0 && key.rfind("schedule.", 0) != 0)
      continue;
    if (key.rfind("schedule.parts.", 0) == 0) continue;  // SequencesOfSchedules
    EXPECT_TRUE(std::any_of(kOther.begin(), kOther.end(), [&](const auto& o) { return o.first == key; }))
        << key;
  }
}

std::string refusal(const std::string& line) {
  try {
    parse_recipe(std::string(kSmall) + line + '\n', "r.toml");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(TrainingKeys, RangesAreChecked) {
  EXPECT_EQ(refusal("loss.label_smoothing = 1.5"),
            "r.toml:3: loss.label_smoothing is 1.5; it must be at most 1");
  EXPECT_EQ(refusal("loss.delta = 0"), "r.toml:3: loss.delta is 0; it must be above 0");
  EXPECT_EQ(refusal("loss.l1 = -1"), "r.toml:3: loss.l1 is -1; it must be at least 0");
  EXPECT_EQ(refusal("loss.l2 = -1"), "r.toml:3: loss.l2 is -1; it must be at least 0");
  EXPECT_EQ(refusal("loss.class_weights = [1.0, -2.0]"),
            "r.toml: loss.class_weights holds -2; weights are at least 0");
  EXPECT_EQ(refusal("optimizer.alpha = 1"), "r.toml:3: optimizer.alpha is 1; it must be below 1");
  EXPECT_EQ(refusal("optimizer.lr_decay = -1"), "r.toml:3: optimizer.lr_decay is -1; it must be at least 0");
  EXPECT_EQ(refusal("optimizer.nesterov = true"), "r.toml: optimizer.nesterov needs optimizer.momentum");
  EXPECT_EQ(refusal("optimizer.name = \"rmsprob\""),
            "r.toml:3: optimizer.name is \"rmsprob\"; did you mean \"rmsprop\"? It can be sgd, adam, adamw, "
            "rmsprop, adagrad, lbfgs");
  EXPECT_EQ(refusal("schedule.rise = 1"), "r.toml:3: schedule.rise is 1; it must be below 1");
  EXPECT_EQ(refusal("schedule.up = 0"), "r.toml:3: schedule.up is 0; it must be at least 1");
  EXPECT_EQ(refusal("schedule.gamma = 0"), "r.toml:3: schedule.gamma is 0; it must be above 0");
  EXPECT_EQ(refusal("schedule.name = \"onecycle\""),
            "r.toml:3: schedule.name is \"onecycle\"; did you mean \"one_cycle\"? It can be constant, step, "
            "exponential, cosine, linear, cyclic, one_cycle");
  EXPECT_EQ(
      refusal("optimizer.name = \"lbfgs\"\nloss.l2 = 0.5"),
      "r.toml: lbfgs looks at the loss itself and cannot take loss.l1, loss.l2 or optimizer.weight_decay");
  EXPECT_EQ(refusal("optimizer.momentum_form = \"nesterov\"").substr(0, 46),
            "r.toml:3: optimizer.momentum_form is \"nesterov");
  EXPECT_EQ(refusal("loss.lambda = 5.0"), "r.toml:3: there is no key loss.lambda; did you mean loss.name?");
}

TEST(TrainingKeys, EveryLossIsBuiltAndHasAGradient) {
  for (const std::string& name : loss_names()) {
    const Tensor outputs = tensor({{0.25, 0.5, 0.125}, {0.75, 0.125, 0.5}}).variable();
    const Tensor loss = build_loss(name)(outputs, tensor<std::int64_t>({2, 0}));
    EXPECT_EQ(loss.shape(), Shape{}) << name;
    EXPECT_GT(l2_norm(grad(loss, {outputs})[0]), 1e-3) << name;
  }
  EXPECT_ERROR(ValueError, build_loss("cross"), "[recipe] there is no loss cross");
  EXPECT_ERROR(IndexError, build_loss("mse")(zeros({1, 3}), tensor<std::int64_t>({3})),
               "[one_hot] index 3 is outside an axis of size 3");
}

TEST(TrainingKeys, LossOptionsReachTheLoss) {
  const Tensor outputs = tensor({{0.25, 0.5, -1.0}, {3.0, 0.125, 0.5}});
  const Tensor labels = tensor<std::int64_t>({2, 0});
  LossRecipe r;
  r.label_smoothing = 0.25;
  r.class_weights = {1.0, 2.0, 0.5};
  EXPECT_EQ(
      build_loss(r)(outputs, labels).item<double>(),
      cross_entropy(outputs, labels, {.class_weights = tensor({1.0, 2.0, 0.5}), .label_smoothing = 0.25})
          .item<double>());
  r.name = "huber";
  r.delta = 0.5;
  EXPECT_EQ(build_loss(r)(outputs, labels).item<double>(),
            huber_loss(outputs, one_hot(labels, 3, kFloat64), {.delta = 0.5}).item<double>());
}

// One step of a recipe's optimiser on a layer [2 -> 1] with the weight [1, -2], the bias 3 and no other
// gradient than the penalties'.
std::vector<double> after_a_step(const std::string& keys) {
  Recipe recipe = parse_recipe(std::string(kSmall) + "optimizer.lr = 0.5\n" + keys, "r.toml");
  Linear layer(2, 1, {.dtype = kFloat64});
  NamedParameters parameters = named_parameters(layer);
  parameters[0].parameter.assign(tensor({{1.0, -2.0}}));
  parameters[1].parameter.assign(tensor({3.0}));
  const std::unique_ptr<Optimizer> optimizer = build_optimizer(recipe, layer, 4);
  for (NamedParameter& entry : parameters) entry.parameter.set_grad(zeros(entry.parameter.shape(), kFloat64));
  optimizer->step();
  std::vector<double> out = parameters[0].parameter.value().to_vector<double>();
  out.push_back(parameters[1].parameter.value().item<double>());
  return out;
}

TEST(TrainingKeys, PenaltiesLeaveBiasesAloneUnlessAsked) {
  using Values = std::vector<double>;
  EXPECT_EQ(after_a_step(""), (Values{1.0, -2.0, 3.0}));
  EXPECT_EQ(after_a_step("loss.l2 = 0.5\n"), (Values{0.75, -1.5, 3.0}));
  EXPECT_EQ(after_a_step("loss.l2 = 0.5\nloss.penalize_biases = true\n"), (Values{0.75, -1.5, 2.25}));
  EXPECT_EQ(after_a_step("loss.l1 = 0.5\n"), (Values{0.75, -1.75, 3.0}));
  // Nielsen's lambda / n: n is 4.
  EXPECT_EQ(after_a_step("loss.l2 = 2.0\nloss.penalty_over_n = true\n"), (Values{0.75, -1.5, 3.0}));
  EXPECT_EQ(after_a_step("optimizer.weight_decay = 0.5\n"), (Values{0.75, -1.5, 2.25}));
  EXPECT_EQ(after_a_step("optimizer.weight_decay = 0.5\noptimizer.name = \"adamw\"\n"),
            (Values{0.75, -1.5, 2.25}));
  EXPECT_EQ(after_a_step("loss.l2 = 0.5\noptimizer.maximize = true\n"), (Values{0.75, -1.5, 3.0}));
}

TEST(TrainingKeys, EveryOptimiserIsBuilt) {
  for (const std::string& name : optimizer_names()) {
    if (name == "lbfgs") continue;
    for (const std::string& penalty : {std::string(), std::string("loss.l2 = 0.5\n")}) {
      const std::vector<double> w = after_a_step("optimizer.name = \"" + name + "\"\n" + penalty);
      EXPECT_EQ(w[0] < 1.0, !penalty.empty()) << name;
      EXPECT_EQ(w[2], 3.0) << name;
    }
  }
}

// Ten epochs of four steps.
std::vector<double> factors(const std::string& keys) {
  const Recipe recipe = parse_recipe(std::string(kSmall) + "train.epochs = 10\n" + keys, "r.toml");
  const Schedule schedule = build_schedule(recipe, 4);
  std::vector<double> out;
  for (Index at = 0; at < 40; ++at) out.push_back(schedule(at));
  return out;
}

TEST(TrainingKeys, SchedulesCountInEpochs) {
  EXPECT_EQ(factors(""), std::vector<double>(40, 1.0));
  const std::vector<double> step =
      factors("schedule.name = \"step\"\nschedule.every = 2\nschedule.factor = 0.5\n");
  EXPECT_EQ(step[7], 1.0);
  EXPECT_EQ(step[8], 0.5);
  const std::vector<double> fading = factors("schedule.name = \"exponential\"\nschedule.factor = 0.5\n");
  EXPECT_NEAR(fading[8], 0.25, 1e-12);
  EXPECT_LT(fading[1], 1.0);
  const std::vector<double> linear =
      factors("schedule.name = \"linear\"\nschedule.start = 1.0\nschedule.warmup = 8\n");
  EXPECT_EQ(linear[0], 0.125);
  EXPECT_EQ(linear[8], 1.0);
  EXPECT_NEAR(linear[39], 1.0 / 32.0, 1e-12);
  const std::vector<double> cyclic =
      factors("schedule.name = \"cyclic\"\nschedule.up = 2\nschedule.start = 0.5\n");
  EXPECT_EQ(cyclic[0], 0.5);
  EXPECT_EQ(cyclic[8], 1.0);
  EXPECT_EQ(cyclic[16], 0.5);
  const std::vector<double> halved = factors(
      "schedule.name = \"cyclic\"\nschedule.mode = \"triangular2\"\nschedule.up = 2\nschedule.start = 0.5\n");
  EXPECT_EQ(halved[24], 0.75);
  const std::vector<double> once = factors("schedule.name = \"one_cycle\"\nschedule.start = 0.25\n");
  EXPECT_EQ(once[0], 0.25);
  EXPECT_EQ(once[11], 1.0);
  EXPECT_NEAR(once[39], 0.0, 1e-12);
}

// The example of Matt Mazur without his frozen biases: L-BFGS needs a handful of steps where gradient descent
// needs thousands.
TEST(TrainingKeys, LbfgsTrainsThroughTheTrainer) {
  const Recipe recipe = parse_recipe(R"(
data = {name = "table", inputs = [[0, 0], [0, 1], [1, 0], [1, 1]], targets = [[0], [1], [1], [0]]}
model = {dense = [2, 8, 1], activation = "tanh"}
loss.name = "mse"
optimizer = {name = "lbfgs", lr = 1.0}
train = {epochs = 10, batch = 0, dtype = "float64"}
)",
                                     "xor.toml");
  const RecipeRun run = run_recipe(recipe);
  EXPECT_LT(metric(run.train, "loss"), 1e-6);
  EXPECT_GT(metric(run.before, "loss"), 0.1);
}

TEST(TrainingKeys, SequencesOfSchedules) {
  const std::string parts =
      "[[schedule.parts]]\nname = \"linear\"\nstart = 0.0\nfinal = 1.0\nepochs = 1\nsteps = 1\n"
      "[[schedule.parts]]\nepochs = 2\n"
      "[[schedule.parts]]\nname = \"cosine\"\nfinal = 0.5\n";
  const std::vector<double> f = factors(parts);
  EXPECT_EQ(f[0], 0.0);
  EXPECT_EQ(f[1], 0.2);
  for (std::size_t at = 5; at <= 13; ++at) EXPECT_EQ(f[at], 1.0) << at;
  // The last has what is left: 27 of 40 steps, of which these are the middle and the last.
  EXPECT_NEAR((f[13 + 13] + f[13 + 14]) / 2.0, 0.75, 1e-12);
  EXPECT_NEAR(f[39], 0.75 + 0.25 * std::cos(std::acos(-1.0) * 26.0 / 27.0), 1e-12);

  Recipe recipe = parse_recipe(std::string(kSmall) + parts, "r.toml");
  const std::string text = to_toml(recipe);
  EXPECT_NE(text.find("[[schedule.parts]]\nname = \"cosine\"\nfinal = 0.5\n"), std::string::npos) << text;
  EXPECT_EQ(to_toml(parse_recipe(text, "r.toml")), text);
  set_value(recipe, "schedule.parts=[{name = \"step\", epochs = 1}, {}]");
  EXPECT_EQ(recipe.schedule.parts.size(), 2U);
  EXPECT_EQ(recipe.schedule.parts[0].name, "step");

  EXPECT_EQ(refusal("[[schedule.parts]]\nepoch = 1"),
            "r.toml:4: there is no key schedule.parts.epoch; did you mean schedule.parts.epochs?");
  EXPECT_EQ(refusal("[[schedule.parts]]\nname = \"cosine\"\n[[schedule.parts]]"),
            "r.toml: part 1 of schedule.parts needs epochs or steps; only the last may go on to the end");
  EXPECT_EQ(refusal("schedule.name = \"step\"\nschedule.parts = [{}]"),
            "r.toml: schedule.name and schedule.parts are two ways to say it; give one of them");
  EXPECT_EQ(refusal("schedule.parts = 3"),
            "r.toml:3: schedule.parts should be a list of schedules, not a whole number");
}

TEST(TrainingKeys, EpsIsTheOptimisersOwnUnlessGiven) {
  // The first step by a gradient of 1e-9 at rate 1 shows what is added below the line.
  const auto moved = [](const std::string& keys) {
    const Recipe recipe = parse_recipe(std::string(kSmall) + "optimizer.lr = 1.0\n" + keys, "r.toml");
    Linear layer(1, 1, {.bias = false, .dtype = kFloat64});
    Parameter weight = named_parameters(layer)[0].parameter;
    weight.assign(tensor({{0.0}}));
    weight.set_grad(tensor({{1e-9}}));
    build_optimizer(recipe, layer, 1)->step();
    return -weight.value().item<double>();
  };
  EXPECT_NEAR(moved("optimizer.name = \"adagrad\"\n"), 1e-9 / (1e-9 + 1e-10), 1e-9);
  EXPECT_NEAR(moved("optimizer.name = \"adagrad\"\noptimizer.eps = 1e-9\n"), 0.5, 1e-9);
  EXPECT_NEAR(moved("optimizer.name = \"adam\"\n"), 1e-9 / (1e-9 + 1e-8), 1e-9);
  EXPECT_NEAR(moved("optimizer.name = \"adamw\"\n"), 1e-9 / (1e-9 + 1e-8), 1e-9);
  EXPECT_NEAR(moved("optimizer.name = \"rmsprop\"\n"), 1e-9 / (1e-10 + 1e-8), 1e-9);
  EXPECT_EQ(to_toml(Recipe()).find("eps"), std::string::npos);
}

TEST(TrainingKeys, MetricsByName) {
  const std::string table =
      "data = {name = \"table\", inputs = [[0], [1], [2]], targets = [[1], [3], [5]]}\nmodel.dense = [1, 1]\n"
      "loss.name = \"mse\"\noptimizer.lr = 0.1\ntrain.epochs = 300\ntrain.batch = 0\n";
  const RecipeRun run = run_recipe(parse_recipe(
      table + "train.metrics = [\"r2\", \"rmse\", \"mae\"]\ntrain.monitor = \"r2\"\n", "r.toml"));
  ASSERT_EQ(run.train.size(), 4U);
  EXPECT_EQ(run.train[1].name, "r2");
  EXPECT_GT(run.train[1].value, 0.999);
  EXPECT_LT(run.before[1].value, 0.5);
  EXPECT_NEAR(metric(run.train, "rmse"), std::sqrt(metric(run.train, "loss")), 1e-6);
  EXPECT_LE(metric(run.train, "mae"), metric(run.train, "rmse"));
  // Class numbers are compared as one-hot rows.
  const std::vector<MetricFunction> of_classes = build_metrics(
      parse_recipe(std::string(kSmall) + "train.metrics = [\"mae\", \"accuracy\"]\n", "r.toml"), true);
  const Tensor y = tensor({{1.0f, 0.0f}, {0.5f, 0.5f}});
  EXPECT_EQ(of_classes[0].sum(y, tensor<std::int64_t>({0, 1})), 0.5);
  EXPECT_ERROR(FormatError, parse_recipe(table + "train.metrics = [\"top_3_accuracy\"]\n", "r.toml"),
               "r.toml: train.metrics: top_3_accuracy needs classes; a table has targets");
  EXPECT_EQ(refusal("train.metrics = [\"rmse\", \"r3\"]"),
            "r.toml:3: train.metrics is \"r3\"; did you mean \"r2\"? It can be accuracy, top_3_accuracy, "
            "top_5_accuracy, mse, mae, rmse, r2");
}

TEST(TrainingKeys, TheRunEndsWithTheAverage) {
  const auto ends_with = [](Index epochs, const std::string& keys) {
    const std::string text =
        "data = {name = \"table\", inputs = [[0], [1], [2]], targets = [[1], [3], [5]]}\nmodel.dense = [1, "
        "1]\n"
        "loss.name = \"mse\"\noptimizer.lr = 0.1\ntrain.batch = 0\n";
    const RecipeRun run =
        run_recipe(parse_recipe(text + join("train.epochs = ", epochs, '\n') + keys, "r.toml"));
    return named_parameters(*run.model)[0].parameter.value().item<double>();
  };
  std::vector<double> w;  // after every epoch, which is one step
  for (Index epochs = 1; epochs <= 4; ++epochs) w.push_back(ends_with(epochs, ""));
  EXPECT_NEAR(ends_with(4, "train.average = \"mean\"\n"), (w[0] + w[1] + w[2] + w[3]) / 4.0, 1e-6);
  EXPECT_NEAR(ends_with(4, "train.average = \"mean\"\ntrain.average_start = 3\n"), (w[2] + w[3]) / 2.0, 1e-6);
  EXPECT_NEAR(ends_with(4, "train.average = \"ema\"\ntrain.average_decay = 0.75\ntrain.average_start = 2\n"),
              0.75 * (0.75 * w[1] + 0.25 * w[2]) + 0.25 * w[3], 1e-6);
  EXPECT_EQ(ends_with(4, "train.average_start = 2\n"), w[3]);
  EXPECT_ERROR(FormatError, ends_with(4, "train.average = \"mean\"\ntrain.average_start = 5\n"),
               "r.toml: train.average_start is 5, after the last epoch, train.epochs = 4");
}

}  // namespace
}  // namespace splot
