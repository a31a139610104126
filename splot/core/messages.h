// Everything Splot says to a person - the command, the warnings, the report - in one place, so that it can be
// said in another language. Errors are thrown in English: they are for programs and for whoever mends them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "splot/core/error.h"
#include "splot/core/export.h"

namespace splot {

enum class Message {
#define SPLOT_MESSAGE(id, english) id,
#include "splot/core/messages.inc"
#undef SPLOT_MESSAGE
  count  ///< how many there are; no message
};

/// The text with its {} still in it.
SPLOT_API std::string_view text_of(Message id);

/// Replaces {} by the values in order, and {0}, {1} ... by the value of that number, which translations need
/// where the order of words differs. Any other brace stays. Throws ValueError when there are fewer values
/// than asked for.
///
///   fill_in("{} of {}", {"3", "10"})      -> "3 of 10"
///   fill_in("{1}: {0}", {"3", "10"})      -> "10: 3"
SPLOT_API std::string fill_in(std::string_view text, std::span<const std::string> values);

/// The text with its {} filled in: say(Message::run_kept, seconds, folder). Takes what join() takes.
template <typename... Args>
std::string say(Message id, const Args&... args) {
  const std::string values[sizeof...(Args) + 1] = {join(args)...};
  return fill_in(text_of(id), std::span<const std::string>(values, sizeof...(Args)));
}

}  // namespace splot
