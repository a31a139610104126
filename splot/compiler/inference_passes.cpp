// Passes for networks that only answer: weights are constants, and what follows a product of them becomes
// part of it.
#include <optional>
#include <utility>

#include "splot/compiler/internal/convolutions.h"
#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/core/node.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

using In = std::span<const Tensor>;

bool takes_relu(const GraphCall& call) {
  return call.op == &conv2d_fused_op || call.op == &conv2d_pooled_op || call.op == &conv2d_winograd_op ||
         call.op == &conv2d_patches_op || call.op == &linear_packed_op;
}

Attrs fused_attrs(const Attrs& a, bool relu) { return conv_attrs(conv2d_fused_op, a, relu); }

Attrs with_relu(const GraphCall& call) {
  if (call.op == &conv2d_fused_op || call.op == &conv2d_pooled_op) {
    return conv_attrs(*call.op, call.attrs, true);
  }
  if (call.op == &linear_packed_op) return {linear_packed_op.attrs, {true}};
  const Attrs& a = call.attrs;
  if (call.op == &conv2d_winograd_op) {
    return {conv2d_winograd_op.attrs, {a.ints("padding"), true, a.flag("pool")}};
  }
  return {conv2d_patches_op.attrs, {a.ints("stride"), a.ints("padding"), a.ints("dilation"), true}};
}

// --- batch norm

// One number for each of so many channels, which have `behind` axes behind them; what broadcasts otherwise is
// none.
std::optional<Tensor> by_channel(const Tensor* x, Index channels, int behind) {
  if (x == nullptr || x->numel() != channels || x->rank() <= behind) return std::nullopt;
  if (x->shape()[x->rank() - 1 - behind] != channels) return std::nullopt;
  return reshape(*x, {channels});
}

// w[out, ...] with everything that makes an output multiplied by its scale.
Tensor scaled_weights(const Tensor& w, const Tensor& scale) {
  Ints beside(w.rank(), 1);
  beside[0] = scale.numel();
  return contiguous(w * reshape(scale, beside));
}

// relu(scale (x * w) + b) -> relu(x * (scale w) + b)
ValueIds folded_scale(Rewriter& g, const GraphCall& conv) {
  if (conv.inputs.size() != 4) return {};
  const Tensor *w = g.constant(conv.inputs[1]), *scale = g.constant(conv.inputs[3]);
  if (w == nullptr || scale == nullptr) return {};
  const Attrs attrs = conv.attrs;
  const ValueId x = conv.inputs[0], b = conv.inputs[2];
  const ValueId scaled = g.add_constant(scaled_weights(*w, *scale));
  return called(g, conv2d_fused_op, {x, scaled, b}, attrs);
}

// scale (x * w + b) + shift -> x * (scale w) + (scale b + shift)
ValueIds folded_into_product(Rewriter& g, const GraphCall& call, const ReadCounts& reads) {
  const GraphCall* made = reads.once(call.inputs[0]) ? g.maker(call.inputs[0]) : nullptr;
  if (made == nullptr || made->inputs.size() > 3 || (!is_conv(*made) && made->op != &linear_op)) return {};
  if (made->op == &conv2d_fused_op && made->attrs.flag("relu")) return {};
  const Tensor* w = g.constant(made->inputs[1]);
  const Tensor* b = made->inputs.size() == 3 ? g.constant(made->inputs[2]) : nullptr;
  if (w == nullptr || (made->inputs.size() == 3 && b == nullptr)) return {};
  const int behind = is_conv(*made) ? 2 : 0;
  const std::optional<Tensor> scale = by_channel(g.constant(call.inputs[1]), w->shape()[0], behind);
  const std::optional<Tensor> shift = by_channel(g.constant(call.inputs[2]), w->shape()[0], behind);
  if (!scale || !shift) return {};
  const ValueId x = made->inputs[0];
  const std::optional<Attrs> attrs =
      is_conv(*made) ? std::optional(fused_attrs(made->attrs, false)) : std::nullopt;
  const Tensor bias = b == nullptr ? *shift : *scale * *b + *shift;
  const ValueIds inputs = {x, g.add_constant(scaled_weights(*w, *scale)), g.add_constant(contiguous(bias))};
  return attrs ? called(g, conv2d_fused_op, inputs, *attrs) : called(g, linear_op, inputs, {});
}

// --- epilogue

// relu(product) -> the product with relu
ValueIds joined_relu(Rewriter& g, const GraphCall& call, const ReadCounts& reads) {
  const GraphCall* made = reads.once(call.inputs[0]) ? g.maker(call.inputs[0]) : nullptr;
  if (made == nullptr) return {};
  if (takes_relu(*made)) {
    if (made->attrs.flag("relu")) return {};
    const ValueIds inputs = made->inputs;
    return called(g, *made->op, inputs, with_relu(*made));
  }
  if (made->op != &conv2d_op) return {};
  ValueIds inputs = made->inputs;
  const Attrs attrs = fused_attrs(made->attrs, true);
  if (inputs.size() == 2) {
    const GraphValue& w = g.value(inputs[1]);
    inputs.push_back(g.add_constant(zeros({w.shape[0]}, w.dtype)));
  }
  return called(g, conv2d_fused_op, inputs, attrs);
}

