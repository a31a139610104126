// Convolutions by 3 x 3 of one image with 4/9 of the multiplications: S. Winograd's minimal filtering F(2 x
// 2, 3 x 3) as A. Lavin and S. Gray use it, "Fast Algorithms for Convolutional Neural Networks", 2015.
// Included once for each instruction set.
//
//   Y = At [sum over channels of (G g Gt) . (Bt d B)] A
//
// for each tile of 2 x 2 outputs, from the 4 x 4 inputs d that it reads; g are the weights, . the product of
// elements. Bt and At only add, and rounding errors stay as small as those of the plain sum.
#if defined(SPLOT_CONV_WINOGRAD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_CONV_WINOGRAD_INL_H
#undef SPLOT_CONV_WINOGRAD_INL_H
#else
#define SPLOT_CONV_WINOGRAD_INL_H
#endif

#include <algorithm>

#include <hwy/highway.h>

#include "splot/backend/cpu/internal/conv_forward-inl.h"
#include "splot/backend/cpu/internal/conv_plan.h"
#include "splot/backend/cpu/internal/conv_planes.h"
#include "splot/backend/cpu/internal/conv_pool-inl.h"
#include "splot/backend/cpu/internal/conv_winograd_product-inl.h"
#include "splot/backend/cpu/thread_pool.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr Index kFrequencies = 16;  // of a tile: 4 down by 4 across
// At a time, or a row of them, so that what the steps hand to each other stays in the nearer caches.
inline constexpr Index kTilesInABlock = 128;

// Sixteen planes a power of two apart would all want the same places in the cache: a line more. The last
// vector of a plane may end there.
template <typename T>
constexpr Index winograd_plane(Index numbers) {
  constexpr Index kLine = 64 / sizeof(T);
  return (numbers + kLine - 1) / kLine * kLine + kLine;
}

// What one thread computes: some rows of the tiles, some of the output channels.
struct WinogradShare {
  Index first_row, rows;
  Index first_out, outs;
};

// Some rows of the tiles, over which vectors run.
struct WinogradBlock {
  Index first_row, rows, cols;
  Index padded;  // the tiles, in whole vectors
};

// Transformed numbers: [frequency][in][tile] of inputs, [frequency][out][in] of weights,
// [frequency][out][tile] of sums.
template <typename T>
struct Frequencies {
  Index plane = 0;  // of a frequency
  Scratch<T> values;

  Frequencies() = default;
  explicit Frequencies(Index numbers)
      : plane(winograd_plane<T>(numbers)), values(scratch<T>(kFrequencies * plane)) {}
  T* at(Index frequency) const { return values.get() + frequency * plane; }
};

// G of three values along one axis.
template <class V>
struct Weights4 {
  V first, second, third, fourth;
};
template <class D, class V = hn::Vec<D>>
HWY_INLINE Weights4<V> weights4(D d, V a, V b, V c) {
  const V half = hn::Set(d, hn::TFromD<D>(0.5));
  const V outer = hn::Mul(half, hn::Add(a, c)), middle = hn::Mul(half, b);
  return {a, hn::Add(outer, middle), hn::Sub(outer, middle), c};
}

// G g Gt of the filters w[out][in][3][3], to [frequency][out][in]. Some outputs at a time, so that what is
// between its two steps stays in the nearest cache.
template <typename T>
void transform_weights(const T* w, Index all_outs, Index channels, const Frequencies<T>& weights) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  constexpr Index kOutsAtATime = 8;
  const Index row = 3 * channels;
  const Index most = std::min(kOutsAtATime, all_outs) * row;
  const Index stride = (most + 3 * kLanes + kLanes - 1) / kLanes * kLanes;
  // A copy that may be read beyond its end, and what is between the two steps.
  const Scratch<T> copy = scratch<T>(3 * stride), across = scratch<T>(4 * stride);
  std::fill_n(copy.get(), 3 * stride, T(0));
  hn::Vec<decltype(d)> a, b, e;
  for (Index first = 0; first < all_outs; first += kOutsAtATime) {
    const Index outs = std::min(kOutsAtATime, all_outs - first);
    std::copy_n(w + first * 3 * row, outs * 3 * row, copy.get());
    for (Index i = 0; i < outs * row; i += kLanes) {
      hn::LoadInterleaved3(d, copy.get() + 3 * i, a, b, e);
      const auto h = weights4(d, a, b, e);
      T* at = across.get() + i;
      hn::StoreU(h.first, d, at);
      hn::StoreU(h.second, d, at + stride);
      hn::StoreU(h.third, d, at + 2 * stride);
      hn::StoreU(h.fourth, d, at + 3 * stride);
    }
    for (Index out = 0; out < outs; ++out) {
      for (Index j = 0; j < 4; ++j) {
        const T* from = across.get() + j * stride + out * row;
        T* at = weights.at(j) + (first + out) * channels;
        for (Index i = 0; i < channels; i += kLanes) {
          hn::LoadInterleaved3(d, from + 3 * i, a, b, e);
          const auto u = weights4(d, a, b, e);
          // The last vector may end in the next row, which comes later.
          hn::StoreU(u.first, d, at + i);
          hn::StoreU(u.second, d, at + i + 4 * weights.plane);
          hn::StoreU(u.third, d, at + i + 8 * weights.plane);
          hn::StoreU(u.fourth, d, at + i + 12 * weights.plane);
        }
      }
    }
  }
}

