// Philox4x32-10: random numbers that are a pure function of a key and a position.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "splot/core/export.h"

namespace splot {

/// Where in the endless random sequence a draw takes place. Equal keys give equal numbers, on any number of
/// threads. `stream` tells users apart (a parameter's or layer's path: stream_of("0.weight")), `counter`
/// tells draws of the same user apart.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t counter = 0;

  constexpr RandomKey with_stream(std::uint64_t value) const { return {seed, value, counter}; }
  constexpr RandomKey with_counter(std::uint64_t value) const { return {seed, stream, value}; }
  friend constexpr bool operator==(const RandomKey&, const RandomKey&) = default;
};

/// A stream number for a path: the 64-bit FNV-1a hash of its bytes.
constexpr std::uint64_t stream_of(std::string_view path) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : path) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

using PhiloxBlock = std::array<std::uint32_t, 4>;

/// Ten rounds of Philox4x32: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as
/// easy as 1, 2, 3", SC 2011. The multipliers and key increments are the paper's.
constexpr PhiloxBlock philox(PhiloxBlock counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// Philox's 64-bit key for a seed and a stream: a mixture (splitmix64, Steele et al. 2014), so that
/// neighbouring seeds and streams share nothing.
constexpr std::array<std::uint32_t, 2> philox_key(const RandomKey& key) {
  std::uint64_t mixed = key.seed + 0x9E3779B97F4A7C15u * (key.stream + 1);
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  mixed ^= mixed >> 31;
  return {static_cast<std::uint32_t>(mixed), static_cast<std::uint32_t>(mixed >> 32)};
}

/// Block `index` of the numbers that belong to a key: the generator's 128-bit counter is (index + 2^64
/// counter).
constexpr PhiloxBlock random_block(const RandomKey& key, std::uint64_t index) {
  return philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                 static_cast<std::uint32_t>(key.counter), static_cast<std::uint32_t>(key.counter >> 32)},
                philox_key(key));
}

/// Numbers one after the other from one key: for shuffles, generators and tests.
///
///   RandomStream random({.seed = 1, .stream = stream_of("shuffle")});
///   double u = random.uniform();   // [0, 1)
///
/// Threads: one at a time. Streams are cheap: give each thread its own.
class SPLOT_API RandomStream {
 public:
  explicit RandomStream(const RandomKey& key) : key_(key) {}

  std::uint32_t bits();
  std::uint64_t bits64() { return std::uint64_t{bits()} << 32 | bits(); }
  /// [0, 1) with 53 random bits.
  double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal, by Box and Muller's transform.
  double normal();
  /// 0 .. bound - 1, each equally likely; bound > 0.
  std::uint64_t below(std::uint64_t bound);

 private:
  RandomKey key_;
  std::uint64_t block_ = 0;
  PhiloxBlock numbers_{};
  int used_ = 4;
};

}  // namespace splot
