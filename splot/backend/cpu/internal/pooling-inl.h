// Maximum pooling for one instruction set. Included once for each by pooling.cpp.
#if defined(SPLOT_POOLING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_POOLING_INL_H
#undef SPLOT_POOLING_INL_H
#else
#define SPLOT_POOLING_INL_H
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

#include "splot/backend/cpu/internal/lanes-inl.h"
#include "splot/backend/cpu/internal/pooling_taps.h"
#include "splot/backend/cpu/pooling.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

// Numbers of elements travel in lanes of T, which hold them exactly, and are stored as bytes or int32.
template <class D, typename Which>
HWY_INLINE hn::Vec<D> load_which(D d, const Which* from) {
  const hn::Rebind<std::int32_t, D> di;
  hn::Vec<decltype(di)> whole;
  if constexpr (sizeof(Which) == 1) {
    whole = hn::PromoteTo(di, hn::LoadU(hn::Rebind<std::uint8_t, D>(), from));
  } else {
    whole = hn::LoadU(di, from);
  }
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    return hn::ConvertTo(d, whole);
  } else {
    return hn::PromoteTo(d, whole);
  }
}

template <typename Which, class D>
HWY_INLINE auto as_which(D, hn::Vec<D> value) {
  const hn::Rebind<std::int32_t, D> di;
  hn::Vec<decltype(di)> whole;
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    whole = hn::ConvertTo(di, value);
  } else {
    whole = hn::DemoteTo(di, value);
  }
  if constexpr (sizeof(Which) == 1) {
    return hn::DemoteTo(hn::Rebind<std::uint8_t, D>(), whole);
  } else {
    return whole;
  }
}

template <class D, typename Which>
HWY_INLINE void store_which(D d, hn::Vec<D> value, Which* to) {
  hn::StoreU(as_which<Which>(d, value), hn::Rebind<Which, D>(), to);
}

// Where the elements of a vector lie: side by side, two apart, or (one lane) anywhere.
struct Dense {
  template <class D, typename T>
  static HWY_INLINE hn::Vec<D> load(D d, const T* from) {
    return hn::LoadU(d, from);
  }
  static constexpr Index kStep = 1;
};
struct EveryOther {
  // Reads nothing behind the last element taken.
  template <class D, typename T>
  static HWY_INLINE hn::Vec<D> load(D d, const T* from) {
#if HWY_TARGET != HWY_SCALAR
    if constexpr (hn::MaxLanes(D()) > 1) {
      const auto front = hn::LoadU(d, from);
      const auto back = hn::LoadU(d, from + hn::Lanes(d) - 1);
      return hn::ConcatUpperLower(d, hn::ConcatOdd(d, back, back), hn::ConcatEven(d, front, front));
    }
#endif
    return hn::LoadU(d, from);
  }
  static constexpr Index kStep = 2;
};

// The elements of a window that lie in the image.
struct Window {
  Index row_step, column_step;  // in memory
  Index columns;                // of the whole window
  // Numbers within the window.
  Index row_first = 0, row_end = 0, column_first = 0, column_end = 0;
};

template <typename Along, typename T, typename Which>
struct MaxOfWindows {
  const T* x;
  Window window;
  T* y;
  Which* which;

  template <class D>
  HWY_INLINE void operator()(D d, Index at) const {
    const T* row = x + at * Along::kStep + window.row_first * window.row_step;
    // What wins when nothing is larger: the first element inside the image.
    auto best = hn::Set(d, -std::numeric_limits<T>::infinity());
    auto chosen = hn::Set(d, static_cast<T>(window.row_first * window.columns + window.column_first));
    for (Index r = window.row_first; r < window.row_end; ++r, row += window.row_step) {
      for (Index c = window.column_first; c < window.column_end; ++c) {
        const auto value = Along::load(d, row + c * window.column_step);
        const auto wins = hn::Or(hn::Gt(value, best), hn::IsNaN(value));
        best = hn::IfThenElse(wins, value, best);
        chosen = hn::IfThenElse(wins, hn::Set(d, static_cast<T>(r * window.columns + c)), chosen);
      }
    }
    hn::StoreU(best, d, y + at);
    store_which(d, chosen, which + at);
  }
};

