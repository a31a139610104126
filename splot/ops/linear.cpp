// linear: y = x W^T + b in one pass, the bias added while the product is still in registers.
#include "splot/ops/linear.h"

#include "splot/backend/cpu/matmul.h"
#include "splot/core/node.h"
#include "splot/ops/internal/row_major.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void linear_rule(RuleArgs& r) {
  require<ValueError>(r.inputs.size() == 2 || r.inputs.size() == 3, r.op(),
                      "takes x, w and perhaps a bias, got ", r.inputs.size(), " tensors");
  const Shape& x = r.shape(0);
  const Shape& w = r.shape(1);
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    if (r.dtype(i) != r.dtype(0) || (r.dtype(i) != kFloat32 && r.dtype(i) != kFloat64)) {
      fail<DTypeError>(r.op(), "needs all float32 or all float64, got x ", r.dtype(0), ", w ", r.dtype(1),
                       r.inputs.size() == 3 ? join(", b ", r.dtype(2)) : std::string());
    }
  }
  if (w.rank() != 2) fail(r.op(), "the weight must be [out, in], got ", w);
  if (x.rank() < 1) fail(r.op(), "x must have at least one axis, w", w, " takes x[..., ", w[1], ']');
  if (x[-1] != w[1]) fail(r.op(), "x", x, " has ", x[-1], " columns, w", w, " takes ", w[1]);
  if (r.inputs.size() == 3 && (r.shape(2).rank() != 1 || r.shape(2)[0] != w[0])) {
    fail(r.op(), "the bias b", r.shape(2), " does not fit the ", w[0], " rows of w", w);
  }
  r.output(x.with(x.rank() - 1, w[0]), r.dtype(0));
}

// All leading axes as one: x[..., in] -> [rows, in].
Tensor as_matrix(const Tensor& x) {
  if (x.rank() == 2) return x;
  const Index columns = x.shape()[-1];
  const Index rows = columns == 0
                         ? Shape(std::span<const Index>(x.shape().begin(), x.shape().end() - 1)).numel()
                         : x.numel() / columns;
  return reshape(x, {rows, columns});
}

void linear_kernel(const KernelArgs& k) {
  const NoGrad off;
  const bool is_matrix = k.inputs[0].rank() == 2;
  const Tensor reshaped = is_matrix ? Tensor() : as_matrix(k.inputs[0]);
  const Tensor& x = is_matrix ? k.inputs[0] : reshaped;
  const Tensor& w = k.inputs[1];
  const Tensor none;
  const RowMajor b(k.inputs.size() == 3 ? k.inputs[2] : none);
  visit_floats(x.dtype(), "linear", [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::matmul<T>({.m = x.shape()[0],
                    .n = w.shape()[0],
                    .k = w.shape()[1],
                    .a = {x.data<T>(), x.strides()[0], x.strides()[1]},
                    .b = {w.data<T>(), w.strides()[1], w.strides()[0]},
                    .c = k.out<T>(),
                    .ldc = w.shape()[0],
                    .epilogue = {.bias = b->defined() ? b->data<T>() : nullptr}});
  });
}

// dy W, in memory like x: images that were flattened have their columns behind each other.
Tensor input_gradient(const Tensor& dy, const Tensor& w, const Tensor& x) {
  const bool by_columns = x.rank() == 2 && !x.is_contiguous() && x.strides()[0] == 1;
  return by_columns ? matrix_transpose(matmul(matrix_transpose(w), matrix_transpose(dy))) : matmul(dy, w);
}

// y = x W^T + b   x[n,in]  W[out,in]  b[out]  y[n,out]
// dx = dy W       [n,out][out,in] -> [n,in]
// dW = dy^T x     [out,n][n,in]   -> [out,in]
// db = sum of dy over n
TensorList linear_vjp(const VjpArgs& v) {
  const Tensor dy = as_matrix(v.dy());
  TensorList out;
  out.push_back(v.needs(0) ? reshape(input_gradient(dy, v.input(1), v.input(0)), v.shape(0).ints())
                           : Tensor());
  out.push_back(v.needs(1) ? matmul(matrix_transpose(dy), as_matrix(v.input(0))) : Tensor());
  if (v.input_count() == 3) out.push_back(v.needs(2) ? sum(dy, {0}) : Tensor());
  return out;
}

TensorList linear_composed(std::span<const Tensor> in, const Attrs&) {
  const Tensor y = matmul(in[0], matrix_transpose(in[1]));
  return {in.size() == 3 ? y + in[2] : y};
}

}  // namespace

extern constinit const OpDef linear_op = {
    .name = "linear",
    .inputs = -1,
    .rule = linear_rule,
    .kernel = linear_kernel,
    .vjp = linear_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .composed = linear_composed,
};

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b) {
  return b.defined() ? apply(linear_op, {x, w, b}) : apply(linear_op, {x, w});
}

}  // namespace splot
