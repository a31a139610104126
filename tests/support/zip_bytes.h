// Zip files made byte by byte, honest or not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace splot::test {

struct ZipMember {
  std::string name;
  std::vector<std::uint8_t> data;  // unpacked
  bool deflate = false;
  // What the zip says of it instead of the truth.
  std::optional<std::uint32_t> size = {};
  std::optional<std::uint32_t> crc = {};
  std::optional<std::uint16_t> method = {};
  std::uint16_t flags = 0;
};

/// The members in this order, the directory and its end.
std::vector<std::uint8_t> zip_bytes(const std::vector<ZipMember>& members);

}  // namespace splot::test
