// How often this program has asked for heap memory.
#pragma once

#include <cstddef>

namespace splot::test {

/// Calls of malloc() and its kind, operator new included, by all threads so far.
std::size_t allocations();
/// False under a sanitizer, which replaces them itself.
bool counts_allocations();

}  // namespace splot::test
