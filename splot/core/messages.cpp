#include "splot/core/messages.h"

#include <charconv>
#include <iterator>

namespace splot {
namespace {

// Not std::array: clang counts at most 256 arguments when it works out their number.
constexpr std::string_view kEnglish[] = {
#define SPLOT_MESSAGE(id, english) english,
#include "splot/core/messages.inc"
#undef SPLOT_MESSAGE
};
static_assert(std::size(kEnglish) == static_cast<std::size_t>(Message::count));

}  // namespace

std::string_view text_of(Message id) {
  require<ValueError>(id < Message::count, "text_of", "there is no message ", static_cast<int>(id));
  return kEnglish[static_cast<std::size_t>(id)];
}

std::string fill_in(std::string_view text, std::span<const std::string> values) {
  std::string out;
  std::size_t next = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == '{' ? text.find('}', at) : std::string_view::npos;
    std::size_t number = next;
    bool is_place = end != std::string_view::npos;
    if (is_place && end > at + 1) {
      const char* const last = text.data() + end;
      const auto [parsed, error] = std::from_chars(text.data() + at + 1, last, number);
      is_place = error == std::errc() && parsed == last;
    } else if (is_place) {
      ++next;
    }
    if (!is_place) {
      out += text[at++];
      continue;
    }
    require<ValueError>(number < values.size(), "say", '"', text, "\" needs more than ", values.size(),
                        " values");
    out += values[number];
    at = end + 1;
  }
  return out;
}

}  // namespace splot
