#include "tests/support/mutate.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/core/random.h"
#include "splot/core/storage.h"

#include "tests/support/sanitized.h"
#include "tests/support/temp_folder.h"

#if defined(SPLOT_TEST_ASAN)
// Freed memory that the sanitizer keeps back, 256 MiB by default, would count as the reader's own.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=16"; }
#endif

namespace splot::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
constexpr double kMostSeconds = kSanitized ? 10.0 : 1.0;

std::size_t position(RandomStream& random, std::size_t size) {
  // Headers are where sizes are: half of the damage is done there.
  const std::size_t head = std::min<std::size_t>(size, 64);
  return static_cast<std::size_t>(random.below(random.below(2) == 0 ? head : size));
}

void lie(Bytes& file, RandomStream& random) {
  constexpr std::uint64_t kLies[] = {0,
                                     1,
                                     0x7f,
                                     0xff,
                                     0x100,
                                     0x7fff,
                                     0xffff,
                                     0x10000,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     0x100000000,
                                     0x3fffffffffffffff,
                                     0x7fffffffffffffff,
                                     0x8000000000000000,
                                     0xffffffffffffffff};
  const std::uint64_t value = kLies[random.below(std::size(kLies))];
  const std::size_t width = std::size_t{2} << random.below(3);
  const bool big = random.below(2) == 0;
  const std::size_t at = position(random, file.size());
  for (std::size_t i = 0; i < width && at + i < file.size(); ++i) {
    file[at + i] = static_cast<std::uint8_t>(value >> (8 * (big ? width - 1 - i : i)));
  }
}

void damage(Bytes& file, RandomStream& random) {
  if (file.empty()) {
    file.push_back(static_cast<std::uint8_t>(random.bits()));
    return;
  }
  const std::size_t at = position(random, file.size());
  const auto here = file.begin() + static_cast<std::ptrdiff_t>(at);
  const auto length = static_cast<std::size_t>(1 + random.below(std::min<std::size_t>(file.size() - at, 40)));
  const Bytes piece(here, here + static_cast<std::ptrdiff_t>(length));
  switch (random.below(8)) {
    case 0:
      file.resize(random.below(file.size()));
      break;
    case 1:
      for (std::uint64_t flips = 1 + random.below(8); flips > 0; --flips) {
        file[position(random, file.size())] ^= static_cast<std::uint8_t>(1u << random.below(8));
      }
      break;
    case 2:
    case 3:
      lie(file, random);
      break;
    case 4:
      file.erase(here, here + static_cast<std::ptrdiff_t>(length));
      break;
    case 5:
      for (std::size_t i = 0; i < length; ++i) {
        file.insert(file.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(random.bits()));
      }
      break;
    case 6:
      file.insert(here, piece.begin(), piece.end());
      break;
    default: {
      const auto to = static_cast<std::ptrdiff_t>(random.below(file.size()));
      file.insert(file.begin() + to, piece.begin(), piece.end());
      break;
    }
  }
}

// Files are written plainly: thousands of fsyncs would take minutes.
void write_plainly(const std::string& path, const Bytes& bytes) {
  std::remove(path.c_str());  // some file systems flush a file that is truncated, not one that is new
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(out.good());
}

// Of the processor, not of the clock on the wall: other programs may be running.
double cpu_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::uint64_t most_resident() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

// While it lives, address space beyond what is in use now and kMostBytes is refused: an allocation too large
// fails there and then. Sanitizers reserve terabytes, and without /proc the present size is not known; then
// only what is touched and what tensors hold is counted.
class AddressLimit {
 public:
  AddressLimit() {
    getrlimit(RLIMIT_AS, &before_);
#if !defined(SPLOT_TEST_ASAN) && !defined(SPLOT_TEST_TSAN)
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    if (!(statm >> pages)) return;
    rlimit limit = before_;
    limit.rlim_cur = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + kMostBytes;
    setrlimit(RLIMIT_AS, &limit);
#endif
  }
  ~AddressLimit() { setrlimit(RLIMIT_AS, &before_); }
  AddressLimit(const AddressLimit&) = delete;
  AddressLimit& operator=(const AddressLimit&) = delete;

 private:
  rlimit before_ = {};
};

}  // namespace

Bytes mutated(const Bytes& file, std::uint64_t seed, std::uint64_t number) {
  RandomStream random({.seed = seed, .stream = stream_of("test.mutate"), .counter = number});
  Bytes out = file;
  for (std::uint64_t times = 1 + random.below(3); times > 0; --times) damage(out, random);
  return out;
}

HostileResult try_hostile_files(const HostileCase& test, std::uint64_t seed) {
  const TempFolder folder;
  const std::string path = folder.file("hostile");
  for (const Bytes& file : test.files) {
    write_plainly(path, file);
    test.read(path);
  }
  empty_memory_cache();
  reset_peak_memory();
  const std::uint64_t tensors_before = memory_use().peak;
  const std::uint64_t resident_before = most_resident();
  HostileResult result;
  {
    const AddressLimit limit;
    for (int number = 0; number < test.count; ++number) {
      const Bytes& sound = test.files[static_cast<std::size_t>(number) % test.files.size()];
      Bytes file = mutated(sound, seed, static_cast<std::uint64_t>(number));
      if (test.repair && number / static_cast<int>(test.files.size()) % 2 == 1) test.repair(file);
      write_plainly(path, file);
      const double began = cpu_seconds();
      try {
        test.read(path);
        ++result.accepted;
      } catch (const Error& error) {
        ++result.refused;
        EXPECT_GT(std::string(error.what()).size(), 10u);
      } catch (const std::exception& error) {
        ADD_FAILURE() << test.name << " with damage " << number << " of seed " << seed << " threw "
                      << error.what();
      }
      EXPECT_LE(cpu_seconds() - began, kMostSeconds)
          << test.name << " with damage " << number << " of seed " << seed;
      empty_memory_cache();
    }
  }
  EXPECT_LE(memory_use().peak - tensors_before, kMostBytes) << test.name;
#if defined(SPLOT_TEST_TSAN)
  (void)resident_before;  // thread sanitizer keeps four bytes of its own for each that is touched
#else
  EXPECT_LE(most_resident() - resident_before, kMostBytes) << test.name;
#endif
  return result;
}

}  // namespace splot::test
