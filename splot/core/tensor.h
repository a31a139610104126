// Tensor: an n-dimensional array with the history that derivatives need.
#pragma once

#include <concepts>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "splot/core/dtype.h"
#include "splot/core/error.h"
#include "splot/core/export.h"
#include "splot/core/ref.h"
#include "splot/core/shape.h"
#include "splot/core/small_vector.h"
#include "splot/core/storage.h"

namespace splot {

class Node;
class Tensor;

using TensorList = SmallVector<Tensor, 4>;

/// What a Tensor points to: a strided window into storage, and the node that computed it.
struct SPLOT_API TensorImpl : RefCounted {
  Ref<Storage> storage;
  Shape shape;
  Strides strides;   // in elements; 0 repeats an element, negative walks backwards
  Index offset = 0;  // of the first element, in elements
  DType dtype;
  bool contiguous = true;  // dense in row-major order
  bool wrapped = false;    // made from a C++ number: the weakest in promotion
  bool elements = true;    // false: traced; its storage, empty, only says which tensor it is
  Ref<Node> node;          // null: a constant
  int output = 0;          // which output of the node this is

  TensorImpl();
  ~TensorImpl();
  static void destroy(TensorImpl* impl) { delete impl; }
  /// Another tensor onto the same elements, without history.
  Ref<TensorImpl> window() const;
};

template <typename T>
concept Number = std::is_arithmetic_v<T>;

/// An n-dimensional array. A value: copying is cheap, no operation changes its input, and no two tensors can
/// be seen to share memory. Operations are free functions in splot/ops/ops.h.
///
/// A C++ number converts to a 0-d tensor that takes on the dtype of what it meets (x * 2.0 stays float32).
/// Distinct tensors may be used from several threads at once; so may one tensor that nobody assigns to.
///
///   Tensor a = tensor({{1.0f, 2.0f}, {3.0f, 4.0f}});   // [2, 2] float32
///   a.shape() == Shape{2, 2};  a.to_vector<float>();
///
/// Threads: a value; many may read one tensor, or one assign to it. Different tensors are independent even
/// where they share memory.
class SPLOT_API Tensor {
 public:
  /// Undefined: no shape, no elements; only defined() and assignment make sense.
  Tensor() = default;
  /// A 0-d tensor of the number; its dtype yields to any other operand's of the same kind.
  Tensor(bool value);
  template <Number T>
  requires(!std::same_as<T, bool>) Tensor(T value) : Tensor(from_number(value)) {}

  /// Copies the elements; throws ShapeError unless their number fits the shape.
  template <Element T>
  static Tensor from(std::span<const T> values, const Shape& shape) {
    return from_bytes(values.data(), values.size(), dtype_of<T>, shape);
  }
  template <Element T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    if constexpr (std::same_as<T, bool>) {
      const std::vector<std::uint8_t> bytes(values.begin(), values.end());
      return from_bytes(bytes.data(), bytes.size(), kBool, shape);
    } else {
      return from(std::span<const T>(values), shape);
    }
  }
  /// A new tensor whose elements, in row-major order, `fill` writes before anybody else can see them.
  ///
  ///   Tensor x = Tensor::build<float>({3}, [](std::span<float> out) { std::ranges::fill(out, 1.0f); });
  template <Element T, typename Fill>
  static Tensor build(const Shape& shape, Fill&& fill) {
    Tensor out = empty(shape, dtype_of<T>);
    fill(std::span<T>(static_cast<T*>(const_cast<void*>(out.raw())), static_cast<std::size_t>(out.numel())));
    return out;
  }
  /// Uninitialised, dense, row-major.
  static Tensor empty(const Shape& shape, DType dtype);
  /// Uninitialised and dense, its axes behind each other in another order: `strides` are those of a permuted
  /// row-major tensor.
  static Tensor empty(const Shape& shape, DType dtype, const Strides& strides);
  /// Without elements: only their shape, type and order are known (recorder.h). Empty strides: row-major.
  static Tensor without_elements(const Shape& shape, DType dtype, const Strides& strides = {});

  bool defined() const { return static_cast<bool>(impl_); }
  const Shape& shape() const { return impl_->shape; }
  DType dtype() const { return impl_->dtype; }
  int rank() const { return impl_->shape.rank(); }
  Index numel() const { return impl_->shape.numel(); }
  /// The size of one axis, negative from the end; throws ShapeError when there is none.
  Index size(Index axis) const { return shape()[shape().axis(axis, "size")]; }
  const Strides& strides() const { return impl_->strides; }
  bool is_contiguous() const { return impl_->contiguous; }
  bool is_wrapped_number() const { return impl_->wrapped; }
  /// False for results of a function that is being traced.
  bool has_elements() const { return impl_->elements; }

  /// The first element. Elements follow strides(); contiguous(x).data<T>() walks them in order.
  /// Throws DTypeError when T is not the element type.
  template <Element T>
  const T* data() const {
    if (dtype() != dtype_of<T>) [[unlikely]] {
      fail_of_dtype(dtype_of<T>);
    }
    return static_cast<const T*>(raw());
  }
  const void* raw() const {
    if (!has_elements()) [[unlikely]] {
      fail_without_elements();
    }
    return static_cast<const std::byte*>(impl_->storage->data()) +
           impl_->offset * static_cast<Index>(impl_->dtype.size());
  }

