// Which elements the loops over windows visit: what pooling.cpp tells pooling-inl.h.
#pragma once

#include "splot/core/index.h"

namespace splot::cpu {

/// For each position i of an axis, the windows that cover it: entries first[i] .. first[i + 1] - 1 say which
/// window and which of its elements the position is.
struct CoveringWindows {
  struct Entry {
    Index window;
    Index element;
  };
  const Index* first = nullptr;
  const Entry* entries = nullptr;
};

}  // namespace splot::cpu
