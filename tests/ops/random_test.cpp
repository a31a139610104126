#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

const RandomKey kKey = {.seed = 7, .stream = stream_of("tests"), .counter = 3};

CHECK_OP(uniform,
         {.run = [](In in) { return uniform({5}, in[0]); }, .inputs = {{key_tensor(kKey)}}, .orders = 0});
CHECK_OP(normal,
         {.run = [](In in) { return normal({5}, in[0]); }, .inputs = {{key_tensor(kKey)}}, .orders = 0});
CHECK_OP(bernoulli, {.run = [](In in) { return bernoulli({5}, 0.5, in[0]); },
                     .inputs = {{key_tensor(kKey)}},
                     .orders = 0});
CHECK_OP(randperm,
         {.run = [](In in) { return randperm(5, in[0]); }, .inputs = {{key_tensor(kKey)}}, .orders = 0});

class Random : public testing::Test {
 protected:
  Random() : set_(cpu::instruction_set()), threads_(cpu::num_threads()) {}
  ~Random() override {
    cpu::set_instruction_set(set_);
    cpu::set_num_threads(threads_);
  }

 private:
  cpu::InstructionSet set_;
  int threads_;
};

// The words of Philox in the order that splot/backend/cpu/random.h promises.
std::uint32_t word(const RandomKey& key, std::size_t i) {
  const std::size_t half = i % 32 / 16, block = i / 32 * 8 + i % 16 / 2;
  return random_block(key, block)[2 * half + i % 2];
}

TEST(Philox, GivesTheAuthorsKnownAnswers) {
  // From kat_vectors of the Random123 distribution, philox4x32 with 10 rounds.
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST_F(Random, UniformNumbersAreTheWordsOfPhiloxOnEveryInstructionSet) {
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    for (const Index n : {0, 1, 31, 32, 33, 700, 20000}) {
      const auto floats = uniform({n}, kKey).to_vector<float>();
      const auto doubles = uniform({n}, kKey, {.dtype = kFloat64}).to_vector<double>();
      for (std::size_t i = 0; i < floats.size(); ++i) {
        ASSERT_EQ(floats[i], static_cast<float>(word(kKey, i) >> 8) * 0x1p-24f) << name_of(set) << ' ' << i;
        const std::uint64_t both = std::uint64_t{word(kKey, 2 * i + 1)} << 32 | word(kKey, 2 * i);
        ASSERT_EQ(doubles[i], static_cast<double>(both >> 12) * 0x1p-52) << name_of(set) << ' ' << i;
      }
    }
  }
}

TEST_F(Random, TheBitsDoNotDependOnTheNumberOfThreads) {
  const auto draw = [] {
    return TensorList{uniform({300, 1001}, kKey, {.low = -3.0, .high = 5.0}), normal({300, 1001}, kKey),
                      bernoulli({300, 1001}, 0.3, kKey), randperm(1000, kKey)};
  };
  cpu::set_num_threads(1);
  const TensorList first = draw();
  for (const int threads : {2, 3, 8}) {
    cpu::set_num_threads(threads);
    const TensorList again = draw();
    for (std::size_t i = 0; i < first.size(); ++i)
      EXPECT_EQ(first[i].to_vector<double>(), again[i].to_vector<double>()) << threads << " threads";
  }
}

TEST(RandomKeys, EachPartOfTheKeyAndTheLengthMatterAsTheyShould) {
  const auto draw = [](const RandomKey& key, Index n) { return uniform({n}, key).to_vector<float>(); };
  const auto all = draw(kKey, 1000);
  EXPECT_EQ(all, draw(kKey, 1000));
  // A shorter tensor is the beginning of a longer one.
  EXPECT_TRUE(std::equal(all.begin(), all.begin() + 77, draw(kKey, 77).begin()));
  const RandomKey others[] = {
      {kKey.seed + 1, kKey.stream, kKey.counter},
      kKey.with_stream(kKey.stream + 1),
      kKey.with_counter(kKey.counter + 1),
      kKey.with_counter(kKey.counter + (std::uint64_t{1} << 32)),
      {kKey.seed + (std::uint64_t{1} << 32), kKey.stream, kKey.counter},
  };
  for (const RandomKey& other : others) {
    const auto found = draw(other, 1000);
    int equal = 0;
    for (std::size_t i = 0; i < all.size(); ++i) equal += all[i] == found[i];
    EXPECT_LE(equal, 2);
  }
}

