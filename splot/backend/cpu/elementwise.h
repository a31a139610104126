// elementwise<Formula>(): from one formula to a kernel for every instruction set, a double reference and C
// text. Included by the .cpp files that define formulas, never by public headers.
#pragma once

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/simd-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/simd-inl.h"
// clang-format on

#include <array>
#include <new>
#include <tuple>

#include "splot/backend/cpu/formula_types.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/core/op.h"

namespace splot {

template <typename V>
struct IsFormulaValue : std::false_type {};
template <typename T>
struct IsFormulaValue<Plain<T>> : std::true_type {};
template <>
struct IsFormulaValue<Text> : std::true_type {};
template <typename V>
concept FormulaValue = IsFormulaValue<V>::value;

// A function may only inline others compiled for the same instruction set, so the formula is stamped out once
// for each, with V the vector type of that set.
#define SPLOT_FORMULA_FOR(target_namespace, attribute, parameters, ...) \
  template <target_namespace::SimdVector V>                             \
  HWY_INLINE attribute auto operator() parameters const __VA_ARGS__

#if HWY_ARCH_X86
#define SPLOT_FORMULA_VECTORS(parameters, ...)                                                     \
  SPLOT_FORMULA_FOR(N_AVX2, __attribute__((target(HWY_TARGET_STR_AVX2))), parameters, __VA_ARGS__) \
  SPLOT_FORMULA_FOR(N_AVX3, __attribute__((target(HWY_TARGET_STR_AVX3))), parameters, __VA_ARGS__) \
  SPLOT_FORMULA_FOR(HWY_STATIC_NAMESPACE, , parameters, __VA_ARGS__)
#else
#define SPLOT_FORMULA_VECTORS(parameters, ...) \
  SPLOT_FORMULA_FOR(HWY_STATIC_NAMESPACE, , parameters, __VA_ARGS__)
#endif
// After foreach_target.h, HWY_NAMESPACE is the baseline's.
#define HWY_STATIC_NAMESPACE HWY_NAMESPACE

/// The body of a formula. V is a SIMD vector, Plain<T> or Text; constants are written V(0.5).
///
///   struct Softplus {
///     SPLOT_FORMULA((V x), { return max(x, V(0)) + log1p(exp(-abs(x))); })
///   };
#define SPLOT_FORMULA(parameters, ...)           \
  SPLOT_FORMULA_VECTORS(parameters, __VA_ARGS__) \
  template <FormulaValue V>                      \
  auto operator() parameters const __VA_ARGS__

/// The dtypes a formula is compiled for.
enum class FormulaTypes { floats, numbers, booleans };

namespace cpu {

using BlockKernel = void (*)(const void* formula, const void* const* inputs, void* output, Index n);

/// For each dtype the kernels of each instruction set; null where there is none.
struct BlockKernels {
  std::array<std::array<BlockKernel, kInstructionSets>, kDTypeCount> table{};
};

/// Broadcasts, cuts into fixed blocks and runs them on the threads.
void run_blocks(const KernelArgs& args, BlockFormula (*block)(const Attrs& attrs, DType dtype));

/// The kernel for this type on the instruction set in use; null where there is none.
BlockKernel kernel_for(const BlockKernels& kernels, DType dtype);

template <typename Formula>
Formula make_formula(const Attrs& attrs) {
  if constexpr (std::is_constructible_v<Formula, const Attrs&>) {
    return Formula(attrs);
  } else {
    return Formula();
  }
}

template <typename Formula, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return std::is_invocable_v<const Formula&, decltype((void)I, std::declval<Plain<double>>())...>;
}

template <typename Formula>
constexpr std::size_t arity_of() {
  if constexpr (takes<Formula>(std::make_index_sequence<1>()))
    return 1;
  else if constexpr (takes<Formula>(std::make_index_sequence<2>()))
    return 2;
  else if constexpr (takes<Formula>(std::make_index_sequence<3>()))
    return 3;
  else
    return 4;
}

template <typename T>
T plain_result(Plain<T> value) {
  return value.value;
}
inline bool plain_result(bool value) { return value; }

template <typename Formula, typename T, std::size_t... I>
auto plain_at(const Formula& formula, const T* const* in, Index at, std::index_sequence<I...>) {
  return plain_result(formula(Plain<T>::of(in[I][at])...));
}

template <typename Formula, typename T>
using FormulaResult = decltype(plain_at(std::declval<const Formula&>(), std::declval<const T* const*>(), 0,
                                        std::make_index_sequence<arity_of<Formula>()>()));

// The loop for integers and bool: nothing to gain from a vector type here that the compiler does not find.
template <typename Formula, typename T>
void run_plain_block(const void* erased, const void* const* inputs, void* output, Index n) {
  constexpr std::size_t kArity = arity_of<Formula>();
  const Formula& formula = *static_cast<const Formula*>(erased);
  const T* in[kArity];
  for (std::size_t i = 0; i < kArity; ++i) in[i] = static_cast<const T*>(inputs[i]);
  auto* out = static_cast<FormulaResult<Formula, T>*>(output);
  for (Index i = 0; i < n; ++i) out[i] = plain_at(formula, in, i, std::make_index_sequence<kArity>());
}

template <typename Formula, typename T>
constexpr std::array<BlockKernel, kInstructionSets> vector_kernels() {
  using Out = std::conditional_t<std::is_same_v<FormulaResult<Formula, T>, bool>, bool, T>;
  constexpr std::size_t kArity = arity_of<Formula>();
#if HWY_ARCH_X86
  return {HWY_STATIC_NAMESPACE::run_block<Formula, T, Out, kArity>,
          N_AVX2::run_block<Formula, T, Out, kArity>, N_AVX3::run_block<Formula, T, Out, kArity>};
#else
  return {HWY_STATIC_NAMESPACE::run_block<Formula, T, Out, kArity>, nullptr, nullptr};
#endif
}

template <typename Formula, typename T>
constexpr std::array<BlockKernel, kInstructionSets> plain_kernels() {
  return {run_plain_block<Formula, T>, run_plain_block<Formula, T>, run_plain_block<Formula, T>};
}

template <typename Formula, FormulaTypes kTypes>
constexpr BlockKernels block_kernels() {
  BlockKernels out;
  const auto at = [](DTypeCode code) { return static_cast<std::size_t>(code); };
  if constexpr (kTypes != FormulaTypes::booleans) {
    out.table[at(DTypeCode::float32)] = vector_kernels<Formula, float>();
    out.table[at(DTypeCode::float64)] = vector_kernels<Formula, double>();
  }
  if constexpr (kTypes != FormulaTypes::floats) {
    out.table[at(DTypeCode::boolean)] = plain_kernels<Formula, bool>();
  }
  if constexpr (kTypes == FormulaTypes::numbers) {
    out.table[at(DTypeCode::uint8)] = plain_kernels<Formula, std::uint8_t>();
    out.table[at(DTypeCode::int32)] = plain_kernels<Formula, std::int32_t>();
    out.table[at(DTypeCode::int64)] = plain_kernels<Formula, std::int64_t>();
  }
  return out;
}

template <typename Formula, FormulaTypes kTypes>
struct FormulaKernels {
  static constexpr BlockKernels kernels = block_kernels<Formula, kTypes>();

