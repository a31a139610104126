#include "splot/core/tensor.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

TEST(Tensor, FromAndToVectorsAndSpans) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const Tensor x = Tensor::from(values, {2, 3});
  EXPECT_EQ(x.dtype(), kFloat32);
  EXPECT_EQ(x.shape(), Shape({2, 3}));
  EXPECT_EQ(x.to_vector<float>(), values);
  EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
  double out[6];
  x.copy_to(std::span<double>(out));
  EXPECT_EQ(out[5], 6.0);
  EXPECT_EQ(Tensor::from(std::span<const float>(values).subspan(2, 2), {2}).to_vector<float>(),
            (std::vector<float>{3, 4}));
}

TEST(Tensor, BoolsGoThroughVectors) {
  const std::vector<bool> values = {true, false, true};
  const Tensor x = Tensor::from(values, {3});
  EXPECT_EQ(x.dtype(), kBool);
  EXPECT_EQ(x.to_vector<bool>(), values);
  EXPECT_EQ(tensor({0.0, 0.5, std::nan("")}).to_vector<bool>(), (std::vector<bool>{false, true, true}));
}

TEST(Tensor, EveryDtypeConvertsToEveryOther) {
  const DType all[] = {kBool, kUInt8, kInt32, kInt64, kBFloat16, kFloat32, kFloat64};
  for (const DType from : all) {
    for (const DType to : all) {
      const Tensor x = cast(cast(tensor({0.0, 1.0}), from), to);
      EXPECT_EQ(x.dtype(), to);
      EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{0.0, 1.0})) << from.name() << " to " << to.name();
    }
  }
}

TEST(Tensor, NumbersOutOfRangeConvertTheSameEverywhere) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(tensor({std::nan(""), infinity, -infinity, 1e30}).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{0, INT64_MAX, INT64_MIN, INT64_MAX}));
  EXPECT_EQ(tensor({-1.9, 2.9}).to_vector<std::int32_t>(), (std::vector<std::int32_t>{-1, 2}));
}

TEST(Tensor, BFloat16RoundsToEven) {
  EXPECT_EQ(static_cast<float>(bfloat16(1.0f + 1.0f / 256)), 1.0f);
  EXPECT_EQ(static_cast<float>(bfloat16(1.0f + 3.0f / 256)), 1.0f + 4.0f / 256);
  EXPECT_TRUE(std::isnan(static_cast<float>(bfloat16(std::nanf("")))));
}

TEST(Tensor, ZeroAxesAndZeroSizes) {
  const Tensor one = scalar(2.5);
  EXPECT_EQ(one.rank(), 0);
  EXPECT_EQ(one.numel(), 1);
  EXPECT_EQ(one.item<float>(), 2.5f);
  const Tensor none = Tensor::empty({3, 0, 2}, kFloat32);
  EXPECT_EQ(none.numel(), 0);
  EXPECT_TRUE(none.to_vector<float>().empty());
  EXPECT_EQ(permute(none + 1.0, {2, 1, 0}).shape(), Shape({2, 0, 3}));
  EXPECT_EQ(sum(none).item<float>(), 0.0f);
  EXPECT_EQ(matmul(zeros({2, 0}), zeros({0, 3})).to_vector<float>(), std::vector<float>(6, 0.0f));
}

