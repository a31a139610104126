// Convolutions by 3 x 3 of many images by Winograd's way (conv_winograd-inl.h), and their input gradients:
// vectors run over the images, so that no number changes its place in one. Included once for each instruction
// set.
#if defined(SPLOT_CONV_WINOGRAD_IMAGES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_CONV_WINOGRAD_IMAGES_INL_H
#undef SPLOT_CONV_WINOGRAD_IMAGES_INL_H
#else
#define SPLOT_CONV_WINOGRAD_IMAGES_INL_H
#endif

#include <algorithm>
#include <array>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "splot/backend/cpu/internal/conv_plan.h"
#include "splot/backend/cpu/internal/conv_planes.h"
#include "splot/backend/cpu/internal/conv_winograd-inl.h"
#include "splot/backend/cpu/internal/pooling-inl.h"
#include "splot/backend/cpu/thread_pool.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Cells at a time: so many that their transformed inputs fill about a third of a second-level cache of 1 MiB,
// whole register tiles, and no more than there is room for below.
inline constexpr Index kMostCells = 32;
template <typename T>
Index cells_at_a_time(const WinogradConv<T>& c) {
  constexpr Index kBytes = 384 * 1024, kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Index bytes_of_a_cell = kFrequencies * c.in_channels * kLanes * static_cast<Index>(sizeof(T));
  return std::clamp<Index>(kBytes / bytes_of_a_cell / kConvVectors * kConvVectors, kConvVectors, kMostCells);
}

// A tile of 2 x 2 outputs of a vector of images.
struct WinogradCell {
  Index in_row, in_col;    // of the first of its 4 x 4 inputs, some of which may not exist
  Index out_row, out_col;  // of the first of its outputs
  Index image, images;     // the first, and how many there are
};

template <typename T>
WinogradCell cell_of(const WinogradConv<T>& c, Index number) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Index vectors = (c.images + kLanes - 1) / kLanes, cols = (c.cols + 1) / 2;
  const Index tile = number / vectors, image = number % vectors * kLanes;
  const Index row = tile / cols * 2, col = tile % cols * 2;
  return {row - c.rows_before, col - c.cols_before, row, col, image, std::min(kLanes, c.images - image)};
}

// Bt d B of one channel of a cell, frequencies `plane` apart.
template <class D, class V = hn::Vec<D>, typename T = hn::TFromD<D>>
HWY_INLINE void transform_cell(D d, const V (&in)[4][4], T* to, Index plane) {
  V across[4][4];  // d B
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    across[i][0] = hn::Sub(in[i][0], in[i][2]);
    across[i][1] = hn::Add(in[i][1], in[i][2]);
    across[i][2] = hn::Sub(in[i][2], in[i][1]);
    across[i][3] = hn::Sub(in[i][1], in[i][3]);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    hn::StoreU(hn::Sub(across[0][j], across[2][j]), d, to + j * plane);
    hn::StoreU(hn::Add(across[1][j], across[2][j]), d, to + (4 + j) * plane);
    hn::StoreU(hn::Sub(across[2][j], across[1][j]), d, to + (8 + j) * plane);
    hn::StoreU(hn::Sub(across[1][j], across[3][j]), d, to + (12 + j) * plane);
  }
}

using WinogradCells = std::array<WinogradCell, kMostCells>;

// Bt d B of some cells, to [frequency][channel][cell].
template <typename T>
void transform_cells(const WinogradConv<T>& c, const WinogradCells& cells, Index count,
                     const Frequencies<T>& inputs) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const Index row = c.in_cols * c.images, plane = c.in_rows * row;
  for (Index channel = 0; channel < c.in_channels; ++channel) {
    const T* from = c.in + channel * plane;
    for (Index k = 0; k < count; ++k) {
      const WinogradCell& cell = cells[static_cast<std::size_t>(k)];
      const bool whole = cell.in_row >= 0 && cell.in_row + 4 <= c.in_rows && cell.in_col >= 0 &&
                         cell.in_col + 4 <= c.in_cols && cell.images == kLanes;
      V in[4][4];
      if (whole) {
        const T* at = from + cell.in_row * row + cell.in_col * c.images + cell.image;
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 4
          for (int j = 0; j < 4; ++j) in[i][j] = hn::LoadU(d, at + i * row + j * c.images);
          // Of the next channel, what the cell before this one does not read: it is too far away to be seen
          // coming.
          hwy::Prefetch(at + plane + i * row + 2 * c.images);
          hwy::Prefetch(at + plane + i * row + 3 * c.images);
        }
      } else {
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(cell.images));
        for (int i = 0; i < 4; ++i) {
          for (int j = 0; j < 4; ++j) {
            const Index y = cell.in_row + i, x = cell.in_col + j;
            const bool exists = y >= 0 && y < c.in_rows && x >= 0 && x < c.in_cols;
            in[i][j] =
                exists ? hn::MaskedLoad(mask, d, from + y * row + x * c.images + cell.image) : hn::Zero(d);
          }
        }
      }
      transform_cell(d, in, inputs.at(0) + (channel * count + k) * kLanes, inputs.plane);
    }
  }
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE void store_winners(D d, V winners, Index numbers, unsigned char* to) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(D()));
  if (numbers == kLanes) return splot::HWY_NAMESPACE::store_which(d, winners, to);
  HWY_ALIGN hn::TFromD<D> whole[kLanes];
  hn::Store(winners, d, whole);
  for (Index i = 0; i < numbers; ++i) to[i] = static_cast<unsigned char>(whole[i]);
}

