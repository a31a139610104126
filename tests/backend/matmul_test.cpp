#include "splot/backend/cpu/matmul.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"

#include "tests/support/sanitized.h"

namespace splot::cpu {
namespace {

// With a sanitizer the reference takes minutes for the shapes chosen for speed; those in their place cross
// the same borders (of tiles, chunks, slabs and blocks of k) by as little as possible.
using test::kSanitized;

// Small whole multiples of 1/8 in [-4, 4): their products and short sums are exact in float, and no value is
// special.
template <typename T>
std::vector<T> values(Index count, std::uint32_t seed) {
  std::vector<T> v(static_cast<std::size_t>(count));
  std::uint32_t state = seed * 2654435761u + 12345u;
  for (T& x : v) {
    state = state * 1664525u + 1013904223u;
    x = static_cast<T>(static_cast<int>(state >> 26) - 32) / T(8);
  }
  return v;
}

struct Case {
  Index m, n, k;
  bool a_transposed = false;
  bool b_transposed = false;
  bool gaps = false;  // no operand is contiguous in any direction
  bool accumulate = false;
  bool bias = false;
  bool relu = false;
  Index batch = 1;

  friend std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.m << "x" << c.n << "x" << c.k << (c.a_transposed ? " A^T" : "")
               << (c.b_transposed ? " B^T" : "") << (c.gaps ? " gaps" : "")
               << (c.accumulate ? " accumulate" : "") << (c.bias ? " bias" : "") << (c.relu ? " relu" : "")
               << " batch " << c.batch << " on " << name_of(instruction_set());
  }
};

template <typename T>
struct Operands {
  explicit Operands(const Case& c) {
    const Index step = c.gaps ? 3 : 1;
    const auto layout = [&](Index rows, Index cols, bool transposed, Matrix<T>& matrix, Index& batch_stride) {
      const Index minor = (transposed ? rows : cols) * step + (c.gaps ? 5 : 0);
      matrix.row_stride = transposed ? step : minor;
      matrix.col_stride = transposed ? minor : step;
      batch_stride = minor * (transposed ? cols : rows);
    };
    layout(c.m, c.k, c.a_transposed, product.a, product.a_batch_stride);
    layout(c.k, c.n, c.b_transposed, product.b, product.b_batch_stride);
    product.m = c.m;
    product.n = c.n;
    product.k = c.k;
    product.batch = c.batch;
    product.ldc = c.n + (c.gaps ? 7 : 0);
    product.c_batch_stride = product.ldc * c.m;
    a = values<T>(product.a_batch_stride * c.batch, 1);
    b = values<T>(product.b_batch_stride * c.batch, 2);
    result = values<T>(product.c_batch_stride * c.batch, 3);
    bias = values<T>(c.n, 4);
    product.a.data = a.data();
    product.b.data = b.data();
    product.c = result.data();
    product.epilogue = {.accumulate = c.accumulate, .bias = c.bias ? bias.data() : nullptr, .relu = c.relu};
  }

  std::vector<T> a, b, bias, result;
  Product<T> product;
};

template <typename T>
void compare_with_reference(const Case& c) {
  SCOPED_TRACE(::testing::Message() << c);
  Operands<T> fast(c);
  Operands<T> reference(c);
  matmul(fast.product);
  matmul_reference(reference.product);
  // The values make every sum of up to 2^12 products exact, whatever its order, so nothing may differ - nor
  // may anything between the rows of C be touched.
  for (std::size_t i = 0; i < fast.result.size(); ++i) {
    ASSERT_EQ(fast.result[i], reference.result[i]) << "at " << i;
  }
}

class Matmul : public ::testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override { set_instruction_set(GetParam()); }
  void TearDown() override {
    set_instruction_set(available_instruction_sets().back());
    set_num_threads(2);
  }
};

