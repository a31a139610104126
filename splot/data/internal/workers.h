// Work on many examples, spread over threads.
#pragma once

#include <functional>

#include "splot/core/index.h"

namespace splot::data_detail {

/// Calls body(0) .. body(count - 1), each once, on up to `threads` threads, the caller's among them; 0: as
/// many as the machine runs at once. Of what they throw, the lowest number's reaches the caller; no later
/// ones are begun.
void for_each_on_threads(Index count, int threads, const std::function<void(Index)>& body);

}  // namespace splot::data_detail
