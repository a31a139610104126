// Element-by-element ops of two tensors.
#include "splot/backend/cpu/elementwise.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

struct Add {
  SPLOT_FORMULA((V a, V b), { return a + b; })
};
struct Sub {
  SPLOT_FORMULA((V a, V b), { return a - b; })
};
struct Mul {
  SPLOT_FORMULA((V a, V b), { return a * b; })
};
struct Div {
  SPLOT_FORMULA((V a, V b), { return a / b; })
};
struct Greater {
  SPLOT_FORMULA((V a, V b), { return a > b; })
};

// The gradient of an operand that was stretched is summed back to its shape.
Tensor unbroadcast(const VjpArgs& v, std::size_t i, const Tensor& gradient) {
  return sum_to(gradient, v.shape(i));
}

// y = a + b: da = db = dy
TensorList add_vjp(const VjpArgs& v) {
  return {v.needs(0) ? unbroadcast(v, 0, v.dy()) : Tensor(),
          v.needs(1) ? unbroadcast(v, 1, v.dy()) : Tensor()};
}

// y = a - b: da = dy, db = -dy
TensorList sub_vjp(const VjpArgs& v) {
  return {v.needs(0) ? unbroadcast(v, 0, v.dy()) : Tensor(),
          v.needs(1) ? unbroadcast(v, 1, -v.dy()) : Tensor()};
}

// y = a b: da = dy b, db = dy a
TensorList mul_vjp(const VjpArgs& v) {
  return {v.needs(0) ? unbroadcast(v, 0, v.dy() * v.input(1)) : Tensor(),
          v.needs(1) ? unbroadcast(v, 1, v.dy() * v.input(0)) : Tensor()};
}

// y = a / b: da = dy / b, db = -dy a / b^2
TensorList div_vjp(const VjpArgs& v) {
  const Tensor& b = v.input(1);
  return {v.needs(0) ? unbroadcast(v, 0, v.dy() / b) : Tensor(),
          v.needs(1) ? unbroadcast(v, 1, -(v.dy() * v.input(0)) / (b * b)) : Tensor()};
}

}  // namespace

extern constinit const OpDef add_op = {
    .name = "add",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<Add, FormulaTypes::numbers>(),
    .vjp = add_vjp,
    .onnx = "Add",
};

extern constinit const OpDef sub_op = {
    .name = "sub",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<Sub, FormulaTypes::numbers>(),
    .vjp = sub_vjp,
    .onnx = "Sub",
};

extern constinit const OpDef mul_op = {
    .name = "mul",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<Mul, FormulaTypes::numbers>(),
    .vjp = mul_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .onnx = "Mul",
};

extern constinit const OpDef div_op = {
    .name = "div",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<Div>(),
    .vjp = div_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .onnx = "Div",
};

extern constinit const OpDef greater_op = {
    .name = "greater",
    .inputs = 2,
    .rule = broadcast_to_bool,
    .elementwise = elementwise<Greater, FormulaTypes::numbers>(),
    .onnx = "Greater",
};

namespace {

Tensor binary(const OpDef& op, const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype() && !a.is_wrapped_number() && !b.is_wrapped_number()) return apply(op, {a, b});
  const Pair p = promoted(a, b);
  return apply(op, {p.a, p.b});
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return binary(add_op, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary(sub_op, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return binary(mul_op, a, b); }
Tensor div(const Tensor& a, const Tensor& b) {
  const Pair p = promoted_floating(a, b);
  return apply(div_op, {p.a, p.b});
}
Tensor greater(const Tensor& a, const Tensor& b) { return binary(greater_op, a, b); }

}  // namespace splot
