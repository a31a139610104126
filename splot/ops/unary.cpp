// Functions of one element.
#include <cmath>
#include <numbers>

#include "splot/backend/cpu/elementwise.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

struct Neg {
  SPLOT_FORMULA((V x), { return -x; })
};
struct Exp {
  SPLOT_FORMULA((V x), { return exp(x); })
};
struct Expm1 {
  SPLOT_FORMULA((V x), { return expm1(x); })
};
struct Log {
  SPLOT_FORMULA((V x), { return log(x); })
};
struct Log1p {
  SPLOT_FORMULA((V x), { return log1p(x); })
};
struct Sqrt {
  SPLOT_FORMULA((V x), { return sqrt(x); })
};
struct Rsqrt {
  SPLOT_FORMULA((V x), { return V(1) / sqrt(x); })
};
struct Sin {
  SPLOT_FORMULA((V x), { return sin(x); })
};
struct Cos {
  SPLOT_FORMULA((V x), { return cos(x); })
};
struct Atan {
  SPLOT_FORMULA((V x), { return atan(x); })
};
struct Erf {
  SPLOT_FORMULA((V x), { return erf(x); })
};

TensorList neg_vjp(const VjpArgs& v) { return {-v.dy()}; }
// y = exp(x): dx = dy y
TensorList exp_vjp(const VjpArgs& v) { return {v.dy() * v.output()}; }
// y = exp(x) - 1: dx = dy (y + 1)
TensorList expm1_vjp(const VjpArgs& v) { return {v.dy() * (v.output() + 1.0)}; }
// y = log(x): dx = dy / x
TensorList log_vjp(const VjpArgs& v) { return {v.dy() / v.input(0)}; }
// y = log(1 + x): dx = dy / (1 + x)
TensorList log1p_vjp(const VjpArgs& v) { return {v.dy() / (v.input(0) + 1.0)}; }
// y = sqrt(x): dx = dy / 2y
TensorList sqrt_vjp(const VjpArgs& v) { return {v.dy() / (2.0 * v.output())}; }
// y = x^(-1/2): dx = -dy y^3 / 2
TensorList rsqrt_vjp(const VjpArgs& v) { return {-0.5 * v.dy() * pow(v.output(), 3.0)}; }
TensorList sin_vjp(const VjpArgs& v) { return {v.dy() * cos(v.input(0))}; }
TensorList cos_vjp(const VjpArgs& v) { return {-v.dy() * sin(v.input(0))}; }
// y = atan(x): dx = dy / (1 + x^2)
TensorList atan_vjp(const VjpArgs& v) { return {v.dy() / (square(v.input(0)) + 1.0)}; }
// y = erf(x): dx = dy 2 / sqrt(pi) exp(-x^2)
TensorList erf_vjp(const VjpArgs& v) {
  return {v.dy() * (2.0 / std::sqrt(std::numbers::pi)) * exp(-square(v.input(0)))};
}

void number_like_input(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBool, r.op(), "is not defined for bool; for masks use logical_not");
  same_as_input(r);
}

}  // namespace

extern constinit const OpDef neg_op = {
    .name = "neg",
    .rule = number_like_input,
    .elementwise = elementwise<Neg, FormulaTypes::numbers>(),
    .vjp = neg_vjp,
    .onnx = "Neg",
};

// Functions of floating elements differ in name, formula and derivative alone.
#define SPLOT_FUNCTION(op_name, Formula, onnx_name, ...) \
  extern constinit const OpDef op_name##_op = {          \
      .name = #op_name,                                  \
      .rule = same_as_input,                             \
      .elementwise = elementwise<Formula>(),             \
      .vjp = op_name##_vjp,                              \
      .keeps = {__VA_ARGS__},                            \
      .onnx = onnx_name,                                 \
  };                                                     \
  Tensor op_name(const Tensor& x) { return apply(op_name##_op, {as_floating(x)}); }

SPLOT_FUNCTION(exp, Exp, "Exp", .outputs = keep(0))
SPLOT_FUNCTION(expm1, Expm1, nullptr, .outputs = keep(0))
SPLOT_FUNCTION(log, Log, "Log", .inputs = keep(0))
SPLOT_FUNCTION(log1p, Log1p, nullptr, .inputs = keep(0))
SPLOT_FUNCTION(sqrt, Sqrt, "Sqrt", .outputs = keep(0))
SPLOT_FUNCTION(rsqrt, Rsqrt, nullptr, .outputs = keep(0))
SPLOT_FUNCTION(sin, Sin, "Sin", .inputs = keep(0))
SPLOT_FUNCTION(cos, Cos, "Cos", .inputs = keep(0))
SPLOT_FUNCTION(atan, Atan, "Atan", .inputs = keep(0))
SPLOT_FUNCTION(erf, Erf, "Erf", .inputs = keep(0))
#undef SPLOT_FUNCTION

Tensor neg(const Tensor& x) { return apply(neg_op, {x}); }

}  // namespace splot
