#include "splot/data/dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

Dataset counting(Index n) {
  std::vector<float> x(static_cast<std::size_t>(2 * n));
  std::iota(x.begin(), x.end(), 0.0f);
  std::vector<std::uint8_t> y(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<std::uint8_t>(i % 3);
  return Dataset("counting", Tensor::from(x, {n, 2}), Tensor::from(y, {n}), {"a", "b", "c"});
}

TEST(Dataset, HasBatchesByIndexAndByRange) {
  const Dataset data = counting(5);
  EXPECT_EQ(data.size(), 5);
  EXPECT_EQ(data.sample_shape(), Shape({2}));
  const Batch picked = data.batch(std::vector<Index>{4, 0, 4});
  EXPECT_EQ(picked.inputs.to_vector<float>(), (std::vector<float>{8, 9, 0, 1, 8, 9}));
  EXPECT_EQ(picked.targets.dtype(), kInt64);
  EXPECT_EQ(picked.targets.to_vector<int>(), (std::vector<int>{1, 0, 1}));
  const Batch run = data.batch(1, 2);
  EXPECT_EQ(run.inputs.to_vector<float>(), (std::vector<float>{2, 3, 4, 5}));
  EXPECT_EQ(run.targets.to_vector<int>(), (std::vector<int>{1, 2}));
  EXPECT_EQ(data.batch(5, 0).inputs.shape(), Shape({0, 2}));
}

TEST(Dataset, PreprocessesEveryKindOfInput) {
  const Preprocessing p = {.divisor = 255.0, .mean = 0.5, .deviation = 2.0};
  const auto expected = [&](double x) { return static_cast<float>((x / 255.0 - 0.5) / 2.0); };
  const Tensor y = tensor({0.0f, 0.0f});
  const std::vector<Index> both = {0, 1};
  for (const Tensor& x :
       {Tensor(tensor<std::uint8_t>({7, 255})), Tensor(tensor({7, 255})), Tensor(tensor({7.0f, 255.0f}))}) {
    const Tensor out = Dataset("d", x, y, {}, p).batch(both).inputs;
    EXPECT_EQ(out.dtype(), kFloat32);
    EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{expected(7), expected(255)}));
    EXPECT_EQ(Dataset("d", x, y, {}, p).batch(0, 2).inputs.to_vector<float>(), out.to_vector<float>());
  }
  const Tensor out = Dataset("d", tensor({7.0, 255.0}), y, {}, p).batch(both).inputs;
  EXPECT_EQ(out.to_vector<double>(), (std::vector<double>{(7.0 / 255.0 - 0.5) / 2.0, 0.25}));
  // Pixels over 255 without anything else are what x / 255.0f gives.
  std::vector<std::uint8_t> pixels(256);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  const Tensor grey =
      Dataset("g", Tensor::from(pixels, {256}), Tensor::from(pixels, {256}), {}, {.divisor = 255.0})
          .batch(0, 256)
          .inputs;
  for (int i = 0; i < 256; ++i) EXPECT_EQ(grey.data<float>()[i], static_cast<float>(i) / 255.0f);
}

TEST(Dataset, IsStandardisedByItsTrainingPartAlone) {
  const Tensor x = tensor<std::uint8_t>({10, 20, 30, 40, 200, 200});
  const Dataset all("d", x, x, {}, {.divisor = 10.0});
  const std::vector<Dataset> parts = all.split({4, 2});
  const Preprocessing p = standardised(parts[0]);
  EXPECT_EQ(p.divisor, 10.0);
  EXPECT_EQ(p.mean, 2.5);
  EXPECT_DOUBLE_EQ(p.deviation, std::sqrt(1.25));
  const std::vector<float> seen = parts[0].with_preprocessing(p).batch(0, 4).inputs.to_vector<float>();
  EXPECT_NEAR(std::accumulate(seen.begin(), seen.end(), 0.0), 0.0, 1e-6);
  EXPECT_NEAR(std::inner_product(seen.begin(), seen.end(), seen.begin(), 0.0), 4.0, 1e-6);
  EXPECT_NEAR(parts[1].with_preprocessing(p).batch(0, 1).inputs.item<double>(), 17.5 / std::sqrt(1.25), 1e-5);
  EXPECT_EQ(standardised(parts[1]).deviation, 1.0) << "all the same";
  EXPECT_ERROR(ValueError, standardised(parts[0].slice(0, 0)), "[standardised] d has no examples");
}

