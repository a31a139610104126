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

/// y = the epilogue of a convolution by 3 x 3 without strides and dilation, of one image, or of images in the
/// order "images last". With a shortcut, which is like y, that is added before the epilogue's relu; not where
/// it pools.
template <typename T>
struct WinogradConv {
  Index images = 1, in_channels = 1, out_channels = 1;
  Index in_rows = 1, in_cols = 1, rows = 1, cols = 1;
  Index rows_before = 0,
        cols_before = 0;           // zeros, or inputs left out where below 0; behind, as many zeros as needed
  const T* in = nullptr;           // [in_channels][in_rows][in_cols][images]
  const T* w = nullptr;            // [out_channels][in_channels][3][3]
  bool backwards = false;          // w is [in_channels][out_channels][3][3], turned round in both axes
  const T* transformed = nullptr;  // [16][in_channels][out_channels]: what w transformed is, in its place
  T* out = nullptr;                // [out_channels][rows][cols][images]; halves of them where it pools
  ConvEpilogue<T> epilogue = {};
  const T* shortcut = nullptr;
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

  explicit ChannelTiles(Index n, Index most = kMaxTileChannels) : channels(n), count((n + most - 1) / most) {}
  Index begin(Index tile) const { return tile * channels / count; }
  Index size(Index tile) const { return begin(tile + 1) - begin(tile); }
};

template <typename T>
struct ConvKernels {
  Index lanes;
  /// Computes all of it.
  void (*correlate)(const Correlation<T>&);
  void (*sum_weights)(const WeightSums<T>&);
  /// Two rows of 2 `count` pixels to one, the largest of each 2 x 2; a pixel is a run of `images` numbers.
  void (*pool_rows)(const T* upper, const T* lower, Index count, Index images, T* to);
  /// One image, not backwards; null where it is not used.
  void (*winograd)(const WinogradConv<T>&);
  /// Any number of images; null where it is not used.
  void (*winograd_images)(const WinogradConv<T>&);
  /// WinogradConv::transformed of w[outs][ins][3][3]; null where neither is used.
  void (*winograd_weights)(Index outs, Index ins, const T* w, T* transformed);
};

/// The second argument only says for which type.
const ConvKernels<float>& conv_kernels(InstructionSet set, float);
const ConvKernels<double>& conv_kernels(InstructionSet set, double);

/// What a run of so many numbers takes for each of its multiply-adds, in vectors: a tile of one vector waits
/// for its weights a third of the time, one of two a twentieth (measured on Zen 4).
inline double row_cost(Index lanes, Index numbers) {
  const Index vectors = (numbers + lanes - 1) / lanes, rest = vectors % 4;
  return static_cast<double>(vectors - rest) + (rest >= 2 ? 2.1 : 0.0) + (rest % 2 == 1 ? 1.35 : 0.0);
}

/// What a convolution takes by Winograd's way, in multiply-adds of vectors, for so many rows and columns of
/// tiles: the products, what is added up before and behind, and what it takes however small it is (fitted to
/// Zen 4).
inline double winograd_cost(Index lanes, Index in, Index out, Index rows, Index cols) {
  const Index vectors = rows * ((cols + lanes - 1) / lanes);
  return static_cast<double>(16 * in * out) * row_cost(lanes, rows * cols) +
         80.0 * static_cast<double>((in + out) * vectors) + static_cast<double>(in * out) + 5000.0;
}

/// The same for images, over which vectors run: what is transformed comes from farther away and does not
/// stay.
inline double winograd_images_cost(Index vectors, Index in, Index out, Index rows, Index cols) {
  const auto tiles = static_cast<double>(rows * cols * vectors);
  return tiles * (18.0 * static_cast<double>(in * out) + 150.0 * static_cast<double>(in + out)) +
         6.0 * static_cast<double>(in * out);
}

/// One core makes about this many multiply-adds in a microsecond for each lane; an estimate good to a factor
/// of two.
inline constexpr double kConvVectorsPerMicrosecond = 3000.0;
/// A chunk takes about this long.
inline constexpr double kConvChunkMicroseconds = 10.0;

}  // namespace splot::cpu
