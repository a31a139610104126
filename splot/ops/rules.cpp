#include "splot/ops/internal/rules.h"

#include <algorithm>
#include <optional>

#include "splot/core/strided.h"

namespace splot {
namespace {

// 0: bool, 1: integer, 2: floating
int kind_of(DType dtype) { return dtype == kBool ? 0 : dtype.is_integral() ? 1 : 2; }

using MaybeDType = std::optional<DType>;

MaybeDType joined(MaybeDType a, DType b) { return a ? promote(*a, b) : b; }

// A lower rank of operands decides only where its kind is higher.
MaybeDType outranked(MaybeDType higher, MaybeDType lower) {
  if (!higher) return lower;
  if (!lower || kind_of(*higher) >= kind_of(*lower)) return higher;
  return lower;
}

}  // namespace

DType result_type(std::span<const Tensor> operands) {
  MaybeDType with_axes, zero_d, numbers;
  for (const Tensor& x : operands) {
    if (x.is_wrapped_number()) {
      numbers = joined(numbers, x.dtype() == kFloat64 ? kFloat32 : x.dtype());
    } else if (x.rank() == 0) {
      zero_d = joined(zero_d, x.dtype());
    } else {
      with_axes = joined(with_axes, x.dtype());
    }
  }
  return *outranked(outranked(with_axes, zero_d), numbers);
}

Tensor converted(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype && !x.is_wrapped_number()) return x;
  if (!x.is_wrapped_number()) return cast(x, dtype);
  return visit_any(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bfloat16>) {
      return scalar(bfloat16(x.item<float>()));
    } else {
      return scalar(x.item<T>());
    }
  });
}

Tensor as_floating(const Tensor& x) {
  if (x.is_wrapped_number() || !x.dtype().is_floating()) return converted(x, kFloat32);
  return x;
}

Pair promoted(const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype() && !a.is_wrapped_number() && !b.is_wrapped_number()) return {a, b};
  const Tensor both[] = {a, b};
  const DType dtype = result_type(both);
  return {converted(a, dtype), converted(b, dtype)};
}

Pair promoted_floating(const Tensor& a, const Tensor& b) {
  const Tensor both[] = {a, b};
  const DType dtype = result_type(both);
  const DType floating = dtype.is_floating() ? dtype : kFloat32;
  return {converted(a, floating), converted(b, floating)};
}

void require_same_dtype(const RuleArgs& r) {
  for (std::size_t i = 1; i < r.inputs.size(); ++i) {
    require<DTypeError>(r.dtype(i) == r.dtype(0), r.op(), "inputs differ: ", r.dtype(0), " and ", r.dtype(i));
  }
}

namespace {

void require_calculates(const RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBFloat16, r.op(),
                      "bfloat16 can only be cast, copied and stored; cast to float32 first");
}

Shape broadcast_all(const RuleArgs& r) {
  Shape shape = r.shape(0);
  for (std::size_t i = 1; i < r.inputs.size(); ++i) shape = broadcast_shapes(shape, r.shape(i), r.op());
  return shape;
}

}  // namespace

void same_as_input(RuleArgs& r) {
  require_calculates(r);
  r.output(r.shape(0), r.dtype(0));
}

void broadcast_inputs(RuleArgs& r) {
  require_calculates(r);
  require_same_dtype(r);
  r.output(broadcast_all(r), r.dtype(0));
}

void broadcast_to_bool(RuleArgs& r) {
  require_calculates(r);
  require_same_dtype(r);
  r.output(broadcast_all(r), kBool);
}

void broadcast_numbers(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBool, r.op(),
                      "is not defined for bool; for masks use logical_not or not_equal");
  broadcast_inputs(r);
}

void broadcast_conditions(RuleArgs& r) {
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    require<DTypeError>(r.dtype(i) == kBool, r.op(), "needs bool, got ", r.dtype(i));
  }
  r.output(broadcast_all(r), kBool);
}

void output_in_order(RuleArgs& r, const Shape& shape) {
  const Tensor& like = r.inputs[0];
  if (like.rank() != shape.rank() || like.is_contiguous()) return r.output(shape, r.dtype(0));
  const Axes order = memory_order(like.shape(), like.strides());
  Strides strides(shape.rank(), 1);
  Index step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    const int axis = static_cast<int>(order[i]);
    strides[axis] = step;
    step *= std::max<Index>(1, shape[axis]);
  }
  r.output(shape, r.dtype(0), strides);
}

Tensor unbroadcast(const VjpArgs& v, std::size_t i, const Tensor& gradient) {
  return sum_to(gradient, v.shape(i));
}

TensorList zero_vjp(const VjpArgs& v) { return {zeros(v.shape(0), v.dtype(0))}; }

}  // namespace splot
