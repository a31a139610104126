// What shape rules and public op functions share: promotion, broadcasting, the common rules.
#pragma once

#include "splot/core/op.h"
#include "splot/ops/ops.h"

namespace splot {

/// The dtype that operands of an arithmetic op are converted to: PyTorch's rule. Tensors with axes outrank
/// 0-d tensors, which outrank C++ numbers; a lower rank counts only when it is of a higher kind (bool,
/// integer, floating).
DType result_type(std::span<const Tensor> operands);

/// The operand in another dtype. C++ numbers are converted without a recorded op.
Tensor converted(const Tensor& x, DType dtype);
/// x itself when floating, else converted to float32.
Tensor as_floating(const Tensor& x);

struct Pair {
  Tensor a, b;
};
/// Both in their common dtype.
Pair promoted(const Tensor& a, const Tensor& b);
/// Both in their common dtype, at least float32.
Pair promoted_floating(const Tensor& a, const Tensor& b);

// Rules: the output is like the input; like the inputs broadcast together; the same with dtype bool.
void same_as_input(RuleArgs& r);
void broadcast_inputs(RuleArgs& r);
void broadcast_to_bool(RuleArgs& r);

/// The same as broadcast_inputs, but two bools are refused, as PyTorch does for differences.
void broadcast_numbers(RuleArgs& r);
/// Like the inputs broadcast together; one or more bools give bool.
void broadcast_conditions(RuleArgs& r);

/// The gradient of an input that was stretched by broadcasting, summed back to its shape.
Tensor unbroadcast(const VjpArgs& v, std::size_t i, const Tensor& gradient);
/// The gradient of a function that is constant between its steps.
TensorList zero_vjp(const VjpArgs& v);

/// Adds an output with the first input's dtype whose axes lie in memory in the first input's order.
void output_in_order(RuleArgs& r, const Shape& shape);

/// Raises DTypeError unless all inputs have the dtype of the first.
void require_same_dtype(const RuleArgs& r);

}  // namespace splot
