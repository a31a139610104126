// The folder of a run: what was asked for, how it went, and what came of it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "splot/core/export.h"
#include "splot/core/file_lock.h"
#include "splot/train/records.h"

namespace splot {

/// metrics.jsonl (one JSON object for each epoch) and metrics.csv (the same as a table, without norms),
/// beside whatever else a run leaves. Every file is replaced as a whole, so a reader never sees half of one.
///
///   RunFolder folder("runs/first");
///   options.on_epoch = [&](const EpochRecord& record) { folder.add(record); };
///   ...
///   folder.finish();
///
/// Threads: one at a time.
class SPLOT_API RunFolder {
 public:
  /// Makes the folder and those above it. Throws IoError.
  explicit RunFolder(std::string path);

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const;
  void write(std::string_view name, std::string_view text) const;
  /// Keeps other processes, and other objects, from training in this folder until this object is gone or its
  /// process has ended, however that ends. Throws IoError naming the process that trains in it already. While
  /// it holds there is a file train.lock; on a file system without locks it keeps nobody away.
  void lock();
  /// Removes what a process that was killed while it wrote has left beside the files of this folder.
  void remove_leftovers() const;

  /// Written at most once a second; finish() writes what is left.
  void add(const EpochRecord& record);
  void finish();

 private:
  void write_metrics();

  std::string path_;
  std::string jsonl_;
  std::string csv_;
  std::unique_ptr<FileLock> lock_;
  std::chrono::steady_clock::time_point written_{};
  bool pending_ = false;
};

/// "runs/mnist-1", or the first number that is still free.
SPLOT_API std::string new_run_folder(const std::string& name);

}  // namespace splot
