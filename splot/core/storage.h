// Storage: the bytes behind tensors, from a caching, counting allocator.
#pragma once

#include <cstddef>

#include "splot/core/export.h"
#include "splot/core/ref.h"

namespace splot {

inline constexpr std::size_t kAlignment = 64;

/// A block of kAlignment-aligned bytes, shared by the tensors that view it. Contents start undefined.
///
/// Threads: counting is safe; the bytes belong to the tensors onto them.
class SPLOT_API Storage : public RefCounted {
 public:
  /// Throws std::bad_alloc when the system has no more.
  static Ref<Storage> allocate(std::size_t bytes);
  static void destroy(Storage* storage);

  void* data() { return reinterpret_cast<std::byte*>(this) + kAlignment; }
  std::size_t bytes() const { return bytes_; }

 private:
  friend struct StoragePool;
  explicit Storage(std::size_t bytes, int size_class) : bytes_(bytes), size_class_(size_class) {}

  std::size_t bytes_;
  int size_class_;
  Storage* next_free_ = nullptr;
};
static_assert(sizeof(Storage) <= kAlignment, "the header fills the alignment gap in front of the data");

/// Bytes of tensor storage: in use now, and the most that ever were.
struct MemoryUse {
  std::size_t current = 0;
  std::size_t peak = 0;
  std::size_t cached = 0;  ///< freed by tensors, kept for the next ones
};

SPLOT_API MemoryUse memory_use();
/// The peak starts again from what is in use now.
SPLOT_API void reset_peak_memory();
/// Gives the calling thread's and the shared cached blocks back to the system.
SPLOT_API void empty_memory_cache();

}  // namespace splot
