// Averages of the weights beside a training, and figures that are no means: both go through checkpoints.
#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/model_file.h"
#include "splot/train/regression.h"
#include "splot/train/trainer.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

Tensor loss_of(const Tensor& y, const Tensor& t) { return mse_loss(y, t); }

Dataset points(const char* name, Index n, std::uint64_t seed) {
  const Tensor x = uniform({n, 3}, RandomKey{.seed = seed});
  return Dataset(name, x, sin(x * 3.0) + uniform({n, 3}, RandomKey{.seed = seed + 1}));
}

constexpr Index kSteps = 5;  // in an epoch: 40 examples in batches of 8

struct Training {
  explicit Training(TrainerOptions options) {
    initialize(net, 1);
    options.batch_size = 8;
    options.metrics = {metrics::r2(), metrics::rmse(), metrics::mse()};
    trainer = std::make_unique<Trainer>(net, loss_of, optimizer, std::move(options));
  }
  void fit() { result = trainer->fit(train, &validation); }
  void resume(const std::string& path) { result = trainer->resume(path, train, &validation); }
  double figure(std::size_t epoch, const std::string& name) const {
    return metric(result.history.at(epoch - 1).metrics, name);
  }

  Dataset train = points("train", 40, 1);
  Dataset validation = points("validation", 30, 5);
  Sequential net{Linear(3, 4), Tanh(), Linear(4, 3)};
  Adam optimizer{named_parameters(net), {.lr = 0.02}};
  std::unique_ptr<Trainer> trainer;
  TrainingResult result;
};

const AveragedWeightsOptions kEma = {.averaging = Averaging::exponential, .decay = 0.9};
const AveragedWeightsOptions kMean = {.averaging = Averaging::equal};

// Averages by hand, after PyTorch's recipe for swa_utils: update_parameters() after every step or epoch, then
// the averaged network is asked.
class ByHand final : public Callback {
 public:
  ByHand(const AveragedWeightsOptions& options, Index start) : options_(options), start_(start) {}

  void on_train_begin(TrainingView& view) override {
    average_ = std::make_unique<AveragedWeights>(named_parameters(view.model), options_);
  }
  void on_step_end(TrainingView& view, const StepRecord&) override {
    if (options_.averaging == Averaging::exponential && view.epoch >= start_) average_->update();
  }
  void on_epoch_end(TrainingView& view, EpochRecord& record) override {
    if (options_.averaging == Averaging::equal && view.epoch >= start_) average_->update();
    own.push_back(weights_sha256(view.model));
    if (average_->count() > 0) average_->swap();
    averaged.push_back(weights_sha256(view.model));
    EXPECT_EQ(metric(evaluate(view.model, loss_of, *view.validation), "loss"),
              metric(record.metrics, "val_loss"));
    if (average_->count() > 0) average_->swap();
  }

  std::vector<std::string> own, averaged;  // weights at the ends of epochs

 private:
  AveragedWeightsOptions options_;
  Index start_;
  std::unique_ptr<AveragedWeights> average_;
};

TEST(WeightAverage, IsWhatOneCalculatesByHand) {
  for (const AveragedWeightsOptions& form : {kEma, kMean}) {
    for (const Index start : {1, 3}) {
      const auto by_hand = std::make_shared<ByHand>(form, start);
      Training last(
          {.epochs = 4, .keep_best = false, .average = form, .average_start = start, .callbacks = {by_hand}});
      last.fit();
      EXPECT_EQ(weights_sha256(last.net), by_hand->averaged.back()) << "the model ends with the averages";
      EXPECT_NE(by_hand->own.back(), by_hand->averaged.back());
      if (start == 3) {
        EXPECT_EQ(by_hand->own[1], by_hand->averaged[1]);
      }

      Training best({.epochs = 4, .average = form, .average_start = start});
      best.fit();
      EXPECT_EQ(weights_sha256(best.net),
                by_hand->averaged.at(static_cast<std::size_t>(best.result.best_epoch - 1)));
      EXPECT_EQ(metric(evaluate(best.net, loss_of, best.validation), "loss"),
                best.figure(static_cast<std::size_t>(best.result.best_epoch), "val_loss"));
    }
  }
}

TEST(WeightAverage, LeavesTheStepsAlone) {
  const auto watch = std::make_shared<ByHand>(kEma, 100);
  Training plain({.epochs = 3, .callbacks = {watch}});
  plain.fit();
  for (const AveragedWeightsOptions& form : {kEma, kMean}) {
    const auto by_hand = std::make_shared<ByHand>(form, 2);
    Training averaged({.epochs = 3, .average = form, .average_start = 2, .callbacks = {by_hand}});
    averaged.fit();
    EXPECT_EQ(by_hand->own, watch->own);
    for (std::size_t epoch = 1; epoch <= 3; ++epoch) {
      EXPECT_EQ(averaged.figure(epoch, "loss"), plain.figure(epoch, "loss"));
    }
    EXPECT_EQ(averaged.figure(1, "val_loss"), plain.figure(1, "val_loss"));
    // The mean of one is that one.
    EXPECT_EQ(averaged.figure(2, "val_loss") == plain.figure(2, "val_loss"),
              form.averaging == Averaging::equal);
    EXPECT_NE(averaged.figure(3, "val_loss"), plain.figure(3, "val_loss"));
  }
}

