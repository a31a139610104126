// What goes wrong inside a plan is found in its step, with the words and the weights of a training whose
// steps run call by call.
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/model_file.h"
#include "splot/train/trainer.h"

namespace splot {
namespace {

constexpr Index kBatch = 4;
constexpr Index kBatches = 12;

struct Failure {
  std::function<Sequential()> network;
  LossFunction loss;
  TrainerOptions options = {};
  // In the batch that fails.
  std::function<void(std::vector<float>& inputs, std::vector<std::int64_t>& classes)> spoil = {};
};

struct Came {
  std::string error = "no error";
  Index steps = 0;
  std::string weights;
  std::string state;
};

Dataset spoiled_data(const Failure& failure, Index batch) {
  std::vector<float> inputs = uniform({kBatch * kBatches, 3}, RandomKey{.seed = 1}).to_vector<float>();
  std::vector<std::int64_t> classes;
  for (Index i = 0; i < kBatch * kBatches; ++i) classes.push_back(i % 2);
  if (failure.spoil) {
    std::vector<float> some(kBatch * 3);
    std::vector<std::int64_t> which(kBatch);
    const auto at = static_cast<std::ptrdiff_t>(batch * kBatch);
    std::copy_n(inputs.begin() + at * 3, some.size(), some.begin());
    std::copy_n(classes.begin() + at, which.size(), which.begin());
    failure.spoil(some, which);
    std::copy(some.begin(), some.end(), inputs.begin() + at * 3);
    std::copy(which.begin(), which.end(), classes.begin() + at);
  }
  return Dataset("data", Tensor::from(inputs, {kBatch * kBatches, 3}),
                 Tensor::from(classes, {kBatch * kBatches}), {"a", "b", "c"});
}

Came train(const Failure& failure, Index batch, bool compiled) {
  Sequential net = failure.network();
  initialize(net, 1);
  Adam optimizer(named_parameters(net), {.lr = 0.01});
  TrainerOptions options = failure.options;
  options.epochs = 2;
  options.batch_size = kBatch;
  options.shuffle = false;
  options.compiled = compiled;
  Trainer trainer(net, failure.loss, optimizer, options);
  Came out;
  try {
    trainer.fit(spoiled_data(failure, batch));
  } catch (const Error& error) {
    out.error = error.what();
  }
  out.steps = trainer.result().steps;
  out.weights = weights_sha256(net);
  for (const NamedTensor& entry : optimizer.state_dict()) out.state += entry.name + print(entry.value);
  return out;
}

// In the first batch that may be a plan, in one that is no first, and in the last.
void expect_the_same_end(const Failure& failure, const std::string& words) {
  for (const Index batch : {1, 7, 11}) {
    SCOPED_TRACE(batch);
    const Came eager = train(failure, batch, false), planned = train(failure, batch, true);
    EXPECT_NE(eager.error.find(words), std::string::npos) << eager.error;
    EXPECT_EQ(planned.error, eager.error);
    EXPECT_EQ(planned.steps, eager.steps);
    EXPECT_EQ(planned.steps, batch);
    EXPECT_EQ(planned.weights, eager.weights);
    EXPECT_EQ(planned.state, eager.state);
  }
}

// sqrt(x^2): right everywhere, but at 0 its derivative is 0 * inf.
class Size final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override { return sqrt(x * x); }
};

Sequential with_size() {
  return Sequential(Linear(3, 4, {.bias = false}), Size(), BatchNorm1d(4), Linear(4, 2));
}

void zero_inputs(std::vector<float>& inputs, std::vector<std::int64_t>&) {
  inputs.assign(inputs.size(), 0.0f);
}

Tensor loss_of_classes(const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }

TEST(PlanFailure, ADerivativeThatIsNotFinite) {
  const std::string words = "it first appears in the derivative of layer 1";
  expect_the_same_end({.network = with_size, .loss = loss_of_classes, .spoil = zero_inputs}, words);
  expect_the_same_end(
      {.network = with_size, .loss = loss_of_classes, .options = {.clip_norm = 0.1}, .spoil = zero_inputs},
      words);
}

// Clipping would make a number of it, so that the weights would not show it.
TEST(PlanFailure, AnInfiniteDerivativeThatIsClipped) {
  // Four examples of 3e38: the loss can hold them, their sum, the derivative, cannot.
  const auto large = [](std::vector<float>& inputs, std::vector<std::int64_t>&) {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = i % 3 == 0 ? 3e38f : 0.0f;
  };
  expect_the_same_end(
      {.network =
           [] { return Sequential(Linear(3, 2, {.bias = false, .weight_init = init::constant(0.001)})); },
       .loss = [](const Tensor& y, const Tensor&) { return sum(y); },
       .options = {.clip_value = 0.1},
       .spoil = large},
      "the gradient of parameter weight of layer 0 holds inf");
}

TEST(PlanFailure, ALossThatIsNotFinite) {
  const auto large = [](std::vector<float>& inputs, std::vector<std::int64_t>&) {
    inputs.assign(inputs.size(), 3e38f);
  };
  expect_the_same_end({.network = [] { return Sequential(Linear(3, 4), ReLU(), Linear(4, 2)); },
                       .loss = [](const Tensor& y, const Tensor&) { return mean(y * y); },
                       .spoil = large},
                      "the loss is inf");
}

TEST(PlanFailure, AnUpdateThatIsNotFinite) {
  for (const Index batch : {1, 7, 11}) {
    Failure failure{.network = [] { return Sequential(Linear(3, 4), ReLU(), Linear(4, 2)); },
                    .loss = loss_of_classes,
                    .options = {.schedule = [batch](Index step) { return step == batch ? 1e45 : 1.0; }}};
    const Came eager = train(failure, batch, false), planned = train(failure, batch, true);
    EXPECT_NE(eager.error.find("after the update with learning rate"), std::string::npos) << eager.error;
    EXPECT_EQ(planned.error, eager.error);
    EXPECT_EQ(planned.weights, eager.weights);
  }
}

// Where a kernel throws in the middle of a plan.
TEST(PlanFailure, AClassThatTheNetworkHasNoOutputFor) {
  expect_the_same_end(
      {.network = [] { return Sequential(Linear(3, 4), ReLU(), Linear(4, 2)); },
       .loss = loss_of_classes,
       .spoil = [](std::vector<float>&, std::vector<std::int64_t>& classes) { classes.back() = 2; }},
      "class");
}

// Where a loss refuses what it gets by looking at it, which a plan cannot.
TEST(PlanFailure, OutputsThatALossRefuses) {
  const auto negative = [](std::vector<float>& inputs, std::vector<std::int64_t>&) {
    inputs.assign(inputs.size(), -10.0f);
  };
  const auto network = [] {
    return Sequential(Linear(3, 2, {.weight_init = init::constant(0.5), .bias_init = init::constant(0.5)}));
  };
  expect_the_same_end(
      {.network = network,
       .loss = [](const Tensor& y, const Tensor& t) { return categorical_cross_entropy(y, t); },
       .spoil = negative},
      "are they logits?");
}

}  // namespace
}  // namespace splot
