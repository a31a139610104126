// StepWriter: what the writers of ops have at hand to print one function of the C.
#pragma once

#include <functional>
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
  std::string name;      ///< "model_conv1_weight"
  std::string comment;   ///< "conv1.weight, [6, 1, 5, 5]"
  Tensor value;          ///< float32 or int32, contiguous
  bool changes = false;  ///< learning writes it; `value` is what it starts with
  std::string slot = {};
};

/// A function that layers share: what an optimiser does to one weight, random numbers.
struct CHelper {
  std::string name;
  std::string text;        ///< in whole
  std::string begin = {};  ///< a statement at the begin of each step
};

/// A name for each, and each once.
class CConstants {
 public:
  /// `slot`: its name where it is one as it is; `name`: else.
  const CConstant& add(const Tensor& value, const std::string& name, const std::string& slot = {},
                       bool changes = false);
  const std::vector<CConstant>& all() const { return all_; }
  /// What make(name) writes, unless there is one of that `key`; `name` gets a number where it is taken.
  const CHelper& helper(const std::string& key, const std::string& name,
                        const std::function<CHelper(const std::string& name)>& make);
  const std::vector<CHelper>& helpers() const { return helpers_; }

 private:
  std::vector<CConstant> all_;
  std::map<std::string, std::size_t> slots_;
  std::vector<CHelper> helpers_;
  std::map<std::string, std::size_t> keys_;  // of helpers
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
  CArray input(std::size_t i, const std::string& role = "constant", const std::string& name = "x");
  const Shape& shape(std::size_t i) const;
  /// The elements of an input that is constant, as float64; undefined: it is computed.
  Tensor known(std::size_t i) const;
  /// A constant of the writer's own making.
  CArray constant(const Tensor& value, const std::string& role);
  /// What another call of the step reads.
  CArray operand(const GraphCall& call, std::size_t i) { return array(call.inputs[i], "state", "x"); }
  CType type_of(std::size_t i) const { return lowered_.type_of(call().inputs[i]); }
  /// Whether somebody reads the second result of the op.
  bool keeps_second() const;
  /// The second result of the op: "winners", with its type.
  CArray second(const std::string& name);
  CType second_type() const { return lowered_.type_of(call().outputs[1]); }
  /// What the op draws random numbers by.
  const GraphInput& key() const;
  const CHelper& helper(const std::string& key, const std::string& name,
                        const std::function<CHelper(const std::string& name)>& make) {
    return constants_.helper(key, name, make);
  }
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
  /// Loops over all elements of the result: one, where is_flat().
  std::vector<std::string> element_loops();
  /// Whether the step reads and writes the same places of dense arrays, so that one loop does.
  bool is_flat() const;

  [[noreturn]] void refuse(const std::string& why) const;

  Code code;
  std::vector<std::string> notes;  ///< for the comment: "6 windows of 5 x 5"
  Index multiply_adds = 0;

  /// What is read, and by which name; in the order of the parameters.
  const std::vector<std::pair<ValueId, std::string>>& parameters() const { return parameters_; }
  /// What is written, likewise: none by a step that changes weights.
  const std::vector<std::pair<ValueId, std::string>>& results() const { return results_; }
  CType type_of_value(ValueId id) const { return lowered_.type_of(id); }
  /// Whether it is one of a training step.
  bool learns() const { return !lowered_.types.empty(); }
  /// The numbers in its weights.
  Index weights() const { return weights_; }

 private:
  CArray array(ValueId id, const std::string& role, const std::string& name);

  const CLowered& lowered_;
  const CStep& step_;
  CConstants& constants_;
  CArray y_;
  std::vector<std::pair<ValueId, std::string>> parameters_;
  std::vector<std::pair<ValueId, std::string>> results_;
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

/// The loops over images, channels, rows and columns of the result, open: what their variables are called.
struct ImageLoops {
  std::string n, c, row, column;
};
ImageLoops open_image(StepWriter&, const char* row, const char* column);

// Of a training step alone:
void write_conv2d_weight_grad(StepWriter&);
void write_max_pool2d_grad(StepWriter&);
void write_avg_pool2d_grad(StepWriter&);
void write_adaptive_avg_pool2d_grad(StepWriter&);
void write_softmax_cross_entropy(StepWriter&);
void write_softmax_cross_entropy_grad(StepWriter&);
void write_one_hot(StepWriter&);
void write_bernoulli(StepWriter&);
void write_update(StepWriter&);

/// Whether the op changes a weight along its gradient, its second input.
bool is_update(const OpDef& op);
/// One element of the update: the gradient is the expression `g`.
void write_update_of(StepWriter&, const GraphCall& update, std::span<const std::string> indices,
                     const std::string& g);

}  // namespace splot::compiler
