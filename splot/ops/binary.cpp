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
struct Pow {
  SPLOT_FORMULA((V a, V b), { return pow(a, b); })
};
// NaN in either operand must come through, whatever the instruction set's own maximum does.
struct Maximum {
  SPLOT_FORMULA((V a, V b), { return select(a != a, a, select(a > b, a, b)); })
};
struct Minimum {
  SPLOT_FORMULA((V a, V b), { return select(a != a, a, select(a < b, a, b)); })
};

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

// y = a / b: da = dy / b, db = -dy y / b
TensorList div_vjp(const VjpArgs& v) {
  const Tensor& b = v.input(1);
  return {v.needs(0) ? unbroadcast(v, 0, v.dy() / b) : Tensor(),
          v.needs(1) ? unbroadcast(v, 1, -v.dy() * (v.output() / b)) : Tensor()};
}

// y = a^b: da = dy b a^(b - 1), and 0 where b = 0
//          db = dy y log a,     and 0 where a = 0 and b >= 0
// The exponent and the logarithm are made harmless in those places before they are computed: an infinity
// there would turn the second derivative, 0 times it, into NaN.
TensorList pow_vjp(const VjpArgs& v) {
  const Tensor& a = v.input(0);
  const Tensor& b = v.input(1);
  TensorList out(2);
  if (v.needs(0)) {
    const Tensor flat = b == 0.0;
    const Tensor slope = b * pow(a, where(flat, 1.0, b - 1.0));
    out[0] = unbroadcast(v, 0, where(flat, 0.0, v.dy() * slope));
  }
  if (v.needs(1)) {
    const Tensor pole = logical_and(a == 0.0, b >= 0.0);
    out[1] = unbroadcast(v, 1, v.dy() * v.output() * log(where(pole, 1.0, a)));
  }
  return out;
}

// The larger operand gets dy; equal ones get half of it each.
TensorList extremum_vjp(const VjpArgs& v, Tensor (*loses)(const Tensor&, const Tensor&)) {
  const Tensor& a = v.input(0);
  const Tensor& b = v.input(1);
  const Tensor shared = where(a == b, 0.5 * v.dy(), v.dy());
  return {v.needs(0) ? unbroadcast(v, 0, where(loses(a, b), 0.0, shared)) : Tensor(),
          v.needs(1) ? unbroadcast(v, 1, where(loses(b, a), 0.0, shared)) : Tensor()};
}
TensorList maximum_vjp(const VjpArgs& v) { return extremum_vjp(v, less); }
TensorList minimum_vjp(const VjpArgs& v) { return extremum_vjp(v, greater); }

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
    .rule = broadcast_numbers,
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
    .keeps = {.inputs = keep(1), .outputs = keep(0)},
    .onnx = "Div",
};

extern constinit const OpDef pow_op = {
    .name = "pow",
    .inputs = 2,
    .rule = broadcast_numbers,
    .elementwise = elementwise<Pow, FormulaTypes::numbers>(),
    .vjp = pow_vjp,
    .keeps = {.inputs = keep(0, 1), .outputs = keep(0)},
    .onnx = "Pow",
};

extern constinit const OpDef maximum_op = {
    .name = "maximum",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<Maximum, FormulaTypes::numbers>(),
    .vjp = maximum_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .onnx = "Max",
};

extern constinit const OpDef minimum_op = {
    .name = "minimum",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<Minimum, FormulaTypes::numbers>(),
    .vjp = minimum_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .onnx = "Min",
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
Tensor maximum(const Tensor& a, const Tensor& b) { return binary(maximum_op, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary(minimum_op, a, b); }

Tensor pow(const Tensor& a, const Tensor& b) {
  if (b.is_wrapped_number() && b.dtype() != kBool) {
    const double exponent = b.item<double>();
    // Several times faster than a power, and what PyTorch computes.
    if (a.dtype().is_floating() && !a.is_wrapped_number()) {
      if (exponent == 2.0) return a * a;
      if (exponent == 3.0) return a * a * a;
      if (exponent == 0.5) return sqrt(a);
      if (exponent == -1.0) return reciprocal(a);
    }
    require<ValueError>(exponent >= 0 || b.dtype().is_floating() || a.dtype().is_floating(), "pow",
                        "integers have no negative powers among integers; cast to float32 first");
  }
  return binary(pow_op, a, b);
}

Tensor square(const Tensor& x) { return mul(x, x); }
Tensor reciprocal(const Tensor& x) { return div(1.0, x); }

}  // namespace splot
