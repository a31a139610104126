#include "tests/allocations/count.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "tests/support/sanitized.h"

namespace splot::test {
namespace {

std::atomic<std::size_t> count{0};

}  // namespace

std::size_t allocations() { return count.load(); }
bool counts_allocations() { return !kSanitized; }

namespace {

template <typename Pointer>
Pointer counted(Pointer pointer) {
  count.fetch_add(1, std::memory_order_relaxed);
  return pointer;
}

}  // namespace
}  // namespace splot::test

#if !defined(SPLOT_TEST_ASAN) && !defined(SPLOT_TEST_TSAN)

// The C library's own, under the names it gives them for whoever replaces the others.
extern "C" {
void* __libc_malloc(std::size_t bytes);                           // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t bytes);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* old, std::size_t bytes);               // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t alignment, std::size_t bytes);  // NOLINT(bugprone-reserved-identifier)

void* malloc(std::size_t bytes) { return splot::test::counted(__libc_malloc(bytes)); }
void* calloc(std::size_t count, std::size_t bytes) {
  return splot::test::counted(__libc_calloc(count, bytes));
}
void* realloc(void* old, std::size_t bytes) { return splot::test::counted(__libc_realloc(old, bytes)); }
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return splot::test::counted(__libc_memalign(alignment, bytes));
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  return splot::test::counted(__libc_memalign(alignment, bytes));
}
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
  *out = splot::test::counted(__libc_memalign(alignment, bytes));
  return *out == nullptr ? ENOMEM : 0;
}
}

#endif