TEST_P(Matmul, AgreesWithTheReferenceForAllSmallShapes) {
  const bool scalar = GetParam() == InstructionSet::baseline;
  const std::vector<Index> sizes = scalar       ? std::vector<Index>{0, 1, 3, 7, 17}
                                   : kSanitized ? std::vector<Index>{0, 1, 2, 3, 5, 7, 17, 33}
                                                : std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 13, 17, 33, 70};
  for (const Index m : sizes) {
    for (const Index n : sizes) {
      for (const Index k : sizes) {
        for (int layout = 0; layout < 4; ++layout) {
          const Case c = {
              .m = m, .n = n, .k = k, .a_transposed = layout / 2 == 1, .b_transposed = layout % 2 == 1};
          compare_with_reference<float>(c);
          compare_with_reference<double>(c);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(Matmul, AgreesWithTheReferenceForEveryEpilogue) {
  const Case shapes[] = {{.m = 10, .n = 30, .k = kSanitized ? 70 : 784},
                         {.m = 30, .n = kSanitized ? 200 : 784, .k = 10},
                         {.m = 70, .n = kSanitized ? 34 : 90, .k = 530},
                         {.m = 1, .n = 300, .k = 40},
                         {.m = 5, .n = 3, .k = 0},
                         {.m = 33, .n = 10, .k = kSanitized ? 70 : 512}};
  for (const Case& shape : shapes) {
    for (int bits = 0; bits < 64; ++bits) {
      if (kSanitized && shape.k > 500 && bits % 11 != 0) continue;
      Case c = shape;
      c.a_transposed = bits & 1;
      c.b_transposed = bits & 2;
      c.gaps = bits & 4;
      c.accumulate = bits & 8;
      c.bias = bits & 16;
      c.relu = bits & 32;
      compare_with_reference<float>(c);
      compare_with_reference<double>(c);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST_P(Matmul, AgreesWithTheReferenceForSumsOfFewTerms) {
  // More than a vector of columns, whole ones and not, the last two on top of each other where there are less
  // than two; rows in one part and in several.
  for (const Index n : {17, 30, 32, 33, 47, 64, 70}) {
    for (const Index m : {6, 7, 30, 65}) {
      for (Index k = 1; k <= 14; ++k) {
        for (int bits = 0; bits < 32; ++bits) {
          if (kSanitized && bits % 5 != 0) continue;
          compare_with_reference<float>({.m = m,
                                         .n = n,
                                         .k = k,
                                         .a_transposed = (bits & 1) != 0,
                                         .gaps = (bits & 2) != 0,
                                         .accumulate = (bits & 4) != 0,
                                         .bias = (bits & 8) != 0,
                                         .relu = (bits & 16) != 0});
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(Matmul, AddsFewTermsInTheirOrder) {
  if (GetParam() == InstructionSet::baseline) GTEST_SKIP() << "rounds each product";
  for (const Case& c : {Case{.m = 30, .n = 90, .k = 10, .a_transposed = true}, Case{.m = 9, .n = 41, .k = 12},
                        Case{.m = 10, .n = 30, .k = 10}}) {
    std::vector<float> results[2];
    for (std::vector<float>& result : results) {
      Operands<float> o(c);
      for (std::size_t i = 0; i < o.a.size(); ++i) o.a[i] = std::sin(static_cast<float>(i));
      for (std::size_t i = 0; i < o.b.size(); ++i) o.b[i] = std::cos(static_cast<float>(i) * 1.7F);
      if (&result == results) {
        matmul(o.product);
      } else {
        matmul_reference(o.product);
      }
      result = o.result;
    }
    EXPECT_EQ(results[0], results[1]) << c;
  }
}

TEST_P(Matmul, AgreesWithTheReferenceForLargeShapes) {
  const bool scalar = GetParam() == InstructionSet::baseline;
  const Index d = scalar ? 4 : 1;
  // Several blocks of k, several slabs of columns, chunks of one and of both directions, rows 4096 bytes
  // apart.
  const std::vector<Case> full = {{.m = 128, .n = 150, .k = 600 / d}, {.m = 280, .n = 301, .k = 130},
                                  {.m = 70, .n = 300, .k = 1024 / d}, {.m = 70, .n = 1024 / d, .k = 90},
                                  {.m = 260, .n = 1100 / d, .k = 33}, {.m = 2000 / d, .n = 10, .k = 65},
                                  {.m = 10, .n = 2000 / d, .k = 513}, {.m = 1, .n = 1000, .k = 300},
                                  {.m = 1000, .n = 1, .k = 300},      {.m = 7, .n = 9, .k = 4000}};
  const std::vector<Case> small = {{.m = 66, .n = 34, .k = 520},       {.m = 260, .n = 40, .k = 20},
                                   {.m = 260, .n = 600 / d, .k = 9},   {.m = 66, .n = 1024, .k = 5},
                                   {.m = 66, .n = 130, .k = 1024 / d}, {.m = 2000 / d, .n = 10, .k = 9},
                                   {.m = 10, .n = 2000, .k = 9},       {.m = 1, .n = 1000, .k = 30},
                                   {.m = 1000, .n = 1, .k = 30},       {.m = 7, .n = 9, .k = 2100}};
  for (const Case& shape : kSanitized ? small : full) {
    for (int layout = 0; layout < 8; ++layout) {
      Case c = shape;
      c.a_transposed = layout & 1;
      c.b_transposed = layout & 2;
      c.gaps = layout & 4;
      compare_with_reference<float>(c);
      if (layout == 0 || layout == 3 || layout == 5) compare_with_reference<double>(c);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST_P(Matmul, AgreesWithTheReferenceForBatches) {
  for (const Index batch : {0, 1, 2, 5, 200}) {
    compare_with_reference<float>({.m = 13, .n = 17, .k = 19, .bias = true, .batch = batch});
    compare_with_reference<float>({.m = 64, .n = 64, .k = 32, .b_transposed = true, .batch = batch});
    compare_with_reference<double>(
        {.m = 3, .n = 2, .k = 5, .a_transposed = true, .gaps = true, .batch = batch});
  }
  compare_with_reference<float>({.m = 150, .n = 160, .k = 170, .accumulate = true, .batch = 3});
}

TEST_P(Matmul, BroadcastsOperandsThroughZeroStrides) {
  const std::vector<float> x = {1, 2, 3};
  std::vector<float> y(3 * 40);
  // Each row of B is the same: y[i][j] = x[i] * (0 + 0.5 + 1), for two products that share both operands.
  const std::vector<float> row = {0.0f, 0.5f, 1.0f};
  matmul<float>({.m = 3,
                 .n = 20,
                 .k = 3,
                 .a = {x.data(), 1, 0},
                 .b = {row.data(), 1, 0},
                 .c = y.data(),
                 .ldc = 20,
                 .batch = 2,
                 .c_batch_stride = 60});
  for (int i = 0; i < 120; ++i)
    EXPECT_EQ(y[static_cast<std::size_t>(i)], 1.5f * static_cast<float>(i / 20 % 3 + 1));
}

TEST_P(Matmul, NoZeroIsSkippedAndNothingSpecialIsLost) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Case& shape :
       {Case{.m = 10, .n = 30, .k = 100, .b_transposed = true}, Case{.m = 20, .n = 40, .k = 30},
        Case{.m = 90, .n = 120, .k = 300}, Case{.m = 1, .n = 50, .k = 50}}) {
    for (const float special : {inf, -inf, nan}) {
      Operands<float> o(shape);
      std::fill(o.a.begin(), o.a.end(), 0.0f);
      o.b[o.b.size() / 2] = special;
      matmul(o.product);
      Operands<float> reference(shape);
      std::fill(reference.a.begin(), reference.a.end(), 0.0f);
      reference.b[o.b.size() / 2] = special;
      matmul_reference(reference.product);
      Index nans = 0;
      for (std::size_t i = 0; i < o.result.size(); ++i) {
        ASSERT_EQ(std::isnan(o.result[i]), std::isnan(reference.result[i]));
        nans += std::isnan(o.result[i]);
      }
      EXPECT_EQ(nans, shape.m) << "zero times " << special << " is NaN, in one column";
    }
  }
}

TEST_P(Matmul, ReluKeepsNaN) {
  for (const bool transposed : {false, true}) {
    Case c = {.m = 6, .n = 20, .k = 64, .b_transposed = transposed, .relu = true};
    Operands<float> o(c);
    o.a[5] = std::numeric_limits<float>::quiet_NaN();
    matmul(o.product);
    for (std::size_t j = 0; j < 20; ++j) EXPECT_TRUE(std::isnan(o.result[j]));
    for (std::size_t i = 20; i < 120; ++i) EXPECT_GE(o.result[i], 0.0f);
  }
}

TEST_P(Matmul, AStepOfDescentAgreesWithTheReference) {
  for (const Case& shape :
       {Case{.m = 30, .n = 100, .k = 10, .a_transposed = true},
        Case{.m = 33, .n = 62, .k = 10, .a_transposed = true},
        Case{.m = 10, .n = 30, .k = 10, .a_transposed = true},
        Case{.m = 10, .n = 30, .k = 100, .b_transposed = true},
        Case{.m = 3, .n = 5, .k = 2100, .b_transposed = true},
        Case{.m = kSanitized ? 70 : 300, .n = kSanitized ? 140 : 400, .k = 600},
        Case{.m = 40, .n = 75, .k = 12}, Case{.m = 7, .n = 32, .k = 5, .a_transposed = true},
        Case{.m = 4, .n = 9, .k = 0}}) {
    for (const auto& [decay, l1] : {std::pair(0.0, 0.0), {0.125, 0.0}, {0.0, 0.25}, {0.125, 0.25}}) {
      SCOPED_TRACE(::testing::Message() << shape << " weight decay " << decay << ", l1 " << l1);
      const std::vector<float> before = values<float>(shape.m * shape.n, 5);
      Operands<float> o(shape);
      o.product.c = nullptr;
      Descent<float> step = {.w = before.data(), .lr = 0.5, .weight_decay = decay, .l1 = l1};
      o.product.epilogue.descent = &step;
      std::vector<float> expected(before.size());
      step.out = expected.data();
      matmul_reference(o.product);
      std::vector<float> elsewhere(before.size());
      step.out = elsewhere.data();
      matmul(o.product);
      EXPECT_EQ(elsewhere, expected);
      std::vector<float> in_place = before;
      step.w = step.out = in_place.data();
      matmul(o.product);
      EXPECT_EQ(in_place, expected);
    }
  }
}

// Values whose sums depend on the order, unlike those above.
template <typename T>
void expect_same_bits_for_any_number_of_threads(const Case& c) {
  SCOPED_TRACE(::testing::Message() << c);
  std::vector<T> first;
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    Operands<T> o(c);
    for (std::size_t i = 0; i < o.a.size(); ++i) o.a[i] = std::sin(static_cast<T>(i));
    for (std::size_t i = 0; i < o.b.size(); ++i) o.b[i] = std::cos(static_cast<T>(i) * T(1.7));
    matmul(o.product);
    if (threads == 1) {
      first = o.result;
    } else {
      EXPECT_EQ(std::memcmp(first.data(), o.result.data(), first.size() * sizeof(T)), 0)
          << threads << " threads";
    }
  }
}

TEST_P(Matmul, SameBitsForAnyNumberOfThreads) {
  if (GetParam() == InstructionSet::baseline) GTEST_SKIP() << "slow, and cut into chunks by the same code";
  const std::vector<Case> full = {{.m = 128, .n = 512, .k = 784, .b_transposed = true},
                                  {.m = 512, .n = 784, .k = 128, .a_transposed = true},
                                  {.m = 128, .n = 784, .k = 512},
                                  {.m = 1000, .n = 10, .k = 500, .b_transposed = true},
                                  {.m = 333, .n = 555, .k = 777},
                                  {.m = 700, .n = 1500, .k = 10, .a_transposed = true},
                                  {.m = 20, .n = 30, .k = 40, .batch = 300}};
  const std::vector<Case> small = {{.m = 66, .n = 100, .k = 530, .b_transposed = true},
                                   {.m = 260, .n = 300, .k = 20, .a_transposed = true},
                                   {.m = 66, .n = 130, .k = 512},
                                   {.m = 260, .n = 1500, .k = 10, .a_transposed = true},
                                   {.m = 20, .n = 30, .k = 40, .batch = 40}};
  for (const Case& c : kSanitized ? small : full) {
    expect_same_bits_for_any_number_of_threads<float>(c);
    expect_same_bits_for_any_number_of_threads<double>(c);
  }
}

INSTANTIATE_TEST_SUITE_P(On, Matmul,
                         ::testing::ValuesIn(available_instruction_sets().begin(),
                                             available_instruction_sets().end()),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(MatmulReference, IsTheDefinition) {
  const std::vector<float> a = {1, 2, 3, 4, 5, 6};     // 2x3
  const std::vector<float> b = {1, 0, -1, 2, 0.5, 1};  // 3x2
  std::vector<float> c(4);
  matmul_reference<float>(
      {.m = 2, .n = 2, .k = 3, .a = {a.data(), 3, 1}, .b = {b.data(), 2, 1}, .c = c.data(), .ldc = 2});
  EXPECT_EQ(c, (std::vector<float>{0.5f, 7.0f, 2.0f, 16.0f}));
}

}  // namespace
}  // namespace splot::cpu
