// The matrix product.
#include "splot/backend/cpu/matmul.h"

#include <optional>

#include "splot/core/strided.h"
#include "splot/ops/internal/matrices.h"
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

// Where one matrix of a stack begins, counted in elements from the first: the leading axes of `x`, stretched
// to those of the result.
struct BatchOffsets {
  BatchOffsets(const Tensor& x, const Shape& batch) {
    const Strides all = broadcast_strides(x, with_matrix(batch, x.shape()[-2], x.shape()[-1]));
    strides = Strides(std::span<const Index>(all.begin(), all.end() - 2));
  }
  Index at(const Shape& batch, Index number) const {
    Index offset = 0;
    for (int i = batch.rank() - 1; i >= 0; --i) {
      offset += number % batch[i] * strides[i];
      number /= batch[i];
    }
    return offset;
  }
  // The constant step from one matrix to the next, where there is one.
  std::optional<Index> step(const Shape& batch) const {
    const MergedAxes merged = merge_axes(batch, {&strides, 1});
    if (merged.sizes.size() > 1) return std::nullopt;
    return batch.numel() == 1 ? 0 : merged.strides[0][0];
  }
  Strides strides;
};

template <typename T>
void multiply(const KernelArgs& k) {
  const Tensor& a = k.inputs[0];
  const Tensor& b = k.inputs[1];
  cpu::Product<T> product;
  product.m = a.shape()[-2];
  product.k = a.shape()[-1];
  product.n = b.shape()[-1];
  product.a = matrix_of<T>(a);
  product.b = matrix_of<T>(b);
  product.c = k.out<T>();
  product.ldc = product.n;
  product.c_batch_stride = product.m * product.n;
  if (k.outputs[0].rank() == 2) {
    cpu::matmul(product);
    return;
  }
  const Shape batch = batch_shape(k.outputs[0].shape());
  if (batch.numel() == 0) return;
  const BatchOffsets a_offsets(a, batch), b_offsets(b, batch);
  const auto a_step = a_offsets.step(batch), b_step = b_offsets.step(batch);
  if (a_step && b_step) {
    product.batch = batch.numel();
    product.a_batch_stride = *a_step;
    product.b_batch_stride = *b_step;
    cpu::matmul(product);
    return;
  }
  for (Index i = 0; i < batch.numel(); ++i) {
    cpu::Product<T> one = product;
    one.a.data += a_offsets.at(batch, i);
    one.b.data += b_offsets.at(batch, i);
    one.c += i * product.c_batch_stride;
    cpu::matmul(one);
  }
}

void matmul_kernel(const KernelArgs& k) {
  visit_floats(k.inputs[0].dtype(), "matmul", [&](auto tag) { multiply<typename decltype(tag)::type>(k); });
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
