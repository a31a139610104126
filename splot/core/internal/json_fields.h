// The fields of a JSON object that came from a file: what has another kind than expected is named in our
// words.
#pragma once

#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"

namespace splot::core_detail {

using Json = nlohmann::ordered_json;

/// "an object", "a list", "text", "true or false", "null" or "a number".
inline std::string_view kind(const Json& json) {
  if (json.is_object()) return "an object";
  if (json.is_array()) return "a list";
  if (json.is_string()) return "text";
  if (json.is_boolean()) return "true or false";
  return json.is_null() ? "null" : "a number";
}

[[noreturn]] inline void wrong_kind(std::string_view what, std::string_view expected, const Json& json) {
  throw FormatError(join(what, " should be ", expected, ", not ", kind(json)));
}

inline void require_object(const Json& json, std::string_view what) {
  if (!json.is_object()) wrong_kind(what, "an object", json);
}

/// The member of that name; null where there is none.
inline const Json& member(const Json& json, const std::string& name) {
  static const Json nothing;
  const auto found = json.find(name);
  return found == json.end() ? nothing : *found;
}

/// The value as a T. `what` is its name in errors; FormatError when it is of another kind, or too large.
inline void take(const Json& value, const std::string& what, std::string& out) {
  if (!value.is_string()) wrong_kind(what, "text", value);
  out = value.get<std::string>();
}
inline void take(const Json& value, const std::string& what, bool& out) {
  if (!value.is_boolean()) wrong_kind(what, "true or false", value);
  out = value.get<bool>();
}
inline void take(const Json& value, const std::string& what, double& out) {
  if (!value.is_number()) wrong_kind(what, "a number", value);
  out = value.get<double>();
}
template <std::integral T>
void take(const Json& value, const std::string& what, T& out) {
  if (!value.is_number_integer()) wrong_kind(what, "a whole number", value);
  const double size = value.get<double>();
  const bool fits = size >= static_cast<double>(std::numeric_limits<T>::min()) &&
                    size < static_cast<double>(std::numeric_limits<T>::max());
  if (!fits) throw FormatError(join(what, " is ", size, ", which is more than it can be"));
  out = value.get<T>();
}
template <typename T>
void take(const Json& value, const std::string& what, std::vector<T>& out) {
  if (!value.is_array()) wrong_kind(what, "a list", value);
  out.clear();
  for (const Json& element : value) take(element, join("an element of ", what), out.emplace_back());
}

/// Reads the member of that name, where there is one.
template <typename T>
void read(const Json& json, const std::string& name, T& out) {
  if (const Json& value = member(json, name); !value.is_null()) take(value, name, out);
}

/// Reads the member of that name; FormatError without one.
template <typename T>
void read_required(const Json& json, const std::string& name, T& out) {
  const auto found = json.find(name);
  if (found == json.end()) throw FormatError(join(name, " is missing"));
  take(*found, name, out);
}

}  // namespace splot::core_detail