// The same to [frequency][in][out], all dense: the order in which a product reads them.
template <typename T>
void winograd_weights(Index outs, Index ins, const T* w, T* transformed) {
  const Frequencies<T> weights(outs * ins);
  transform_weights(w, outs, ins, weights);
  for (Index f = 0; f < kFrequencies; ++f) {
    const T* from = weights.at(f);
    T* to = transformed + f * outs * ins;
    for (Index in = 0; in < ins; ++in) {
      for (Index out = 0; out < outs; ++out) to[in * outs + out] = from[out * ins + in];
    }
  }
}

// The transformed weights of some outputs, made now or beforehand, and how far apart those of two outputs
// and of two inputs are. Turning filters round exchanges the first and the last frequency of each axis and
// leaves the two between as they are.
template <typename T>
struct WinogradWeights {
  Frequencies<T> made;
  const T* values;
  Index plane, w_out, w_in;
  bool backwards;

  WinogradWeights(const WinogradConv<T>& c, Index first_out, Index outs)
      : values(c.transformed == nullptr ? nullptr : c.transformed + first_out),
        plane(c.in_channels * c.out_channels),
        w_out(1),
        w_in(c.out_channels),
        backwards(c.backwards) {
    if (values != nullptr) return;
    made = Frequencies<T>(c.in_channels * outs);
    values = made.at(0);
    plane = made.plane;
    if (backwards) {  // of all outputs
      transform_weights(c.w, c.in_channels, outs, made);
    } else {
      w_out = c.in_channels;
      w_in = 1;
      transform_weights(c.w + first_out * 9 * c.in_channels, outs, c.in_channels, made);
    }
  }
  const T* at(Index frequency, Index out) const {
    constexpr Index kTurned[] = {3, 1, 2, 0};
    const Index f = backwards ? kTurned[frequency / 4] * 4 + kTurned[frequency % 4] : frequency;
    return values + f * plane + out * w_out;
  }
};

// A row of the input of some tiles side by side, across: d B.
template <class V>
struct Inputs4 {
  V at[4];
};
template <class D, class V = hn::Vec<D>>
HWY_INLINE Inputs4<V> inputs4(D d, const hn::TFromD<D>* row) {
  V first, second, third, fourth;
  hn::LoadInterleaved2(d, row, first, second);
  hn::LoadInterleaved2(d, row + 2, third, fourth);
  return {{hn::Sub(first, third), hn::Add(second, third), hn::Sub(third, second), hn::Sub(second, fourth)}};
}

// The rows of one input channel that a block reads, with zeros around them, as far as the last vector of a
// row reads.
template <typename T>
void copy_with_border(const WinogradConv<T>& c, const WinogradBlock& block, Index channel, Index width,
                      T* to) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const Index first = 2 * block.first_row - c.rows_before;  // row of the input
  const Index height = 2 * block.rows + 2;
  const Index columns = std::min(c.in_cols, width - c.cols_before);
  const auto rest = hn::FirstN(d, static_cast<std::size_t>(columns % kLanes));
  std::fill_n(to, height * width, T(0));
  for (Index i = std::max<Index>(0, -first); i < std::min(height, c.in_rows - first); ++i) {
    const T* from = c.in + (channel * c.in_rows + first + i) * c.in_cols;
    T* at = to + i * width + c.cols_before;
    Index j = 0;
    for (; j + kLanes <= columns; j += kLanes) hn::StoreU(hn::LoadU(d, from + j), d, at + j);
    if (j < columns) hn::BlendedStore(hn::MaskedLoad(rest, d, from + j), rest, d, at + j);
  }
}

