#include "splot/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/data/prefetch.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/optim/clip.h"
#include "splot/train/internal/divergence.h"
#include "splot/train/internal/options.h"
#include "splot/train/internal/selection.h"
#include "splot/train/internal/tally.h"
#include "splot/train/internal/training_state.h"
#include "splot/train/internal/weight_average.h"
#include "splot/train/outputs.h"

namespace splot {
namespace {

using namespace train_detail;  // NOLINT(google-build-using-namespace): a source file's own helpers
using Clock = std::chrono::steady_clock;

// Operations run one by one; DESIGN's other mode, the plan, has other kernels and so other last bits.
constexpr const char* kMode = "eager";

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

bool inputs_may_be_nan(const Dataset& data) {
  return !data.preprocessing().is_finite() || data.input_dtype().is_floating();
}

std::vector<double> learning_rates(const Optimizer& optimizer) {
  std::vector<double> out;
  for (std::size_t i = 0; i < optimizer.group_count(); ++i) out.push_back(optimizer.lr(i));
  return out;
}

}  // namespace

std::vector<Metric> evaluate(Layer& model, const LossFunction& loss, const Dataset& data,
                             const std::vector<MetricFunction>& metrics, Index batch_size) {
  require<ValueError>(data.size() > 0, "evaluate", data.name(), " has no examples");
  for (const MetricFunction& m : metrics) check_metric(m, "evaluate");
  Tally tally(metrics);
  visit_outputs(
      model, data,
      [&](const Tensor& output, const Tensor& target) {
        tally.add(loss(output, target).item<double>(), output, target);
      },
      batch_size);
  return tally.means();
}

Trainer::Trainer(Layer& model, LossFunction loss, Optimizer& optimizer, TrainerOptions options)
    : model_(model), loss_(std::move(loss)), optimizer_(optimizer), options_(std::move(options)) {
  check_options(options_, optimizer_.needs_closure());
}

// One call of fit() or resume().
class Trainer::Run {
 public:
  Run(Trainer& trainer, const Dataset& train, const Dataset* validation)
      : trainer_(trainer),
        result_(trainer.result_),
        loader_(train,
                {.batch_size = options().batch_size, .shuffle = options().shuffle, .seed = options().seed}),
        validation_(validation),
        dtype_(model_dtype(trainer.model_)),
        inputs_may_be_nan_(inputs_may_be_nan(train)),
        base_lrs_(learning_rates(trainer.optimizer_)),
        watch_(trainer.model_, trainer.loss_),
        selection_(options(), validation != nullptr),
        average_(trainer.model_, options()),
        tally_(options().metrics),
        steps_((loader_.batch_count() + options().accumulate - 1) / options().accumulate),
        view_{.model = trainer.model_,
              .optimizer = trainer.optimizer_,
              .train = loader_.data(),
              .validation = validation,
              .watch = options().watch,
              .history = result_.history,
              .epochs = options().epochs,
              .steps = steps_} {
    result_ = {};
  }

  // Continues from a checkpoint.
  void load(const std::string& path) {
    TrainingState state = load_state(path);
    check_same_setup(state.setup, setup());
    require<ValueError>(state.epoch <= options().epochs + 1 && state.step < steps_ &&
                            state.base_lrs.size() == base_lrs_.size() && !state.model.empty(),
                        "resume", '"', path, "\" is at epoch ", state.epoch, ", step ", state.step, " with ",
                        state.base_lrs.size(), " parameter groups; that does not fit ", options().epochs,
                        " epochs of ", steps_, " steps and ", base_lrs_.size(), " groups");
    load_state_dict(trainer_.model_, state.model);
    trainer_.optimizer_.load_state_dict(state.optimizer);
    average_.load_state_dict(state.average);
    for (std::size_t i = 0; i < state.callbacks.size(); ++i) {
      options().callbacks[i]->load_state_dict(state.callbacks[i]);
    }
    result_ = std::move(state.result);
    best_weights_ = std::move(state.best);
    base_lrs_ = std::move(state.base_lrs);
    selection_.restore(std::move(state.best_metrics), state.reference, state.waited);
    tally_.set_sums(state.tally);
    epoch_ = state.epoch;
    step_ = state.step;
    seconds_before_ = state.seconds;
    epoch_seconds_before_ = state.epoch_seconds;
    view_.epoch = step_ > 0 ? epoch_ : epoch_ - 1;
    view_.step = step_;
    view_.total_steps = result_.steps;
    view_.warnings = std::move(state.pending);
    view_.stop_reason = result_.stop_reason;
    told_ = view_.warnings.size();
    const std::string_view isa = cpu::name_of(cpu::instruction_set());
    if (state.instruction_set != isa || state.mode != kMode) {
      view_.warn({.code = "other-machine",
                  .where = {},
                  .text = say(Message::other_machine, state.instruction_set, state.mode, isa, kMode)});
    }
    saved_at_ = result_.steps;
    stop_early();
  }