TEST(Dataset, EqualNumbersAreOnlyMovedToZero) {
  // A tenth is no sum of powers of two: the mean of seven of them may miss it by its rounding.
  const Dataset same("same", full({7, 1}, 0.1, kFloat64), zeros({7}));
  for (const Preprocessing& p : {standardised(same), standardised_by_feature(same)}) {
    EXPECT_EQ(p.deviation_of(0), 1.0);
    EXPECT_NEAR(same.with_preprocessing(p).batch(3, 1).inputs.item<double>(), 0.0, 1e-15);
  }
}

TEST(Dataset, IsStandardisedFeatureByFeature) {
  const Tensor y = zeros({4});
  const std::vector<double> expected = {-1.34164078649987, 0, -1, -0.447213595499958, 0, 1,
                                        0.447213595499958, 0, -1, 1.34164078649987,   0, 1};
  // Columns in other units, the second always the same.
  const std::vector<double> rows = {10, 7, 100, 20, 7, 200, 30, 7, 100, 40, 7, 200};
  for (const DType dtype : {kUInt8, kInt64, kFloat32, kFloat64}) {
    const Dataset train("t", cast(Tensor::from(rows, {4, 3}), dtype), y, {}, {.divisor = 10.0});
    const Preprocessing p = standardised_by_feature(train);
    EXPECT_EQ(p.means, (std::vector<double>{2.5, 0.7, 15.0}));
    EXPECT_EQ(p.deviations[1], 1.0);
    const Dataset seen = train.with_preprocessing(p);
    const std::vector<double> all = seen.batch(0, 4).inputs.to_vector<double>();
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(all[i], expected[i], 1e-6) << dtype.to_string();
    // The same example alone, by another way, and with its axes named otherwise.
    const std::vector<double> third(all.begin() + 6, all.begin() + 9);
    EXPECT_EQ(seen.batch(std::vector<Index>{2}).inputs.to_vector<double>(), third);
    EXPECT_EQ(seen.slice(2, 2).with_sample_shape({3, 1}).batch(0, 1).inputs.to_vector<double>(), third);
  }
}

TEST(Dataset, IsStandardisedChannelByChannel) {
  const std::vector<double> pixels = [] {  // two channels of sixteen numbers each
    std::vector<double> out;
    for (int i = 0; i < 3 * 2 * 16; ++i) out.push_back(i / 16 % 2 == 0 ? i % 7 : 100 + i % 3);
    return out;
  }();
  for (const DType dtype : {kUInt8, kFloat64}) {
    const Dataset train("t", cast(Tensor::from(pixels, {3, 2, 4, 4}), dtype), zeros({3}), {},
                        {.divisor = 2.0});
    const Preprocessing p = standardised_by_channel(train);
    EXPECT_EQ(p.shared, 16u);
    ASSERT_EQ(p.means.size(), 2u);
    const Tensor all = train.with_preprocessing(p).batch(0, 3).inputs;
    for (Index c = 0; c < 2; ++c) {
      double sum = 0.0, squares = 0.0;
      for (Index n = 0; n < 3; ++n) {
        for (Index i = 0; i < 16; ++i) {
          const double stored = pixels[static_cast<std::size_t>(32 * n + 16 * c + i)];
          const double x = all.to_vector<double>()[static_cast<std::size_t>(32 * n + 16 * c + i)];
          EXPECT_NEAR(x,
                      (stored / 2.0 - p.means[static_cast<std::size_t>(c)]) /
                          p.deviations[static_cast<std::size_t>(c)],
                      1e-6);
          sum += x;
          squares += x * x;
        }
      }
      EXPECT_NEAR(sum / 48, 0.0, 1e-6) << dtype.to_string();
      EXPECT_NEAR(squares / 48, 1.0, 1e-6) << dtype.to_string();
    }
  }
  const Dataset table("table", zeros({2, 3}), zeros({2}));
  EXPECT_ERROR(ShapeError, standardised_by_channel(table),
               "[standardised_by_channel] table: examples of shape [3] have no channels");
  EXPECT_ERROR(
      ValueError, table.with_preprocessing({.means = {0.0}, .deviations = {1.0}, .shared = 2}),
      "[Dataset] table: preprocessing has a mean for every 2 numbers, which do not divide the 3 of an "
      "example of shape [3]");
}

