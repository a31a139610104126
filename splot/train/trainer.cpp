#include "splot/train/trainer.h"

#include <chrono>
#include <cmath>
#include <utility>

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The dtype the model calculates in: that of its first parameter.
DType model_dtype(Layer& model) {
  const NamedParameters parameters = named_parameters(model);
  return parameters.empty() ? kFloat32 : parameters.front().parameter.dtype();
}

Tensor converted(const Tensor& x, DType dtype) {
  return x.dtype().is_floating() && x.dtype() != dtype ? cast(x, dtype) : x;
}

// Sums of loss and metrics over examples, and their means.
class Tally {
 public:
  explicit Tally(const std::vector<MetricFunction>& metrics)
      : metrics_(metrics), sums_(metrics.size() + 1, 0.0) {}

  void add(double loss, const Tensor& output, const Tensor& target) {
    const auto n = static_cast<double>(output.shape()[0]);
    sums_[0] += loss * n;
    for (std::size_t i = 0; i < metrics_.size(); ++i) sums_[i + 1] += metrics_[i].sum(output, target);
    examples_ += n;
  }
  std::vector<Metric> means(const std::string& prefix = {}) const {
    std::vector<Metric> out{{prefix + "loss", sums_[0] / examples_}};
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
      out.push_back({prefix + metrics_[i].name, sums_[i + 1] / examples_});
    }
    return out;
  }

 private:
  const std::vector<MetricFunction>& metrics_;
  std::vector<double> sums_;
  double examples_ = 0.0;
};

bool all_finite(const Tensor& x) {
  if (!x.defined() || !x.dtype().is_floating()) return true;
  const Tensor dense = contiguous(x.detach());
  return visit_floats(x.dtype(), "train", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* values = dense.data<T>();
    for (Index i = 0; i < dense.numel(); ++i) {
      if (!std::isfinite(values[i])) return false;
    }
    return true;
  });
}

// Where a pass over this batch first shows NaN or infinity, in words.
std::string first_not_finite(Layer& model, const Tensor& inputs, Context context) {
  if (!all_finite(inputs)) return "the inputs of this batch hold it already";
  for (const NamedParameter& p : named_parameters(model)) {
    if (!all_finite(p.parameter.value()))
      return join("parameter ", p.name, " holds it already: the step before was too large");
  }
  std::string found;
  context.observer = [&](std::string_view path, Layer&, const Tensor&, const Tensor& y) {
    if (found.empty() && !all_finite(y)) found = path;
  };
  const NoGrad off;
  const Tensor output = model(inputs, context);
  if (!found.empty()) return join("it first appears in the output of layer ", found);
  return "the outputs are finite, the loss of them is not";
}

bool is_better(const std::vector<Metric>& candidate, const std::vector<Metric>& best,
               const std::string& watch) {
  const double accuracy = metric(candidate, watch + "_accuracy");
  const double best_accuracy = metric(best, watch + "_accuracy");
  if (!std::isnan(accuracy) && accuracy != best_accuracy) return accuracy > best_accuracy;
  const double loss = metric(candidate, watch + "_loss");
  return !std::isnan(loss) && loss < metric(best, watch + "_loss");
}

}  // namespace

std::vector<Metric> evaluate(Layer& model, const LossFunction& loss, const Dataset& data,
                             const std::vector<MetricFunction>& metrics, Index batch_size) {
  require<ValueError>(data.size() > 0, "evaluate", data.name(), " has no examples");
  require<ValueError>(batch_size > 0, "evaluate", "batch_size must be positive, got ", batch_size);
  const NoGrad off;
  const DType dtype = model_dtype(model);
  Tally tally(metrics);
  for (Index first = 0; first < data.size(); first += batch_size) {
    const Batch batch = data.batch(first, std::min(batch_size, data.size() - first));
    const Tensor targets = converted(batch.targets, dtype);
    const Tensor output = model(converted(batch.inputs, dtype));
    tally.add(loss(output, targets).item<double>(), output, targets);
  }
  return tally.means();
}

Trainer::Trainer(Layer& model, LossFunction loss, Optimizer& optimizer, TrainerOptions options)
    : model_(model), loss_(std::move(loss)), optimizer_(optimizer), options_(std::move(options)) {
  require<ValueError>(options_.epochs >= 0, "Trainer", "epochs must not be negative, got ", options_.epochs);
  require<ValueError>(options_.batch_size > 0, "Trainer", "batch_size must be positive, got ",
                      options_.batch_size);
  require<ValueError>(options_.watch == "val" || options_.watch == "test", "Trainer",
                      "watch must be \"val\" or \"test\", got \"", options_.watch, '"');
  for (const std::shared_ptr<Callback>& callback : options_.callbacks) {
    require<ValueError>(callback != nullptr, "Trainer", "a callback is null");
  }
}

// One call of fit().
struct Trainer::Run {
  Trainer& trainer;
  const Loader loader;
  const Dataset* validation;
  const DType dtype;
  const double base_lr;
  const Clock::time_point begin = Clock::now();
  TrainingResult result = {};
  NamedTensors best_weights = {};
  std::vector<Metric> best_metrics = {};
  TrainingView view;

