// Parameter: a named slot that training writes to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

/// A value that training changes. Copies share the slot, so two layers that hold the same Parameter have tied
/// weights. Where a Tensor is expected, the current value is taken; gradients of it collect in grad().
/// Not safe to assign from one thread while another reads.
///
///   Parameter w(tensor({1.0f, 2.0f}), "w");
///   backward(sum(w * w));      // w.grad() is [2, 4]
///   w.assign(w.value() - 0.1f * w.grad());
///
/// Threads: many may read, or one assign, freeze or zero the gradient.
class SPLOT_API Parameter {
 public:
  Parameter() = default;
  explicit Parameter(const Tensor& value, std::string name = {});
  /// A slot without a value yet: value() throws ValueError until something is assigned.
  Parameter(const Shape& shape, DType dtype, std::string name = {});

  bool defined() const { return static_cast<bool>(slot_); }
  bool has_value() const { return slot_->value.defined(); }
  /// The value as a variable; a constant while frozen.
  const Tensor& value() const {
    if (!has_value()) [[unlikely]] {
      fail_without_value();
    }
    return slot_->value;
  }
  operator const Tensor&() const { return value(); }
  const Shape& shape() const { return slot_->shape; }
  DType dtype() const { return slot_->dtype; }
  const std::string& name() const { return slot_->name; }
  /// What errors call it; a layer's parameters get their path in the model ("0.weight").
  void set_name(std::string name) { slot_->name = std::move(name); }

  /// Replaces the value; the shape and dtype must stay (ShapeError, DTypeError). Gradients stay.
  void assign(const Tensor& value);
  /// The same without another tensor onto the elements, where nobody else holds this one.
  void assign(Tensor&& value);
  /// Says that the elements of the value have been written where they are.
  void touch() { ++slot_->version; }
  /// Takes the value out so that an op may reuse its memory; assign() must follow.
  Tensor take();
  /// Makes it a parameter of another dtype, its value converted; the gradient is dropped.
  void convert(DType dtype);

  /// How often a value was assigned, in whatever way: equal numbers mean that nothing has been written
  /// between.
  std::uint64_t version() const { return slot_->version; }

  /// What backward() has accumulated since the last zero_grad(); undefined when nothing arrived.
  Tensor grad() const;
  void zero_grad();
  /// Replaces the gradient, as clipping does; without history. Shape and dtype must be the parameter's
  /// (ShapeError, DTypeError).
  void set_grad(const Tensor& gradient);
  /// A frozen parameter is a constant: no gradient is computed for it.
  void set_frozen(bool frozen);
  bool frozen() const { return slot_->frozen; }

  friend bool operator==(const Parameter& a, const Parameter& b) { return a.slot_ == b.slot_; }

 private:
  struct Slot {
    Tensor value;
    Shape shape;
    DType dtype;
    std::string name;
    Ref<Node> node;  // the variable every value of this slot belongs to
    bool frozen = false;
    std::uint64_t version = 0;
  };
  void check(const char* where, const Tensor& value) const;
  void attach(Tensor value);
  [[noreturn]] void fail_without_value() const;

  std::shared_ptr<Slot> slot_;
};

/// A parameter under its path in a model ("0.weight"): what optimisers take.
struct NamedParameter {
  std::string name;
  Parameter parameter;
};
using NamedParameters = std::vector<NamedParameter>;

/// A tensor under a name: what models, optimisers and files exchange.
struct NamedTensor {
  std::string name;
  Tensor value;
};
using NamedTensors = std::vector<NamedTensor>;

}  // namespace splot
