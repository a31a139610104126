#include "splot/train/callback.h"

#include <string>

#include <gtest/gtest.h>

#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/trainer.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

Tensor mse(const Tensor& y, const Tensor& t) { return mse_loss(y, t); }

// y = 2 x, in three batches of two.
Dataset line() {
  return Dataset("line", tensor({{1.0f}, {2.0f}, {3.0f}, {4.0f}, {5.0f}, {6.0f}}),
                 tensor({{2.0f}, {4.0f}, {6.0f}, {8.0f}, {10.0f}, {12.0f}}));
}

TrainingResult learn(TrainerOptions options, const Dataset* validation = nullptr) {
  Sequential net(Linear(1, 1, {.weight_init = init::ones(), .bias_init = init::zeros()}));
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.01});
  options.batch_size = 2;
  options.shuffle = false;
  return Trainer(net, mse, optimizer, options).fit(line(), validation);
}

// Writes down what it is told.
class Diary final : public Callback {
 public:
  std::string told;

  void on_train_begin(TrainingView& view) override { told += join("begin ", view.epochs, ' ', view.steps); }
  void on_epoch_begin(TrainingView& view) override { told += join(" | epoch ", view.epoch, ':'); }
  void on_update_begin(TrainingView& view, const StepRecord&) override {
    before_ = named_parameters(view.model)[0].parameter.value().item<double>();
  }
  void on_step_end(TrainingView& view, const StepRecord& step) override {
    const Parameter weight = named_parameters(view.model)[0].parameter;
    told += join(' ', view.step, '(', view.total_steps, ')');
    EXPECT_NEAR(before_ - 0.01 * weight.grad().item<double>(), weight.value().item<double>(), 1e-6)
        << "the weights before and after the step, and the gradient between them";
    EXPECT_EQ(step.inputs.shape(), (Shape{2, 1}));
    EXPECT_FALSE(step.output.requires_grad());
    EXPECT_NEAR(mse(step.output, step.targets).item<double>(), step.loss, 1e-6);
  }
  void on_epoch_end(TrainingView& view, EpochRecord& record) override {
    told += join(" end ", record.epoch);
    EXPECT_EQ(view.history.size(), static_cast<std::size_t>(record.epoch - 1));
  }
  void on_train_end(TrainingView&, TrainingResult& result) override {
    told += join(" | over after ", result.steps);
  }

 private:
  double before_ = 0.0;
};

TEST(Callback, IsToldOfEverythingInOrder) {
  const auto diary = std::make_shared<Diary>();
  learn({.epochs = 2, .callbacks = {diary}});
  EXPECT_EQ(diary->told,
            "begin 2 3 | epoch 1: 1(1) 2(2) 3(3) end 1 | epoch 2: 1(4) 2(5) 3(6) end 2 | over after 6");
}

// A callback made of one function.
class AtStep final : public Callback {
 public:
  explicit AtStep(std::function<void(TrainingView&)> body) : body_(std::move(body)) {}
  void on_step_end(TrainingView& view, const StepRecord&) override { body_(view); }

 private:
  std::function<void(TrainingView&)> body_;
};

TEST(Callback, EndsTheTrainingAfterTheStep) {
  const auto stop = std::make_shared<AtStep>([](TrainingView& view) {
    if (view.total_steps >= 4) view.request_stop("enough");
  });
  const TrainingResult result = learn({.epochs = 5, .callbacks = {stop}});
  EXPECT_EQ(result.steps, 4);
  EXPECT_EQ(result.stop_reason, "enough");
  EXPECT_FALSE(result.stopped) << "nobody outside asked";
  EXPECT_EQ(result.history.size(), 1u);
}

TEST(Callback, AddsMetricsNormsAndWarnings) {
  class Adds final : public Callback {
    void on_train_begin(TrainingView& view) override { view.warn({"early", "", 0, "before the first"}); }
    void on_epoch_end(TrainingView& view, EpochRecord& record) override {
      record.metrics.push_back({"val_accuracy", record.epoch == 2 ? 0.9 : 0.5});
      record.norms.push_back({"0.weight", 1.0, 2.0, 3.0});
      view.warn({"odd", "0", 0, "an odd epoch"});
    }
  };
  const Dataset validation = line();
  std::vector<std::size_t> seen;
  const TrainingResult result = learn({.epochs = 3,
                                       .callbacks = {std::make_shared<Adds>()},
                                       .on_epoch =
                                           [&](const EpochRecord& r) {
                                             seen.push_back(r.metrics.size());
                                             EXPECT_EQ(r.norms.size(), 1u);
                                           }},
                                      &validation);
  EXPECT_EQ(seen, (std::vector<std::size_t>{3, 3, 3}));
  EXPECT_EQ(result.best_epoch, 2) << "an added metric counts when the best epoch is chosen";
  ASSERT_EQ(result.warnings.size(), 4u);
  EXPECT_EQ(result.warnings[0].code, "early");
  EXPECT_EQ(result.warnings[0].epoch, 0);
  EXPECT_EQ(result.warnings[3].epoch, 3);
  ASSERT_EQ(result.history[0].warnings.size(), 2u);
  EXPECT_EQ(result.history[0].warnings[1].where, "0");
}

TEST(Callback, FiguresOfATestSetAreCalledSo) {
  const Dataset test = line();
  const TrainingResult result = learn({.watch = "test"}, &test);
  ASSERT_EQ(result.history[0].metrics.size(), 2u);
  EXPECT_EQ(result.history[0].metrics[1].name, "test_loss");
  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_ERROR(ValueError, learn({.watch = "train"}),
               "[Trainer] watch must be \"val\" or \"test\", got \"train\"");
}

TEST(Callback, RefusesWhatItDoesNotRemember) {
  const NamedTensors state = {{"count", tensor({1.0f})}};
  EXPECT_ERROR(ValueError, Diary().load_state_dict(state),
               "[load_state_dict] this callback remembers nothing, so there is no count");
  EXPECT_ERROR(ValueError, learn({.callbacks = {nullptr}}), "[Trainer] a callback is null");
}

}  // namespace
}  // namespace splot
