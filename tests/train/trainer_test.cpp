#include "splot/train/trainer.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/dropout.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/model_file.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

Tensor cross_entropy_loss(const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }

// Points in the plane, of class 1 inside a ring around the middle.
Dataset ring(Index n, std::uint64_t seed) {
  RandomStream random({.seed = seed, .stream = stream_of("ring"), .counter = 0});
  std::vector<float> points;
  std::vector<std::int64_t> classes;
  for (Index i = 0; i < n; ++i) {
    const double x = random.uniform(-1.0, 1.0);
    const double y = random.uniform(-1.0, 1.0);
    points.push_back(static_cast<float>(x));
    points.push_back(static_cast<float>(y));
    classes.push_back(x * x + y * y < 0.6 ? 1 : 0);
  }
  return Dataset("ring", Tensor::from(points, {n, 2}), Tensor::from(classes, {n}), {"outside", "inside"});
}

struct Learned {
  Sequential net;
  TrainingResult result;
  std::string hash;
};

Learned learn(std::uint64_t seed, TrainerOptions options) {
  Learned out{Sequential(Linear(2, 48), ReLU(), Dropout({.p = 0.1}), Linear(48, 2)), {}, {}};
  initialize(out.net, seed);
  Adam optimizer(named_parameters(out.net), {.lr = 0.01});
  options.seed = seed;
  options.batch_size = 32;
  options.metrics = {metrics::accuracy()};
  const Dataset train = ring(500, 1);
  const Dataset validation = ring(300, 2);
  Trainer trainer(out.net, cross_entropy_loss, optimizer, options);
  out.result = trainer.fit(train, &validation);
  out.hash = weights_sha256(out.net);
  return out;
}

TEST(Trainer, LearnsARingAndEndsWithTheBestEpoch) {
  Learned run = learn(1, {.epochs = 20});
  ASSERT_EQ(run.result.history.size(), 20u);
  EXPECT_EQ(run.result.steps, 20 * 16);
  const auto at = [&](std::size_t epoch, const char* name) {
    return metric(run.result.history[epoch].metrics, name);
  };
  EXPECT_LT(at(19, "loss"), 0.5 * at(0, "loss"));
  EXPECT_GT(at(19, "accuracy"), 0.9);
  double best = 0.0;
  for (std::size_t i = 0; i < 20; ++i) best = std::max(best, at(i, "val_accuracy"));
  EXPECT_GT(best, 0.92);
  ASSERT_GT(run.result.best_epoch, 0);
  EXPECT_EQ(at(static_cast<std::size_t>(run.result.best_epoch - 1), "val_accuracy"), best);
  // The weights at the end are that epoch's: they give its figures again.
  const std::vector<Metric> again =
      evaluate(run.net, cross_entropy_loss, ring(300, 2), {metrics::accuracy()});
  EXPECT_EQ(metric(again, "accuracy"), best);
}

TEST(Trainer, KeepsTheLastWeightsWhenAsked) {
  const Learned last = learn(1, {.epochs = 12, .keep_best = false});
  const Learned best = learn(1, {.epochs = 12});
  EXPECT_EQ(last.result.best_epoch, best.result.best_epoch) << "known all the same";
  if (best.result.best_epoch != 12) {
    EXPECT_NE(last.hash, best.hash);
  }
}

TEST(Trainer, TheSeedAloneDecidesWhateverTheThreads) {
  const int before = cpu::num_threads();
  const Learned one = learn(7, {.epochs = 3});
  for (const int threads : {1, 2, 3, 8}) {
    cpu::set_num_threads(threads);
    EXPECT_EQ(learn(7, {.epochs = 3}).hash, one.hash) << threads << " threads";
  }
  cpu::set_num_threads(before);
  EXPECT_NE(learn(8, {.epochs = 3}).hash, one.hash);
}

TEST(Trainer, StopsAfterTheStepInWhichItIsAsked) {
  int asked = 0;
  const Learned run = learn(1, {.epochs = 5, .stop = [&] { return ++asked == 20; }});
  EXPECT_TRUE(run.result.stopped);
  EXPECT_EQ(run.result.steps, 20);
  EXPECT_EQ(run.result.history.size(), 1u) << "an epoch of 16 steps is finished, the second is not";
}

TEST(Trainer, FollowsTheScheduleAndPutsTheRateBack) {
  Sequential net(Linear(2, 2));
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.5});
  std::vector<double> rates;
  Trainer trainer(net, cross_entropy_loss, optimizer,
                  {.epochs = 2,
                   .batch_size = 50,
                   .schedule = [](Index step) { return 1.0 / static_cast<double>(step + 1); },
                   .stop =
                       [&] {
                         rates.push_back(optimizer.lr());
                         return false;
                       }});
  trainer.fit(ring(100, 1));
  EXPECT_EQ(rates, (std::vector<double>{0.5, 0.25, 0.5 / 3.0, 0.125}));
  EXPECT_EQ(optimizer.lr(), 0.5);
}

