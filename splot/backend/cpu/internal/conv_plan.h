// What the convolutions' scheduler and their kernels for each instruction set say to each other.
#pragma once

#include "splot/backend/cpu/conv.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// The taps of one axis as a progression: output o reads inputs o * stride + first + k * step, k < count,
/// those in [0, in).
struct Taps {
  Index stride = 1, first = 0, step = 1, count = 1, in = 1, out = 1;

  /// The taps that output o can read: begin <= k < end.
  struct Range {
    Index begin, end;
    friend bool operator==(const Range&, const Range&) = default;
  };
  Range valid(Index o) const {
    Range r{0, count};
    const Index at = o * stride + first;
    const auto outside = [&](Index k) { return at + k * step < 0 || at + k * step >= in; };
    while (r.begin < r.end && outside(r.begin)) ++r.begin;
    while (r.begin < r.end && outside(r.end - 1)) --r.end;
    return r;
  }
  /// Where tap k of output o reads.
  Index at(Index o, Index k) const { return o * stride + first + k * step; }
};

/// y[o][oy][ox] = the epilogue of the sum over channels c and taps i, j of w[o][c][i][j] x[c][y.at(oy,
/// i)][x.at(ox, j)], each a run of `images` numbers. A convolution, or one of the phases of an input
/// gradient.
template <typename T>
struct Correlation {
  Index images = 1, in_channels = 1, out_channels = 1;
  Taps y, x;
  const T* in = nullptr;
  Index in_plane = 0, in_row = 0, in_pos = 0;  // how far apart channels, rows and pixels are
  T* out = nullptr;
  Index out_plane = 0, out_row = 0, out_pos = 0;
  const T* w = nullptr;
  Index w_out = 0, w_in = 0, w_row = 0, w_col = 0;  // how far apart weights of o, c, i and j are
  ConvEpilogue<T> epilogue = {};
};

/// dw[o][c][i][j] = sum over oy, ox and images of dy[o][oy][ox] x[c][y.at(oy, i)][x.at(ox, j)].
template <typename T>
struct WeightSums {
  Index images = 1, in_channels = 1, out_channels = 1;
  Taps y, x;
  const T* in = nullptr;
  Index in_plane = 0, in_row = 0, in_pos = 0;
  const T* dy = nullptr;
  Index dy_plane = 0, dy_row = 0, dy_pos = 0;
  T* dw = nullptr;  // [out_channels][in_channels][y.count][x.count]
};

/// Output channels are taken this many at a time at most, in tiles that differ by one at most.
inline constexpr Index kMaxTileChannels = 6;
struct ChannelTiles {
  Index channels, count;

  explicit ChannelTiles(Index n) : channels(n), count((n + kMaxTileChannels - 1) / kMaxTileChannels) {}
  Index begin(Index tile) const { return tile * channels / count; }
  Index size(Index tile) const { return begin(tile + 1) - begin(tile); }
};

template <typename T>
struct ConvKernels {
  Index lanes;
  /// Computes all of it.
  void (*correlate)(const Correlation<T>&);
  void (*sum_weights)(const WeightSums<T>&);
};

/// The second argument only says for which type.
const ConvKernels<float>& conv_kernels(InstructionSet set, float);
const ConvKernels<double>& conv_kernels(InstructionSet set, double);

/// One core makes about this many multiply-adds in a microsecond for each lane; an estimate good to a factor
/// of two.
inline constexpr double kConvVectorsPerMicrosecond = 3000.0;
/// A chunk takes about this long.
inline constexpr double kConvChunkMicroseconds = 10.0;

}  // namespace splot::cpu
