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

// Where a class number is the target, the exponentials of the other classes are added up by themselves: of a
// target that is nearly certain, 1 - p and log(total) would keep few digits, and Adam makes a full step of a
// gradient however small.

// The loss of a row whose target is `distance` <= 0 away from the largest logit.
template <typename T>
HWY_INLINE T loss_of(T others, T total, T distance) {
  return distance == T(0) ? std::log1p(others) : std::log(total) - distance;
}

// The sum of a row without element t.
template <typename Map, typename T>
HWY_INLINE T sum_of_others(const T* x, Index n, Index t, T centre) {
  const Simd<T> c(static_cast<double>(centre));
  return SumOf::lanes(row_tree<SumOf, Map>(x, t, c) + row_tree<SumOf, Map>(x + t + 1, n - t - 1, c));
}

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

// As many rows as a vector has lanes, of few classes and with class numbers for targets: class j of all of
// them is one vector. Fewer rows take up the first lanes, so that a row's bits do not depend on how many
// there are.
template <typename T>
struct FewClasses {
  using V = Simd<T>;
  static constexpr Index kRows = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  static constexpr Index kMost = 32;

  static bool fit(const cpu::CrossEntropy<T>& args) {
    return args.classes != nullptr && args.n > 1 && args.n <= kMost;
  }

  // Raw, for a constructor could not be compiled for the instruction set.
  using Raw = typename V::Raw;
  Raw exps[kMost];  // exp(x - largest)
  Raw largest;
  Raw others;  // the sum of exps without the target's
  Raw total;   // with it

  HWY_INLINE void take(const T* x, const std::int64_t* targets, Index n, Index rows) {
    const hn::ScalableTag<T> tag;
    const hn::RebindToSigned<decltype(tag)> whole;
    using Whole = hn::TFromD<decltype(whole)>;
    HWY_ALIGN T padded[kMost * kRows];
    if (rows < kRows) {
      std::copy_n(x, rows * n, padded);
      std::fill_n(padded + rows * n, (kRows - rows) * n, T(0));
      x = padded;
    }
    HWY_ALIGN Whole classes[kRows] = {};
    for (Index r = 0; r < rows; ++r) classes[r] = static_cast<Whole>(targets[r]);
    const auto target = hn::Load(whole, classes);
    const auto first = hn::Mul(hn::Iota(whole, 0), hn::Set(whole, static_cast<Whole>(n)));
    for (Index j = 0; j < n; ++j) exps[j] = hn::GatherIndex(tag, x + j, first);
    V most = V::of(exps[0]);
    for (Index j = 1; j < n; ++j) most = MaxOf::combine(most, V::of(exps[j]));
    largest = most.raw;
    for (Index j = 0; j < n; ++j) exps[j] = exp(V::of(exps[j]) - most).raw;
    Raw even = hn::Zero(tag), odd = hn::Zero(tag), own = hn::Zero(tag);
    for (Index j = 0; j < n; ++j) {
      const auto is_target = hn::RebindMask(tag, hn::Eq(target, hn::Set(whole, static_cast<Whole>(j))));
      Raw& sum = j % 2 == 0 ? even : odd;
      sum = hn::Add(sum, hn::IfThenZeroElse(is_target, exps[j]));
      own = hn::IfThenElse(is_target, exps[j], own);
    }
    others = hn::Add(even, odd);
    total = hn::Add(others, own);
  }
};

// How many of the rows, from the first on, have been done.
template <typename T>
Index few_classes(const cpu::CrossEntropy<T>& args, Index first, Index rows, T* loss) {
  constexpr Index kRows = FewClasses<T>::kRows;
  if (!FewClasses<T>::fit(args)) return 0;
  FewClasses<T> group;
  for (Index at = first; at < first + rows; at += kRows) {
    const T* x = args.x + at * args.n;
    const Index count = std::min(kRows, first + rows - at);
    group.take(x, args.classes + at, args.n, count);
    HWY_ALIGN T largest[kRows], others[kRows], total[kRows];
    store(Simd<T>::of(group.largest), largest);
    store(Simd<T>::of(group.others), others);
    store(Simd<T>::of(group.total), total);
    for (Index r = 0; r < count; ++r, x += args.n) {
      loss[at + r] = loss_of(others[r], total[r], x[args.classes[at + r]] - largest[r]);
    }
  }
  return rows;
}

template <typename T>
Index few_classes_grad(const cpu::CrossEntropy<T>& args, const T* dy, Index dy_stride, T scale, Index first,
                       Index rows, T* dx) {
  constexpr Index kRows = FewClasses<T>::kRows;
  if (!FewClasses<T>::fit(args)) return 0;
  FewClasses<T> group;
  HWY_ALIGN T gradient[kRows] = {}, of_target[kRows];
  HWY_ALIGN T columns[FewClasses<T>::kMost * kRows];
  for (Index at = first; at < first + rows; at += kRows) {
    const Index count = std::min(kRows, first + rows - at);
    group.take(args.x + at * args.n, args.classes + at, args.n, count);
    for (Index r = 0; r < count; ++r) gradient[r] = dy[(at + r) * dy_stride] * scale;
    const Simd<T> factor = load(gradient) / Simd<T>::of(group.total);
    for (Index j = 0; j < args.n; ++j) store(Simd<T>::of(group.exps[j]) * factor, columns + j * kRows);
    store(-(Simd<T>::of(group.others) * factor), of_target);
    T* out = dx + at * args.n;
    for (Index r = 0; r < count; ++r, out += args.n) {
      for (Index j = 0; j < args.n; ++j) out[j] = columns[j * kRows + r];
      out[args.classes[at + r]] = of_target[r];
    }
  }
  return rows;
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
    if (args.classes != nullptr) {
      const Index t = args.classes[r];
      const T distance = x[t] - largest;
      const T others = sum_of_others<ExpDistance>(x, args.n, t, largest);
      loss[r] = loss_of(others, others + std::exp(distance), distance);
    } else {
      const T log_sum = std::log(row_exps(x, args.n, largest));
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
    T* out = dx + r * args.n;
    const T g = dy[r * dy_stride] * scale;
    const Simd<T> m(static_cast<double>(row_max(x, args.n)));
    Index i = 0;
    for (; i + lanes <= args.n; i += lanes) store(exp(load(x + i) - m), out + i);
    const auto left = static_cast<std::size_t>(args.n - i);
    if (left != 0) store_first(exp(load_first(x + i, left) - m), left, out + i);
    const bool numbers = args.classes != nullptr;
    const T* t = numbers ? nullptr : args.probabilities + r * args.n;
    const Index target = numbers ? args.classes[r] : 0;
    const T others = numbers ? sum_of_others<AsIs>(out, args.n, target, T(0)) : T(0);
    const T share = numbers ? T(1) : row_sum(t, args.n);
    const T total = numbers ? others + out[target] : row_sum(out, args.n);
    const Simd<T> factor(static_cast<double>(share * g / total));
    const Simd<T> gradient(static_cast<double>(g));
    for (i = 0; i + lanes <= args.n; i += lanes) {
      const Simd<T> pulled = numbers ? Simd<T>(0.0) : load(t + i) * gradient;
      store(load(out + i) * factor - pulled, out + i);
    }
    if (left != 0) {
      const Simd<T> pulled = numbers ? Simd<T>(0.0) : load_first(t + i, left) * gradient;
      store_first(load_first(out + i, left) * factor - pulled, left, out + i);
    }
    if (numbers) out[target] = -(others * (g / total));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
