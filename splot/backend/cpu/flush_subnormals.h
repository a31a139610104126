// FlushSubnormals: arithmetic in which numbers too small for the normal range are zero.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#endif

namespace splot::cpu {

/// While it lives, this thread reads and writes subnormal numbers (below 1.2e-38 in float32) as zero.
///
/// A running mean that is only multiplied by 0.9 never leaves that range: 0.9 of the smallest number rounds
/// to itself, and a processor takes a hundred times as long for each step. The code that calculates has to be
/// behind a call the compiler cannot see into: it does not know that the mode matters.
///
/// Threads: of the thread that made it alone.
class FlushSubnormals {
 public:
#if defined(__x86_64__)
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero); }
  ~FlushSubnormals() { _mm_setcsr(before_); }
#elif defined(__aarch64__)
  FlushSubnormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | kFlushToZero));
  }
  ~FlushSubnormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }
#else
  FlushSubnormals() {}  // another processor: only slower
#endif
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  unsigned before_;
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlushToZero = std::uint64_t{1} << 24;
  std::uint64_t before_ = 0;
#endif
};

}  // namespace splot::cpu
