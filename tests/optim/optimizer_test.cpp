#include "splot/optim/optimizer.h"

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

struct Two {
  Parameter a{tensor({1.0, 2.0}), "a"};
  Parameter b{tensor({3.0}), "b"};
  NamedParameters all() const { return {{"a", a}, {"b", b}}; }
};

TEST(Optimizer, NamesParametersThatNoGradientHasReached) {
  Two p;
  SGD optimizer(p.all(), {.lr = 0.5});
  EXPECT_ERROR(
      GradientError, optimizer.step(),
      "[sgd] no gradient has reached a, b; does the loss depend on it, and was backward() called after "
      "zero_grad()?");
  backward(sum(p.a * 2.0));
  EXPECT_ERROR(GradientError, optimizer.step(),
               "[sgd] no gradient has reached b; does the loss depend on it, and was backward() called after "
               "zero_grad()?");
  EXPECT_EQ(p.a.value().to_vector<double>(), (std::vector<double>{1.0, 2.0}));
  optimizer.set_allow_missing(true);
  optimizer.step();
  EXPECT_EQ(p.a.value().to_vector<double>(), (std::vector<double>{0.0, 1.0}));
  EXPECT_EQ(p.b.value().to_vector<double>(), (std::vector<double>{3.0}));
}

TEST(Optimizer, LeavesFrozenParametersAlone) {
  Two p;
  p.b.set_frozen(true);
  SGD optimizer(p.all(), {.lr = 0.5});
  backward(sum(p.a * 2.0) + sum(p.b));
  optimizer.step();
  EXPECT_EQ(p.a.value().to_vector<double>(), (std::vector<double>{0.0, 1.0}));
  EXPECT_EQ(p.b.value().to_vector<double>(), (std::vector<double>{3.0}));
}

TEST(Optimizer, GroupsHaveOptionsOfTheirOwn) {
  Two p;
  SGD optimizer({{"a", p.a}}, {.lr = 0.5});
  optimizer.add({{"b", p.b}}, {.lr = 0.25, .momentum = 0.5});
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    backward(sum(p.a) + sum(p.b));
    optimizer.step();
  }
  EXPECT_EQ(p.a.value().to_vector<double>(), (std::vector<double>{0.0, 1.0}));
  EXPECT_EQ(p.b.value().to_vector<double>(), (std::vector<double>{3.0 - 0.25 - 0.25 * 1.5}));
  optimizer.set_lr(1, 0.125);
  EXPECT_EQ(optimizer.lr(), 0.5);
  EXPECT_EQ(optimizer.lr(1), 0.125);
}

// A weight that two layers share is one parameter: one entry, one gradient that both have added to, one step.
TEST(Optimizer, TiedWeightsTakeOneStepAlongBothGradients) {
  const Parameter shared(tensor({1.0}), "w");
  const Parameter also = shared;
  EXPECT_ERROR(ValueError, Adam({{"w", shared}, {"v", also}}), "[adam] \"v\" is there twice");
  SGD optimizer({{"w", shared}}, {.lr = 0.5});
  backward(sum(shared * 3.0) + sum(also * also));
  optimizer.step();
  EXPECT_EQ(also.value().item<double>(), 1.0 - 0.5 * (3.0 + 2.0));
}

TEST(Optimizer, AFrozenParameterCanBeThawed) {
  Two p;
  p.b.set_frozen(true);
  SGD optimizer(p.all(), {.lr = 0.5, .momentum = 0.5});
  const auto step = [&] {
    optimizer.zero_grad();
    backward(sum(p.a * 2.0) + sum(p.b));
    optimizer.step();
  };
  step();
  EXPECT_EQ(p.b.value().item<double>(), 3.0);
  p.b.set_frozen(false);
  step();
  EXPECT_EQ(p.b.value().item<double>(), 2.5);
}

