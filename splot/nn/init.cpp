#include "splot/nn/init.h"

#include <cmath>
#include <cstdlib>
#include <vector>

namespace splot {
namespace {

using Kind = Initializer::Kind;

struct Entry {
  Kind kind;
  std::string_view name;
  std::size_t arguments;
};
constexpr Entry kEntries[] = {
    {Kind::constant, "constant", 1},
    {Kind::normal, "normal", 2},
    {Kind::uniform, "uniform", 2},
    {Kind::inverse_sqrt_normal, "inverse_sqrt_normal", 0},
    {Kind::inverse_sqrt_uniform, "inverse_sqrt_uniform", 0},
    {Kind::glorot_normal, "glorot_normal", 0},
    {Kind::glorot_uniform, "glorot_uniform", 0},
    {Kind::he_normal, "he_normal", 0},
    {Kind::he_uniform, "he_uniform", 0},
    {Kind::lecun_uniform, "lecun_uniform", 0},
};

struct Alias {
  std::string_view name;
  Initializer means;
};
constexpr Alias kAliases[] = {
    {"zeros", init::zeros()},
    {"ones", init::ones()},
    {"lecun_normal", init::inverse_sqrt_normal()},
    {"xavier_normal", init::glorot_normal()},
    {"xavier_uniform", init::glorot_uniform()},
    {"kaiming_normal", init::he_normal()},
    {"kaiming_uniform", init::he_uniform()},
};

struct Fans {
  Index in = 1;
  Index out = 1;
};

Fans fans_of(const Shape& shape) {
  if (shape.rank() == 0) return {};
  if (shape.rank() == 1) return {shape[0], shape[0]};
  Index window = 1;
  for (int i = 2; i < shape.rank(); ++i) window *= shape[i];
  return {shape[1] * window, shape[0] * window};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

double number(std::string_view part, std::string_view whole) {
  const std::string digits(trimmed(part));
  char* end = nullptr;
  const double value = std::strtod(digits.c_str(), &end);
  require<ValueError>(!digits.empty() && *end == '\0' && std::isfinite(value), "initializer", '"', digits,
                      "\" in \"", whole, "\" is not a finite number");
  return value;
}

}  // namespace

Initializer Initializer::with_fans(const Shape& weight) const {
  const Fans fans = fans_of(weight);
  Initializer out = *this;
  out.fan_in_ = fans.in;
  out.fan_out_ = fans.out;
  return out;
}

Tensor Initializer::draw(const Shape& shape, DType dtype, const RandomKey& key) const {
  const Fans own = fans_of(shape);
  const auto in = static_cast<double>(fan_in_ != 0 ? fan_in_ : own.in);
  const auto out = static_cast<double>(fan_out_ != 0 ? fan_out_ : own.out);
  bool is_normal = false;
  double center = 0.0;
  double spread = 0.0;  // the standard deviation, or half the width
  switch (kind_) {
    case Kind::constant:
      center = first_;
      break;
    case Kind::normal:
      is_normal = true;
      center = first_;
      spread = second_;
      break;
    case Kind::uniform:
      center = (first_ + second_) / 2;
      spread = (second_ - first_) / 2;
      break;
    case Kind::inverse_sqrt_normal:
      is_normal = true;
      spread = 1.0 / std::sqrt(in);
      break;
    case Kind::inverse_sqrt_uniform:
      spread = 1.0 / std::sqrt(in);
      break;
    case Kind::glorot_normal:
      is_normal = true;
      spread = std::sqrt(2.0 / (in + out));
      break;
    case Kind::glorot_uniform:
      spread = std::sqrt(6.0 / (in + out));
      break;
    case Kind::he_normal:
      is_normal = true;
      spread = std::sqrt(2.0 / in);
      break;
    case Kind::he_uniform:
      spread = std::sqrt(6.0 / in);
      break;
    case Kind::lecun_uniform:
      spread = std::sqrt(3.0 / in);
      break;
  }
  std::vector<double> values(static_cast<std::size_t>(shape.numel()), center);
  if (spread != 0.0) {
    RandomStream random(key);
    for (double& value : values) value += spread * (is_normal ? random.normal() : random.uniform(-1.0, 1.0));
  }
  const Tensor drawn = Tensor::from(values, shape);
  if (dtype == kFloat64) return drawn;
  require<DTypeError>(dtype == kFloat32, "initializer", "draws float32 and float64, not ", dtype);
  return Tensor::from(drawn.to_vector<float>(), shape);
}

std::string Initializer::to_string() const {
  for (const Entry& entry : kEntries) {
    if (entry.kind != kind_) continue;
    if (entry.arguments == 0) return std::string(entry.name);
    std::string text = join(entry.name, '(', first_);
    if (entry.arguments == 2) text += join(", ", second_);
    return text + ')';
  }
  return {};
}

Initializer Initializer::parse(std::string_view text) {
  const std::string_view whole = trimmed(text);
  const std::size_t open = whole.find('(');
  const std::string_view name = trimmed(whole.substr(0, open));
  std::vector<double> arguments;
  if (open != std::string_view::npos) {
    require<ValueError>(whole.back() == ')', "initializer", "a \")\" is missing in \"", whole, '"');
    std::string_view rest = whole.substr(open + 1, whole.size() - open - 2);
    while (!trimmed(rest).empty()) {
      const std::size_t comma = rest.find(',');
      arguments.push_back(number(rest.substr(0, comma), whole));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
      require<ValueError>(!trimmed(rest).empty(), "initializer", "a number is missing in \"", whole, '"');
    }
  }
  for (const Alias& alias : kAliases) {
    if (alias.name == name && arguments.empty()) return alias.means;
  }
  std::string known;
  for (const Entry& entry : kEntries) {
    if (entry.name == name) {
      require<ValueError>(arguments.size() == entry.arguments, "initializer", '"', whole, "\" has ",
                          arguments.size(), " arguments, ", name, " takes ", entry.arguments);
      arguments.resize(2);
      return Initializer(entry.kind, arguments[0], arguments[1]);
    }
    known += join(known.empty() ? "" : ", ", entry.name);
  }
  for (const Alias& alias : kAliases) known += join(", ", alias.name);
  fail<ValueError>("initializer", '"', name, "\" is none of ", known);
}

}  // namespace splot
