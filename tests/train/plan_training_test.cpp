// A training whose steps run as plans is the training whose steps run call by call, bit for bit.
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/node.h"
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
#include "splot/optim/lbfgs.h"
#include "splot/optim/schedule.h"
#include "splot/train/model_file.h"
#include "splot/train/norms.h"
#include "splot/train/trainer.h"
#include "splot/train/warnings.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

constexpr Index kExamples = 50;  // in batches of 8 the last has 2

Dataset examples(const Shape& sample = {5}, std::uint64_t seed = 1) {
  Ints sizes{kExamples};
  for (const Index size : sample) sizes.push_back(size);
  std::vector<std::int64_t> classes;
  RandomStream random({.seed = seed, .stream = stream_of("plan.classes")});
  for (Index i = 0; i < kExamples; ++i) classes.push_back(static_cast<std::int64_t>(random.below(3)));
  return Dataset("examples", uniform(Shape(sizes), RandomKey{.seed = seed}),
                 Tensor::from(classes, {kExamples}), {"a", "b", "c"});
}

Sequential dense_network() {
  return Sequential(Linear(5, 9), ReLU(), BatchNorm1d(9), Dropout({.p = 0.4}), Linear(9, 6), Sigmoid(),
                    Linear(6, 3));
}

Tensor class_loss(const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }

struct Case {
  std::string name;
  std::function<std::unique_ptr<Optimizer>(const NamedParameters&)> optimizer = [](const NamedParameters& p) {
    return std::make_unique<SGD>(p, SGDOptions{.lr = 0.1});
  };
  TrainerOptions options = {};
  std::function<Sequential()> network = dense_network;
  Shape sample = {5};
  LossFunction loss = class_loss;
};

// What is left of a training: weights, the optimiser's state, every figure of every epoch.
struct Left {
  std::string weights;
  std::vector<std::string> state;
  std::vector<double> figures;
  std::vector<TrainingWarning> warnings;
};

Left learn(const Case& what, bool compiled, const std::string& checkpoint = {}, bool resume = false,
           Index epochs = 3) {
  Sequential net = what.network();
  initialize(net, 1);
  const std::unique_ptr<Optimizer> optimizer = what.optimizer(named_parameters(net));
  TrainerOptions options = what.options;
  options.epochs = epochs;
  options.batch_size = 8;
  options.metrics = {metrics::accuracy()};
  options.compiled = compiled;
  options.checkpoint = {.path = checkpoint, .every = 3};
  Trainer trainer(net, what.loss, *optimizer, options);
  const Dataset train = examples(what.sample);
  const Dataset validation = examples(what.sample, 2);
  const TrainingResult result =
      resume ? trainer.resume(checkpoint, train, &validation) : trainer.fit(train, &validation);
  Left out{weights_sha256(net), {}, {}, result.warnings};
  for (const NamedTensor& entry : optimizer->state_dict())
    out.state.push_back(entry.name + print(entry.value));
  for (const EpochRecord& record : result.history) {
    for (const Metric& m : record.metrics) out.figures.push_back(m.value);
    for (const ParameterNorms& n : record.norms) {
      out.figures.insert(out.figures.end(), {n.weight, n.gradient, n.update});
    }
  }
  return out;
}

void expect_same(const Left& got, const Left& wanted) {
  EXPECT_EQ(got.weights, wanted.weights);
  EXPECT_EQ(got.state, wanted.state);
  EXPECT_EQ(got.figures, wanted.figures);
}

Sequential image_network() {
  return Sequential(Conv2d(1, 3, {3, 3}, {.padding = {1, 1}}), BatchNorm2d(3), ReLU(), MaxPool2d({2, 2}),
                    Flatten(), Linear(3 * 4 * 4, 3));
}

