// Printing as NumPy does: str(array), with eight digits, lines of 75 characters and "..." beyond a thousand
// elements.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "splot/core/tensor.h"

namespace splot {
namespace {

constexpr int kPrecision = 8;
constexpr std::size_t kLineWidth = 75;
constexpr Index kThreshold = 1000;  // more elements than this are summarised
constexpr Index kEdge = 3;          // what a summarised axis shows at each end

// A finite number's decimal digits d1 d2 d3 ... with the value 0.d1d2d3... 10^point.
struct Decimal {
  bool negative = false;
  std::string digits;  // without zeros at the ends; empty for zero
  int point = 0;

  // Digits behind the decimal point in 12.34 and behind the first digit in 1.234e1.
  int fraction_digits() const { return std::max(0, static_cast<int>(digits.size()) - point); }
  int mantissa_digits() const { return std::max(0, static_cast<int>(digits.size()) - 1); }
};

// From "d.dddde+xx".
Decimal parse(std::string_view text) {
  Decimal out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  const std::size_t e = text.find('e');
  out.point = std::atoi(std::string(text.substr(e + 1)).c_str()) + 1;
  for (const char c : text.substr(0, e)) {
    if (c != '.') out.digits += c;
  }
  while (!out.digits.empty() && out.digits.back() == '0') out.digits.pop_back();
  if (out.digits.empty()) out.point = 1;
  return out;
}

// The fewest digits that give the number back.
template <typename T>
Decimal shortest(T value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific).ptr;
  return parse({buffer, static_cast<std::size_t>(end - buffer)});
}

// Rounded to `digits` digits behind the first one.
Decimal rounded(double value, int digits) {
  char buffer[64];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific, digits).ptr;
  return parse({buffer, static_cast<std::size_t>(end - buffer)});
}

template <typename T>
Decimal for_scientific(T value) {
  const Decimal exact = shortest(value);
  return exact.mantissa_digits() <= kPrecision ? exact : rounded(static_cast<double>(value), kPrecision);
}

// 12.34 rounded to `places` digits behind the point.
Decimal rounded_at(double value, int places) {
  char buffer[512];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed, places).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  Decimal out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  const std::size_t dot = std::min(text.find('.'), text.size());
  out.digits = std::string(text.substr(0, dot));
  if (dot < text.size()) out.digits += text.substr(dot + 1);
  const std::size_t zeros = std::min(out.digits.find_first_not_of('0'), out.digits.size());
  out.digits.erase(0, zeros);
  while (!out.digits.empty() && out.digits.back() == '0') out.digits.pop_back();
  out.point = out.digits.empty() ? 1 : static_cast<int>(dot) - static_cast<int>(zeros);
  return out;
}

// In front of the point stand the digits of the exact value, behind it as few as give the number back.
template <typename T>
Decimal for_positional(T value) {
  const Decimal exact = shortest(value);
  const int places = exact.fraction_digits();
  if (places > 0 && places <= kPrecision) return exact;
  return rounded_at(static_cast<double>(value), std::min(places, kPrecision));
}

std::string integer_part(const Decimal& d) {
  std::string out = d.negative ? "-" : "";
  if (d.digits.empty() || d.point <= 0) return out + '0';
  for (int i = 0; i < d.point; ++i) {
    out += i < static_cast<int>(d.digits.size()) ? d.digits[static_cast<std::size_t>(i)] : '0';
  }
  return out;
}

std::string fraction_part(const Decimal& d) {
  if (d.digits.empty()) return "";
  std::string out(static_cast<std::size_t>(std::max(0, -d.point)), '0');
  if (static_cast<int>(d.digits.size()) > d.point)
    out += d.digits.substr(static_cast<std::size_t>(std::max(0, d.point)));
  return out;
}

std::string first_digit(const Decimal& d) {
  return (d.negative ? "-" : "") + (d.digits.empty() ? std::string("0") : d.digits.substr(0, 1));
}
std::string mantissa_part(const Decimal& d) { return d.digits.size() <= 1 ? "" : d.digits.substr(1); }