  /// The only element, converted; throws ShapeError when there is not exactly one.
  template <Number T>
  T item() const {
    return visit_any(dtype(), [&](auto tag) {
      using From = typename decltype(tag)::type;
      return convert<T>(*static_cast<const From*>(only_element()));
    });
  }
  /// All elements in row-major order, converted to T.
  template <Element T>
  std::vector<T> to_vector() const {
    std::vector<T> out(static_cast<std::size_t>(numel()));
    if constexpr (std::same_as<T, bool>) {
      const std::vector<std::uint8_t> bytes = as(kBool).template raw_vector<std::uint8_t>();
      out.assign(bytes.begin(), bytes.end());
    } else {
      copy_to(std::span<T>(out));
    }
    return out;
  }
  /// The same into memory of the caller; throws ShapeError unless its size is numel().
  template <Element T>
  void copy_to(std::span<T> out) const {
    copy_to_bytes(out.data(), out.size(), dtype_of<T>);
  }

  /// A constant with the same elements: no gradient flows through it.
  Tensor detach() const;
  /// A variable with the same elements: gradients with respect to it can be asked for.
  ///
  ///   Tensor x = tensor({1.0, 2.0}).variable();
  ///   Tensor dx = grad(sum(x * x), {x})[0];   // [2, 4]
  Tensor variable(std::string name = {}) const;
  /// Whether a gradient flows to or through it.
  bool requires_grad() const { return defined() && static_cast<bool>(impl_->node); }
  /// What backward() has accumulated for a variable; undefined before.
  Tensor grad() const;

  /// "[2, 3]": the shape, so that messages read a[2, 3].
  std::string to_string() const { return defined() ? shape().to_string() : "(undefined)"; }

  // For ops and the autodiff engine.
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}
  const Ref<TensorImpl>& impl() const { return impl_; }
  /// True when no other tensor, node or view can see the elements.
  bool owns_storage() const { return has_elements() && impl_->storage.get()->unique() && impl_->unique(); }

 private:
  [[noreturn]] void fail_without_elements() const;
  [[noreturn]] void fail_of_dtype(DType asked) const;
  template <Number T>
  static Tensor from_number(T value) {
    if constexpr (std::is_integral_v<T>) {
      return wrapped_integer(static_cast<std::int64_t>(value));
    } else {
      return wrapped_double(static_cast<double>(value));
    }
  }
  template <typename T>
  std::vector<T> raw_vector() const {
    const T* first = static_cast<const T*>(raw());
    return std::vector<T>(first, first + numel());
  }
  static Tensor wrapped_integer(std::int64_t value);
  static Tensor wrapped_double(double value);
  static Tensor from_bytes(const void* values, std::size_t count, DType dtype, const Shape& shape);
  void copy_to_bytes(void* out, std::size_t count, DType dtype) const;
  Tensor as(DType dtype) const;
  const void* only_element() const;

  Ref<TensorImpl> impl_;
};

/// A Tensor that does not own: what a call passes on while the caller keeps the original alive. Counting
/// references is an atomic operation each time, and a small op would spend a third of its time on it.
///
/// Threads: a value; many may read one object, or one change it.
class BorrowedTensor {
 public:
  BorrowedTensor(const Tensor& x) {
    ::new (static_cast<void*>(&tensor_)) Tensor(Ref<TensorImpl>::uncounted(x.impl().get()));
  }
  BorrowedTensor(const BorrowedTensor& other) : BorrowedTensor(other.tensor_) {}
  BorrowedTensor& operator=(const BorrowedTensor&) = delete;
  ~BorrowedTensor() {}  // the union's member is deliberately not destroyed

  /// A list of borrowed tensors as a list of tensors: the wrapper holds nothing else.
  static std::span<const Tensor> all(std::initializer_list<BorrowedTensor> tensors) {
    return {reinterpret_cast<const Tensor*>(tensors.begin()), tensors.size()};
  }

 private:
  union {
    Tensor tensor_;
  };
};
static_assert(sizeof(BorrowedTensor) == sizeof(Tensor));

/// Nested lists of one C++ type: tensor({1, 2, 3}) is int32 [3]; tensor({{1.0, 2.0}, {3.0, 4.0}}) float64 [2,
/// 2].
template <Element T>
Tensor tensor(std::initializer_list<T> values) {
  return Tensor::from(std::span<const T>(values.begin(), values.size()), {static_cast<Index>(values.size())});
}
template <Element T>
Tensor tensor(std::initializer_list<std::initializer_list<T>> rows) {
  std::vector<T> values;
  const std::size_t columns = rows.size() == 0 ? 0 : rows.begin()->size();
  for (const auto& row : rows) {
    require(row.size() == columns, "tensor", "rows have ", columns, " and ", row.size(), " elements");
    values.insert(values.end(), row.begin(), row.end());
  }
  return Tensor::from(values, {static_cast<Index>(rows.size()), static_cast<Index>(columns)});
}
/// A 0-d tensor of exactly T's dtype (not the weak kind a plain number converts to).
template <Element T>
Tensor scalar(T value) {
  return Tensor::from(std::span<const T>(&value, 1), {});
}

/// The same values, dense in row-major order; the tensor itself when it is so already. Part of the storage,
/// not of the mathematics: the history is unchanged.
SPLOT_API Tensor contiguous(const Tensor& x);

/// NumPy's way of printing, "[[1. 2.]\n [3. 4.]]"; long axes are shortened with "...".
SPLOT_API std::string print(const Tensor& x);

}  // namespace splot