// At m A and the epilogue of one output channel of some cells; frequencies of `sums` are `plane` apart.
template <typename T>
void finish_cells(const WinogradConv<T>& c, const WinogradCells& cells, Index count, Index channel,
                  const T* sums, Index plane) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const ConvEpilogue<T> epilogue = c.epilogue.from(channel);
  const V scale = hn::Set(d, epilogue.scale != nullptr ? *epilogue.scale : T(1));
  const V bias = hn::Set(d, epilogue.bias != nullptr ? *epilogue.bias : T(0));
  T* const out = c.out + channel * (epilogue.pool ? (c.rows / 2) * (c.cols / 2) : c.rows * c.cols) * c.images;
  unsigned char* const which =
      epilogue.which == nullptr ? nullptr : epilogue.which + channel * (c.rows / 2) * (c.cols / 2) * c.images;
  const T* const shortcut =
      c.shortcut == nullptr ? nullptr : c.shortcut + channel * c.rows * c.cols * c.images;
  for (Index k = 0; k < count; ++k) {
    const WinogradCell& cell = cells[static_cast<std::size_t>(k)];
    const T* from = sums + k * kLanes;
    V left[4], right[4];  // m A, a row each
#pragma GCC unroll 4
    for (Index i = 0; i < 4; ++i) {
      const T* at = from + 4 * i * plane;
      const V m1 = hn::LoadU(d, at + plane), m2 = hn::LoadU(d, at + 2 * plane);
      left[i] = hn::Add(hn::LoadU(d, at), hn::Add(m1, m2));
      right[i] = hn::Sub(hn::Sub(m1, m2), hn::LoadU(d, at + 3 * plane));
    }
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(cell.images));
    const auto store = [&](V sum, Index i, Index j) {
      if (cell.out_row + i >= c.rows || cell.out_col + j >= c.cols) return;
      const Index at = ((cell.out_row + i) * c.cols + cell.out_col + j) * c.images + cell.image;
      V y = finished(d, sum, scale, bias, epilogue.relu && shortcut == nullptr);
      if (shortcut != nullptr) {
        y = rectified(d, hn::Add(y, hn::MaskedLoad(mask, d, shortcut + at)), epilogue.relu);
      }
      store_some(d, y, cell.images, out + at);
    };
    const V upper_left = hn::Add(left[0], hn::Add(left[1], left[2]));
    const V upper_right = hn::Add(right[0], hn::Add(right[1], right[2]));
    const V lower_left = hn::Sub(hn::Sub(left[1], left[2]), left[3]);
    const V lower_right = hn::Sub(hn::Sub(right[1], right[2]), right[3]);
    if (epilogue.pool) {
      if (cell.out_row + 1 >= c.rows || cell.out_col + 1 >= c.cols) continue;
      const auto of = [&](V sum) { return finished(d, sum, scale, bias, epilogue.relu); };
      V winner;
      const V y =
          largest_of_four(d, of(upper_left), of(upper_right), of(lower_left), of(lower_right), winner);
      const Index at = (cell.out_row / 2 * (c.cols / 2) + cell.out_col / 2) * c.images + cell.image;
      if (which != nullptr) store_winners(d, winner, cell.images, which + at);
      store_some(d, y, cell.images, out + at);
      continue;
    }
    store(upper_left, 0, 0);
    store(upper_right, 0, 1);
    store(lower_left, 1, 0);
    store(lower_right, 1, 1);
  }
}

// Some cells, all channels.
template <typename T>
void compute_cells(const WinogradConv<T>& c, const WinogradWeights<T>& weights, Index first, Index last) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Index most = std::min(last - first, cells_at_a_time(c));
  const ChannelTiles outs(c.out_channels);
  const Frequencies<T> inputs(c.in_channels * most * kLanes), sums(kMaxTileChannels * most * kLanes);
  WinogradCells cells;
  for (; first < last; first += most) {
    const Index count = std::min(most, last - first);
    for (Index k = 0; k < count; ++k) cells[static_cast<std::size_t>(k)] = cell_of(c, first + k);
    transform_cells(c, cells, count, inputs);
    for (Index t = 0; t < outs.count; ++t) {
      for (Index f = 0; f < kFrequencies; ++f) {
        multiply_frequency<T>({.channels = c.in_channels,
                               .outs = outs.size(t),
                               .numbers = count * kLanes,
                               .inputs = inputs.at(f),
                               .weights = weights.at(f, outs.begin(t)),
                               .w_out = weights.w_out,
                               .w_in = weights.w_in,
                               .sums = sums.at(f)});
      }
      for (Index o = 0; o < outs.size(t); ++o) {
        finish_cells(c, cells, count, outs.begin(t) + o, sums.at(0) + o * count * kLanes, sums.plane);
      }
    }
  }
}

// Threads share the cells, in whole register tiles. Every number is made in the same way whichever share it
// belongs to.
template <typename T>
void winograd_images(const WinogradConv<T>& c) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  constexpr Index kMostRounds = 8;
  const Index rows = (c.rows + 1) / 2, cols = (c.cols + 1) / 2, vectors = (c.images + kLanes - 1) / kLanes;
  const Index cells = rows * cols * vectors, tiles = (cells + kConvVectors - 1) / kConvVectors;
  const WinogradWeights<T> weights(c, 0, c.out_channels);
  const double microseconds =
      winograd_images_cost(vectors, c.in_channels, c.out_channels, rows, cols) / kConvVectorsPerMicrosecond;
  const Index threads = num_threads();
  const Index rounds = std::clamp<Index>(cells / (2 * cells_at_a_time<T>(c) * threads), 1, kMostRounds);
  const Index shares = std::min(rounds * threads, tiles);
  const auto begin = [&](Index share) { return std::min(cells, share * tiles / shares * kConvVectors); };
  parallel_for(shares, microseconds, [&](Index i) { compute_cells(c, weights, begin(i), begin(i + 1)); });
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
