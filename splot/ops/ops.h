// Every operation on tensors. Names and meanings are NumPy's and PyTorch's.
//
// Unless a comment says otherwise: inputs broadcast as in NumPy, dtypes promote as in PyTorch, any strides
// are accepted, no input is changed, and the result can be differentiated any number of times. Operands that
// do not fit raise ShapeError or DTypeError, naming the op.
#pragma once

#include <optional>

#include "splot/core/random.h"
#include "splot/core/tensor.h"

namespace splot {

// --- Arithmetic
// -----------------------------------------------------------------------------------------------

/// a + b, element by element. add(x[2, 3], b[3]) -> [2, 3]. bool + bool is "or".
SPLOT_API Tensor add(const Tensor& a, const Tensor& b);
SPLOT_API Tensor sub(const Tensor& a, const Tensor& b);
/// a b, element by element. bool * bool is "and".
SPLOT_API Tensor mul(const Tensor& a, const Tensor& b);
/// a / b; integers are converted to float32 first, so 1 / 2 is 0.5.
SPLOT_API Tensor div(const Tensor& a, const Tensor& b);
SPLOT_API Tensor neg(const Tensor& x);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }

// --- Functions of one element; integers are converted to float32
// ------------------------------------------------

SPLOT_API Tensor exp(const Tensor& x);
SPLOT_API Tensor log(const Tensor& x);

// --- Comparison and choice
// --------------------------------------------------------------------------------------

SPLOT_API Tensor greater(const Tensor& a, const Tensor& b);
inline Tensor operator>(const Tensor& a, const Tensor& b) { return greater(a, b); }

// --- Activations
// ------------------------------------------------------------------------------------------------

/// max(x, 0). The derivative at 0 is 0, as in PyTorch; lecture tables often give 1.
SPLOT_API Tensor relu(const Tensor& x);
/// The gradient of relu: dy where the output y is positive, else 0.
SPLOT_API Tensor relu_grad(const Tensor& dy, const Tensor& y);

// --- Reductions
// -------------------------------------------------------------------------------------------------

/// The sum over the axes, all of them when none are named; integers and bool add up to int64.
///
///   sum(x)              x[2, 3] -> []
///   sum(x, {1}, true)   x[2, 3] -> [2, 1]
SPLOT_API Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Sums x over the axes that broadcasting would stretch from `shape`: the derivative of broadcasting.
SPLOT_API Tensor sum_to(const Tensor& x, const Shape& shape);

// --- Matrix product
// ---------------------------------------------------------------------------------------------

/// Matrix product over the last two axes; the leading axes broadcast as in NumPy, and a 1-d operand is a row
/// on the left, a column on the right, whose axis the result lacks.
///
///   a[..., m, k]  b[..., k, n]  ->  [..., m, n]
///
/// Both inputs must be floating. Throws ShapeError when the inner sizes differ.
///
///   Tensor y = matmul(x, w);  // x[32, 784]  w[784, 10]  ->  y[32, 10]
SPLOT_API Tensor matmul(const Tensor& a, const Tensor& b);

// --- Shape
// ------------------------------------------------------------------------------------------------------

/// The same elements in row-major order under another shape; one size may be -1 and is worked out.
SPLOT_API Tensor reshape(const Tensor& x, const Ints& shape);
/// Axes in another order: permute(x[2, 3, 4], {2, 0, 1}) -> [4, 2, 3].
SPLOT_API Tensor permute(const Tensor& x, const Axes& order);
/// The last two axes exchanged.
SPLOT_API Tensor matrix_transpose(const Tensor& x);
/// Stretched by broadcasting to `shape`; no element is copied.
SPLOT_API Tensor expand(const Tensor& x, const Shape& shape);

// --- Making and converting
// --------------------------------------------------------------------------------------

SPLOT_API Tensor full(const Shape& shape, double value, DType dtype = kFloat32);
SPLOT_API Tensor zeros(const Shape& shape, DType dtype = kFloat32);
SPLOT_API Tensor ones(const Shape& shape, DType dtype = kFloat32);
/// Converted to another dtype; the tensor itself when it has it already. Floats are cut towards zero to
/// integers.
SPLOT_API Tensor cast(const Tensor& x, DType dtype);
/// A constant: no gradient flows through it.
SPLOT_API Tensor stop_gradient(const Tensor& x);

}  // namespace splot
