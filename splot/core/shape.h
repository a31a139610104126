// Shape: the sizes of a tensor's axes.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string>

#include "splot/core/error.h"
#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot {

/// More axes than any network uses; a fixed bound keeps shapes off the heap.
inline constexpr int kMaxRank = 8;

/// A short list of integers, stored in place: strides, axes, paddings.
///
/// Threads: a value; many may read one object, or one change it.
class SPLOT_API Ints {
 public:
  constexpr Ints() = default;
  constexpr Ints(std::initializer_list<Index> values)
      : Ints(std::span<const Index>(values.begin(), values.size())) {}
  constexpr explicit Ints(std::span<const Index> values) {
    if (values.size() > values_.size()) too_long(values.size());
    size_ = static_cast<int>(values.size());
    std::copy(values.begin(), values.end(), values_.begin());
  }
  constexpr Ints(int size, Index value) {
    if (size < 0 || size > static_cast<int>(values_.size())) too_long(static_cast<std::size_t>(size));
    size_ = size;
    std::fill_n(values_.begin(), size, value);
  }

  constexpr int size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr Index& operator[](int i) { return values_[static_cast<std::size_t>(i)]; }
  constexpr Index operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }
  constexpr const Index* begin() const { return values_.data(); }
  constexpr const Index* end() const { return values_.data() + size_; }
  constexpr Index* begin() { return values_.data(); }
  constexpr Index* end() { return values_.data() + size_; }
  constexpr void push_back(Index value) {
    if (size_ == static_cast<int>(values_.size())) too_long(values_.size() + 1);
    values_[static_cast<std::size_t>(size_++)] = value;
  }
  constexpr bool contains(Index value) const { return std::find(begin(), end(), value) != end(); }
  /// "[2, 3]"
  std::string to_string() const;

  friend constexpr bool operator==(const Ints& a, const Ints& b) {
    return a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  [[noreturn]] static void too_long(std::size_t size);

  // In place, like Shape: lists of axes, strides and paddings are copied on every call.
  std::array<Index, kMaxRank> values_{};
  int size_ = 0;
};

using Strides = Ints;
using Axes = Ints;

/// Sizes of the axes, outermost first; none for a 0-d tensor; a size may be zero.
/// Throws ShapeError for a negative size, more than kMaxRank axes or more elements than Index holds.
///
///   Shape s = {2, 3};  s[-1] == 3;  s.numel() == 6
///
/// Threads: a value; many may read one object, or one change it.
class SPLOT_API Shape {
 public:
  constexpr Shape() = default;
  Shape(std::initializer_list<Index> sizes) : Shape(std::span<const Index>(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const Index> sizes);
  explicit Shape(const Ints& sizes) : Shape(std::span<const Index>(sizes.begin(), sizes.end())) {}

  constexpr int rank() const { return rank_; }
  constexpr Index numel() const { return numel_; }
  /// The size of an axis; negative counts from the end. No check: axes from users go through axis().
  constexpr Index operator[](int axis) const {
    return sizes_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)];
  }
  constexpr const Index* begin() const { return sizes_.data(); }
  constexpr const Index* end() const { return sizes_.data() + rank_; }

  /// -1 -> rank - 1; throws ShapeError naming `op` when there is no such axis.
  int axis(Index axis, std::string_view op) const;
  /// Strides of the dense row-major layout, in elements.
  Strides row_major() const;
  Ints ints() const { return Ints(std::span<const Index>(begin(), end())); }
  /// A copy with one size replaced.
  Shape with(int axis, Index size) const;
  /// "[2, 3]"
  std::string to_string() const;

  friend constexpr bool operator==(const Shape& a, const Shape& b) {
    return a.rank_ == b.rank_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  std::array<Index, kMaxRank> sizes_{};
  Index numel_ = 1;
  int rank_ = 0;
};

/// NumPy's broadcasting: right-aligned, a size of 1 stretches. Throws ShapeError naming `op`.
SPLOT_API Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view op);
/// Axes from a user: negative ones resolved, duplicates refused, sorted; empty means every axis.
SPLOT_API Axes normalize_axes(const Axes& axes, const Shape& shape, std::string_view op);

}  // namespace splot
