// NaN and infinity put into a training: found in that step, with the place named, and the best weights as
// they were.
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/model_file.h"
#include "splot/train/trainer.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

constexpr Index kSteps = 5;  // in an epoch: 20 examples in batches of 4
constexpr float kBad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()};

std::string word(float bad) { return join(bad); }

// The tensor with one element replaced.
Tensor spoiled(const Tensor& x, Index at, float bad) {
  std::vector<float> values = x.to_vector<float>();
  values[static_cast<std::size_t>(at) % values.size()] = bad;
  return Tensor::from(values, x.shape());
}

Dataset points(const char* name, std::uint64_t seed) {
  return Dataset(name, normal({20, 3}, RandomKey{.seed = seed}),
                 normal({20, 2}, RandomKey{.seed = seed + 100}));
}

// What is done to the training, when, and what the error says of it.
struct Injection {
  Index step = 1;                                         // over all epochs, from 1
  std::function<void(TrainingView&)> before_update = {};  // in that step, once gradients are there
  std::function<void(TrainingView&)> after_step = {};     // at the end of the step before
  std::function<Tensor(const Tensor& loss)> loss = {};
  std::string place;
};

class Injector final : public Callback {
 public:
  explicit Injector(const Injection& injection) : injection_(injection) {}
  // Weights are changed between steps, so that whole plans meet them.
  bool needs_gradients(const TrainingView&) const override { return injection_.before_update != nullptr; }
  void on_update_begin(TrainingView& view, const StepRecord&) override {
    if (injection_.before_update && view.total_steps + 1 == injection_.step) injection_.before_update(view);
  }
  void on_epoch_begin(TrainingView& view) override { on_time(view); }
  void on_step_end(TrainingView& view, const StepRecord&) override {
    if (view.step < view.steps) on_time(view);
  }

 private:
  // Before the step in question: after the step before it, but in its own epoch.
  void on_time(TrainingView& view) {
    if (injection_.after_step && view.total_steps + 1 == injection_.step) injection_.after_step(view);
  }
  const Injection& injection_;
};

// A network whose layers have every kind of activation that could swallow an infinity.
Sequential network() {
  return Sequential(Linear(3, 5), ReLU(), Linear(5, 4), Sigmoid(), Linear(4, 4), Tanh(), Linear(4, 2));
}

// Trains for four epochs with the injection; checks step, words, and that the weights are those of the best
// epoch before.
void expect_found(const Injection& injection, Dataset train = points("train", 1)) {
  Sequential net = network();
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.05, .momentum = 0.5});
  const Dataset validation = points("validation", 2);
  Index step = 0;
  std::string best = weights_sha256(net);  // of the beginning, where no epoch is over
  double best_loss = std::numeric_limits<double>::infinity();
  TrainerOptions options{.epochs = 4, .batch_size = 4, .shuffle = false};
  options.compiled = !injection.loss;  // which counts its calls
  options.callbacks = {std::make_shared<Injector>(injection)};
  options.on_epoch = [&](const EpochRecord& record) {
    if (metric(record.metrics, "val_loss") >= best_loss) return;
    best_loss = metric(record.metrics, "val_loss");
    best = weights_sha256(net);
  };
  const LossFunction loss = [&](const Tensor& y, const Tensor& t) {
    const Tensor value = mse_loss(y, t);
    const bool learns = value.requires_grad();
    if (learns) ++step;
    return learns && injection.loss && step == injection.step ? injection.loss(value) : value;
  };
  Trainer trainer(net, loss, optimizer, options);
  const Index epoch = (injection.step - 1) / kSteps + 1;
  const Index in_epoch = (injection.step - 1) % kSteps + 1;
  EXPECT_ERROR(DivergenceError, trainer.fit(train, &validation),
               join("[train] epoch ", epoch, ", step ", in_epoch, " of 5: ", injection.place));
  EXPECT_EQ(trainer.result().steps, injection.step - 1);
  if (epoch > 1) {
    EXPECT_EQ(weights_sha256(net), best);
    EXPECT_GT(trainer.result().best_epoch, 0);
  }
  for (const NamedParameter& p : named_parameters(net)) {
    // Without a finished epoch there are no best weights; what is spoiled from outside stays so.
    if (injection.after_step && epoch == 1) break;
    for (const double value : p.parameter.value().to_vector<double>())
      ASSERT_TRUE(std::isfinite(value)) << p.name;
  }
}

// 20 steps x 3 values.
TEST(Divergence, OfInputsIsFoundInItsStep) {
  for (Index step = 1; step <= kSteps; ++step) {
    for (const float bad : kBad) {
      for (Index i = 0; i < 4; ++i) {
        const Dataset good = points("train", 1);
        const Index at = (step - 1) * 4 * 3 + i * 3 + i % 3;
        expect_found({.step = step, .place = "the inputs of this batch hold " + word(bad)},
                     Dataset("train", spoiled(good.inputs(), at, bad), good.targets()));
      }
      const Dataset good = points("train", 1);
      expect_found({.step = step, .place = "the targets of this batch hold " + word(bad)},
                   Dataset("train", good.inputs(), spoiled(good.targets(), (step - 1) * 4 * 2 + step, bad)));
    }
  }
}