std::vector<Case> cases() {
  std::vector<Case> out;
  out.push_back({.name = "sgd"});
  out.push_back({.name = "momentum", .optimizer = [](const NamedParameters& p) {
                   return std::make_unique<SGD>(p, SGDOptions{.lr = 0.05, .momentum = 0.9});
                 }});
  out.push_back(
      {.name = "adam with a schedule",
       .optimizer =
           [](const NamedParameters& p) { return std::make_unique<Adam>(p, AdamOptions{.lr = 0.02}); },
       .options = {.schedule = schedule::cosine(21)}});
  out.push_back({.name = "rmsprop", .optimizer = [](const NamedParameters& p) {
                   return std::make_unique<RMSprop>(p, RMSpropOptions{.lr = 0.01, .momentum = 0.5});
                 }});
  out.push_back({.name = "clipped norm", .options = {.clip_norm = 0.2}});
  out.push_back({.name = "clipped values", .options = {.clip_value = 0.01}});
  out.push_back({.name = "both clipped", .options = {.clip_norm = 0.05, .clip_value = 0.01}});
  out.push_back({.name = "several batches to a step", .options = {.accumulate = 3}});
  out.push_back({.name = "averaged weights", .options = {.average = AveragedWeightsOptions{.decay = 0.9}}});
  out.push_back({.name = "lbfgs", .optimizer = [](const NamedParameters& p) {
                   return std::make_unique<LBFGS>(p, LBFGSOptions{.lr = 0.1, .max_iter = 4});
                 }});
  out.push_back(
      {.name = "pictures",
       .optimizer =
           [](const NamedParameters& p) { return std::make_unique<AdamW>(p, AdamWOptions{.lr = 0.01}); },
       .network = image_network,
       .sample = {1, 8, 8}});
  // Callbacks of their own for each training: they remember.
  return out;
}

TEST(PlanTraining, HasTheSameBits) {
  for (const Case& what : cases()) {
    SCOPED_TRACE(what.name);
    const Left planned = learn(what, true);
    expect_same(planned, learn(what, false));
    EXPECT_TRUE(planned.warnings.empty()) << planned.warnings.front().text;
  }
}

TEST(PlanTraining, HasTheSameBitsWhileSomebodyLooks) {
  const auto with_callbacks = [] {
    return Case{.name = "watched",
                .options = {.callbacks = {std::make_shared<NormRecorder>(NormOptions{.samples = 3}),
                                          std::make_shared<MistakeWatch>()}}};
  };
  const Left planned = learn(with_callbacks(), true), eager = learn(with_callbacks(), false);
  expect_same(planned, eager);
  EXPECT_EQ(planned.figures.size(), 3u * (4 + 3 * 8)) << "norms are among the figures";
}

TEST(PlanTraining, HasTheSameBitsForAnyNumberOfThreads) {
  const int before = cpu::num_threads();
  for (const Case& what : cases()) {
    SCOPED_TRACE(what.name);
    cpu::set_num_threads(1);
    const Left one = learn(what, true);
    for (const int threads : {2, 3}) {
      cpu::set_num_threads(threads);
      expect_same(learn(what, true), one);
    }
  }
  cpu::set_num_threads(before);
}

// Interrupted in the middle of the second epoch, after an odd number of steps, and gone on with either way.
TEST(PlanTraining, GoesOnWithTheSameBits) {
  for (const Case& what : cases()) {
    SCOPED_TRACE(what.name);
    const Left whole = learn(what, true);
    for (const bool compiled : {true, false}) {
      const test::TempFolder folder;
      Case part = what;
      Index asked = 0;
      part.options.stop = [&] { return ++asked == (what.options.accumulate == 1 ? 10 : 4); };
      learn(part, true, folder.file("c"));
      const Left resumed = learn(what, compiled, folder.file("c"), true);
      expect_same(resumed, whole);
      EXPECT_EQ(resumed.warnings.size(), compiled ? 0u : 1u);
      if (!compiled) {
        EXPECT_EQ(resumed.warnings.front().code, "other-machine");
      }
    }
  }
}

// --- what cannot be traced

class Reads final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override {
    return sum(x).item<double>() > 0.0 ? x * 2.0 : x * 3.0;
  }
};

class Captures final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override { return x + stray_; }

 private:
  Tensor stray_ = full({5}, 0.5, kFloat32);
};

// Draws numbers that are not a function of the step.
class Draws final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override {
    return x * std::uniform_real_distribution<double>(0.5, 1.5)(random_);
  }

 private:
  std::minstd_rand random_{7};
};

// Another shape in each call.
class Grows final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override {
    Tensor padded = x;
    for (Index i = 0; i < calls_ % 5; ++i) padded = concat({padded, x * 0.5}, 1);
    ++calls_;
    return slice(padded, 1, 0, x.shape()[1]) + mean(padded, {1}, /*keepdim=*/true);
  }

 private:
  Index calls_ = 0;
};

// Fails where nothing is computed.
class FailsInATrace final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override {
    if (!x.has_elements()) throw std::runtime_error("not today");
    return x * 2.0;
  }
};

template <typename L>
Case with_layer(const char* name) {
  return {.name = name, .network = [] { return Sequential(L(), Linear(5, 3)); }};
}

