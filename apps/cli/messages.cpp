#include "apps/cli/messages.h"

#include <array>

namespace splot::cli {
namespace {

constexpr std::array kEnglish = {
#define SPLOT_MESSAGE(id, english) std::string_view(english),
#include "apps/cli/messages.inc"
#undef SPLOT_MESSAGE
};

}  // namespace

std::string_view text_of(Message id) { return kEnglish[static_cast<std::size_t>(id)]; }

}  // namespace splot::cli
