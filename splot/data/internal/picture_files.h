// The picture files of a folder or a tar archive, and what to do with one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/index.h"
#include "splot/data/tar.h"

namespace splot::data_detail {

/// Names that end in .png, .jpg or .jpeg, large or small letters, with "/" between folders. What begins with
/// a dot is hidden, and left out with all that is in it.
///
/// Threads: several may read one object.
class PictureFiles {
 public:
  /// `path` is a folder, or an archive that TarArchive reads; a packed one may unpack to so many bytes.
  /// Symbolic links to folders are not followed.
  PictureFiles(const std::string& path, std::uint64_t unpacked_limit);

  /// In the order of natural_less().
  const std::vector<std::string>& names() const { return names_; }
  /// What errors call it.
  std::string title(const std::string& name) const;
  /// Throws IoError or FormatError.
  std::vector<std::uint8_t> read(const std::string& name) const;

 private:
  std::string path_;
  std::unique_ptr<TarArchive> archive_;  // null: a folder
  std::vector<std::string> names_;
};

/// Byte by byte, but folder by folder, and runs of digits as numbers: 2.jpg before 10.jpg. Where that leaves
/// two alike (01 and 1), byte by byte.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace splot::data_detail