TEST(Optimizer, UpdatesInPlaceWhereNobodyElseLooks) {
  Two p;
  SGD optimizer(p.all(), {.lr = 0.5});
  const void* memory = p.a.value().raw();
  backward(sum(p.a * p.a) + sum(p.b));
  optimizer.step();
  EXPECT_EQ(p.a.value().raw(), memory);
  const Tensor held = p.a.value();
  optimizer.step();
  EXPECT_EQ(held.to_vector<double>(), (std::vector<double>{0.0, 0.0}));
  EXPECT_EQ(p.a.value().to_vector<double>(), (std::vector<double>{-1.0, -2.0}));
}

void take_steps(Optimizer& optimizer, Two& p, int steps) {
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    backward(sum(p.a * p.a * p.a) + sum(p.b * p.b));
    optimizer.step();
  }
}

using Made = std::unique_ptr<Optimizer>;
using MakeOptimizer = std::function<Made(const NamedParameters&)>;

template <typename O, typename Options>
MakeOptimizer maker(Options options) {
  return [options](const NamedParameters& p) { return std::make_unique<O>(p, options); };
}

// Every optimiser with every state it can have.
const std::vector<MakeOptimizer> kAll = {
    maker<SGD>(SGDOptions{.lr = 0.01}),
    maker<SGD>(SGDOptions{.lr = 0.01, .momentum = 0.5}),
    maker<SGD>(SGDOptions{.lr = 0.01, .momentum = 0.5, .nesterov = true, .form = MomentumForm::increment}),
    maker<Adam>(AdamOptions{.lr = 0.01}),
    maker<AdamW>(AdamWOptions{.lr = 0.01}),
    maker<RMSprop>(RMSpropOptions{.lr = 0.01}),
    maker<RMSprop>(RMSpropOptions{.lr = 0.01, .momentum = 0.5, .centered = true}),
    maker<Adagrad>(AdagradOptions{.lr = 0.01, .lr_decay = 0.1, .initial = 0.1}),
};

TEST(Optimizer, EveryOneContinuesBitForBit) {
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    for (const int before : {0, 1, 4}) {
      Two whole, parts;
      const Made one = kAll[i](whole.all());
      take_steps(*one, whole, before + 3);
      const Made two = kAll[i](parts.all());
      take_steps(*two, parts, before);
      const NamedTensors saved = two->state_dict();
      const Made three = kAll[i](parts.all());
      three->load_state_dict(saved);
      take_steps(*three, parts, 3);
      EXPECT_EQ(parts.a.value().to_vector<double>(), whole.a.value().to_vector<double>())
          << i << ", " << before;
      EXPECT_EQ(parts.b.value().to_vector<double>(), whole.b.value().to_vector<double>())
          << i << ", " << before;
    }
  }
}

// As long as the rate stays, momentum is the same in both forms; when it changes, they differ.
TEST(Optimizer, TheTwoFormsOfMomentumDifferWhenTheRateChanges) {
  for (const bool nesterov : {false, true}) {
    Two a, b;
    SGD velocity(a.all(), {.lr = 0.0625, .momentum = 0.5, .nesterov = nesterov});
    SGD increment(b.all(),
                  {.lr = 0.0625, .momentum = 0.5, .nesterov = nesterov, .form = MomentumForm::increment});
    take_steps(velocity, a, 4);
    take_steps(increment, b, 4);
    EXPECT_NEAR(a.b.value().item<double>(), b.b.value().item<double>(), 1e-15);
    velocity.set_lr(0.0);
    increment.set_lr(0.0);
    const double before = b.b.value().item<double>();
    take_steps(velocity, a, 1);
    take_steps(increment, b, 1);
    EXPECT_NEAR(a.b.value().item<double>(), before, 1e-15);  // stands still
    EXPECT_LT(b.b.value().item<double>(), before - 0.01);    // rolls on
  }
}

// By hand, with g = 2 at every step: dw = -0.25, then 0.5 * -0.25 - 0.25.
TEST(Optimizer, TheIncrementIsThePreviousOne) {
  Parameter w(tensor({1.0}), "w");
  SGD optimizer({{"w", w}}, {.lr = 0.125, .momentum = 0.5, .form = MomentumForm::increment});
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    backward(sum(w * 2.0));
    optimizer.step();
  }
  EXPECT_EQ(w.value().item<double>(), 1.0 - 0.25 - 0.375);
  EXPECT_EQ(optimizer.state_dict()[1].name, "increment.w");
  EXPECT_EQ(optimizer.state_dict()[1].value.item<double>(), -0.375);
}

