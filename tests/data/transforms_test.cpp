#include "splot/data/transforms.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "splot/data/digits.h"
#include "splot/data/prefetch.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes digit(std::uint64_t number = 3) {
  Bytes pixels(784), label(1);
  draw_digits(1, static_cast<Index>(number), pixels, label);
  return pixels;
}

Bytes done(std::vector<Transform> transforms, Bytes pixels, const Shape& sample = {1, 28, 28},
           const RandomKey& key = {.seed = 1}) {
  transform_picture(transforms, key, sample, pixels);
  return pixels;
}

TEST(Transforms, ThatChangeNothing) {
  const Bytes before = digit();
  EXPECT_EQ(done({}, before), before);
  EXPECT_EQ(done({{.name = "shift", .x = 0, .y = 0}}, before), before);
  EXPECT_EQ(done({{.name = "rotate", .degrees = 0}}, before), before);
  EXPECT_EQ(done({{.name = "scale", .low = 1, .high = 1}}, before), before);
  EXPECT_EQ(done({{.name = "crop", .padding = 0}}, before), before);
  EXPECT_EQ(done({{.name = "elastic", .alpha = 0}}, before), before);
  EXPECT_EQ(done({{.name = "flip", .p = 0.0}}, before), before);
  EXPECT_EQ(done({{.name = "flip", .p = 1.0}, {.name = "flip", .p = 1.0}}, before), before);
  EXPECT_EQ(done({{.name = "flip", .p = 1.0}, {.name = "flip", .p = 1.0, .fill = 9}}, before), before)
      << "in two passes";
}

TEST(Transforms, FlipExchangesLeftAndRightOfEachChannel) {
  EXPECT_EQ(done({{.name = "flip", .p = 1.0}}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 2, 3}),
            (Bytes{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10}));
  int flipped = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    flipped += done({{.name = "flip"}}, {1, 2}, {1, 1, 2}, {.seed = 1, .counter = i})[0] == 2;
  }
  EXPECT_NEAR(flipped, 200, 50);
}

TEST(Transforms, CropIsAWholeShiftWithinThePadding) {
  const Bytes before = digit();
  std::vector<int> seen(49, 0);
  for (std::uint64_t i = 0; i < 500; ++i) {
    const Bytes after =
        done({{.name = "crop", .padding = 3, .fill = 200}}, before, {1, 28, 28}, {.seed = 5, .counter = i});
    int found = -1;
    for (int dy = -3; dy <= 3; ++dy) {
      for (int dx = -3; dx <= 3; ++dx) {
        bool same = true;
        for (int y = 0; y < 28; ++y) {
          for (int x = 0; x < 28; ++x) {
            const int u = x + dx, v = y + dy;
            const bool inside = u >= 0 && u < 28 && v >= 0 && v < 28;
            const int expected = inside ? before[static_cast<std::size_t>(28 * v + u)] : 200;
            same = same && after[static_cast<std::size_t>(28 * y + x)] == expected;
          }
        }
        if (same) found = 7 * (dy + 3) + dx + 3;
      }
    }
    ASSERT_GE(found, 0) << i;
    ++seen[static_cast<std::size_t>(found)];
  }
  EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 0) << "every shift occurs";
}

// Where the ink is, and how much.
struct Ink {
  double x = 0.0, y = 0.0, mass = 0.0, spread = 0.0;
};

Ink ink_of(const Bytes& pixels, int side) {
  Ink out;
  for (int i = 0; i < side * side; ++i) {
    const double v = pixels[static_cast<std::size_t>(i)];
    out.mass += v;
    out.x += v * (i % side);
    out.y += v * (i / side);
  }
  out.x /= out.mass;
  out.y /= out.mass;
  for (int i = 0; i < side * side; ++i) {
    out.spread += pixels[static_cast<std::size_t>(i)] / out.mass *
                  (std::pow(i % side - out.x, 2) + std::pow(i / side - out.y, 2));
  }
  return out;
}

TEST(Transforms, ShiftMovesTheInkAndNothingElse) {
  Bytes blob(31 * 31, 0);
  for (int y = 11; y < 16; ++y) {
    for (int x = 9; x < 17; ++x) blob[static_cast<std::size_t>(31 * y + x)] = 200;
  }
  double least = 9, most = -9;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Ink after =
        ink_of(done({{.name = "shift", .x = 5, .y = 0}}, blob, {1, 31, 31}, {.seed = 2, .counter = i}), 31);
    EXPECT_NEAR(after.y, ink_of(blob, 31).y, 1e-9);
    EXPECT_NEAR(after.mass, ink_of(blob, 31).mass, 41.0) << "rounded 80 times";
    least = std::min(least, after.x - 12.5);
    most = std::max(most, after.x - 12.5);
  }
  EXPECT_LT(least, -4.0);
  EXPECT_GE(least, -5.01);
  EXPECT_GT(most, 4.0);
  EXPECT_LE(most, 5.01);
}

