#include "splot/compiler/cost.h"

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "splot/compiler/lifetimes.h"
#include "splot/ops/op_records.h"

namespace splot {
namespace {

const Shape& shape_of(const Graph& graph, ValueId id) {
  return graph.values[static_cast<std::size_t>(id)].shape;
}

double bytes_of(const Graph& graph, ValueId id) {
  const GraphValue& value = graph.values[static_cast<std::size_t>(id)];
  return static_cast<double>(value.shape.numel()) * static_cast<double>(value.dtype.size());
}

// Of a convolution, per number of its output: the weights [out, in / groups, rows, columns] of one channel.
double window(const Shape& weights) { return static_cast<double>(weights[1] * weights[2] * weights[3]); }

// Of the ops that multiply and add for each number of the result; 0 for others.
double products(const Graph& graph, const GraphCall& call) {
  const OpDef* const op = call.op;
  const auto in = [&](std::size_t i) -> const Shape& { return shape_of(graph, call.inputs[i]); };
  const Shape& out = shape_of(graph, call.outputs[0]);
  if (op == &matmul_op || op == &matmul_sgd_step_op) return static_cast<double>(out.numel() * in(0)[-1]);
  if (op == &linear_op) return static_cast<double>(out.numel() * in(1)[1]);
  if (op == &linear_packed_op) return static_cast<double>(out.numel() * in(0)[-1]);
  if (op == &conv2d_op || op == &conv2d_fused_op) return static_cast<double>(out.numel()) * window(in(1));
  // Four sums for each number, of which one is kept.
  if (op == &conv2d_pooled_op || op == &conv2d_max_pool_op)
    return 4.0 * static_cast<double>(out.numel()) * window(in(1));
  // Of the convolution that it computes, though it takes fewer.
  if (op == &conv2d_winograd_op) {
    return static_cast<double>((call.attrs.flag("pool") ? 4 : 1) * out.numel() * in(0)[1] * 9);
  }
  if (op == &conv2d_patches_op) {
    return static_cast<double>(out.numel()) *
           static_cast<double>(in(1).numel() / std::max<Index>(1, in(1)[3]));
  }
  if (op == &conv2d_input_grad_op) return static_cast<double>(in(0).numel()) * window(in(1));
  if (op == &conv2d_weight_grad_op) return static_cast<double>(in(1).numel()) * window(out);
  return 0.0;
}

}  // namespace

Cost cost_of(const Graph& graph, const GraphCall& call) {
  if (call.op->view != nullptr) return {};
  Cost out;
  for (const ValueId id : call.inputs) out.bytes += bytes_of(graph, id);
  for (const ValueId id : call.outputs) {
    out.bytes += bytes_of(graph, id);
    out.flops += static_cast<double>(shape_of(graph, id).numel());
  }
  const double pairs = products(graph, call);
  if (pairs > 0.0) out.flops = 2.0 * pairs;
  return out;
}

Cost cost_of(const Graph& graph, std::size_t first, std::size_t calls) {
  if (calls == 1) return cost_of(graph, graph.calls[first]);
  Cost out;
  std::set<ValueId> read, made;
  const std::span<const GraphCall> fused(graph.calls.data() + first, calls);
  for (const GraphCall& call : fused) {
    out.flops += cost_of(graph, call).flops;
    read.insert(call.inputs.begin(), call.inputs.end());
    made.insert(call.outputs.begin(), call.outputs.end());
  }
  const std::vector<compiler::Lifetime> lifetimes = compiler::planned_lifetimes(graph);
  for (const ValueId id : read) {
    if (!made.contains(id)) out.bytes += bytes_of(graph, id);
  }
  for (const ValueId id : made) {
    const bool kept = lifetimes[static_cast<std::size_t>(id)].home != compiler::Home::block;
    if (kept) out.bytes += bytes_of(graph, id);
  }
  return out;
}

}  // namespace splot
