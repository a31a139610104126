// Tensors put together: concat, stack, pad.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "splot/core/node.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/internal/window.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// --- concat

void concat_rule(RuleArgs& r) {
  require<ValueError>(!r.inputs.empty(), r.op(), "needs at least one tensor");
  require_same_dtype(r);
  const Shape& first = r.shape(0);
  const int axis = first.axis(r.attrs.integer("axis"), r.op());
  Index total = 0;
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    const Shape& shape = r.shape(i);
    require(shape.rank() == first.rank(), r.op(), "tensor 0 is ", first, ", tensor ", i, " is ", shape,
            ": the number of axes differs");
    for (int j = 0; j < first.rank(); ++j) {
      require(j == axis || shape[j] == first[j], r.op(), "tensor 0 is ", first, ", tensor ", i, " is ", shape,
              ": axis ", j, " has sizes ", first[j], " and ", shape[j], " and only axis ", axis,
              " may differ");
    }
    require(!__builtin_add_overflow(total, shape[axis], &total), r.op(), "the sizes of axis ", axis,
            " add up to more than a 64-bit integer can count");
  }
  output_in_order(r, first.with(axis, total));
}

void concat_kernel(const KernelArgs& k) {
  const Tensor& y = k.outputs[0];
  const int axis = static_cast<int>(k.attrs.integer("axis"));
  const Index step = y.strides()[axis] * static_cast<Index>(y.dtype().size());
  auto* at = static_cast<std::byte*>(k.raw_out());
  for (const Tensor& x : k.inputs) {
    copy_to_window(x, {at, y.strides()});
    at += x.shape()[axis] * step;
  }
}

// y = [x0 x1 ...]: each takes its part of dy
TensorList concat_vjp(const VjpArgs& v) {
  const Index axis = v.attrs().integer("axis");
  TensorList out(v.input_count());
  Index first = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Index size = v.shape(i)[static_cast<int>(axis)];
    if (v.needs(i)) out[i] = slice(v.dy(), axis, first, first + size);
    first += size;
  }
  return out;
}

// --- pad

Ints negated(const Ints& values) {
  Ints out;
  for (const Index value : values) out.push_back(-value);
  return out;
}

// Limits that keep sums of sizes and paddings far from overflow.
constexpr Index kMaxPadding = Index{1} << 60;

void pad_rule(RuleArgs& r) {
  const Shape& x = r.shape(0);
  const Ints& before = r.attrs.ints("before");
  const Ints& after = r.attrs.ints("after");
  require(before.size() == x.rank() && after.size() == x.rank(), r.op(), "before ", before, " and after ",
          after, " must have one number for each axis of x", x);
  Ints sizes;
  for (int i = 0; i < x.rank(); ++i) {
    require(std::abs(before[i]) < kMaxPadding && std::abs(after[i]) < kMaxPadding && x[i] < kMaxPadding,
            r.op(), "the padding ", before[i], ", ", after[i], " of axis ", i, " is too large");
    require(x[i] + std::min<Index>(before[i], 0) + std::min<Index>(after[i], 0) >= 0, r.op(), "axis ", i,
            " of x", x, " has ", x[i], " elements; before ", before, " and after ", after, " cut off more");
    sizes.push_back(before[i] + x[i] + after[i]);
  }
  output_in_order(r, Shape(sizes));
}

void pad_kernel(const KernelArgs& k) {
  const NoGrad off;
  const Tensor& x = k.inputs[0];
  const Tensor& y = k.outputs[0];
  const Ints& before = k.attrs.ints("before");
  const Ints& after = k.attrs.ints("after");
  Slices kept;
  Index offset = 0, added = 0;
  for (int i = 0; i < x.rank(); ++i) {
    kept.push_back({std::max<Index>(-before[i], 0), x.shape()[i] - std::max<Index>(-after[i], 0)});
    offset += std::max<Index>(before[i], 0) * y.strides()[i];
    added += std::max<Index>(before[i], 0) + std::max<Index>(after[i], 0);
  }
  if (added != 0) {
    visit_any(y.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T value = convert<T>(k.attrs.number("value"));
      // Zeros are by far the most frequent, and memset several times as fast.
      const std::array<std::byte, sizeof(T)> bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
      if (bytes == std::array<std::byte, sizeof(T)>{}) {
        std::memset(k.raw_out(), 0, static_cast<std::size_t>(y.numel()) * sizeof(T));
      } else {
        std::fill_n(k.out<T>(), y.numel(), value);
      }
    });
  }
  const Tensor inside = slice(x, kept);
  if (inside.numel() == 0) return;
  auto* first = static_cast<std::byte*>(k.raw_out()) + offset * static_cast<Index>(y.dtype().size());
  copy_to_window(inside, {first, y.strides()});
}

// What was added is cut off, what was cut off gets zeros.
TensorList pad_vjp(const VjpArgs& v) {
  return {pad(v.dy(), negated(v.attrs().ints("before")), negated(v.attrs().ints("after")))};
}

}  // namespace

extern constinit const OpDef concat_op = {
    .name = "concat",
    .attrs = {{"axis", AttrKind::integer}},
    .inputs = -1,
    .rule = concat_rule,
    .kernel = concat_kernel,
    .vjp = concat_vjp,
    .onnx = "Concat",
};

extern constinit const OpDef pad_op = {
    .name = "pad",
    .attrs = {{"before", AttrKind::ints}, {"after", AttrKind::ints}, {"value", AttrKind::number}},
    .rule = pad_rule,
    .kernel = pad_kernel,
    .vjp = pad_vjp,
    .onnx = "Pad",
};

namespace {

TensorList with_common_dtype(std::span<const Tensor> tensors, std::string_view op) {
  require<ValueError>(!tensors.empty(), op, "needs at least one tensor");
  const DType dtype = result_type(tensors);
  TensorList out;
  for (const Tensor& x : tensors) out.push_back(converted(x, dtype));
  return out;
}

}  // namespace

Tensor concat(std::span<const Tensor> tensors, Index axis) {
  const TensorList inputs = with_common_dtype(tensors, "concat");
  return apply(concat_op, inputs, {concat_op.attrs, {Index{inputs[0].shape().axis(axis, "concat")}}});
}
Tensor concat(std::initializer_list<Tensor> tensors, Index axis) {
  return concat(std::span<const Tensor>(tensors.begin(), tensors.size()), axis);
}

Tensor stack(std::span<const Tensor> tensors, Index axis) {
  TensorList inputs = with_common_dtype(tensors, "stack");
  const Shape shape = inputs[0].shape();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    require(inputs[i].shape() == shape, "stack", "tensor 0 is ", shape, ", tensor ", i, " is ", inputs[i],
            ": the shapes must be equal");
    inputs[i] = unsqueeze(inputs[i], axis);
  }
  return concat(inputs, axis < 0 ? axis + shape.rank() + 1 : axis);
}
Tensor stack(std::initializer_list<Tensor> tensors, Index axis) {
  return stack(std::span<const Tensor>(tensors.begin(), tensors.size()), axis);
}

Tensor pad(const Tensor& x, const Ints& before, const Ints& after, double value) {
  return apply(pad_op, {x}, {pad_op.attrs, {before, after, value}});
}

}  // namespace splot
