// Correlations: register tiles of some vectors along a row of the output by some of its channels. Included
// once for each instruction set.
#if defined(SPLOT_CONV_FORWARD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_CONV_FORWARD_INL_H
#undef SPLOT_CONV_FORWARD_INL_H
#else
#define SPLOT_CONV_FORWARD_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <hwy/highway.h>

#include "splot/backend/cpu/internal/conv_plan.h"
#include "splot/backend/cpu/thread_pool.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors in a tile: as many accumulators as leave room for what they are made from.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr int kConvVectors = 4;
#else
inline constexpr int kConvVectors = 2;
#endif

template <typename T>
struct ConvTile {
  const T* in;
  Index channels, rows, cols;  // of the sum
  Index in_plane, in_row_step, in_col_step;
  const T* w;
  Index w_out, w_plane, w_row_step, w_col_step;
  T* out;
  Index out_plane;
  ConvEpilogue<T> epilogue;
  Index numbers;  // kMasked: in the only vector
};

template <typename T, int kVectors, int kChannels, bool kMasked>
HWY_NOINLINE void conv_tile(const ConvTile<T>& tile) {
  static_assert(!kMasked || kVectors == 1);
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(kMasked ? tile.numbers : kLanes));

  V sum[kChannels][kVectors];
#pragma GCC unroll 8
  for (int o = 0; o < kChannels; ++o) {
    const bool plain_bias = tile.epilogue.bias != nullptr && tile.epilogue.scale == nullptr;
    const V first = plain_bias ? hn::Set(d, tile.epilogue.bias[o]) : hn::Zero(d);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[o][v] = first;
  }
  const T* in_channel = tile.in;
  const T* w_channel = tile.w;
  const Index col_step = tile.in_col_step;
  // The weights of a tap are read where they are: two pointers reach six channels with few registers.
  constexpr int kLow = (kChannels + 1) / 2;
  const Index w_out = tile.w_out;
#pragma GCC unroll 1
  for (Index c = tile.channels; c > 0; --c) {
    const T* in_row = in_channel;
    const T* w_row = w_channel;
#pragma GCC unroll 1
    for (Index i = tile.rows; i > 0; --i) {
      const T* in = in_row;
      const T* w = w_row;
      const T* w_high = w_row + kLow * w_out;
#pragma GCC unroll 1
      for (Index j = tile.cols; j > 0; --j) {
        V x[kVectors];
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) {
          x[v] = kMasked ? hn::MaskedLoad(mask, d, in) : hn::LoadU(d, in + v * kLanes);
        }
#pragma GCC unroll 8
        for (int o = 0; o < kChannels; ++o) {
          const V weight = hn::Set(d, o < kLow ? w[o * w_out] : w_high[(o - kLow) * w_out]);
#pragma GCC unroll 8
          for (int v = 0; v < kVectors; ++v) sum[o][v] = hn::MulAdd(x[v], weight, sum[o][v]);
        }
        in += col_step;
        w += tile.w_col_step;
        w_high += tile.w_col_step;
      }
      in_row += tile.in_row_step;
      w_row += tile.w_row_step;
    }
    in_channel += tile.in_plane;
    w_channel += tile.w_plane;
  }
  if (tile.epilogue.scale != nullptr) {
#pragma GCC unroll 8
    for (int o = 0; o < kChannels; ++o) {
      const V scale = hn::Set(d, tile.epilogue.scale[o]);
      const V bias = tile.epilogue.bias != nullptr ? hn::Set(d, tile.epilogue.bias[o]) : hn::Zero(d);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[o][v] = hn::MulAdd(sum[o][v], scale, bias);
    }
  }
  if (tile.epilogue.relu) {
    const V zero = hn::Zero(d);
#pragma GCC unroll 8
    for (int o = 0; o < kChannels; ++o) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        // Not Max(): a NaN has to stay one on every instruction set.
        sum[o][v] = hn::IfThenElse(hn::Le(sum[o][v], zero), zero, sum[o][v]);
      }
    }
  }
  T* out = tile.out;
#pragma GCC unroll 8
  for (int o = 0; o < kChannels; ++o) {
    if (kMasked) {
      hn::BlendedStore(sum[o][0], mask, d, out);
    } else {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[o][v], d, out + v * kLanes);
    }
    out += tile.out_plane;
  }
}

template <typename T>
using ConvTileKernel = void (*)(const ConvTile<T>&);

template <typename T, int kVectors, bool kMasked, int... kIndex>
constexpr std::array<ConvTileKernel<T>, kMaxTileChannels> conv_tiles(std::integer_sequence<int, kIndex...>) {
  return {&conv_tile<T, kVectors, kIndex + 1, kMasked>...};
}

