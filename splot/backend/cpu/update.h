// Optimiser updates on raw memory: everything about one element in one pass.
#pragma once

#include "splot/core/index.h"

namespace splot::cpu {

/// g' = g + weight_decay w;  v' = momentum v + g';  w' = w - lr (g' + momentum v' | v' | g')
struct SgdUpdate {
  double lr = 0.0;
  double momentum = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
};

/// Outputs may be the inputs themselves. v and v_out are null without momentum.
template <typename T>
void sgd_update(const SgdUpdate& update, const T* w, const T* g, const T* v, T* w_out, T* v_out, Index n);

/// g' = g + weight_decay w;  w'' = (1 - lr decoupled_decay) w
/// m' = beta1 m + (1 - beta1) g';  v' = beta2 v + (1 - beta2) g'^2
/// w' = w'' - step_size m' / (sqrt(v') inverse_root + eps)
struct AdamUpdate {
  double beta1 = 0.0;
  double beta2 = 0.0;
  double eps = 0.0;
  double weight_decay = 0.0;
  double keep = 1.0;          ///< 1 - lr decoupled_decay
  double step_size = 0.0;     ///< lr / (1 - beta1^step)
  double inverse_root = 1.0;  ///< 1 / sqrt(1 - beta2^step)
};

template <typename T>
void adam_update(const AdamUpdate& update, const T* w, const T* g, const T* m, const T* v, T* w_out, T* m_out,
                 T* v_out, Index n);

extern template void sgd_update(const SgdUpdate&, const float*, const float*, const float*, float*, float*,
                                Index);
extern template void sgd_update(const SgdUpdate&, const double*, const double*, const double*, double*,
                                double*, Index);
extern template void adam_update(const AdamUpdate&, const float*, const float*, const float*, const float*,
                                 float*, float*, float*, Index);
extern template void adam_update(const AdamUpdate&, const double*, const double*, const double*,
                                 const double*, double*, double*, double*, Index);

}  // namespace splot::cpu
