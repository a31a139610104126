#include "splot/backend/cpu/finite.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "splot/backend/cpu/instruction_set.h"

namespace splot {
namespace {

template <typename T>
class Finite : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Finite, Types);

// Every place of every short length, on every instruction set: in whole vectors and in what is left of them.
TYPED_TEST(Finite, FindsOneBadNumberAnywhere) {
  using Limits = std::numeric_limits<TypeParam>;
  const cpu::InstructionSet before = cpu::instruction_set();
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    for (Index n = 0; n <= 150; ++n) {
      std::vector<TypeParam> x(static_cast<std::size_t>(n), Limits::max());
      EXPECT_TRUE(cpu::all_finite(x.data(), n)) << "the largest numbers are finite";
      for (auto& value : x) {
        for (const TypeParam bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
          value = bad;
          ASSERT_FALSE(cpu::all_finite(x.data(), n)) << bad << " at " << &value - x.data() << " of " << n;
        }
        value = Limits::denorm_min();
      }
    }
  }
  cpu::set_instruction_set(before);
}

TYPED_TEST(Finite, FindsItInEveryChunkOfMany) {
  std::vector<TypeParam> x(1'000'003, TypeParam(-1));
  const auto n = static_cast<Index>(x.size());
  EXPECT_TRUE(cpu::all_finite(x.data(), n));
  for (const std::size_t at : {std::size_t{0}, x.size() / 3, x.size() / 2, x.size() - 1}) {
    x[at] = std::numeric_limits<TypeParam>::infinity();
    EXPECT_FALSE(cpu::all_finite(x.data(), n)) << at;
    x[at] = TypeParam(1);
  }
}

}  // namespace
}  // namespace splot
