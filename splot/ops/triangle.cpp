// tril and triu: the part of a matrix on one side of a diagonal.
#include <algorithm>

#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void triangle_rule(RuleArgs& r) {
  require(r.shape(0).rank() >= 2, r.op(), "needs at least two axes, got ", r.shape(0));
  r.output(r.shape(0), r.dtype(0));
}

// Row i keeps the columns up to i + diagonal (lower) or from there on (upper); the rest becomes zero.
template <bool kLower>
void triangle_kernel(const KernelArgs& k) {
  const Tensor x = contiguous(k.inputs[0]);
  if (x.numel() == 0) return;
  const Index rows = x.shape()[-2], columns = x.shape()[-1];
  // Beyond the corners nothing changes any more, and i + diagonal cannot overflow.
  const Index diagonal = std::clamp(k.attrs.integer("diagonal"), -rows - 1, columns + 1);
  visit_any(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* in = x.data<T>();
    T* out = k.out<T>();
    for (Index row = 0; row < x.numel() / columns; ++row, in += columns, out += columns) {
      const Index i = row % rows;
      const Index split = std::clamp<Index>(i + diagonal + (kLower ? 1 : 0), 0, columns);
      if constexpr (kLower) {
        std::copy_n(in, split, out);
        std::fill(out + split, out + columns, T());
      } else {
        std::fill_n(out, split, T());
        std::copy(in + split, in + columns, out + split);
      }
    }
  });
}

TensorList tril_vjp(const VjpArgs& v) { return {tril(v.dy(), v.attrs().integer("diagonal"))}; }
TensorList triu_vjp(const VjpArgs& v) { return {triu(v.dy(), v.attrs().integer("diagonal"))}; }

}  // namespace

extern constinit const OpDef tril_op = {
    .name = "tril",
    .attrs = {{"diagonal", AttrKind::integer}},
    .rule = triangle_rule,
    .kernel = triangle_kernel<true>,
    .vjp = tril_vjp,
    .onnx = "Trilu",
};

extern constinit const OpDef triu_op = {
    .name = "triu",
    .attrs = {{"diagonal", AttrKind::integer}},
    .rule = triangle_rule,
    .kernel = triangle_kernel<false>,
    .vjp = triu_vjp,
    .onnx = "Trilu",
};

Tensor tril(const Tensor& x, Index diagonal) { return apply(tril_op, {x}, {tril_op.attrs, {diagonal}}); }
Tensor triu(const Tensor& x, Index diagonal) { return apply(triu_op, {x}, {triu_op.attrs, {diagonal}}); }

}  // namespace splot
