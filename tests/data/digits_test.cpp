#include "splot/data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace splot {
namespace {

constexpr std::size_t kPixels = 784;

struct Drawn {
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

Drawn drawn(std::uint64_t seed, Index first, std::size_t count) {
  Drawn out{std::vector<std::uint8_t>(count * kPixels), std::vector<std::uint8_t>(count)};
  draw_digits(seed, first, out.pixels, out.labels);
  return out;
}

TEST(Digits, EachImageDependsOnSeedAndNumberAlone) {
  const Drawn whole = drawn(3, 100, 50);
  const Drawn part = drawn(3, 120, 10);
  EXPECT_TRUE(std::equal(part.pixels.begin(), part.pixels.end(), whole.pixels.begin() + 20 * kPixels));
  EXPECT_TRUE(std::equal(part.labels.begin(), part.labels.end(), whole.labels.begin() + 20));
  EXPECT_NE(drawn(4, 100, 50).pixels, whole.pixels);
}

TEST(Digits, HaveTheFormOfMnist) {
  constexpr std::size_t kCount = 2000;
  const Drawn digits = drawn(1, 0, kCount);
  std::array<int, 10> counts{};
  double total = 0.0;
  for (std::size_t i = 0; i < kCount; ++i) {
    ++counts[digits.labels[i]];
    double mass = 0.0, x_sum = 0.0, y_sum = 0.0;
    int left = 28, right = -1, top = 28, bottom = -1, darkest = 0;
    for (int y = 0; y < 28; ++y) {
      for (int x = 0; x < 28; ++x) {
        const int ink = digits.pixels[i * kPixels + static_cast<std::size_t>(28 * y + x)];
        mass += ink;
        x_sum += ink * x;
        y_sum += ink * y;
        darkest = std::max(darkest, ink);
        if (ink < 64) continue;
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
    }
    total += mass / 255.0;
    EXPECT_GE(darkest, 200) << i;
    EXPECT_NEAR(x_sum / mass, 14.0, 0.55) << i;
    EXPECT_NEAR(y_sum / mass, 14.0, 0.55) << i;
    const int longest = std::max(right - left, bottom - top) + 1;
    EXPECT_GE(longest, 18) << i;
    EXPECT_LE(longest, 22) << i;
  }
  EXPECT_NEAR(total / (kCount * 784.0), 0.1307, 0.02) << "as much ink as MNIST";
  for (const int count : counts) EXPECT_NEAR(count, 200, 60);
}

// A mean image for each class, and then each image to the nearest mean: on MNIST this gives 82 %.
TEST(Digits, LookLikeTheirLabels) {
  const Drawn train = drawn(1, 0, 4000);
  const Drawn test = drawn(1, 60000, 1000);
  std::array<std::array<double, kPixels>, 10> means{};
  std::array<int, 10> counts{};
  for (std::size_t i = 0; i < train.labels.size(); ++i) {
    ++counts[train.labels[i]];
    for (std::size_t j = 0; j < kPixels; ++j) means[train.labels[i]][j] += train.pixels[i * kPixels + j];
  }
  int right = 0;
  for (std::size_t i = 0; i < test.labels.size(); ++i) {
    std::array<double, 10> distance{};
    for (std::size_t c = 0; c < 10; ++c) {
      for (std::size_t j = 0; j < kPixels; ++j) {
        const double d = means[c][j] / counts[c] - test.pixels[i * kPixels + j];
        distance[c] += d * d;
      }
    }
    right += std::min_element(distance.begin(), distance.end()) - distance.begin() == test.labels[i] ? 1 : 0;
  }
  EXPECT_GT(right, 700);
  EXPECT_LT(right, 950) << "they must differ from each other";
}

TEST(Digits, MakeADataSetLikeMnist) {
  const DataSplits digits = make_digits({.train = 30, .validation = 10, .test = 5, .seed = 2});
  EXPECT_EQ(digits.train.size(), 20);
  EXPECT_EQ(digits.validation.size(), 10);
  EXPECT_EQ(digits.test.size(), 5);
  EXPECT_EQ(digits.test.sample_shape(), Shape({1, 28, 28}));
  EXPECT_EQ(digits.test.preprocessing(), (Preprocessing{.divisor = 255.0}));
  const Drawn test = drawn(2, 30, 5);
  EXPECT_EQ(digits.test.inputs().to_vector<std::uint8_t>(), test.pixels);
  EXPECT_EQ(digits.test.classes().size(), 10u);
}

TEST(Digits, SaysWhatMakesNoSense) {
  EXPECT_ERROR(ValueError, make_digits({.train = 5, .validation = 6}),
               "[digits] validation asks for 6 of 5 training images");
  EXPECT_ERROR(ValueError, make_digits({.train = -1, .validation = 0}),
               "[digits] asked for -1 training and 10000 test images");
  std::vector<std::uint8_t> pixels(784), labels(2);
  EXPECT_ERROR(ShapeError, draw_digits(1, 0, pixels, labels),
               "[draw_digits] 2 digits need 1568 pixels, got 784");
}

}  // namespace
}  // namespace splot
