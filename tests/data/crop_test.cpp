// Dataset::with_crop: a piece from anywhere to learn from, the piece in the middle to judge by.
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "splot/data/dataset.h"
#include "splot/data/displaced.h"
#include "splot/data/prefetch.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

constexpr Index kCount = 12, kChannels = 2, kHeight = 9, kWidth = 8;

// A pixel says where it is: no two of a picture are equal.
std::uint8_t pixel(Index number, Index channel, Index row, Index column) {
  return static_cast<std::uint8_t>(100 * channel + 10 * row + column + number);
}

Dataset pictures() {
  const Tensor pixels =
      Tensor::build<std::uint8_t>({kCount, kChannels, kHeight, kWidth}, [](std::span<std::uint8_t> out) {
        std::size_t at = 0;
        for (Index n = 0; n < kCount; ++n)
          for (Index c = 0; c < kChannels; ++c)
            for (Index row = 0; row < kHeight; ++row)
              for (Index column = 0; column < kWidth; ++column) out[at++] = pixel(n, c, row, column);
      });
  std::vector<std::int64_t> numbers;
  for (Index n = 0; n < kCount; ++n) numbers.push_back(n);
  return Dataset("pictures", pixels, Tensor::from(numbers, {kCount}));
}

// Whether the numbers are picture `number` from this place on.
::testing::AssertionResult is_piece(const std::vector<float>& seen, Index number, Index top, Index left,
                                    Index height, Index width) {
  std::size_t at = 0;
  if (static_cast<Index>(seen.size()) != kChannels * height * width)
    return ::testing::AssertionFailure() << seen.size() << " numbers";
  for (Index c = 0; c < kChannels; ++c) {
    for (Index row = 0; row < height; ++row) {
      for (Index column = 0; column < width; ++column) {
        const std::uint8_t expected = pixel(number, c, top + row, left + column);
        if (seen[at++] != static_cast<float>(expected))
          return ::testing::AssertionFailure() << "number " << at - 1 << " is " << seen[at - 1];
      }
    }
  }
  return ::testing::AssertionSuccess();
}

std::vector<float> one(const Dataset& data, Index number, std::uint64_t seed, std::uint64_t epoch) {
  return data.transformed(std::vector<Index>{number}, seed, epoch).inputs.to_vector<float>();
}

// A source of the same pictures.
class Source final : public BatchSource {
 public:
  explicit Source(Dataset data) : data_(std::move(data)) {}
  Index size() const override { return data_.size(); }
  Batch read(std::span<const Index> indices) override {
    return data_.subset(indices).stored(0, static_cast<Index>(indices.size()));
  }

 private:
  const Dataset data_;
};

Dataset on_demand() { return Dataset("source", std::make_shared<Source>(pictures())); }

TEST(Crop, IsTheMiddleForThoseWhoJudge) {
  for (const Dataset& whole : {pictures(), on_demand()}) {
    const Dataset data = whole.with_crop(4, 5);
    EXPECT_EQ(data.sample_shape(), Shape({2, 4, 5}));
    EXPECT_EQ(data.uncut_shape(), Shape({2, 9, 8}));
    // Of five rows that are left half are two and a half, of three columns one and a half: to the even
    // number.
    EXPECT_TRUE(is_piece(data.batch(3, 1).inputs.to_vector<float>(), 3, 2, 2, 4, 5));
    EXPECT_EQ(data.stored(0, 2).inputs.shape(), Shape({2, 2, 4, 5}));
    EXPECT_EQ(data.stored(0, 2).inputs.dtype(), kUInt8);
    EXPECT_TRUE(is_piece(data.stored(7, 1).inputs.to_vector<float>(), 7, 2, 2, 4, 5));
    const Dataset chosen = data.slice(2, 8).subset(std::vector<Index>{6, 1});
    const Batch both = chosen.batch(std::vector<Index>{1, 0});
    EXPECT_EQ(both.targets.to_vector<int>(), (std::vector<int>{3, 8}));
    const std::vector<float> seen = both.inputs.to_vector<float>();
    EXPECT_TRUE(is_piece({seen.begin() + 40, seen.end()}, 8, 2, 2, 4, 5));
    EXPECT_TRUE(is_piece(whole.with_crop(8, 7).batch(1, 1).inputs.to_vector<float>(), 1, 0, 0, 8, 7));
    EXPECT_TRUE(is_piece(data.with_crop(9, 8).batch(5, 1).inputs.to_vector<float>(), 5, 0, 0, 9, 8))
        << "all of it, and not a piece of a piece";
    EXPECT_EQ(data.batch(std::vector<Index>{}).inputs.shape(), Shape({0, 2, 4, 5}));
  }
}