// product + shortcut -> the product with the shortcut; a bias behind a product without one -> its bias
ValueIds joined_sum(Rewriter& g, const GraphCall& call, const ReadCounts& reads, std::size_t side) {
  const ValueId sum = call.inputs[side], other = call.inputs[1 - side];
  const GraphCall* made = reads.once(sum) ? g.maker(sum) : nullptr;
  if (made == nullptr) return {};
  ValueIds inputs = made->inputs;
  if (made->op == &linear_op && inputs.size() == 2) {
    const Tensor* b = g.constant(other);
    if (b == nullptr || b->rank() != 1 || b->numel() != g.value(sum).shape[-1]) return {};
    inputs.push_back(other);
    return called(g, linear_op, inputs, {});
  }
  if (made->op != &conv2d_winograd_op || inputs.size() != 3) return {};
  if (made->attrs.flag("relu") || made->attrs.flag("pool")) return {};
  if (!(g.value(other).shape == g.value(sum).shape)) return {};
  inputs.push_back(other);
  return called(g, conv2d_winograd_op, inputs, made->attrs);
}

// --- packed weights

// More rows of x than that take a kernel that packs as it goes, in the time of eight rows.
constexpr Index kMostPackedRows = 64;

ValueIds packed_linear_call(Rewriter& g, const GraphCall& call) {
  const Tensor* w = g.constant(call.inputs[1]);
  const GraphValue& y = g.value(call.outputs[0]);
  if (w == nullptr || w->numel() == 0 || y.shape.numel() > kMostPackedRows * w->shape()[0]) return {};
  const ValueId x = call.inputs[0];
  const Tensor packed = pack_linear(*w);
  const ValueId b =
      call.inputs.size() == 3 ? call.inputs[2] : g.add_constant(zeros({w->shape()[0]}, w->dtype()));
  return called(g, linear_packed_op, {x, g.add_constant(packed), b}, {linear_packed_op.attrs, {false}});
}

ValueIds packed_conv_call(Rewriter& g, const GraphCall& call) {
  const Tensor* w = g.constant(call.inputs[1]);
  const Attrs& attrs = call.attrs;
  if (w == nullptr || w->dtype() != kFloat32 || call.inputs.size() > 3 || attrs.integer("groups") != 1) {
    return {};
  }
  const Ints stride = attrs.ints("stride"), padding = attrs.ints("padding"),
             dilation = attrs.ints("dilation");
  const bool relu = call.op == &conv2d_fused_op && attrs.flag("relu");
  const Shape& images = g.value(call.inputs[0]).shape;
  const bool dense = stride == Ints{1, 1} && dilation == Ints{1, 1};
  const bool by_winograd = dense && conv2d_by_winograd(images, w->shape(), padding);
  if (!by_winograd && !conv2d_by_patches(images, w->shape(), stride)) return {};
  const Tensor packed = by_winograd ? winograd_weights(*w) : patch_weights(*w);
  const ValueId x = call.inputs[0];
  const ValueId b =
      call.inputs.size() == 3 ? call.inputs[2] : g.add_constant(zeros({w->shape()[0]}, w->dtype()));
  const ValueIds inputs = {x, g.add_constant(packed), b};
  if (by_winograd) {
    return called(g, conv2d_winograd_op, inputs, {conv2d_winograd_op.attrs, {padding, relu, false}});
  }
  return called(g, conv2d_patches_op, inputs, {conv2d_patches_op.attrs, {stride, padding, dilation, relu}});
}

}  // namespace

std::size_t freeze(Graph& graph) {
  std::vector<bool> written(graph.slots.size());
  for (const GraphWrite& write : graph.writes) written[static_cast<std::size_t>(write.slot)] = true;
  std::size_t frozen = 0;
  for (GraphInput& input : graph.inputs) {
    if (input.kind != GraphInput::Kind::slot || written[static_cast<std::size_t>(input.index)]) continue;
    input.constant = graph.slots[static_cast<std::size_t>(input.index)].value().detach();
    input.kind = GraphInput::Kind::constant;
    input.index = 0;
    ++frozen;
  }
  // Nothing refers to a slot any more: what becomes of them does not concern the graph.
  if (graph.writes.empty()) {
    graph.slots.clear();
    graph.slot_tensors = SlotTensors();
  }
  return frozen;
}

std::size_t fold_batch_norm(Graph& graph) {
  const NoGrad off;
  const ReadCounts reads(graph);
  return rewrite(graph, [&](Rewriter& g, const GraphCall& call) -> ValueIds {
    if (call.op == &conv2d_fused_op) return folded_scale(g, call);
    if (call.op == &scale_shift_op) return folded_into_product(g, call, reads);
    return {};
  });
}

std::size_t fuse_epilogue(Graph& graph) {
  const NoGrad off;
  const ReadCounts reads(graph);
  return rewrite(graph, [&](Rewriter& g, const GraphCall& call) -> ValueIds {
    if (call.op == &relu_op) return joined_relu(g, call, reads);
    if (call.op != &add_op) return {};
    const ValueIds first = joined_sum(g, call, reads, 0);
    return first.empty() ? joined_sum(g, call, reads, 1) : first;
  });
}

std::size_t pack_weights(Graph& graph) {
  const NoGrad off;
  return rewrite(graph, [](Rewriter& g, const GraphCall& call) -> ValueIds {
    if (call.op == &linear_op) return packed_linear_call(g, call);
    return is_conv(call) ? packed_conv_call(g, call) : ValueIds();
  });
}

}  // namespace splot::compiler
