// The inner loops of the optimiser updates; compiled once for each instruction set.
#if defined(SPLOT_UPDATE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_UPDATE_INL_H
#undef SPLOT_UPDATE_INL_H
#else
#define SPLOT_UPDATE_INL_H
#endif

#include <cstddef>
#include <cstring>

#include "splot/backend/cpu/fetch_ahead.h"
#include "splot/backend/cpu/internal/descent-inl.h"
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

// One vector of elements, starting at `at` in every tensor. In place is allowed, since all is loaded before
// anything is stored.
template <typename Update, typename T, bool kL1>
struct UpdateVector;

template <typename T, bool kL1>
struct UpdateVector<cpu::SgdUpdate, T, kL1> {
  Penalized<T, kL1> penalized;
  PlainDescent<T, true> descent;
  PlainDescent<T, false> bare_descent;
  Simd<T> rate, momentum;
  bool penalties, has_momentum, nesterov, increment;

  HWY_INLINE UpdateVector(const cpu::SgdUpdate& u, int inputs)
      : penalized(u),
        descent(u),
        bare_descent(u),
        rate(-u.lr),
        momentum(u.momentum),
        penalties(has_penalties(u)),
        has_momentum(inputs > 2),
        nesterov(u.nesterov),
        increment(u.increment) {}

  HWY_INLINE void operator()(const T* const* in, T* const* out, Index at) const {
    const Simd<T> w = load(in[0] + at);
    if (!has_momentum) {
      const Simd<T> g = load(in[1] + at);
      store(penalties ? descent(w, g) : bare_descent(w, g), out[0] + at);
      return;
    }
    const Simd<T> g = penalized(w, load(in[1] + at));
    if (increment) {
      const Simd<T> step = rate * g;
      const Simd<T> v = fma(momentum, load(in[2] + at), step);
      store(v, out[1] + at);
      store(w + (nesterov ? fma(momentum, v, step) : v), out[0] + at);
      return;
    }
    const Simd<T> v = fma(momentum, load(in[2] + at), g);
    const Simd<T> step = nesterov ? fma(momentum, v, g) : v;
    store(v, out[1] + at);
    store(fma(rate, step, w), out[0] + at);
  }
};

template <typename T, bool kL1>
struct UpdateVector<cpu::AdamUpdate, T, kL1> {
  Penalized<T, kL1> penalized;
  Simd<T> beta1, beta2, rest1, rest2, eps, keep, step_size, inverse_root;

  HWY_INLINE UpdateVector(const cpu::AdamUpdate& u, int)
      : penalized(u),
        beta1(u.beta1),
        beta2(u.beta2),
        rest1(1.0 - u.beta1),
        rest2(1.0 - u.beta2),
        eps(u.eps),
        keep(u.keep),
        step_size(-u.step_size),
        inverse_root(u.inverse_root) {}

  HWY_INLINE void operator()(const T* const* in, T* const* out, Index at) const {
    const Simd<T> w = load(in[0] + at);
    const Simd<T> g = penalized(w, load(in[1] + at));
    const Simd<T> mean = fma(beta1, load(in[2] + at), rest1 * g);
    const Simd<T> square = fma(beta2, load(in[3] + at), rest2 * g * g);
    const Simd<T> root = fma(sqrt(square), inverse_root, eps);
    store(mean, out[1] + at);
    store(square, out[2] + at);
    store(fma(step_size, mean / root, keep * w), out[0] + at);
  }
};

template <typename T, bool kL1>
struct UpdateVector<cpu::RmspropUpdate, T, kL1> {
  Penalized<T, kL1> penalized;
  Simd<T> rate, alpha, rest, eps, momentum;
  bool centered;
  int buffer;  // which state is the momentum's; 0: none

  HWY_INLINE UpdateVector(const cpu::RmspropUpdate& u, int inputs)
      : penalized(u),
        rate(-u.lr),
        alpha(u.alpha),
        rest(1.0 - u.alpha),
        eps(u.eps),
        momentum(u.momentum),
        centered(u.centered),
        buffer(inputs > (u.centered ? 4 : 3) ? inputs - 2 : 0) {}

