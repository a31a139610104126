// OpDef: everything Splot knows about one operation; apply() runs it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "splot/core/attributes.h"
#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

struct OpDef;
class KernelArgs;

/// The languages a formula can be printed in.
enum class Dialect : std::uint8_t { c, cuda };

/// A formula with its attributes, for runs of elements of one type on the instruction set in use.
struct BlockFormula {
  /// Element i of the output from element i of each input; the output may be one of the inputs. Null: there
  /// is none for the type.
  void (*run)(const void* formula, const void* const* inputs, void* output, Index n) = nullptr;
  alignas(8) std::array<std::byte, 16> formula{};
};

/// A formula written once and instantiated for every instruction set, for double and for text;
/// made by elementwise<Formula>() in backend/cpu/elementwise.h.
struct Elementwise {
  int arity = 1;
  void (*run)(const KernelArgs&) = nullptr;
  /// For blocks that other formulas have made, or go on with.
  BlockFormula (*block)(const Attrs& attrs, DType dtype) = nullptr;
  /// One element in double: what the fast kernels are tested against.
  double (*reference)(std::span<const double> inputs, const Attrs& attrs) = nullptr;
  /// The expression in terms of the named inputs: text({"x"}, attrs, Dialect::c) == "fmaxf(x, 0.0f)".
  std::string (*text)(std::span<const std::string> inputs, const Attrs& attrs, Dialect dialect) = nullptr;
};

/// What the shape rule sees and says. Inputs have passed no other check.
///
/// Threads: of one call; read only.
class SPLOT_API RuleArgs {
 public:
  RuleArgs(const OpDef& record, std::span<const Tensor> tensors, const Attrs& values)
      : inputs(tensors), attrs(values), op_(record) {}

  std::string_view op() const;
  const Shape& shape(std::size_t i) const { return inputs[i].shape(); }
  DType dtype(std::size_t i) const { return inputs[i].dtype(); }
  /// Adds the next output, row-major.
  void output(const Shape& shape, DType dtype) {
    shapes_.push_back(shape);
    dtypes_.push_back(dtype);
  }
  /// Adds the next output with its axes in another order in memory; its strides are dense.
  void output(const Shape& shape, DType dtype, const Strides& strides) {
    output(shape, dtype);
    strides_.resize(shapes_.size());
    strides_.back() = strides;
  }

  const std::span<const Tensor> inputs;
  const Attrs& attrs;

  std::size_t output_count() const { return shapes_.size(); }
  const Shape& output_shape(std::size_t i) const { return shapes_[i]; }
  DType output_dtype(std::size_t i) const { return dtypes_[i]; }
  /// Null: row-major.
  const Strides* output_strides(std::size_t i) const {
    return i < strides_.size() && !strides_[i].empty() ? &strides_[i] : nullptr;
  }

 private:
  const OpDef& op_;
  SmallVector<Shape, 1> shapes_;
  SmallVector<Strides, 1> strides_;
  SmallVector<DType, 4> dtypes_;
};

/// What a kernel sees: inputs with any strides, outputs dense and as the rule has them: row-major unless it
/// says otherwise. An elementwise op's output is in the order of its first input of the same shape.
/// Everything has passed the rule.
///
/// Threads: of one call; a kernel may read it from all its threads.
class SPLOT_API KernelArgs {
 public:
  KernelArgs(const OpDef& record, std::span<const Tensor> read, std::span<Tensor> written,
             const Attrs& values)
      : op(record), inputs(read), outputs(written), attrs(values) {}

  const OpDef& op;
  const std::span<const Tensor> inputs;
  const std::span<Tensor> outputs;
  const Attrs& attrs;

  /// The elements of an output, to be written.
  template <Element T>
  T* out(std::size_t i = 0) const {
    return const_cast<T*>(outputs[i].data<T>());
  }
  void* raw_out(std::size_t i = 0) const { return const_cast<void*>(outputs[i].raw()); }
};

/// What a derivative sees. It answers, for each input, the gradient or an undefined tensor.
///
/// Threads: of one call.
class SPLOT_API VjpArgs {
 public:
  VjpArgs(const Node& node, std::span<const Tensor> dys, std::span<const Tensor> outputs,
          std::span<const bool> needs)
      : node_(node), dys_(dys), outputs_(outputs), needs_(needs) {}

  /// The cotangent of an output; zeros where nothing flowed in.
  const Tensor& dy(std::size_t i = 0) const { return dys_[i]; }
  /// An input or output that the record keeps.
  const Tensor& input(std::size_t i) const;
  const Tensor& output(std::size_t i = 0) const { return outputs_[i]; }
  /// Of every input, kept or not.
  const Shape& shape(std::size_t i) const;
  DType dtype(std::size_t i) const;
  std::size_t input_count() const;
  const Attrs& attrs() const;
  /// Whether anybody wants the gradient of this input.
  bool needs(std::size_t i) const { return needs_[i]; }

 private:
  const Node& node_;
  std::span<const Tensor> dys_;
  std::span<const Tensor> outputs_;
  std::span<const bool> needs_;
};

/// Which tensors the derivative looks at, as bit masks; the last bit stands for "every further one".
struct Keeps {
  std::uint32_t inputs = 0;
  std::uint32_t outputs = 0;
};
inline constexpr std::uint32_t keep_all = 0xffffffffu;
/// keep(0, 2): the first and the third.
template <typename... I>
constexpr std::uint32_t keep(I... indices) {
  return ((1u << indices) | ... | 0u);
}

/// One operation. A null member means "not supported" and shows as a gap in docs/ops.md.
struct OpDef {
  const char* name;
  AttrSchema attrs = {};
  int inputs = 1;  ///< -1: any number
  int outputs = 1;
  /// Checks the inputs and adds each output's shape and dtype; the only place where a call is refused.
  void (*rule)(RuleArgs&) = nullptr;
  /// Exactly one of the next three computes: a formula, a kernel, or another view of the first input.
  const Elementwise* elementwise = nullptr;
  void (*kernel)(const KernelArgs&) = nullptr;
  Tensor (*view)(std::span<const Tensor> inputs, const Attrs& attrs) = nullptr;
  /// False where no output depends smoothly on an input (indices, conditions, new tensors): that `vjp` is
  /// null is then no gap.
  bool differentiable = true;
  /// The gradients of the inputs, built from public ops so that they can be differentiated again.
  TensorList (*vjp)(const VjpArgs&) = nullptr;
  Keeps keeps = {};
  /// The same function written with other ops: the reference in tests, the source of higher derivatives.
  TensorList (*composed)(std::span<const Tensor> inputs, const Attrs& attrs) = nullptr;
  /// Output i may be written into input reuses[i] when nobody else can see that input; -1: never.
  std::int8_t reuses[4] = {-1, -1, -1, -1};
  const char* onnx = nullptr;  ///< the operator in ONNX, where one means exactly the same
};

/// Runs an op: rule, kernel, and a node for the derivative when an input has history.
/// Throws what the rule throws; nothing is changed then.
///
///   Tensor y = apply(softplus_op, {x});
SPLOT_API Tensor apply(const OpDef& op, std::initializer_list<BorrowedTensor> inputs,
                       const Attrs& attrs = {});
SPLOT_API Tensor apply(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs = {});
/// The same for ops with several outputs.
SPLOT_API TensorList apply_all(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs = {});
/// Takes the inputs over: where the record allows it and nobody else can see an input, its memory becomes the
/// output's.
SPLOT_API TensorList apply_consuming(const OpDef& op, TensorList inputs, const Attrs& attrs = {});

}  // namespace splot
