// Batch normalisation for one instruction set. Included once for each by batch_norm.cpp.
#if defined(SPLOT_BATCH_NORM_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_BATCH_NORM_INL_H
#undef SPLOT_BATCH_NORM_INL_H
#else
#define SPLOT_BATCH_NORM_INL_H
#endif

#include <algorithm>
#include <cmath>

#include "splot/backend/cpu/batch_norm.h"
#include "splot/backend/cpu/internal/reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

struct Moments {
  double mean = 0;
  double squares = 0;  // the sum of squared distances from the mean
};

// Memory is read once: a block is read twice, the second time from the first cache.
constexpr Index kMomentsBlock = 4096;

// Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
template <typename T>
Moments moments_of(const T* x, Index n) {
  Moments all;
  for (Index done = 0; done < n; done += kMomentsBlock) {
    const Index size = std::min(kMomentsBlock, n - done);
    const T sum = SumOf::lanes(row_tree<SumOf, AsIs>(x + done, size, Simd<T>(0.0)));
    const T centre = sum / static_cast<T>(size);
    const Simd<T> c(static_cast<double>(centre));
    const T squares = SumOf::lanes(row_tree<SumOf, SquaredDistance>(x + done, size, c));
    // The distance of the block's exact mean from `centre` is below what T holds, and does not count.
    const double weight = static_cast<double>(size) / static_cast<double>(done + size);
    const double step = static_cast<double>(sum) / static_cast<double>(size) - all.mean;
    all.mean += step * weight;
    all.squares += static_cast<double>(squares) + step * step * weight * static_cast<double>(done);
  }
  return all;
}

// What a channel x[n] is normalised by; scale = weight / sqrt(var + eps).
template <typename T>
struct ChannelStats {
  T mean = 0, var = 0, scale = 0;
};
template <typename T>
ChannelStats<T> channel_stats(const T* x, Index n, T weight, double eps) {
  const Moments moments = n == 0 ? Moments() : moments_of(x, n);
  const double variance = n == 0 ? 0.0 : moments.squares / static_cast<double>(n);
  return {static_cast<T>(moments.mean), static_cast<T>(variance),
          static_cast<T>(static_cast<double>(weight) / std::sqrt(variance + eps))};
}

template <typename T>
void batch_norm_stats_channels(const cpu::Channels& sizes, const T* x, const T* weight, double eps,
                               Index first, Index channels, T* mean, T* var, T* scale) {
  for (Index c = first; c < first + channels; ++c) {
    const ChannelStats<T> stats = channel_stats(x + c * sizes.count, sizes.count, weight[c], eps);
    mean[c] = stats.mean;
    var[c] = stats.var;
    scale[c] = stats.scale;
  }
}

template <typename T>
void batch_norm_channels(const cpu::Channels& sizes, const T* x, const T* weight, const T* bias, double eps,
                         Index first, Index channels, T* y, T* mean, T* var) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  const Index n = sizes.count;
  for (Index c = first; c < first + channels; ++c) {
    const T* from = x + c * n;
    T* to = y + c * n;
    const ChannelStats<T> stats = channel_stats(from, n, weight[c], eps);
    mean[c] = stats.mean;
    var[c] = stats.var;
    // Not x scale + shift: where the mean is large against the deviation, that loses digits.
    const Simd<T> centre(static_cast<double>(stats.mean)), shift(static_cast<double>(bias[c]));
    const Simd<T> scale(static_cast<double>(stats.scale));
    Index i = 0;
    for (; i + lanes <= n; i += lanes) store(fma(load(from + i) - centre, scale, shift), to + i);
    const auto left = static_cast<std::size_t>(n - i);
    if (left != 0) store_first(fma(load_first(from + i, left) - centre, scale, shift), left, to + i);
  }
}

// sum(dy) and sum(dy (x - centre))
template <typename T>
struct GradSums {
  Simd<T> plain, weighted;

  friend HWY_INLINE GradSums operator+(GradSums a, GradSums b) {
    return {a.plain + b.plain, a.weighted + b.weighted};
  }
};

template <typename T>
HWY_INLINE GradSums<T> grad_sums_run(const T* dy, const T* x, Index n, Simd<T> centre) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  const Simd<T> zero(0.0);
  GradSums<T> a{zero, zero}, b = a, c = a, d = a;
  const auto add = [&](GradSums<T> to, Index at) HWY_ATTR -> GradSums<T> {
    const Simd<T> g = load(dy + at);
    return {to.plain + g, fma(g, load(x + at) - centre, to.weighted)};
  };
  Index i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = add(a, i);
    b = add(b, i + lanes);
    c = add(c, i + 2 * lanes);
    d = add(d, i + 3 * lanes);
  }
  for (; i + lanes <= n; i += lanes) a = add(a, i);
  if (i < n) {
    const auto left = static_cast<std::size_t>(n - i);
    const Simd<T> g = first_or(left, load_first(dy + i, left), zero);
    const Simd<T> distance = first_or(left, load_first(x + i, left) - centre, zero);
    b = {b.plain + g, fma(g, distance, b.weighted)};
  }
  return (a + b) + (c + d);
}

template <typename T>
GradSums<T> grad_sums(const T* dy, const T* x, Index n, Simd<T> centre) {
  if (n <= kRowRun) return grad_sums_run(dy, x, n, centre);
  const Index half = (n / 2 + kRowRun - 1) / kRowRun * kRowRun;
  return grad_sums(dy, x, half, centre) + grad_sums(dy + half, x + half, n - half, centre);
}

template <typename T>
void batch_norm_grad_channels(const cpu::Channels& sizes, const cpu::BatchNormGrad<T>& g, Index first,
                              Index channels, T* dx, T* dweight, T* dbias) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  const Index n = sizes.count;
  const auto count = static_cast<double>(n);
  if (n == 0) {
    std::fill_n(dweight + first, channels, T(0));
    std::fill_n(dbias + first, channels, T(0));
    return;
  }
  for (Index c = first; c < first + channels; ++c) {
    const T* dy = g.dy + c * n;
    const T* x = g.x + c * n;
    T* to = dx + c * n;
    const Simd<T> centre(static_cast<double>(g.mean[c]));
    const GradSums<T> sums = grad_sums(dy, x, n, centre);
    const auto plain = static_cast<double>(SumOf::lanes(sums.plain));
    const auto weighted = static_cast<double>(SumOf::lanes(sums.weighted));
    const double s = 1.0 / std::sqrt(static_cast<double>(g.var[c]) + g.eps);
    const double scale = static_cast<double>(g.weight[c]) * s;
    dbias[c] = static_cast<T>(plain);
    dweight[c] = static_cast<T>(weighted * s);
    // dx = scale dy + slope (x - mean) + shift
    const Simd<T> by_dy(scale);
    const Simd<T> slope((2.0 * static_cast<double>(g.dvar[c]) - scale * s * s * weighted) / count);
    const Simd<T> shift((static_cast<double>(g.dmean[c]) - scale * plain) / count);
    Index i = 0;
    for (; i + lanes <= n; i += lanes) {
      store(fma(load(dy + i), by_dy, fma(load(x + i) - centre, slope, shift)), to + i);
    }
    const auto left = static_cast<std::size_t>(n - i);
    if (left != 0) {
      const Simd<T> distance = load_first(x + i, left) - centre;
      store_first(fma(load_first(dy + i, left), by_dy, fma(distance, slope, shift)), left, to + i);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
