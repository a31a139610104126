#include "splot/compiler/c/internal/c_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "splot/core/error.h"

namespace splot::compiler {

namespace {

template <typename Number>
std::string c_number(Number value) {
  require<ValueError>(std::isfinite(value), "export", "a number is not finite");
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  std::string out(digits.data(), end.ptr);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

std::string c_float(float value) { return c_number(value) + 'f'; }
std::string c_double(double value) { return c_number(value); }

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_printable(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

std::string c_name(std::string_view text) {
  std::string out;
  for (const char c : text) out += is_letter(c) || is_digit(c) ? c : '_';
  return out;
}

std::string c_comment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool ends = c == '/' && !out.empty() && out.back() == '*';
    const bool begins = c == '*' && !out.empty() && out.back() == '/';
    if (ends || begins) out += ' ';
    // A line that ends in a backslash goes on in the next one, and ??/ is another way to write one.
    out += is_printable(c) && c != '\\' && c != '?' ? c : '.';
  }
  return out;
}

std::string c_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '?') {
      out += '\\';
      out += c;
    } else if (is_printable(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '\\';
      for (const int shift : {6, 3, 0}) out += static_cast<char>('0' + (byte >> shift) % 8);
    }
  }
  return out + '"';
}

std::string c_elements(const Tensor& values, std::string_view indent) {
  constexpr std::size_t kWidth = 100;
  std::string out, line(indent);
  const auto add = [&](const std::string& number) {
    if (line.size() + number.size() + 1 > kWidth) {
      out += line + '\n';
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += number + ',';
  };
  const auto count = static_cast<std::size_t>(values.numel());
  for (std::size_t i = 0; i < count; ++i) {
    if (values.dtype() == kFloat32) {
      add(c_float(values.data<float>()[i]));
    } else if (values.dtype() == kInt32) {
      add(std::to_string(values.data<std::int32_t>()[i]));
    } else {
      add(std::to_string(values.data<std::uint8_t>()[i]));
    }
  }
  if (line.size() > indent.size()) line.pop_back();  // no comma behind the last one
  return out + line + '\n';
}

namespace {

bool is_one_word(const std::string& text) {
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c) && c != '_') return false;
  }
  return true;
}

void add_term(std::string& out, const std::string& factor, Index times) {
  if (times == 0 || factor == "0") return;
  if (out.empty() && times < 0) out = "0";
  if (!out.empty()) out += times < 0 ? " - " : " + ";
  const Index size = times < 0 ? -times : times;
  const bool plain = is_one_word(factor) || (size == 1 && times > 0);
  out += plain ? factor : '(' + factor + ')';
  if (size != 1) out += " * " + std::to_string(size);
}

}  // namespace

std::string c_place(const std::vector<Term>& terms) {
  std::string out;
  for (const Term& term : terms) add_term(out, term.index, term.stride);
  return out.empty() ? "0" : out;
}

std::string c_position(const std::string& a, Index scale, const std::string& b, Index step, Index shift) {
  std::string out = c_place({{a, scale}, {b, step}});
  if (shift != 0) out += (shift < 0 ? " - " : " + ") + std::to_string(shift < 0 ? -shift : shift);
  return out;
}

void Code::line(std::string_view text) {
  text_.append(static_cast<std::size_t>(2 * depth_), ' ').append(text) += '\n';
}

void Code::open(std::string_view text) {
  line(std::string(text) + " {");
  ++depth_;
}

void Code::close(int blocks) {
  for (int i = 0; i < blocks; ++i) {
    --depth_;
    line("}");
  }
}

std::string met_window(Code& code, const std::string& name, const std::string& at, const std::string& k,
                       Index windows, Index stride, Index dilation, Index padding) {
  const std::string shifted = name + "_from";
  code.line("const int " + shifted + " = " + c_position(at, 1, k, -dilation, padding) + ';');
  std::string outside = shifted + " < 0";
  if (stride > 1) outside += join(" || ", shifted, " % ", stride, " != 0");
  outside += join(" || ", shifted, " >= ", windows * stride);
  code.line("if (" + outside + ") continue;");
  return stride == 1 ? shifted : join('(', shifted, " / ", stride, ')');
}

std::string Code::loop(const std::string& name, Index count) {
  if (count == 1) return "0";
  open(join("for (int ", name, " = 0; ", name, " < ", count, "; ++", name, ")"));
  return name;
}

}  // namespace splot::compiler
