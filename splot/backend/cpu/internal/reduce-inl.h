// The loops of a reduction for one instruction set: a row, and columns. Included once for each by reduce.cpp.
#if defined(SPLOT_REDUCE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_REDUCE_INL_H
#undef SPLOT_REDUCE_INL_H
#else
#define SPLOT_REDUCE_INL_H
#endif

#include "splot/backend/cpu/internal/reduce_kernels.h"
#include "splot/backend/cpu/internal/simd-inl.h"
#include "splot/backend/cpu/reduce.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

// The first n < lanes elements; the other lanes hold anything.
template <typename T>
HWY_INLINE Simd<T> load_first(const T* x, std::size_t n) {
  const hn::ScalableTag<T> tag;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return Simd<T>::of(hn::MaskedLoad(hn::FirstN(tag, n), tag, x));
#else
  // Elsewhere a masked load may touch the memory behind the elements.
  HWY_ALIGN T lanes[hn::MaxLanes(tag)] = {};
  for (std::size_t i = 0; i < n; ++i) lanes[i] = x[i];
  return Simd<T>::of(hn::Load(tag, lanes));
#endif
}

template <typename T>
HWY_INLINE Simd<T> load(const T* x) {
  return Simd<T>::of(hn::LoadU(hn::ScalableTag<T>(), x));
}
template <typename T>
HWY_INLINE void store(Simd<T> value, T* out) {
  hn::StoreU(value.raw, hn::ScalableTag<T>(), out);
}
template <typename T>
HWY_INLINE void store_first(Simd<T> value, std::size_t n, T* out) {
  const hn::ScalableTag<T> tag;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  hn::BlendedStore(value.raw, hn::FirstN(tag, n), tag, out);
#else
  HWY_ALIGN T lanes[hn::MaxLanes(tag)];
  hn::Store(value.raw, tag, lanes);
  for (std::size_t i = 0; i < n; ++i) out[i] = lanes[i];
#endif
}

// Value where the lane is one of the first n, else the other.
template <typename T>
HWY_INLINE Simd<T> first_or(std::size_t n, Simd<T> value, Simd<T> other) {
  return Simd<T>::of(hn::IfThenElse(hn::FirstN(hn::ScalableTag<T>(), n), value.raw, other.raw));
}

template <typename T>
HWY_INLINE bool any_nan(Simd<T> value) {
  return !hn::AllFalse(hn::ScalableTag<T>(), hn::IsNaN(value.raw));
}

// How two values combine, what changes nothing, and the combination of a vector's lanes.
struct SumOf {
  static constexpr double kIdentity = 0.0;
  template <typename V>
  static HWY_INLINE V combine(V a, V b) {
    return a + b;
  }
  template <typename T>
  static HWY_INLINE T lanes(Simd<T> value) {
    return hn::GetLane(hn::SumOfLanes(hn::ScalableTag<T>(), value.raw));
  }
};
struct ProdOf {
  static constexpr double kIdentity = 1.0;
  template <typename V>
  static HWY_INLINE V combine(V a, V b) {
    return a * b;
  }
  template <typename T>
  static HWY_INLINE T lanes(Simd<T> value) {
    HWY_ALIGN T all[hn::MaxLanes(hn::ScalableTag<T>())];
    hn::Store(value.raw, hn::ScalableTag<T>(), all);
    for (std::size_t half = hn::Lanes(hn::ScalableTag<T>()) / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) all[i] *= all[i + half];
    }
    return all[0];
  }
};
// A plain maximum drops NaN on some instruction sets, depending on the order of its operands.
struct MaxOf {
  static constexpr double kIdentity = -std::numeric_limits<double>::infinity();
  template <typename T>
  static HWY_INLINE Simd<T> combine(Simd<T> a, Simd<T> b) {
    return Simd<T>::of(hn::IfThenElse(hn::Or(hn::Gt(b.raw, a.raw), hn::IsNaN(b.raw)), b.raw, a.raw));
  }
  template <typename T>
  static HWY_INLINE T lanes(Simd<T> value) {
    if (any_nan(value)) return std::numeric_limits<T>::quiet_NaN();
    return hn::GetLane(hn::MaxOfLanes(hn::ScalableTag<T>(), value.raw));
  }
};
struct MinOf {
  static constexpr double kIdentity = std::numeric_limits<double>::infinity();
  template <typename T>
  static HWY_INLINE Simd<T> combine(Simd<T> a, Simd<T> b) {
    return Simd<T>::of(hn::IfThenElse(hn::Or(hn::Lt(b.raw, a.raw), hn::IsNaN(b.raw)), b.raw, a.raw));
  }
  template <typename T>
  static HWY_INLINE T lanes(Simd<T> value) {
    if (any_nan(value)) return std::numeric_limits<T>::quiet_NaN();
    return hn::GetLane(hn::MinOfLanes(hn::ScalableTag<T>(), value.raw));
  }
};

