#include "splot/optim/optimizer.h"

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
  EXPECT_ERROR(ValueError, Adam(p.all(), {.beta1 = 1.0}),
               "[adam] beta1 and beta2 must be in [0, 1), got 1 and 0.999");
  EXPECT_ERROR(ValueError, AdamW(p.all(), {.eps = -1.0}),
               "[adamw] eps and weight_decay must be 0 or more, got -1 and 0.01");
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