TEST(Trainer, ReportsProgressAndEpochs) {
  Index last_step = 0;
  int epochs_over = 0;
  std::vector<Index> epochs;
  learn(1, {.epochs = 3,
            .progress =
                [&](const Progress& p) {
                  EXPECT_EQ(p.epochs, 3);
                  EXPECT_EQ(p.steps, 16);
                  EXPECT_EQ(p.metrics.size(), p.epoch_over ? 4u : 2u);
                  last_step = p.step;
                  epochs_over += p.epoch_over ? 1 : 0;
                },
            .on_epoch = [&](const EpochRecord& record) { epochs.push_back(record.epoch); }});
  EXPECT_EQ(last_step, 16);
  EXPECT_EQ(epochs_over, 3);
  EXPECT_EQ(epochs, (std::vector<Index>{1, 2, 3}));
}

// 1 / x
class Inverse final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override { return 1.0f / x; }
};

TEST(Trainer, NamesTheLayerWhereInfinityAppears) {
  Sequential net(Linear(1, 1, {.weight_init = init::ones(), .bias_init = init::zeros()}), Inverse(),
                 Identity());
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.0});
  Trainer trainer(net, [](const Tensor& y, const Tensor& t) { return mse_loss(y, t); }, optimizer,
                  {.epochs = 2, .batch_size = 1, .shuffle = false});
  const Tensor targets = tensor({{1.0f}, {1.0f}, {1.0f}});
  EXPECT_ERROR(DivergenceError, trainer.fit(Dataset("points", tensor({{1.0f}, {2.0f}, {0.0f}}), targets)),
               "[train] epoch 1, step 3 of 3: the loss is inf: it first appears in the output of layer 1");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_ERROR(DivergenceError, trainer.fit(Dataset("points", tensor({{1.0f}, {nan}, {0.0f}}), targets)),
               "[train] epoch 1, step 2 of 3: the inputs of this batch hold nan");
}

TEST(Trainer, DivergenceLeavesTheBestWeights) {
  Sequential net(Linear(2, 8), ReLU(), Linear(8, 2));
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.1});
  const Dataset validation = ring(100, 2);
  std::vector<double> accuracies;
  // From the third epoch on the rate is absurd.
  Trainer trainer(
      net, cross_entropy_loss, optimizer,
      {.epochs = 5,
       .batch_size = 50,
       .metrics = {metrics::accuracy()},
       .schedule = [](Index step) { return step < 4 ? 1.0 : 1e30; },
       .on_epoch = [&](const EpochRecord& r) { accuracies.push_back(metric(r.metrics, "val_accuracy")); }});
  EXPECT_THROW(trainer.fit(ring(100, 1), &validation), DivergenceError);
  ASSERT_GE(accuracies.size(), 2u);
  const double best = *std::max_element(accuracies.begin(), accuracies.end());
  EXPECT_EQ(metric(evaluate(net, cross_entropy_loss, validation, {metrics::accuracy()}), "accuracy"), best);
}

TEST(Trainer, RefusesWhatCannotWork) {
  Sequential net(Linear(2, 2));
  SGD optimizer(named_parameters(net), {.lr = 0.1});
  EXPECT_ERROR(ValueError, Trainer(net, cross_entropy_loss, optimizer, {.batch_size = 0}),
               "[Trainer] batch_size must be positive, got 0");
  Trainer trainer(net, cross_entropy_loss, optimizer);
  EXPECT_ERROR(ValueError, trainer.fit(ring(10, 1).slice(0, 0)),
               "[Trainer] ring has no examples to learn from");
  EXPECT_ERROR(ValueError, evaluate(net, cross_entropy_loss, ring(10, 1).slice(0, 0)),
               "[evaluate] ring has no examples");
}

TEST(Metrics, CountClassesSidesAndSquares) {
  const Tensor output = tensor({{1.0f, 3.0f}, {2.0f, 2.0f}, {0.0f, -1.0f}});
  EXPECT_EQ(metrics::accuracy().sum(output, Tensor::from(std::vector<std::int64_t>{1, 0, 1}, {3})), 2.0)
      << "the first of two equal outputs counts";
  const Tensor sides = tensor({{1.0f, 0.0f}, {1.0f, 1.0f}, {0.0f, 0.0f}});
  EXPECT_EQ(metrics::binary_accuracy(0.5).sum(output, sides), 2.0);
  EXPECT_EQ(metrics::mse().sum(output, zeros({3, 2})), (1 + 9 + 4 + 4 + 0 + 1) / 2.0);
  EXPECT_ERROR(ShapeError, metrics::mse().sum(output, zeros({3})),
               "[mse] output[3, 2] and target[3] need the same shape [n, ...]");
}

}  // namespace
}  // namespace splot