template <typename Along, typename T, typename Which>
struct PickFromWindows {
  const T* x;
  Window window;
  T* y;
  const Which* which;

  template <class D>
  HWY_INLINE void operator()(D d, Index at) const {
    const T* row = x + at * Along::kStep + window.row_first * window.row_step;
    const auto chosen = load_which(d, which + at);
    auto picked = hn::Zero(d);
    for (Index r = window.row_first; r < window.row_end; ++r, row += window.row_step) {
      for (Index c = window.column_first; c < window.column_end; ++c) {
        const auto here = hn::Eq(chosen, hn::Set(d, static_cast<T>(r * window.columns + c)));
        picked = hn::IfThenElse(here, Along::load(d, row + c * window.column_step), picked);
      }
    }
    hn::StoreU(picked, d, y + at);
  }
};

// The elements k of a window beginning at `start` that lie in 0 .. size - 1.
HWY_INLINE void clip(const cpu::PoolAxis& axis, Index start, Index& first, Index& end) {
  first = start >= 0 ? 0 : (-start + axis.dilation - 1) / axis.dilation;
  end =
      start >= axis.size ? 0 : std::min(axis.kernel, (axis.size - start + axis.dilation - 1) / axis.dilation);
  first = std::min(first, end);
}

// Rows of windows, counted over all planes. Body is one of the two above.
template <template <typename, typename, typename> class Body, typename T, typename Which>
HWY_INLINE void over_windows(const cpu::Pool2d& p, const T* x, Index first, Index rows, T* y, Which* which) {
  const Index n = p.images;
  Window window{
      .row_step = p.h.dilation * p.w.size * n, .column_step = p.w.dilation * n, .columns = p.w.kernel};
  for (Index row = first; row < first + rows; ++row) {
    const Index top = row % p.h.windows * p.h.stride - p.h.padding;
    clip(p.h, top, window.row_first, window.row_end);
    const T* line = x + (row / p.h.windows * p.h.size + top) * p.w.size * n;
    Index done = 0;
    while (done < p.w.windows) {
      const Index left = done * p.w.stride - p.w.padding;
      clip(p.w, left, window.column_first, window.column_end);
      const Index at = (row * p.w.windows + done) * n;
      const Index inside = (p.w.size - 1 - left - (p.w.kernel - 1) * p.w.dilation) / p.w.stride + 1;
      const Index run = std::min(inside, p.w.windows - done);
      const bool whole = left >= 0 && window.column_end == p.w.kernel;
      // With one image, windows side by side are a vector.
      if (n == 1 && whole && p.w.stride == 1) {
        in_vectors<T>(run, Body<Dense, T, Which>{line + left, window, y + at, which + at});
        done += run;
      } else if (n == 1 && whole && p.w.stride == 2) {
        in_vectors<T>(run, Body<EveryOther, T, Which>{line + left, window, y + at, which + at});
        done += run;
      } else {
        in_vectors<T>(n, Body<Dense, T, Which>{line + left * n, window, y + at, which + at});
        ++done;
      }
    }
  }
}

#if HWY_TARGET != HWY_SCALAR

// Windows of 2 x 2 side by side in one image: none of them is clipped.
inline bool are_pairs(const cpu::Pool2d& p) {
  const auto pairs = [](const cpu::PoolAxis& a) {
    return a.kernel == 2 && a.stride == 2 && a.dilation == 1 && a.padding == 0 && 2 * a.windows <= a.size;
  };
  return p.images == 1 && pairs(p.h) && pairs(p.w);
}