TEST(Dataset, SlicesSplitsAndSubsets) {
  const Dataset data = counting(6);
  const std::vector<Dataset> parts = data.split({3, 2});
  EXPECT_EQ(parts[1].batch(std::vector<Index>{1}).inputs.to_vector<int>(), (std::vector<int>{8, 9}));
  EXPECT_EQ(parts[1].slice(1, 1).batch(0, 1).inputs.to_vector<int>(), (std::vector<int>{8, 9}));
  EXPECT_EQ(parts[1].slice(1, 1).targets().to_vector<int>(), (std::vector<int>{1}));
  const Dataset picked = parts[0].subset(std::vector<Index>{2, 0});
  EXPECT_EQ(picked.inputs().to_vector<int>(), (std::vector<int>{4, 5, 0, 1}));
  EXPECT_EQ(picked.classes(), data.classes());
  EXPECT_EQ(data.with_sample_shape({1, 2, 1}).batch(1, 2).inputs.shape(), Shape({2, 1, 2, 1}));
  EXPECT_EQ(data.with_sample_shape({1, 2, 1}).slice(3, 1).inputs().to_vector<int>(),
            (std::vector<int>{6, 7}));
}

TEST(Dataset, TakesStridedAndEmptyTensors) {
  const Tensor x = tensor({{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}});
  Ref<TensorImpl> turned = x.impl()->window();
  turned->shape = Shape({3, 2});
  turned->strides = Strides{1, 3};
  turned->contiguous = false;
  const Dataset data("turned", Tensor(std::move(turned)), tensor({1, 2, 3}));
  EXPECT_EQ(data.batch(1, 2).inputs.to_vector<int>(), (std::vector<int>{2, 5, 3, 6}));
  const Dataset none("none", Tensor::empty({0, 4}, kUInt8), Tensor::empty({0}, kUInt8), {"a"},
                     {.divisor = 255.0});
  EXPECT_EQ(none.batch(0, 0).inputs.shape(), Shape({0, 4}));
  EXPECT_EQ(Loader(none).batch_count(), 0);
}

TEST(Dataset, SaysWhatDoesNotFit) {
  EXPECT_ERROR(ShapeError, Dataset("d", tensor({1.0f, 2.0f}), tensor({1})),
               "[Dataset] d: inputs[2] and targets[1] need the same number of examples along axis 0");
  EXPECT_ERROR(ValueError, Dataset("d", tensor({1.0f, 2.0f}), tensor({0, 2}), {"a", "b"}),
               "[Dataset] d: target 1 is class 2, there are classes 0 to 1");
  EXPECT_ERROR(ValueError, Dataset("d", Tensor(), tensor({1})),
               "[Dataset] d: inputs or targets are undefined");
  EXPECT_ERROR(ValueError, Dataset("d", tensor({1.0f}), tensor({1}), {}, {.divisor = 0.0}),
               "[Dataset] d: preprocessing divides by zero");
  EXPECT_ERROR(
      ValueError, Dataset("d", zeros({1, 2, 3}), zeros({1}), {}, {.means = {1.0, 2.0}, .deviations = {1.0}}),
      "[Dataset] d: preprocessing has 2 means and 1 deviations; examples of shape [2, 3] need 6 of each");
  const Dataset data = counting(5);
  EXPECT_ERROR(IndexError, data.batch(std::vector<Index>{1, 5}),
               "[batch] counting: examples 5 to 5 of 5 were asked for");
  EXPECT_ERROR(IndexError, data.batch(-1, 2), "[batch] counting: examples -1 to 0 of 5 were asked for");
  EXPECT_ERROR(IndexError, data.slice(3, 3), "[slice] counting: examples 3 to 5 of 5 were asked for");
  EXPECT_ERROR(ValueError, data.split({3, 3}),
               "[split] counting: part 1 of 3 examples does not fit into the 2 left of 5");
  EXPECT_ERROR(ShapeError, data.with_sample_shape({3}),
               "[with_sample_shape] counting: examples of shape [2] do not fit [3]");
}

