#include "splot/recipe/export_training.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/graph/trace.h"
#include "splot/ops/ops.h"
#include "splot/recipe/internal/learner.h"
#include "splot/train/internal/c_inference.h"
#include "splot/train/slots.h"

namespace splot {
namespace recipe_detail {
namespace {

// A model file does not say which parameters were frozen; the recipe does.
void freeze_as_in(const Recipe& recipe, const NamedParameters& parameters) {
  const auto has_frozen = [](const LayerRecipe& layer) { return !layer.frozen.empty(); };
  if (std::none_of(recipe.model.layers.begin(), recipe.model.layers.end(), has_frozen)) return;
  const LayerPtr fresh = build_model(recipe.model, sample_shape(recipe), recipe.train.dtype, 1);
  for (const NamedParameter& wanted : named_parameters(*fresh)) {
    for (const NamedParameter& own : parameters) {
      if (own.name == wanted.name && wanted.parameter.frozen()) Parameter(own.parameter).set_frozen(true);
    }
  }
}

}  // namespace

Learner::Learner(const ModelFile& file, const Recipe& recipe)
    : model_(file.model),
      dtype_(file.dtype),
      loss_(build_loss(recipe.loss)),
      parameters_(named_parameters(*file.model)),
      optimizer_(build_optimizer(recipe, *file.model, examples_to_learn_from(recipe))),
      parts_{*model_, loss_, *optimizer_, 1, recipe.train.clip_norm, recipe.train.clip_value} {
  require<ValueError>(
      optimizer_->can_be_traced(), "export", "the optimiser ", recipe.optimizer.name,
      " looks at the loss several times in a step; C is written for sgd, adam, adamw, rmsprop and "
      "adagrad");
  for (const NamedParameter& entry : parameters_) frozen_.push_back(entry.parameter.frozen());
  freeze_as_in(recipe, parameters_);
  const bool learns = std::any_of(parameters_.begin(), parameters_.end(),
                                  [](const NamedParameter& entry) { return !entry.parameter.frozen(); });
  require<ValueError>(learns, "export", "all weights are frozen: there is nothing to learn");
  slots_ = slots_of(*model_, *optimizer_);
  before_.take(slots_);
}

Learner::~Learner() {
  before_.put_back(slots_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Parameter parameter = parameters_[i].parameter;
    parameter.zero_grad();
    parameter.set_frozen(frozen_[i]);
  }
}

double Learner::step(const Tensor& inputs, const Tensor& targets, std::uint64_t counter) {
  return train_detail::whole_step(parts_, parameters_, {inputs, targets, counter}).loss.item<double>();
}

Graph Learner::trace_step(const Tensor& inputs, const Tensor& targets) {
  const Tensor batch[] = {inputs, targets};
  return trace(
      [&](std::span<const Tensor> in, std::uint64_t counter) {
        return TensorList{train_detail::whole_step(parts_, parameters_, {in[0], in[1], counter}).loss};
      },
      batch, {.slots = slots_});
}

Tensor Learner::in_dtype(const Tensor& x) const { return x.dtype().is_floating() ? cast(x, dtype_) : x; }

}  // namespace recipe_detail

namespace {

using recipe_detail::Learner;

constexpr Index kMostStored = 64;  // examples in model_test, unless a batch has more
constexpr std::size_t kSampled = 64;

// Class numbers where the recipe's data have classes, else numbers from 0 to 1.
Tensor drawn_targets(const Recipe& recipe, const Tensor& answers, Index count) {
  const bool classes = recipe.data.targets.empty();
  const auto numbers = classes ? Index{1} : static_cast<Index>(recipe.data.targets.front().size());
  const Tensor u = uniform(classes ? Shape{count} : Shape{count, numbers}, RandomKey{.seed = 2});
  return classes ? cast(floor(u * static_cast<double>(answers.shape()[-1])), kInt64) : u;
}

struct Learned {
  Tensor stored, targets;  // of all examples
  Dataset data;            // the same, as batches
};

Learned learned_examples(const ModelFile& file, const Recipe& recipe, const TrainingExportOptions& options,
                         const Tensor& answers) {
  const Index wanted = std::min(options.batch * options.steps, std::max(options.batch, kMostStored));
  Tensor stored, targets;
  if (options.learned) {
    const Dataset& all = *options.learned;
    std::vector<Index> order = shuffled_indices(all.size(), 1, 1);
    order.resize(static_cast<std::size_t>(std::min(wanted, all.size())));
    const Dataset chosen = all.subset(order);
    stored = train_detail::stored_in_c(file.info, chosen);
    targets = chosen.stored(0, chosen.size()).targets;
  } else {
    stored = train_detail::drawn_inputs(file.info, wanted, 2);
    targets = drawn_targets(recipe, answers, wanted);
  }
  return {stored, targets, Dataset("learned", stored, targets, {}, file.info.preprocessing)};
}

// Batch number `step`: examples one after the other, and from the first one again.
Batch batch_of(const Learned& learned, Index batch, Index step) {
  std::vector<Index> indices;
  for (Index n = 0; n < batch; ++n) indices.push_back((step * batch + n) % learned.data.size());
  return learned.data.batch(indices);
}

// Places all over the tensor at which the gradient is more than rounding: Adam divides it by its own size,
// so that of two gradients that are 0 but for rounding the weights get different signs.
std::vector<Index> places_to_look_at(const std::vector<double>& gradient) {
  double largest = 0.0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  std::vector<Index> all;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    if (std::abs(gradient[i]) >= 1e-3 * largest) all.push_back(static_cast<Index>(i));
  }
  std::vector<Index> out;
  const std::size_t count = std::min(kSampled, all.size());
  for (std::size_t i = 0; i < count; ++i) out.push_back(all[i * all.size() / count]);
  return out;
}

CTensorSample sample_of(const Slot& slot, const std::vector<double>& gradient) {
  CTensorSample out;
  out.slot = slot.name();
  out.places = places_to_look_at(gradient);
  const std::vector<double> elements = slot.value().to_vector<double>();
  for (const Index at : out.places) out.values.push_back(elements[static_cast<std::size_t>(at)]);
  for (const double v : elements) {
    out.sum += v;
    out.squares += v * v;
    out.sizes += std::abs(v);
    out.largest = std::max(out.largest, std::abs(v));
  }
  return out;
}

// Of each tensor that a step changes: a weight, or "exp_avg.conv1.weight".
std::vector<CTensorSample> samples_after_step(Learner& learner) {
  std::vector<CTensorSample> out;
  for (const Slot& slot : learner.slots()) {
    for (const NamedParameter& entry : learner.parameters()) {
      const bool belongs = slot.name() == entry.name ||
                           (slot.parameter() == nullptr && slot.name().ends_with('.' + entry.name) &&
                            slot.value().defined() && slot.value().shape() == entry.parameter.shape());
      if (!belongs || entry.parameter.frozen() || !entry.parameter.grad().defined()) continue;
      out.push_back(sample_of(slot, entry.parameter.grad().to_vector<double>()));
      break;
    }
  }
  return out;
}

}  // namespace