TEST(Transforms, ScaleAndRotateKeepTheMiddle) {
  Bytes bar(31 * 31, 0);  // a bar, longer to the right
  for (int y = 12; y <= 18; ++y) {
    for (int x = 8; x < 26; ++x) bar[static_cast<std::size_t>(31 * y + x)] = 255;
  }
  const Bytes large = done({{.name = "scale", .low = 1.2, .high = 1.2}}, bar, {1, 31, 31});
  EXPECT_EQ(large[31 * 15 + 15], 255);
  EXPECT_NEAR(ink_of(large, 31).x - 15, 1.2 * (ink_of(bar, 31).x - 15), 0.1);
  EXPECT_NEAR(ink_of(large, 31).mass / ink_of(bar, 31).mass, 1.44, 0.05);
  int up = 0, down = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Ink turned =
        ink_of(done({{.name = "rotate", .degrees = 90}}, bar, {1, 31, 31}, {.seed = 1, .counter = i}), 31);
    const double away = std::hypot(turned.x - 15, turned.y - 15);
    EXPECT_NEAR(away, ink_of(bar, 31).x - 15, 0.1);
    EXPECT_GT(turned.x, 14.99) << "ninety degrees at most";
    (turned.y < 15 ? up : down) += 1;
  }
  EXPECT_GT(std::min(up, down), 25);
}

TEST(Transforms, NeighboursAreOnePass) {
  // Half a pixel there and half a pixel back: in two passes it would be blurred.
  Bytes line(21 * 21, 0);
  for (int i = 0; i < 21; ++i) line[static_cast<std::size_t>(21 * i + 10)] = 255;
  const std::vector<Transform> both = {{.name = "scale", .low = 1.5, .high = 1.5},
                                       {.name = "scale", .low = 1 / 1.5, .high = 1 / 1.5}};
  const Bytes after = done(both, line, {1, 21, 21});
  for (std::size_t i = 0; i < line.size(); ++i) EXPECT_NEAR(after[i], line[i], 1);
}

TEST(Transforms, ElasticMovesSmoothly) {
  const Bytes before = digit();
  const Bytes after = done({{.name = "elastic"}}, before);
  EXPECT_NE(after, before);
  EXPECT_NEAR(ink_of(after, 28).mass / ink_of(before, 28).mass, 1.0, 0.25);
  EXPECT_NEAR(ink_of(after, 28).x, ink_of(before, 28).x, 3.0);
  // The field itself, seen in a picture whose pixels say where they are: no point moves far, and neighbours
  // move alike.
  Bytes ramp(64 * 64);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint8_t>(2 * (i % 64) + 60);
  const Bytes bent = done({{.name = "elastic", .sigma = 6, .alpha = 40}}, ramp, {1, 64, 64});
  int moved = 0;
  for (std::size_t y = 8; y < 56; ++y) {
    for (std::size_t x = 8; x < 56; ++x) {
      const int by = bent[64 * y + x] - ramp[64 * y + x];
      EXPECT_LE(std::abs(by), 14);
      EXPECT_LE(std::abs(by - (bent[64 * y + x + 1] - ramp[64 * y + x + 1])), 3);
      moved += by != 0;
    }
  }
  EXPECT_GT(moved, 500);
}

TEST(Transforms, WhatOneDrawsDoesNotDependOnTheOthers) {
  const Bytes before = digit();
  const Transform shift{.name = "shift", .x = 3, .y = 3};
  EXPECT_EQ(done({{.name = "flip", .p = 0.0}, shift}, before),
            done({{.name = "rotate", .degrees = 0}, shift}, before));
  EXPECT_NE(done({shift, {.name = "flip", .p = 0.0}}, before),
            done({{.name = "flip", .p = 0.0}, shift}, before));
}

TEST(Transforms, SayWhatIsWrong) {
  const Bytes before = digit();
  EXPECT_ERROR(ValueError, done({{.name = "spin"}}, before), "[transform] there is no transform \"spin\"");
  EXPECT_ERROR(ValueError, done({{.name = "rotate", .degrees = 200}}, before),
               "[transform] rotate: degrees must be 0 to 180, got 200");
  EXPECT_ERROR(ValueError, done({{.name = "scale", .low = 2, .high = 1}}, before),
               "[transform] scale: low is 2, more than high, 1");
  EXPECT_ERROR(ValueError, done({{.name = "shift", .x = NAN}}, before),
               "[transform] shift: x must be 0 to 10000, got nan");
  EXPECT_ERROR(ShapeError, done({}, before, {28, 28}),
               "[transform] pictures are [channels, height, width], got [28, 28] and 784 pixels");
}

const std::vector<Transform> kAll = {{.name = "flip"},
                                     {.name = "shift", .x = 3, .y = 3},
                                     {.name = "rotate", .degrees = 15},
                                     {.name = "scale"},
                                     {.name = "elastic"},
                                     {.name = "crop", .padding = 2}};