// Bt d B of a block's tiles of all input channels, to [frequency][in][tile].
template <typename T>
void transform_inputs(const WinogradConv<T>& c, const WinogradBlock& block, const Frequencies<T>& inputs) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const Index width = 2 * ((block.cols + kLanes - 1) / kLanes * kLanes) + 2;
  const Scratch<T> bordered = scratch<T>((2 * block.rows + 2) * width);
  const Index plane = inputs.plane;
  for (Index channel = 0; channel < c.in_channels; ++channel) {
    copy_with_border(c, block, channel, width, bordered.get());
    T* to = inputs.at(0) + channel * block.padded;
    for (Index f = 0; f < kFrequencies; ++f) {
      std::fill(to + f * plane + block.rows * block.cols, to + f * plane + block.padded, T(0));
    }
    for (Index first = 0; first < block.cols; first += kLanes) {
      const T* from = bordered.get() + 2 * first;
      // A vector that is alone in its row may end in the next row, or channel, which comes later.
      const bool whole = block.cols - first >= kLanes || block.cols < kLanes;
      const auto mask = hn::FirstN(d, static_cast<std::size_t>(std::min(kLanes, block.cols - first)));
      const auto store = [&](V value, T* at) {
        if (whole) return hn::StoreU(value, d, at);
        hn::BlendedStore(value, mask, d, at);
      };
      Inputs4<V> r0 = inputs4(d, from), r1 = inputs4(d, from + width);
      for (Index row = 0; row < block.rows; ++row) {
        const T* next = from + (2 * row + 2) * width;
        const Inputs4<V> r2 = inputs4(d, next), r3 = inputs4(d, next + width);
        T* at = to + row * block.cols + first;
        for (Index j = 0; j < 4; ++j) {
          store(hn::Sub(r0.at[j], r2.at[j]), at + j * plane);
          store(hn::Add(r1.at[j], r2.at[j]), at + (4 + j) * plane);
          store(hn::Sub(r2.at[j], r1.at[j]), at + (8 + j) * plane);
          store(hn::Sub(r1.at[j], r3.at[j]), at + (12 + j) * plane);
        }
        r0 = r2;
        r1 = r3;
      }
    }
  }
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V rectified(D d, V y, bool relu) {
  return relu ? hn::IfThenElse(hn::Le(y, hn::Zero(d)), hn::Zero(d), y) : y;
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V finished(D d, V sum, V scale, V bias, bool relu) {
  return rectified(d, hn::MulAdd(sum, scale, bias), relu);
}

// The shortcut's numbers that belong to two vectors of sums whose numbers alternate in memory, `numbers` of
// them.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void load_shortcut(D d, const hn::TFromD<D>* from, Index numbers, V& s0, V& s1) {
  using T = hn::TFromD<D>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(D()));
  if (numbers == 2 * kLanes) return hn::LoadInterleaved2(d, from, s0, s1);
  HWY_ALIGN T whole[2 * kLanes] = {};
  copy_numbers(from, numbers, whole);
  hn::LoadInterleaved2(d, whole, s0, s1);
}

// The first numbers of a vector alone: behind them is what another thread may be writing.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void store_some(D d, V y, Index numbers, hn::TFromD<D>* to) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(D()));
  if (numbers == kLanes) return hn::StoreU(y, d, to);
#if HWY_TARGET == HWY_AVX3
  hn::BlendedStore(y, hn::FirstN(d, static_cast<std::size_t>(numbers)), d, to);
#else
  HWY_ALIGN hn::TFromD<D> whole[kLanes];
  hn::Store(y, d, whole);
  copy_numbers(whole, numbers, to);
#endif
}

