// The inner loops of the optimiser updates; compiled once for each instruction set.
#if defined(SPLOT_UPDATE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_UPDATE_INL_H
#undef SPLOT_UPDATE_INL_H
#else
#define SPLOT_UPDATE_INL_H
#endif

#include <cstddef>
#include <cstring>

#include "splot/backend/cpu/internal/simd-inl.h"
#include "splot/backend/cpu/update.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

template <typename T>
HWY_INLINE Simd<T> load(const T* from) {
  return Simd<T>::of(hn::LoadU(hn::ScalableTag<T>(), from));
}
template <typename T>
HWY_INLINE void store(Simd<T> value, T* to) {
  hn::StoreU(value.raw, hn::ScalableTag<T>(), to);
}

// One vector of elements; in place is allowed, since all is loaded before anything is stored.
template <typename T>
struct SgdVector {
  Simd<T> lr, momentum, decay;
  bool has_momentum, nesterov;

  HWY_INLINE SgdVector(const cpu::SgdUpdate& u, bool with_momentum)
      : lr(-u.lr),
        momentum(u.momentum),
        decay(u.weight_decay),
        has_momentum(with_momentum),
        nesterov(u.nesterov) {}

  HWY_INLINE void operator()(const T* w, const T* g, const T* v, T* w_out, T* v_out) const {
    const Simd<T> weight = load(w);
    const Simd<T> gradient = fma(decay, weight, load(g));
    if (!has_momentum) {
      store(fma(lr, gradient, weight), w_out);
      return;
    }
    const Simd<T> velocity = fma(momentum, load(v), gradient);
    const Simd<T> step = nesterov ? fma(momentum, velocity, gradient) : velocity;
    store(velocity, v_out);
    store(fma(lr, step, weight), w_out);
  }
};

template <typename T>
struct AdamVector {
  Simd<T> beta1, beta2, rest1, rest2, eps, decay, keep, step_size, inverse_root;

  HWY_INLINE explicit AdamVector(const cpu::AdamUpdate& u)
      : beta1(u.beta1),
        beta2(u.beta2),
        rest1(1.0 - u.beta1),
        rest2(1.0 - u.beta2),
        eps(u.eps),
        decay(u.weight_decay),
        keep(u.keep),
        step_size(-u.step_size),
        inverse_root(u.inverse_root) {}

  HWY_INLINE void operator()(const T* w, const T* g, const T* m, const T* v, T* w_out, T* m_out,
                             T* v_out) const {
    const Simd<T> weight = load(w);
    const Simd<T> gradient = fma(decay, weight, load(g));
    const Simd<T> mean = fma(beta1, load(m), rest1 * gradient);
    const Simd<T> square = fma(beta2, load(v), rest2 * gradient * gradient);
    const Simd<T> root = fma(sqrt(square), inverse_root, eps);
    store(mean, m_out);
    store(square, v_out);
    store(fma(step_size, mean / root, keep * weight), w_out);
  }
};

// The last, partial vector goes through buffers, so that an element's bits do not depend on where it stands.
template <typename T>
void sgd_block(const cpu::SgdUpdate& update, const T* w, const T* g, const T* v, T* w_out, T* v_out,
               Index n) {
  const SgdVector<T> vector(update, v != nullptr);
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  Index i = 0;
  for (; i + lanes <= n; i += lanes) {
    vector(w + i, g + i, v == nullptr ? nullptr : v + i, w_out + i, v == nullptr ? nullptr : v_out + i);
  }
  if (i == n) return;
  const auto bytes = static_cast<std::size_t>(n - i) * sizeof(T);
  HWY_ALIGN T tail[3][hn::MaxLanes(hn::ScalableTag<T>())] = {};
  std::memcpy(tail[0], w + i, bytes);
  std::memcpy(tail[1], g + i, bytes);
  if (v != nullptr) std::memcpy(tail[2], v + i, bytes);
  vector(tail[0], tail[1], tail[2], tail[0], tail[2]);
  std::memcpy(w_out + i, tail[0], bytes);
  if (v != nullptr) std::memcpy(v_out + i, tail[2], bytes);
}

template <typename T>
void adam_block(const cpu::AdamUpdate& update, const T* w, const T* g, const T* m, const T* v, T* w_out,
                T* m_out, T* v_out, Index n) {
  const AdamVector<T> vector(update);
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  Index i = 0;
  for (; i + lanes <= n; i += lanes) vector(w + i, g + i, m + i, v + i, w_out + i, m_out + i, v_out + i);
  if (i == n) return;
  const auto bytes = static_cast<std::size_t>(n - i) * sizeof(T);
  HWY_ALIGN T tail[4][hn::MaxLanes(hn::ScalableTag<T>())] = {};
  std::memcpy(tail[0], w + i, bytes);
  std::memcpy(tail[1], g + i, bytes);
  std::memcpy(tail[2], m + i, bytes);
  std::memcpy(tail[3], v + i, bytes);
  vector(tail[0], tail[1], tail[2], tail[3], tail[0], tail[2], tail[3]);
  std::memcpy(w_out + i, tail[0], bytes);
  std::memcpy(m_out + i, tail[2], bytes);
  std::memcpy(v_out + i, tail[3], bytes);
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
