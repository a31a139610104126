#include "splot/train/norms.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
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

Dataset points(Index n) {
  RandomStream random({.seed = 3, .stream = stream_of("points"), .counter = 0});
  std::vector<float> inputs, targets;
  for (Index i = 0; i < n; ++i) {
    inputs.push_back(static_cast<float>(random.normal()));
    inputs.push_back(static_cast<float>(random.normal()));
    targets.push_back(inputs[inputs.size() - 2] - 0.5f * inputs.back());
  }
  return Dataset("points", Tensor::from(inputs, {n, 2}), Tensor::from(targets, {n, 1}));
}

Tensor loss_of(const Tensor& y, const Tensor& t) { return mse_loss(y, t); }

struct Net {
  Sequential layers{Linear(2, 5), Tanh(), Linear(5, 1)};
  Net() { initialize(layers, 1); }
};

double norm_by_hand(const Tensor& x) {
  const std::vector<double> values = x.to_vector<double>();
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

// The same training by hand, with every norm taken where the recorder should have taken it.
TEST(Norms, AreMeansOverTheStepsLookedAt) {
  const Dataset data = points(60);
  for (const Index samples : {1, 2, 3, 1000}) {
    Net net, twin;
    SGD optimizer(named_parameters(net.layers), {.lr = 0.1, .momentum = 0.5});
    std::vector<EpochRecord> records;
    Trainer trainer(net.layers, loss_of, optimizer,
                    {.epochs = 2,
                     .batch_size = 10,
                     .shuffle = false,
                     .callbacks = {std::make_shared<NormRecorder>(NormOptions{.samples = samples})},
                     .on_epoch = [&](const EpochRecord& r) { records.push_back(r); }});
    trainer.fit(data);

    const NamedParameters parameters = named_parameters(twin.layers);
    SGD twin_optimizer(parameters, {.lr = 0.1, .momentum = 0.5});
    const Index stride = samples == 1 ? 6 : samples == 2 ? 3 : samples == 3 ? 2 : 1;
    for (std::size_t epoch = 0; epoch < 2; ++epoch) {
      std::vector<double> gradients(4, 0.0), updates(4, 0.0);
      for (Index step = 0; step < 6; ++step) {
        const Batch batch = data.batch(step * 10, 10);
        twin_optimizer.zero_grad();
        backward(loss_of(twin.layers(batch.inputs), batch.targets));
        std::vector<std::vector<double>> before;
        for (const NamedParameter& p : parameters) before.push_back(p.parameter.value().to_vector<double>());
        std::vector<Tensor> grads;
        for (const NamedParameter& p : parameters) grads.push_back(p.parameter.grad());
        twin_optimizer.step();
        if (step % stride != 0) continue;
        for (std::size_t i = 0; i < 4; ++i) {
          const Tensor old = Tensor::from(before[i], parameters[i].parameter.shape());
          gradients[i] += norm_by_hand(grads[i]);
          updates[i] += norm_by_hand(cast(parameters[i].parameter.value(), kFloat64) - old);
        }
      }
      ASSERT_EQ(records[epoch].norms.size(), 4u);
      for (std::size_t i = 0; i < 4; ++i) {
        const ParameterNorms& is = records[epoch].norms[i];
        const auto looked = static_cast<double>(6 / stride);
        EXPECT_EQ(is.name, parameters[i].name);
        EXPECT_NEAR(is.gradient, gradients[i] / looked, 1e-12);
        EXPECT_NEAR(is.update, updates[i] / looked, 1e-12);
        EXPECT_NEAR(is.weight, norm_by_hand(parameters[i].parameter.value()), 1e-12);
        EXPECT_GT(is.gradient, 0.0);
      }
    }
    EXPECT_EQ(weights_sha256(net.layers), weights_sha256(twin.layers)) << "looking changes nothing";
  }
}

TEST(Norms, WhatIsFrozenDoesNotMove) {
  Net net;
  named_parameters(net.layers)[0].parameter.set_frozen(true);
  SGD optimizer(named_parameters(net.layers), {.lr = 0.1});
  std::vector<ParameterNorms> norms;
  Trainer trainer(net.layers, loss_of, optimizer,
                  {.callbacks = {std::make_shared<NormRecorder>()},
                   .on_epoch = [&](const EpochRecord& r) { norms = r.norms; }});
  trainer.fit(points(20));
  ASSERT_EQ(norms.size(), 4u);
  EXPECT_EQ(norms[0].gradient, 0.0);
  EXPECT_EQ(norms[0].update, 0.0);
  EXPECT_GT(norms[0].weight, 0.0);
  EXPECT_GT(norms[1].update, 0.0);
}

// Two recorders, the second of which takes over in the middle of an epoch.
TEST(Norms, GoOnFromTheirState) {
  Net net;
  SGD optimizer(named_parameters(net.layers), {.lr = 0.1});
  const Dataset data = points(40);
  const std::string watch = "val";
  const std::vector<EpochRecord> history;
  TrainingView view{.model = net.layers,
                    .optimizer = optimizer,
                    .train = data,
                    .validation = nullptr,
                    .watch = watch,
                    .history = history};
  view.epochs = 1;
  view.steps = 4;
  NormRecorder whole, first, second;
  for (Callback* c : std::initializer_list<Callback*>{&whole, &first}) c->on_train_begin(view);
  NormRecorder* now = &first;
  for (view.step = 1; view.step <= 4; ++view.step) {
    const Batch batch = data.batch((view.step - 1) * 10, 10);
    optimizer.zero_grad();
    const Tensor y = net.layers(batch.inputs);
    backward(loss_of(y, batch.targets));
    const StepRecord record{0.0, batch.inputs, batch.targets, y};
    for (Callback* c : std::initializer_list<Callback*>{&whole, now}) c->on_update_begin(view, record);
    optimizer.step();
    for (Callback* c : std::initializer_list<Callback*>{&whole, now}) c->on_step_end(view, record);
    if (view.step != 2) continue;
    NamedTensors state = first.state_dict();
    std::swap(state[0], state[2]);  // a file gives them back in an order of its own
    second.load_state_dict(state);
    second.on_train_begin(view);
    now = &second;
  }
  EpochRecord a, b;
  whole.on_epoch_end(view, a);
  second.on_epoch_end(view, b);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(a.norms[i].gradient, b.norms[i].gradient);
    EXPECT_EQ(a.norms[i].update, b.norms[i].update);
  }
  EXPECT_ERROR(ValueError, NormRecorder().load_state_dict({}),
               "[load_state_dict] this is not the state of a NormRecorder: there is no list looked");
  EXPECT_ERROR(ValueError, NormRecorder({.samples = 0}), "[NormRecorder] samples must be positive, got 0");
}

}  // namespace
}  // namespace splot