std::vector<float> epoch_of(const Loader& loader, std::uint64_t epoch, const PrefetchOptions& options = {}) {
  std::vector<float> out;
  BatchStream batches(loader.epoch(epoch), options);
  while (std::optional<Batch> batch = batches.next()) {
    const std::vector<float> more = batch->inputs.to_vector<float>();
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

TEST(TransformedDataset, IsTheSameForAnyThreadsAndGoesOnInTheMiddle) {
  const Dataset digits = make_digits({.train = 100, .validation = 0, .test = 0}).train;
  const auto epoch = [&](int threads, const PrefetchOptions& how, bool shuffle = true) {
    const Loader loader(digits.with_transforms(kAll, threads),
                        {.batch_size = 32, .shuffle = shuffle, .seed = 4});
    return epoch_of(loader, 2, how);
  };
  const std::vector<float> first = epoch(1, {.ahead = 0});
  for (const int threads : {1, 2, 4, 0}) {
    for (const Index ahead : {0, 1, 3}) EXPECT_EQ(epoch(threads, {.ahead = ahead}), first);
  }
  const std::vector<float> rest = epoch(4, {.first = 2});
  EXPECT_EQ(rest, std::vector<float>(first.begin() + 2 * 32 * 784, first.end()));
  EXPECT_NE(epoch(1, {}, false), first);
}

TEST(TransformedDataset, AnExampleIsChangedAlikeInWhateverBatch) {
  const Dataset digits = make_digits({.train = 40, .validation = 0, .test = 0}).train.with_transforms(kAll);
  const auto one = [&](std::vector<Index> batch, std::size_t at, std::uint64_t seed, std::uint64_t epoch) {
    const std::vector<float> all = digits.transformed(batch, seed, epoch).inputs.to_vector<float>();
    return std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(784 * at),
                              all.begin() + static_cast<std::ptrdiff_t>(784 * (at + 1)));
  };
  EXPECT_EQ(one({7}, 0, 1, 1), one({3, 39, 7, 0}, 2, 1, 1));
  EXPECT_NE(one({7}, 0, 1, 1), one({7}, 0, 1, 2)) << "every epoch another";
  EXPECT_NE(one({7}, 0, 1, 1), one({7}, 0, 2, 1)) << "every seed another";
  const Dataset plain = digits.with_transforms({});
  EXPECT_EQ(digits.batch(7, 1).inputs.to_vector<float>(), plain.batch(7, 1).inputs.to_vector<float>());
  EXPECT_EQ(plain.transformed(std::vector<Index>{7}, 1, 1).inputs.to_vector<float>(),
            plain.batch(7, 1).inputs.to_vector<float>());
  EXPECT_EQ(suggested_prefetch(plain, 8), 0);
  EXPECT_EQ(suggested_prefetch(digits, 8), 2);
}

// Keeps what it gives out, as a cache might.
class Cached final : public BatchSource {
 public:
  explicit Cached(const Dataset& data) : all_(data.stored(0, data.size())) {}
  Index size() const override { return all_.inputs.shape()[0]; }
  Batch read(std::span<const Index> indices) override {
    if (static_cast<Index>(indices.size()) == size()) return all_;
    return Dataset("c", all_.inputs, all_.targets)
        .subset(indices)
        .stored(0, static_cast<Index>(indices.size()));
  }

 private:
  Batch all_;
};

TEST(TransformedDataset, LeavesASourcesOwnPicturesAlone) {
  const Dataset digits = make_digits({.train = 6, .validation = 0, .test = 0}).train;
  const Dataset source =
      Dataset("c", std::make_shared<Cached>(digits), {}, {.divisor = 255.0}).with_transforms(kAll);
  const std::vector<Index> all = {0, 1, 2, 3, 4, 5};
  const std::vector<float> first = source.transformed(all, 1, 1).inputs.to_vector<float>();
  EXPECT_EQ(source.transformed(all, 1, 1).inputs.to_vector<float>(), first);
  EXPECT_EQ(digits.with_transforms(kAll).transformed(all, 1, 1).inputs.to_vector<float>(), first);
}

TEST(TransformedDataset, SaysWhatDoesNotFit) {
  const Dataset digits = make_digits({.train = 2, .validation = 0, .test = 0}).train;
  EXPECT_ERROR(
      ShapeError, digits.with_sample_shape({784}).with_transforms(kAll),
      "[with_transforms] digits: examples have the shape [784]; pictures [channels, height, width] are "
      "needed");
  EXPECT_ERROR(
      DTypeError,
      Dataset("f", Tensor::empty({2, 1, 3, 3}, kFloat32), Tensor::empty({2}, kFloat32)).with_transforms(kAll),
      "[with_transforms] f: inputs are float32; pictures of bytes (uint8) are needed");
  EXPECT_ERROR(ValueError, digits.with_transforms({{.name = "rotate", .degrees = -1}}),
               "[with_transforms] digits: rotate: degrees must be 0 to 180, got -1");
}

}  // namespace
}  // namespace splot
