// Comparisons, logic, and choosing between elements.
#include "splot/backend/cpu/elementwise.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

struct Greater {
  SPLOT_FORMULA((V a, V b), { return a > b; })
};
struct GreaterEqual {
  SPLOT_FORMULA((V a, V b), { return a >= b; })
};
struct Less {
  SPLOT_FORMULA((V a, V b), { return a < b; })
};
struct LessEqual {
  SPLOT_FORMULA((V a, V b), { return a <= b; })
};
struct Equal {
  SPLOT_FORMULA((V a, V b), { return a == b; })
};
struct NotEqual {
  SPLOT_FORMULA((V a, V b), { return a != b; })
};
struct LogicalAnd {
  SPLOT_FORMULA((V a, V b), { return both(a != V(0), b != V(0)); })
};
struct LogicalOr {
  SPLOT_FORMULA((V a, V b), { return either(a != V(0), b != V(0)); })
};
struct LogicalNot {
  SPLOT_FORMULA((V a), { return a == V(0); })
};
struct IsNan {
  SPLOT_FORMULA((V x), { return x != x; })
};
struct IsFinite {
  // Infinity minus itself is NaN.
  SPLOT_FORMULA((V x), { return x - x == V(0); })
};
struct Where {
  SPLOT_FORMULA((V condition, V a, V b), { return select(condition != V(0), a, b); })
};

void where_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) == kBool, r.op(), "the condition must be bool, got ", r.dtype(0));
  require<DTypeError>(r.dtype(1) == r.dtype(2), r.op(), "inputs differ: ", r.dtype(1), " and ", r.dtype(2));
  require<DTypeError>(r.dtype(1) != kBFloat16, r.op(),
                      "bfloat16 can only be cast, copied and stored; cast to float32 first");
  const Shape ab = broadcast_shapes(r.shape(1), r.shape(2), r.op());
  r.output(broadcast_shapes(r.shape(0), ab, r.op()), r.dtype(1));
}

// y = c ? a : b: da = dy where c, db = dy elsewhere
TensorList where_vjp(const VjpArgs& v) {
  const Tensor& condition = v.input(0);
  return {Tensor(), v.needs(1) ? unbroadcast(v, 1, where(condition, v.dy(), 0.0)) : Tensor(),
          v.needs(2) ? unbroadcast(v, 2, where(condition, 0.0, v.dy())) : Tensor()};
}

}  // namespace

#define SPLOT_COMPARISON(op_name, Formula, onnx_name)               \
  extern constinit const OpDef op_name##_op = {                     \
      .name = #op_name,                                             \
      .inputs = 2,                                                  \
      .rule = broadcast_to_bool,                                    \
      .elementwise = elementwise<Formula, FormulaTypes::numbers>(), \
      .differentiable = false,                                      \
      .onnx = onnx_name,                                            \
  }
SPLOT_COMPARISON(greater, Greater, "Greater");
SPLOT_COMPARISON(greater_equal, GreaterEqual, "GreaterOrEqual");
SPLOT_COMPARISON(less, Less, "Less");
SPLOT_COMPARISON(less_equal, LessEqual, "LessOrEqual");
SPLOT_COMPARISON(equal, Equal, "Equal");
SPLOT_COMPARISON(not_equal, NotEqual, nullptr);
#undef SPLOT_COMPARISON

extern constinit const OpDef logical_and_op = {
    .name = "logical_and",
    .inputs = 2,
    .rule = broadcast_conditions,
    .elementwise = elementwise<LogicalAnd, FormulaTypes::booleans>(),
    .differentiable = false,
    .onnx = "And",
};

extern constinit const OpDef logical_or_op = {
    .name = "logical_or",
    .inputs = 2,
    .rule = broadcast_conditions,
    .elementwise = elementwise<LogicalOr, FormulaTypes::booleans>(),
    .differentiable = false,
    .onnx = "Or",
};

extern constinit const OpDef logical_not_op = {
    .name = "logical_not",
    .rule = broadcast_conditions,
    .elementwise = elementwise<LogicalNot, FormulaTypes::booleans>(),
    .differentiable = false,
    .onnx = "Not",
};

extern constinit const OpDef isnan_op = {
    .name = "isnan",
    .rule = broadcast_to_bool,
    .elementwise = elementwise<IsNan, FormulaTypes::numbers>(),
    .differentiable = false,
    .onnx = "IsNaN",
};

extern constinit const OpDef isfinite_op = {
    .name = "isfinite",
    .rule = broadcast_to_bool,
    .elementwise = elementwise<IsFinite, FormulaTypes::numbers>(),
    .differentiable = false,
};

extern constinit const OpDef where_op = {
    .name = "where",
    .inputs = 3,
    .rule = where_rule,
    .elementwise = elementwise<Where, FormulaTypes::numbers>(),
    .vjp = where_vjp,
    .keeps = {.inputs = keep(0)},
    .onnx = "Where",
};

namespace {

Tensor compare(const OpDef& op, const Tensor& a, const Tensor& b) {
  const Pair p = promoted(a, b);
  return apply(op, {p.a, p.b});
}

Tensor as_condition(const Tensor& x) { return x.dtype() == kBool ? x : converted(x, kBool); }

}  // namespace

Tensor greater(const Tensor& a, const Tensor& b) { return compare(greater_op, a, b); }
Tensor greater_equal(const Tensor& a, const Tensor& b) { return compare(greater_equal_op, a, b); }
Tensor less(const Tensor& a, const Tensor& b) { return compare(less_op, a, b); }
Tensor less_equal(const Tensor& a, const Tensor& b) { return compare(less_equal_op, a, b); }
Tensor equal(const Tensor& a, const Tensor& b) { return compare(equal_op, a, b); }
Tensor not_equal(const Tensor& a, const Tensor& b) { return compare(not_equal_op, a, b); }

Tensor logical_and(const Tensor& a, const Tensor& b) {
  return apply(logical_and_op, {as_condition(a), as_condition(b)});
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return apply(logical_or_op, {as_condition(a), as_condition(b)});
}
Tensor logical_not(const Tensor& x) { return apply(logical_not_op, {as_condition(x)}); }

Tensor isnan(const Tensor& x) { return apply(isnan_op, {x}); }
Tensor isfinite(const Tensor& x) { return apply(isfinite_op, {x}); }

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  const Pair p = promoted(a, b);
  return apply(where_op, {condition, p.a, p.b});
}

}  // namespace splot