// Nobody can see that storage is shared.
TEST(Tensor, IsAValue) {
  Tensor a = tensor({{1.0f, 2.0f}, {3.0f, 4.0f}});
  const Tensor b = a;
  const Tensor view = matrix_transpose(a);
  a = a + 10.0;
  EXPECT_EQ(b.to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(view.to_vector<float>(), (std::vector<float>{1, 3, 2, 4}));
  EXPECT_EQ(a.to_vector<float>(), (std::vector<float>{11, 12, 13, 14}));
}

TEST(Tensor, ViewsCopyNothing) {
  const Tensor x = zeros({1000, 1000});
  const std::size_t before = memory_use().current;
  const Tensor y = expand(reshape(matrix_transpose(x), {1, 1000, 1000}), {50, 1000, 1000});
  EXPECT_EQ(y.numel(), 50'000'000);
  // The transposed matrix cannot be reshaped in place: one copy, not fifty.
  EXPECT_LE(memory_use().current - before, 8u << 20);
  const std::size_t after = memory_use().current;
  const Tensor z = permute(reshape(x, {10, 100, 1000}), {2, 0, 1});
  EXPECT_EQ(memory_use().current, after);
  EXPECT_FALSE(z.is_contiguous());
  EXPECT_EQ(z.size(-1), 100);
}

TEST(Tensor, Errors) {
  EXPECT_ERROR(ShapeError, Tensor::from(std::vector<float>{1, 2, 3}, {2, 2}),
               "[tensor] 3 elements do not fill [2, 2], which has 4");
  EXPECT_ERROR(ShapeError, tensor({1.0, 2.0}).item<double>(), "[item] needs exactly one element, got [2]");
  EXPECT_ERROR(DTypeError, tensor({1.0}).data<float>(), "[data] the elements are float64, not float32");
  EXPECT_ERROR(DTypeError, tensor({1, 2}).variable(),
               "[variable] only floating tensors have gradients, got int32");
  EXPECT_ERROR(ShapeError, zeros({2, 3}).size(2), "[size] there is no axis 2 in [2, 3]: it has axes -2 to 1");
  EXPECT_ERROR(ShapeError, scalar(1.0).size(0), "[size] there is no axis 0 in []: it is 0-d");
  double out[2];
  EXPECT_ERROR(ShapeError, zeros({3}).copy_to(std::span<double>(out)),
               "[copy_to] a span of 2 elements cannot take the 3 of [3]");
}

TEST(Shape, Errors) {
  EXPECT_ERROR(ShapeError, Shape({2, -1}), "[shape] [2, -1] has a negative size");
  EXPECT_ERROR(ShapeError, Shape({1, 1, 1, 1, 1, 1, 1, 1, 1}),
               "[shape] [1, 1, 1, 1, 1, 1, 1, 1, 1] has 9 axes; the limit is 8");
  EXPECT_ERROR(ShapeError, Shape({Index{1} << 32, Index{1} << 32}),
               "[shape] [4294967296, 4294967296] has more elements than a 64-bit integer can count");
  EXPECT_ERROR(ShapeError, normalize_axes({0, -2}, {2, 3}, "sum"), "[sum] axis -2 is named twice in [0, -2]");
  EXPECT_EQ(Shape({Index{1} << 40, 0, Index{1} << 40}).numel(), 0);
}

TEST(DType, NamesAndBack) {
  for (const char* name : {"bool", "uint8", "int32", "int64", "bfloat16", "float32", "float64"}) {
    EXPECT_EQ(DType::parse(name)->name(), name);
  }
  EXPECT_FALSE(DType::parse("float16").has_value());
}

TEST(Memory, CountsCurrentAndPeak) {
  constexpr std::size_t kMiB = 1u << 20;
  empty_memory_cache();
  const std::size_t before = memory_use().current;
  reset_peak_memory();
  {
    const Tensor x = Tensor::empty({4 << 20}, kUInt8);
    EXPECT_GE(memory_use().current - before, 4 * kMiB);
    EXPECT_LE(memory_use().current - before, 6 * kMiB);
  }
  EXPECT_EQ(memory_use().current, before);
  EXPECT_GE(memory_use().peak - before, 4 * kMiB);
  reset_peak_memory();
  EXPECT_EQ(memory_use().peak, before);
  empty_memory_cache();
  EXPECT_EQ(memory_use().cached, 0u);
}

TEST(Memory, BlocksAreAligned) {
  for (const Index n : {1, 3, 64, 1000, 100'000, 5'000'000}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(Tensor::empty({n}, kFloat32).raw()) % kAlignment, 0u) << n;
  }
}

}  // namespace
}  // namespace splot
