#include "splot/train/internal/training_run.h"

#include <cmath>
#include <utility>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/nn/parameters.h"

namespace splot {

using namespace train_detail;  // NOLINT(google-build-using-namespace): a source file's own helpers

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The dtype the model calculates in: that of its first parameter.
DType model_dtype(Layer& model) {
  const NamedParameters parameters = named_parameters(model);
  return parameters.empty() ? kFloat32 : parameters.front().parameter.dtype();
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

Trainer::Run::Run(Trainer& trainer, const Dataset& train, const Dataset* validation)
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

void Trainer::Run::load(const std::string& path) {
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
  if (state.instruction_set != isa || state.mode != mode()) {
    view_.warn({.code = "other-machine",
                .where = {},
                .text = say(Message::other_machine, state.instruction_set, state.mode, isa, mode())});
  }
  saved_at_ = result_.steps;
  stop_early();
}

TrainingResult Trainer::Run::go() {
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

// --- an epoch

void Trainer::Run::report(double since, std::vector<Metric> metrics, bool over) const {
  if (!options().progress) return;
  options().progress({epoch_, options().epochs, view_.step, steps_, since, std::move(metrics), over});
}

void Trainer::Run::run_epoch() {
  epoch_begin_ = Clock::now();
  since_kept_.reset();  // its steps are of the epoch before
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

double Trainer::Run::seconds() const { return seconds_before_ + seconds_since(begin_); }
double Trainer::Run::epoch_seconds() const { return epoch_seconds_before_ + seconds_since(epoch_begin_); }

void Trainer::Run::end_epoch() {
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

void Trainer::Run::stop_early() {
  if (!selection_.is_patience_over() || ends()) return;
  view_.request_stop(say(Message::stopped_early, selection_.waited()));
  stopped_early_ = true;
}

// --- warnings

void Trainer::Run::tell_each(const std::vector<TrainingWarning>& warnings, std::size_t first) const {
  if (!options().on_warning) return;
  for (std::size_t i = first; i < warnings.size(); ++i) options().on_warning(warnings[i]);
}
void Trainer::Run::tell_pending() {
  tell_each(view_.warnings, told_);
  told_ = view_.warnings.size();
}
// The warnings of one epoch are complete: what was warned of since belongs to it, and all to the result.
void Trainer::Run::collect(std::vector<TrainingWarning>& list, std::size_t told) {
  for (TrainingWarning& warning : std::exchange(view_.warnings, {})) list.push_back(std::move(warning));
  tell_each(list, told);
  result_.warnings.insert(result_.warnings.end(), list.begin(), list.end());
  told_ = 0;
}

// --- best weights and checkpoints

// The model and the result as they are left.
void Trainer::Run::finish() {
  if (!best_weights_.empty()) {
    load_state_dict(trainer_.model_, best_weights_);
  } else {
    average_.leave_in_model();
  }
  result_.stop_reason = view_.stop_reason;
  result_.seconds = seconds();
  collect_profile();
}

TrainingSetup Trainer::Run::setup() const {
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

void Trainer::Run::save() {
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
                      .mode = mode()};
  // Whether patience is over is found out anew: more of it may be asked for.
  state.result.stop_reason = stopped_early_ ? "" : view_.stop_reason;
  for (const auto& callback : options().callbacks) state.callbacks.push_back(callback->state_dict());
  save_state(options().checkpoint.path, state, options().checkpoint.notes);
  saved_at_ = result_.steps;
  saved_when_ = Clock::now();
  save_seconds_ = seconds_since(since);
}

// After an epoch.
bool Trainer::Run::is_save_due() const {
  const CheckpointOptions& wanted = options().checkpoint;
  if (wanted.every > 0) return result_.steps % wanted.every == 0;
  return seconds_since(saved_when_) >= std::max(1.0, 20.0 * save_seconds_);
}

}  // namespace splot
