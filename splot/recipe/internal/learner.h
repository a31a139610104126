// Learner: a network ready to take its recipe's steps call by call, and to be traced.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "splot/graph/graph.h"
#include "splot/nn/parameters.h"
#include "splot/recipe/build.h"
#include "splot/train/internal/kept_state.h"
#include "splot/train/internal/step_plans.h"
#include "splot/train/model_file.h"

namespace splot::recipe_detail {

/// The network is the file's own; it is put back as it was at the end, frozen parameters included.
class Learner {
 public:
  /// Throws ValueError for an optimiser whose step cannot be traced.
  Learner(const ModelFile& file, const Recipe& recipe);
  ~Learner();
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  /// A step; its loss. Gradients are left where they are.
  double step(const Tensor& inputs, const Tensor& targets, std::uint64_t counter);
  /// The graph of one on a batch like these.
  Graph trace_step(const Tensor& inputs, const Tensor& targets);
  /// In the dtype of the network, where they are floating.
  Tensor in_dtype(const Tensor& x) const;

  std::vector<Slot>& slots() { return slots_; }
  const NamedParameters& parameters() const { return parameters_; }
  Optimizer& optimizer() { return *optimizer_; }

 private:
  LayerPtr model_;
  DType dtype_;
  LossFunction loss_;
  std::vector<bool> frozen_;
  NamedParameters parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  train_detail::StepParts parts_;
  std::vector<Slot> slots_;
  train_detail::KeptState before_;
};

}  // namespace splot::recipe_detail