TEST(Crop, IsAnywhereForThoseWhoLearn) {
  const Dataset data = pictures().with_crop(7, 6);
  EXPECT_TRUE(data.changes_by_chance());
  EXPECT_FALSE(pictures().changes_by_chance());
  EXPECT_EQ(suggested_prefetch(data, 1), 2);
  std::set<std::pair<Index, Index>> places;
  for (std::uint64_t epoch = 1; epoch <= 100; ++epoch) {
    const std::vector<float> seen = one(data, 4, 1, epoch);
    const auto first = static_cast<Index>(seen[0]) - 4;  // 10 row + column
    const Index top = first / 10, left = first % 10;
    ASSERT_LE(top, 2);
    ASSERT_LE(left, 2);
    ASSERT_TRUE(is_piece(seen, 4, top, left, 7, 6)) << "epoch " << epoch;
    places.emplace(top, left);
  }
  EXPECT_EQ(places.size(), 9u) << "every place occurs";
}

TEST(Crop, HasItsPlaceFromSeedEpochAndExampleAlone) {
  const Dataset data = pictures().with_crop(3, 3);
  const std::vector<float> batch =
      data.transformed(std::vector<Index>{9, 0, 5}, 1, 2).inputs.to_vector<float>();
  EXPECT_EQ(std::vector<float>(batch.begin() + 36, batch.end()), one(data, 5, 1, 2));
  EXPECT_EQ(one(on_demand().with_crop(3, 3), 5, 1, 2), one(data, 5, 1, 2));
  const auto places = [&](std::uint64_t seed, std::uint64_t epoch) {
    std::vector<float> out;
    for (Index n = 0; n < kCount; ++n) out.push_back(one(data, n, seed, epoch)[0] - static_cast<float>(n));
    return out;
  };
  EXPECT_NE(places(1, 1), places(1, 2));
  EXPECT_NE(places(1, 1), places(2, 1));
  EXPECT_NE(places(1, 1), std::vector<float>(kCount, places(1, 1)[0])) << "every picture its own";
}

TEST(Crop, IsTheSameForAnyThreads) {
  const std::vector<Transform> all = {{.name = "flip"}, {.name = "rotate"}, {.name = "elastic"}};
  const auto epoch = [&](const Dataset& data, int threads, Index ahead) {
    const Loader loader(data.with_crop(5, 4).with_transforms(all, threads), {.batch_size = 5, .seed = 4});
    BatchStream batches(loader.epoch(2), {.ahead = ahead});
    std::vector<float> out;
    while (std::optional<Batch> batch = batches.next()) {
      EXPECT_EQ(batch->inputs.shape()[2], 5);
      const std::vector<float> more = batch->inputs.to_vector<float>();
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  };
  // Enough work that helpers are begun.
  const Tensor large = Tensor::build<std::uint8_t>({20, 1, 48, 48}, [](std::span<std::uint8_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i * i / 7);
  });
  const Dataset data("large", large, Tensor::from(std::vector<std::int64_t>(20), {20}));
  const std::vector<float> alone = epoch(data, 1, 0);
  for (const int threads : {1, 2, 3}) EXPECT_EQ(epoch(data, threads, 2), alone);
  EXPECT_EQ(epoch(on_demand(), 2, 1), epoch(pictures(), 1, 0));
}

