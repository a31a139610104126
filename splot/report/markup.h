// Text that is safe inside HTML and SVG, and numbers as both like them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "splot/core/export.h"

namespace splot {

/// The text for use between tags and inside quoted attributes: & < > " ' are written as entities; control
/// characters other than tab and line end, which no document may hold, and bytes that are not UTF-8 become
/// U+FFFD.
///
///   escape_markup("<b>&")      -> "&lt;b&gt;&amp;"
SPLOT_API std::string escape_markup(std::string_view text);

/// A number with `digits` significant digits, as a person writes it: 0.0712, 12.5, 3.2e-07; "-" where it is
/// not finite.
SPLOT_API std::string figure_text(double value, int digits = 4);
/// The shortest text that reads back as the same number; "nan", "inf" and "-inf" for what is not finite.
SPLOT_API std::string exact_text(double value);
/// 60000 -> "60,000".
SPLOT_API std::string count_text(long long value);
/// A share of 1 in per cent with two decimals: 0.97123 -> "97.12 %".
SPLOT_API std::string percent_text(double share);

SPLOT_API std::string base64(std::span<const unsigned char> bytes);
/// "data:image/png;base64,..."
SPLOT_API std::string data_uri(std::string_view type, std::span<const unsigned char> bytes);
SPLOT_API std::string data_uri(std::string_view type, std::string_view text);

/// One field of a CSV line, quoted where it holds a comma, a quote or a line end.
SPLOT_API std::string csv_field(std::string_view text);

}  // namespace splot
