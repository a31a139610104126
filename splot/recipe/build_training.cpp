#include <cmath>
#include <map>

#include "splot/core/error.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/optim/lbfgs.h"
#include "splot/recipe/build.h"

namespace splot {
namespace {

// Class numbers as rows with a single 1, for losses that compare number by number.
Tensor comparable(const Tensor& target, const Tensor& output) {
  if (!target.dtype().is_integral() || target.rank() != 1) return target;
  return one_hot(target, output.shape()[-1], output.dtype());
}

template <typename Loss>
LossFunction of_numbers(Loss loss) {
  return [=](const Tensor& y, const Tensor& t) { return loss(y, comparable(t, y)); };
}

Tensor weights_tensor(const std::vector<double>& weights) {
  return weights.empty() ? Tensor() : Tensor::from(weights, {static_cast<Index>(weights.size())});
}

}  // namespace

LossFunction build_loss(const LossRecipe& r) {
  using T = const Tensor&;
  // Made by each call: a trace takes tensors that its function makes for constants, and refuses others.
  const auto classes = [weights = r.class_weights,
                        smoothing = r.name == "cross_entropy" ? r.label_smoothing : 0.0] {
    return ClassLossOptions{.class_weights = weights_tensor(weights), .label_smoothing = smoothing};
  };
  const HuberOptions huber{.delta = r.delta};
  const std::map<std::string, LossFunction> all = {
      {"cross_entropy", [=](T y, T t) { return cross_entropy(y, t, classes()); }},
      {"nll", [=](T y, T t) { return nll_loss(y, t, classes()); }},
      {"binary_cross_entropy", of_numbers([](T y, T t) { return binary_cross_entropy_with_logits(y, t); })},
      {"binary_cross_entropy_of_probabilities",
       of_numbers([](T y, T t) { return binary_cross_entropy(y, t); })},
      {"categorical_cross_entropy", [](T y, T t) { return categorical_cross_entropy(y, t); }},
      {"categorical_cross_entropy_from_sigmoid",
       [](T y, T t) { return categorical_cross_entropy_from_sigmoid(y, t); }},
      {"mse", of_numbers([](T y, T t) { return mse_loss(y, t); })},
      {"mae", of_numbers([](T y, T t) { return mae_loss(y, t); })},
      {"rmse", of_numbers([](T y, T t) { return rmse_loss(y, t); })},
      {"huber", of_numbers([=](T y, T t) { return huber_loss(y, t, huber); })},
      {"smooth_l1", of_numbers([=](T y, T t) { return smooth_l1_loss(y, t, huber); })},
      {"half_squared_error", of_numbers([](T y, T t) { return half_sum_squares(y, t); })},
      {"cross_entropy_cost", of_numbers([](T y, T t) { return cross_entropy_cost(y, t); })},
      {"quadratic_cost", of_numbers([](T y, T t) { return quadratic_cost(y, t); })},
  };
  const auto found = all.find(r.name);
  require<ValueError>(found != all.end(), "recipe", "there is no loss ", r.name);
  return found->second;
}

LossFunction build_loss(const std::string& name) {
  LossRecipe recipe;
  recipe.name = name;
  return build_loss(recipe);
}

namespace {

MetricFunction of_numbers(MetricFunction metric) {
  using T = const Tensor&;
  if (metric.sum) metric.sum = [of = metric.sum](T y, T t) { return of(y, comparable(t, y)); };
  if (metric.add) {
    metric.add = [of = metric.add](std::vector<double>& state, T y, T t) { of(state, y, comparable(t, y)); };
  }
  return metric;
}

MetricFunction metric_named(const std::string& name, const std::string& loss, bool classes) {
  if (name == "accuracy" && classes) return metrics::accuracy();
  if (name == "accuracy") return metrics::binary_accuracy(loss == "binary_cross_entropy" ? 0.0 : 0.5);
  if (name == "top_3_accuracy") return metrics::top_k_accuracy(3);
  if (name == "top_5_accuracy") return metrics::top_k_accuracy(5);
  if (name == "mse") return of_numbers(metrics::mse());
  if (name == "mae") return of_numbers(metrics::mae());
  if (name == "rmse") return of_numbers(metrics::rmse());
  if (name == "r2") return of_numbers(metrics::r2());
  fail<ValueError>("recipe", "there is no metric ", name);
}

}  // namespace

std::vector<MetricFunction> build_metrics(const Recipe& recipe, bool classes) {
  const std::string& loss = recipe.loss.name;
  std::vector<std::string> names = recipe.train.metrics;
  const bool sides = loss == "binary_cross_entropy" || loss == "binary_cross_entropy_of_probabilities";
  if (names.empty()) names = {classes || sides ? "accuracy" : "mse"};
  std::vector<MetricFunction> out;
  for (const std::string& name : names) out.push_back(metric_named(name, loss, classes));
  return out;
}

namespace {

// One group with all that a recipe says about it.
struct Penalties {
  double l1 = 0.0;
  double l2 = 0.0;
};

SGDOptions sgd_options(const OptimizerRecipe& r, const Penalties& p) {
  const bool increment = r.momentum_form == "increment";
  return {.lr = r.lr,
          .momentum = r.momentum,
          .weight_decay = r.weight_decay + p.l2,
          .nesterov = r.nesterov,
          .form = increment ? MomentumForm::increment : MomentumForm::velocity,
          .l1 = p.l1};
}

AdamOptions adam_options(const OptimizerRecipe& r, const Penalties& p) {
  return {.lr = r.lr,
          .beta1 = r.beta1,
          .beta2 = r.beta2,
          .eps = r.eps.value_or(AdamOptions().eps),
          .weight_decay = r.weight_decay + p.l2,
          .l1 = p.l1};
}

AdamWOptions adamw_options(const OptimizerRecipe& r, const Penalties& p) {
  return {.lr = r.lr,
          .beta1 = r.beta1,
          .beta2 = r.beta2,
          .eps = r.eps.value_or(AdamWOptions().eps),
          .weight_decay = r.weight_decay,
          .l1 = p.l1,
          .l2 = p.l2};
}

RMSpropOptions rmsprop_options(const OptimizerRecipe& r, const Penalties& p) {
  return {.lr = r.lr,
          .alpha = r.alpha,
          .eps = r.eps.value_or(RMSpropOptions().eps),
          .weight_decay = r.weight_decay + p.l2,
          .momentum = r.momentum,
          .centered = r.centered,
          .l1 = p.l1};
}

AdagradOptions adagrad_options(const OptimizerRecipe& r, const Penalties& p) {
  return {.lr = r.lr,
          .lr_decay = r.lr_decay,
          .eps = r.eps.value_or(AdagradOptions().eps),
          .weight_decay = r.weight_decay + p.l2,
          .initial = r.initial,
          .l1 = p.l1};
}

// Penalties on all parameters are one group; on weights alone they make two.
template <typename O, typename Options>
std::unique_ptr<Optimizer> in_groups(const Recipe& recipe, const NamedParameters& parameters,
                                     const Penalties& penalties,
                                     Options (*options)(const OptimizerRecipe&, const Penalties&)) {
  const bool one = recipe.loss.penalize_biases || (penalties.l1 == 0.0 && penalties.l2 == 0.0);
  auto out =
      std::make_unique<O>(one ? parameters : weights_of(parameters), options(recipe.optimizer, penalties));
  if (!one) out->add(biases_of(parameters), options(recipe.optimizer, {}));
  return out;
}

}  // namespace

Index examples_to_learn_from(const Recipe& recipe) {
  const bool known = recipe.data.train > 0 || !recipe.loss.penalty_over_n;
  return known ? recipe.data.train : load_data(recipe.data).train.size();
}

std::unique_ptr<Optimizer> build_optimizer(const Recipe& recipe, Layer& model, Index examples) {
  const std::string& name = recipe.optimizer.name;
  const NamedParameters all = named_parameters(model);
  const double scale = recipe.loss.penalty_over_n ? 1.0 / static_cast<double>(examples) : 1.0;
  const Penalties penalties{recipe.loss.l1 * scale, recipe.loss.l2 * scale};
  std::unique_ptr<Optimizer> out;
  if (name == "sgd") out = in_groups<SGD>(recipe, all, penalties, sgd_options);
  if (name == "adam") out = in_groups<Adam>(recipe, all, penalties, adam_options);
  if (name == "adamw") out = in_groups<AdamW>(recipe, all, penalties, adamw_options);
  if (name == "rmsprop") out = in_groups<RMSprop>(recipe, all, penalties, rmsprop_options);
  if (name == "adagrad") out = in_groups<Adagrad>(recipe, all, penalties, adagrad_options);
  if (name == "lbfgs") {
    out = std::make_unique<LBFGS>(all, LBFGSOptions{.lr = recipe.optimizer.lr,
                                                    .max_iter = recipe.optimizer.max_iter,
                                                    .max_eval = recipe.optimizer.max_eval,
                                                    .tolerance_grad = recipe.optimizer.tolerance_grad,
                                                    .tolerance_change = recipe.optimizer.tolerance_change,
                                                    .history = recipe.optimizer.history});
  }
  require<ValueError>(out != nullptr, "recipe", "there is no optimiser ", name);
  out->set_maximize(recipe.optimizer.maximize);
  return out;
}

namespace {

// In force for `steps` steps.
Schedule build_part(const SchedulePart& s, Index steps, Index steps_per_epoch) {
  const std::map<std::string, schedule::CyclicMode> modes = {
      {"triangular", schedule::CyclicMode::triangular},
      {"triangular2", schedule::CyclicMode::triangular2},
      {"exp_range", schedule::CyclicMode::exp_range}};
  if (s.name == "step") return schedule::step(s.every * steps_per_epoch, s.factor);
  if (s.name == "exponential") {
    return schedule::exponential(std::pow(s.factor, 1.0 / static_cast<double>(steps_per_epoch)));
  }
  if (s.name == "cosine") return schedule::cosine(steps, s.final);
  if (s.name == "linear") return schedule::linear(steps, s.start, s.final);
  if (s.name == "cyclic") {
    return schedule::cyclic({.low = s.start,
                             .up = s.up * steps_per_epoch,
                             .down = s.down * steps_per_epoch,
                             .mode = modes.at(s.mode),
                             .gamma = s.gamma});
  }
  if (s.name == "one_cycle") {
    return schedule::one_cycle(
        {.steps = steps, .rise = s.rise, .start = s.start, .final = s.final, .linear = s.anneal == "linear"});
  }
  require<ValueError>(s.name == "constant", "recipe", "there is no schedule ", s.name);
  return schedule::constant();
}

}  // namespace

Schedule build_schedule(const Recipe& recipe, Index steps_per_epoch) {
  const ScheduleRecipe& s = recipe.schedule;
  Index left = std::max<Index>(1, recipe.train.epochs * steps_per_epoch - s.warmup);
  Schedule out;
  if (s.parts.empty()) {
    out = build_part(s, left, steps_per_epoch);
  } else {
    std::vector<schedule::Part> parts;
    for (const SchedulePart& part : s.parts) {
      const Index length = part.epochs * steps_per_epoch + part.steps;
      parts.push_back({length, build_part(part, length > 0 ? length : left, steps_per_epoch)});
      left = std::max<Index>(1, left - length);
    }
    out = schedule::sequence(std::move(parts));
  }
  return s.warmup > 0 ? schedule::warmup(s.warmup, std::move(out)) : out;
}

}  // namespace splot