TEST(Crop, ComesAfterTheTransforms) {
  // Mirrored as a whole, then cut: a place to the left shows what was at the right.
  const Dataset data = pictures().with_crop(9, 3).with_transforms({{.name = "flip", .p = 1.0}});
  const Dataset plain = pictures().with_crop(9, 3);
  for (Index n = 0; n < kCount; ++n) {
    const std::vector<float> seen = one(data, n, 1, 1);
    const auto left = one(plain, n, 1, 1)[0] - static_cast<float>(n);
    EXPECT_EQ(seen[0], static_cast<float>(pixel(n, 0, 0, kWidth - 1)) - left);
    EXPECT_EQ(seen[1], seen[0] - 1.0f);
    EXPECT_TRUE(is_piece(data.batch(n, 1).inputs.to_vector<float>(), n, 0, 2, 9, 3)) << "judged as it is";
  }
}

TEST(Crop, IsPreprocessedAsTheWholeWas) {
  const Dataset channels = pictures().with_preprocessing(
      {.divisor = 2.0, .means = {1.0, 50.0}, .deviations = {2.0, 4.0}, .shared = kHeight * kWidth});
  const Dataset data = channels.with_crop(1, 2);
  EXPECT_EQ(data.preprocessing().shared, 2u);
  EXPECT_EQ(data.batch(0, 1).inputs.to_vector<float>(),
            (std::vector<float>{(43 / 2.0f - 1) / 2, (44 / 2.0f - 1) / 2, (143 / 2.0f - 50) / 4,
                                (144 / 2.0f - 50) / 4}));
  // What is learned from it is learned from the middles.
  for (const Dataset& cut : {pictures().with_crop(1, 2), on_demand().with_crop(1, 2)}) {
    const Preprocessing learned = standardised_by_channel(cut);
    EXPECT_DOUBLE_EQ(learned.means[0], 43.5 + 5.5);
    EXPECT_DOUBLE_EQ(learned.means[1], 143.5 + 5.5);
    EXPECT_EQ(cut.with_preprocessing(standardised_by_feature(cut)).preprocessing().means.size(), 4u);
  }
}

TEST(Crop, TakesNumbersOfAnyType) {
  const Dataset line("line", Tensor::from(std::vector<double>{1, 2, 3, 4, 5}, {1, 1, 1, 5}), tensor({0}));
  EXPECT_EQ(line.with_crop(1, 3).batch(0, 1).inputs.to_vector<double>(), (std::vector<double>{2, 3, 4}));
}

TEST(Crop, SaysWhatDoesNotFit) {
  EXPECT_ERROR(ShapeError, pictures().with_crop(10, 4),
               "[with_crop] pictures: pictures of 9 x 8 have no piece of 10 x 4");
  EXPECT_ERROR(ValueError, pictures().with_crop(0, 4),
               "[with_crop] height and width must be positive, got 0 x 4");
  EXPECT_ERROR(ValueError, pictures().with_crop(2, -1),
               "[with_crop] height and width must be positive, got 2 x -1");
  EXPECT_ERROR(ShapeError, pictures().with_sample_shape({144}).with_crop(2, 2),
               "[with_crop] pictures: examples have the shape [144]; pictures [channels, height, width] are "
               "needed");
  EXPECT_ERROR(
      ShapeError, pictures().with_crop(2, 2).with_sample_shape({8}),
      "[with_sample_shape] pictures: examples are cut out of pictures [2, 9, 8] and keep their shape "
      "[2, 2, 2]");
  EXPECT_ERROR(ValueError, with_displaced(pictures().with_crop(2, 2), 1),
               "[with_displaced] pictures: has a crop, which would be lost; displace first");
  EXPECT_THROW(pictures().with_preprocessing(standardised_by_feature(pictures())).with_crop(2, 2),
               ValueError);
  EXPECT_THROW(pictures().with_crop(2, 2).batch(12, 1), IndexError);
}

}  // namespace
}  // namespace splot
