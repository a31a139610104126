// Graph: a function of tensors, written down as the calls of ops that it makes.
#pragma once

#include <string>
#include <vector>

#include "splot/core/attributes.h"
#include "splot/core/export.h"
#include "splot/core/op.h"
#include "splot/core/parameter.h"
#include "splot/core/random.h"
#include "splot/core/tensor.h"

namespace splot {

/// The place of a value in Graph::values.
using ValueId = int;

struct GraphValue {
  Shape shape;
  DType dtype;
  Strides strides;
};

/// One call of an op. Calls stand in an order in which they can be made.
struct GraphCall {
  const OpDef* op = nullptr;
  Attrs attrs;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  /// Elementwise calls that stand one behind the other with the same number, other than 0, are made together,
  /// block by block of their elements.
  int fused = 0;
};

/// Something that outlives a call and that a function reads and writes: a parameter, a running mean, the
/// momentum of an optimiser, its learning rate.
///
/// Threads: as what it stands for.
class SPLOT_API Slot {
 public:
  Slot(std::string name, Parameter parameter) : name_(std::move(name)), parameter_(std::move(parameter)) {}
  /// `tensor` has to outlive the slot.
  Slot(std::string name, Tensor* tensor) : name_(std::move(name)), tensor_(tensor) {}

  const std::string& name() const { return name_; }
  /// Undefined where nothing has been assigned.
  const Tensor& value() const;
  void set(Tensor value);
  /// Its elements have been written where they are.
  void touch();
  /// Null for a slot that is no parameter.
  const Parameter* parameter() const { return parameter_.defined() ? &parameter_ : nullptr; }

 private:
  std::string name_;
  Parameter parameter_;
  Tensor* tensor_ = nullptr;
};

/// Which of some slots hold something, and which hold the same: the parameters that have had as many steps of
/// Adam hold one number of steps. What is traced with the same tensor twice is right for as long as it is
/// one.
///
/// Threads: a value.
class SPLOT_API SlotTensors {
 public:
  SlotTensors() = default;
  explicit SlotTensors(const std::vector<Slot>& slots);

  /// The first slot with the tensor of slot i, which may be i itself; -1 where slot i holds nothing.
  int first_with(std::size_t i) const { return first_[i]; }
  /// The first of these slots that is no longer so: it holds something and did not, holds nothing and did,
  /// or no longer holds what an earlier one holds. -1: there is none.
  int changed(const std::vector<Slot>& slots) const;

 private:
  std::vector<int> first_;
};

/// What a graph takes.
struct GraphInput {
  enum class Kind { argument, slot, key, constant };
  Kind kind = Kind::argument;
  ValueId value = 0;
  int index = 0;  ///< of the argument, or in Graph::slots
  RandomKey key = {};
  bool follows = false;  ///< the key's counter is added to that of the call
  Tensor constant = {};
};

/// At the end of a call the slot holds the value.
struct GraphWrite {
  int slot = 0;
  ValueId value = 0;
};

/// A traced function (trace.h).
///
/// Threads: a value; many may read one object, or one change it.
struct SPLOT_API Graph {
  std::vector<GraphValue> values;
  std::vector<Slot> slots;
  SlotTensors slot_tensors;  ///< what the slots held when the function was traced
  std::vector<GraphInput> inputs;
  std::vector<GraphCall> calls;
  std::vector<ValueId> outputs;
  std::vector<GraphWrite> writes;

  ValueId add_value(const Tensor& like);
  /// One line for each input, call, output and write; a call shows its attributes, a constant of one element
  /// its value, and calls that are made together the number that they share:
  ///
  ///   %0 = argument 0: float32[10, 784]
  ///   %1 = slot 0.weight: float32[30, 784]
  ///   %2 = permute(%1, order=[1, 0]): float32[784, 30]
  ///   %3 = matmul(%0, %2): float32[10, 30]
  ///   %4 = mul(%3, %3): float32[10, 30] | fused 1
  ///   %5 = exp(%4): float32[10, 30] | fused 1
  ///   return %5
  std::string to_string() const;
};

}  // namespace splot
