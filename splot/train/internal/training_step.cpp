// One step of a training: call by call, or as plans.
#include <cmath>
#include <exception>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/ops/ops.h"
#include "splot/optim/clip.h"
#include "splot/train/internal/training_run.h"

namespace splot {

using namespace train_detail;  // NOLINT(google-build-using-namespace): a source file's own helpers

namespace {

// After so many whole steps the state is copied anew, which costs about as much as reading the weights twice.
constexpr std::size_t kReplayed = 32;

constexpr const char* kNoPlan = "no-plan";  // code of a warning

Tensor in_dtype_of_model(const Tensor& x, DType dtype) {
  return x.dtype().is_floating() && x.dtype() != dtype ? cast(x, dtype) : x;
}

}  // namespace

void Trainer::Run::set_rates(double factor) {
  for (std::size_t i = 0; i < base_lrs_.size(); ++i) optimizer().set_lr(i, base_lrs_[i] * factor);
}

// Of the epoch's examples, how many the batches first .. last - 1 hold.
double Trainer::Run::examples_in(Index first, Index last) const {
  const Index size = options().batch_size;
  return static_cast<double>(std::min(last * size, loader_.data().size()) - first * size);
}

std::uint64_t Trainer::Run::counter_of(Index batch, Index first) const {
  return static_cast<std::uint64_t>(result_.steps * options().accumulate + batch - first);
}

// The gradients are there. An optimiser that asks for the loss again gets the same function of the weights
// each time: the same batches with the same dropout.
void Trainer::Run::update(Way way, const Loader::Epoch& batches, Index first, Index last, double loss) {
  if (!optimizer().needs_closure()) return optimizer().step();
  bool known = true;
  optimizer().step([&] {
    if (std::exchange(known, false)) return loss;
    optimizer().zero_grad();
    double total = 0.0;
    for (Index i = first; i < last; ++i) {
      const Batch batch = batches[i];
      const Tensor inputs = in_dtype_of_model(batch.inputs, dtype_);
      const Tensor targets = in_dtype_of_model(batch.targets, dtype_);
      const StepBatch step{inputs, targets, counter_of(i, first)};
      const double share = examples_in(i, i + 1) / examples_in(first, last);
      const Tensor weight = last - first == 1 ? Tensor() : scalar(share);
      StepOutcome made;
      if (possible(way, step, weight.defined()) == Way::derivatives) {
        made = plans_->derive(step, weight);
      } else {
        made = answer(parts(), step);
        add_derivatives(made.loss, weight);
      }
      total += share * made.loss.item<double>();
    }
    return total;
  });
}

// The first step is made call by call: layers may make on their first call what a trace could not. What a
// step is made like depends on nothing but the step, so that a resumed training does the same.
Trainer::Run::Way Trainer::Run::way_of_step(Index batches) const {
  if (!options().compiled || result_.steps == 0) return Way::eager;
  if (batches > 1 || trainer_.optimizer_.needs_closure()) return Way::derivatives;
  for (const std::shared_ptr<Callback>& callback : options().callbacks) {
    if (callback->needs_gradients(view_)) return Way::derivatives;
  }
  return Way::whole;
}

// The next best way where one cannot be traced; that is told once.
Trainer::Run::Way Trainer::Run::possible(Way way, const StepBatch& batch, bool shared) {
  if (way == Way::eager) return way;
  if (plans_ == nullptr) {
    plans_ = std::make_unique<StepPlans>(parts());
    if (options().profile != nullptr) plans_->take_times();
  }
  if (way == Way::whole) {
    if (plans_->can_step(batch)) return way;
    if (plans_->can_derive(batch, shared)) {
      tell_of_no_plan(Message::warn_no_plan_of_update, plans_->why_not_step());
    }
  }
  if (plans_->can_derive(batch, shared)) return Way::derivatives;
  tell_of_no_plan(Message::warn_no_plan, plans_->why_not_derive());
  return Way::eager;
}

void Trainer::Run::tell_of_no_plan(Message message, const std::string& reason) {
  const auto is_told = [](const std::vector<TrainingWarning>& list) {
    return std::any_of(list.begin(), list.end(), [](const TrainingWarning& w) { return w.code == kNoPlan; });
  };
  if (is_told(view_.warnings) || is_told(result_.warnings)) return;
  view_.warn({.code = kNoPlan, .where = {}, .text = say(message, reason)});
}

// Loss, output and derivatives of one batch.
StepOutcome Trainer::Run::learn(Way way, const StepBatch& batch, const Tensor& share, const Pass& pass) {
  const auto look_at = [&](const Tensor& loss) {
    const auto value = loss.item<double>();
    if (!std::isfinite(value)) complain(watch_.where_loss_diverges(pass, value));
  };
  if (way == Way::derivatives) {
    StepOutcome made = plans_->derive(batch, share);
    look_at(made.loss);
    return made;
  }
  const StepOutcome made = answer(parts(), batch);
  look_at(made.loss);
  add_derivatives(made.loss, share);
  return {made.loss.detach(), made.output.detach()};
}

// Without a value: something is not finite or has failed, and all is as it was before.
std::optional<StepOutcome> Trainer::Run::whole_step(const StepBatch& batch, const Loader::Epoch& batches,
                                                    Index number) {
  if (!since_kept_ || since_kept_->size() == kReplayed) {
    kept_.take(plans_->slots());
    since_kept_.emplace();
  }
  std::vector<double> rates;
  for (std::size_t i = 0; i < base_lrs_.size(); ++i) rates.push_back(optimizer().lr(i));
  try {
    StepOutcome made = plans_->step(batch);
    const bool finite = std::isfinite(made.loss.item<double>()) &&
                        (!made.norm.defined() || std::isfinite(made.norm.item<double>())) &&
                        watch_.complaint_about_weights("after the update").empty();
    if (finite) {
      since_kept_->push_back({number, batch.counter, std::move(rates)});
      return made;
    }
  } catch (const std::exception&) {
    // Made again call by call, it fails again, and says where.
  }
  go_back(batches);
  for (std::size_t i = 0; i < rates.size(); ++i) optimizer().set_lr(i, rates[i]);
  return std::nullopt;
}

// To before the step that went wrong: the state that was kept, and the steps since then once more. A plan
// writes weights where they are, so by then there are no others; to keep those of every step would cost more
// than the check.
void Trainer::Run::go_back(const Loader::Epoch& batches) {
  kept_.put_back(plans_->slots());
  for (const Replay& step : *since_kept_) {
    for (std::size_t i = 0; i < step.rates.size(); ++i) optimizer().set_lr(i, step.rates[i]);
    const Batch batch = batches[step.batch];
    const Tensor inputs = in_dtype_of_model(batch.inputs, dtype_);
    const Tensor targets = in_dtype_of_model(batch.targets, dtype_);
    const StepBatch again{inputs, targets, step.counter};
    plans_->can_step(again);  // finds the plan that it was made with
    plans_->step(again);
  }
  since_kept_.reset();
  optimizer().zero_grad();
}

// `ahead` gives the epoch's batches in order, prepared while the network calculates.
void Trainer::Run::run_step(const Loader::Epoch& batches, BatchStream& ahead) {
  view_.step = step_ + 1;
  if (options().schedule) set_rates(options().schedule(result_.steps));
  optimizer().zero_grad();
  if (watch_.have_weights_changed()) since_kept_.reset();
  complain(watch_.complaint_about_weights("before the step"));
  if (plans_ != nullptr && !plans_->is_fresh()) {
    since_kept_.reset();
    collect_profile();
    plans_->renew();
  }
  const Index first = step_ * options().accumulate;
  const Index last = std::min(first + options().accumulate, loader_.batch_count());
  const double examples = examples_in(first, last);
  Way way = way_of_step(last - first);
  double step_loss = 0.0;
  Tensor inputs, targets, output;
  Pass pass{inputs, targets, {}};
  for (Index i = first; i < last; ++i) {
    const Batch batch = *ahead.next();
    inputs = in_dtype_of_model(batch.inputs, dtype_);
    targets = in_dtype_of_model(batch.targets, dtype_);
    const StepBatch step{inputs, targets, counter_of(i, first)};
    pass.context = context_of(parts(), step.counter);
    complain(Watch::complaint_about_batch(pass, inputs_may_be_nan_));
    const double share = examples_in(i, i + 1) / examples;
    const Tensor weight = last - first == 1 ? Tensor() : scalar(share);
    way = possible(way, step, weight.defined());
    std::optional<StepOutcome> made;
    if (way == Way::whole) made = whole_step(step, batches, i);
    if (way == Way::whole && !made) way = Way::eager;
    if (!made) made = learn(way, step, weight, pass);
    const auto value = made->loss.item<double>();
    output = made->output;
    tally_.add(value, output, targets);
    step_loss += share * value;
  }
  const StepRecord record{step_loss, inputs, targets, output};
  tell(&Callback::on_update_begin, record);
  if (way != Way::whole) {
    since_kept_.reset();
    // Before they reach the weights, and before clipping, which would spread a NaN over all of them.
    complain(watch_.complaint_about_gradients(pass));
    clip_gradients(parts(), watch_.parameters());
    update(way, batches, first, last, step_loss);
    if (const std::string found = watch_.complaint_about_weights("after the update"); !found.empty()) {
      complain(join(found, " with learning rate ", optimizer().lr()));
    }
  }
  average_.after_step(epoch_);
  ++step_;
  view_.total_steps = ++result_.steps;
  tell(&Callback::on_step_end, record);
  tell_pending();
}

void Trainer::Run::collect_profile() {
  if (plans_ != nullptr && options().profile != nullptr) plans_->collect(*options().profile);
}

void Trainer::Run::complain(const std::string& found) {
  if (found.empty()) [[likely]] {
    return;
  }
  finish();
  fail<DivergenceError>("train", "epoch ", epoch_, ", step ", view_.step, " of ", steps_, ": ", found);
}

}  // namespace splot