template <typename L>
concept CanBeAskedForAnEpoch = requires(L loader) {
  std::forward<L>(loader).epoch(0);
};
static_assert(CanBeAskedForAnEpoch<const Loader&>);
static_assert(!CanBeAskedForAnEpoch<Loader>, "an epoch reads its loader: one that is about to end has none");

TEST(Loader, VisitsEveryExampleOnceAndEndsWithASmallerBatch) {
  const Loader loader(counting(10), {.batch_size = 4});
  std::multiset<int> seen;
  std::vector<Index> sizes;
  for (const Batch& batch : loader.epoch(0)) {
    sizes.push_back(batch.inputs.shape()[0]);
    for (const int x : batch.inputs.to_vector<int>()) seen.insert(x);
  }
  EXPECT_EQ(sizes, (std::vector<Index>{4, 4, 2}));
  EXPECT_EQ(seen.size(), 20u);
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), 20u);
  EXPECT_EQ(Loader(counting(10), {.batch_size = 4, .drop_last = true}).batch_count(), 2);
  EXPECT_EQ(Loader(counting(8), {.batch_size = 4}).batch_count(), 2);
}

TEST(Loader, ShufflesBySeedAndEpochAlone) {
  EXPECT_EQ(shuffled_indices(100, 1, 2), shuffled_indices(100, 1, 2));
  EXPECT_NE(shuffled_indices(100, 1, 2), shuffled_indices(100, 1, 3));
  EXPECT_NE(shuffled_indices(100, 1, 2), shuffled_indices(100, 2, 2));
  std::vector<Index> sorted = shuffled_indices(100, 1, 2);
  std::sort(sorted.begin(), sorted.end());
  for (Index i = 0; i < 100; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
  const Loader loader(counting(10), {.batch_size = 3, .seed = 7});
  const std::vector<Index> order = shuffled_indices(10, 7, 5);
  EXPECT_EQ(loader.epoch(5)[1].inputs.to_vector<Index>()[0], 2 * order[3]);
  const Loader plain(counting(4), {.batch_size = 3, .shuffle = false});
  EXPECT_EQ(plain.epoch(9)[1].inputs.to_vector<int>(), (std::vector<int>{6, 7}));
}

// Each of the 24 orders of 4 examples is as likely as any other.
TEST(Loader, PreparesPixelsOfEveryWidth) {
  for (const Index width : {1, 3, 4, 7, 8, 30}) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(11 * width));
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37 + 5);
    const Dataset data("d", Tensor::from(pixels, {11, width}), zeros({11}), {},
                       {.divisor = 255.0, .mean = 0.25, .deviation = 0.5});
    const Loader loader(data, {.batch_size = 4, .seed = 3});
    const std::vector<Index> order = shuffled_indices(11, 3, 2);
    std::vector<float> expected;
    for (const Index i : order) {
      for (Index j = 0; j < width; ++j) {
        const double pixel = pixels[static_cast<std::size_t>(i * width + j)];
        expected.push_back(static_cast<float>((pixel / 255.0 - 0.25) / 0.5));
      }
    }
    std::vector<float> got;
    for (const Batch& batch : loader.epoch(2)) {
      const std::vector<float> part = batch.inputs.to_vector<float>();
      got.insert(got.end(), part.begin(), part.end());
    }
    EXPECT_EQ(got, expected) << width;
  }
}

TEST(Loader, ShufflesEvenly) {
  std::vector<int> counts(24);
  for (std::uint64_t epoch = 0; epoch < 24000; ++epoch) {
    const std::vector<Index> order = shuffled_indices(4, 3, epoch);
    std::vector<Index> walk = {0, 1, 2, 3};
    std::size_t rank = 0;
    while (walk != order) {
      std::next_permutation(walk.begin(), walk.end());
      ++rank;
    }
    ++counts[rank];
  }
  double chi = 0.0;
  for (const int count : counts) chi += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi, 50.0) << "23 degrees of freedom: exceeded once in 1000";
}

TEST(Loader, SaysWhatDoesNotFit) {
  EXPECT_ERROR(ValueError, Loader(counting(3), {.batch_size = 0}),
               "[Loader] batch_size must be positive, got 0");
  const Loader loader(counting(3), {.batch_size = 2});
  EXPECT_ERROR(IndexError, loader.epoch(0)[2], "[Loader] there is no batch 2 of 2");
}

}  // namespace
}  // namespace splot
