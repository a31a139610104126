// The errors a caller can catch, and the two ways to raise them: require() and fail().
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot {

/// Everything Splot throws on purpose derives from this.
///
/// Threads: a value; many may read one object, or one change it.
class SPLOT_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

#define SPLOT_ERROR(Name)               \
  class SPLOT_API Name : public Error { \
   public:                              \
    using Error::Error;                 \
  }

SPLOT_ERROR(ShapeError);       ///< sizes or numbers of axes do not fit
SPLOT_ERROR(DTypeError);       ///< the element type does not fit
SPLOT_ERROR(ValueError);       ///< an argument is outside its range
SPLOT_ERROR(IndexError);       ///< an index is outside its axis
SPLOT_ERROR(FormatError);      ///< a file or text breaks the rules of its format
SPLOT_ERROR(IoError);          ///< the system refused to read or write
SPLOT_ERROR(GradientError);    ///< a derivative was asked for where there is none
SPLOT_ERROR(DivergenceError);  ///< training produced NaN or infinity
SPLOT_ERROR(TraceError);       ///< a function does what a traced one must not

#undef SPLOT_ERROR

namespace message {

SPLOT_API void append(std::string& out, double value);
SPLOT_API void append(std::string& out, long long value);
SPLOT_API void append(std::string& out, unsigned long long value);
inline void append(std::string& out, std::string_view value) { out += value; }
inline void append(std::string& out, const char* value) { out += value; }
inline void append(std::string& out, const std::string& value) { out += value; }
inline void append(std::string& out, char value) { out += value; }
inline void append(std::string& out, bool value) { out += value ? "true" : "false"; }
inline void append(std::string& out, float value) { append(out, static_cast<double>(value)); }

template <typename T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool> &&
         !std::is_same_v<T, char>) void append(std::string& out, T value) {
  if constexpr (std::is_signed_v<T>) {
    append(out, static_cast<long long>(value));
  } else {
    append(out, static_cast<unsigned long long>(value));
  }
}

/// Shape, DType, Tensor and the like: whatever has to_string().
template <typename T>
requires requires(const T& value) { value.to_string(); }
void append(std::string& out, const T& value) { out += value.to_string(); }

}  // namespace message

/// The parts one after the other as text: join("a", 3) == "a3".
template <typename... Parts>
std::string join(const Parts&... parts) {
  std::string out;
  (message::append(out, parts), ...);
  return out;
}

/// Throws E with the text "[where] parts...".
template <typename E = ShapeError, typename... Parts>
[[noreturn]] void fail(std::string_view where, const Parts&... parts) {
  throw E(join('[', where, "] ", parts...));
}

/// Throws E unless the condition holds; `where` is the op, layer or function the user called.
///
///   require(a[-1] == b[-2], "matmul", "inner sizes differ: a", a, " has ", a[-1], " columns");
template <typename E = ShapeError, typename... Parts>
inline void require(bool condition, std::string_view where, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    fail<E>(where, parts...);
  }
}

}  // namespace splot