// Indexed by the number of vectors - 0 for a part of one - and by channels - 1.
template <typename T, int kVectors>
constexpr std::array<ConvTileKernel<T>, kMaxTileChannels> conv_tiles_of() {
  constexpr bool kMasked = kVectors == 0;
  return conv_tiles<T, std::max(kVectors, 1), kMasked>(std::make_integer_sequence<int, kMaxTileChannels>());
}
template <typename T>
inline constexpr std::array<std::array<ConvTileKernel<T>, kMaxTileChannels>, 5> kConvTiles = {
    conv_tiles_of<T, 0>(), conv_tiles_of<T, 1>(), conv_tiles_of<T, std::min(2, kConvVectors)>(),
    conv_tiles_of<T, kConvVectors>(), conv_tiles_of<T, kConvVectors>()};

// Numbers of an output row that lie behind each other, as do all they are made of, and have the same taps.
struct ConvRun {
  Index out, in, numbers;  // offsets from the beginning of the row and of the channel's plane
  Taps::Range taps;
};

// A row of the output in runs of at most `most` numbers.
template <typename T>
std::vector<ConvRun> conv_runs(const Correlation<T>& c, Index most) {
  const bool dense = c.out_pos == c.images && c.x.stride * c.in_pos == c.images;
  std::vector<ConvRun> runs;
  for (Index o = 0; o < c.x.out; ++o) {
    const Taps::Range taps = c.x.valid(o);
    const Index in = c.x.at(o, taps.begin) * c.in_pos;
    if (dense && !runs.empty() && runs.back().taps == taps && runs.back().numbers + c.images <= most) {
      runs.back().numbers += c.images;
      continue;
    }
    runs.push_back({o * c.out_pos, in, c.images, taps});
  }
  return runs;
}

// One row of all output channels, one run of it.
template <typename T>
void correlate_run(const Correlation<T>& c, const ChannelTiles& tiles, Index first_tile, Index last_tile,
                   Index oy, const ConvRun& run) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Taps::Range rows = c.y.valid(oy);
  const T* in = c.in + c.y.at(oy, rows.begin) * c.in_row + run.in;
  T* out = c.out + oy * c.out_row + run.out;
  const bool any = rows.begin < rows.end && run.taps.begin < run.taps.end;
  for (Index at = 0; at < run.numbers;) {
    const Index whole = (run.numbers - at) / kLanes;
    const Index vectors = whole >= kConvVectors ? kConvVectors : whole >= 2 ? 2 : whole;
    const Index numbers = vectors == 0 ? run.numbers - at : vectors * kLanes;
    for (Index t = first_tile; t < last_tile; ++t) {
      const Index first = tiles.begin(t);
      const Index size = tiles.size(t);
      const ConvTile<T> tile = {.in = in + at,
                                .channels = any ? c.in_channels : 0,
                                .rows = rows.end - rows.begin,
                                .cols = run.taps.end - run.taps.begin,
                                .in_plane = c.in_plane,
                                .in_row_step = c.y.step * c.in_row,
                                .in_col_step = c.x.step * c.in_pos,
                                .w = c.w + first * c.w_out + rows.begin * c.w_row + run.taps.begin * c.w_col,
                                .w_out = c.w_out,
                                .w_plane = c.w_in,
                                .w_row_step = c.w_row,
                                .w_col_step = c.w_col,
                                .out = out + first * c.out_plane + at,
                                .out_plane = c.out_plane,
                                .epilogue = c.epilogue.from(first),
                                .numbers = numbers};
      kConvTiles<T>[static_cast<std::size_t>(vectors)][static_cast<std::size_t>(size - 1)](tile);
    }
    at += numbers;
  }
}

template <typename T>
void correlate(const Correlation<T>& c) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const ChannelTiles tiles(c.out_channels);
  const Index vectors = (c.x.out * c.images + kLanes - 1) / kLanes;
  const double row = static_cast<double>(vectors) *
                     static_cast<double>(c.out_channels * c.in_channels * c.y.count * c.x.count + 4) /
                     kConvVectorsPerMicrosecond;
  const double total = row * static_cast<double>(c.y.out);
  if (c.y.out == 1 && tiles.count > 1) {
    // A single row is shared among the threads by its channels.
    const std::vector<ConvRun> runs = conv_runs(c, c.x.out * c.images);
    parallel_for(tiles.count, total, [&](Index tile) {
      for (const ConvRun& run : runs) correlate_run(c, tiles, tile, tile + 1, 0, run);
    });
    return;
  }
  // Rows are shared among the threads, in pieces where one takes long.
  const auto pieces = static_cast<Index>(row / (2.0 * kConvChunkMicroseconds)) + 1;
  constexpr Index kBlock = kConvVectors * kLanes;
  const Index most = ((c.x.out * c.images + pieces - 1) / pieces + kBlock - 1) / kBlock * kBlock;
  const std::vector<ConvRun> runs = conv_runs(c, most);
  const auto per_row = static_cast<Index>(runs.size());
  const Index tasks = c.y.out * per_row;
  const Index chunks = std::clamp<Index>(static_cast<Index>(total / kConvChunkMicroseconds), 1, tasks);
  parallel_for(chunks, total, [&](Index chunk) {
    for (Index task = chunk * tasks / chunks; task < (chunk + 1) * tasks / chunks; ++task) {
      correlate_run(c, tiles, 0, tiles.count, task / per_row, runs[static_cast<std::size_t>(task % per_row)]);
    }
  });
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
