// Plans against the same functions run eagerly: the same bits.
#include "splot/compiler/plan.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/compiler/passes.h"
#include "splot/core/node.h"
#include "splot/core/storage.h"
#include "splot/graph/trace.h"
#include "splot/models/image_models.h"
#include "splot/models/resnet.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/dropout.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/optim/optimizer.h"
#include "splot/train/slots.h"

#include "tests/support/bytes.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using test::bytes_of;

constexpr RandomKey kKey = {.seed = 3, .stream = stream_of("test.plan"), .counter = 0};

void expect_same_bits(const NamedTensors& got, const NamedTensors& expected, const std::string& when) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].name, expected[i].name);
    EXPECT_EQ(bytes_of(got[i].value), bytes_of(expected[i].value)) << got[i].name << ' ' << when;
  }
}

using MakeNet = std::function<Sequential()>;
using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(Sequential&)>;

// Learns for some steps without a plan, with one, and with one of a graph that has been through the exact
// passes, from the same values on the same batches.
void check_training(const MakeNet& make_net, const MakeOptimizer& make_optimizer, const Shape& batch,
                    double classes) {
  struct Side {
    Sequential net;
    std::unique_ptr<Optimizer> optimizer;
    std::vector<double> losses;
  };
  Side eager{make_net(), {}, {}}, planned{make_net(), {}, {}}, passed{make_net(), {}, {}};
  for (Side* side : {&eager, &planned, &passed}) {
    initialize(side->net, 1);
    side->optimizer = make_optimizer(side->net);
  }
  const auto step = [&](Side& side, const Tensor& x, const Tensor& t, std::uint64_t counter) {
    Context context{.training = true, .key = {.seed = 5, .counter = counter}};
    side.optimizer->zero_grad();
    const Tensor loss = cross_entropy(side.net(x, context), t);
    backward(loss);
    side.optimizer->step();
    return loss.detach();
  };
  const auto inputs = [&](int i) { return normal(batch, kKey.with_counter(static_cast<std::uint64_t>(i))); };
  const auto targets = [&](int i) {
    const Tensor u =
        uniform({batch[0]}, kKey.with_counter(static_cast<std::uint64_t>(100 + i)), {.high = classes});
    return cast(u, kInt64);
  };
  const auto traced = [&](Side& side) {
    return trace([&](std::span<const Tensor> in,
                     std::uint64_t counter) { return TensorList{step(side, in[0], in[1], counter)}; },
                 TensorList{inputs(0), targets(0)}, {.slots = slots_of(side.net, *side.optimizer)});
  };
  Plan plan(traced(planned));
  OptimizedGraph better = optimize(traced(passed), {.without = {"stable-numerics"}});
  EXPECT_FALSE(better.steps.empty());
  Plan better_plan(std::move(better.graph));
  expect_same_bits(state_dict(planned.net), state_dict(eager.net), "after the trace");
  for (int i = 0; i < 4; ++i) {
    const auto counter = static_cast<std::uint64_t>(20 + i);
    for (Side* side : {&eager, &planned, &passed}) side->optimizer->set_lr(i == 2 ? 0.02 : 0.01);
    const Tensor expected = step(eager, inputs(i), targets(i), counter);
    const Tensor loss = plan.run({inputs(i), targets(i)}, counter)[0];
    EXPECT_EQ(bytes_of(loss), bytes_of(expected)) << "loss of step " << i;
    const Tensor same = better_plan.run({inputs(i), targets(i)}, counter, {inputs(i + 1), targets(i + 1)})[0];
    EXPECT_EQ(bytes_of(same), bytes_of(expected)) << "with passes, loss of step " << i;
  }
  expect_same_bits(state_dict(planned.net), state_dict(eager.net), "after the steps");
  expect_same_bits(state_dict(passed.net), state_dict(eager.net), "after the steps, with passes");
  EXPECT_LE(plan.memory().lower_bound, plan.memory().planned);
  EXPECT_LE(plan.memory().planned, plan.memory().separate);
}

Sequential dense_net() {
  Sequential net(Linear(7, 9), ReLU(), BatchNorm1d(9), Dropout({.p = 0.4}), Linear(9, 5), Sigmoid(),
                 Linear(5, 3));
  return net;
}