// The penalties in the loss, and as options of the optimiser.
TEST(Penalty, InTheLossAndInTheOptimiserIsTheSame) {
  const auto distance = [](auto make_plain, auto make_penalized) {
    Two a, b;
    const Made plain = make_plain(a.all());
    const Made penalized = make_penalized(b.all());
    for (int i = 0; i < 5; ++i) {
      a.a.zero_grad();
      a.b.zero_grad();
      const Tensor w = a.a;
      backward(sum(w * w * w) + sum(a.b * a.b) + 0.25 * sum(abs(w)) + 0.125 * sum(w * w) +
               0.25 * sum(abs(a.b)) + 0.125 * sum(a.b * a.b));
      plain->step();
      take_steps(*penalized, b, 1);
    }
    return max(abs(a.a.value() - b.a.value())).item<double>() +
           max(abs(a.b.value() - b.b.value())).item<double>();
  };
  EXPECT_LE(distance(maker<SGD>(SGDOptions{.lr = 0.01}),
                     maker<SGD>(SGDOptions{.lr = 0.01, .weight_decay = 0.25, .l1 = 0.25})),
            1e-14);
  EXPECT_LE(distance(maker<Adam>(AdamOptions{.lr = 0.01}),
                     maker<Adam>(AdamOptions{.lr = 0.01, .weight_decay = 0.25, .l1 = 0.25})),
            1e-14);
  EXPECT_LE(distance(maker<AdamW>(AdamWOptions{.lr = 0.01, .weight_decay = 0.5}),
                     maker<AdamW>(AdamWOptions{.lr = 0.01, .weight_decay = 0.5, .l1 = 0.25, .l2 = 0.25})),
            1e-14);
  // Decoupled decay is another method.
  EXPECT_GT(distance(maker<Adam>(AdamOptions{.lr = 0.01}),
                     maker<AdamW>(AdamWOptions{.lr = 0.01, .weight_decay = 0.25, .l1 = 0.25})),
            1e-3);
}

// What decoupled means: without a gradient AdamW multiplies by 1 - lr decay, while Adam, which divides the
// penalty's gradient by its own size, takes a step of about lr whatever the decay.
TEST(Penalty, DecoupledDecayShrinksByAFactor) {
  const auto after = [](auto make) {
    Parameter w(tensor({100.0, 1.0}), "w");
    const Made optimizer = make(NamedParameters{{"w", w}});
    backward(sum(w * 0.0));
    optimizer->step();
    return w.value().to_vector<double>();
  };
  EXPECT_EQ(after(maker<AdamW>(AdamWOptions{.lr = 0.5, .weight_decay = 0.125})),
            (std::vector<double>{100.0 * (1 - 0.0625), 1.0 - 0.0625}));
  for (const double decay : {0.125, 0.25}) {
    const std::vector<double> w = after(maker<Adam>(AdamOptions{.lr = 0.5, .weight_decay = decay}));
    EXPECT_NEAR(w[0], 100.0 - 0.5, 1e-6);
    EXPECT_NEAR(w[1], 1.0 - 0.5, 1e-6);
  }
}

TEST(Optimizer, AStepWithAClosureIsAStep) {
  Two p;
  SGD optimizer(p.all(), {.lr = 0.5});
  const double loss = optimizer.step([&] {
    optimizer.zero_grad();
    const Tensor value = sum(p.a * 2.0) + sum(p.b);
    backward(value);
    return value.item<double>();
  });
  EXPECT_EQ(loss, 9.0);
  EXPECT_FALSE(optimizer.needs_closure());
  EXPECT_EQ(p.a.value().to_vector<double>(), (std::vector<double>{0.0, 1.0}));
}

