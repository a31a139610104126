// From one TOML value to a C++ value and back, with errors that name the place and the key.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/dtype.h"
#include "splot/core/index.h"
#include "splot/recipe/internal/toml_text.h"

namespace splot::recipe_detail {

/// Where values come from, for errors: "mine.toml:3: ", or an assignment on the command line, which has no
/// lines.
struct Source {
  std::string_view name;
  bool has_lines = true;

  [[noreturn]] void refuse(const toml::node& node, std::string_view reason) const;
};

/// One value being read.
struct Reading {
  const toml::node& node;
  std::string_view key;
  const Source& source;

  /// "mine.toml:3: train.epochs should be a whole number, not text"
  [[noreturn]] void wrong_type(std::string_view expected) const;
  [[noreturn]] void refuse(std::string_view reason) const;
  Reading element(const toml::node& child) const { return {child, key, source}; }
};

/// A half-open or closed range of numbers.
struct Range {
  double low = -std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::max();
  bool above_low = false;   ///< low itself is refused
  bool below_high = false;  ///< high itself is refused
};
inline constexpr Range kAny{};
inline constexpr Range kPositive{0.0, 1e30, true};
inline constexpr Range kNotNegative{0.0, 1e30};
inline constexpr Range kShare{0.0, 1.0, false, true};

void read(std::string& out, const Reading& from);
void read(bool& out, const Reading& from);
void read(double& out, const Reading& from, const Range& range = kAny);
void read(Index& out, const Reading& from, Index low, Index high);
void read(DType& out, const Reading& from);
void read(std::vector<double>& out, const Reading& from);
void read(std::vector<std::vector<double>>& out, const Reading& from);
/// Rows that may differ in length.
void read_ragged(std::vector<std::vector<double>>& out, const Reading& from);
void read(std::vector<Index>& out, const Reading& from, Index low, Index high);
void read(std::vector<std::string>& out, const Reading& from);
template <typename T, typename... Limits>
void read(std::optional<T>& out, const Reading& from, const Limits&... limits) {
  read(out.emplace(), from, limits...);
}
/// One of a few words.
void read_choice(std::string& out, const Reading& from, const std::vector<std::string>& choices);

std::string write(const std::string& value);
std::string write(bool value);
std::string write(double value);
std::string write(Index value);
std::string write(DType value);
/// Nothing is written as nothing.
template <typename T>
std::string write(const std::optional<T>& value) {
  return value ? write(*value) : std::string();
}
template <typename T>
std::string write(const std::vector<T>& values) {
  std::string out = "[";
  for (const T& value : values) {
    if (out.size() > 1) out += ", ";
    out += write(value);
  }
  return out + ']';
}

}  // namespace splot::recipe_detail
