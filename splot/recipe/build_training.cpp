#include <numeric>

#include "splot/core/error.h"
#include "splot/data/digits.h"
#include "splot/data/mnist.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/recipe/build.h"

namespace splot {
namespace {

Tensor rows_tensor(const std::vector<std::vector<double>>& rows) {
  std::vector<double> values;
  for (const std::vector<double>& row : rows) values.insert(values.end(), row.begin(), row.end());
  return Tensor::from(values, {static_cast<Index>(rows.size()), static_cast<Index>(rows.front().size())});
}

DataSplits load_images(const DataRecipe& data) {
  if (data.name == "mnist") return load_mnist({.validation = data.validation});
  if (data.name == "fashion-mnist") return load_fashion_mnist({.validation = data.validation});
  return make_digits({.validation = data.validation});
}

Dataset first_examples(const Dataset& all, Index count) {
  if (count == 0) return all;
  require<ValueError>(count <= all.size(), "recipe", "data.train asks for ", count, " examples of ",
                      all.name(), "; there are ", all.size(), " beside the validation set");
  return all.slice(0, count);
}

// Class numbers as rows with a single 1, for losses that compare number by number.
Tensor comparable(const Tensor& target, const Tensor& output) {
  if (!target.dtype().is_integral() || target.rank() != 1) return target;
  const Index classes = output.shape()[-1];
  std::vector<double> rows(static_cast<std::size_t>(target.numel() * classes), 0.0);
  const std::vector<std::int64_t> wanted = target.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    require<IndexError>(wanted[i] >= 0 && wanted[i] < classes, "recipe", "there is no class ", wanted[i],
                        " among ", classes, " outputs");
    rows[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(wanted[i])] = 1.0;
  }
  return cast(Tensor::from(rows, {target.numel(), classes}), output.dtype());
}

}  // namespace

Shape sample_shape(const Recipe& recipe) {
  if (recipe.data.name == "table") return {static_cast<Index>(recipe.data.inputs.front().size())};
  return {1, 28, 28};
}

RecipeData load_data(const DataRecipe& data) {
  if (data.name == "table") {
    const Dataset table("table", rows_tensor(data.inputs), rows_tensor(data.targets));
    return {first_examples(table, data.train), std::nullopt, std::nullopt};
  }
  DataSplits parts = load_images(data);
  RecipeData out{first_examples(parts.train, data.train), std::nullopt, parts.test};
  if (parts.validation.size() > 0) out.validation = parts.validation;
  return out;
}

LossFunction build_loss(const std::string& name) {
  if (name == "cross_entropy") return [](const Tensor& y, const Tensor& t) { return cross_entropy(y, t); };
  if (name == "binary_cross_entropy") {
    return [](const Tensor& y, const Tensor& t) {
      return binary_cross_entropy_with_logits(y, comparable(t, y));
    };
  }
  if (name == "mse") return [](const Tensor& y, const Tensor& t) { return mse_loss(y, comparable(t, y)); };
  if (name == "quadratic_cost") {
    return [](const Tensor& y, const Tensor& t) { return quadratic_cost(y, comparable(t, y)); };
  }
  require<ValueError>(name == "half_squared_error", "recipe", "there is no loss ", name);
  return [](const Tensor& y, const Tensor& t) { return half_sum_squares(y, comparable(t, y)); };
}

std::vector<MetricFunction> build_metrics(const std::string& loss, bool classes) {
  if (classes) return {metrics::accuracy()};
  if (loss == "binary_cross_entropy") return {metrics::binary_accuracy(0.0)};
  return {metrics::mse()};
}

std::unique_ptr<Optimizer> build_optimizer(const OptimizerRecipe& r, Layer& model) {
  const NamedParameters parameters = named_parameters(model);
  if (r.name == "adam") {
    return std::make_unique<Adam>(parameters, AdamOptions{r.lr, r.beta1, r.beta2, r.eps, r.weight_decay});
  }
  if (r.name == "adamw") {
    return std::make_unique<AdamW>(parameters, AdamWOptions{r.lr, r.beta1, r.beta2, r.eps, r.weight_decay});
  }
  require<ValueError>(r.name == "sgd", "recipe", "there is no optimiser ", r.name);
  return std::make_unique<SGD>(
      parameters,
      SGDOptions{.lr = r.lr, .momentum = r.momentum, .weight_decay = r.weight_decay, .nesterov = r.nesterov});
}

Schedule build_schedule(const Recipe& recipe, Index steps_per_epoch) {
  const ScheduleRecipe& s = recipe.schedule;
  const Index steps = recipe.train.epochs * steps_per_epoch;
  Schedule out = schedule::constant();
  if (s.name == "step") out = schedule::step(s.every * steps_per_epoch, s.factor);
  if (s.name == "cosine") out = schedule::cosine(std::max<Index>(1, steps - s.warmup), s.final);
  return s.warmup > 0 ? schedule::warmup(s.warmup, std::move(out)) : out;
}

}  // namespace splot
