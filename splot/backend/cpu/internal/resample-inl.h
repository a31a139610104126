// Weighted sums over images for one instruction set. Included once for each by resample.cpp.
#if defined(SPLOT_RESAMPLE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_RESAMPLE_INL_H
#undef SPLOT_RESAMPLE_INL_H
#else
#define SPLOT_RESAMPLE_INL_H
#endif

#include "splot/backend/cpu/internal/lanes-inl.h"
#include "splot/backend/cpu/internal/resample_taps.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

template <typename T>
struct WeightedSum {
  const T* x;  // of the plane
  Index row_step, column_step;
  const cpu::WeightedTap<T>*row_first, *row_end;
  const cpu::WeightedTap<T>* column_first = nullptr;
  const cpu::WeightedTap<T>* column_end = nullptr;
  T* y = nullptr;

  // Each row is summed before it counts: fewer products, and smaller errors over large windows.
  template <class D>
  HWY_INLINE void operator()(D d, Index at) const {
    auto total = hn::Zero(d);
    for (const auto* row = row_first; row < row_end; ++row) {
      const T* from = x + row->input * row_step + at;
      auto sum = hn::Zero(d);
      for (const auto* column = column_first; column < column_end; ++column) {
        sum = hn::MulAdd(hn::LoadU(d, from + column->input * column_step), hn::Set(d, column->weight), sum);
      }
      total = hn::MulAdd(sum, hn::Set(d, row->weight), total);
    }
    hn::StoreU(total, d, y + at);
  }
};

// Rows of y, counted over all planes.
template <typename T>
void resample_rows(const cpu::ResamplePlan<T>& p, const T* x, Index first, Index rows, T* y) {
  const Index n = p.images;
  for (Index row = first; row < first + rows; ++row) {
    const Index i = row % p.rows.outputs;
    WeightedSum<T> body{.x = x + row / p.rows.outputs * p.rows.inputs * p.columns.inputs * n,
                        .row_step = p.columns.inputs * n,
                        .column_step = n,
                        .row_first = p.rows.taps + p.rows.first[i],
                        .row_end = p.rows.taps + p.rows.first[i + 1]};
    for (Index j = 0; j < p.columns.outputs; ++j) {
      body.column_first = p.columns.taps + p.columns.first[j];
      body.column_end = p.columns.taps + p.columns.first[j + 1];
      body.y = y + (row * p.columns.outputs + j) * n;
      in_vectors<T>(n, body);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
