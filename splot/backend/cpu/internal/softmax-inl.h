// Softmax and cross-entropy of rows for one instruction set. Included once for each by softmax.cpp.
#if defined(SPLOT_SOFTMAX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_SOFTMAX_INL_H
#undef SPLOT_SOFTMAX_INL_H
#else
#define SPLOT_SOFTMAX_INL_H
#endif

#include "splot/backend/cpu/internal/reduce-inl.h"
#include "splot/backend/cpu/softmax.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

template <typename T>
HWY_INLINE T row_max(const T* x, Index n) {
  return MaxOf::lanes(row_tree<MaxOf, AsIs>(x, n, Simd<T>(0.0)));
}
// sum_j exp(x[j] - largest)
template <typename T>
HWY_INLINE T row_exps(const T* x, Index n, T largest) {
  return SumOf::lanes(row_tree<SumOf, ExpDistance>(x, n, Simd<T>(static_cast<double>(largest))));
}

template <typename T>
void softmax_block(const T* x, Index rows, Index n, T* out) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  for (Index r = 0; r < rows; ++r, x += n, out += n) {
    const Simd<T> largest(static_cast<double>(row_max(x, n)));
    Simd<T> total(0.0);
    Index i = 0;
    for (; i + lanes <= n; i += lanes) {
      const Simd<T> e = exp(load(x + i) - largest);
      store(e, out + i);
      total = total + e;
    }
    const auto left = static_cast<std::size_t>(n - i);
    Simd<T> last(0.0);
    if (left != 0) {
      last = exp(load_first(x + i, left) - largest);
      total = total + first_or(left, last, Simd<T>(0.0));
    }
    const Simd<T> sum(static_cast<double>(SumOf::lanes(total)));
    for (i = 0; i + lanes <= n; i += lanes) store(load(out + i) / sum, out + i);
    if (left != 0) store_first(last / sum, left, out + i);
  }
}

template <typename T>
void log_softmax_block(const T* x, Index rows, Index n, T* out) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  for (Index r = 0; r < rows; ++r, x += n, out += n) {
    const T largest = row_max(x, n);
    const Simd<T> m(static_cast<double>(largest));
    const Simd<T> log_sum(static_cast<double>(std::log(row_exps(x, n, largest))));
    Index i = 0;
    for (; i + lanes <= n; i += lanes) store((load(x + i) - m) - log_sum, out + i);
    const auto left = static_cast<std::size_t>(n - i);
    if (left != 0) store_first((load_first(x + i, left) - m) - log_sum, left, out + i);
  }
}

// The distance where its share is not 0: it may be infinite, and 0 times that NaN.
template <typename T>
HWY_INLINE Simd<T> counted(const Simd<T> share, const Simd<T> distance) {
  return select(share == Simd<T>(0.0), Simd<T>(0.0), distance);
}

// sum_j t[j] (x[j] - m)
template <typename T>
T weighted_distance(const T* t, const T* x, Index n, T m) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  const Simd<T> largest(static_cast<double>(m));
  Simd<T> total(0.0);
  Index i = 0;
  for (; i + lanes <= n; i += lanes) {
    const Simd<T> share = load(t + i);
    total = fma(share, counted(share, load(x + i) - largest), total);
  }
  const auto left = static_cast<std::size_t>(n - i);
  if (left != 0) {
    const Simd<T> share = load_first(t + i, left);
    const Simd<T> product = share * counted(share, load_first(x + i, left) - largest);
    total = total + first_or(left, product, Simd<T>(0.0));
  }
  return SumOf::lanes(total);
}

template <typename T>
T row_sum(const T* x, Index n) {
  return SumOf::lanes(row_tree<SumOf, AsIs>(x, n, Simd<T>(0.0)));
}

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

// As many rows as a vector has lanes, of few classes and with class numbers for targets: class j of all of
// them is one vector. Sums are made in the order of row_run() and of SumOf::lanes(), so that an element's
// bits do not depend on how many rows there are.
template <typename T>
struct FewClasses {
  using V = Simd<T>;
  static constexpr Index kRows = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  static constexpr Index kMost = 32;

  static bool fit(const cpu::CrossEntropy<T>& args) {
    return args.classes != nullptr && args.n > 1 && args.n <= kMost && args.n < 4 * kRows;
  }

  // Raw, for a constructor could not be compiled for the instruction set.
  using Raw = typename V::Raw;
  Raw exps[kMost];  // exp(x - largest)
  Raw largest;
  Raw total;  // of exps

  // False: there is NaN among the logits, and row by row is the way to know which it is.
  HWY_INLINE bool take(const T* x, Index n) {
    const hn::ScalableTag<T> tag;
    const hn::RebindToSigned<decltype(tag)> whole;
    using Whole = hn::TFromD<decltype(whole)>;
    const auto rows = hn::Mul(hn::Iota(whole, 0), hn::Set(whole, static_cast<Whole>(n)));
    for (Index j = 0; j < n; ++j) exps[j] = hn::GatherIndex(tag, x + j, rows);
    V most = V::of(exps[0]);
    for (Index j = 1; j < n; ++j) most = MaxOf::combine(most, V::of(exps[j]));
    if (any_nan(most)) return false;
    largest = most.raw;
    for (Index j = 0; j < n; ++j) exps[j] = exp(V::of(exps[j]) - most).raw;
    Raw sums[kRows];
    Index valid = std::min(n, kRows);
    for (Index j = 0; j < valid; ++j) {
      sums[j] = exps[j];
      for (Index k = j + kRows; k < n; k += kRows) sums[j] = hn::Add(sums[j], exps[k]);
    }
    for (Index half = kRows / 2; half > 0; half /= 2) {
      for (Index j = 0; j + half < valid; ++j) sums[j] = hn::Add(sums[j], sums[j + half]);
      valid = std::min(valid, half);
    }
    total = sums[0];
    return true;
  }
};

