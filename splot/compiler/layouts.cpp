// layouts: batches that several calls bring into the order of images are brought into it once.
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/graph/trace.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

constexpr Index kLeastElements = 1024;

// Whether the kernel goes over that operand with the images innermost, and brings it into that order where it
// is in another.
bool wants_images_last(const OpDef* op, std::size_t operand) {
  if (op == &conv2d_weight_grad_op || op == &max_pool2d_grad_op) return operand <= 1;
  if (op == &batch_norm_grad_op) return operand == 0 || operand == 3;
  constexpr const OpDef* kOfOne[] = {
      &conv2d_op,     &conv2d_fused_op, &conv2d_winograd_op,   &conv2d_pooled_op, &conv2d_max_pool_op,
      &max_pool2d_op, &avg_pool2d_op,   &conv2d_input_grad_op, &batch_norm_op,    &batch_norm_stats_op};
  return operand == 0 && std::find(std::begin(kOfOne), std::end(kOfOne), op) != std::end(kOfOne);
}

// The value, brought into that order; of another shape or type there is no such thing.
bool can_be_brought(const GraphValue& value) {
  return value.shape.rank() == 4 && (value.dtype == kFloat32 || value.dtype == kFloat64) &&
         value.shape.numel() >= kLeastElements && value.shape[0] > 1;
}

GraphValue in_images_last(const GraphValue& value) {
  const Tensor like = Tensor::without_elements(value.shape, value.dtype, value.strides);
  const Graph made =
      trace([](std::span<const Tensor> in, std::uint64_t) { return TensorList{to_images_last(in[0])}; },
            {&like, 1});
  return made.values[static_cast<std::size_t>(made.outputs[0])];
}

// The calls that read it in that order.
std::vector<std::size_t> readers_of(const Graph& graph, ValueId id) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < graph.calls.size(); ++i) {
    const GraphCall& call = graph.calls[i];
    for (std::size_t k = 0; k < call.inputs.size(); ++k) {
      if (call.inputs[k] != id || !wants_images_last(call.op, k)) continue;
      out.push_back(i);
      break;
    }
  }
  return out;
}

}  // namespace

std::size_t layouts(Graph& graph) {
  std::size_t changed = 0;
  const auto values = static_cast<ValueId>(graph.values.size());
  for (ValueId id = 0; id < values; ++id) {
    const GraphValue value = graph.values[static_cast<std::size_t>(id)];
    if (!can_be_brought(value)) continue;
    const GraphValue ordered = in_images_last(value);
    if (ordered.strides == value.strides) continue;
    const std::vector<std::size_t> readers = readers_of(graph, id);
    if (readers.size() < 2) continue;
    const auto now = static_cast<ValueId>(graph.values.size());
    graph.values.push_back(ordered);
    for (const std::size_t reader : readers) {
      GraphCall& call = graph.calls[reader];
      for (std::size_t k = 0; k < call.inputs.size(); ++k) {
        if (call.inputs[k] == id && wants_images_last(call.op, k)) call.inputs[k] = now;
      }
    }
    GraphCall bring;
    bring.op = &to_images_last_op;
    bring.inputs = {id};
    bring.outputs = {now};
    graph.calls.insert(graph.calls.begin() + static_cast<std::ptrdiff_t>(readers[0]), std::move(bring));
    ++changed;
  }
  if (changed > 0) number_anew(graph);
  return changed;
}

}  // namespace splot::compiler