  TrainingResult go() {
    tell(&Callback::on_train_begin);
    tell_pending();
    if (options().on_epoch) std::for_each(result_.history.begin(), result_.history.end(), options().on_epoch);
    if (saved_at_ < 0) save();
    while (epoch_ <= options().epochs && !ends()) run_epoch();
    if (saved_at_ != result_.steps) save();
    if (options().schedule) set_rates(1.0);
    finish();
    tell(&Callback::on_train_end, result_);
    std::vector<TrainingWarning> late;
    collect(late, 0);
    return result_;
  }

 private:
  const TrainerOptions& options() const { return trainer_.options_; }
  Optimizer& optimizer() { return trainer_.optimizer_; }
  double seconds() const { return seconds_before_ + seconds_since(begin_); }
  bool ends() const { return result_.stopped || !view_.stop_reason.empty(); }

  // Calls one function of every callback.
  template <typename Function, typename... Record>
  void tell(Function function, Record&... record) {
    for (const std::shared_ptr<Callback>& callback : options().callbacks) {
      ((*callback).*function)(view_, record...);
    }
  }

  // --- a step

  void set_rates(double factor) {
    for (std::size_t i = 0; i < base_lrs_.size(); ++i) optimizer().set_lr(i, base_lrs_[i] * factor);
  }

  // Of the epoch's examples, how many the batches first .. last - 1 hold.
  double examples_in(Index first, Index last) const {
    const Index size = options().batch_size;
    return static_cast<double>(std::min(last * size, loader_.data().size()) - first * size);
  }

  RandomKey key_of(Index batch, Index first) const {
    return {.seed = options().seed,
            .stream = 0,
            .counter = static_cast<std::uint64_t>(result_.steps * options().accumulate + batch - first)};
  }

  // The gradients are there. An optimiser that asks for the loss again gets the same function of the weights
  // each time: the same batches with the same dropout.
  void update(const Loader::Epoch& batches, Index first, Index last, double loss) {
    if (!optimizer().needs_closure()) return optimizer().step();
    bool known = true;
    optimizer().step([&] {
      if (std::exchange(known, false)) return loss;
      optimizer().zero_grad();
      double total = 0.0;
      for (Index i = first; i < last; ++i) {
        const Batch batch = batches[i];
        Context context{.training = true, .key = key_of(i, first)};
        const Tensor output = trainer_.model_(converted(batch.inputs, dtype_), context);
        const Tensor part = trainer_.loss_(output, converted(batch.targets, dtype_));
        const double share = examples_in(i, i + 1) / examples_in(first, last);
        backward(part, {.cotangent = last - first == 1 ? Tensor() : cast(scalar(share), part.dtype())});
        total += share * part.item<double>();
      }
      return total;
    });
  }

  // `ahead` gives the epoch's batches in order, prepared while the network calculates.
  void run_step(const Loader::Epoch& batches, BatchStream& ahead) {
    view_.step = step_ + 1;
    if (options().schedule) set_rates(options().schedule(result_.steps));
    optimizer().zero_grad();
    complain(watch_.complaint_about_weights("before the step"));
    const Index first = step_ * options().accumulate;
    const Index last = std::min(first + options().accumulate, loader_.batch_count());
    const double examples = examples_in(first, last);
    double step_loss = 0.0;
    Tensor inputs, targets, output;
    Pass pass{inputs, targets, {.training = true, .key = {.seed = options().seed}}};
    for (Index i = first; i < last; ++i) {
      const Batch batch = *ahead.next();
      inputs = converted(batch.inputs, dtype_);
      targets = converted(batch.targets, dtype_);
      pass.context.key = key_of(i, first);
      complain(Watch::complaint_about_batch(pass, inputs_may_be_nan_));
      Context context = pass.context;
      const Tensor with_history = trainer_.model_(inputs, context);
      const Tensor loss = trainer_.loss_(with_history, targets);
      const double value = loss.item<double>();
      if (!std::isfinite(value)) complain(watch_.where_loss_diverges(pass, value));
      const double share = examples_in(i, i + 1) / examples;
      backward(loss, {.cotangent = last - first == 1 ? Tensor() : cast(scalar(share), loss.dtype())});
      output = with_history.detach();
      tally_.add(value, output, targets);
      step_loss += share * value;
    }
    const StepRecord record{step_loss, inputs, targets, output};
    tell(&Callback::on_update_begin, record);
    // Before they reach the weights, and before clipping, which would spread a NaN over all of them.
    complain(watch_.complaint_about_gradients(pass));
    if (options().clip_value > 0.0) clip_grad_value(watch_.parameters(), options().clip_value);
    if (options().clip_norm > 0.0) clip_grad_norm(watch_.parameters(), options().clip_norm);
    update(batches, first, last, step_loss);
    if (const std::string found = watch_.complaint_about_weights("after the update"); !found.empty()) {
      complain(join(found, " with learning rate ", optimizer().lr()));
    }
    average_.after_step(epoch_);
    ++step_;
    view_.total_steps = ++result_.steps;
    tell(&Callback::on_step_end, record);
    tell_pending();
  }