TEST(Optimizer, ContinuesFromItsState) {
  const auto run = [](Optimizer& optimizer, Two& p, int steps) {
    for (int i = 0; i < steps; ++i) {
      optimizer.zero_grad();
      backward(sum(p.a * p.a * p.a) + sum(p.b * p.b));
      optimizer.step();
    }
  };
  Two whole, first;
  Adam one(whole.all(), {.lr = 0.1});
  run(one, whole, 7);
  Adam two(first.all(), {.lr = 0.1});
  run(two, first, 4);
  const NamedTensors saved = two.state_dict();
  ASSERT_EQ(saved.size(), 7u);
  EXPECT_EQ(saved[0].name, "lr.0");
  EXPECT_EQ(saved[1].name, "step.a");
  EXPECT_EQ(saved[1].value.item<double>(), 4.0);
  EXPECT_EQ(saved[2].name, "exp_avg.a");
  EXPECT_EQ(saved[3].name, "exp_avg_sq.a");
  Two second;
  second.a.assign(first.a.value().detach());
  second.b.assign(first.b.value().detach());
  Adam three(second.all(), {.lr = 0.5});
  three.load_state_dict(saved);
  EXPECT_EQ(three.lr(), 0.1);
  run(three, second, 3);
  EXPECT_EQ(second.a.value().to_vector<double>(), whole.a.value().to_vector<double>());
  EXPECT_EQ(second.b.value().to_vector<double>(), whole.b.value().to_vector<double>());
}

TEST(Optimizer, RefusesAStateThatIsNotItsOwn) {
  Two p;
  Adam optimizer(p.all());
  EXPECT_ERROR(ValueError, optimizer.load_state_dict({}), "[adam] missing: lr.0");
  NamedTensors state = optimizer.state_dict();
  state.push_back({"exp_avg.a", zeros({2}, kFloat64)});
  EXPECT_ERROR(ValueError, optimizer.load_state_dict(state), "[adam] the state of a is not complete");
  state.back() = {"exp_avg.a", zeros({3}, kFloat64)};
  EXPECT_ERROR(ValueError, optimizer.load_state_dict(state),
               "[adam] exp_avg.a is float64[2], the given value is float64[3]");
  state.back() = {"exp_avg.c", zeros({3}, kFloat64)};
  EXPECT_ERROR(ValueError, optimizer.load_state_dict(state), "[adam] unexpected: exp_avg.c");
}

TEST(Optimizer, RefusesOptionsThatMakeNoSense) {
  Two p;
  EXPECT_ERROR(ValueError, SGD(p.all(), {.lr = -1.0}), "[sgd] lr must be 0 or more, got -1");
  EXPECT_ERROR(ValueError, SGD(p.all(), {.nesterov = true}), "[sgd] nesterov needs a momentum");
  EXPECT_ERROR(ValueError, Adam(p.all(), {.beta1 = 1.0}), "[adam] beta1 must be in [0, 1), got 1");
  EXPECT_ERROR(ValueError, AdamW(p.all(), {.eps = -1.0}), "[adamw] eps must be 0 or more, got -1");
  EXPECT_ERROR(ValueError, SGD(p.all(), {.l1 = -1.0}), "[sgd] l1 must be 0 or more, got -1");
  EXPECT_ERROR(ValueError, RMSprop(p.all(), {.alpha = 1.0}), "[rmsprop] alpha must be in [0, 1), got 1");
  EXPECT_ERROR(ValueError, Adagrad(p.all(), {.initial = -1.0}),
               "[adagrad] initial must be 0 or more, got -1");
  EXPECT_ERROR(ValueError, SGD({{"a", p.a}, {"b", p.a}}), "[sgd] \"b\" is there twice");
}

// Left alone, the running mean sticks at the smallest subnormal number, and every step takes a hundred times
// as long.
TEST(Optimizer, MomentsOfAWeightWithoutGradientFadeToZero) {
  Parameter w(tensor({1.0f}), "w");
  Adam optimizer({{"w", w}}, {.lr = 0.001});
  for (int step = 0; step < 600; ++step) {
    optimizer.zero_grad();
    backward(sum(w * (step == 0 ? 1e-25f : 0.0f)));
    optimizer.step();
  }
  for (const NamedTensor& state : optimizer.state_dict()) {
    if (state.name == "exp_avg.w") {
      EXPECT_EQ(state.value.item<float>(), 0.0f);
    }
  }
}

}  // namespace
}  // namespace splot
