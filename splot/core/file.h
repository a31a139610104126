// Files: reading with limits, and writing so that a reader sees the old file or the new one, never half of
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/export.h"

namespace splot {

/// A regular file opened for reading. Everything throws IoError with the path and the system's reason:
///
///   [read] "weights.safetensors" cannot be opened: No such file or directory
///
/// Threads: one at a time.
class SPLOT_API InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  /// As it was when the file was opened.
  std::uint64_t size() const { return size_; }
  /// Reads up to n bytes from where the last read ended; fewer only at the end of the file.
  std::size_t read(void* out, std::size_t n);
  /// Reads n bytes; IoError when the file ends first.
  void read_exactly(void* out, std::size_t n);
  void seek(std::uint64_t position);

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// A file that appears under its name only when commit() has put it on the disk, replacing what was there.
/// Until then, and when anything fails, the old file is untouched; what was written lies beside it and is
/// removed.
///
///   OutputFile out("metrics.csv");
///   out.write(text);
///   out.commit();
///
/// Threads: one at a time. Several may write different files.
class SPLOT_API OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const void* bytes, std::size_t n);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Everything written reaches the disk, then the name; both survive a crash of the machine.
  void commit();

 private:
  [[noreturn]] void give_up(std::string_view what, int reason);
  void discard();

  std::string path_;       // as the user wrote it
  std::string target_;     // with symbolic links followed
  std::string temporary_;  // empty once committed or discarded
  int descriptor_ = -1;
};

/// The whole file. Throws IoError when it cannot be read or has more than `limit` bytes.
SPLOT_API std::vector<std::uint8_t> read_file(const std::string& path, std::uint64_t limit);
/// Replaces the file, as OutputFile does.
SPLOT_API void write_file(const std::string& path, std::span<const std::uint8_t> bytes);
SPLOT_API void write_file(const std::string& path, std::string_view text);

}  // namespace splot
