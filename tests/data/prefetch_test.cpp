#include "splot/data/prefetch.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace splot {
namespace {

Dataset pixels(Index n) {
  std::vector<std::uint8_t> x(static_cast<std::size_t>(n * 6));
  std::iota(x.begin(), x.end(), std::uint8_t{0});
  std::vector<std::int64_t> y(static_cast<std::size_t>(n));
  std::iota(y.begin(), y.end(), 0);
  return Dataset("pixels", Tensor::from(x, {n, 6}), Tensor::from(y, {n}), {}, {.divisor = 255.0});
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * a.dtype().size()) == 0;
}

TEST(Prefetch, ChangesNoBit) {
  for (const bool shuffle : {false, true}) {
    const Loader loader(pixels(1003), {.batch_size = 10, .shuffle = shuffle, .seed = 4});
    for (const Index ahead : {0, 1, 2, 7, 64}) {
      for (const Index first : {0, 50, 100, 101}) {
        const Loader::Epoch plain = loader.epoch(3);
        BatchStream batches(loader.epoch(3), {.first = first, .ahead = ahead});
        Index at = first;
        while (const std::optional<Batch> batch = batches.next()) {
          const Batch wanted = plain[at++];
          ASSERT_TRUE(same_bits(batch->inputs, wanted.inputs)) << at;
          ASSERT_TRUE(same_bits(batch->targets, wanted.targets)) << at;
        }
        EXPECT_EQ(at, 101);
        EXPECT_FALSE(batches.next().has_value()) << "and none after that";
      }
    }
  }
}

// The worker is sometimes ahead and sometimes behind.
TEST(Prefetch, DoesNotDependOnTiming) {
  const Loader loader(pixels(300), {.batch_size = 10});
  BatchStream batches(loader.epoch(0), {.ahead = 3});
  for (Index i = 0; i < 30; ++i) {
    if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_TRUE(same_bits(batches.next()->targets, loader.epoch(0)[i].targets));
  }
}

TEST(Prefetch, SaysHowLongItWaited) {
  const Loader loader(pixels(20), {.batch_size = 10});
  std::atomic<bool> asked = false;
  const auto slow = [&](Index i) {
    while (!asked) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return loader.epoch(0)[i];
  };
  BatchStream batches(1, slow, {.ahead = 1});
  EXPECT_EQ(batches.waited(), 0.0);
  asked = true;
  EXPECT_TRUE(batches.next().has_value());
  EXPECT_GT(batches.waited(), 0.0);
  EXPECT_LT(batches.waited(), 60.0) << "seconds";
  BatchStream at_once(1, slow, {.ahead = 0});
  EXPECT_TRUE(at_once.next().has_value());
  EXPECT_EQ(at_once.waited(), 0.0) << "nothing is ahead";
}

TEST(Prefetch, MayEndAtAnyTime) {
  const Loader loader(pixels(1000), {.batch_size = 5});
  for (Index taken = 0; taken < 40; ++taken) {
    BatchStream batches(loader.epoch(1), {.ahead = 1 + taken % 4});
    for (Index i = 0; i < taken; ++i) ASSERT_TRUE(batches.next().has_value());
  }
}

TEST(Prefetch, ThrowsWhatPreparingABatchThrowsWhenItIsDue) {
  const Dataset data = pixels(100);
  for (const Index ahead : {0, 1, 2, 8}) {
    BatchStream batches(10,
                        [&](Index i) {
                          require<IoError>(i < 7, "camera", "picture ", i, " is torn");
                          return data.batch(i * 10, 10);
                        },
                        {.ahead = ahead});
    for (Index i = 0; i < 7; ++i) {
      EXPECT_TRUE(same_bits(batches.next()->targets, data.batch(i * 10, 10).targets)) << ahead;
    }
    EXPECT_ERROR(IoError, batches.next(), "[camera] picture 7 is torn");
  }
  // One that nobody waits for disappears with the stream.
  BatchStream unread(1, [](Index) -> Batch { throw ValueError("never seen"); });
}

TEST(Prefetch, RefusesWhatCannotWork) {
  const Loader loader(pixels(100), {.batch_size = 10});
  EXPECT_ERROR(IndexError, BatchStream(loader.epoch(0), {.first = 11}),
               "[BatchStream] cannot begin with batch 11 of 10");
  EXPECT_ERROR(ValueError, BatchStream(loader.epoch(0), {.ahead = 65}),
               "[BatchStream] ahead must be 0 to 64, got 65");
}

TEST(Prefetch, IsSuggestedForLargeBatchesAlone) {
  EXPECT_EQ(suggested_prefetch(pixels(100), 10), 0);
  EXPECT_EQ(suggested_prefetch(pixels(100), 20'000), 2);
  EXPECT_EQ(suggested_prefetch(pixels(0), 10), 0);
}

}  // namespace
}  // namespace splot
