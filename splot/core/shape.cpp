#include "splot/core/shape.h"

namespace splot {
namespace {

std::string bracketed(std::span<const Index> values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) out += ", ";
    message::append(out, values[i]);
  }
  return out += ']';
}

}  // namespace

std::string Ints::to_string() const { return bracketed({begin(), end()}); }

void Ints::too_long(std::size_t size) {
  fail("shape", "a list of ", size, " integers is too long: the limit is ", kMaxRank);
}

// The messages are put together only when one is needed: this runs for every tensor that is made.
Shape::Shape(std::span<const Index> sizes) {
  if (sizes.size() > kMaxRank) [[unlikely]] {
    fail("shape", bracketed(sizes), " has ", sizes.size(), " axes; the limit is ", kMaxRank);
  }
  rank_ = static_cast<int>(sizes.size());
  bool overflow = false;
  bool has_zero = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 0) [[unlikely]] {
      fail("shape", bracketed(sizes), " has a negative size");
    }
    sizes_[i] = sizes[i];
    has_zero = has_zero || sizes[i] == 0;
    overflow = __builtin_mul_overflow(numel_, sizes[i], &numel_) || overflow;
  }
  if (has_zero) {
    numel_ = 0;
  } else if (overflow) [[unlikely]] {
    fail("shape", bracketed(sizes), " has more elements than a 64-bit integer can count");
  }
}

int Shape::axis(Index axis, std::string_view op) const {
  const Index resolved = axis < 0 ? axis + rank_ : axis;
  if (resolved < 0 || resolved >= rank_) [[unlikely]] {
    fail(op, "there is no axis ", axis, " in ", *this,
         rank_ == 0 ? std::string(": it is 0-d") : join(": it has axes ", -rank_, " to ", rank_ - 1));
  }
  return static_cast<int>(resolved);
}

Strides Shape::row_major() const {
  Strides strides(rank_, 1);
  for (int i = rank_ - 2; i >= 0; --i) {
    // Without elements the product is unbounded and nobody follows it: it may wrap, but must not overflow.
    strides[i] = static_cast<Index>(static_cast<std::uint64_t>(strides[i + 1]) *
                                    static_cast<std::uint64_t>(std::max<Index>((*this)[i + 1], 1)));
  }
  return strides;
}

Shape Shape::with(int axis, Index size) const {
  Ints sizes = ints();
  sizes[axis] = size;
  return Shape(sizes);
}

std::string Shape::to_string() const { return bracketed({begin(), end()}); }

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view op) {
  if (a == b) return a;
  const int rank = std::max(a.rank(), b.rank());
  Ints sizes(rank, 1);
  for (int i = 1; i <= rank; ++i) {
    const Index x = i <= a.rank() ? a[-i] : 1;
    const Index y = i <= b.rank() ? b[-i] : 1;
    require(x == y || x == 1 || y == 1, op, "cannot broadcast ", a, " with ", b, ": axis ", -i, " has sizes ",
            x, " and ", y);
    sizes[rank - i] = x == 1 ? y : x;
  }
  return Shape(sizes);
}

Axes normalize_axes(const Axes& axes, const Shape& shape, std::string_view op) {
  Axes out;
  if (axes.empty()) {
    for (int i = 0; i < shape.rank(); ++i) out.push_back(i);
    return out;
  }
  for (const Index axis : axes) {
    const int resolved = shape.axis(axis, op);
    require(!out.contains(resolved), op, "axis ", axis, " is named twice in ", axes);
    out.push_back(resolved);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace splot
