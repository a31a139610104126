// Tar archives, read in place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/export.h"

namespace splot {

/// A file in an archive.
struct TarEntry {
  std::string name;          ///< with folders: "EuroSAT_RGB/Forest/Forest_1.jpg"
  std::uint64_t offset = 0;  ///< of its first byte in the archive, of a packed one as it is when unpacked
  std::uint64_t size = 0;
};

struct TarOptions {
  /// The most that an archive packed with gzip may unpack to. It is unpacked into memory, so that a bomb of a
  /// few kilobytes costs no more than this.
  std::uint64_t unpacked_limit = std::uint64_t{240} << 20;
  /// A file that has more bytes is refused when it is read.
  std::uint64_t file_limit = std::uint64_t{128} << 20;
};

/// The files of a tar archive, packed with gzip or not: ustar, with the long names of GNU and pax. A plain
/// archive stays on the disk and is read where it lies; a packed one is unpacked into memory. Nothing is ever
/// written, so that no name can do harm; an archive with names that could is refused all the same, for it is
/// not what it seems.
///
///   const TarArchive archive("eurosat.tar");
///   for (const TarEntry& entry : archive.entries()) {
///     const std::vector<std::uint8_t> bytes = archive.read(entry);
///   }
///
/// Threads: several may read one object.
class SPLOT_API TarArchive {
 public:
  /// Reads the list of files. Throws IoError when the archive cannot be read or unpacks to more than
  /// options.unpacked_limit. FormatError, naming the archive, the byte and the entry, for: a wrong check sum
  /// or number; a size that goes beyond the end; a name that is empty, absolute, longer than 4,096 bytes, or
  /// has ".." or a zero byte in it; a name that occurs twice; links, devices, pipes and sparse files; and an
  /// archive that ends without the empty block that closes it.
  explicit TarArchive(const std::string& path, const TarOptions& options = {});
  ~TarArchive();
  TarArchive(const TarArchive&) = delete;
  TarArchive& operator=(const TarArchive&) = delete;

  const std::string& path() const;
  /// The files in the order of the archive; folders are left out.
  const std::vector<TarEntry>& entries() const;
  /// The file of that name; nullptr when there is none.
  const TarEntry* find(std::string_view name) const;
  /// The bytes of one of its entries. Throws IoError when the archive cannot be read any more, FormatError
  /// for a file of more than options.file_limit bytes, ValueError for an entry of another archive.
  std::vector<std::uint8_t> read(const TarEntry& entry) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace splot