  HWY_INLINE void operator()(const T* const* in, T* const* out, Index at) const {
    const Simd<T> w = load(in[0] + at);
    const Simd<T> g = penalized(w, load(in[1] + at));
    const Simd<T> square = fma(alpha, load(in[2] + at), rest * g * g);
    Simd<T> spread = square;
    if (centered) {
      const Simd<T> mean = fma(alpha, load(in[3] + at), rest * g);
      store(mean, out[2] + at);
      spread = max(square - mean * mean, Simd<T>(0.0));  // rounding can make it negative
    }
    store(square, out[1] + at);
    Simd<T> step = g / (sqrt(spread) + eps);
    if (buffer != 0) {
      step = fma(momentum, load(in[buffer + 1] + at), step);
      store(step, out[buffer] + at);
    }
    store(fma(rate, step, w), out[0] + at);
  }
};

template <typename T, bool kL1>
struct UpdateVector<cpu::AdagradUpdate, T, kL1> {
  Penalized<T, kL1> penalized;
  Simd<T> rate, eps;

  HWY_INLINE UpdateVector(const cpu::AdagradUpdate& u, int) : penalized(u), rate(-u.lr), eps(u.eps) {}

  HWY_INLINE void operator()(const T* const* in, T* const* out, Index at) const {
    const Simd<T> w = load(in[0] + at);
    const Simd<T> g = penalized(w, load(in[1] + at));
    const Simd<T> squares = fma(g, g, load(in[2] + at));
    store(squares, out[1] + at);
    store(fma(rate, g / (sqrt(squares) + eps), w), out[0] + at);
  }
};

// Roots and divisions leave the memory idle.
template <typename Update>
inline constexpr bool kHasRoot = true;
template <>
inline constexpr bool kHasRoot<cpu::SgdUpdate> = false;

// n elements. The last, partial vector goes through buffers, so that an element's bits do not depend
// on where it stands.
template <typename Update, typename T, bool kL1>
HWY_INLINE void update_run(const UpdateVector<Update, T, kL1>& vector, const cpu::UpdateOperands<T>& operands,
                           Index n) {
  constexpr int kMost = cpu::UpdateOperands<T>::kMost;
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  Index i = 0;
  {
    // Unrolled, so that the pointers stay in registers: the compiler believes that storing a vector may
    // change them.
    const T* in[kMost];
    T* out[kMost - 1];
#pragma GCC unroll 8
    for (int k = 0; k < kMost; ++k) in[k] = operands.in[k];
#pragma GCC unroll 8
    for (int k = 0; k < kMost - 1; ++k) out[k] = operands.out[k];
    if (kHasRoot<Update> && cpu::FetchAhead::wanted()) {
      for (; i + lanes <= n; i += lanes) {
        cpu::FetchAhead::fetch(1);
        vector(in, out, i);
      }
    }
    for (; i + lanes <= n; i += lanes) vector(in, out, i);
  }
  if (i == n) return;
  const auto bytes = static_cast<std::size_t>(n - i) * sizeof(T);
  HWY_ALIGN T tails[kMost][hn::MaxLanes(hn::ScalableTag<T>())] = {};
  const T* in[kMost] = {};
  T* out[kMost - 1] = {};
  for (int k = 0; k < operands.inputs; ++k) {
    std::memcpy(tails[k], operands.in[k] + i, bytes);
    in[k] = tails[k];
    // Output 0 is the weight, input 0; the others are the state, which comes after the gradient.
    if (k != 1) out[k == 0 ? 0 : k - 1] = tails[k];
  }
  vector(in, out, 0);
  for (int k = 0; k < operands.outputs(); ++k) std::memcpy(operands.out[k] + i, out[k], bytes);
}

// n elements from number `first` on.
template <typename Update, typename T>
void update_elements(const Update& update, const cpu::UpdateOperands<T>& operands, Index first, Index n) {
  cpu::UpdateOperands<T> run = operands;
  for (int k = 0; k < operands.inputs; ++k) run.in[k] += first;
  for (int k = 0; k < operands.outputs(); ++k) run.out[k] += first;
  if (update.l1 == 0.0) {
    update_run(UpdateVector<Update, T, false>(update, operands.inputs), run, n);
  } else {
    update_run(UpdateVector<Update, T, true>(update, operands.inputs), run, n);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