// At least two digits: "+08".
std::string exponent_part(const Decimal& d, std::size_t digits) {
  const int exponent = d.digits.empty() ? 0 : d.point - 1;
  std::string number = std::to_string(std::abs(exponent));
  if (number.size() < digits) number.insert(0, digits - number.size(), '0');
  return (exponent < 0 ? "-" : "+") + number;
}

std::string padded_left(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

// How all elements of one tensor are written: the width of each part is that of the longest.
template <typename T>
class FloatFormat {
 public:
  explicit FloatFormat(const std::vector<T>& shown) {
    T largest = 0, smallest = 0;
    bool any = false, finite = false;
    for (const T value : shown) {
      if (!std::isfinite(value)) continue;
      finite = true;
      const T size = std::abs(value);
      if (size == T(0)) continue;
      largest = any ? std::max(largest, size) : size;
      smallest = any ? std::min(smallest, size) : size;
      any = true;
    }
    scientific_ = any && (static_cast<double>(largest) >= 1e8 || static_cast<double>(smallest) < 0.0001 ||
                          largest / smallest > T(1000));
    if (finite) measure(shown);
    for (const T value : shown) {
      if (std::isfinite(value)) continue;
      const std::size_t word = std::isinf(value) && value < 0 ? 4 : 3;
      left_ = std::max(left_, word > right_ + 1 ? word - right_ - 1 : 0);
    }
  }

  std::string operator()(T value) const {
    if (!std::isfinite(value)) {
      const char* word = std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
      return padded_left(word, left_ + right_ + 1);
    }
    if (scientific_) {
      // The digits that a longer neighbour makes room for are those of the exact value, not zeros.
      const Decimal d = rounded(static_cast<double>(value), static_cast<int>(precision_));
      std::string mantissa = mantissa_part(d);
      mantissa.resize(precision_, '0');
      return padded_left(first_digit(d), left_) + '.' + mantissa + 'e' + exponent_part(d, exponent_digits_);
    }
    const Decimal d = for_positional(value);
    std::string fraction = fraction_part(d);
    fraction.resize(right_, ' ');
    return padded_left(integer_part(d), left_) + '.' + fraction;
  }

 private:
  void measure(const std::vector<T>& shown) {
    for (const T value : shown) {
      if (!std::isfinite(value)) continue;
      if (scientific_) {
        const Decimal d = for_scientific(value);
        left_ = std::max(left_, first_digit(d).size());
        precision_ = std::max(precision_, mantissa_part(d).size());
        exponent_digits_ = std::max(exponent_digits_, exponent_part(d, 2).size() - 1);
      } else {
        const Decimal d = for_positional(value);
        left_ = std::max(left_, integer_part(d).size());
        right_ = std::max(right_, fraction_part(d).size());
      }
    }
    if (scientific_) right_ = exponent_digits_ + 2 + precision_;
  }

  bool scientific_ = false;
  std::size_t left_ = 0, right_ = 0;
  std::size_t precision_ = 0, exponent_digits_ = 2;
};

template <typename T>
class IntegerFormat {
 public:
  explicit IntegerFormat(const std::vector<T>& shown) {
    for (const T value : shown) width_ = std::max(width_, std::to_string(value).size());
  }
  std::string operator()(T value) const { return padded_left(std::to_string(value), width_); }

 private:
  std::size_t width_ = 0;
};

struct BoolFormat {
  explicit BoolFormat(const std::vector<std::uint8_t>&) {}
  std::string operator()(std::uint8_t value) const { return value != 0 ? " True" : "False"; }
};

// Elements by position, in place: a summary of a large tensor reads only what it shows.
template <typename T, typename Format>
class Printer {
 public:
  Printer(const Tensor& x, const T* elements)
      : x_(x), elements_(elements), summarise_(x.numel() > kThreshold), format_(shown()) {}

  std::string text() const { return axis_text(0, 0, " ", kLineWidth); }

 private:
  // The positions along an axis that are shown; -1 stands for "...".
  std::vector<Index> positions(int axis) const {
    const Index size = x_.shape()[axis];
    std::vector<Index> out;
    const bool cut = summarise_ && size > 2 * kEdge;
    for (Index i = 0; i < size; ++i) {
      if (cut && i == kEdge) {
        out.push_back(-1);
        i = size - kEdge;
      }
      out.push_back(i);
    }
    return out;
  }

  std::vector<T> shown() const {
    std::vector<T> out;
    collect(0, 0, out);
    return out;
  }
  void collect(int axis, Index offset, std::vector<T>& out) const {
    if (axis == x_.rank()) {
      out.push_back(elements_[offset]);
      return;
    }
    for (const Index i : positions(axis)) {
      if (i >= 0) collect(axis + 1, offset + i * x_.strides()[axis], out);
    }
  }

  // One bracket; `indent` is what stands in front of its further lines.
  std::string axis_text(int axis, Index offset, const std::string& indent, std::size_t width) const {
    const std::vector<Index> shown = positions(axis);
    std::string out;
    if (axis == x_.rank() - 1) {
      std::string line = indent;
      for (std::size_t k = 0; k < shown.size(); ++k) {
        const std::string word =
            shown[k] < 0 ? "..." : format_(elements_[offset + shown[k] * x_.strides()[axis]]);
        if (line.size() + word.size() > width - 1 && line.size() > indent.size()) {
          line.erase(line.find_last_not_of(' ') + 1);
          out += line + '\n';
          line = indent;
        }
        line += word;
        if (k + 1 < shown.size()) line += ' ';
      }
      out += line;
    } else {
      for (std::size_t k = 0; k < shown.size(); ++k) {
        out += indent;
        out += shown[k] < 0
                   ? "..."
                   : axis_text(axis + 1, offset + shown[k] * x_.strides()[axis], indent + ' ', width - 1);
        if (k + 1 < shown.size()) out.append(static_cast<std::size_t>(x_.rank() - axis - 1), '\n');
      }
    }
    return '[' + out.substr(indent.size()) + ']';
  }

  const Tensor& x_;
  const T* elements_;
  bool summarise_;
  Format format_;
};

// A single number is written with all the digits it has, as NumPy's scalars are.
template <typename T>
std::string scalar_text(T value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const Decimal d = shortest(value);
  const auto size = static_cast<double>(std::abs(value));
  if (size == 0.0 || (size >= 1e-4 && size < 1e16)) {
    const std::string fraction = fraction_part(d);
    return integer_part(d) + '.' + (fraction.empty() ? "0" : fraction);
  }
  const std::string mantissa = mantissa_part(d);
  return first_digit(d) + (mantissa.empty() ? "" : '.' + mantissa) + 'e' + exponent_part(d, 2);
}

template <typename T, template <typename> typename Format>
std::string text_of(const Tensor& x) {
  return Printer<T, Format<T>>(x, x.data<T>()).text();
}

Tensor widened(const Tensor& x) {
  std::vector<float> values = x.to_vector<float>();
  return Tensor::from(values, x.shape());
}

}  // namespace

std::string print(const Tensor& x) {
  if (!x.defined()) return "(undefined)";
  if (x.dtype() == kBFloat16) return print(widened(x));
  if (x.numel() == 0) return "[]";
  if (x.rank() == 0) {
    if (x.dtype() == kFloat32) return scalar_text(x.item<float>());
    if (x.dtype() == kFloat64) return scalar_text(x.item<double>());
    if (x.dtype() == kBool) return x.item<bool>() ? "True" : "False";
    return std::to_string(x.item<std::int64_t>());
  }
  switch (x.dtype().code()) {
    case DTypeCode::boolean:
      return Printer<std::uint8_t, BoolFormat>(x, static_cast<const std::uint8_t*>(x.raw())).text();
    case DTypeCode::uint8:
      return text_of<std::uint8_t, IntegerFormat>(x);
    case DTypeCode::int32:
      return text_of<std::int32_t, IntegerFormat>(x);
    case DTypeCode::int64:
      return text_of<std::int64_t, IntegerFormat>(x);
    case DTypeCode::float32:
      return text_of<float, FloatFormat>(x);
    default:
      return text_of<double, FloatFormat>(x);
  }
}

}  // namespace splot
