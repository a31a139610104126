// Reading a file that may be gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "splot/core/export.h"

namespace splot {

/// Reads a file front to back and unpacks it on the way when its first two bytes say gzip; the name does not
/// matter. Nothing but a small buffer is held, however large the file or what it unpacks to. Throws IoError
/// when the file cannot be read and FormatError when the gzip stream is damaged or cut short, or when
/// something other than a further gzip member follows it.
///
/// Threads: one at a time.
class SPLOT_API UnpackingReader {
 public:
  explicit UnpackingReader(const std::string& path);
  ~UnpackingReader();

  const std::string& path() const;
  bool is_gzip() const;
  /// The most bytes that can come out: the file's size, or for gzip what its size allows (deflate packs at
  /// best 1032 to 1).
  std::uint64_t most_bytes() const;
  /// Up to n bytes; fewer only at the end.
  std::size_t read(void* out, std::size_t n);
  /// Reads and forgets the rest, at most `limit` bytes of it, and returns how many there were.
  std::uint64_t skip(std::uint64_t limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The whole file, unpacked when it is gzip. Throws IoError when it comes to more than `limit` bytes: a file
/// of a few kilobytes that unpacks to gigabytes costs no more memory than twice the limit.
SPLOT_API std::vector<std::uint8_t> read_unpacked(const std::string& path, std::uint64_t limit);

}  // namespace splot