struct Moments {
  double mean = 0, variance = 0, third = 0, fourth = 0;
};

Moments moments_of(const std::vector<double>& x) {
  Moments m;
  for (const double v : x) m.mean += v;
  m.mean /= static_cast<double>(x.size());
  for (const double v : x) {
    const double d = v - m.mean;
    m.variance += d * d;
    m.third += d * d * d;
    m.fourth += d * d * d * d;
  }
  m.variance /= static_cast<double>(x.size());
  m.third /= static_cast<double>(x.size());
  m.fourth /= static_cast<double>(x.size());
  return m;
}

// Bounds are five standard errors of a million draws.
TEST_F(Random, MomentsAreThoseOfTheDistributions) {
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Moments u = moments_of(
          uniform({1'000'000}, kKey, {.low = -1.0, .high = 1.0, .dtype = dtype}).to_vector<double>());
      EXPECT_NEAR(u.mean, 0.0, 0.003);
      EXPECT_NEAR(u.variance, 1.0 / 3.0, 0.0015);
      EXPECT_NEAR(u.fourth, 0.2, 0.0014);
      const Tensor z = normal({1'000'000}, kKey, {.dtype = dtype});
      const auto values = z.to_vector<double>();
      const Moments m = moments_of(values);
      EXPECT_NEAR(m.mean, 0.0, 0.005);
      EXPECT_NEAR(m.variance, 1.0, 0.0071);
      EXPECT_NEAR(m.third, 0.0, 0.02);
      EXPECT_NEAR(m.fourth, 3.0, 0.05);
      const auto beyond = [&](double bound) {
        return std::count_if(values.begin(), values.end(), [&](double v) { return std::abs(v) > bound; }) /
               1e6;
      };
      EXPECT_NEAR(beyond(1.0), 0.3173105, 0.0024);
      EXPECT_NEAR(beyond(2.0), 0.0455003, 0.0011);
      EXPECT_NEAR(beyond(3.0), 0.0026998, 0.00027);
      // Sine and cosine of the same angle: the two halves of a tile must not be related.
      double product = 0.0;
      const std::size_t half = dtype == kFloat32 ? 16 : 8;
      for (std::size_t i = 0; i + half < values.size(); ++i) product += values[i] * values[i + half];
      EXPECT_NEAR(product / 1e6, 0.0, 0.005);
    }
  }
}

TEST_F(Random, NormalNumbersAreBoxAndMullersOfTheWords) {
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    const auto z = normal({64 * 32}, kKey, {.mean = 10.0, .deviation = 2.0}).to_vector<float>();
    for (std::size_t i = 0; i < z.size(); ++i) {
      const std::size_t first = i / 32 * 32 + i % 16;
      const double v = (static_cast<double>(word(kKey, first) >> 1) + 1.0) * 0x1p-31;
      const double angle = 6.283185307179586 * (word(kKey, first + 16) >> 8) * 0x1p-24;
      const double radius = std::sqrt(-2.0 * std::log(v));
      ASSERT_NEAR(z[i], 10.0 + 2.0 * radius * (i % 32 < 16 ? std::cos(angle) : std::sin(angle)), 2e-5)
          << name_of(set) << ' ' << i;
    }
  }
}

TEST_F(Random, NormalTailsAreFinite) {
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    for (std::uint64_t counter = 0; counter < 20; ++counter) {
      const Tensor z = normal({1'000'000}, kKey.with_counter(counter));
      EXPECT_LT(max(z).item<float>(), 6.6f);
      EXPECT_GT(min(z).item<float>(), -6.6f);
    }
  }
}

