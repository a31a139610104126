// compile(): a function of tensors that is traced when it meets new shapes, and then runs as a plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "splot/compiler/passes.h"
#include "splot/compiler/plan.h"
#include "splot/core/export.h"
#include "splot/graph/trace.h"

namespace splot {

struct CompileOptions {
  /// All that the function may read and write beside its arguments (train/slots.h).
  std::vector<Slot> slots = {};
  /// How many plans are kept, one for each set of shapes; the one not used for longest makes room.
  std::size_t plans = 8;
  /// What is done to a graph before it becomes a plan; everything when nothing is left out.
  PassOptions passes = {};
};

/// A function as a plan for each set of shapes, types and orders of its arguments, of frozen parameters and
/// of slots that hold nothing or the same: training and the smaller last batch are two. Called like the
/// function, it gives the same bits, but for what the pass stable-numerics finds and makes more accurate.
///
///   Compiled step([&](std::span<const Tensor> in, std::uint64_t counter) {
///     Context context{.training = true, .key = {.seed = 1, .counter = counter}};
///     optimizer.zero_grad();
///     const Tensor loss = cross_entropy(net(in[0], context), in[1]);
///     backward(loss);
///     optimizer.step();
///     return TensorList{loss};
///   }, {.slots = slots_of(net, optimizer)});
///   Tensor loss = step({x, y}, number)[0];
///
/// Threads: one at a time.
class SPLOT_API Compiled {
 public:
  explicit Compiled(TracedFunction function, CompileOptions options = {});

  /// Throws what trace() and Plan::run() throw. `next`, where it is known, is what the call after this one
  /// will get: a small network spends a tenth of its step waiting for a batch that lies in main memory,
  /// unless it comes while the step before calculates.
  ///
  ///   step({x[i], y[i]}, i, {x[i + 1], y[i + 1]});
  TensorList operator()(std::span<const Tensor> arguments, std::uint64_t counter = 0,
                        std::span<const Tensor> next = {});
  TensorList operator()(std::initializer_list<Tensor> arguments, std::uint64_t counter = 0,
                        std::initializer_list<Tensor> next = {}) {
    return (*this)(std::span<const Tensor>(arguments.begin(), arguments.size()), counter,
                   std::span<const Tensor>(next.begin(), next.size()));
  }
  /// The plan that these arguments run; made when there is none.
  Plan& plan_for(std::span<const Tensor> arguments);
  /// How many plans have been made: a number that goes on growing means that shapes keep changing.
  std::size_t made() const { return made_; }

 private:
  struct Entry {
    std::vector<GraphValue> arguments;
    std::vector<bool> frozen;
    std::unique_ptr<Plan> plan;
  };

  TracedFunction function_;
  CompileOptions options_;
  std::vector<Entry> entries_;  // the last used first
  std::size_t made_ = 0;
};

}  // namespace splot
