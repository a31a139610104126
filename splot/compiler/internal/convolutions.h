// What passes ask of convolutions, and how they write others in their place.
#pragma once

#include <span>

#include "splot/compiler/internal/rewrite.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

/// Makes the call again of other inputs and attributes.
inline ValueIds called(Rewriter& g, const OpDef& op, const ValueIds& inputs, const Attrs& attrs) {
  return {g.add(inputs, [&](std::span<const Tensor> in) { return apply(op, in, attrs); })};
}

inline bool is_conv(const GraphCall& call) { return call.op == &conv2d_op || call.op == &conv2d_fused_op; }

/// Of conv2d_fused, conv2d_pooled and conv2d_max_pool, for a convolution of the attributes a.
inline Attrs conv_attrs(const OpDef& op, const Attrs& a, bool relu) {
  return {op.attrs, {a.ints("stride"), a.ints("padding"), a.ints("dilation"), a.integer("groups"), relu}};
}

}  // namespace splot::compiler
