#include "splot/train/callback.h"

#include <utility>

#include "splot/core/error.h"

namespace splot {

void TrainingView::request_stop(std::string reason) {
  require<ValueError>(!reason.empty(), "request_stop", "needs a reason");
  if (stop_reason.empty()) stop_reason = std::move(reason);
}

void TrainingView::warn(TrainingWarning warning) {
  warning.epoch = epoch;
  warnings.push_back(std::move(warning));
}

void Callback::on_train_begin(TrainingView&) {}
bool Callback::needs_gradients(const TrainingView&) const { return true; }
void Callback::on_epoch_begin(TrainingView&) {}
void Callback::on_update_begin(TrainingView&, const StepRecord&) {}
void Callback::on_step_end(TrainingView&, const StepRecord&) {}
void Callback::on_epoch_end(TrainingView&, EpochRecord&) {}
void Callback::on_train_end(TrainingView&, TrainingResult&) {}

NamedTensors Callback::state_dict() const { return {}; }

void Callback::load_state_dict(std::span<const NamedTensor> state) {
  require<ValueError>(state.empty(), "load_state_dict", "this callback remembers nothing, so there is no ",
                      state.empty() ? "" : state.front().name);
}

}  // namespace splot