// What is done to an element x before it is combined; c is the centre.
struct AsIs {
  static constexpr bool kCentred = false;
  template <typename V>
  static HWY_INLINE V map(V x, V) {
    return x;
  }
};
struct SquaredDistance {
  static constexpr bool kCentred = true;
  template <typename V>
  static HWY_INLINE V map(V x, V c) {
    return (x - c) * (x - c);
  }
};
struct ExpDistance {
  static constexpr bool kCentred = true;
  template <typename V>
  static HWY_INLINE V map(V x, V c) {
    return exp(x - c);
  }
};

// The most elements that are combined one after the other; longer runs are halved.
constexpr Index kRowRun = 1024;
constexpr Index kColumnRun = 64;

template <typename Op, typename Map, typename T>
HWY_INLINE Simd<T> row_run(const T* x, Index n, Simd<T> centre) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  const Simd<T> identity(Op::kIdentity);
  Simd<T> a = identity, b = identity, c = identity, d = identity;
  Index i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = Op::combine(a, Map::map(load(x + i), centre));
    b = Op::combine(b, Map::map(load(x + i + lanes), centre));
    c = Op::combine(c, Map::map(load(x + i + 2 * lanes), centre));
    d = Op::combine(d, Map::map(load(x + i + 3 * lanes), centre));
  }
  for (; i + lanes <= n; i += lanes) a = Op::combine(a, Map::map(load(x + i), centre));
  if (i < n) {
    const auto left = static_cast<std::size_t>(n - i);
    b = Op::combine(b, first_or(left, Map::map(load_first(x + i, left), centre), identity));
  }
  return Op::combine(Op::combine(a, b), Op::combine(c, d));
}

template <typename Op, typename Map, typename T>
Simd<T> row_tree(const T* x, Index n, Simd<T> centre) {
  if (n <= kRowRun) return row_run<Op, Map>(x, n, centre);
  const Index half = (n / 2 + kRowRun - 1) / kRowRun * kRowRun;
  return Op::combine(row_tree<Op, Map>(x, half, centre), row_tree<Op, Map>(x + half, n - half, centre));
}

template <typename Op, typename Map, typename T>
void reduce_rows(const T* x, Index rows, Index n, const T* centre, T* out) {
  for (Index r = 0; r < rows; ++r) {
    const Simd<T> c(Map::kCentred ? static_cast<double>(centre[r]) : 0.0);
    out[r] = Op::lanes(row_tree<Op, Map>(x + r * n, n, c));
  }
}

// kVectors neighbouring vectors of columns, down at most kColumnRun rows at a time.
template <typename Op, typename Map, int kVectors, typename T>
void strip(const T* x, Index rows, Index stride, const T* centre, T* out) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  if (rows > kColumnRun) {
    const Index half = (rows / 2 + kColumnRun - 1) / kColumnRun * kColumnRun;
    HWY_ALIGN T other[kVectors * hn::MaxLanes(hn::ScalableTag<T>())];
    strip<Op, Map, kVectors>(x, half, stride, centre, out);
    strip<Op, Map, kVectors>(x + half * stride, rows - half, stride, centre, other);
    for (int v = 0; v < kVectors; ++v)
      store(Op::combine(load(out + v * lanes), load(other + v * lanes)), out + v * lanes);
    return;
  }
  using V = Simd<T>;
  const V identity(Op::kIdentity);
  // Two rows at a time: additions take four cycles, and narrow strips would wait for each other.
  if constexpr (kVectors == 1) {
    const V c = Map::kCentred ? load(centre) : identity;
    V even = identity, odd = identity;
    Index r = 0;
    for (; r + 2 <= rows; r += 2) {
      even = Op::combine(even, Map::map(load(x + r * stride), c));
      odd = Op::combine(odd, Map::map(load(x + (r + 1) * stride), c));
    }
    if (r < rows) even = Op::combine(even, Map::map(load(x + r * stride), c));
    store(Op::combine(even, odd), out);
  } else {
    static_assert(kVectors == 4);
    const V c0 = Map::kCentred ? load(centre) : identity;
    const V c1 = Map::kCentred ? load(centre + lanes) : identity;
    const V c2 = Map::kCentred ? load(centre + 2 * lanes) : identity;
    const V c3 = Map::kCentred ? load(centre + 3 * lanes) : identity;
    V s0 = identity, s1 = identity, s2 = identity, s3 = identity;
    for (Index r = 0; r < rows; ++r) {
      const T* row = x + r * stride;
      s0 = Op::combine(s0, Map::map(load(row), c0));
      s1 = Op::combine(s1, Map::map(load(row + lanes), c1));
      s2 = Op::combine(s2, Map::map(load(row + 2 * lanes), c2));
      s3 = Op::combine(s3, Map::map(load(row + 3 * lanes), c3));
    }
    store(s0, out);
    store(s1, out + lanes);
    store(s2, out + 2 * lanes);
    store(s3, out + 3 * lanes);
  }
}

