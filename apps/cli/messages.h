// Everything the command says to a person, in one place, so that it can say it in another language.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace splot::cli {

enum class Message {
#define SPLOT_MESSAGE(id, english) id,
#include "apps/cli/messages.inc"
#undef SPLOT_MESSAGE
};

/// The text with its {} still in it.
std::string_view text_of(Message id);

/// The text with its {} filled in: say(Message::run_folder, path).
template <typename... Args>
std::string say(Message id, const Args&... args) {
  return fmt::vformat(fmt::string_view(text_of(id).data(), text_of(id).size()),
                      fmt::make_format_args(args...));
}

}  // namespace splot::cli