// The first `count` lanes alone, and nothing behind them is touched.
template <class D, class V = hn::Vec<D>, typename T = hn::TFromD<D>>
HWY_INLINE void store_first(D d, V value, Index count, T* to) {
#if HWY_TARGET == HWY_AVX3
  hn::BlendedStore(value, hn::FirstN(d, static_cast<std::size_t>(count)), d, to);
#else  // where that would write back what another thread may be writing
  HWY_ALIGN T whole[hn::MaxLanes(D())];
  hn::Store(value, d, whole);
  for (Index i = 0; i < count; ++i) to[i] = whole[i];
#endif
}

// MaxOfWindows for such windows, to the bit, with vectors along the whole row.
template <typename T, typename Which>
void max_of_pairs(const cpu::Pool2d& p, const T* x, Index first, Index rows, T* y, Which* which) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  using V = hn::Vec<decltype(d)>;
  for (Index row = first; row < first + rows; ++row) {
    const T* line = x + (row / p.h.windows * p.h.size + row % p.h.windows * 2) * p.w.size;
    for (Index j = 0; j < p.w.windows; j += kLanes, line += 2 * kLanes) {
      const Index count = std::min(kLanes, p.w.windows - j);
      const auto low = hn::FirstN(d, static_cast<std::size_t>(std::min(kLanes, 2 * count)));
      const auto high = hn::FirstN(d, static_cast<std::size_t>(std::max<Index>(0, 2 * count - kLanes)));
      V best = hn::Set(d, -std::numeric_limits<T>::infinity()), chosen = hn::Zero(d);
      const auto compare = [&](V value, double number) {
        const auto wins = hn::Or(hn::Gt(value, best), hn::IsNaN(value));
        best = hn::IfThenElse(wins, value, best);
        chosen = hn::IfThenElse(wins, hn::Set(d, static_cast<T>(number)), chosen);
      };
      for (int r = 0; r < 2; ++r) {
        const T* from = line + r * p.w.size;
        const V a = hn::MaskedLoad(low, d, from);
        const V b = 2 * count > kLanes ? hn::MaskedLoad(high, d, from + kLanes) : hn::Zero(d);
        compare(hn::ConcatEven(d, b, a), 2 * r);
        compare(hn::ConcatOdd(d, b, a), 2 * r + 1);
      }
      const Index at = row * p.w.windows + j;
      if (count == kLanes) {
        hn::StoreU(best, d, y + at);
        store_which(d, chosen, which + at);
      } else {
        store_first(d, best, count, y + at);
        store_first(hn::Rebind<Which, decltype(d)>(), as_which<Which>(d, chosen), count, which + at);
      }
    }
  }
}

#endif

template <typename T, typename Which>
void max_pool_rows(const cpu::Pool2d& p, const T* x, Index first, Index rows, T* y, Which* which) {
#if HWY_TARGET != HWY_SCALAR
  if (are_pairs(p)) return max_of_pairs(p, x, first, rows, y, which);
#endif
  over_windows<MaxOfWindows>(p, x, first, rows, y, which);
}

template <typename T, typename Which>
void max_pool_pick_rows(const cpu::Pool2d& p, const T* x, Index first, Index rows, T* y, const Which* which) {
  over_windows<PickFromWindows>(p, x, first, rows, y, which);
}

template <typename T, typename Which>
struct SumOfPicks {
  const T* dy;
  const Which* which;
  Index row_step, column_step;  // in dy
  Index columns;                // of a window
  const cpu::CoveringWindows::Entry *row_first, *row_end;
  const cpu::CoveringWindows::Entry* column_first = nullptr;
  const cpu::CoveringWindows::Entry* column_end = nullptr;
  T* dx = nullptr;

