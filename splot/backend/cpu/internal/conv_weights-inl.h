// Weight gradients: each weight is the inner product of a plane of dy with a shifted plane of x, several of
// both at a time in registers. Included once for each instruction set.
#if defined(SPLOT_CONV_WEIGHTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_CONV_WEIGHTS_INL_H
#undef SPLOT_CONV_WEIGHTS_INL_H
#else
#define SPLOT_CONV_WEIGHTS_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "splot/backend/cpu/internal/conv_forward-inl.h"
#include "splot/backend/cpu/internal/matmul_dot-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {

// Planes of x in a tile: one vector of each is in a register.
inline constexpr int kSumStreams = kConvVectors;

template <typename T>
struct SumTile {
  const T* dy;
  const T* in[kSumStreams];
  Index dy_plane;
  Index rows, dy_row, in_row;
  Index runs, dy_run, in_run;  // of each row
  Index numbers;               // of each run
};

// to[o][s] = the inner product of channel o of dy with stream s.
template <typename T, int kStreams, int kChannels>
HWY_NOINLINE void sum_tile(const SumTile<T>& tile, T (*to)[kSumStreams]) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  V sum[kChannels][kSumStreams];
#pragma GCC unroll 8
  for (int o = 0; o < kChannels; ++o) {
#pragma GCC unroll 8
    for (int s = 0; s < kSumStreams; ++s) sum[o][s] = hn::Zero(d);
  }
  const Index whole = tile.numbers / kLanes * kLanes;
  const auto rest = hn::FirstN(d, static_cast<std::size_t>(tile.numbers - whole));
  for (Index row = 0; row < tile.rows; ++row) {
    for (Index run = 0; run < tile.runs; ++run) {
      const T* dy = tile.dy + row * tile.dy_row + run * tile.dy_run;
      const Index shift = row * tile.in_row + run * tile.in_run;
      const T* in[kStreams];
#pragma GCC unroll 8
      for (int s = 0; s < kStreams; ++s) in[s] = tile.in[s] + shift;
#pragma GCC unroll 1
      for (Index at = 0; at < whole; at += kLanes) {
        V x[kStreams];
#pragma GCC unroll 8
        for (int s = 0; s < kStreams; ++s) x[s] = hn::LoadU(d, in[s] + at);
#pragma GCC unroll 8
        for (int o = 0; o < kChannels; ++o) {
          const V g = hn::LoadU(d, dy + o * tile.dy_plane + at);
#pragma GCC unroll 8
          for (int s = 0; s < kStreams; ++s) sum[o][s] = hn::MulAdd(x[s], g, sum[o][s]);
        }
      }
      if (whole == tile.numbers) continue;
      V x[kStreams];
#pragma GCC unroll 8
      for (int s = 0; s < kStreams; ++s) x[s] = hn::MaskedLoad(rest, d, in[s] + whole);
#pragma GCC unroll 8
      for (int o = 0; o < kChannels; ++o) {
        const V g = hn::MaskedLoad(rest, d, dy + o * tile.dy_plane + whole);
#pragma GCC unroll 8
        for (int s = 0; s < kStreams; ++s) sum[o][s] = hn::MulAdd(x[s], g, sum[o][s]);
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < kChannels; ++o) {
    if constexpr (kSumStreams == 4) {
      sum_four(d, sum[o], to[o]);
    } else {
      for (int s = 0; s < kStreams; ++s) to[o][s] = hn::GetLane(hn::SumOfLanes(d, sum[o][s]));
    }
  }
}

template <typename T>
using SumTileKernel = void (*)(const SumTile<T>&, T (*)[kSumStreams]);

template <typename T, int kStreams, int... kIndex>
constexpr std::array<SumTileKernel<T>, kMaxTileChannels> sum_tiles(std::integer_sequence<int, kIndex...>) {
  return {&sum_tile<T, kStreams, kIndex + 1>...};
}
template <typename T, int... kIndex>
constexpr std::array<std::array<SumTileKernel<T>, kMaxTileChannels>, kSumStreams> all_sum_tiles(
    std::integer_sequence<int, kIndex...>) {
  return {sum_tiles<T, kIndex + 1>(std::make_integer_sequence<int, kMaxTileChannels>())...};
}
// Indexed by streams - 1, then channels - 1.
template <typename T>
inline constexpr auto kSumTiles = all_sum_tiles<T>(std::make_integer_sequence<int, kSumStreams>());

// Which outputs read an input that exists through tap k.
inline Taps::Range outputs_of(const Taps& taps, Index k) {
  Taps::Range r{0, taps.out};
  const auto outside = [&](Index o) { return taps.at(o, k) < 0 || taps.at(o, k) >= taps.in; };
  while (r.begin < r.end && outside(r.begin)) ++r.begin;
  while (r.begin < r.end && outside(r.end - 1)) --r.end;
  return r;
}

// Up to kSumStreams weights of one output channel whose sums run over the same outputs.
struct StreamGroup {
  Taps::Range rows, cols;  // of the outputs
  int count = 0;
  Index in[kSumStreams];      // where the input of output (0, 0) would be
  Index weight[kSumStreams];  // within the weights of an output channel
};

template <typename T>
std::vector<StreamGroup> stream_groups(const WeightSums<T>& s) {
  std::vector<StreamGroup> groups;
  for (Index i = 0; i < s.y.count; ++i) {
    const Taps::Range rows = outputs_of(s.y, i);
    for (Index j = 0; j < s.x.count; ++j) {
      const Taps::Range cols = outputs_of(s.x, j);
      if (rows.begin == rows.end || cols.begin == cols.end) continue;
      for (Index c = 0; c < s.in_channels; ++c) {
        if (groups.empty() || groups.back().count == kSumStreams || groups.back().rows != rows ||
            groups.back().cols != cols) {
          groups.push_back({rows, cols, 0, {}, {}});
        }
        StreamGroup& g = groups.back();
        g.in[g.count] = c * s.in_plane + s.y.at(0, i) * s.in_row + s.x.at(0, j) * s.in_pos;
        g.weight[g.count++] = (c * s.y.count + i) * s.x.count + j;
      }
    }
  }
  return groups;
}

// The sums over some rows of the outputs, added to `dw`.
template <typename T>
void sum_rows(const WeightSums<T>& s, std::span<const StreamGroup> groups, Index first_channel,
              Index channels, Taps::Range rows, T* dw) {
  const bool dense = s.dy_pos == s.images && s.x.stride * s.in_pos == s.images;
  const Index weights = s.in_channels * s.y.count * s.x.count;
  for (const StreamGroup& g : groups) {
    const Index begin = std::max(rows.begin, g.rows.begin);
    const Index end = std::min(rows.end, g.rows.end);
    if (begin >= end) continue;
    const Index cols = g.cols.end - g.cols.begin;
    SumTile<T> tile = {.dy = s.dy + first_channel * s.dy_plane + begin * s.dy_row + g.cols.begin * s.dy_pos,
                       .in = {},
                       .dy_plane = s.dy_plane,
                       .rows = end - begin,
                       .dy_row = s.dy_row,
                       .in_row = s.y.stride * s.in_row,
                       .runs = dense ? 1 : cols,
                       .dy_run = s.dy_pos,
                       .in_run = s.x.stride * s.in_pos,
                       .numbers = dense ? cols * s.images : s.images};
    for (int k = 0; k < g.count; ++k) {
      tile.in[k] = s.in + g.in[k] + begin * s.y.stride * s.in_row + g.cols.begin * s.x.stride * s.in_pos;
    }
    T sums[kMaxTileChannels][kSumStreams];
    kSumTiles<T>[static_cast<std::size_t>(g.count - 1)][static_cast<std::size_t>(channels - 1)](tile, sums);
    for (Index o = 0; o < channels; ++o) {
      for (int k = 0; k < g.count; ++k) dw[(first_channel + o) * weights + g.weight[k]] += sums[o][k];
    }
  }
}

template <typename T>
void sum_weights(const WeightSums<T>& s) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  constexpr Index kCacheBytes = 384 * 1024;
  const ChannelTiles tiles(s.out_channels);
  const std::vector<StreamGroup> groups = stream_groups(s);
  const Index weights = s.in_channels * s.y.count * s.x.count;
  const Index vectors = (s.x.out * s.images + kLanes - 1) / kLanes * s.y.out;
  const double total = static_cast<double>(vectors) * static_cast<double>(s.out_channels * weights) /
                       kConvVectorsPerMicrosecond;
  // Rows in a few parts, each with sums of its own, which are added up in their order.
  const Index most =
      std::min<Index>(s.y.out, std::max<Index>(1, (Index{4} << 20) / (s.out_channels * weights + 1)));
  const Index wanted = std::clamp<Index>(static_cast<Index>(total / kConvChunkMicroseconds), 1, 32);
  const Index parts =
      std::clamp<Index>((wanted + tiles.count - 1) / tiles.count, 1, std::min<Index>(most, 16));
  // What a block of rows touches should stay in the second-level cache.
  const Index row_bytes = static_cast<Index>(sizeof(T)) * s.images *
                          (s.in_channels * s.y.stride * s.x.in + kMaxTileChannels * s.x.out);
  const Index block = std::max<Index>(1, kCacheBytes / (row_bytes + 1));

  std::fill_n(s.dw, s.out_channels * weights, T(0));
  std::vector<T> partial(static_cast<std::size_t>((parts - 1) * s.out_channels * weights));
  const auto sums_of = [&](Index part) {
    return part == 0 ? s.dw : partial.data() + (part - 1) * s.out_channels * weights;
  };
  parallel_for(parts * tiles.count, total, [&](Index task) {
    const Index part = task / tiles.count;
    const Index tile = task % tiles.count;
    const Index end = (part + 1) * s.y.out / parts;
    for (Index row = part * s.y.out / parts; row < end; row += block) {
      sum_rows<T>(s, groups, tiles.begin(tile), tiles.size(tile), {row, std::min(end, row + block)},
                  sums_of(part));
    }
  });
  for (Index part = 1; part < parts; ++part) {
    const T* more = sums_of(part);
    for (Index i = 0; i < s.out_channels * weights; ++i) s.dw[i] += more[i];
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
