// StepWriter: what the writers of ops have at hand to print one function of the C.
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "splot/compiler/c/internal/c_text.h"
#include "splot/compiler/c/internal/lowered.h"

namespace splot::compiler {

/// The weights and tables of a program.
struct CConstant {
  std::string name;     ///< "model_conv1_weight"
  std::string comment;  ///< "conv1.weight, [6, 1, 5, 5]"
  Tensor value;         ///< float32 or int32, contiguous
};

/// A name for each, and each once.
class CConstants {
 public:
  /// `slot`: its name where it is one as it is; `name`: else.
  const CConstant& add(const Tensor& value, const std::string& name, const std::string& slot = {});
  const std::vector<CConstant>& all() const { return all_; }

 private:
  std::vector<CConstant> all_;
  std::map<std::string, std::size_t> slots_;
};

/// An operand as C names it.
struct CArray {
  std::string name;    ///< of a pointer or array; empty: a number
  std::string number;  ///< "0.5f"
  Shape shape;
  Strides strides;
  Tensor known;  ///< its elements, where they are constant

  /// "x[c * 784 + i]"; one index for each axis.
  std::string operator[](std::span<const std::string> indices) const;
  std::string operator[](std::initializer_list<std::string> indices) const {
    return (*this)[std::span<const std::string>(indices.begin(), indices.size())];
  }
};

/// One function while it is written. The writer of an op calls finish() once for each element of the result.
class StepWriter {
 public:
  StepWriter(const CLowered& lowered, const CStep& step, CConstants& constants);

  const GraphCall& call() const { return step_.calls.front(); }
  const Attrs& attrs() const { return call().attrs; }
  std::size_t input_count() const { return call().inputs.size(); }
  /// `role` names a constant: "weight".
  CArray input(std::size_t i, const std::string& role = "constant");
  const Shape& shape(std::size_t i) const;
  /// The elements of an input that is constant, as float64; undefined: it is computed.
  Tensor known(std::size_t i) const;
  /// A constant of the writer's own making.
  CArray constant(const Tensor& value, const std::string& role);
  /// Of the result.
  const Shape& out_shape() const { return y_.shape; }

  /// y[indices] = `value`, after the ops that follow. `value` may be an expression; the ops behind it work on
  /// the variable `variable`, which is declared unless it is `value` itself.
  void finish(std::span<const std::string> indices, const std::string& value, const std::string& variable);
  void finish(std::initializer_list<std::string> indices, const std::string& value,
              const std::string& variable) {
    finish(std::span<const std::string>(indices.begin(), indices.size()), value, variable);
  }
  /// The C text of an elementwise call; input number `taken` is `value`; -1: none.
  std::string text_of(const GraphCall& call, std::span<const std::string> indices, int taken,
                      const std::string& value);
  /// An op of one input that runs before those that follow: what a fused record has inside.
  void prepend(const OpDef& op) { before_.push_back(&op); }

  /// A loop over each axis of the shape, opened, and an index for each.
  std::vector<std::string> loops(const Shape& shape);
  /// Whether the step reads and writes the same places of dense arrays, so that one loop does.
  bool is_flat() const;

  [[noreturn]] void refuse(const std::string& why) const;

  Code code;
  std::vector<std::string> notes;  ///< for the comment: "6 windows of 5 x 5"
  Index multiply_adds = 0;

  /// What is read, and by which name; in the order of the parameters.
  const std::vector<std::pair<ValueId, std::string>>& parameters() const { return parameters_; }
  /// The numbers in its weights.
  Index weights() const { return weights_; }

 private:
  CArray array(ValueId id, const std::string& role, const std::string& name);

  const CLowered& lowered_;
  const CStep& step_;
  CConstants& constants_;
  CArray y_;
  std::vector<std::pair<ValueId, std::string>> parameters_;
  std::vector<const OpDef*> before_;
  std::map<std::string, bool> counted_;
  Index weights_ = 0;
};

/// Writes the root op of a step.
using CWriter = void (*)(StepWriter&);
/// Null: there is none for this op.
CWriter c_writer(const OpDef& op);

void write_elementwise(StepWriter&);
void write_copy(StepWriter&);
void write_linear(StepWriter&);
void write_matmul(StepWriter&);
void write_conv2d(StepWriter&);
void write_conv2d_input_grad(StepWriter&);
void write_max_pool2d(StepWriter&);
void write_avg_pool2d(StepWriter&);
void write_adaptive_avg_pool2d(StepWriter&);
void write_resize(StepWriter&);
void write_softmax(StepWriter&);
void write_reduction(StepWriter&);
void write_batch_norm(StepWriter&);
void write_concat(StepWriter&);
void write_pad(StepWriter&);
void write_index_select(StepWriter&);

}  // namespace splot::compiler
