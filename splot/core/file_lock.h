// A file that says: somebody is at work here.
#pragma once

#include <string>

#include "splot/core/export.h"

namespace splot {

/// Held by one process at a time, and within a process by one object. The system lets it go when its process
/// ends, however that ends: a file that a killed process has left keeps nobody away. The destructor removes
/// the file. On a file system without locks it is always had, and keeps nobody away.
///
///   FileLock lock("runs/first/train.lock");
///   if (!lock.held()) std::puts(("busy: " + lock.holder()).c_str());  // busy: process 4711 on node3
///
/// Threads: one at a time.
class SPLOT_API FileLock {
 public:
  /// Makes the file if there is none. Does not wait. Throws IoError when it can be neither made nor opened.
  explicit FileLock(std::string path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool held() const { return descriptor_ >= 0; }
  /// Who holds it instead: "process 4711 on node3", or "another process" when it has not said so yet.
  const std::string& holder() const { return holder_; }

 private:
  void open();
  bool is_named_by_path() const;
  void close();

  std::string path_;
  std::string holder_;
  int descriptor_ = -1;
};

}  // namespace splot
