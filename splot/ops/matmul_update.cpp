// matmul_sgd_step: SGD with a gradient that is a product a b: it goes into the weight from the registers it
// is summed in, and is kept nowhere. To the same bits as the product and the update one after the other.
//
// Only for SGD without a velocity. With more state than the weight the tiles, which are short rows far
// apart, lose more in reading it than the gradient would cost.
#include "splot/backend/cpu/matmul.h"
#include "splot/ops/internal/matrices.h"
#include "splot/ops/internal/row_major.h"
#include "splot/ops/internal/update.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// a[m, k], b[k, n], w[m, n], lr -> w'
void matmul_sgd_rule(RuleArgs& r) {
  check_update(r, 2, 3);
  const Shape& a = r.shape(0);
  const Shape& b = r.shape(1);
  const Shape& w = r.shape(2);
  require<DTypeError>(r.dtype(0) == r.dtype(2) && r.dtype(1) == r.dtype(2), r.op(), "a is ", r.dtype(0),
                      " and b ", r.dtype(1), ", the weight ", r.dtype(2));
  require(a.rank() == 2 && b.rank() == 2 && a[1] == b[0], r.op(), "needs matrices a[m, k] and b[k, n], got ",
          a, " and ", b);
  require(w == Shape{a[0], b[1]}, r.op(), "a", a, " and b", b, " make ", Shape{a[0], b[1]},
          ", the weight is ", w);
  r.output(w, r.dtype(2));
}

void matmul_sgd_kernel(const KernelArgs& k) {
  const Tensor& a = k.inputs[0];
  const Tensor& b = k.inputs[1];
  const RowMajor w(k.inputs[2]);
  visit_floats(a.dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const cpu::Descent<T> descent = {.w = w->data<T>(),
                                     .out = k.out<T>(),
                                     .lr = k.inputs[3].item<double>(),
                                     .weight_decay = k.attrs.number("weight_decay"),
                                     .l1 = k.attrs.number("l1")};
    cpu::matmul<T>({.m = a.shape()[0],
                    .n = b.shape()[1],
                    .k = a.shape()[1],
                    .a = matrix_of<T>(a),
                    .b = matrix_of<T>(b),
                    .epilogue = {.descent = &descent}});
  });
}

TensorList matmul_sgd_composed(std::span<const Tensor> in, const Attrs& attrs) {
  return sgd_step(in[2], matmul(in[0], in[1]), Tensor(), in[3],
                  {.weight_decay = attrs.number("weight_decay"), .l1 = attrs.number("l1")});
}

}  // namespace

extern constinit const OpDef matmul_sgd_step_op = {
    .name = "matmul_sgd_step",
    .attrs = {{"weight_decay", AttrKind::number}, {"l1", AttrKind::number}},
    .inputs = 4,
    .rule = matmul_sgd_rule,
    .kernel = matmul_sgd_kernel,
    .composed = matmul_sgd_composed,
    .reuses = {2, -1, -1, -1},
};

}  // namespace splot