CTrainingProgram export_training(const ModelFile& file, const Recipe& recipe,
                                 const TrainingExportOptions& options) {
  require<ValueError>(options.batch >= 1, "export", "a step needs at least one example, got ", options.batch);
  require<ValueError>(options.steps >= 1, "export", "needs at least one step to test with, got ",
                      options.steps);
  const CDescription description = train_detail::describe_for_c(file, options.answers);
  const Learned learned = learned_examples(file, recipe, options, description.expected);
  const Graph answers = train_detail::trace_inference(file);
  Learner learner(file, recipe);
  const auto batch = [&](Index step) {
    const Batch from = batch_of(learned, options.batch, step);
    return Batch{learner.in_dtype(from.inputs), learner.in_dtype(from.targets)};
  };
  const Batch first = batch(0);
  const Graph step = training_graph(learner.trace_step(first.inputs, first.targets));
  CLearningDescription what{
      .optimizer = recipe.optimizer.name, .stored = learned.stored, .targets = learned.targets};
  train_detail::KeptState before;
  before.take(learner.slots());
  for (Index i = 0; i < options.steps; ++i) {
    const Batch next = batch(i);
    what.losses.push_back(learner.step(next.inputs, next.targets, static_cast<std::uint64_t>(i)));
    if (i == 0) what.samples = samples_after_step(learner);
  }
  before.put_back(learner.slots());
  return write_c_training(answers, step, description, what);
}

}  // namespace splot
