#include "splot/data/prefetch.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace splot {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

// The thread, and what it has ready: batches in order, and at the end what stopped it.
struct BatchStream::Worker {
  const Index size;
  const std::function<Batch(Index)>& make;
  const std::size_t most;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::exception_ptr failure;
  bool finished = false;
  bool stop = false;
  Clock::duration waited{};  // by the caller; its own
  std::thread thread;

  Worker(Index n, const std::function<Batch(Index)>& m, Index first, Index ahead)
      : size(n), make(m), most(static_cast<std::size_t>(ahead)), thread([this, first] { run(first); }) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
    thread.join();
  }

  void run(Index at) noexcept {
    std::exception_ptr thrown;
    try {
      while (at < size && put(make(at))) ++at;
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    failure = std::move(thrown);
    finished = true;
    changed.notify_all();
  }

  // False when nobody wants more.
  bool put(Batch batch) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return stop || ready.size() < most; });
    if (stop) return false;
    ready.push_back(std::move(batch));
    changed.notify_all();
    return true;
  }

  std::optional<Batch> take() {
    std::unique_lock lock(mutex);
    const auto is_there = [&] { return !ready.empty() || finished; };
    if (!is_there()) {
      const Clock::time_point since = Clock::now();
      changed.wait(lock, is_there);
      waited += Clock::now() - since;
    }
    if (ready.empty()) {
      if (failure) std::rethrow_exception(failure);
      return std::nullopt;
    }
    Batch batch = std::move(ready.front());
    ready.pop_front();
    changed.notify_all();
    return batch;
  }
};

BatchStream::BatchStream(Loader::Epoch epoch, const PrefetchOptions& options)
    : BatchStream(
          epoch.size(), [epoch](Index i) { return epoch[i]; }, options) {}

BatchStream::BatchStream(Index size, std::function<Batch(Index)> make, const PrefetchOptions& options)
    : size_(size), make_(std::move(make)), at_(options.first) {
  require<IndexError>(at_ >= 0 && at_ <= size_, "BatchStream", "cannot begin with batch ", at_, " of ",
                      size_);
  require<ValueError>(options.ahead >= 0 && options.ahead <= 64, "BatchStream", "ahead must be 0 to 64, got ",
                      options.ahead);
  if (options.ahead > 0) worker_ = std::make_unique<Worker>(size_, make_, at_, options.ahead);
}

BatchStream::~BatchStream() = default;

std::optional<Batch> BatchStream::next() {
  if (worker_) return worker_->take();
  if (at_ == size_) return std::nullopt;
  return make_(at_++);
}

double BatchStream::waited() const {
  return worker_ ? std::chrono::duration<double>(worker_->waited).count() : 0.0;
}

Index suggested_prefetch(const Dataset& data, Index batch_size) {
  // About a nanosecond for each number: below this many, handing over takes longer than preparing.
  constexpr Index kWorthwhile = 65'536;
  if (!data.in_memory() || data.changes_by_chance()) return 2;  // that takes longer than handing over
  const Index numbers = data.size() == 0 ? 0 : data.inputs().numel() / data.size();
  return numbers * batch_size >= kWorthwhile ? 2 : 0;
}

}  // namespace splot
