// Tar archives, sound and hostile, for tests of the reader.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace splot::test {

struct TarItem {
  std::string name;
  std::vector<std::uint8_t> body = {};
  char type = '0';  // 5: a folder, 2: a symbolic link, L: the body is the next item's name, x: pax records
  std::string size = {};  // instead of the body's, as it stands in the header
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
};

/// The items one after the other, then `empty` blocks of zeros.
std::vector<std::uint8_t> tar_file(const std::vector<TarItem>& items, int empty = 2);

/// Puts right check sums where headers should be, as far as their sizes tell.
void repair_tar(std::vector<std::uint8_t>& file);

inline std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace splot::test
