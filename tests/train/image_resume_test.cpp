// Pictures changed by chance, convolutions, batch norm and dropout: the same bits on any number of threads,
// and after any interruption.
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/nn/pooling_layers.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/optim/schedule.h"
#include "splot/train/model_file.h"
#include "splot/train/trainer.h"

#include "tests/support/temp_folder.h"

namespace splot {
namespace {

constexpr Index kEpochs = 3;
constexpr Index kSteps = 6;  // of an epoch: 44 pictures in batches of 8

Dataset pictures(std::uint64_t seed) {
  const Tensor pixels =
      cast(uniform({44, 3, 12, 12}, RandomKey{.seed = seed}, {.low = 0.0, .high = 256.0}), kUInt8);
  const Tensor classes =
      cast(floor(uniform({44}, RandomKey{.seed = seed + 1}, {.low = 0.0, .high = 3.0})), kInt64);
  return Dataset("pictures", pixels, classes, {"a", "b", "c"}, {.divisor = 255.0});
}

// One training with objects of its own; threads calculate, data_threads change the pictures.
struct Training {
  Training(int threads, int data_threads, const std::string& checkpoint = "", Index stop_after = 0)
      : train(pictures(1).with_transforms({{.name = "flip"},
                                           {.name = "crop", .padding = 2},
                                           {.name = "rotate", .degrees = 20},
                                           {.name = "scale"},
                                           {.name = "shift"},
                                           {.name = "elastic", .p = 0.5, .sigma = 2, .alpha = 8}},
                                          data_threads)),
        net(Conv2d(3, 8, Ints{3}, {.same = true}), BatchNorm2d(8), ReLU(), MaxPool2d(Ints{2}),
            Conv2d(8, 12, Ints{3}), BatchNorm2d(12), ReLU(), Dropout({.p = 0.2}), Flatten(),
            Linear(12 * 16, 3)) {
    cpu::set_num_threads(threads);
    initialize(net, 5);
    optimizer.emplace(named_parameters(net), AdamOptions{.lr = 0.01});
    TrainerOptions options{.epochs = kEpochs, .batch_size = 8, .metrics = {metrics::accuracy()}};
    options.seed = 5;
    options.schedule = schedule::one_cycle({.steps = kEpochs * kSteps});
    options.checkpoint.path = checkpoint;
    if (stop_after > 0) options.stop = [this, stop_after] { return ++asked == stop_after; };
    trainer.emplace(
        net, [](const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }, *optimizer, options);
  }
  // Weights, running statistics, what the optimiser remembers, and what was said of each epoch.
  std::string story() const {
    std::string out = weights_sha256(net) + '\n';
    for (const NamedTensor& entry : optimizer->state_dict()) {
      out += entry.name + ' ' + weights_sha256({{entry.name, entry.value}}) + '\n';
    }
    for (const EpochRecord& epoch : result.history) {
      for (const Metric& m : epoch.metrics) out += join(m.name, ' ', m.value, ' ');
    }
    return out;
  }

  Dataset train;
  Dataset validation = pictures(7);
  mutable Sequential net;
  std::optional<Adam> optimizer;
  std::optional<Trainer> trainer;
  Index asked = 0;
  TrainingResult result;
};

std::string uninterrupted(int threads, int data_threads) {
  Training training(threads, data_threads);
  training.result = training.trainer->fit(training.train, &training.validation);
  return training.story();
}

class ImageTraining : public testing::Test {
 protected:
  ~ImageTraining() override { cpu::set_num_threads(threads_); }

 private:
  const int threads_ = cpu::num_threads();
};

TEST_F(ImageTraining, IsTheSameOnAnyNumberOfThreads) {
  const std::string one = uninterrupted(1, 1);
  for (const int threads : {2, 3, 8}) {
    EXPECT_EQ(uninterrupted(threads, 1), one) << threads << " threads calculate";
    EXPECT_EQ(uninterrupted(1, threads), one) << threads << " threads change pictures";
    EXPECT_EQ(uninterrupted(threads, threads), one) << threads << " threads do both";
  }
}

TEST_F(ImageTraining, ResumedFromAnyStepItIsTheOneThatWasNotInterrupted) {
  const std::string whole = uninterrupted(2, 2);
  const test::TempFolder folder;
  const std::string path = folder.file("checkpoint.safetensors");
  for (Index step = 1; step < kEpochs * kSteps; ++step) {
    const int before = 1 + static_cast<int>(step) % 3, after = 1 + static_cast<int>(step) % 4;
    Training first(before, after, path, step);
    first.result = first.trainer->fit(first.train, &first.validation);
    ASSERT_EQ(first.result.steps, step);
    Training second(after, before, path);
    second.result = second.trainer->resume(path, second.train, &second.validation);
    ASSERT_EQ(second.story(), whole) << "step " << step << ", " << before << " and " << after << " threads";
  }
}

}  // namespace
}  // namespace splot
