#include "splot/data/batch_source.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "splot/data/dataset.h"
#include "splot/data/prefetch.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

// What two tensors hold, read row by row; counts the rows, and notices two readers at once.
class Rows final : public BatchSource {
 public:
  Rows(const Tensor& inputs, const Tensor& targets) : inputs_(inputs), targets_(targets) {}
  Index size() const override { return inputs_.shape()[0]; }
  Batch read(std::span<const Index> indices) override {
    EXPECT_FALSE(busy_.exchange(true)) << "one at a time";
    rows += static_cast<int>(indices.size());
    Batch out{index_select(inputs_, 0, list(indices)), index_select(targets_, 0, list(indices))};
    busy_ = false;
    if (spoil) spoil(out);
    return out;
  }

  std::atomic<int> rows = 0;
  std::function<void(Batch&)> spoil;

 private:
  static Tensor list(std::span<const Index> indices) {
    return Tensor::from(std::vector<std::int64_t>(indices.begin(), indices.end()),
                        {static_cast<Index>(indices.size())});
  }
  Tensor inputs_, targets_;
  std::atomic<bool> busy_ = false;
};

Tensor pixels(Index n) {
  std::vector<std::uint8_t> x(static_cast<std::size_t>(n * 6));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(i * 7 + i / 11);
  return Tensor::from(x, {n, 2, 3});
}

Tensor classes_of(Index n) {
  std::vector<std::uint8_t> y(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<std::uint8_t>(i % 3);
  return Tensor::from(y, {n});
}

const std::vector<std::string> kClasses = {"a", "b", "c"};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * a.dtype().size()) == 0;
}

void expect_same(const Dataset& is, const Dataset& wanted) {
  ASSERT_EQ(is.size(), wanted.size());
  EXPECT_EQ(is.sample_shape(), wanted.sample_shape());
  const std::vector<Index> mixed = shuffled_indices(is.size(), 3, 1);
  for (const std::vector<Index>& indices :
       {mixed, std::vector<Index>{}, std::vector<Index>{0, 0, is.size() - 1}}) {
    EXPECT_TRUE(same_bits(is.batch(indices).inputs, wanted.batch(indices).inputs));
    EXPECT_TRUE(same_bits(is.batch(indices).targets, wanted.batch(indices).targets));
  }
  EXPECT_TRUE(same_bits(is.batch(1, 3).inputs, wanted.batch(1, 3).inputs));
  EXPECT_TRUE(same_bits(is.stored(1, 3).inputs, wanted.stored(1, 3).inputs));
  EXPECT_TRUE(same_bits(is.stored(1, 3).targets, wanted.stored(1, 3).targets));
}

TEST(BatchSource, IsSeenAsTheTensorsWouldBe) {
  const Preprocessing standard = {.divisor = 255.0, .mean = 0.25, .deviation = 0.5};
  for (const Tensor& x : {pixels(20), cast(pixels(20), kFloat32), cast(pixels(20), kFloat64)}) {
    const Dataset whole("d", x, classes_of(20), kClasses);
    const Dataset lazy("d", std::make_shared<Rows>(x, classes_of(20)), kClasses);
    EXPECT_TRUE(whole.in_memory());
    EXPECT_FALSE(lazy.in_memory());
    const std::vector<Index> odd = {19, 1, 7, 3, 5, 5};
    const auto views = [&](const Dataset& data) {
      return std::vector<Dataset>{
          data,
          data.with_preprocessing(standard),
          data.with_preprocessing(standardised_by_feature(data)),
          data.with_preprocessing(standardised(data)),
          data.with_sample_shape({6}),
          data.slice(4, 11),
          data.slice(4, 11).slice(2, 6),
          data.subset(odd),
          data.subset(odd).slice(1, 5),
          data.slice(2, 10).subset(std::vector<Index>{9, 0, 4, 4}),
          data.split({5, 10})[1].with_sample_shape({3, 2}).with_preprocessing(standard)};
    };
    const std::vector<Dataset> is = views(lazy);
    const std::vector<Dataset> wanted = views(whole);
    for (std::size_t i = 0; i < is.size(); ++i) {
      SCOPED_TRACE(i);
      expect_same(is[i], wanted[i]);
      EXPECT_EQ(is[i].preprocessing(), wanted[i].preprocessing());
    }
  }
}

