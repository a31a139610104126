// NaN and infinity: seeing them in the step in which they appear, and saying where they come from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "splot/nn/layer.h"
#include "splot/nn/parameters.h"
#include "splot/train/trainer.h"

namespace splot::train_detail {

/// True for integers and undefined tensors.
bool all_finite(const Tensor& x);

/// One batch as the network gets it, and the context of its pass, so that the pass can be made again.
struct Pass {
  const Tensor& inputs;
  const Tensor& targets;
  Context context;
};

/// Watches a network's weights and gradients. All functions that complain give the reason in words, empty
/// when there is none; finding out costs nothing before something is wrong.
class Watch {
 public:
  Watch(Layer& model, const LossFunction& loss);

  const NamedParameters& parameters() const { return parameters_; }

  /// Inputs, unless they are known to be numbers, and floating targets of a batch.
  static std::string complaint_about_batch(const Pass& pass, bool look_at_inputs);
  /// Whether somebody has assigned any since they were last looked at.
  bool have_weights_changed() const;
  /// Weights that somebody has assigned since they were last looked at.
  std::string complaint_about_weights(const char* when);
  /// Of a loss that is not finite.
  std::string where_loss_diverges(const Pass& pass, double loss);
  /// Gradients as they are; `pass` is the one (with accumulation, the last one) they come from.
  std::string complaint_about_gradients(const Pass& pass);

 private:
  std::string first_layer_backwards(const Pass& pass);

  Layer& model_;
  const LossFunction& loss_;
  NamedParameters parameters_;
  std::vector<std::uint64_t> seen_;  // versions; one that no parameter has: not looked at yet
};

}  // namespace splot::train_detail
