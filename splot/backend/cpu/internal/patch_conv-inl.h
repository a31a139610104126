// Patches of an image, and their products with weights, for one instruction set. Included once for each by
// patch_conv.cpp.
#if defined(SPLOT_PATCH_CONV_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_PATCH_CONV_INL_H
#undef SPLOT_PATCH_CONV_INL_H
#else
#define SPLOT_PATCH_CONV_INL_H
#endif

#include <algorithm>
#include <array>

#include <hwy/highway.h>

#include "splot/backend/cpu/internal/conv_planes.h"
#include "splot/backend/cpu/internal/conv_winograd_product-inl.h"
#include "splot/backend/cpu/thread_pool.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Outputs at a time: what they are made from stays in the nearer caches.
inline constexpr Index kPatchBlock = 64;

// The image with zeros around it, so that every tap of every output exists, and as much behind it as vectors
// may read beyond its end.
template <typename T>
struct PaddedImage {
  Index row, plane;
  Scratch<T> values;

  PaddedImage(const ConvShape& s, const T* x) {
    const hn::ScalableTag<T> d;
    constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
    const auto size = [](const ConvAxis& a) {
      return std::max(a.pad + a.in, (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1);
    };
    row = size(s.x);
    plane = size(s.y) * row;
    values = scratch<T>(s.in_channels * plane + 2 * kLanes);
    T* const to = values.get();
    std::fill_n(to, s.in_channels * plane + 2 * kLanes, T(0));
    const auto rest = hn::FirstN(d, static_cast<std::size_t>(s.x.in % kLanes));
    for (Index c = 0; c < s.in_channels; ++c) {
      for (Index i = 0; i < s.y.in; ++i, x += s.x.in) {
        T* at = to + c * plane + (s.y.pad + i) * row + s.x.pad;
        Index j = 0;
        for (; j + kLanes <= s.x.in; j += kLanes) hn::StoreU(hn::LoadU(d, x + j), d, at + j);
        if (j < s.x.in) hn::BlendedStore(hn::MaskedLoad(rest, d, x + j), rest, d, at + j);
      }
    }
  }
};

// Outputs of one row: where the first reads its first tap, and how many they are.
struct PatchRow {
  Index from, count;
};

// What the outputs of some rows read through one tap, behind each other; a vector more may be written.
template <typename T>
HWY_INLINE void gather_tap(const T* from, Index stride, const PatchRow* rows, Index count, T* to) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  for (const PatchRow* row = rows; row < rows + count; to += row->count, ++row) {
    const T* at = from + row->from;
    if (stride == 1) {
      for (Index i = 0; i < row->count; i += kLanes) hn::StoreU(hn::LoadU(d, at + i), d, to + i);
    } else if (stride == 2) {
      for (Index i = 0; i < row->count; i += kLanes) {
        hn::Vec<decltype(d)> even, odd;
        hn::LoadInterleaved2(d, at + 2 * i, even, odd);
        hn::StoreU(even, d, to + i);
      }
    } else {
      for (Index i = 0; i < row->count; ++i) to[i] = at[i * stride];
    }
  }
}

// The outputs first ... first + count - 1 of all channels; `w` and the rest as in conv_by_patches().
template <typename T>
void patch_block(const ConvShape& s, const PaddedImage<T>& image, const T* w, const ConvEpilogue<T>& epilogue,
                 Index first, Index count, T* y) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const Index numbers = (count + kLanes - 1) / kLanes * kLanes;
  const Index taps = s.in_channels * s.y.kernel * s.x.kernel;
  std::array<PatchRow, kPatchBlock> rows;
  Index row_count = 0;
  for (Index at = first; at < first + count;) {
    const Index i = at / s.x.out, j = at % s.x.out;
    const Index some = std::min(s.x.out - j, first + count - at);
    rows[static_cast<std::size_t>(row_count++)] = {i * s.y.stride * image.row + j * s.x.stride, some};
    at += some;
  }
  const Scratch<T> patches = scratch<T>(taps * numbers + kLanes), sums = scratch<T>(s.out_channels * numbers);
  T* to = patches.get();
  for (Index c = 0; c < s.in_channels; ++c) {
    for (Index i = 0; i < s.y.kernel; ++i) {
      const T* from = image.values.get() + c * image.plane + i * s.y.dilation * image.row;
      for (Index j = 0; j < s.x.kernel; ++j, from += s.x.dilation, to += numbers) {
        hn::StoreU(hn::Zero(d), d, to + numbers - kLanes);  // of outputs that do not exist
        gather_tap(from, s.x.stride, rows.data(), row_count, to);
      }
    }
  }
  multiply_frequency<T>({.channels = taps,
                         .outs = s.out_channels,
                         .numbers = numbers,
                         .inputs = patches.get(),
                         .weights = w,
                         .w_out = 1,
                         .w_in = s.out_channels,
                         .sums = sums.get()});
  const Index plane = s.y.out * s.x.out;
  for (Index o = 0; o < s.out_channels; ++o) {
    const auto bias = hn::Set(d, epilogue.bias != nullptr ? epilogue.bias[o] : T(0));
    for (Index i = 0; i < count; i += kLanes) {
      auto sum = hn::Add(hn::LoadU(d, sums.get() + o * numbers + i), bias);
      if (epilogue.relu) sum = hn::IfThenElse(hn::Le(sum, hn::Zero(d)), hn::Zero(d), sum);
      T* out = y + o * plane + first + i;
      if (count - i >= kLanes) {
        hn::StoreU(sum, d, out);
      } else {
        HWY_ALIGN T whole[kLanes];
        hn::Store(sum, d, whole);
        copy_numbers(whole, count - i, out);
      }
    }
  }
}

template <typename T>
void conv_of_patches(const ConvShape& s, const T* x, const T* w, const ConvEpilogue<T>& epilogue, T* y) {
  const PaddedImage<T> image(s, x);
  const Index outputs = s.y.out * s.x.out;
  const double multiply_adds =
      static_cast<double>(outputs * s.out_channels * s.in_channels * s.y.kernel * s.x.kernel);
  constexpr double kLanes = static_cast<double>(hn::MaxLanes(hn::ScalableTag<T>()));
  parallel_for((outputs + kPatchBlock - 1) / kPatchBlock,
               multiply_adds / (kLanes * kConvVectorsPerMicrosecond), [&](Index block) {
                 const Index first = block * kPatchBlock;
                 patch_block(s, image, w, epilogue, first, std::min(kPatchBlock, outputs - first), y);
               });
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
