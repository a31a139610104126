// The matrix product.
#include "splot/core/strided.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

Shape batch_shape(const Shape& shape) {
  return Shape(std::span<const Index>(shape.begin(), shape.end() - 2));
}

Shape with_matrix(const Shape& batch, Index rows, Index columns) {
  Ints sizes = batch.ints();
  sizes.push_back(rows);
  sizes.push_back(columns);
  return Shape(sizes);
}

void matmul_rule(RuleArgs& r) {
  const Shape& a = r.shape(0);
  const Shape& b = r.shape(1);
  require<DTypeError>(r.dtype(0) == r.dtype(1) && (r.dtype(0) == kFloat32 || r.dtype(0) == kFloat64), r.op(),
                      "needs two float32 or two float64 tensors, got ", r.dtype(0), " and ", r.dtype(1));
  require(a.rank() >= 2 && b.rank() >= 2, r.op(), "needs matrices, got ", a, " and ", b);
  require(a[-1] == b[-2], r.op(), "inner sizes differ: a", a, " has ", a[-1], " columns, b", b, " has ",
          b[-2], " rows", a[-1] == b[-1] ? "; did you mean matmul(a, matrix_transpose(b))?" : "");
  r.output(with_matrix(broadcast_shapes(batch_shape(a), batch_shape(b), r.op()), a[-2], b[-1]), r.dtype(0));
}

// y = a b      a[m,k]  b[k,n]  y[m,n]
// da = dy b^T  [m,n][n,k] -> [m,k]
// db = a^T dy  [k,m][m,n] -> [k,n]
TensorList matmul_vjp(const VjpArgs& v) {
  return {v.needs(0) ? sum_to(matmul(v.dy(), matrix_transpose(v.input(1))), v.shape(0)) : Tensor(),
          v.needs(1) ? sum_to(matmul(matrix_transpose(v.input(0)), v.dy()), v.shape(1)) : Tensor()};
}

void matmul_kernel(const KernelArgs& k) {
  const Tensor a =
      contiguous(expand(k.inputs[0], with_matrix(batch_shape(k.outputs[0].shape()), k.inputs[0].shape()[-2],
                                                 k.inputs[0].shape()[-1])));
  const Tensor b =
      contiguous(expand(k.inputs[1], with_matrix(batch_shape(k.outputs[0].shape()), k.inputs[1].shape()[-2],
                                                 k.inputs[1].shape()[-1])));
  const Index m = a.shape()[-2], inner = a.shape()[-1], n = b.shape()[-1];
  const Index batches = batch_shape(k.outputs[0].shape()).numel();
  visit_floats(a.dtype(), "matmul", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (Index batch = 0; batch < batches; ++batch) {
      const T* x = a.data<T>() + batch * m * inner;
      const T* w = b.data<T>() + batch * inner * n;
      T* y = k.out<T>() + batch * m * n;
      for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
          T total = 0;
          for (Index l = 0; l < inner; ++l) total += x[i * inner + l] * w[l * n + j];
          y[i * n + j] = total;
        }
      }
    }
  });
}

}  // namespace

extern constinit const OpDef matmul_op = {
    .name = "matmul",
    .inputs = 2,
    .rule = matmul_rule,
    .kernel = matmul_kernel,
    .vjp = matmul_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .onnx = "MatMul",
};

Tensor matmul(const Tensor& a, const Tensor& b) {
  require(a.rank() >= 1 && b.rank() >= 1, "matmul", "needs at least one axis, got ", a, " and ", b);
  const Tensor left = a.rank() == 1 ? reshape(a, {1, a.shape()[0]}) : a;
  const Tensor right = b.rank() == 1 ? reshape(b, {b.shape()[0], 1}) : b;
  const Tensor y = apply(matmul_op, {left, right});
  if (a.rank() > 1 && b.rank() > 1) return y;
  Ints sizes(std::span<const Index>(y.shape().begin(), y.shape().end() - 2));
  if (a.rank() > 1) sizes.push_back(y.shape()[-2]);
  if (b.rank() > 1) sizes.push_back(y.shape()[-1]);
  return reshape(y, sizes);
}

}  // namespace splot
