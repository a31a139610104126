// The products of Winograd's way: for each frequency a small matrix product. Included once for each
// instruction set.
#if defined(SPLOT_CONV_WINOGRAD_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_CONV_WINOGRAD_PRODUCT_INL_H
#undef SPLOT_CONV_WINOGRAD_PRODUCT_INL_H
#else
#define SPLOT_CONV_WINOGRAD_PRODUCT_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <hwy/highway.h>

#include "splot/backend/cpu/internal/conv_forward-inl.h"
#include "splot/backend/cpu/internal/conv_plan.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Copies numbers in the instructions of the vectors around it: with AVX in use a call of copy_row(), which is
// compiled without, costs some hundred cycles on Intel's processors.
template <typename T>
HWY_INLINE void copy_numbers(const T* from, Index numbers, T* to) {
  const hn::CappedTag<T, 16 / sizeof(T)> d;
  constexpr Index kStep = static_cast<Index>(hn::MaxLanes(d));
  Index i = 0;
  for (; i + kStep <= numbers; i += kStep) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  for (; i < numbers; ++i) to[i] = from[i];
}

// Sums over the channels of weights and inputs of one frequency.
template <typename T>
struct FrequencyProduct {
  Index channels, outs, numbers;
  const T* inputs;  // [channels][numbers]
  const T* weights;
  Index w_out, w_in;  // how far apart weights are
  T* sums;            // [outs][numbers]; numbers are whole vectors
};

// That is a matrix product, which the convolution's own kernel makes, with the channels for its taps.
template <typename T>
void multiply_as_convolution(const FrequencyProduct<T>& f) {
  const Correlation<T> product{.images = 1,
                               .in_channels = 1,
                               .out_channels = f.outs,
                               .y = {},
                               .x = {.step = 1, .count = f.channels},
                               .in = f.inputs,
                               .in_plane = 0,
                               .in_row = 0,
                               .in_pos = f.numbers,
                               .out = f.sums,
                               .out_plane = f.numbers,
                               .out_row = 0,
                               .out_pos = 1,
                               .w = f.weights,
                               .w_out = f.w_out,
                               .w_in = 0,
                               .w_row = 0,
                               .w_col = f.w_in,
                               .epilogue = {}};
  const ChannelTiles tiles(f.outs);
  correlate_run(product, tiles, 0, tiles.count, 0,
                {.out = 0, .in = 0, .numbers = f.numbers, .taps = {0, f.channels}});
}

// Outputs in a tile of so many vectors, of weights that lie side by side: as many as there are registers for.
// Fewer vectors take more, so that there are enough sums to keep the multipliers busy.
constexpr int frequency_outs(int vectors) {
  return vectors >= kConvVectors ? 6 : kConvVectors == 4 ? (vectors == 2 ? 12 : 16) : 12;
}

// The sums of some outputs and vectors: those of conv_tile, to the bit.
template <typename T, int kVectors, int kOuts>
HWY_NOINLINE void frequency_tile(const FrequencyProduct<T>& f, Index number, Index out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  V sum[kOuts][kVectors];
#pragma GCC unroll 16
  for (int o = 0; o < kOuts; ++o) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[o][v] = hn::Zero(d);
  }
  const T* in = f.inputs + number;
  const T* w = f.weights + out;
  const Index numbers = f.numbers, w_in = f.w_in;
#pragma GCC unroll 1
  for (Index c = f.channels; c > 0; --c) {
    V x[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) x[v] = hn::LoadU(d, in + v * kLanes);
#pragma GCC unroll 16
    for (int o = 0; o < kOuts; ++o) {
      const V weight = hn::Set(d, w[o]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[o][v] = hn::MulAdd(x[v], weight, sum[o][v]);
    }
    in += numbers;
    w += w_in;
  }
  T* to = f.sums + out * numbers + number;
#pragma GCC unroll 16
  for (int o = 0; o < kOuts; ++o) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[o][v], d, to + v * kLanes);
    to += numbers;
  }
}

template <typename T>
using FrequencyTile = void (*)(const FrequencyProduct<T>&, Index number, Index out);

// Indexed by outputs - 1.
template <typename T, int kVectors, int... kIndex>
constexpr std::array<FrequencyTile<T>, sizeof...(kIndex)> frequency_tiles(
    std::integer_sequence<int, kIndex...>) {
  return {&frequency_tile<T, kVectors, kIndex + 1>...};
}
template <typename T, int kVectors>
inline constexpr auto kFrequencyTiles =
    frequency_tiles<T, kVectors>(std::make_integer_sequence<int, frequency_outs(kVectors)>());

// Vectors from `number` on, all outputs.
template <typename T, int kVectors>
void multiply_vectors(const FrequencyProduct<T>& f, Index number) {
  const ChannelTiles outs(f.outs, frequency_outs(kVectors));
  for (Index t = 0; t < outs.count; ++t) {
    kFrequencyTiles<T, kVectors>[static_cast<std::size_t>(outs.size(t) - 1)](f, number, outs.begin(t));
  }
}

template <typename T>
void multiply_frequency(const FrequencyProduct<T>& f) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  if (f.w_out != 1) return multiply_as_convolution(f);
  Index number = 0;
  for (; number + kConvVectors * kLanes <= f.numbers; number += kConvVectors * kLanes) {
    multiply_vectors<T, kConvVectors>(f, number);
  }
  if constexpr (kConvVectors == 4) {
    if (number + 2 * kLanes <= f.numbers) {
      multiply_vectors<T, 2>(f, number);
      number += 2 * kLanes;
    }
  }
  if (number < f.numbers) multiply_vectors<T, 1>(f, number);
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