TEST(Plan, DenseTrainingHasTheSameBits) {
  const std::vector<std::pair<const char*, MakeOptimizer>> optimizers = {
      {"sgd",
       [](Sequential& n) { return std::make_unique<SGD>(named_parameters(n), SGDOptions{.lr = 0.01}); }},
      {"momentum",
       [](Sequential& n) {
         return std::make_unique<SGD>(named_parameters(n), SGDOptions{.lr = 0.01, .momentum = 0.9});
       }},
      {"adam",
       [](Sequential& n) { return std::make_unique<Adam>(named_parameters(n), AdamOptions{.lr = 0.01}); }},
      {"adamw",
       [](Sequential& n) { return std::make_unique<AdamW>(named_parameters(n), AdamWOptions{.lr = 0.01}); }},
      {"rmsprop",
       [](Sequential& n) {
         return std::make_unique<RMSprop>(named_parameters(n), RMSpropOptions{.lr = 0.01});
       }},
      {"adagrad", [](Sequential& n) {
         return std::make_unique<Adagrad>(named_parameters(n), AdagradOptions{.lr = 0.01});
       }}};
  for (const auto& [name, make] : optimizers) {
    SCOPED_TRACE(name);
    check_training(dense_net, make, {6, 7}, 3);
  }
}

TEST(Plan, ImageTrainingHasTheSameBits) {
  const MakeOptimizer momentum = [](Sequential& n) {
    return std::make_unique<SGD>(named_parameters(n),
                                 SGDOptions{.lr = 0.01, .momentum = 0.9, .weight_decay = 1e-4});
  };
  check_training([] { return models::our_cnn(); }, momentum, {18, 3, 32, 32}, 10);
  check_training([] { return models::lenet5(); }, momentum, {3, 1, 28, 28}, 10);
  check_training([] { return models::resnet({.depth = 8}); }, momentum, {17, 3, 16, 16}, 10);
}

// Batch norm is folded into the convolutions before it, anew in each run.
TEST(Plan, PredictionFollowsTheWeights) {
  const NoGrad off;
  Sequential net = models::resnet({.depth = 8});
  Plan plan(trace([&](std::span<const Tensor> in, std::uint64_t) { return TensorList{net(in[0])}; },
                  TensorList{zeros({2, 3, 16, 16})}, {.slots = slots_of(net)}));
  const Tensor x = normal({2, 3, 16, 16}, kKey);
  for (const std::uint64_t seed : {1u, 2u}) {
    initialize(net, seed);
    EXPECT_EQ(bytes_of(plan.run({x})[0]), bytes_of(net(x))) << "weights of seed " << seed;
  }
}

Tensor twice(const Tensor& x) { return x + x; }

TEST(Plan, ResultsAreTheCallersOwn) {
  Plan plan(trace([](std::span<const Tensor> in, std::uint64_t) { return TensorList{twice(in[0])}; },
                  TensorList{ones({2})}));
  const Tensor first = plan.run({tensor({1.0f, 2.0f})})[0];
  const Tensor second = plan.run({tensor({3.0f, 4.0f})})[0];
  EXPECT_EQ(first.to_vector<float>(), (std::vector<float>{2, 4}));
  EXPECT_EQ(second.to_vector<float>(), (std::vector<float>{6, 8}));
}

// So that the plans of a training do not each keep one.
TEST(Plan, ALargeBlockIsHeldOnlyDuringARun) {
  const auto function = [](std::span<const Tensor> in, std::uint64_t) {
    return TensorList{sum(relu(twice(twice(in[0]))))};
  };
  const Tensor large = ones({512, 1024}), small = ones({4, 4});
  Plan of_large(trace(function, TensorList{large})), of_small(trace(function, TensorList{small}));
  EXPECT_GE(of_large.memory().planned, std::size_t{1} << 21);
  const std::size_t before = memory_use().current;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(of_large.run({large})[0].item<float>(), 4.0f * 512 * 1024);
    EXPECT_EQ(of_small.run({small})[0].item<float>(), 64.0f);
    EXPECT_LT(memory_use().current, before + 1024) << "but for the results, which the plans may use again";
  }
}

TEST(Plan, ResultsThatAreHeldAreNotUsedAgain) {
  Plan plan(trace([](std::span<const Tensor> in, std::uint64_t) { return TensorList{twice(in[0])}; },
                  TensorList{ones({2})}));
  const Tensor held = plan.run({tensor({1.0f, 2.0f})})[0];
  const Tensor part = slice(plan.run({tensor({3.0f, 4.0f})})[0], 0, 0, 1);  // only a view of it is held
  for (int i = 0; i < 3; ++i) plan.run({tensor({5.0f, 6.0f})});
  EXPECT_EQ(held.to_vector<float>(), (std::vector<float>{2, 4}));
  EXPECT_EQ(part.to_vector<float>(), (std::vector<float>{6}));
}

