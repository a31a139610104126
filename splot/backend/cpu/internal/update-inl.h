// The inner loops of the optimiser updates; compiled once for each instruction set.
#if defined(SPLOT_UPDATE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_UPDATE_INL_H
#undef SPLOT_UPDATE_INL_H
#else
#define SPLOT_UPDATE_INL_H
#endif

#include <cstddef>

#include "splot/backend/cpu/fetch_ahead.h"
#include "splot/backend/cpu/internal/descent-inl.h"
#include "splot/backend/cpu/internal/simd-inl.h"
#include "splot/backend/cpu/update.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

// How the vectors of a run are read and written: whole ones, and the last one, of which some elements exist.
template <typename T>
struct WholeVector {
  HWY_INLINE Simd<T> load(const T* from) const { return Simd<T>::of(hn::LoadU(hn::ScalableTag<T>(), from)); }
  HWY_INLINE void store(Simd<T> value, T* to) const { hn::StoreU(value.raw, hn::ScalableTag<T>(), to); }
};
template <typename T>
struct PartOfVector {
  hn::Mask<hn::ScalableTag<T>> exist;

  HWY_INLINE explicit PartOfVector(Index count)
      : exist(hn::FirstN(hn::ScalableTag<T>(), static_cast<std::size_t>(count))) {}
  HWY_INLINE Simd<T> load(const T* from) const {
    return Simd<T>::of(hn::MaskedLoad(exist, hn::ScalableTag<T>(), from));
  }
  HWY_INLINE void store(Simd<T> value, T* to) const {
    hn::BlendedStore(value.raw, exist, hn::ScalableTag<T>(), to);
  }
};

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

  template <class Access>
  HWY_INLINE void operator()(const T* const* in, T* const* out, Index at, const Access& memory) const {
    const Simd<T> w = memory.load(in[0] + at);
    if (!has_momentum) {
      const Simd<T> g = memory.load(in[1] + at);
      memory.store(penalties ? descent(w, g) : bare_descent(w, g), out[0] + at);
      return;
    }
    const Simd<T> g = penalized(w, memory.load(in[1] + at));
    if (increment) {
      const Simd<T> step = rate * g;
      const Simd<T> v = fma(momentum, memory.load(in[2] + at), step);
      memory.store(v, out[1] + at);
      memory.store(w + (nesterov ? fma(momentum, v, step) : v), out[0] + at);
      return;
    }
    const Simd<T> v = fma(momentum, memory.load(in[2] + at), g);
    const Simd<T> step = nesterov ? fma(momentum, v, g) : v;
    memory.store(v, out[1] + at);
    memory.store(fma(rate, step, w), out[0] + at);
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

  template <class Access>
  HWY_INLINE void operator()(const T* const* in, T* const* out, Index at, const Access& memory) const {
    const Simd<T> w = memory.load(in[0] + at);
    const Simd<T> g = penalized(w, memory.load(in[1] + at));
    const Simd<T> mean = fma(beta1, memory.load(in[2] + at), rest1 * g);
    const Simd<T> square = fma(beta2, memory.load(in[3] + at), rest2 * g * g);
    const Simd<T> root = fma(sqrt(square), inverse_root, eps);
    memory.store(mean, out[1] + at);
    memory.store(square, out[2] + at);
    memory.store(fma(step_size, mean / root, keep * w), out[0] + at);
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

  template <class Access>
  HWY_INLINE void operator()(const T* const* in, T* const* out, Index at, const Access& memory) const {
    const Simd<T> w = memory.load(in[0] + at);
    const Simd<T> g = penalized(w, memory.load(in[1] + at));
    const Simd<T> square = fma(alpha, memory.load(in[2] + at), rest * g * g);
    Simd<T> spread = square;
    if (centered) {
      const Simd<T> mean = fma(alpha, memory.load(in[3] + at), rest * g);
      memory.store(mean, out[2] + at);
      spread = max(square - mean * mean, Simd<T>(0.0));  // rounding can make it negative
    }
    memory.store(square, out[1] + at);
    Simd<T> step = g / (sqrt(spread) + eps);
    if (buffer != 0) {
      step = fma(momentum, memory.load(in[buffer + 1] + at), step);
      memory.store(step, out[buffer] + at);
    }
    memory.store(fma(rate, step, w), out[0] + at);
  }
};

template <typename T, bool kL1>
struct UpdateVector<cpu::AdagradUpdate, T, kL1> {
  Penalized<T, kL1> penalized;
  Simd<T> rate, eps;

  HWY_INLINE UpdateVector(const cpu::AdagradUpdate& u, int) : penalized(u), rate(-u.lr), eps(u.eps) {}

  template <class Access>
  HWY_INLINE void operator()(const T* const* in, T* const* out, Index at, const Access& memory) const {
    const Simd<T> w = memory.load(in[0] + at);
    const Simd<T> g = penalized(w, memory.load(in[1] + at));
    const Simd<T> squares = fma(g, g, memory.load(in[2] + at));
    memory.store(squares, out[1] + at);
    memory.store(fma(rate, g / (sqrt(squares) + eps), w), out[0] + at);
  }
};

// Roots and divisions leave the memory idle.
template <typename Update>
inline constexpr bool kHasRoot = true;
template <>
inline constexpr bool kHasRoot<cpu::SgdUpdate> = false;

// n elements. The last, partial vector is one like the others, so that an element's bits do not depend on
// where it stands.
template <typename Update, typename T, bool kL1>
HWY_INLINE void update_run(const UpdateVector<Update, T, kL1>& vector, const cpu::UpdateOperands<T>& operands,
                           Index n) {
  constexpr int kMost = cpu::UpdateOperands<T>::kMost;
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  Index i = 0;
  // Unrolled, so that the pointers stay in registers: the compiler believes that storing a vector may
  // change them.
  const T* in[kMost];
  T* out[kMost - 1];
#pragma GCC unroll 8
  for (int k = 0; k < kMost; ++k) in[k] = operands.in[k];
#pragma GCC unroll 8
  for (int k = 0; k < kMost - 1; ++k) out[k] = operands.out[k];
  constexpr WholeVector<T> kWhole;
  if (kHasRoot<Update> && cpu::FetchAhead::wanted()) {
    for (; i + lanes <= n; i += lanes) {
      cpu::FetchAhead::fetch(1);
      vector(in, out, i, kWhole);
    }
  }
  for (; i + lanes <= n; i += lanes) vector(in, out, i, kWhole);
  if (i < n) vector(in, out, i, PartOfVector<T>(n - i));
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