std::string only_warning(const Left& left) {
  if (left.warnings.size() != 1) return join(left.warnings.size(), " warnings");
  EXPECT_EQ(left.warnings.front().code, "no-plan");
  return left.warnings.front().text;
}

// The one warning of a training that comes to the same with plans and without.
std::string warning_of(const Case& c) {
  const Left left = learn(c, true);
  expect_same(left, learn(c, false));
  return only_warning(left);
}

TEST(PlanTraining, WhatCannotBeTracedRunsCallByCallAndIsToldOnce) {
  const std::string begin = "the steps run call by call, which is slower than as a plan: ";
  EXPECT_EQ(warning_of(with_layer<Reads>("reads")),
            begin +
                "0: [trace] elements are read of the result of sum, float32[]: while a function is traced "
                "nothing is computed. Read it after the call, or leave the decision to ops such as where()");
  EXPECT_EQ(warning_of(with_layer<Captures>("captures")),
            begin +
                "0: [trace] add uses float32[5], which was there before the function was called: its value "
                "would be frozen. Make it an argument of the function, or a slot");
  EXPECT_EQ(warning_of(with_layer<FailsInATrace>("fails")), begin + "not today");

  const std::string other = begin + "[trace] the same step traced twice makes other calls the second time";
  EXPECT_EQ(only_warning(learn(with_layer<Draws>("draws"), true)), other);
  EXPECT_EQ(only_warning(learn(with_layer<Grows>("grows"), true)), other);
}

// An optimiser that says nothing about traces: its updates are made call by call.
class Plain final : public Optimizer {
 public:
  explicit Plain(const NamedParameters& parameters) : Optimizer("plain") { add_members(parameters, 0.1); }
  using Optimizer::step;
  void step() override {
    const NoGrad off;
    const std::vector<Tensor> all = gradients();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (sum(abs(all[i])).item<double>() > 0.0) {
        parameter(i).assign(parameter(i).value().detach() - 0.1 * all[i]);
      }
    }
  }
  NamedTensors state_dict() const override { return {{"lr.0", rate(0)}}; }
  void load_state_dict(std::span<const NamedTensor> state) override {
    Incoming incoming(name(), state);
    set_rates(incoming.rates(1));
    incoming.finish();
  }
};

TEST(PlanTraining, AnUpdateThatCannotBeTracedIsMadeCallByCall) {
  const Case plain{.name = "plain",
                   .optimizer = [](const NamedParameters& p) { return std::make_unique<Plain>(p); }};
  const Left left = learn(plain, true);
  expect_same(left, learn(plain, false));
  EXPECT_EQ(only_warning(left),
            "of the steps only loss and derivatives run as a plan, the update call by call, which is slower: "
            "the optimiser does not say that its steps can be traced (Optimizer::can_be_traced())");
}

TEST(PlanTraining, NothingIsToldWherePlansAreOff) {
  EXPECT_TRUE(learn(with_layer<Reads>("reads"), false).warnings.empty());
}

// --- what changes in the middle

// Lets the last layer learn from step 9 on, loads an earlier state of the optimiser at step 12 and changes
// weights at step 15: plans have to follow.
class Meddler final : public Callback {
 public:
  bool needs_gradients(const TrainingView&) const override { return false; }
  void on_step_end(TrainingView& view, const StepRecord&) override {
    NamedParameters parameters = named_parameters(view.model);
    if (view.total_steps == 4) state_ = view.optimizer.state_dict();
    if (view.total_steps == 9) parameters.back().parameter.set_frozen(false);
    if (view.total_steps == 12) view.optimizer.load_state_dict(state_);
    if (view.total_steps == 15) {
      Parameter& first = parameters.front().parameter;
      first.assign(first.value().detach() * 0.5);
    }
  }

 private:
  NamedTensors state_;
};

TEST(PlanTraining, FollowsWhatIsChangedBetweenSteps) {
  const auto meddled = [] {
    return Case{.name = "meddled",
                .optimizer =
                    [](NamedParameters p) {
                      p.back().parameter.set_frozen(true);
                      return std::make_unique<Adam>(p, AdamOptions{.lr = 0.02});
                    },
                .options = {.callbacks = {std::make_shared<Meddler>()}}};
  };
  const Left planned = learn(meddled(), true);
  expect_same(planned, learn(meddled(), false));
  EXPECT_TRUE(planned.warnings.empty());
}

}  // namespace
}  // namespace splot
