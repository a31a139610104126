// Functions of one element.
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
struct Log {
  SPLOT_FORMULA((V x), { return log(x); })
};

TensorList neg_vjp(const VjpArgs& v) { return {-v.dy()}; }
// y = exp(x): dx = dy y
TensorList exp_vjp(const VjpArgs& v) { return {v.dy() * v.output()}; }
// y = log(x): dx = dy / x
TensorList log_vjp(const VjpArgs& v) { return {v.dy() / v.input(0)}; }

}  // namespace

extern constinit const OpDef neg_op = {
    .name = "neg",
    .rule = same_as_input,
    .elementwise = elementwise<Neg, FormulaTypes::numbers>(),
    .vjp = neg_vjp,
    .onnx = "Neg",
};

extern constinit const OpDef exp_op = {
    .name = "exp",
    .rule = same_as_input,
    .elementwise = elementwise<Exp>(),
    .vjp = exp_vjp,
    .keeps = {.outputs = keep(0)},
    .onnx = "Exp",
};

extern constinit const OpDef log_op = {
    .name = "log",
    .rule = same_as_input,
    .elementwise = elementwise<Log>(),
    .vjp = log_vjp,
    .keeps = {.inputs = keep(0)},
    .onnx = "Log",
};

Tensor neg(const Tensor& x) { return apply(neg_op, {x}); }
Tensor exp(const Tensor& x) { return apply(exp_op, {as_floating(x)}); }
Tensor log(const Tensor& x) { return apply(log_op, {as_floating(x)}); }

}  // namespace splot
