// Calls of the system that a signal may interrupt, and the reason when one fails.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace splot {

inline std::string reason_text(int reason) { return std::generic_category().message(reason); }

// Network and user-space file systems let a signal interrupt what a local disk never would.
template <typename Call>
int again_when_interrupted(const Call& call) {
  for (;;) {
    const int result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace splot
