// Which instruction set the kernels use.
#pragma once

#include <span>
#include <string_view>

#include "splot/core/export.h"

namespace splot::cpu {

/// Ordered from slowest to fastest. "baseline" is what every processor of the architecture has (on Arm:
/// NEON).
enum class InstructionSet { baseline, avx2, avx512 };
inline constexpr int kInstructionSets = 3;

/// The one in use: the best the processor has, or the one named by SPLOT_ISA (baseline, avx2, avx512).
SPLOT_API InstructionSet instruction_set();
/// Those this processor can run, slowest first.
SPLOT_API std::span<const InstructionSet> available_instruction_sets();
/// Switches all kernels over, for tests and comparisons; not while other threads calculate.
/// Throws ValueError when the processor lacks it.
SPLOT_API void set_instruction_set(InstructionSet set);
SPLOT_API std::string_view name_of(InstructionSet set);

}  // namespace splot::cpu