TEST(Bernoulli, HasTheShareOfOnesAndTheDtypeAskedFor) {
  for (const DType dtype : {kFloat32, kFloat64, kUInt8, kBool, kInt64}) {
    const Tensor x = bernoulli({1000, 1000}, 0.3, kKey, dtype);
    EXPECT_EQ(x.dtype(), dtype);
    const auto values = x.to_vector<double>();
    EXPECT_NEAR(std::count(values.begin(), values.end(), 1.0) / 1e6, 0.3, 0.0023);
    EXPECT_EQ(std::count(values.begin(), values.end(), 1.0) + std::count(values.begin(), values.end(), 0.0),
              1'000'000);
  }
  EXPECT_EQ(sum(bernoulli({1000}, 0.0, kKey)).item<float>(), 0.0f);
  EXPECT_EQ(sum(bernoulli({1000}, 1.0, kKey)).item<float>(), 1000.0f);
}

TEST(Randperm, HoldsEveryNumberOnceAndEveryPlaceEquallyOften) {
  const auto order = randperm(1000, kKey).to_vector<std::int64_t>();
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 1000u);
  EXPECT_EQ(*std::max_element(order.begin(), order.end()), 999);
  EXPECT_EQ(randperm(0, kKey).shape(), Shape{0});
  EXPECT_EQ(randperm(1, kKey).to_vector<std::int64_t>(), std::vector<std::int64_t>{0});
  int counts[3][3] = {};
  for (std::uint64_t counter = 0; counter < 9000; ++counter) {
    const auto small = randperm(3, kKey.with_counter(counter)).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < 3; ++i) ++counts[i][small[i]];
  }
  for (const auto& row : counts) {
    for (const int count : row) EXPECT_NEAR(count, 3000, 225);  // five standard errors
  }
}

TEST(Dropout, KeepsTheExpectedValueAndGivesDroppedElementsNoGradient) {
  const Tensor x = full({1000, 100}, 2.0).variable();
  const Tensor y = dropout(x, 0.25, kKey);
  EXPECT_NEAR(mean(y).item<float>(), 2.0f, 0.02f);
  const auto values = y.to_vector<float>();
  const auto dx = grad(sum(y), {x})[0].to_vector<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_TRUE(values[i] == 0.0f || values[i] == 2.0f * static_cast<float>(1.0 / 0.75));
    ASSERT_EQ(dx[i], values[i] / 2.0f);
  }
  EXPECT_EQ(dropout(x, 0.0, kKey).to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(sum(dropout(x, 1.0, kKey)).item<float>(), 0.0f);
}

TEST(RandomErrors, NameWhatIsWrong) {
  EXPECT_ERROR(ValueError, bernoulli({3}, 1.5, kKey), "[bernoulli] p = 1.5 is not a probability");
  EXPECT_ERROR(ValueError, dropout(ones({3}), -0.5, kKey), "[dropout] p = -0.5 is not a probability");
  EXPECT_ERROR(ValueError, uniform({3}, kKey, {.low = 2.0, .high = 1.0}),
               "[uniform] there is nothing between low = 2 and high = 1");
  EXPECT_ERROR(ValueError, normal({3}, kKey, {.deviation = -1.0}), "[normal] the deviation -1 is negative");
  EXPECT_ERROR(DTypeError, uniform({3}, kKey, {.dtype = kInt64}),
               "[uniform] makes float32 or float64, not int64");
  EXPECT_ERROR(ShapeError, uniform({3}, zeros({2}, kInt64)),
               "[uniform] the key is int64 {seed, stream, counter}, got a tensor of shape [2]");
  EXPECT_ERROR(DTypeError, normal({3}, zeros({3})),
               "[normal] the key is int64 {seed, stream, counter}, got float32");
  EXPECT_ERROR(ValueError, randperm(-1, kKey), "[randperm] n = -1 is negative");
}

}  // namespace
}  // namespace splot
