// Identities that keep every bit.
#include <algorithm>

#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

using In = std::span<const Tensor>;

// f(f(x)) = f(x).
bool is_idempotent(const OpDef& op) {
  static constexpr const OpDef* kOps[] = {&abs_op,   &sign_op, &floor_op, &ceil_op,
                                          &round_op, &relu_op, &clamp_op};
  return std::find(std::begin(kOps), std::end(kOps), &op) != std::end(kOps);
}

// Whether a conversion and the way back give the same elements.
bool holds_all_of(DType wide, DType narrow) {
  if (wide == narrow) return true;
  if (narrow == kBool) return true;
  if (narrow == kUInt8) return wide != kBool;
  if (narrow == kInt32) return wide == kInt64 || wide == kFloat64;
  if (narrow == kBFloat16) return wide == kFloat32 || wide == kFloat64;
  return narrow == kFloat32 && wide == kFloat64;
}

// Adding a number that changes no element: -0 to floating ones, for 0 would make 0 of -0.
double neutral_of_add(DType dtype) { return dtype.is_floating() ? -0.0 : 0.0; }

ValueIds arithmetic(const Rewriter& g, const GraphCall& call) {
  const ValueIds& in = call.inputs;
  if (call.op == &mul_op || call.op == &add_op) {
    const double neutral = call.op == &mul_op ? 1.0 : neutral_of_add(g.value(in[0]).dtype);
    if (g.is_number(in[1], neutral)) return {in[0]};
    if (g.is_number(in[0], neutral)) return {in[1]};
  }
  if (call.op == &div_op && g.is_number(in[1], 1.0)) return {in[0]};
  if (call.op == &sub_op && g.is_number(in[1], 0.0)) return {in[0]};
  if (call.op == &neg_op || call.op == &logical_not_op) {
    if (const GraphCall* inner = g.made_by(in[0], *call.op)) return {inner->inputs[0]};
  }
  if (call.op == &where_op && in[1] == in[2]) return {in[1]};
  const GraphCall* inner = g.made_by(in[0], *call.op);
  if (inner != nullptr && is_idempotent(*call.op) && inner->attrs == call.attrs) return {in[0]};
  return {};
}

ValueIds conversion(const Rewriter& g, const GraphCall& call) {
  const ValueId x = call.inputs[0];
  const DType to = g.value(call.outputs[0]).dtype;
  if (g.value(x).dtype == to) return {x};
  const GraphCall* inner = g.made_by(x, cast_op);
  if (inner == nullptr || g.value(inner->inputs[0]).dtype != to) return {};
  return holds_all_of(g.value(x).dtype, to) ? ValueIds{inner->inputs[0]} : ValueIds();
}

// Another look at the same elements in the same order.
ValueIds view(Rewriter& g, const GraphCall& call) {
  const GraphValue& from = g.value(call.inputs[0]);
  const Tensor x = Tensor::without_elements(from.shape, from.dtype, from.strides);
  const Tensor seen = call.op->view({&x, 1}, call.attrs);
  const bool same_place =
      seen.impl()->storage == x.impl()->storage && seen.impl()->offset == x.impl()->offset;
  if (same_place && seen.shape() == from.shape && seen.strides() == from.strides) return {call.inputs[0]};

  const GraphCall* inner = g.made_by(call.inputs[0], *call.op);
  if (inner == nullptr) return {};
  const ValueId first = inner->inputs[0];
  if (call.op == &flip_op) return inner->attrs == call.attrs ? ValueIds{first} : ValueIds();
  if (call.op == &permute_op) {
    Ints order;
    for (const Index axis : call.attrs.ints("order")) {
      order.push_back(inner->attrs.ints("order")[static_cast<int>(axis)]);
    }
    return {g.add({first}, [&](In in) { return permute(in[0], order); })};
  }
  const Shape shape(g.value(call.outputs[0]).shape);
  if (call.op == &reshape_op) return {g.add({first}, [&](In in) { return reshape(in[0], shape.ints()); })};
  if (call.op == &expand_op) return {g.add({first}, [&](In in) { return expand(in[0], shape); })};
  return {};
}

// The gradient that a maximum pooling of y spreads over y goes through the gradient of the relu that made y.
// Only winners get any, and they are what the pooling gives: relu's gradient can be taken there, of fewer
// numbers, and y is not needed any more.
ValueIds relu_before_pooling(Rewriter& g, const GraphCall& call) {
  const GraphCall* spread = g.made_by(call.inputs[0], max_pool2d_grad_op);
  const GraphCall* pooling = spread == nullptr ? nullptr : g.made_by(spread->inputs[1], max_pool2d_op);
  if (pooling == nullptr || pooling->inputs[0] != call.inputs[1]) return {};
  const Attrs attrs = spread->attrs;
  return {g.add({spread->inputs[0], pooling->outputs[0], spread->inputs[1]}, [&](In in) {
    return apply(max_pool2d_grad_op, {relu_grad(in[0], in[1]), in[2]}, attrs);
  })};
}

}  // namespace

std::size_t identities(Graph& graph) {
  return rewrite(graph, [](Rewriter& g, const GraphCall& call) -> ValueIds {
    if (call.inputs.empty()) return {};
    if (call.op->view != nullptr) return view(g, call);
    if (call.op == &cast_op) return conversion(g, call);
    if (call.op == &relu_grad_op) return relu_before_pooling(g, call);
    return arithmetic(g, call);
  });
}

}  // namespace splot::compiler
