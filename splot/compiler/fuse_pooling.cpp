// fuse-pooling: a convolution stores the largest of each four of its sums, and its result is in no memory.
#include "splot/compiler/internal/convolutions.h"
#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/core/node.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

// Windows of 2 x 2 side by side.
bool is_pool_of_pairs(const GraphCall& call) {
  const Attrs& a = call.attrs;
  return call.op == &max_pool2d_op && a.ints("kernel") == Ints{2, 2} && a.ints("stride") == Ints{2, 2} &&
         a.ints("padding") == Ints{0, 0} && a.ints("dilation") == Ints{1, 1} && !a.flag("ceil");
}

// Of float32, where that is faster.
bool pools_with_winners(const Rewriter& g, const GraphCall& conv) {
  const GraphValue& x = g.value(conv.inputs[0]);
  const Attrs& a = conv.attrs;
  return x.dtype == kFloat32 &&
         conv2d_pools_with_winners(x.shape, g.value(conv.inputs[1]).shape, a.ints("stride"),
                                   a.ints("padding"), a.ints("dilation"), a.integer("groups"));
}

// max_pool(convolution) -> the convolution that stores the largest of each four sums, and which of them it is
// where derivatives ask for that. One of several images that goes over rows would have to keep all sums of a
// row somewhere: it is left as it is.
ValueIds joined_pool(Rewriter& g, const GraphCall& call, const ReadCounts& reads) {
  if (!is_pool_of_pairs(call) || !reads.once(call.inputs[0])) return {};
  const GraphCall* made = g.maker(call.inputs[0]);
  if (made == nullptr || made->inputs.size() != 3) return {};
  const Attrs& a = made->attrs;
  const ValueIds inputs = made->inputs;
  const bool relu = made->op == &conv2d_fused_op && a.flag("relu");
  if (!reads.never(call.outputs[1])) {
    if (!is_conv(*made) || !pools_with_winners(g, *made)) return {};
    const Attrs attrs = conv_attrs(conv2d_max_pool_op, a, relu);
    return g.add_all(inputs,
                     [&](std::span<const Tensor> in) { return apply_all(conv2d_max_pool_op, in, attrs); });
  }
  ValueIds out;
  if (made->op == &conv2d_winograd_op && !a.flag("pool")) {
    out = called(g, conv2d_winograd_op, inputs,
                 {conv2d_winograd_op.attrs, {a.ints("padding"), a.flag("relu"), true}});
  } else if (is_conv(*made) && g.value(inputs[0]).shape[0] == 1) {
    out = called(g, conv2d_pooled_op, inputs, conv_attrs(conv2d_pooled_op, a, relu));
  }
  if (!out.empty()) out.push_back(call.outputs[1]);
  return out;
}

}  // namespace

std::size_t fuse_pooling(Graph& graph) {
  const NoGrad off;
  const ReadCounts reads(graph);
  return rewrite(graph, [&](Rewriter& g, const GraphCall& call) { return joined_pool(g, call, reads); });
}

}  // namespace splot::compiler