TEST(BatchSource, NothingIsReadBeforeItIsAskedFor) {
  const auto source = std::make_shared<Rows>(pixels(50), classes_of(50));
  const Dataset data("d", source, kClasses);
  EXPECT_EQ(source->rows, 1) << "the first, to know shapes and dtypes";
  const Loader loader(data.split({40, 10})[0], {.batch_size = 8});
  const Loader::Epoch epoch = loader.epoch(0);
  EXPECT_EQ(source->rows, 1);
  EXPECT_EQ(epoch[2].inputs.shape(), Shape({8, 2, 3}));
  EXPECT_EQ(source->rows, 9);
  EXPECT_EQ(suggested_prefetch(data, 1), 2);
}

TEST(BatchSource, PrefetchChangesNoBit) {
  const Loader lazy(
      Dataset("d", std::make_shared<Rows>(pixels(203), classes_of(203)), kClasses, {.divisor = 255.0}),
      {.batch_size = 10, .seed = 4});
  const Loader whole(Dataset("d", pixels(203), classes_of(203), kClasses, {.divisor = 255.0}),
                     {.batch_size = 10, .seed = 4});
  for (const Index ahead : {0, 1, 2, 7}) {
    const Loader::Epoch plain = whole.epoch(3);
    BatchStream batches(lazy.epoch(3), {.ahead = ahead});
    for (Index at = 0; at < plain.size(); ++at) {
      const std::optional<Batch> batch = batches.next();
      ASSERT_TRUE(batch && same_bits(batch->inputs, plain[at].inputs) &&
                  same_bits(batch->targets, plain[at].targets));
    }
    EXPECT_FALSE(batches.next());
  }
}

TEST(BatchSource, IsAskedByOneThreadAtATime) {
  const Dataset data("d", std::make_shared<Rows>(pixels(60), classes_of(60)), kClasses);
  std::vector<std::thread> threads;
  for (Index t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (Index i = 0; i < 50; ++i) data.slice(t, 20).batch(i % 10, 5);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(BatchSource, WhatComesIsChecked) {
  const auto source = std::make_shared<Rows>(pixels(9), classes_of(9));
  const Dataset data("d", source, kClasses);
  source->spoil = [](Batch& b) { b.inputs = slice(b.inputs, 0, 0, 1); };
  EXPECT_ERROR(ShapeError, data.batch(0, 2),
               "[Dataset] d: 2 examples were asked for, inputs[1, 2, 3] and targets[2] came");
  source->spoil = [](Batch& b) { b.inputs = reshape(b.inputs, {2, 6}); };
  EXPECT_ERROR(
      ShapeError, data.batch(0, 2),
      "[Dataset] d: inputs[2, 6] are not like those of the first example, which have the shape [1, 2, 3]");
  source->spoil = [](Batch& b) { b.inputs = cast(b.inputs, kFloat32); };
  EXPECT_ERROR(DTypeError, data.batch(0, 2),
               "[Dataset] d: inputs are float32, those of the first example uint8");
  source->spoil = [](Batch& b) { b.targets = b.targets + 2; };
  EXPECT_ERROR(ValueError, data.slice(2, 5).batch(1, 2),
               "[Dataset] d: target 2 is class 3, there are classes 0 to 2");
  source->spoil = [](Batch& b) { b.targets = Tensor(); };
  EXPECT_ERROR(ValueError, data.batch(0, 2), "[Dataset] d: inputs or targets are undefined");
  source->spoil = [](Batch&) { throw IoError("the disk is gone"); };
  EXPECT_ERROR(IoError, data.batch(0, 2), "the disk is gone");
  const Loader loader(data, {.batch_size = 3});
  BatchStream ahead(loader.epoch(0), {.ahead = 2});
  EXPECT_THROW(ahead.next(), IoError) << "from the other thread too";
  source->spoil = {};
  EXPECT_ERROR(
      ValueError, data.inputs(),
      "[Dataset] d: examples are read on demand, there is no tensor of all; batch() and stored() give some");
  EXPECT_THROW(data.targets(), ValueError);
  EXPECT_ERROR(IndexError, data.batch(8, 2), "[batch] d: examples 8 to 9 of 9 were asked for");
  EXPECT_ERROR(ValueError, Dataset("none", std::make_shared<Rows>(pixels(0), classes_of(0))),
               "[Dataset] none has no examples");
  EXPECT_ERROR(ValueError, Dataset("null", std::shared_ptr<BatchSource>()),
               "[Dataset] null: the source is null");
}

}  // namespace
}  // namespace splot