TEST(Plan, OrdersInMemoryAreKept) {
  const auto function = [](std::span<const Tensor> in, std::uint64_t) {
    const Tensor across = transpose(in[0], 0, 1);
    const Tensor made = transpose(tensor({{1.0f, 2.0f}, {3.0f, 4.0f}, {5.0f, 6.0f}}), 0, 1);
    return TensorList{contiguous(across),
                      reshape(across, {6}),
                      relu(across),
                      across + made,
                      contiguous(slice(across, 0, 1, 2)),
                      flip(across, {1})};
  };
  const Tensor x = tensor({{-1.0f, 2.0f}, {3.0f, -4.0f}, {5.0f, 6.0f}});
  const TensorList expected = function(TensorList{x}, 0);
  Plan plan(trace(function, TensorList{ones({3, 2})}));
  const TensorList got = plan.run({x});
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].to_vector<float>(), expected[i].to_vector<float>()) << "result " << i;
    EXPECT_EQ(got[i].strides(), expected[i].strides()) << "result " << i;
  }
}

// A parameter's value that somebody holds is not written over.
TEST(Plan, ValuesThatAreHeldStayAsTheyAre) {
  Sequential net(Linear(3, 2));
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.5});
  Plan plan(trace(
      [&](std::span<const Tensor> in, std::uint64_t) {
        optimizer.zero_grad();
        backward(sum(net(in[0])));
        optimizer.step();
        return TensorList();
      },
      TensorList{ones({4, 3})}, {.slots = slots_of(net, optimizer)}));
  const Tensor held = named_parameters(net)[0].parameter.value();
  const std::vector<float> before = held.to_vector<float>();
  plan.run({ones({4, 3})});
  EXPECT_EQ(held.to_vector<float>(), before);
  const Parameter weight = named_parameters(net)[0].parameter;
  EXPECT_NE(weight.value().to_vector<float>(), before);

  // From now on it is written where it is, and says so.
  const void* place = weight.value().raw();
  const std::uint64_t version = weight.version();
  plan.run({ones({4, 3})});
  EXPECT_EQ(weight.value().raw(), place);
  EXPECT_GT(weight.version(), version);
}

TEST(Plan, TimesAreTakenOfEachCallWhenAsked) {
  Plan plan(trace(
      [](std::span<const Tensor> in, std::uint64_t) {
        const Tensor across = matrix_transpose(in[0]);
        return TensorList{exp(matmul(across, in[0]))};
      },
      TensorList{ones({40, 30})}));
  const Graph& graph = plan.graph();
  plan.run({ones({40, 30})});
  for (const CallTime& time : plan.times()) EXPECT_EQ(time.runs, 0u);
  plan.take_times(true);
  for (int i = 0; i < 3; ++i) plan.run({ones({40, 30})});
  plan.take_times(false);
  plan.run({ones({40, 30})});
  std::vector<std::string> names;  // the view takes none and is not there
  for (const CallTime& time : plan.times()) {
    names.push_back(graph.calls[time.call].op->name);
    EXPECT_EQ(time.runs, 3u);
    EXPECT_GT(time.seconds, 0.0);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"matmul", "exp"}));
}

// Whatever is said to come next, it is a hint.
TEST(Plan, WhatComesNextChangesNothing) {
  const auto square = [](std::span<const Tensor> in, std::uint64_t) {
    return TensorList{matmul(in[0], transpose(in[1], 0, 1))};
  };
  const Tensor x = normal({64, 100}, kKey), w = normal({20, 100}, kKey.with_counter(1));
  Plan plan(trace(square, TensorList{x, w}, {}));
  const auto expected = bytes_of(plan.run({x, w})[0]);
  const Tensor other = normal({64, 100}, kKey.with_counter(2));
  const Tensor small = normal({3, 5}, kKey), wide = normal({100, 64}, kKey), none = Tensor();
  for (const TensorList& next : {TensorList{other, w},
                                 {x, w},
                                 {small, w},
                                 {transpose(wide, 0, 1), w},
                                 {none, none},
                                 {other},
                                 {other, w, other},
                                 {cast(other, kUInt8), w}}) {
    EXPECT_EQ(bytes_of(plan.run(TensorList{x, w}, 0, next)[0]), expected);
  }
}

TEST(Plan, ArgumentsAreLookedAt) {
  Plan plan(trace([](std::span<const Tensor> in, std::uint64_t) { return TensorList{twice(in[0])}; },
                  TensorList{ones({2, 3})}));
  EXPECT_ERROR(ShapeError, plan.run({ones({3, 2})}),
               "[plan] argument 0 is [3, 2], the plan was made for [2, 3]");
  EXPECT_ERROR(DTypeError, plan.run({ones({2, 3}, kFloat64)}),
               "[plan] argument 0 is float64, the plan was made for float32");
  EXPECT_ERROR(ValueError, plan.run(std::span<const Tensor>()), "[plan] takes 1 arguments, got 0");
}

}  // namespace
}  // namespace splot
