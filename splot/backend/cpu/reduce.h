// Reductions of dense memory seen as [outer, length, inner] over its middle axis.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// What is computed of the elements x: their sum, product, largest, smallest; the sum of (x - c)^2; the sum
/// of exp(x - c). NaN among the elements gives NaN.
enum class Reduce { sum, prod, max, min, squares, exps };

/// The sizes of [outer, length, inner]. inner == 1: rows are reduced; outer == 1: columns are.
struct ReduceSizes {
  Index outer = 1;
  Index length = 1;
  Index inner = 1;
};

/// out[o, i] = the reduction of x[o, :, i]; an empty one gives 0, 1, -inf or inf. `centre` holds c for each
/// output element, and is looked at only by squares and exps. The order of the additions is a tree that
/// depends on the sizes and the instruction set alone. T is float or double.
template <typename T>
void reduce(Reduce reduction, const T* x, const ReduceSizes& sizes, const T* centre, T* out);

/// Elements that lie nowhere: whoever has them writes a run of them where it is told to.
template <typename T>
struct MadeElements {
  void (*make)(const void* context, Index first, Index n, T* to) = nullptr;
  const void* context = nullptr;
  double nanoseconds = 0.0;  // that one takes, an estimate
};

/// Whether a reduction of these sizes goes over its elements in runs, each of them once. It does not where
/// there are many long columns.
SPLOT_API bool reduces_in_runs(const ReduceSizes& sizes);

/// reduce() of elements that are made run by run, on the threads, to the same bits; there is no centre.
/// reduces_in_runs(sizes) has to hold.
template <typename T>
void reduce_made(Reduce reduction, const MadeElements<T>& x, const ReduceSizes& sizes, T* out);

/// The definition, one element after the other, in double; what reduce() is tested against.
template <typename T>
void reduce_reference(Reduce reduction, const T* x, const ReduceSizes& sizes, const T* centre, T* out);

extern template SPLOT_API void reduce(Reduce, const float*, const ReduceSizes&, const float*, float*);
extern template SPLOT_API void reduce(Reduce, const double*, const ReduceSizes&, const double*, double*);
extern template SPLOT_API void reduce_made(Reduce, const MadeElements<float>&, const ReduceSizes&, float*);
extern template SPLOT_API void reduce_made(Reduce, const MadeElements<double>&, const ReduceSizes&, double*);
extern template SPLOT_API void reduce_reference(Reduce, const float*, const ReduceSizes&, const float*,
                                                float*);
extern template SPLOT_API void reduce_reference(Reduce, const double*, const ReduceSizes&, const double*,
                                                double*);

}  // namespace splot::cpu
