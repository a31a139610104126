// Element types, their promotion, and the way from a DType to a C++ type.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "splot/core/error.h"
#include "splot/core/export.h"

namespace splot {

/// The upper 16 bits of a float32. Can be cast, copied and stored; no arithmetic.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  /// Rounds to nearest, ties to even; NaN stays NaN.
  explicit bfloat16(float value) {
    const auto raw = std::bit_cast<std::uint32_t>(value);
    if (value != value) {
      bits = static_cast<std::uint16_t>((raw >> 16) | 0x40);
    } else {
      bits = static_cast<std::uint16_t>((raw + 0x7fff + ((raw >> 16) & 1)) >> 16);
    }
  }
  explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

/// Ordered so that a later floating type holds every earlier one.
enum class DTypeCode : std::uint8_t { boolean, uint8, int32, int64, bfloat16, float32, float64 };
inline constexpr int kDTypeCount = 7;

/// Threads: a value; many may read one object, or one change it.
class SPLOT_API DType {
 public:
  constexpr DType() = default;
  constexpr DType(DTypeCode code) : code_(code) {}

  constexpr DTypeCode code() const { return code_; }
  constexpr std::size_t size() const {
    constexpr std::size_t sizes[] = {1, 1, 4, 8, 2, 4, 8};
    return sizes[static_cast<int>(code_)];
  }
  constexpr bool is_floating() const { return code_ >= DTypeCode::bfloat16; }
  constexpr bool is_integral() const { return code_ < DTypeCode::bfloat16; }  // as in PyTorch, bool counts
  /// "float32", "int64", "bool", ...: NumPy's names.
  std::string_view name() const;
  std::string to_string() const { return std::string(name()); }
  /// The inverse of name().
  static std::optional<DType> parse(std::string_view name);

  friend constexpr bool operator==(DType, DType) = default;

 private:
  DTypeCode code_ = DTypeCode::float32;
};

inline constexpr DType kBool = DTypeCode::boolean;
inline constexpr DType kUInt8 = DTypeCode::uint8;
inline constexpr DType kInt32 = DTypeCode::int32;
inline constexpr DType kInt64 = DTypeCode::int64;
inline constexpr DType kBFloat16 = DTypeCode::bfloat16;
inline constexpr DType kFloat32 = DTypeCode::float32;
inline constexpr DType kFloat64 = DTypeCode::float64;

/// The type both convert to, by PyTorch's table: int64 x float32 = float32, uint8 x int32 = int32.
SPLOT_API DType promote(DType a, DType b);

template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<bool> {
  static constexpr DType value = kBool;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = kUInt8;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = kInt32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = kInt64;
};
template <>
struct DTypeOf<bfloat16> {
  static constexpr DType value = kBFloat16;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = kFloat64;
};

template <typename T>
inline constexpr DType dtype_of = DTypeOf<std::remove_cv_t<T>>::value;

template <typename T>
concept Element = requires {
  DTypeOf<std::remove_cv_t<T>>::value;
};

template <typename T>
struct TypeTag {
  using type = T;
};

/// Calls body(TypeTag<T>()) with the C++ type of `dtype`: every type, bfloat16 included.
///
///   visit_any(x.dtype(), [&](auto tag) { using T = typename decltype(tag)::type; ... });
template <typename Body>
decltype(auto) visit_any(DType dtype, Body&& body) {
  switch (dtype.code()) {
    case DTypeCode::boolean:
      return body(TypeTag<bool>());
    case DTypeCode::uint8:
      return body(TypeTag<std::uint8_t>());
    case DTypeCode::int32:
      return body(TypeTag<std::int32_t>());
    case DTypeCode::int64:
      return body(TypeTag<std::int64_t>());
    case DTypeCode::bfloat16:
      return body(TypeTag<bfloat16>());
    case DTypeCode::float32:
      return body(TypeTag<float>());
    case DTypeCode::float64:
      break;
  }
  return body(TypeTag<double>());
}

/// The same for the types that calculate: all but bfloat16, which raises DTypeError naming `op`.
template <typename Body>
decltype(auto) visit_numbers(DType dtype, std::string_view op, Body&& body) {
  switch (dtype.code()) {
    case DTypeCode::boolean:
      return body(TypeTag<bool>());
    case DTypeCode::uint8:
      return body(TypeTag<std::uint8_t>());
    case DTypeCode::int32:
      return body(TypeTag<std::int32_t>());
    case DTypeCode::int64:
      return body(TypeTag<std::int64_t>());
    case DTypeCode::float32:
      return body(TypeTag<float>());
    case DTypeCode::float64:
      return body(TypeTag<double>());
    case DTypeCode::bfloat16:
      break;
  }
  fail<DTypeError>(op, "bfloat16 can only be cast, copied and stored; cast to float32 first");
}

/// The same for float32 and float64 alone.
template <typename Body>
decltype(auto) visit_floats(DType dtype, std::string_view op, Body&& body) {
  if (dtype == kFloat32) return body(TypeTag<float>());
  if (dtype == kFloat64) return body(TypeTag<double>());
  fail<DTypeError>(op, "needs float32 or float64, got ", dtype);
}

/// One element of another type; to bool: anything but zero (NaN too) is true, as in C++ and PyTorch.
template <typename To, typename From>
To convert(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<From, bfloat16>) {
    return convert<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bfloat16>) {
    return bfloat16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Out of range is undefined in C++; through int64 and clamped it is at least the same everywhere.
    constexpr From kLimit = static_cast<From>(9223372036854775808.0);
    const std::int64_t whole = value != value    ? std::int64_t{0}
                               : value >= kLimit ? INT64_MAX
                               : value < -kLimit ? INT64_MIN
                                                 : static_cast<std::int64_t>(value);
    return static_cast<To>(whole);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace splot
