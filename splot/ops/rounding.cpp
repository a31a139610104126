// Functions of one element with kinks or steps.
#include <cmath>
#include <limits>

#include "splot/backend/cpu/elementwise.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

struct Abs {
  SPLOT_FORMULA((V x), { return abs(x); })
};
struct Sign {
  SPLOT_FORMULA((V x), { return select(x > V(0), V(1), select(x < V(0), V(-1), V(0))); })
};
struct Floor {
  SPLOT_FORMULA((V x), { return floor(x); })
};
struct Ceil {
  SPLOT_FORMULA((V x), { return ceil(x); })
};
struct Round {
  SPLOT_FORMULA((V x), { return round(x); })
};
struct Clamp {
  double low, high;

  explicit Clamp(const Attrs& attrs) : low(attrs.number("low")), high(attrs.number("high")) {}
  SPLOT_FORMULA((V x), {
    const V raised = select(x < V(low), V(low), x);
    return select(raised > V(high), V(high), raised);
  })
};

// y = |x|: dx = dy sign(x)
TensorList abs_vjp(const VjpArgs& v) { return {v.dy() * sign(v.input(0))}; }

// dx = dy inside the bounds
TensorList clamp_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(0);
  const Tensor inside = logical_and(x >= v.attrs().number("low"), x <= v.attrs().number("high"));
  return {where(inside, v.dy(), 0.0)};
}

Tensor whole(const OpDef& op, const Tensor& x) { return x.dtype().is_integral() ? x : apply(op, {x}); }

}  // namespace

extern constinit const OpDef abs_op = {
    .name = "abs",
    .rule = same_as_input,
    .elementwise = elementwise<Abs, FormulaTypes::numbers>(),
    .vjp = abs_vjp,
    .keeps = {.inputs = keep(0)},
    .onnx = "Abs",
};

extern constinit const OpDef sign_op = {
    .name = "sign",
    .rule = same_as_input,
    .elementwise = elementwise<Sign, FormulaTypes::numbers>(),
    .vjp = zero_vjp,
    .onnx = "Sign",
};

extern constinit const OpDef floor_op = {
    .name = "floor",
    .rule = same_as_input,
    .elementwise = elementwise<Floor>(),
    .vjp = zero_vjp,
    .onnx = "Floor",
};

extern constinit const OpDef ceil_op = {
    .name = "ceil",
    .rule = same_as_input,
    .elementwise = elementwise<Ceil>(),
    .vjp = zero_vjp,
    .onnx = "Ceil",
};

extern constinit const OpDef round_op = {
    .name = "round",
    .rule = same_as_input,
    .elementwise = elementwise<Round>(),
    .vjp = zero_vjp,
    .onnx = "Round",
};

extern constinit const OpDef clamp_op = {
    .name = "clamp",
    .attrs = {{"low", AttrKind::number}, {"high", AttrKind::number}},
    .rule = same_as_input,
    .elementwise = elementwise<Clamp, FormulaTypes::numbers>(),
    .vjp = clamp_vjp,
    .keeps = {.inputs = keep(0)},
};

Tensor abs(const Tensor& x) { return apply(abs_op, {x}); }
Tensor sign(const Tensor& x) { return apply(sign_op, {x}); }
Tensor floor(const Tensor& x) { return whole(floor_op, x); }
Tensor ceil(const Tensor& x) { return whole(ceil_op, x); }
Tensor round(const Tensor& x) { return whole(round_op, x); }

Tensor clamp(const Tensor& x, std::optional<double> low, std::optional<double> high) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double from = low.value_or(-kInfinity), to = high.value_or(kInfinity);
  const bool whole_bounds = (!low || std::floor(from) == from) && (!high || std::floor(to) == to);
  return apply(clamp_op, {whole_bounds ? converted(x, x.dtype()) : as_floating(x)},
               {clamp_op.attrs, {from, to}});
}

}  // namespace splot
