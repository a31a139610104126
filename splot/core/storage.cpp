#include "splot/core/storage.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

#include <sys/mman.h>

namespace splot {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kCaching = false;  // so that the sanitizer sees a use after free
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kCaching = false;
#else
constexpr bool kCaching = true;
#endif
#else
constexpr bool kCaching = true;
#endif

// Eight sizes to each power of two: at most an eighth of a block is unused.
constexpr int kStepsLog = 3;
constexpr int kSteps = 1 << kStepsLog;
constexpr int kSmallestLog = 6;
constexpr int kClasses = kSteps * (48 - kSmallestLog);
// A thread keeps this many small blocks to itself; the rest go to the shared lists.
constexpr int kThreadBlocks = 32;
constexpr std::size_t kThreadBlockBytes = std::size_t{1} << 20;

// From twice that on a block begins on a large page and asks for such pages. Of 4 KB pages a processor knows
// a few thousand; each of the others it has to look up, and what is fetched ahead from them is not fetched.
constexpr std::size_t kLargePage = std::size_t{2} << 20;

int size_class(std::size_t bytes) {
  if (bytes <= (std::size_t{1} << kSmallestLog)) return 0;
  const int log = std::bit_width(bytes - 1) - 1;  // 2^log < bytes <= 2^(log+1)
  const std::size_t step = std::size_t{1} << (log - kStepsLog);
  const auto steps = static_cast<int>((bytes - 1 - (std::size_t{1} << log)) / step);
  return kSteps * (log - kSmallestLog) + steps + 1;
}

std::size_t class_bytes(int size_class) {
  if (size_class == 0) return std::size_t{1} << kSmallestLog;
  const int log = (size_class - 1) / kSteps + kSmallestLog;
  return (std::size_t{1} << log) +
         static_cast<std::size_t>((size_class - 1) % kSteps + 1) * (std::size_t{1} << (log - kStepsLog));
}

std::atomic<std::size_t> current_bytes{0};
std::atomic<std::size_t> peak_bytes{0};
std::atomic<std::size_t> held_bytes{0};  // from the system: in use or cached

void count_allocated(std::size_t bytes) {
  const std::size_t now = current_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::size_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

// `room` is a multiple of kAlignment. Null where there is none.
void* memory_of_the_system(std::size_t room) {
  if (room < 2 * kLargePage) return std::aligned_alloc(kAlignment, room);
  const std::size_t pages = room / kLargePage;
  void* const memory = std::aligned_alloc(kLargePage, (pages + 1) * kLargePage);
#ifdef MADV_HUGEPAGE
  // Whether they are granted changes no result.
  if (memory != nullptr) madvise(memory, pages * kLargePage, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace

struct StoragePool {
  struct List {
    Storage* first = nullptr;
    int count = 0;

    Storage* pop() {
      Storage* block = first;
      if (block != nullptr) {
        first = block->next_free_;
        --count;
      }
      return block;
    }
    void push(Storage* block) {
      block->next_free_ = first;
      first = block;
      ++count;
    }
  };

  struct Shared {
    std::mutex mutex;
    std::array<List, kClasses> lists;
  };

  struct Local {
    std::array<List, kClasses> lists;
    ~Local();
  };

  // Never destroyed: tensors in static variables may outlive every other static.
  static Shared& shared() {
    static Shared* const pool = new Shared;
    return *pool;
  }

  // Null once the thread's cache is gone (at thread exit tensors may still be released).
  static Local* local() { return thread_cache != nullptr ? thread_cache : make_local(); }

  static Local* make_local() {
    thread_local bool gone = false;
    struct Owner {
      Local lists;
      bool* flag;
      ~Owner() {
        thread_cache = nullptr;
        *flag = true;
      }
    };
    if (gone) return nullptr;
    thread_local Owner owner{{}, &gone};
    thread_cache = &owner.lists;
    return thread_cache;
  }

  // Read on every allocation: the initial-exec model spares the call that a shared library's thread_local
  // costs.
  static thread_local Local* thread_cache __attribute__((tls_model("initial-exec")));

  static Storage* take(int size_class, bool small) {
    if (small) {
      if (Local* cache = local()) {
        if (Storage* block = cache->lists[static_cast<std::size_t>(size_class)].pop()) return block;
      }
    }
    Shared& pool = shared();
    const std::lock_guard lock(pool.mutex);
    return pool.lists[static_cast<std::size_t>(size_class)].pop();
  }

  static void give(Storage* block, bool small) {
    const auto at = static_cast<std::size_t>(block->size_class_);
    if (small) {
      if (Local* cache = local(); cache != nullptr && cache->lists[at].count < kThreadBlocks) {
        cache->lists[at].push(block);
        return;
      }
    }
    Shared& pool = shared();
    const std::lock_guard lock(pool.mutex);
    pool.lists[at].push(block);
  }

  static void free_block(Storage* block) {
    held_bytes.fetch_sub(class_bytes(block->size_class_), std::memory_order_relaxed);
    std::free(block);
  }

  static void clear(std::array<List, kClasses>& lists) {
    for (List& list : lists) {
      while (Storage* block = list.pop()) free_block(block);
    }
  }

  static Storage* create(std::size_t bytes, int size_class) {
    const std::size_t room =
        (kAlignment + class_bytes(size_class) + kAlignment - 1) / kAlignment * kAlignment;
    void* raw = memory_of_the_system(room);
    if (raw == nullptr) throw std::bad_alloc();
    held_bytes.fetch_add(class_bytes(size_class), std::memory_order_relaxed);
    return ::new (raw) Storage(bytes, size_class);
  }

  static void set_bytes(Storage* block, std::size_t bytes) { block->bytes_ = bytes; }
  static int class_of(const Storage* block) { return block->size_class_; }
};

thread_local StoragePool::Local* StoragePool::thread_cache __attribute__((tls_model("initial-exec"))) =
    nullptr;

StoragePool::Local::~Local() {
  for (List& list : lists) {
    while (Storage* block = list.pop()) StoragePool::give(block, /*small=*/false);
  }
}

Ref<Storage> Storage::allocate(std::size_t bytes) {
  const int at = size_class(bytes);
  if (at >= kClasses) throw std::bad_alloc();
  const std::size_t rounded = class_bytes(at);
  Storage* block = kCaching ? StoragePool::take(at, rounded <= kThreadBlockBytes) : nullptr;
  if (block != nullptr) {
    block = ::new (static_cast<void*>(block)) Storage(bytes, at);
  } else {
    block = StoragePool::create(bytes, at);
  }
  count_allocated(rounded);
  return Ref<Storage>(block);
}

void Storage::destroy(Storage* storage) {
  const std::size_t rounded = class_bytes(StoragePool::class_of(storage));
  current_bytes.fetch_sub(rounded, std::memory_order_relaxed);
  if (!kCaching) {
    StoragePool::free_block(storage);
    return;
  }
  StoragePool::give(storage, rounded <= kThreadBlockBytes);
}

MemoryUse memory_use() {
  const std::size_t current = current_bytes.load(std::memory_order_relaxed);
  const std::size_t held = held_bytes.load(std::memory_order_relaxed);
  return {current, peak_bytes.load(std::memory_order_relaxed), held > current ? held - current : 0};
}

void reset_peak_memory() {
  peak_bytes.store(current_bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void empty_memory_cache() {
  if (StoragePool::Local* cache = StoragePool::local()) StoragePool::clear(cache->lists);
  StoragePool::Shared& pool = StoragePool::shared();
  const std::lock_guard lock(pool.mutex);
  StoragePool::clear(pool.lists);
}

}  // namespace splot