// 8 parameters x 3 values x 3 steps: also where the next layer would swallow it.
TEST(Divergence, OfWeightsNamesTheLayer) {
  for (std::size_t i = 0; i < 8; ++i) {
    for (const float bad : kBad) {
      for (const Index step :
           {1 + static_cast<Index>(i) % 5, 6 + static_cast<Index>(i), 18 + static_cast<Index>(i) % 3}) {
        const auto spoil = [&](TrainingView& view) {
          Parameter p = named_parameters(view.model)[i].parameter;
          p.assign(spoiled(p.value(), step * 3, bad));
        };
        const std::string place = join("parameter ", i % 2 == 0 ? "weight" : "bias", " of layer ", i / 2 * 2,
                                       " holds ", word(bad), " before the step");
        expect_found({.step = step, .after_step = spoil, .place = place});
      }
    }
  }
}

// 20 steps x 3 values.
TEST(Divergence, OfTheLossIsTheLosss) {
  for (Index step = 1; step <= 4 * kSteps; ++step) {
    for (const float bad : kBad) {
      expect_found(
          {.step = step,
           .loss = [&](const Tensor& loss) { return loss * bad; },
           .place = "the loss is " + word(bad) + ": the outputs are finite, the loss of them is not"});
    }
  }
}

// 8 parameters x 3 values x 2 steps, put there after backward().
TEST(Divergence, OfGradientsIsFoundBeforeTheyReachTheWeights) {
  for (std::size_t i = 0; i < 8; ++i) {
    for (const float bad : kBad) {
      for (const Index step : {2 + static_cast<Index>(i), 12 + static_cast<Index>(i)}) {
        const auto spoil = [&](TrainingView& view) {
          Parameter p = named_parameters(view.model)[i].parameter;
          p.set_grad(spoiled(p.grad(), step, bad));
        };
        expect_found(
            {.step = step,
             .before_update = spoil,
             .place = join("the gradient of parameter ", i % 2 == 0 ? "weight" : "bias", " of layer ",
                           i / 2 * 2, " holds ", word(bad),
                           "; the derivatives themselves are finite: it was put there after backward()")});
      }
    }
  }
}

// sqrt(x^2): right everywhere, but at 0 its derivative is 0 * inf.
class Length final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override { return sqrt(x * x); }
};

// A derivative that is NaN where the value is not, in a layer without parameters, in each place of a network.
TEST(Divergence, OfADerivativeNamesTheLayerItComesFrom) {
  const LinearOptions to_zero = {.weight_init = init::zeros(), .bias_init = init::zeros()};
  const auto complaint = [](Sequential net) -> std::string {
    initialize(net, 1);
    SGD optimizer(named_parameters(net), {.lr = 0.1});
    Trainer trainer(net, [](const Tensor& y, const Tensor& t) { return mse_loss(y, t); }, optimizer,
                    {.batch_size = 20});
    try {
      trainer.fit(Dataset("points", points("p", 1).inputs(), normal({20, 3}, RandomKey{.seed = 3})));
    } catch (const DivergenceError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(
      complaint(Sequential(Linear(3, 3, to_zero), Length(), Linear(3, 3), Tanh(), Linear(3, 3))),
      "[train] epoch 1, step 1 of 1: the gradient of parameter bias of layer 0 holds nan; it first appears "
      "in the derivative of layer 1");
  EXPECT_EQ(
      complaint(Sequential(Linear(3, 3), Tanh(), Linear(3, 3, to_zero), Length())),
      "[train] epoch 1, step 1 of 1: the gradient of parameter bias of layer 2 holds nan; it first appears "
      "in the derivative of layer 3");
  EXPECT_EQ(
      complaint(Sequential(Linear(3, 3), Sequential(Linear(3, 3, to_zero), Length()), Linear(3, 3))),
      "[train] epoch 1, step 1 of 1: the gradient of parameter bias of layer 1.0 holds nan; it first appears "
      "in the derivative of layer 1.1");
}

TEST(Divergence, OfTheLosssDerivativeSaysSo) {
  Sequential net(Linear(3, 2, {.weight_init = init::zeros(), .bias_init = init::zeros()}));
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.1});
  Trainer trainer(net, [](const Tensor& y, const Tensor&) { return mean(sqrt(y * y)); }, optimizer,
                  {.batch_size = 20});
  EXPECT_ERROR(
      DivergenceError, trainer.fit(points("p", 1)),
      "[train] epoch 1, step 1 of 1: the gradient of parameter bias of layer 0 holds nan; it first appears "
      "in the derivative of the loss");
}

TEST(Divergence, OfTheUpdateIsFoundBeforeTheNextStep) {
  Sequential net(Linear(3, 2));
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 1e39});
  Trainer trainer(net, [](const Tensor& y, const Tensor& t) { return mse_loss(y, t); }, optimizer,
                  {.batch_size = 4});
  try {
    trainer.fit(points("p", 1));
    FAIL() << "no error";
  } catch (const DivergenceError& error) {
    const std::string text = error.what();
    EXPECT_TRUE(text.starts_with("[train] epoch 1, step 1 of 5: parameter weight of layer 0 holds ")) << text;
    EXPECT_TRUE(text.ends_with("after the update with learning rate 1e+39")) << text;
  }
}

}  // namespace
}  // namespace splot
