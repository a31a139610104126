#include "splot/backend/cpu/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <pthread.h>

#include "splot/core/error.h"

namespace splot::cpu {
namespace {

constexpr int kMaxThreads = 1024;

// A worker that has just finished looks for more work this long before it sleeps: waking a sleeper costs 5 to
// 50 us, and the operations of one training step that are worth sharing follow each other faster than that.
constexpr auto kSpin = std::chrono::microseconds(200);
constexpr auto kKeepProcessor = std::chrono::microseconds(15);

thread_local bool inside_parallel_work = false;

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits for done() without sleeping, up to kSpin; says whether it came true. At first it keeps its processor,
// so that jobs in close succession find their workers awake; then it offers the processor to others each time
// it looks at the clock, because the thread waited for may need this very one.
template <typename Done>
bool spin_until(bool may_spin, Done done) {
  if (done()) return true;
  if (!may_spin) return false;
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      pause_briefly();
    }
    const auto waited = std::chrono::steady_clock::now() - start;
    if (waited > kSpin) return done();
    if (waited > kKeepProcessor) std::this_thread::yield();
  }
}

// One job at a time. A job is open while `epoch_` is odd. The protocol that lets the caller return safely:
//   a worker   adds itself to `inside_`, then reads `epoch_`; it touches the job only if it reads the open
//   epoch; the caller closes `epoch_`, then waits for `inside_` to be zero.
// Both are sequentially consistent, so at least one of the two sees the other.
class Pool {
  // The chunks that one thread begins with.
  struct alignas(64) Share {
    std::atomic<Index> next{0};
    Index end = 0;
  };

 public:
  explicit Pool(int threads) : threads_(threads), shares_(new Share[static_cast<std::size_t>(threads)]) {}

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  // Lets one user thread at a time own the pool.
  std::mutex& owner() { return owner_; }

  void resize(int threads) {
    stop_workers();
    shares_.reset(new Share[static_cast<std::size_t>(threads)]);
    threads_.store(threads, std::memory_order_relaxed);
  }

  void run(Index chunks, ChunkBody body) {
    start_workers();
    body_ = &body;
    first_failed_.store(chunks, std::memory_order_relaxed);
    used_shares_ = static_cast<int>(std::min<Index>(threads(), chunks));
    for (Index i = 0; i < used_shares_; ++i) {
      Share& share = shares_[static_cast<std::size_t>(i)];
      share.next.store(share_begin(chunks, i, used_shares_), std::memory_order_relaxed);
      share.end = share_begin(chunks, i + 1, used_shares_);
    }
    epoch_.fetch_add(1);
    wake(chunks - 1);
    take_chunks(0);
    epoch_.fetch_add(1);
    if (!spin_until(may_spin_, [&] { return inside_.load() == 0; })) {
      std::unique_lock lock(mutex_);
      caller_sleeps_.store(true);
      left_.wait(lock, [&] { return inside_.load() == 0; });
      caller_sleeps_.store(false);
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  void start_workers() {
    const int wanted = threads() - 1;
    if (workers_ == wanted) return;
    may_spin_ = threads() <= static_cast<int>(std::thread::hardware_concurrency());
    stopping_ = false;
    while (workers_ < wanted) {
      try {
        std::thread([this, seen = epoch_.load(), thread = workers_ + 1] { work(seen, thread); }).detach();
      } catch (const std::system_error&) {
        break;  // The system gives no more threads: the ones there are do the work.
      }
      std::lock_guard lock(mutex_);
      ++workers_;
    }
  }

  void stop_workers() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    epoch_.fetch_add(2);
    arrived_.notify_all();
    left_.wait(lock, [&] { return workers_ == 0; });
  }

  void wake(Index useful) {
    if (sleepers_.load() == 0) return;
    std::lock_guard lock(mutex_);
    const Index sleepers = sleepers_.load();
    if (useful >= sleepers) {
      arrived_.notify_all();
    } else {
      for (Index i = 0; i < useful; ++i) arrived_.notify_one();
    }
  }

  // Thread 0 is the caller's.
  void work(std::uint64_t seen, int thread) {
    inside_parallel_work = true;
    for (;;) {
      const auto news = [&] { return epoch_.load() != seen; };
      if (!spin_until(may_spin_, news)) {
        std::unique_lock lock(mutex_);
        sleepers_.fetch_add(1);
        arrived_.wait(lock, news);
        sleepers_.fetch_sub(1);
      }
      inside_.fetch_add(1);
      seen = epoch_.load();
      if (seen % 2 == 1) take_chunks(thread);
      const bool last = inside_.fetch_sub(1) == 1;
      if (last && caller_sleeps_.load()) {
        std::lock_guard lock(mutex_);
        left_.notify_all();
      }
      if (stopping_.load()) {
        std::lock_guard lock(mutex_);
        --workers_;
        left_.notify_all();
        return;
      }
    }
  }

  // First the thread's own share, then what others have left of theirs. Chunks above the lowest that has
  // failed are left out, all below it are done: the lowest failure is the same for any number of threads.
  void take_chunks(int thread) {
    for (int i = 0; i < used_shares_; ++i) {
      Share& share = shares_[static_cast<std::size_t>((thread + i) % used_shares_)];
      while (share.next.load(std::memory_order_relaxed) < share.end) {
        const Index chunk = share.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= share.end || chunk > first_failed_.load(std::memory_order_relaxed)) break;
        try {
          (*body_)(chunk);
        } catch (...) {
          std::lock_guard lock(mutex_);
          if (chunk < first_failed_.load(std::memory_order_relaxed)) {
            first_failed_.store(chunk, std::memory_order_relaxed);
            error_ = std::current_exception();
          }
        }
      }
    }
  }

