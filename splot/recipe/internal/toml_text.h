// TOML from outside, made safe: bounded length and depth, and every failure a FormatError.
#pragma once

#include <string>
#include <string_view>

#include <toml++/toml.h>

namespace splot::recipe_detail {

inline constexpr std::size_t kMaxTomlBytes = 256 * 1024;

/// Parses text that nobody has looked at. Throws FormatError "source:line: reason".
toml::table parse_toml(std::string_view text, std::string_view source);

/// The key among `known` that takes the fewest typing mistakes to turn into `wrong`.
std::string nearest_key(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace splot::recipe_detail