  Run(Trainer& t, const Dataset& train, const Dataset* val)
      : trainer(t),
        loader(train,
               {.batch_size = t.options_.batch_size, .shuffle = t.options_.shuffle, .seed = t.options_.seed}),
        validation(val),
        dtype(model_dtype(t.model_)),
        base_lr(t.optimizer_.lr()),
        view{.model = t.model_,
             .optimizer = t.optimizer_,
             .train = loader.data(),
             .validation = val,
             .watch = t.options_.watch,
             .history = result.history,
             .epochs = t.options_.epochs,
             .steps = loader.batch_count()} {}

  const TrainerOptions& options() const { return trainer.options_; }

  // Calls one function of every callback.
  template <typename Function, typename... Record>
  void tell(Function function, Record&... record) {
    for (const std::shared_ptr<Callback>& callback : options().callbacks) {
      ((*callback).*function)(view, record...);
    }
  }

  // Returns the tally's part of one batch; throws DivergenceError.
  void step(const Batch& batch, Index epoch, Index number, Tally& tally) {
    if (options().schedule) trainer.optimizer_.set_lr(base_lr * options().schedule(result.steps));
    const Tensor inputs = converted(batch.inputs, dtype);
    const Tensor targets = converted(batch.targets, dtype);
    Context context;
    context.training = true;
    context.key = {.seed = options().seed, .stream = 0, .counter = static_cast<std::uint64_t>(result.steps)};
    trainer.optimizer_.zero_grad();
    Context pass = context;
    const Tensor output = trainer.model_(inputs, pass);
    const Tensor loss = trainer.loss_(output, targets);
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      const std::string where = first_not_finite(trainer.model_, inputs, context);
      restore_best();
      fail<DivergenceError>("train", "the loss is ", value, " in epoch ", epoch, ", step ", number, " of ",
                            loader.batch_count(), ": ", where);
    }
    backward(loss);
    const Tensor detached = output.detach();
    const StepRecord record{value, inputs, targets, detached};
    tell(&Callback::on_update_begin, record);
    trainer.optimizer_.step();
    tally.add(value, detached, targets);
    view.total_steps = ++result.steps;
    tell(&Callback::on_step_end, record);
  }

  void report(Index epoch, Index number, Clock::time_point since, std::vector<Metric> metrics,
              bool over) const {
    if (!options().progress) return;
    options().progress({epoch, options().epochs, number, loader.batch_count(), seconds_since(since),
                        std::move(metrics), over});
  }

  void epoch(Index number) {
    const Clock::time_point since = Clock::now();
    view.epoch = number;
    view.step = 0;
    tell(&Callback::on_epoch_begin);
    const Loader::Epoch batches = loader.epoch(static_cast<std::uint64_t>(number));
    Tally tally(options().metrics);
    double reported = 0.0;
    for (Index i = 0; i < batches.size(); ++i) {
      view.step = i + 1;
      step(batches[i], number, i + 1, tally);
      const bool last = i + 1 == batches.size();
      // A line for every step would cost more than the step of a small network.
      if (const double now = seconds_since(since); !last && (i == 0 || now - reported > 0.05)) {
        report(number, i + 1, since, tally.means(), false);
        reported = now;
      }
      if (options().stop && options().stop()) {
        result.stopped = true;
      }
      if (ends() && !last) return;
    }
    EpochRecord record{
        .epoch = number, .metrics = tally.means(), .lr = trainer.optimizer_.lr(), .seconds = 0.0};
    if (validation != nullptr) {
      for (Metric& m : evaluate(trainer.model_, trainer.loss_, *validation, options().metrics)) {
        record.metrics.push_back({options().watch + '_' + m.name, m.value});
      }
    }
    record.warnings = std::exchange(view.warnings, {});
    tell(&Callback::on_epoch_end, record);
    collect_warnings(record.warnings);
    if (validation != nullptr) choose(record);
    record.seconds = seconds_since(since);
    report(number, batches.size(), since, record.metrics, true);
    if (options().on_epoch) options().on_epoch(record);
    result.history.push_back(std::move(record));
  }

  bool ends() const { return result.stopped || !view.stop_reason.empty(); }

  // What was warned of since the last time belongs to `list`, and all of it to the result.
  void collect_warnings(std::vector<TrainingWarning>& list) {
    for (TrainingWarning& warning : std::exchange(view.warnings, {})) list.push_back(std::move(warning));
    result.warnings.insert(result.warnings.end(), list.begin(), list.end());
  }

  void choose(const EpochRecord& record) {
    if (!options().keep_best) return;
    if (result.best_epoch != 0 && !is_better(record.metrics, best_metrics, options().watch)) return;
    result.best_epoch = record.epoch;
    best_metrics = record.metrics;
    best_weights = state_dict(trainer.model_);
  }

  void restore_best() {
    if (!best_weights.empty()) load_state_dict(trainer.model_, best_weights);
  }
};

TrainingResult Trainer::fit(const Dataset& train, const Dataset* validation) {
  require<ValueError>(train.size() > 0, "Trainer", train.name(), " has no examples to learn from");
  if (validation != nullptr && validation->size() == 0) validation = nullptr;
  Run run(*this, train, validation);
  run.tell(&Callback::on_train_begin);
  for (Index epoch = 1; epoch <= options_.epochs && !run.ends(); ++epoch) run.epoch(epoch);
  optimizer_.set_lr(run.base_lr);
  run.restore_best();
  run.result.stop_reason = run.view.stop_reason;
  run.result.seconds = seconds_since(run.begin);
  run.tell(&Callback::on_train_end, run.result);
  std::vector<TrainingWarning> late;
  run.collect_warnings(late);
  return std::move(run.result);
}

}  // namespace splot