// At m A and the epilogue of a block of one output channel; frequencies of `sums` are `plane` apart. A tile
// of 2 x 2 outputs is what is pooled, too.
template <typename T>
void transform_sums(const WinogradConv<T>& c, const WinogradBlock& block, Index channel, const T* sums,
                    Index plane) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const ConvEpilogue<T> epilogue = c.epilogue.from(channel);
  const V scale = hn::Set(d, epilogue.scale != nullptr ? *epilogue.scale : T(1));
  const V bias = hn::Set(d, epilogue.bias != nullptr ? *epilogue.bias : T(0));
  T* out = c.out + channel * (epilogue.pool ? (c.rows / 2) * (c.cols / 2) : c.rows * c.cols);
  const T* shortcut = c.shortcut == nullptr ? nullptr : c.shortcut + channel * c.rows * c.cols;
  for (Index row = 0; row < block.rows; ++row) {
    for (Index first = 0; first < block.cols; first += kLanes) {
      const T* from = sums + row * block.cols + first;
      V left[4], right[4];  // m A, a row each
      for (Index i = 0; i < 4; ++i) {
        const T* at = from + 4 * i * plane;
        const V m1 = hn::LoadU(d, at + plane), m2 = hn::LoadU(d, at + 2 * plane);
        left[i] = hn::Add(hn::LoadU(d, at), hn::Add(m1, m2));
        right[i] = hn::Sub(hn::Sub(m1, m2), hn::LoadU(d, at + 3 * plane));
      }
      const Index y = 2 * (block.first_row + row);
      const Index numbers = std::min(2 * kLanes, c.cols - 2 * first);
      if (epilogue.pool) {
        const auto upper = [&](const V(&m)[4]) { return hn::Add(m[0], hn::Add(m[1], m[2])); };
        const auto lower = [&](const V(&m)[4]) { return hn::Sub(hn::Sub(m[1], m[2]), m[3]); };
        const auto of = [&](V sum) { return finished(d, sum, scale, bias, epilogue.relu); };
        if (y + 1 < c.rows) {
          store_some(d,
                     largest_of_four(d, of(upper(left)), of(upper(right)), of(lower(left)), of(lower(right))),
                     numbers / 2, out + y / 2 * (c.cols / 2) + first);
        }
        continue;
      }
      for (Index below = 0; below < std::min<Index>(2, c.rows - y); ++below) {
        const auto both = [&](const V(&m)[4]) {
          return below == 0 ? hn::Add(m[0], hn::Add(m[1], m[2])) : hn::Sub(hn::Sub(m[1], m[2]), m[3]);
        };
        const Index at = (y + below) * c.cols + 2 * first;
        const bool relu_now = epilogue.relu && shortcut == nullptr;
        V y0 = finished(d, both(left), scale, bias, relu_now);
        V y1 = finished(d, both(right), scale, bias, relu_now);
        if (shortcut != nullptr) {
          V s0, s1;
          load_shortcut(d, shortcut + at, numbers, s0, s1);
          y0 = rectified(d, hn::Add(y0, s0), epilogue.relu);
          y1 = rectified(d, hn::Add(y1, s1), epilogue.relu);
        }
        T* to = out + at;
        if (numbers == 2 * kLanes) {
          hn::StoreInterleaved2(y0, y1, d, to);
        } else {
          HWY_ALIGN T whole[2 * kLanes];
          hn::StoreInterleaved2(y0, y1, d, whole);
          copy_numbers(whole, numbers, to);
        }
      }
    }
  }
}

template <typename T>
void compute_share(const WinogradConv<T>& c, const WinogradShare& share) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Index cols = (c.cols + 1) / 2;
  const auto padded = [&](Index rows) { return (rows * cols + kLanes - 1) / kLanes * kLanes; };
  const Index most = std::clamp<Index>(kTilesInABlock / cols, 1, share.rows);
  const WinogradWeights<T> weights(c, share.first_out, share.outs);
  const Frequencies<T> inputs(c.in_channels * padded(most)), sums(share.outs * padded(most));
  for (Index row = 0; row < share.rows; row += most) {
    const Index rows = std::min(most, share.rows - row);
    const WinogradBlock block{share.first_row + row, rows, cols, padded(rows)};
    transform_inputs(c, block, inputs);
    for (Index f = 0; f < kFrequencies; ++f) {
      multiply_frequency<T>({.channels = c.in_channels,
                             .outs = share.outs,
                             .numbers = block.padded,
                             .inputs = inputs.at(f),
                             .weights = weights.at(f, 0),
                             .w_out = weights.w_out,
                             .w_in = weights.w_in,
                             .sums = sums.at(f)});
    }
    for (Index out = 0; out < share.outs; ++out) {
      transform_sums(c, block, share.first_out + out, sums.at(0) + out * block.padded, sums.plane);
    }
  }
}

// Threads share what makes them repeat less: the rows, and then each transforms all weights, or the channels,
// and then each transforms all inputs. Every number is made in the same way by any number of threads.
template <typename T>
void winograd(const WinogradConv<T>& c) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Index rows = (c.rows + 1) / 2, cols = (c.cols + 1) / 2;
  const auto cost = [&](Index some_rows, Index outs) {
    return winograd_cost(kLanes, c.in_channels, outs, some_rows, cols);
  };
  const double microseconds = cost(rows, c.out_channels) / kConvVectorsPerMicrosecond;
  const Index threads = microseconds < kMinParallelMicroseconds ? 1 : num_threads();
  const auto most_of = [&](Index all) { return (all + threads - 1) / threads; };
  const bool by_rows = cost(most_of(rows), c.out_channels) < cost(rows, most_of(c.out_channels));
  const Index shares = std::min(threads, by_rows ? rows : c.out_channels);
  parallel_for(shares, [&](Index i) {
    const auto begin = [&](Index all, Index share) { return all * share / shares; };
    WinogradShare share{.first_row = 0, .rows = rows, .first_out = 0, .outs = c.out_channels};
    Index& first = by_rows ? share.first_row : share.first_out;
    Index& count = by_rows ? share.rows : share.outs;
    first = begin(count, i);
    count = begin(count, i + 1) - first;
    compute_share(c, share);
  });
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
