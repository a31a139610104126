// The library's threads: one pool for the process, and one way to use it.
#pragma once

#include <memory>
#include <type_traits>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// How many threads parallel work may use, the caller's own included. Starts as the environment variable
/// SPLOT_THREADS, else as the number of processors this process may run on. Throws ValueError when
/// SPLOT_THREADS is set to anything but a whole number from 1 to 1024.
SPLOT_API int num_threads();

/// Sets num_threads(). Waits for parallel work of other threads to finish. Throws ValueError when threads is
/// outside 1..1024, and when it is called from inside parallel work.
SPLOT_API void set_num_threads(int threads);

/// A reference to something callable with a chunk number. It owns nothing and allocates nothing; the callable
/// must outlive the call it is passed to, as a temporary lambda does.
///
/// Threads: called from all threads of the pool at once.
class ChunkBody {
 public:
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, ChunkBody>)
      ChunkBody(F&& f)  // NOLINT(google-explicit-constructor): a lambda is passed as it is
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Index chunk) { (*static_cast<std::remove_reference_t<F>*>(object))(chunk); }) {
  }

  void operator()(Index chunk) const { call_(object_, chunk); }

 private:
  void* object_;
  void (*call_)(void*, Index);
};

/// Where share number `share` of so many equal ones begins: those that the threads of parallel_for begin
/// with, where there are no fewer chunks than threads.
inline Index share_begin(Index chunks, Index share, Index shares) { return chunks * share / shares; }

/// Work shorter than this, in microseconds, is not worth waking a thread for.
inline constexpr double kMinParallelMicroseconds = 20.0;

/// Calls body(0) ... body(chunks - 1), each once, on up to num_threads() threads, and returns when all have
/// finished.
///
/// The caller's thread takes part. Each thread begins with a share of the chunks, one behind the other, the
/// same in every call: what it wrote in one it finds in its own cache in the next. Then it takes what others
/// have not begun. So which thread runs which chunk is not fixed, and a chunk must not depend on it; the
/// number of chunks comes from the size of the work, not from num_threads(), unless every number is made in
/// the same way whichever chunk it belongs to: that is what makes results the same for any number of threads.
/// If chunks throw, the exception of the lowest-numbered one reaches the caller, for any number of threads,
/// and chunks not yet begun are skipped. A call from inside a chunk runs its chunks in place, one after
/// another; so does a call made while another user thread occupies the pool.
///
///   parallel_for(blocks, [&](Index block) { ... });
SPLOT_API void parallel_for(Index chunks, ChunkBody body);

/// The same for work estimated to take `microseconds` on one thread: short work stays on the caller's thread.
inline void parallel_for(Index chunks, double microseconds, ChunkBody body) {
  if (microseconds < kMinParallelMicroseconds) {
    for (Index chunk = 0; chunk < chunks; ++chunk) body(chunk);
  } else {
    parallel_for(chunks, body);
  }
}

}  // namespace splot::cpu