  static void run(const KernelArgs& args) { run_blocks(args, block); }
  static BlockFormula block(const Attrs& attrs, DType dtype) {
    static_assert(sizeof(Formula) <= sizeof(BlockFormula::formula) && std::is_trivially_copyable_v<Formula>);
    BlockFormula out{.run = kernel_for(kernels, dtype)};
    new (out.formula.data()) Formula(make_formula<Formula>(attrs));
    return out;
  }
  static double reference(std::span<const double> inputs, const Attrs& attrs) {
    const double* in[arity_of<Formula>()];
    for (std::size_t i = 0; i < arity_of<Formula>(); ++i) in[i] = &inputs[i];
    return static_cast<double>(
        plain_at(make_formula<Formula>(attrs), in, 0, std::make_index_sequence<arity_of<Formula>()>()));
  }
  template <std::size_t... I>
  static std::string print(const Formula& formula, std::span<const std::string> inputs,
                           std::index_sequence<I...>) {
    return formula(Text(inputs[I])...).code;
  }
  static std::string text(std::span<const std::string> inputs, const Attrs& attrs, Dialect) {
    return print(make_formula<Formula>(attrs), inputs, std::make_index_sequence<arity_of<Formula>()>());
  }
  static constexpr Elementwise value = {static_cast<int>(arity_of<Formula>()), run, block, reference, text};
};

}  // namespace cpu

/// The record's `.elementwise` member for a formula.
template <typename Formula, FormulaTypes kTypes = FormulaTypes::floats>
constexpr const Elementwise* elementwise() {
  return &cpu::FormulaKernels<Formula, kTypes>::value;
}

}  // namespace splot
