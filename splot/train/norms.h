// Norms: how large weights, gradients and updates are, parameter by parameter.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/parameter.h"
#include "splot/train/callback.h"

namespace splot {

struct NormOptions {
  /// At most so many steps of an epoch are looked at, evenly spread and always the same ones: the first, and
  /// every steps / samples after it. Looking costs about as much as reading the weights three times.
  Index samples = 32;
};

/// Fills EpochRecord::norms for every parameter, in the order of named_parameters(): the Euclidean norm of
/// the weights at the end of the epoch, and of gradients and updates the mean over the steps looked at.
/// Gradients that shrink by orders of magnitude from the last layer to the first vanish; what is frozen has
/// 0.
///
///   TrainerOptions options{.epochs = 3, .callbacks = {std::make_shared<NormRecorder>()}};
class SPLOT_API NormRecorder final : public Callback {
 public:
  /// Throws ValueError unless samples is positive.
  explicit NormRecorder(const NormOptions& options = {});

  void on_train_begin(TrainingView& view) override;
  bool needs_gradients(const TrainingView& view) const override { return looks_at(view); }
  void on_update_begin(TrainingView& view, const StepRecord& record) override;
  void on_step_end(TrainingView& view, const StepRecord& record) override;
  void on_epoch_end(TrainingView& view, EpochRecord& record) override;
  NamedTensors state_dict() const override;
  void load_state_dict(std::span<const NamedTensor> state) override;

 private:
  bool looks_at(const TrainingView& view) const;

  NormOptions options_;
  NamedParameters parameters_;
  std::vector<std::vector<std::byte>> before_;  // the weights before the step that is looked at
  // Over the steps of this epoch that were looked at.
  std::vector<double> gradients_, updates_;
  Index looked_ = 0;
  bool loaded_ = false;  // the next training goes on from load_state_dict()
};

}  // namespace splot
