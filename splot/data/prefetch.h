// BatchStream: the batches of an epoch, prepared ahead of time by a thread of their own.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "splot/core/export.h"
#include "splot/data/dataset.h"

namespace splot {

struct PrefetchOptions {
  Index first = 0;  ///< the number of the batch to begin with
  /// How many batches may wait, at most 64. 0: each is prepared when it is asked for, on the caller's thread.
  /// Handing a batch from one thread to another takes some ten microseconds, so batches that are made faster
  /// than that gain nothing.
  Index ahead = 2;
};

/// Gives the batches first, first + 1, ... of an epoch. Batch i is a function of the epoch and i alone, so
/// what comes out does not depend on `ahead` in a single bit, nor on timing. What preparing a batch throws,
/// next() throws when that batch is due. Not to be used from several threads at once.
///
///   BatchStream batches(loader.epoch(3));
///   while (std::optional<Batch> batch = batches.next()) { ... }
///
/// Threads: one at a time.
class SPLOT_API BatchStream {
 public:
  /// The loader that the epoch belongs to must outlive the stream. Throws IndexError unless first is 0 to
  /// epoch.size(), ValueError unless ahead is 0 to 64.
  explicit BatchStream(Loader::Epoch epoch, const PrefetchOptions& options = {});
  /// Batches of another making: make(i) gives batch i of `size`. With ahead > 0 it runs on another thread
  /// than the caller's, one call at a time and in order.
  BatchStream(Index size, std::function<Batch(Index)> make, const PrefetchOptions& options = {});
  /// May be called at any time; waits at most for the batch that is being prepared.
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  /// The next batch; none after the last one.
  std::optional<Batch> next();
  /// Seconds that next() has waited for batches that were still being prepared; 0 where none are ahead.
  double waited() const;

 private:
  struct Worker;

  Index size_;
  std::function<Batch(Index)> make_;
  Index at_;
  std::unique_ptr<Worker> worker_;
};

/// How many batches to prepare ahead for training on this data: 2 where a batch is large enough to gain from
/// it, is read on demand or transformed, else 0. Depends on the sizes alone.
SPLOT_API Index suggested_prefetch(const Dataset& data, Index batch_size);

}  // namespace splot
