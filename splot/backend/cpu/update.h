// Optimiser updates on raw memory: everything about one element in one pass.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

// In all of them w is the weight, g the gradient, and first of all g' = g + weight_decay w + l1 sign(w).

/// State v, or none: v' = momentum v + g';  w' = w - lr (g' + momentum v' | v' | g')
/// With `increment`: v' = momentum v - lr g';  w' = w + (momentum v' - lr g' | v')
struct SgdUpdate {
  double lr = 0.0;
  double momentum = 0.0;
  double weight_decay = 0.0;
  double l1 = 0.0;
  bool nesterov = false;
  bool increment = false;
};

/// State m, v: w'' = keep w;  m' = beta1 m + (1 - beta1) g';  v' = beta2 v + (1 - beta2) g'^2
/// w' = w'' - step_size m' / (sqrt(v') inverse_root + eps)
struct AdamUpdate {
  double beta1 = 0.0;
  double beta2 = 0.0;
  double eps = 0.0;
  double weight_decay = 0.0;
  double l1 = 0.0;
  double keep = 1.0;          ///< 1 - lr decoupled_decay
  double step_size = 0.0;     ///< lr / (1 - beta1^step)
  double inverse_root = 1.0;  ///< 1 / sqrt(1 - beta2^step)
};

/// State s, then m when centered, then v with a momentum: s' = alpha s + (1 - alpha) g'^2
/// r = sqrt(s') or, with m' = alpha m + (1 - alpha) g', sqrt(s' - m'^2)
/// u = g' / (r + eps);  w' = w - lr u or, with v' = momentum v + u, w - lr v'
struct RmspropUpdate {
  double lr = 0.0;
  double alpha = 0.0;
  double eps = 0.0;
  double weight_decay = 0.0;
  double l1 = 0.0;
  double momentum = 0.0;
  bool centered = false;
};

/// State s: s' = s + g'^2;  w' = w - lr g' / (sqrt(s') + eps)
struct AdagradUpdate {
  double lr = 0.0;  ///< of this step: decayed
  double eps = 0.0;
  double weight_decay = 0.0;
  double l1 = 0.0;
};

/// What an update reads - w, g, state - and writes: w, state. Outputs may be the inputs themselves.
template <typename T>
struct UpdateOperands {
  static constexpr int kMost = 5;
  const T* in[kMost] = {};
  T* out[kMost - 1] = {};
  int inputs = 0;
  int outputs() const { return inputs - 1; }
};

/// Of n elements. Update is one of the four above, T float or double.
template <typename Update, typename T>
SPLOT_API void update(const Update& update, const UpdateOperands<T>& operands, Index n);

#define SPLOT_EXTERN_UPDATE(Update)                                                          \
  extern template SPLOT_API void update(const Update&, const UpdateOperands<float>&, Index); \
  extern template SPLOT_API void update(const Update&, const UpdateOperands<double>&, Index);
SPLOT_EXTERN_UPDATE(SgdUpdate)
SPLOT_EXTERN_UPDATE(AdamUpdate)
SPLOT_EXTERN_UPDATE(RmspropUpdate)
SPLOT_EXTERN_UPDATE(AdagradUpdate)
#undef SPLOT_EXTERN_UPDATE

}  // namespace splot::cpu
