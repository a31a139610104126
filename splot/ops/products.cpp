// prod, logsumexp and cumsum.
#include <algorithm>
#include <cmath>
#include <vector>

#include "splot/ops/internal/reduce.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// --- prod

void require_numbers(const RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBFloat16, r.op(),
                      "bfloat16 can only be cast, copied and stored; cast to float32 first");
}

void prod_rule(RuleArgs& r) {
  require_numbers(r);
  const DType dtype = r.dtype(0).is_floating() ? r.dtype(0) : kInt64;
  r.output(reduced_shape(r.shape(0), r.attrs.ints("axes"), r.attrs.flag("keepdim")), dtype);
}

void prod_kernel(const KernelArgs& k) {
  reduce_tensor(cpu::Reduce::prod, k.inputs[0], k.attrs.ints("axes"), nullptr, k.outputs[0].dtype(),
                k.raw_out());
}

Tensor last_axis(const Tensor& x, Index start, Index stop) { return slice(x, -1, start, stop); }

// For each element of the last axis the product of all the others, without a division: right for zeros too.
// Pairs are multiplied up to one product; on the way down each factor receives the product of what was
// outside its pair, times its partner.
Tensor products_of_others(const Tensor& x) {
  TensorList levels = {x};
  while (levels.back().shape()[-1] > 1) {
    const Tensor& level = levels.back();
    const Index n = level.shape()[-1], half = n / 2;
    const Tensor pairs = last_axis(level, 0, half) * last_axis(level, half, 2 * half);
    levels.push_back(n % 2 == 0 ? pairs : concat({pairs, last_axis(level, n - 1, n)}, -1));
  }
  Tensor outside = ones(levels.back().shape(), x.dtype());
  for (std::size_t i = levels.size() - 1; i-- > 0;) {
    const Tensor& level = levels[i];
    const Index n = level.shape()[-1], half = n / 2;
    const Tensor pairs = last_axis(outside, 0, half);
    const Tensor left = pairs * last_axis(level, half, 2 * half);
    const Tensor right = pairs * last_axis(level, 0, half);
    outside = n % 2 == 0 ? concat({left, right}, -1)
                         : concat({left, right, last_axis(outside, half, half + 1)}, -1);
  }
  return outside;
}

TensorList prod_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(0);
  const Axes& axes = v.attrs().ints("axes");
  if (x.numel() == 0) return {zeros(x.shape(), x.dtype())};
  Ints order, sizes, inverse(x.rank(), 0);
  for (int i = 0; i < x.rank(); ++i) {
    if (!axes.contains(i)) order.push_back(i);
  }
  Ints flat = reduced_shape(x.shape(), axes, false).ints();
  for (const Index axis : axes) order.push_back(axis);
  for (int i = 0; i < order.size(); ++i) {
    inverse[static_cast<int>(order[i])] = i;
    sizes.push_back(x.shape()[static_cast<int>(order[i])]);
  }
  const Index n = reduced_count(x.shape(), axes);
  if (axes.empty()) return {v.dy()};
  // One flat axis of factors; a shape of the largest rank has an axis to spare because at least one is
  // reduced.
  flat.push_back(n);
  const Tensor others = products_of_others(reshape(permute(x, order), flat));
  return {permute(reshape(others, sizes), inverse) * axes_put_back(v.dy(), v)};
}

// --- logsumexp

void logsumexp_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) == kFloat32 || r.dtype(0) == kFloat64, r.op(),
                      "needs float32 or float64, got ", r.dtype(0));
  reduction_rule(r);
}

// log sum exp(x - m) + m with the largest m, so that nothing overflows; an infinite m would give inf - inf.
void logsumexp_kernel(const KernelArgs& k) {
  const Tensor& x = k.inputs[0];
  const Axes& axes = k.attrs.ints("axes");
  visit_floats(x.dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Index n = k.outputs[0].numel();
    const Ref<Storage> storage = Storage::allocate(static_cast<std::size_t>(n) * sizeof(T));
    auto* largest = static_cast<T*>(storage->data());
    reduce_tensor(cpu::Reduce::max, x, axes, nullptr, x.dtype(), largest);
    for (Index i = 0; i < n; ++i) largest[i] = std::isinf(largest[i]) ? T(0) : largest[i];
    T* out = k.out<T>();
    reduce_tensor(cpu::Reduce::exps, x, axes, largest, x.dtype(), out);
    for (Index i = 0; i < n; ++i) out[i] = std::log(out[i]) + largest[i];
  });
}

