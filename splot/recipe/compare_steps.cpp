#include "splot/recipe/compare_steps.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "splot/core/error.h"
#include "splot/core/storage.h"
#include "splot/nn/parameters.h"
#include "splot/nn/summary.h"
#include "splot/ops/ops.h"
#include "splot/recipe/build.h"
#include "splot/recipe/internal/step_difference.h"
#include "splot/train/internal/kept_state.h"
#include "splot/train/internal/step_plans.h"

namespace splot {
namespace recipe_detail {

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = contiguous(a.detach()), y = contiguous(b.detach());
  const std::size_t bytes = static_cast<std::size_t>(x.numel()) * x.dtype().size();
  return x.dtype() == y.dtype() && x.shape() == y.shape() &&
         (bytes == 0 || std::memcmp(x.raw(), y.raw(), bytes) == 0);
}

double difference(const Tensor& got, const Tensor& wanted) {
  if (same_bits(got, wanted)) return 0.0;
  const std::vector<double> a = got.to_vector<double>(), b = wanted.to_vector<double>();
  double size = 0.0, largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    size = std::max(size, std::abs(b[i]));
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest == 0.0 ? 0.0 : largest / size;
}

}  // namespace recipe_detail

namespace {

using recipe_detail::difference;
using recipe_detail::same_bits;
using train_detail::StepBatch;

constexpr Index kExamples = 2000;  // that batches are drawn from
constexpr Index kLarge = 2'000'000;

// So much of the data as is needed, and none that would only be judged by.
DataRecipe part_of(const DataRecipe& data) {
  DataRecipe out = data;
  if (data.name == "table") return out;
  out.train = data.train == 0 ? kExamples : std::min(data.train, kExamples);
  out.memory = 0;  // pictures in files are decoded as they are needed
  return out;
}

Index multiply_adds_of(Layer& model, const Shape& sample, DType dtype) {
  Index out = 0;
  for (const LayerSummary& row : summarize(model, sample, dtype)) out += row.multiply_adds;
  return out;
}

// Begins to measure: the most bytes of tensors in use from now on, beyond those that are.
class PeakMemory {
 public:
  PeakMemory() {
    reset_peak_memory();
    before_ = memory_use().current;
  }
  std::size_t bytes() const { return memory_use().peak - before_; }

 private:
  std::size_t before_ = 0;
};

// The recipe, ready to take steps.
class Stepper {
 public:
  Stepper(const Recipe& recipe, const RecipeData& data, std::uint64_t seed)
      : model_(build_model(recipe.model, sample_shape(recipe), recipe.train.dtype, seed)),
        loss_(build_loss(recipe.loss)),
        optimizer_(build_optimizer(recipe, *model_, data.train.size())),
        parts_{*model_, loss_, *optimizer_, seed, recipe.train.clip_norm, recipe.train.clip_value},
        parameters_(named_parameters(*model_)),
        plans_(parts_) {}

  std::string why_no_plan(const StepBatch& batch) {
    if (optimizer_->needs_closure()) return "the optimiser looks at the loss several times in a step";
    return plans_.can_step(batch) ? std::string() : plans_.why_not_step();
  }

  // From the same state both ways; it ends with what the step call by call has made of it.
  void compare(const StepBatch& batch, StepComparison& found) {
    before_.take(plans_.slots());
    optimizer_->zero_grad();
    const PeakMemory call_by_call;
    const Tensor wanted_loss = eager_step(batch);
    found.eager_bytes = call_by_call.bytes();
    std::vector<Tensor> wanted;
    for (const Slot& slot : plans_.slots()) wanted.push_back(slot.value());
    before_.put_back(plans_.slots());
    const PeakMemory planned;
    const Tensor loss = plans_.step(batch).loss;
    // A small plan keeps its block from run to run.
    found.plan_bytes = std::max(planned.bytes(), plans_.step_memory().planned);

    ++found.states;
    bool equal = same_bits(loss, wanted_loss);
    found.loss = std::max(found.loss, difference(loss, wanted_loss));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      Slot& slot = plans_.slots()[i];
      if (!wanted[i].defined()) continue;
      if (!same_bits(slot.value(), wanted[i])) {
        equal = false;
        const double by = difference(slot.value(), wanted[i]);
        if (by > found.tensors) found.tensor = slot.name();
        found.tensors = std::max(found.tensors, by);
      }
      slot.set(wanted[i].detach());
    }
    if (equal) ++found.equal;
  }

  Layer& model() { return *model_; }
  Optimizer& optimizer() { return *optimizer_; }

 private:
  // Returns the loss. What was computed on the way is gone afterwards, as it is after a step of a training.
  Tensor eager_step(const StepBatch& batch) {
    const train_detail::StepOutcome eager = train_detail::answer(parts_, batch);
    train_detail::add_derivatives(eager.loss, {});
    train_detail::clip_gradients(parts_, parameters_);
    optimizer_->step();
    return eager.loss.detach();
  }

  LayerPtr model_;
  LossFunction loss_;
  std::unique_ptr<Optimizer> optimizer_;
  train_detail::StepParts parts_;
  NamedParameters parameters_;
  train_detail::StepPlans plans_;
  train_detail::KeptState before_;
};

}  // namespace

StepComparison compare_steps(const Recipe& recipe, const StepComparisonOptions& options) {
  require<ValueError>(options.states >= 0, "compare_steps", "states must be 0 or more, got ", options.states);
  require<ValueError>(options.batch > 0, "compare_steps", "batch must be positive, got ", options.batch);
  const RecipeData data = load_data(part_of(recipe.data));
  const Index size = data.train.size();
  const Index asked = recipe.train.batch == 0 ? size : std::min(recipe.train.batch, size);
  const Loader loader(
      data.train,
      {.batch_size = std::min(asked, options.batch), .shuffle = recipe.train.shuffle, .seed = options.seed});
  Stepper stepper(recipe, data, options.seed);
  const bool large = multiply_adds_of(stepper.model(), sample_shape(recipe), recipe.train.dtype) > kLarge;
  const Index states = options.states > 0 ? options.states : large ? 10 : 100;
  const Schedule schedule = build_schedule(recipe, loader.batch_count());
  std::vector<double> rates;
  for (std::size_t i = 0; i < stepper.optimizer().group_count(); ++i) {
    rates.push_back(stepper.optimizer().lr(i));
  }
  const auto in_dtype = [&](const Tensor& x) {
    return x.dtype().is_floating() ? cast(x, recipe.train.dtype) : x;
  };
  StepComparison found;
  for (Index state = 0; state < states; ++state) {
    const Loader::Epoch batches = loader.epoch(static_cast<std::uint64_t>(state / loader.batch_count()) + 1);
    const Batch batch = batches[state % loader.batch_count()];
    const Tensor inputs = in_dtype(batch.inputs), targets = in_dtype(batch.targets);
    const StepBatch step{inputs, targets, static_cast<std::uint64_t>(state)};
    found.no_plan = stepper.why_no_plan(step);
    if (!found.no_plan.empty()) break;
    for (std::size_t i = 0; i < rates.size(); ++i) {
      stepper.optimizer().set_lr(i, rates[i] * schedule(state));
    }
    stepper.compare(step, found);
    if (options.stop && options.stop()) break;
  }
  return found;
}

}  // namespace splot
