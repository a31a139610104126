#include "splot/data/displaced.h"

#include <numeric>

#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

Tensor bytes(const std::vector<double>& values, const Shape& shape) {
  return cast(Tensor::from(values, shape), kUInt8);
}

// Two pictures of two channels, 2 x 3.
Dataset two_pictures() {
  std::vector<double> values(24);
  std::iota(values.begin(), values.end(), 1.0);
  return Dataset("two", bytes(values, {2, 2, 2, 3}), tensor({1, 0}), {"a", "b"}, {.divisor = 255.0});
}

std::vector<int> stored(const Dataset& data, Index i) { return data.stored(i, 1).inputs.to_vector<int>(); }

TEST(Displaced, EachPictureIsFollowedByFourMovedOnes) {
  const Dataset five = with_displaced(two_pictures(), 1);
  EXPECT_EQ(five.size(), 10);
  EXPECT_EQ(five.sample_shape(), Shape({2, 2, 3}));
  EXPECT_EQ(five.classes(), (std::vector<std::string>{"a", "b"}));
  using V = std::vector<int>;
  EXPECT_EQ(stored(five, 0), (V{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})) << "as it is";
  EXPECT_EQ(stored(five, 1), (V{0, 0, 0, 1, 2, 3, 0, 0, 0, 7, 8, 9})) << "down";
  EXPECT_EQ(stored(five, 2), (V{4, 5, 6, 0, 0, 0, 10, 11, 12, 0, 0, 0})) << "up";
  EXPECT_EQ(stored(five, 3), (V{0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11})) << "right";
  EXPECT_EQ(stored(five, 4), (V{2, 3, 0, 5, 6, 0, 8, 9, 0, 11, 12, 0})) << "left";
  EXPECT_EQ(stored(five, 8), (V{0, 13, 14, 0, 16, 17, 0, 19, 20, 0, 22, 23})) << "right, the second";
  EXPECT_EQ(five.stored(0, 10).targets.to_vector<int>(), (V{1, 1, 1, 1, 1, 0, 0, 0, 0, 0}));
}

TEST(Displaced, BatchesArePreprocessedAndInAnyOrder) {
  const Dataset five = with_displaced(two_pictures(), 1);
  const std::vector<Index> chosen = {9, 0, 9};
  const Batch batch = five.batch(chosen);
  EXPECT_EQ(batch.inputs.shape(), Shape({3, 2, 2, 3}));
  const std::vector<float> inputs = batch.inputs.to_vector<float>();
  EXPECT_EQ(inputs[0], 14.0f / 255.0f);
  EXPECT_EQ(inputs[12], 1.0f / 255.0f);
  EXPECT_EQ(inputs[24], 14.0f / 255.0f);
  EXPECT_EQ(batch.targets.to_vector<int>(), (std::vector<int>{0, 1, 0}));
}

TEST(Displaced, AllTheWayOutNothingIsLeft) {
  for (const Index pixels : {Index{3}, Index{1'000'000'000'000'000'000}}) {
    const Dataset five = with_displaced(two_pictures(), pixels);
    EXPECT_EQ(stored(five, 5), stored(two_pictures(), 1));
    for (Index i = 6; i < 10; ++i) EXPECT_EQ(stored(five, i), std::vector<int>(12, 0)) << i;
  }
  EXPECT_EQ(stored(with_displaced(two_pictures(), 2), 3),
            (std::vector<int>{0, 0, 1, 0, 0, 4, 0, 0, 7, 0, 0, 10}));
}

TEST(Displaced, NumbersOfAnyTypeMove) {
  const Dataset data("numbers", Tensor::from(std::vector<double>{0.5, 1.5, 2.5, 3.5}, {1, 1, 2, 2}),
                     tensor({0}));
  EXPECT_EQ(with_displaced(data, 1).batch(1, 1).inputs.to_vector<double>(),
            (std::vector<double>{0.0, 0.0, 0.5, 1.5}));
}

TEST(Displaced, WhatCannotBeMovedIsRefused) {
  const Dataset rows("rows", zeros({3, 4}), zeros({3}));
  EXPECT_ERROR(
      ShapeError, with_displaced(rows, 1),
      "[with_displaced] rows: examples have the shape [4]; pictures [channels, height, width] are needed");
  EXPECT_ERROR(ValueError, with_displaced(two_pictures(), 0),
               "[with_displaced] pixels must be positive, got 0");
  EXPECT_ERROR(ValueError, with_displaced(two_pictures().with_transforms({{.name = "flip"}}), 1),
               "[with_displaced] two: has transforms, which would be lost; displace first");
}

}  // namespace
}  // namespace splot