std::string story(const Training& training, Layer& net) {
  std::string out = weights_sha256(net) + join(" best ", training.result.best_epoch, '\n');
  for (const EpochRecord& e : training.result.history) {
    for (const Metric& m : e.metrics) out += join(e.epoch, ' ', m.name, ' ', m.value, '\n');
  }
  return out;
}

TEST(WeightAverage, IsResumedBitForBitFromEveryStep) {
  for (const AveragedWeightsOptions& form : {kEma, kMean}) {
    for (const bool keep_best : {false, true}) {
      TrainerOptions options{.epochs = 4, .keep_best = keep_best, .average = form, .average_start = 2};
      Training whole(options);
      whole.fit();
      for (Index stop_at = 1; stop_at < 4 * kSteps; ++stop_at) {
        const test::TempFolder folder;
        const std::string path = folder.file("checkpoint.safetensors");
        TrainerOptions until = options;
        until.checkpoint.path = path;
        Index steps = 0;
        until.stop = [&] { return ++steps == stop_at; };
        Training first(until);
        first.fit();
        ASSERT_TRUE(first.result.stopped);
        Training second(options);
        second.resume(path);
        ASSERT_EQ(story(second, second.net), story(whole, whole.net)) << "stopped after step " << stop_at;
      }
    }
  }
}

TEST(WeightAverage, IsPartOfWhatACheckpointHasToAgreeWith) {
  const test::TempFolder folder;
  const std::string path = folder.file("checkpoint.safetensors");
  Training({.epochs = 2, .average = kEma, .checkpoint = {.path = path}}).fit();
  EXPECT_ERROR(ValueError, Training({.epochs = 2}).resume(path),
               "[resume] the checkpoint was made with the average ema 0.9 from epoch 1, now it is none");
  EXPECT_ERROR(
      ValueError, Training({.epochs = 2, .average = kMean, .average_start = 2}).resume(path),
      "[resume] the checkpoint was made with the average ema 0.9 from epoch 1, now it is mean from epoch 2");
  EXPECT_ERROR(ValueError, Training({.average = {{.decay = 1.0}}}),
               "[AveragedWeights] decay must be in [0, 1), got 1");
  EXPECT_ERROR(ValueError, Training({.average_start = 0}),
               "[Trainer] average_start must be 1 or more, got 0");
  EXPECT_ERROR(ValueError, Training({.epochs = 2, .average = kMean, .average_start = 3}),
               "[Trainer] average_start is 3, after the last epoch, 2");
}

TEST(WeightAverage, DivergenceLeavesTheAverages) {
  // A step at such a rate makes the weights infinite: it is not averaged in.
  Training training({.epochs = 3, .keep_best = false, .average = kEma, .schedule = [](Index step) {
                       return step < 7 ? 1.0 : 1e42;
                     }});
  EXPECT_THROW(training.fit(), DivergenceError);
  for (const NamedParameter& entry : named_parameters(training.net)) {
    for (const float w : entry.parameter.value().to_vector<float>()) EXPECT_LT(std::abs(w), 10.0f);
  }
}

TEST(Metrics, RootAndR2AreThoseOfAllExamples) {
  Training training({.epochs = 1, .keep_best = false});
  training.fit();
  RegressionTally tally;
  tally.add(training.net(training.validation.batch(0, 30).inputs), training.validation.targets());
  EXPECT_NEAR(training.figure(1, "val_r2"), tally.scores().r2, 1e-12);
  EXPECT_NEAR(training.figure(1, "val_rmse"), tally.scores().rmse, 1e-12);
  EXPECT_NEAR(training.figure(1, "rmse"), std::sqrt(training.figure(1, "mse")), 1e-12);
  // Whatever the batches.
  for (const Index batch : {1, 7, 30}) {
    const std::vector<Metric> all =
        evaluate(training.net, loss_of, training.validation, {metrics::r2(), metrics::rmse()}, batch);
    EXPECT_NEAR(metric(all, "r2"), tally.scores().r2, 1e-6);
    EXPECT_NEAR(metric(all, "rmse"), tally.scores().rmse, 1e-6);
  }
  EXPECT_ERROR(ValueError, evaluate(training.net, loss_of, training.validation, {{"odd"}}),
               "[evaluate] metric odd needs sum, or add and figure");
}

TEST(Metrics, AStateThatIsNoneIsRefused) {
  EXPECT_EQ(RegressionTally::from_state(RegressionTally().state()).scores().examples, 0);
  const std::vector<double> states[] = {{1.0, 2.0}, {-1.0}, {0.5}, {1e300}};
  for (const std::vector<double>& state : states) {
    EXPECT_THROW(RegressionTally::from_state(state), ValueError);
  }
}

}  // namespace
}  // namespace splot
