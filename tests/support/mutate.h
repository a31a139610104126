// Hostile files: a sound file, damaged in many ways, is given to a reader that must answer or refuse it
// properly.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace splot::test {

/// Damage number `number` done to a file; the same arguments give the same result. Truncations, flipped bits,
/// sizes that lie (in 2, 4 or 8 bytes, either end first), bytes removed, inserted, doubled and moved; one to
/// three at once.
std::vector<std::uint8_t> mutated(const std::vector<std::uint8_t>& file, std::uint64_t seed,
                                  std::uint64_t number);

struct HostileCase {
  std::string name;                              // for messages
  std::vector<std::vector<std::uint8_t>> files;  // sound ones; each must be read without an error
  int count = 0;                                 // damaged files to try, dealt to the sound ones in turn
  /// Reads the file; throws when it is refused, and fails the test itself when an answer is wrong.
  std::function<void(const std::string& path)> read;
  /// Makes check sums right again after the damage, or nothing: applied to every second file.
  std::function<void(std::vector<std::uint8_t>& file)> repair = nullptr;
};

struct HostileResult {
  int refused = 0;   // by a splot::Error
  int accepted = 0;  // with an answer
};

/// Tries them all. A gtest failure, naming seed and number of the damage, for anything thrown that is no
/// splot::Error, for more than 256 MiB used beyond what the process held before, and for a file that takes
/// more than a second (ten with a sanitizer).
HostileResult try_hostile_files(const HostileCase& test, std::uint64_t seed);

}  // namespace splot::test