// How many of the rows, from the first on, have been done.
template <typename T>
Index few_classes(const cpu::CrossEntropy<T>& args, Index first, Index rows, T* loss) {
  constexpr Index kRows = FewClasses<T>::kRows;
  if (!FewClasses<T>::fit(args)) return 0;
  FewClasses<T> group;
  Index done = 0;
  for (; done + kRows <= rows; done += kRows) {
    const T* x = args.x + (first + done) * args.n;
    if (!group.take(x, args.n)) return done;
    HWY_ALIGN T largest[kRows], total[kRows];
    store(Simd<T>::of(group.largest), largest);
    store(Simd<T>::of(group.total), total);
    for (Index r = 0; r < kRows; ++r, x += args.n) {
      loss[first + done + r] = std::log(total[r]) - (x[args.classes[first + done + r]] - largest[r]);
    }
  }
  return done;
}

template <typename T>
Index few_classes_grad(const cpu::CrossEntropy<T>& args, const T* dy, Index dy_stride, T scale, Index first,
                       Index rows, T* dx) {
  constexpr Index kRows = FewClasses<T>::kRows;
  if (!FewClasses<T>::fit(args)) return 0;
  FewClasses<T> group;
  HWY_ALIGN T gradient[kRows];
  HWY_ALIGN T columns[FewClasses<T>::kMost * kRows];
  Index done = 0;
  for (; done + kRows <= rows; done += kRows) {
    const Index at = first + done;
    if (!group.take(args.x + at * args.n, args.n)) return done;
    for (Index r = 0; r < kRows; ++r) gradient[r] = dy[(at + r) * dy_stride] * scale;
    const Simd<T> factor = load(gradient) / Simd<T>::of(group.total);
    for (Index j = 0; j < args.n; ++j) store(Simd<T>::of(group.exps[j]) * factor, columns + j * kRows);
    T* out = dx + at * args.n;
    for (Index r = 0; r < kRows; ++r, out += args.n) {
      for (Index j = 0; j < args.n; ++j) out[j] = columns[j * kRows + r];
      out[args.classes[at + r]] -= gradient[r];
    }
  }
  return done;
}

#else

template <typename T>
Index few_classes(const cpu::CrossEntropy<T>&, Index, Index, T*) {
  return 0;
}
template <typename T>
Index few_classes_grad(const cpu::CrossEntropy<T>&, const T*, Index, T, Index, Index, T*) {
  return 0;
}

#endif

template <typename T>
void cross_entropy_block(const cpu::CrossEntropy<T>& args, Index first, Index rows, T* loss) {
  for (Index r = first + few_classes(args, first, rows, loss); r < first + rows; ++r) {
    const T* x = args.x + r * args.n;
    const T largest = row_max(x, args.n);
    const T log_sum = std::log(row_exps(x, args.n, largest));
    if (args.classes != nullptr) {
      loss[r] = log_sum - (x[args.classes[r]] - largest);
    } else {
      const T* t = args.probabilities + r * args.n;
      loss[r] = row_sum(t, args.n) * log_sum - weighted_distance(t, x, args.n, largest);
    }
  }
}

template <typename T>
void cross_entropy_grad_block(const cpu::CrossEntropy<T>& args, const T* dy, Index dy_stride, T scale,
                              Index first, Index rows, T* dx) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  const Index done = few_classes_grad(args, dy, dy_stride, scale, first, rows, dx);
  for (Index r = first + done; r < first + rows; ++r) {
    const T* x = args.x + r * args.n;
    const T* t = args.classes != nullptr ? nullptr : args.probabilities + r * args.n;
    T* out = dx + r * args.n;
    const T g = dy[r * dy_stride] * scale;
    const T largest = row_max(x, args.n);
    Simd<T> total(0.0);
    const Simd<T> m(static_cast<double>(largest));
    Index i = 0;
    for (; i + lanes <= args.n; i += lanes) {
      const Simd<T> e = exp(load(x + i) - m);
      store(e, out + i);
      total = total + e;
    }
    const auto left = static_cast<std::size_t>(args.n - i);
    Simd<T> last(0.0);
    if (left != 0) {
      last = exp(load_first(x + i, left) - m);
      total = total + first_or(left, last, Simd<T>(0.0));
    }
    const T target_sum = t == nullptr ? T(1) : row_sum(t, args.n);
    const Simd<T> factor(static_cast<double>(target_sum * g / SumOf::lanes(total)));
    const Simd<T> gradient(static_cast<double>(g));
    for (i = 0; i + lanes <= args.n; i += lanes) {
      const Simd<T> pulled = t == nullptr ? Simd<T>(0.0) : load(t + i) * gradient;
      store(load(out + i) * factor - pulled, out + i);
    }
    if (left != 0) {
      const Simd<T> pulled = t == nullptr ? Simd<T>(0.0) : load_first(t + i, left) * gradient;
      store_first(last * factor - pulled, left, out + i);
    }
    if (t == nullptr) out[args.classes[r]] -= g;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
