#include "splot/data/internal/workers.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace splot::data_detail {

void for_each_on_threads(Index count, int threads, const std::function<void(Index)>& body) {
  const Index most = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  std::atomic<Index> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  Index failed = count;
  // Numbers are handed out in order, so whatever is lower than one that fails has been begun and will end.
  const auto work = [&] {
    for (Index i = next++; i < count; i = next++) {
      try {
        body(i);
      } catch (...) {
        next = count;
        const std::lock_guard lock(mutex);
        if (i < failed) {
          failed = i;
          failure = std::current_exception();
        }
      }
    }
  };
  std::vector<std::jthread> helpers;
  try {
    for (Index i = 1; i < std::min(most, count); ++i) helpers.emplace_back(work);
  } catch (const std::system_error&) {  // no more threads to be had: those there are do it
  }
  work();
  helpers.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace splot::data_detail