  void complain(const std::string& found) {
    if (found.empty()) [[likely]] {
      return;
    }
    finish();
    fail<DivergenceError>("train", "epoch ", epoch_, ", step ", view_.step, " of ", steps_, ": ", found);
  }

  // --- an epoch

  void report(double since, std::vector<Metric> metrics, bool over) const {
    if (!options().progress) return;
    options().progress({epoch_, options().epochs, view_.step, steps_, since, std::move(metrics), over});
  }

  void run_epoch() {
    epoch_begin_ = Clock::now();
    view_.epoch = epoch_;
    view_.step = step_;
    if (step_ == 0) {
      tally_ = Tally(options().metrics);
      tell(&Callback::on_epoch_begin);
    }
    const Loader::Epoch batches = loader_.epoch(static_cast<std::uint64_t>(epoch_));
    BatchStream ahead(batches, {.first = std::min(step_ * options().accumulate, loader_.batch_count()),
                                .ahead = suggested_prefetch(loader_.data(), options().batch_size)});
    const double waited_before = result_.data_seconds;
    double reported = -1.0;
    while (step_ < steps_) {
      run_step(batches, ahead);
      result_.data_seconds = waited_before + ahead.waited();
      const bool last = step_ == steps_;
      // A line for every step would cost more than the step of a small network.
      if (const double now = epoch_seconds(); !last && now - reported > 0.05) {
        report(now, tally_.means(), false);
        reported = now;
      }
      result_.stopped = options().stop && options().stop();
      if (last) break;
      if (ends()) return;
      if (options().checkpoint.every > 0 && result_.steps % options().checkpoint.every == 0) save();
    }
    end_epoch();
    if (is_save_due()) save();
  }

  double epoch_seconds() const { return epoch_seconds_before_ + seconds_since(epoch_begin_); }

  void end_epoch() {
    EpochRecord record{.epoch = epoch_, .metrics = tally_.means(), .lr = optimizer().lr(), .seconds = 0.0};
    average_.after_epoch(epoch_);
    if (validation_ != nullptr) {
      const WeightAverage::InModel averaged(average_);
      for (Metric& m : evaluate(trainer_.model_, trainer_.loss_, *validation_, options().metrics)) {
        record.metrics.push_back({options().watch + '_' + m.name, m.value});
      }
    }
    record.warnings = std::exchange(view_.warnings, {});
    const std::size_t told = std::exchange(told_, 0);
    tell(&Callback::on_epoch_end, record);
    collect(record.warnings, told);
    if (selection_.take(record)) {
      result_.best_epoch = epoch_;
      const WeightAverage::InModel averaged(average_);
      if (options().keep_best) best_weights_ = state_dict(trainer_.model_);
    }
    stop_early();
    record.seconds = epoch_seconds();
    report(record.seconds, record.metrics, true);
    if (options().on_epoch) options().on_epoch(record);
    result_.history.push_back(std::move(record));
    ++epoch_;
    step_ = 0;
    epoch_seconds_before_ = 0.0;
  }

  void stop_early() {
    if (!selection_.is_patience_over() || ends()) return;
    view_.request_stop(say(Message::stopped_early, selection_.waited()));
    stopped_early_ = true;
  }

  // --- warnings

  void tell_each(const std::vector<TrainingWarning>& warnings, std::size_t first) const {
    if (!options().on_warning) return;
    for (std::size_t i = first; i < warnings.size(); ++i) options().on_warning(warnings[i]);
  }
  void tell_pending() {
    tell_each(view_.warnings, told_);
    told_ = view_.warnings.size();
  }
  // The warnings of one epoch are complete: what was warned of since belongs to it, and all to the result.
  void collect(std::vector<TrainingWarning>& list, std::size_t told) {
    for (TrainingWarning& warning : std::exchange(view_.warnings, {})) list.push_back(std::move(warning));
    tell_each(list, told);
    result_.warnings.insert(result_.warnings.end(), list.begin(), list.end());
    told_ = 0;
  }

