// trace(): a function of tensors as a Graph, by calling it once with tensors that have no elements.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/graph/graph.h"

namespace splot {

/// `counter` is for the keys of random ops, {.seed = 1, .counter = counter}: the number of the step.
using TracedFunction = std::function<TensorList(std::span<const Tensor> arguments, std::uint64_t counter)>;

struct TraceOptions {
  /// All that the function may read and write beside its arguments.
  std::vector<Slot> slots = {};
};

/// Calls the function with tensors of the arguments' shapes and types. Derivatives, gradients in parameters
/// and the updates of an optimiser are recorded as what they do. Afterwards slots and gradients are as
/// before.
///
/// Throws TraceError when the function uses a tensor that was there before and is neither an argument nor a
/// slot, for that would be frozen; when it reads elements, which are not known; and what the function throws.
///
///   Graph graph = trace([&](auto in, auto) { return TensorList{net(in[0])}; }, {x}, {.slots =
///   slots_of(net)});
SPLOT_API Graph trace(const TracedFunction& function, std::span<const Tensor> arguments,
                      const TraceOptions& options = {});

}  // namespace splot
