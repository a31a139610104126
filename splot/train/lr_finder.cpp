#include "splot/train/lr_finder.h"

#include <algorithm>
#include <cmath>

#include "splot/autodiff/autodiff.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void check(const LrFinderOptions& o, const Dataset& train, const Optimizer& optimizer) {
  constexpr const char* kName = "find_lr";
  require<ValueError>(train.size() > 0, kName, train.name(), " has no examples to learn from");
  require<ValueError>(!optimizer.needs_closure(), kName, "cannot sweep an optimiser that needs a closure");
  require<ValueError>(o.first > 0.0 && o.last > o.first && std::isfinite(o.last), kName,
                      "the rates must grow from a positive first to last, got ", o.first, " and ", o.last);
  require<ValueError>(o.steps >= 10, kName, "needs at least 10 steps, got ", o.steps);
  require<ValueError>(o.batch_size > 0, kName, "batch_size must be positive, got ", o.batch_size);
  require<ValueError>(o.smoothing >= 0.0 && o.smoothing < 1.0, kName, "smoothing must be in [0, 1), got ",
                      o.smoothing);
  require<ValueError>(o.stop_factor > 1.0, kName, "stop_factor must be above 1, got ", o.stop_factor);
}

// Puts everything back when it goes. Values are kept by reference: whoever writes copies first.
class Restorer {
 public:
  Restorer(Layer& model, Optimizer& optimizer)
      : model_(model), optimizer_(optimizer), weights_(state_dict(model)), state_(optimizer.state_dict()) {}
  ~Restorer() {
    load_state_dict(model_, weights_);
    optimizer_.load_state_dict(state_);
    optimizer_.zero_grad();
  }
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;

 private:
  Layer& model_;
  Optimizer& optimizer_;
  NamedTensors weights_, state_;
};

void suggest(LrFinderResult& result) {
  const std::vector<LrFinderPoint>& p = result.points;
  const std::size_t skipped = std::min(p.size() / 10, p.size() - 1);
  const auto lowest =
      static_cast<std::size_t>(std::min_element(p.begin() + static_cast<std::ptrdiff_t>(skipped), p.end(),
                                                [](const LrFinderPoint& a, const LrFinderPoint& b) {
                                                  return a.smoothed < b.smoothed;
                                                }) -
                               p.begin());
  result.minimum_tenth = 0.1 * p[lowest].lr;
  result.steepest = p[lowest].lr;
  double best = 0.0;
  // The rates are equally far apart by factors: differences are slopes.
  for (std::size_t i = skipped + 1; i < lowest; ++i) {
    const double slope = p[i + 1].smoothed - p[i - 1].smoothed;
    if (slope < best) {
      best = slope;
      result.steepest = p[i].lr;
    }
  }
  result.suggestion = result.steepest;
}

}  // namespace

LrFinderResult find_lr(Layer& model, const LossFunction& loss, Optimizer& optimizer, const Dataset& train,
                       const LrFinderOptions& options) {
  check(options, train, optimizer);
  const NamedParameters parameters = named_parameters(model);
  const DType dtype = parameters.empty() ? kFloat32 : parameters.front().parameter.dtype();
  const auto in_dtype = [&](const Tensor& x) { return x.dtype().is_floating() ? cast(x, dtype) : x; };
  const Loader loader(train, {.batch_size = options.batch_size, .shuffle = true, .seed = options.seed});
  const Restorer restorer(model, optimizer);
  const double factor = std::log(options.last / options.first) / static_cast<double>(options.steps - 1);

  LrFinderResult result;
  double mean = 0.0, lowest = 0.0;
  for (Index step = 0; step < options.steps;) {
    const Loader::Epoch batches = loader.epoch(static_cast<std::uint64_t>(step / loader.batch_count()) + 1);
    for (Index i = 0; i < batches.size() && step < options.steps; ++i, ++step) {
      const Batch batch = batches[i];
      const double lr = options.first * std::exp(factor * static_cast<double>(step));
      optimizer.set_lr(lr);
      optimizer.zero_grad();
      Context context;
      context.training = true;
      context.key = {.seed = options.seed, .stream = 0, .counter = static_cast<std::uint64_t>(step)};
      const Tensor value = loss(model(in_dtype(batch.inputs), context), in_dtype(batch.targets));
      const auto number = value.item<double>();
      mean = options.smoothing * mean + (1.0 - options.smoothing) * number;
      const double smoothed = mean / (1.0 - std::pow(options.smoothing, static_cast<double>(step + 1)));
      result.diverged = !std::isfinite(number) || (step > 0 && smoothed > options.stop_factor * lowest);
      if (result.diverged && step == 0) {
        fail<DivergenceError>("find_lr", "the loss is ", number, " before the first step");
      }
      if (result.diverged) break;
      lowest = step == 0 ? smoothed : std::min(lowest, smoothed);
      result.points.push_back({lr, number, smoothed});
      backward(value);
      optimizer.step();
    }
    if (result.diverged) break;
  }
  suggest(result);
  return result;
}

}  // namespace splot
