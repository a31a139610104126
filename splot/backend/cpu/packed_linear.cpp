#include "splot/backend/cpu/packed_linear.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/packed_linear-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/packed_linear-inl.h"
// clang-format on

#include <algorithm>
#include <cstdint>
#include <functional>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// One core makes about this many multiply-adds in a microsecond, or reads so many bytes from the last cache;
// estimates good to a factor of two.
constexpr double kMultiplyAddsPerMicrosecond = 60'000.0;
constexpr double kPackedBytesPerMicrosecond = 30'000.0;
constexpr double kPackedChunkMicroseconds = 10.0;

// Weights that do not stay in the second-level cache are gone through forwards and backwards in turn: what
// was read last is still near. (9216 x 128 numbers: 112 microseconds in place of 158.) Which way it is does
// not show in the results. A bit for each place in memory, of those that share one the turns may coincide.
bool is_turn_backwards(const void* weights) {
  thread_local std::uint64_t turns = 0;
  const std::uint64_t bit = std::uint64_t{1} << (std::hash<const void*>()(weights) / 4096 % 64);
  turns ^= bit;
  return (turns & bit) != 0;
}

}  // namespace

template <typename T>
void packed_linear(const PackedLinear<T>& p) {
  using Kernel = void (*)(const PackedLinear<T>&, Index, Index);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(packed_blocks<T>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  const Index blocks = (p.out + kPackedOuts - 1) / kPackedOuts;
  const double numbers = static_cast<double>(p.in * p.out);
  const double microseconds = std::max(numbers * static_cast<double>(p.rows) / kMultiplyAddsPerMicrosecond,
                                       numbers * sizeof(T) / kPackedBytesPerMicrosecond);
  if (microseconds < kMinParallelMicroseconds) return kernel(p, 0, blocks);
  const Index chunks =
      std::clamp<Index>(static_cast<Index>(microseconds / kPackedChunkMicroseconds), 1, blocks);
  const bool backwards = is_turn_backwards(p.w);
  const Index shares = std::min<Index>(num_threads(), chunks);
  parallel_for(chunks, [&](Index turn) {
    // Each thread stays with its share.
    const Index share = ((turn + 1) * shares - 1) / chunks;
    const Index first = share_begin(chunks, share, shares), end = share_begin(chunks, share + 1, shares);
    const Index chunk = backwards ? first + end - 1 - turn : turn;
    kernel(p, chunk * blocks / chunks, (chunk + 1) * blocks / chunks);
  });
}

template void packed_linear(const PackedLinear<float>&);
template void packed_linear(const PackedLinear<double>&);

}  // namespace splot::cpu