// dx = softmax(x) dy
TensorList logsumexp_vjp(const VjpArgs& v) {
  return {exp(v.input(0) - axes_put_back(v.output(), v)) * axes_put_back(v.dy(), v)};
}

// --- cumsum

void cumsum_rule(RuleArgs& r) {
  require_numbers(r);
  r.output(r.shape(0), r.dtype(0).is_floating() ? r.dtype(0) : kInt64);
}

// Running sums in double, or int64, over the axis; `step` is -1 to run backwards.
template <typename In, typename Out>
void running_sums(const In* x, const cpu::ReduceSizes& s, bool reverse, Out* out) {
  using Sum = std::conditional_t<std::is_floating_point_v<Out>, double, std::uint64_t>;
  std::vector<Sum> sums(static_cast<std::size_t>(s.inner));
  for (Index o = 0; o < s.outer; ++o) {
    std::fill(sums.begin(), sums.end(), Sum(0));
    for (Index l = 0; l < s.length; ++l) {
      const Index row = (o * s.length + (reverse ? s.length - 1 - l : l)) * s.inner;
      for (Index i = 0; i < s.inner; ++i) {
        Sum& sum = sums[static_cast<std::size_t>(i)];
        sum += static_cast<Sum>(x[row + i]);
        out[row + i] = static_cast<Out>(sum);
      }
    }
  }
}

void cumsum_kernel(const KernelArgs& k) {
  const Tensor x = contiguous(k.inputs[0]);
  if (x.numel() == 0) return;
  const auto axis = static_cast<int>(k.attrs.integer("axis"));
  cpu::ReduceSizes sizes;
  for (int i = 0; i < x.rank(); ++i) {
    (i < axis ? sizes.outer : i == axis ? sizes.length : sizes.inner) *= x.shape()[i];
  }
  visit_numbers(x.dtype(), k.op.name, [&](auto tag) {
    using In = typename decltype(tag)::type;
    using Out = std::conditional_t<std::is_floating_point_v<In>, In, std::int64_t>;
    running_sums(x.data<In>(), sizes, k.attrs.flag("reverse"), k.out<Out>());
  });
}

// Every later sum holds x: dx is the running sum of dy from the other end.
TensorList cumsum_vjp(const VjpArgs& v) {
  return {cumsum(v.dy(), v.attrs().integer("axis"), !v.attrs().flag("reverse"))};
}

}  // namespace

extern constinit const OpDef prod_op = {
    .name = "prod",
    .attrs = {{"axes", AttrKind::ints}, {"keepdim", AttrKind::boolean}},
    .rule = prod_rule,
    .kernel = prod_kernel,
    .vjp = prod_vjp,
    .keeps = {.inputs = keep(0)},
    .onnx = "ReduceProd",
};

extern constinit const OpDef logsumexp_op = {
    .name = "logsumexp",
    .attrs = {{"axes", AttrKind::ints}, {"keepdim", AttrKind::boolean}},
    .rule = logsumexp_rule,
    .kernel = logsumexp_kernel,
    .vjp = logsumexp_vjp,
    .keeps = {.inputs = keep(0), .outputs = keep(0)},
    .onnx = "ReduceLogSumExp",
};

extern constinit const OpDef cumsum_op = {
    .name = "cumsum",
    .attrs = {{"axis", AttrKind::integer}, {"reverse", AttrKind::boolean}},
    .rule = cumsum_rule,
    .kernel = cumsum_kernel,
    .vjp = cumsum_vjp,
    .onnx = "CumSum",
};

Tensor prod(const Tensor& x, const Axes& axes, bool keepdim) {
  return apply(prod_op, {x}, {prod_op.attrs, {normalize_axes(axes, x.shape(), "prod"), keepdim}});
}
Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim) {
  return apply(logsumexp_op, {as_floating(x)},
               {logsumexp_op.attrs, {normalize_axes(axes, x.shape(), "logsumexp"), keepdim}});
}
Tensor cumsum(const Tensor& x, Index axis, bool reverse) {
  // A single number is a list of one, as in PyTorch.
  if (x.rank() == 0 && (axis == 0 || axis == -1)) return reshape(cumsum(reshape(x, {1}), 0, reverse), {});
  return apply(cumsum_op, {x}, {cumsum_op.attrs, {Index{x.shape().axis(axis, "cumsum")}, reverse}});
}

}  // namespace splot
