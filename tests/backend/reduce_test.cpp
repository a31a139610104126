#include "splot/backend/cpu/reduce.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/random.h"

namespace splot::cpu {
namespace {

constexpr Reduce kAll[] = {Reduce::sum, Reduce::prod,    Reduce::max,
                           Reduce::min, Reduce::squares, Reduce::exps};

// Rows and columns around every edge: of a vector, of a run, of the fold of narrow columns, of a thread's
// chunk.
const std::vector<ReduceSizes> kSizes = {
    {1, 1, 1},   {1, 10, 1},  {10, 10, 1}, {3, 17, 1},    {2, 1025, 1},  {1, 40000, 1}, {2, 70001, 1},
    {1, 2, 3},   {1, 32, 10}, {1, 33, 10}, {1, 5000, 10}, {1, 70001, 3}, {1, 128, 512}, {1, 300, 513},
    {1, 65, 30}, {5, 7, 64},  {4, 31, 49}, {3, 200, 784}, {700, 3, 20},  {1, 5, 70001}, {1, 200, 600},
    {0, 3, 1},   {3, 0, 1},   {2, 0, 5},   {2, 5, 0},
};

class EachInstructionSet : public testing::Test {
 protected:
  EachInstructionSet() : before_(instruction_set()) {}
  ~EachInstructionSet() override { set_instruction_set(before_); }

 private:
  InstructionSet before_;
};

template <typename T>
std::vector<T> numbers(Index n, std::uint64_t seed, double low, double high) {
  RandomStream random({.seed = seed});
  std::vector<T> out(static_cast<std::size_t>(n));
  for (T& value : out) value = static_cast<T>(random.uniform(low, high));
  return out;
}

// Products stay near 1, so that their error is comparable.
template <typename T>
void compare_with_reference(double tolerance) {
  for (const InstructionSet set : available_instruction_sets()) {
    set_instruction_set(set);
    for (const Reduce reduction : kAll) {
      for (const ReduceSizes& s : kSizes) {
        const bool product = reduction == Reduce::prod;
        const double spread = 0.5 / std::sqrt(static_cast<double>(s.length) + 1.0);
        const auto x = product ? numbers<T>(s.outer * s.length * s.inner, 1, 1.0 - spread, 1.0 + spread)
                               : numbers<T>(s.outer * s.length * s.inner, 1, -1.0, 1.0);
        const auto centre = numbers<T>(s.outer * s.inner, 2, -1.0, 1.0);
        std::vector<T> fast(centre.size()), slow(centre.size());
        reduce<T>(reduction, x.data(), s, centre.data(), fast.data());
        reduce_reference<T>(reduction, x.data(), s, centre.data(), slow.data());
        // Relative to the sum of the absolute values, or the random walk of a product's rounding errors.
        const auto n = static_cast<double>(s.length);
        const double scale = product ? 1.0 + std::sqrt(n) : 1.0 + n;
        const bool exact = reduction == Reduce::max || reduction == Reduce::min;
        for (std::size_t i = 0; i < fast.size(); ++i) {
          if (exact || fast[i] == slow[i]) {
            ASSERT_EQ(fast[i], slow[i]);
            continue;
          }
          ASSERT_NEAR(fast[i], slow[i], tolerance * scale * (product ? std::abs(slow[i]) : 1.0))
              << name_of(set) << " reduction " << static_cast<int>(reduction) << " [" << s.outer << ", "
              << s.length << ", " << s.inner << "] at " << i;
        }
      }
    }
  }
}

TEST_F(EachInstructionSet, ReductionsAgreeWithTheReferenceInFloat32) { compare_with_reference<float>(1e-5); }
TEST_F(EachInstructionSet, ReductionsAgreeWithTheReferenceInFloat64) {
  compare_with_reference<double>(1e-13);
}

TEST_F(EachInstructionSet, NanComesThroughFromEveryPosition) {
  for (const InstructionSet set : available_instruction_sets()) {
    set_instruction_set(set);
    for (const Reduce reduction : {Reduce::sum, Reduce::prod, Reduce::max, Reduce::min}) {
      for (Index at = 0; at < 70; ++at) {
        std::vector<float> x(70, 1.0f);
        x[static_cast<std::size_t>(at)] = std::numeric_limits<float>::quiet_NaN();
        float row = 0.0f;
        reduce<float>(reduction, x.data(), {1, 70, 1}, nullptr, &row);
        ASSERT_TRUE(std::isnan(row)) << name_of(set) << ' ' << at;
        std::vector<float> columns(2);
        reduce<float>(reduction, x.data(), {1, 35, 2}, nullptr, columns.data());
        ASSERT_TRUE(std::isnan(columns[static_cast<std::size_t>(at % 2)])) << name_of(set) << ' ' << at;
        ASSERT_FALSE(std::isnan(columns[static_cast<std::size_t>(1 - at % 2)])) << name_of(set) << ' ' << at;
      }
    }
  }
}

TEST_F(EachInstructionSet, TheSumOfManyFloatsKeepsItsDigits) {
  // Added one after the other in float32 this stops at 2^24.
  const std::vector<float> x(20'000'000, 1.0f);
  for (const InstructionSet set : available_instruction_sets()) {
    set_instruction_set(set);
    float total = 0.0f;
    reduce<float>(Reduce::sum, x.data(), {1, 20'000'000, 1}, nullptr, &total);
    EXPECT_EQ(total, 20'000'000.0f);
    std::vector<float> columns(10);
    reduce<float>(Reduce::sum, x.data(), {1, 2'000'000, 10}, nullptr, columns.data());
    for (const float column : columns) EXPECT_EQ(column, 2'000'000.0f);
  }
}

TEST_F(EachInstructionSet, TheBitsDoNotDependOnTheNumberOfThreads) {
  const int threads = num_threads();
  for (const ReduceSizes& s : {ReduceSizes{1, 3'000'000, 1}, ReduceSizes{1, 3000, 1000},
                               ReduceSizes{1, 300'000, 10}, ReduceSizes{300, 10'000, 1}}) {
    const auto x = numbers<float>(s.outer * s.length * s.inner, 3, -1.0, 1.0);
    std::vector<float> first(static_cast<std::size_t>(s.outer * s.inner));
    set_num_threads(1);
    reduce<float>(Reduce::sum, x.data(), s, nullptr, first.data());
    for (const int count : {2, 3, 8}) {
      set_num_threads(count);
      std::vector<float> again(first.size());
      reduce<float>(Reduce::sum, x.data(), s, nullptr, again.data());
      EXPECT_EQ(first, again) << count << " threads";
    }
  }
  set_num_threads(threads);
}

}  // namespace
}  // namespace splot::cpu
