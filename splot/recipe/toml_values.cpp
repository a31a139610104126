#include "splot/recipe/internal/toml_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "splot/core/error.h"

namespace splot::recipe_detail {
namespace {

std::string_view kind(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::none:
      return "nothing";
    default:
      return "a date or time";
  }
}

const toml::array& list(const Reading& from, std::string_view expected) {
  const toml::array* array = from.node.as_array();
  if (array == nullptr) from.wrong_type(expected);
  return *array;
}

std::string quoted_list(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

void read_rows(std::vector<std::vector<double>>& out, const Reading& from, bool same_length) {
  out.clear();
  for (const toml::node& child : list(from, "a list of rows of numbers")) {
    read(out.emplace_back(), from.element(child));
    if (same_length && out.back().size() != out.front().size()) {
      from.element(child).refuse(
          join("has rows of ", out.front().size(), " and of ", out.back().size(), " numbers"));
    }
  }
}

}  // namespace

void Source::refuse(const toml::node& node, std::string_view reason) const {
  if (has_lines) throw FormatError(join(name, ':', node.source().begin.line, ": ", reason));
  throw ValueError(join(name, ": ", reason));
}

void Reading::wrong_type(std::string_view expected) const {
  source.refuse(node, join(key, " should be ", expected, ", not ", kind(node)));
}

void Reading::refuse(std::string_view reason) const { source.refuse(node, join(key, ' ', reason)); }

void read(std::string& out, const Reading& from) {
  if (!from.node.is_string()) from.wrong_type("text");
  out = from.node.as_string()->get();
}

void read(bool& out, const Reading& from) {
  if (!from.node.is_boolean()) from.wrong_type("true or false");
  out = from.node.as_boolean()->get();
}

void read(double& out, const Reading& from, const Range& range) {
  if (!from.node.is_number()) from.wrong_type("a number");
  const double value = from.node.value<double>().value_or(0.0);
  if (!std::isfinite(value)) from.refuse("must be finite");
  const bool low = range.above_low ? value > range.low : value >= range.low;
  const bool high = range.below_high ? value < range.high : value <= range.high;
  if (!low)
    from.refuse(join("is ", value, "; it must be ", range.above_low ? "above " : "at least ", range.low));
  if (!high)
    from.refuse(join("is ", value, "; it must be ", range.below_high ? "below " : "at most ", range.high));
  out = value;
}

void read(Index& out, const Reading& from, Index low, Index high) {
  if (!from.node.is_integer()) from.wrong_type("a whole number");
  const Index value = from.node.as_integer()->get();
  if (value < low) from.refuse(join("is ", value, "; it must be at least ", low));
  if (value > high) from.refuse(join("is ", value, "; it must be at most ", high));
  out = value;
}

void read(DType& out, const Reading& from) {
  std::string name;
  read_choice(name, from, {"float32", "float64"});
  out = *DType::parse(name);
}

void read(std::vector<double>& out, const Reading& from) {
  out.clear();
  for (const toml::node& child : list(from, "a list of numbers")) {
    if (!child.is_number()) from.element(child).wrong_type("a list of numbers");
    read(out.emplace_back(), from.element(child));
  }
}

void read_ragged(std::vector<std::vector<double>>& out, const Reading& from) { read_rows(out, from, false); }
void read(std::vector<std::vector<double>>& out, const Reading& from) { read_rows(out, from, true); }

void read(std::vector<Index>& out, const Reading& from, Index low, Index high) {
  out.clear();
  for (const toml::node& child : list(from, "a list of whole numbers")) {
    if (!child.is_integer()) from.element(child).wrong_type("a list of whole numbers");
    read(out.emplace_back(), from.element(child), low, high);
  }
}

void read(std::vector<std::string>& out, const Reading& from) {
  out.clear();
  for (const toml::node& child : list(from, "a list of words")) {
    if (!child.is_string()) from.element(child).wrong_type("a list of words");
    read(out.emplace_back(), from.element(child));
  }
}

void read_choice(std::string& out, const Reading& from, const std::vector<std::string>& choices) {
  std::string value;
  read(value, from);
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    from.refuse(join("is \"", value, "\"; did you mean \"", nearest_key(value, choices), "\"? It can be ",
                     quoted_list(choices)));
  }
  out = std::move(value);
}

std::string write(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string write(bool value) { return value ? "true" : "false"; }
std::string write(Index value) { return std::to_string(value); }
std::string write(DType value) { return write(value.to_string()); }

std::string write(double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  std::string out(text, end);
  // TOML tells numbers from whole numbers by the point or exponent.
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}

}  // namespace splot::recipe_detail
