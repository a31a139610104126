// Plan: a graph made ready to run: every value has its place in memory, every call its operands.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/graph/graph.h"

namespace splot {

/// Bytes that a plan keeps for what it computes on the way.
struct PlanMemory {
  std::size_t planned = 0;      ///< one block for all intermediate values
  std::size_t lower_bound = 0;  ///< the most that is alive at once
  std::size_t separate = 0;     ///< if every value had memory of its own
};

/// What a call of the graph, or several that are made together, have taken since times are taken.
struct CallTime {
  std::size_t call = 0;   ///< in Graph::calls
  std::size_t calls = 1;  ///< from that one on
  std::uint64_t runs = 0;
  double seconds = 0.0;
};

/// Runs a graph again and again: no shapes are worked out, no history is written, no memory is asked for.
/// The kernels are those that run without a plan, in the same order: the same bits.
///
///   Plan plan(trace(step, {x, y}, {.slots = slots}));
///   Tensor loss = plan.run({x, y}, counter)[0];
///
/// Threads: one at a time.
class SPLOT_API Plan {
 public:
  explicit Plan(Graph graph);
  ~Plan();
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;

  /// The function's results for other arguments of the same shapes, types and orders (ShapeError,
  /// DTypeError); slots are read and written. `counter` is what the random keys follow.
  ///
  /// `next`: the arguments of the run after this one, where they are known. They come out of main memory
  /// while this one calculates, if they are contiguous and the run is one thread's; nothing else depends on
  /// them.
  TensorList run(std::span<const Tensor> arguments, std::uint64_t counter = 0,
                 std::span<const Tensor> next = {});
  TensorList run(std::initializer_list<Tensor> arguments, std::uint64_t counter = 0,
                 std::initializer_list<Tensor> next = {}) {
    return run(std::span<const Tensor>(arguments.begin(), arguments.size()), counter,
               std::span<const Tensor>(next.begin(), next.size()));
  }

  /// Takes times from now on, or no longer: some 50 nanoseconds for each call.
  void take_times(bool on);
  /// In the order of the calls; views take none and are left out.
  std::vector<CallTime> times() const;

  const Graph& graph() const;
  PlanMemory memory() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace splot