// Fewer columns than a vector has lanes.
template <typename Op, typename Map, typename T>
Simd<T> narrow_strip(const T* x, Index rows, Index stride, std::size_t columns, Simd<T> centre) {
  if (rows > kColumnRun) {
    const Index half = (rows / 2 + kColumnRun - 1) / kColumnRun * kColumnRun;
    return Op::combine(narrow_strip<Op, Map>(x, half, stride, columns, centre),
                       narrow_strip<Op, Map>(x + half * stride, rows - half, stride, columns, centre));
  }
  Simd<T> total(Op::kIdentity);
  for (Index r = 0; r < rows; ++r)
    total = Op::combine(total, Map::map(load_first(x + r * stride, columns), centre));
  return total;
}

// This many rows of few columns are read as one long row: whole vectors instead of parts of one.
constexpr Index kFold = 16;
constexpr Index kFoldColumns = 48;

template <typename Op, typename Map, typename T>
void reduce_columns(const T* x, Index rows, Index columns, Index stride, const T* centre, T* out) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  if (columns == stride && columns <= kFoldColumns && rows >= 2 * kFold) {
    HWY_ALIGN T folded[kFold * kFoldColumns];
    HWY_ALIGN T centres[Map::kCentred ? kFold * kFoldColumns : 1] = {};
    if constexpr (Map::kCentred) {
      for (Index i = 0; i < kFold * columns; ++i) centres[i] = centre[i % columns];
    }
    const Index whole = rows / kFold;
    reduce_columns<Op, Map>(x, whole, kFold * columns, kFold * columns, centres, folded);
    reduce_columns<Op, AsIs>(folded, kFold, columns, columns, centre, out);
    if (rows > whole * kFold) {
      reduce_columns<Op, Map>(x + whole * kFold * columns, rows - whole * kFold, columns, columns, centre,
                              folded);
      for (Index i = 0; i < columns; i += lanes) {
        const auto left = static_cast<std::size_t>(std::min(lanes, columns - i));
        store_first(Op::combine(load_first(out + i, left), load_first(folded + i, left)), left, out + i);
      }
    }
    return;
  }
  Index c = 0;
  for (; c + 4 * lanes <= columns; c += 4 * lanes)
    strip<Op, Map, 4>(x + c, rows, stride, Map::kCentred ? centre + c : centre, out + c);
  for (; c + lanes <= columns; c += lanes)
    strip<Op, Map, 1>(x + c, rows, stride, Map::kCentred ? centre + c : centre, out + c);
  if (c == columns) return;
  const auto left = static_cast<std::size_t>(columns - c);
  const Simd<T> middle = Map::kCentred ? load_first(centre + c, left) : Simd<T>(0.0);
  store_first(narrow_strip<Op, Map>(x + c, rows, stride, left, middle), left, out + c);
}

template <typename Op, typename Map, typename T>
cpu::ReduceKernels<T> kernels_of() {
  return {reduce_rows<Op, Map, T>, reduce_columns<Op, Map, T>};
}

template <typename T>
cpu::ReduceKernels<T> reduce_kernels(cpu::Reduce reduction) {
  switch (reduction) {
    case cpu::Reduce::sum:
      return kernels_of<SumOf, AsIs, T>();
    case cpu::Reduce::prod:
      return kernels_of<ProdOf, AsIs, T>();
    case cpu::Reduce::max:
      return kernels_of<MaxOf, AsIs, T>();
    case cpu::Reduce::min:
      return kernels_of<MinOf, AsIs, T>();
    case cpu::Reduce::squares:
      return kernels_of<SumOf, SquaredDistance, T>();
    case cpu::Reduce::exps:
      break;
  }
  return kernels_of<SumOf, ExpDistance, T>();
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