  template <class D>
  HWY_INLINE void operator()(D d, Index at) const {
    auto total = hn::Zero(d);
    for (const auto* row = row_first; row < row_end; ++row) {
      for (const auto* column = column_first; column < column_end; ++column) {
        const Index from = row->window * row_step + column->window * column_step + at;
        const auto number = hn::Set(d, static_cast<T>(row->element * columns + column->element));
        const auto picked = hn::Eq(load_which(d, which + from), number);
        total = hn::Add(total, hn::IfThenElseZero(picked, hn::LoadU(d, dy + from)));
      }
    }
    hn::StoreU(total, d, dx + at);
  }
};

// Rows of dx, counted over all planes.
template <typename T, typename Which>
void max_pool_grad_rows(const cpu::Pool2d& p, const cpu::CoveringWindows& over_rows,
                        const cpu::CoveringWindows& over_columns, const T* dy, const Which* which,
                        Index first, Index rows, T* dx) {
  const Index n = p.images;
  for (Index row = first; row < first + rows; ++row) {
    const Index plane = row / p.h.size * p.h.windows * p.w.windows * n;
    const Index h = row % p.h.size;
    SumOfPicks<T, Which> body{.dy = dy + plane,
                              .which = which + plane,
                              .row_step = p.w.windows * n,
                              .column_step = n,
                              .columns = p.w.kernel,
                              .row_first = over_rows.entries + over_rows.first[h],
                              .row_end = over_rows.entries + over_rows.first[h + 1]};
    for (Index w = 0; w < p.w.size; ++w) {
      body.column_first = over_columns.entries + over_columns.first[w];
      body.column_end = over_columns.entries + over_columns.first[w + 1];
      body.dx = dx + (row * p.w.size + w) * n;
      in_vectors<T>(n, body);
    }
  }
}

// dx of one window where windows divide the image: each dy is read once and every element written.
template <typename T, typename Which>
struct SpreadOverWindow {
  const T* dy;
  const Which* which;
  Index row_step, column_step;  // in dx
  Index columns;                // of a whole window
  Index rows_inside, columns_inside;
  T* dx;

  template <class D>
  HWY_INLINE void operator()(D d, Index at) const {
    const auto gradient = hn::LoadU(d, dy + at);
    const auto chosen = load_which(d, which + at);
    for (Index r = 0; r < rows_inside; ++r) {
      for (Index c = 0; c < columns_inside; ++c) {
        const auto picked = hn::Eq(chosen, hn::Set(d, static_cast<T>(r * columns + c)));
        hn::StoreU(hn::IfThenElseZero(picked, gradient), d, dx + r * row_step + c * column_step + at);
      }
    }
  }
};

// Rows of windows, counted over all planes, that divide the image but for what is left behind the last ones.
template <typename T, typename Which>
void max_pool_grad_tiles(const cpu::Pool2d& p, const T* dy, const Which* which, Index first, Index rows,
                         T* dx) {
  const Index n = p.images;
  const Index row_step = p.w.size * n;
  for (Index row = first; row < first + rows; ++row) {
    const Index i = row % p.h.windows;
    const Index top = i * p.h.kernel;
    const Index height = std::min(p.h.kernel, p.h.size - top);
    T* line = dx + (row / p.h.windows * p.h.size + top) * row_step;
    for (Index j = 0; j < p.w.windows; ++j) {
      const Index at = (row * p.w.windows + j) * n, left = j * p.w.kernel;
      const Index width = std::min(p.w.kernel, p.w.size - left);
      in_vectors<T>(n, SpreadOverWindow<T, Which>{.dy = dy + at,
                                                  .which = which + at,
                                                  .row_step = row_step,
                                                  .column_step = n,
                                                  .columns = p.w.kernel,
                                                  .rows_inside = height,
                                                  .columns_inside = width,
                                                  .dx = line + left * n});
    }
    const Index covered = std::min(p.w.windows * p.w.kernel, p.w.size) * n;
    for (Index r = 0; r < height; ++r)
      std::fill(line + r * row_step + covered, line + (r + 1) * row_step, T(0));
    if (i + 1 < p.h.windows) continue;
    std::fill(line + height * row_step, line + (p.h.size - top) * row_step, T(0));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
