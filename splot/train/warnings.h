// The classic mistakes of training, seen while they happen and said in words.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/parameter.h"
#include "splot/train/callback.h"

namespace splot {

struct MistakeOptions {
  /// The loss by its name in recipes. "cross_entropy" takes the softmax itself and "binary_cross_entropy" the
  /// sigmoid; for any other nothing is said about the network's last layer.
  std::string loss = {};
  Index examples = 256;  ///< of the training part, evenly spread, that the network is shown after each epoch
};

/// Warns, once for each code and place:
///
///   softmax-before-loss    the outputs are probabilities already, and the loss takes the softmax again
///   sigmoid-before-loss    the same for the sigmoid
///   unnormalised-inputs    the inputs' root mean square is above 10, or below 0.005
///   test-watched           the test set is looked at while learning
///   missing-class          a class has no example in the part it is learned from or watched on
///   no-gradient            a parameter that is not frozen got no gradient, or nothing but zeros
///   sign-slip              the steps go up the gradient: weight + rate * gradient
///   learning-rate          learning makes the loss larger than it was
///   dead-relu              more than half of a ReLU layer's units answer 0 to every example
///   saturated              more than half of the answers inside the network lie at the ends of sigmoid or
///                          tanh, while the loss has not come down by half
///   saturated-output       an output answers "no" to every example of its own class, two epochs in a row
///   vanishing-gradients    the first layer's gradient is below 1/50 of the last one's, or
///   exploding-gradients    above 50 times of it, while the loss has not come down by half; both need a
///                          NormRecorder before this callback
///
/// Nothing it does changes the training. It looks at the same examples and steps every time.
///
///   TrainerOptions options{.callbacks = {std::make_shared<NormRecorder>(),
///                                        std::make_shared<MistakeWatch>(MistakeOptions{"cross_entropy"})}};
class SPLOT_API MistakeWatch final : public Callback {
 public:
  /// Throws ValueError unless examples is positive.
  explicit MistakeWatch(MistakeOptions options = {});

  void on_train_begin(TrainingView& view) override;
  /// Of the first steps, and until every parameter has had a gradient that is not zero.
  bool needs_gradients(const TrainingView& view) const override;
  void on_update_begin(TrainingView& view, const StepRecord& record) override;
  void on_step_end(TrainingView& view, const StepRecord& record) override;
  void on_epoch_end(TrainingView& view, EpochRecord& record) override;
  NamedTensors state_dict() const override;
  void load_state_dict(std::span<const NamedTensor> state) override;

 private:
  void warn(TrainingView& view, const char* code, const std::string& where, std::string text);
  void check_classes(TrainingView& view, const Dataset& data, const std::string& part);
  void check_outputs(TrainingView& view, const StepRecord& record);
  void check_missing_gradients(TrainingView& view);
  void check_zero_gradients(TrainingView& view);
  void check_direction(TrainingView& view);
  void check_loss(TrainingView& view, double loss);
  void check_layers(TrainingView& view, bool learns);
  void check_stuck_outputs(TrainingView& view, const Tensor& output);
  void check_depth(TrainingView& view, const EpochRecord& record);

  MistakeOptions options_;
  std::string last_layer_;  // path of the layer that answers
  Batch sample_;            // what the network is shown after each epoch
  NamedParameters parameters_;
  std::vector<Tensor> weights_, gradients_;  // before a step whose direction is looked at

  // What a checkpoint has to keep.
  std::set<std::string> said_;           // "code place"
  std::set<std::string> with_gradient_;  // parameters that have had one that is not zero
  std::set<Index> silent_;               // outputs that answered "no" to all of their class an epoch ago
  double first_loss_ = 0.0;              // mean over the first examples, as many as first_examples_
  double first_examples_ = 0.0;
  double lowest_loss_ = 0.0;
  double steps_seen_ = 0.0, steps_uphill_ = 0.0;
  bool loaded_ = false;
};

}  // namespace splot