  std::mutex owner_;
  std::atomic<int> threads_;

  // The job. Written by the caller while no worker is inside.
  const ChunkBody* body_ = nullptr;
  std::unique_ptr<Share[]> shares_;  // one for each thread
  int used_shares_ = 0;
  std::atomic<Index> first_failed_{0};  // written under mutex_ while a job is open
  std::exception_ptr error_;            // guarded by mutex_ while a job is open

  // What threads hammer on gets a cache line each.
  alignas(64) std::atomic<std::uint64_t> epoch_{0};
  alignas(64) std::atomic<int> inside_{0};
  alignas(64) std::atomic<bool> caller_sleeps_{false};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> may_spin_{true};
  int workers_ = 0;  // changed under mutex_, and only by threads that own the pool or leave it

  std::mutex mutex_;
  std::condition_variable arrived_;  // workers wait for a job
  std::condition_variable left_;     // the caller waits for workers
};

int initial_threads() {
  const char* text = std::getenv("SPLOT_THREADS");
  if (text == nullptr) {
    const int processors = static_cast<int>(std::thread::hardware_concurrency());
    return processors < 1 ? 1 : processors > kMaxThreads ? kMaxThreads : processors;
  }
  int threads = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, threads);
  require<ValueError>(error == std::errc() && stop == end && threads >= 1 && threads <= kMaxThreads,
                      "SPLOT_THREADS", '"', text, "\" is not a whole number from 1 to ", kMaxThreads);
  return threads;
}

std::atomic<Pool*> the_pool{nullptr};

// A child made by fork has none of its parent's workers, and perhaps a locked mutex: it starts with a pool of
// its own. The parent's is left alone.
void forget_pool_in_child() { the_pool.store(nullptr); }

// Never destroyed: workers may be asleep in it while static objects are being destroyed, and another object's
// destructor may still call parallel_for.
Pool& pool() {
  Pool* current = the_pool.load(std::memory_order_acquire);
  if (current != nullptr) return *current;
  static const int registered = pthread_atfork(nullptr, nullptr, forget_pool_in_child);
  static_cast<void>(registered);
  auto fresh = std::make_unique<Pool>(initial_threads());
  if (the_pool.compare_exchange_strong(current, fresh.get())) return *fresh.release();
  return *current;
}

class InsideParallelWork {
 public:
  InsideParallelWork() { inside_parallel_work = true; }
  ~InsideParallelWork() { inside_parallel_work = false; }
};

}  // namespace

int num_threads() { return pool().threads(); }

void set_num_threads(int threads) {
  require<ValueError>(threads >= 1 && threads <= kMaxThreads, "set_num_threads", "got ", threads,
                      "; it must be from 1 to ", kMaxThreads);
  require<ValueError>(!inside_parallel_work, "set_num_threads", "called from inside parallel work");
  Pool& p = pool();
  std::lock_guard lock(p.owner());
  if (p.threads() != threads) p.resize(threads);
}

void parallel_for(Index chunks, ChunkBody body) {
  if (chunks > 1 && !inside_parallel_work) {
    Pool& p = pool();
    std::unique_lock lock(p.owner(), std::try_to_lock);
    if (lock.owns_lock() && p.threads() > 1) {
      const InsideParallelWork mark;
      p.run(chunks, body);
      return;
    }
  }
  for (Index chunk = 0; chunk < chunks; ++chunk) body(chunk);
}

}  // namespace splot::cpu
