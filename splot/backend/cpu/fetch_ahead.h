// FetchAhead: what the next step will read comes from main memory while this one calculates.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// While it lives, kernels on this thread that have loads to spare fetch into the second-level cache what the
/// step after this one will read. Results do not depend on it.
///
/// A batch of 200 KB takes 13 microseconds to come from main memory to a core, a third of a small network's
/// step, and no processor foresees which batch that will be. Memory is to be in large pages: fetching ahead
/// does not wait for the address of a page that is not known yet, it fetches nothing then.
///
/// Threads: of the thread that made it alone, one at a time.
class SPLOT_API FetchAhead {
 public:
  /// Nothing is fetched.
  FetchAhead() = default;
  /// What this step reads at `now`, `bytes` of it, the next one will read at `next`.
  FetchAhead(const void* now, const void* next, std::size_t bytes);
  ~FetchAhead();
  FetchAhead(const FetchAhead&) = delete;
  FetchAhead& operator=(const FetchAhead&) = delete;

  /// Where the next step will read what this one reads at `here`, for a kernel that fetches so many elements
  /// of it itself; null where that is not known.
  template <typename T>
  static const T* place_of(const T* here, Index elements) {
    return static_cast<const T*>(place_of_bytes(here, static_cast<std::size_t>(elements) * sizeof(T)));
  }
  /// Whether anything is left that nobody has fetched.
  static bool wanted() { return current != nullptr && current->at_ < current->end_; }
  /// Where the next lines of it begin, for a kernel that fetches them itself: as many as asked for, or what
  /// is left, which `lines` becomes.
  static const char* take(Index& lines) {
    FetchAhead& ahead = *current;
    lines = std::clamp<Index>((ahead.end_ - ahead.at_ + 63) / 64, 0, lines);
    return std::exchange(ahead.at_, ahead.at_ + 64 * lines);
  }
  /// Fetches the next so many lines of 64 bytes of it.
  static void fetch(Index lines) {
    FetchAhead& ahead = *current;
    for (; lines > 0 && ahead.at_ < ahead.end_; --lines, ahead.at_ += 64) {
      __builtin_prefetch(ahead.at_, 0, 2);
    }
  }

 private:
  static const void* place_of_bytes(const void* here, std::size_t bytes);

  static constinit thread_local FetchAhead* current __attribute__((tls_model("initial-exec")));

  const char* now_ = nullptr;
  std::size_t bytes_ = 0;
  const char* next_ = nullptr;
  const char* at_ = nullptr;  // up to here it has been fetched
  const char* end_ = nullptr;
};

}  // namespace splot::cpu