  // --- best weights and checkpoints

  // The model and the result as they are left.
  void finish() {
    if (!best_weights_.empty()) {
      load_state_dict(trainer_.model_, best_weights_);
    } else {
      average_.leave_in_model();
    }
    result_.stop_reason = view_.stop_reason;
    result_.seconds = seconds();
  }

  TrainingSetup setup() const {
    TrainingSetup out{.seed = options().seed,
                      .batch_size = options().batch_size,
                      .accumulate = options().accumulate,
                      .shuffle = options().shuffle,
                      .examples = loader_.data().size(),
                      .watch = options().watch,
                      .metrics = {},
                      .average = WeightAverage::describe(options()),
                      .callbacks = options().callbacks.size()};
    for (const MetricFunction& m : options().metrics) out.metrics.push_back(m.name);
    return out;
  }

  void save() {
    if (options().checkpoint.path.empty()) return;
    const Clock::time_point since = Clock::now();
    TrainingState state{.setup = setup(),
                        .epoch = epoch_,
                        .step = step_,
                        .epoch_seconds = step_ > 0 ? epoch_seconds() : 0.0,
                        .seconds = seconds(),
                        .tally = tally_.sums(),
                        .result = result_,
                        .pending = view_.warnings,
                        .best_metrics = selection_.best(),
                        .reference = selection_.reference(),
                        .waited = selection_.waited(),
                        .base_lrs = base_lrs_,
                        .model = state_dict(trainer_.model_),
                        .best = best_weights_,
                        .average = average_.state_dict(),
                        .optimizer = optimizer().state_dict(),
                        .callbacks = {},
                        .instruction_set = std::string(cpu::name_of(cpu::instruction_set())),
                        .mode = kMode};
    // Whether patience is over is found out anew: more of it may be asked for.
    state.result.stop_reason = stopped_early_ ? "" : view_.stop_reason;
    for (const auto& callback : options().callbacks) state.callbacks.push_back(callback->state_dict());
    save_state(options().checkpoint.path, state, options().checkpoint.notes);
    saved_at_ = result_.steps;
    saved_when_ = Clock::now();
    save_seconds_ = seconds_since(since);
  }

  // After an epoch.
  bool is_save_due() const {
    const CheckpointOptions& wanted = options().checkpoint;
    if (wanted.every > 0) return result_.steps % wanted.every == 0;
    return seconds_since(saved_when_) >= std::max(1.0, 20.0 * save_seconds_);
  }

  Trainer& trainer_;
  TrainingResult& result_;
  const Loader loader_;
  const Dataset* validation_;
  const DType dtype_;
  const bool inputs_may_be_nan_;  // whole numbers, and what is made of them, cannot
  std::vector<double> base_lrs_;  // of the groups, before the schedule
  Watch watch_;
  Selection selection_;
  WeightAverage average_;
  Tally tally_;
  const Index steps_;  // in an epoch
  TrainingView view_;

  Index epoch_ = 1;  // the one that runs
  Index step_ = 0;   // how many steps of it are done
  NamedTensors best_weights_;
  bool stopped_early_ = false;
  std::size_t told_ = 0;  // how many of view_.warnings on_warning has heard of

  const Clock::time_point begin_ = Clock::now();
  Clock::time_point epoch_begin_;
  double seconds_before_ = 0.0;  // before the checkpoint this run went on from
  double epoch_seconds_before_ = 0.0;

  Index saved_at_ = -1;  // the number of steps in the last checkpoint; -1: there is none
  Clock::time_point saved_when_;
  double save_seconds_ = 0.0;
};

TrainingResult Trainer::run(const std::string& checkpoint, const Dataset& train, const Dataset* validation) {
  require<ValueError>(train.size() > 0, "Trainer", train.name(), " has no examples to learn from");
  if (validation != nullptr && validation->size() == 0) validation = nullptr;
  Run run(*this, train, validation);
  if (!checkpoint.empty()) run.load(checkpoint);
  return run.go();
}

TrainingResult Trainer::fit(const Dataset& train, const Dataset* validation) {
  return run({}, train, validation);
}

TrainingResult Trainer::resume(const std::string& checkpoint, const Dataset& train,
                               const Dataset* validation) {
  require<ValueError>(!checkpoint.empty(), "Trainer", "resume() needs the name of a checkpoint");
  return run(checkpoint, train, validation);
}

}  // namespace splot
