#include "splot/backend/cpu/instruction_set.h"

// targets.h has to come before Highway.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#include <hwy/highway.h>
#include <hwy/targets.h>
// clang-format on

#include <atomic>
#include <cstdlib>
#include <vector>

#include "splot/core/error.h"

namespace splot::cpu {
namespace {

const std::vector<InstructionSet>& supported() {
  static const std::vector<InstructionSet> sets = [] {
    std::vector<InstructionSet> out = {InstructionSet::baseline};
    const auto has = hwy::SupportedTargets();
    if ((has & HWY_AVX2) != 0) out.push_back(InstructionSet::avx2);
    if ((has & HWY_AVX3) != 0) out.push_back(InstructionSet::avx512);
    return out;
  }();
  return sets;
}

// -1: not chosen yet.
std::atomic<int> chosen{-1};

int choose() {
  InstructionSet set = supported().back();
  if (const char* asked = std::getenv("SPLOT_ISA"); asked != nullptr && *asked != '\0') {
    bool found = false;
    for (const InstructionSet candidate : supported()) {
      if (name_of(candidate) == asked) {
        set = candidate;
        found = true;
      }
    }
    require<ValueError>(found, "SPLOT_ISA", '"', asked,
                        "\" is not an instruction set of this processor; it has up to ",
                        name_of(supported().back()));
  }
  set_instruction_set(set);
  return static_cast<int>(set);
}

}  // namespace

std::string_view name_of(InstructionSet set) {
  constexpr std::string_view names[] = {"baseline", "avx2", "avx512"};
  return names[static_cast<int>(set)];
}

std::span<const InstructionSet> available_instruction_sets() { return supported(); }

InstructionSet instruction_set() {
  const int set = chosen.load(std::memory_order_relaxed);
  return static_cast<InstructionSet>(set >= 0 ? set : choose());
}

void set_instruction_set(InstructionSet set) {
  require<ValueError>(set <= supported().back(), "set_instruction_set", "this processor has no ",
                      name_of(set));
  chosen.store(static_cast<int>(set), std::memory_order_relaxed);
}

}  // namespace splot::cpu
