// SHA-256 (FIPS 180-4): to tell whether two files or two sets of weights are the same.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "splot/core/export.h"

namespace splot {

/// Takes bytes in pieces of any size.
///
///   Sha256 hash;
///   hash.add("abc");
///   hash.hex();   // "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
///
/// Threads: one at a time.
class SPLOT_API Sha256 {
 public:
  Sha256();
  void add(const void* bytes, std::size_t n);
  void add(std::string_view text) { add(text.data(), text.size()); }
  /// Eight bytes, the lowest first.
  void add_number(std::uint64_t value);
  /// The hash of what was added so far, as 64 hexadecimal digits; more may be added afterwards.
  std::string hex() const;

 private:
  void take_block(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> pending_{};
  std::uint64_t length_ = 0;  // in bytes
};

}  // namespace splot
