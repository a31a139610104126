// Ordering along an axis: sort, argsort, topk.
#include <algorithm>
#include <vector>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

template <typename T>
struct Entry {
  T value;
  Index index;
};

// A total order in which NaN is the largest and equal values keep their order: sorting by it is stable
// whatever the algorithm.
template <typename T, bool kDescending>
bool comes_first(const Entry<T>& a, const Entry<T>& b) {
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  if (a_nan || b_nan) return a_nan && b_nan ? a.index < b.index : (kDescending ? a_nan : b_nan);
  if (a.value == b.value) return a.index < b.index;
  return kDescending ? a.value > b.value : a.value < b.value;
}

// One line of x along the axis after another; the first k elements in order go to the outputs.
template <typename T, bool kDescending>
void order_lines(const KernelArgs& k, int axis) {
  const Tensor& x = k.inputs[0];
  const Shape shape = x.rank() == 0 ? Shape({1}) : x.shape();
  const Index size = shape[axis];
  const Index kept = x.rank() == 0 ? k.outputs[0].numel() : k.outputs[0].shape()[axis];
  if (k.outputs[0].numel() == 0) return;
  const Index stride = x.rank() == 0 ? 1 : x.strides()[axis];
  Index inner = 1;
  for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  const Index lines = k.outputs[0].numel() / kept;
  // As many lines as make a few thousand elements.
  const Index lines_per_chunk = std::max<Index>(1, 4096 / size);
  const double microseconds = 0.02 * static_cast<double>(x.numel());

  cpu::parallel_for((lines + lines_per_chunk - 1) / lines_per_chunk, microseconds, [&](Index chunk) {
    std::vector<Entry<T>> entries(static_cast<std::size_t>(size));
    const Index end = std::min(lines, (chunk + 1) * lines_per_chunk);
    for (Index line = chunk * lines_per_chunk; line < end; ++line) {
      const T* from = x.data<T>();
      Index rest = line;
      for (int i = shape.rank() - 1; i >= 0; --i) {
        if (i == axis) continue;
        from += rest % shape[i] * x.strides()[i];
        rest /= shape[i];
      }
      for (Index i = 0; i < size; ++i) entries[static_cast<std::size_t>(i)] = {from[i * stride], i};
      if (kept == size) {
        std::sort(entries.begin(), entries.end(), comes_first<T, kDescending>);
      } else {
        std::partial_sort(entries.begin(), entries.begin() + kept, entries.end(),
                          comes_first<T, kDescending>);
      }
      const Index first = line / inner * kept * inner + line % inner;
      for (Index i = 0; i < kept; ++i) {
        k.out<T>(0)[first + i * inner] = entries[static_cast<std::size_t>(i)].value;
        k.out<Index>(1)[first + i * inner] = entries[static_cast<std::size_t>(i)].index;
      }
    }
  });
}

void order(const KernelArgs& k, bool descending) {
  const int axis = static_cast<int>(k.attrs.integer("axis"));
  visit_numbers(k.inputs[0].dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    descending ? order_lines<T, true>(k, axis) : order_lines<T, false>(k, axis);
  });
}

int axis_of(const Shape& shape, Index axis, std::string_view op) {
  return (shape.rank() == 0 ? Shape({1}) : shape).axis(axis, op);
}

void require_calculates(const RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBFloat16, r.op(),
                      "bfloat16 can only be cast, copied and stored; cast to float32 first");
}

void sort_rule(RuleArgs& r) {
  require_calculates(r);
  axis_of(r.shape(0), r.attrs.integer("axis"), r.op());
  r.output(r.shape(0), r.dtype(0));
  r.output(r.shape(0), kInt64);
}

void sort_kernel(const KernelArgs& k) { order(k, k.attrs.flag("descending")); }

void topk_rule(RuleArgs& r) {
  require_calculates(r);
  const Shape& x = r.shape(0);
  const int axis = axis_of(x, r.attrs.integer("axis"), r.op());
  const Index k = r.attrs.integer("k"), size = x.rank() == 0 ? 1 : x[axis];
  require<ValueError>(0 <= k && k <= size, r.op(), "cannot take ", k, " of the ", size, " elements on axis ",
                      axis, " of x", x);
  // A 0-d tensor stays 0-d unless nothing is taken.
  const Shape shape = x.rank() != 0 ? x.with(axis, k) : k == 0 ? Shape({0}) : x;
  r.output(shape, r.dtype(0));
  r.output(shape, kInt64);
}

void topk_kernel(const KernelArgs& k) { order(k, k.attrs.flag("largest")); }

// y[i] = x[index[i]]: dx[index[i]] = dy[i], zero for what was not taken
TensorList ordered_vjp(const VjpArgs& v) {
  const Tensor index = stop_gradient(v.output(1));
  const Tensor dx = zeros(v.shape(0), v.dtype(0));
  if (index.rank() != v.shape(0).rank()) return {dx};
  return {scatter_add(dx, v.attrs().integer("axis"), index, v.dy())};
}

}  // namespace

extern constinit const OpDef sort_op = {
    .name = "sort",
    .attrs = {{"axis", AttrKind::integer}, {"descending", AttrKind::boolean}},
    .outputs = 2,
    .rule = sort_rule,
    .kernel = sort_kernel,
    .vjp = ordered_vjp,
    .keeps = {.outputs = keep(1)},
};

extern constinit const OpDef topk_op = {
    .name = "topk",
    .attrs = {{"k", AttrKind::integer}, {"axis", AttrKind::integer}, {"largest", AttrKind::boolean}},
    .outputs = 2,
    .rule = topk_rule,
    .kernel = topk_kernel,
    .vjp = ordered_vjp,
    .keeps = {.outputs = keep(1)},
    .onnx = "TopK",
};

namespace {

Ordered ordered(const OpDef& op, const Tensor& x, const Attrs& attrs) {
  TensorList out = apply_all(op, {&x, 1}, attrs);
  return {std::move(out[0]), std::move(out[1])};
}

}  // namespace

Ordered sort(const Tensor& x, Index axis, bool descending) {
  const Index at = axis_of(x.shape(), axis, "sort");
  return ordered(sort_op, x, {sort_op.attrs, {at, descending}});
}

Tensor argsort(const Tensor& x, Index axis, bool descending) { return sort(x, axis, descending).indices; }

Ordered topk(const Tensor& x, Index k, Index axis, bool largest) {
  const Index at = axis_of(x.shape(), axis, "topk");
  return ordered(topk_op, x, {topk_op.attrs, {k, at, largest}});
}

}  // namespace splot
