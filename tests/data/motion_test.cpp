// Motions against pictures whose moved form is known by a formula.
#include "splot/data/motion.h"

#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "splot/core/error.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

constexpr Index kSide = 21;  // the middle is a pixel

std::vector<std::uint8_t> moved(std::vector<std::uint8_t> pixels, const Motion& motion, Index fill = 0) {
  move_picture(motion, fill, {1, kSide, kSide}, pixels);
  return pixels;
}

std::vector<std::uint8_t> dot(Index x, Index y) {
  std::vector<std::uint8_t> out(kSide * kSide, 0);
  out[static_cast<std::size_t>(y * kSide + x)] = 200;
  return out;
}

TEST(Motion, ShiftsToTheRightAndDown) {
  EXPECT_EQ(moved(dot(10, 10), {.right = 3, .down = -2}), dot(13, 8));
  EXPECT_EQ(moved(dot(10, 10), {.right = 11}), std::vector<std::uint8_t>(kSide * kSide, 0)) << "lost";
}

TEST(Motion, FillsWhatComesIn) {
  const std::vector<std::uint8_t> out = moved(std::vector<std::uint8_t>(kSide * kSide, 9), {.right = 2}, 77);
  EXPECT_EQ(out[0], 77);
  EXPECT_EQ(out[1], 77);
  EXPECT_EQ(out[2], 9);
}

TEST(Motion, TurnsAsTheHandsOfAClock) {
  // From above the middle to the right of it.
  EXPECT_EQ(moved(dot(10, 4), {.degrees = 90}), dot(16, 10));
  EXPECT_EQ(moved(dot(10, 4), {.degrees = -90}), dot(4, 10));
}

TEST(Motion, IsEnlargedAndTurnedBeforeItIsShifted) {
  // Three above the middle, twice as far, to the right, then two to the left and one down.
  const std::vector<std::uint8_t> out =
      moved(dot(10, 7), {.right = -2, .down = 1, .scale = 2, .degrees = 90});
  EXPECT_EQ(out[11 * kSide + 14], 200);
}

// Linear interpolation is exact for a linear picture: p(x, y) = a + b x + c y becomes p of where the pixel
// came from.
TEST(Motion, IsExactForLinearPictures) {
  std::vector<std::uint8_t> picture;
  for (Index y = 0; y < kSide; ++y) {
    for (Index x = 0; x < kSide; ++x) picture.push_back(static_cast<std::uint8_t>(40 + 4 * x + 6 * y));
  }
  const Motion motion{.right = 1.3, .down = -2.6, .scale = 1.7, .degrees = 25};
  const std::vector<std::uint8_t> out = moved(picture, motion, 255);
  const double angle = motion.degrees * std::numbers::pi / 180.0;
  int compared = 0;
  for (Index y = 0; y < kSide; ++y) {
    for (Index x = 0; x < kSide; ++x) {
      const double u = static_cast<double>(x) - 10.0 - motion.right;
      const double v = static_cast<double>(y) - 10.0 - motion.down;
      const double from_x = 10.0 + (std::cos(angle) * u + std::sin(angle) * v) / motion.scale;
      const double from_y = 10.0 + (-std::sin(angle) * u + std::cos(angle) * v) / motion.scale;
      if (from_x < 0.0 || from_y < 0.0 || from_x > 20.0 || from_y > 20.0) continue;
      EXPECT_NEAR(out[static_cast<std::size_t>(y * kSide + x)], 40.0 + 4.0 * from_x + 6.0 * from_y, 0.5001)
          << x << ", " << y;
      ++compared;
    }
  }
  EXPECT_GT(compared, 300);
}

TEST(Motion, OfADataSetIsThatOfItsPictures) {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> classes;
  for (int i = 0; i < 60; ++i) {
    const std::vector<std::uint8_t> picture = dot(i % 5 + 8, i % 7 + 6);
    pixels.insert(pixels.end(), picture.begin(), picture.end());
    classes.push_back(i % 2);
  }
  const Dataset data("dots", Tensor::from(pixels, {60, 1, kSide, kSide}), Tensor::from(classes, {60}),
                     {"even", "odd"}, {.divisor = 255.0});
  const Motion motion{.right = 1.5, .scale = 1.2, .degrees = 12};
  const Dataset after = with_motion(data, motion, 3);
  EXPECT_EQ(after.size(), 60);
  EXPECT_EQ(after.classes(), data.classes());
  const std::vector<Index> asked = {59, 0, 17};
  const Batch batch = after.batch(asked);
  const std::vector<float> seen = batch.inputs.to_vector<float>();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::vector<std::uint8_t> expected = moved(dot(asked[i] % 5 + 8, asked[i] % 7 + 6), motion, 3);
    for (std::size_t p = 0; p < expected.size(); ++p) {
      ASSERT_EQ(seen[i * expected.size() + p], static_cast<float>(expected[p]) / 255.0f) << i << ": " << p;
    }
  }
  EXPECT_EQ(batch.targets.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0, 1}));
  EXPECT_EQ(edge_level(data), 0);
}

TEST(Motion, SaysWhatItCannotDo) {
  std::vector<std::uint8_t> pixels(9);
  EXPECT_THROW(move_picture({.scale = 0.0}, 0, {1, 3, 3}, pixels), ValueError);
  EXPECT_THROW(move_picture({.right = std::nan("")}, 0, {1, 3, 3}, pixels), ValueError);
  EXPECT_THROW(move_picture({}, 256, {1, 3, 3}, pixels), ValueError);
  EXPECT_THROW(move_picture({}, 0, {1, 3, 4}, pixels), ShapeError);
  EXPECT_THROW(move_picture({}, 0, {9}, pixels), ShapeError);
  const Dataset floats("floats", zeros({2, 1, 3, 3}), zeros({2}));
  EXPECT_THROW(with_motion(floats, {}), DTypeError);
}

TEST(Motion, EdgeLevelIsTheMedianOfTheFrame) {
  std::vector<std::uint8_t> picture(25, 200);  // 16 of 25 are at the edge
  picture[0] = 1;
  picture[12] = 5;
  const Dataset data("white", Tensor::from(picture, {1, 1, 5, 5}),
                     Tensor::from(std::vector<std::int64_t>{0}, {1}), {"one"});
  EXPECT_EQ(edge_level(data), 200);
}

}  // namespace
}  // namespace splot
