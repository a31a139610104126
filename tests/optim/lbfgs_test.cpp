#include "splot/optim/lbfgs.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/autodiff/autodiff.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using Loss = std::function<Tensor(const NamedParameters&)>;

Json golden() {
  std::ifstream file(SPLOT_TESTS_DIR "/golden/lbfgs.json");
  return Json::parse(file);
}

Tensor tensor_of(const Json& values, const Shape& shape) {
  return Tensor::from(values.get<std::vector<double>>(), shape);
}

Tensor rosenbrock(const NamedParameters& p) {
  const Tensor w = p[0].parameter;
  const Tensor a = slice(w, 0, 0, 1), b = slice(w, 0, 1, 2);
  return sum(square(1.0 - a) + 100.0 * square(b - a * a));
}

Optimizer::Closure closure_of(Optimizer& optimizer, const NamedParameters& p, const Loss& loss,
                              int* calls = nullptr) {
  return [&optimizer, p, loss, calls] {
    if (calls != nullptr) ++*calls;
    optimizer.zero_grad();
    const Tensor value = loss(p);
    backward(value);
    return value.item<double>();
  };
}

struct Problem {
  NamedParameters parameters;
  Loss loss;
};

Problem valley() { return {{{"w", Parameter(tensor({-1.5, 2.0}), "w")}}, rosenbrock}; }

Problem network(const Json& file) {
  const Shape shapes[] = {{4, 3}, {4}, {2, 4}, {2}};
  Problem out;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string name = join("p", i);
    out.parameters.push_back({name, Parameter(tensor_of(file["start"][i], shapes[i]), name)});
  }
  const Tensor x = tensor_of(file["x"], {12, 3}), y = tensor_of(file["y"], {12, 2});
  out.loss = [x, y](const NamedParameters& p) {
    const Tensor hidden = tanh(linear(x, p[0].parameter, p[1].parameter));
    return mean(square(linear(hidden, p[2].parameter, p[3].parameter) - y));
  };
  return out;
}

// The largest difference of losses and parameters; every step must have called the closure as often.
double worst_difference(const Problem& problem, const LBFGSOptions& options, const Json& expected) {
  LBFGS optimizer(problem.parameters, options);
  double worst = 0.0;
  int calls = 0;
  for (const Json& step : expected) {
    const double loss = optimizer.step(closure_of(optimizer, problem.parameters, problem.loss, &calls));
    worst = std::max(worst, std::abs(loss - step["loss"].get<double>()));
    EXPECT_EQ(calls, step["calls"].get<int>());
    for (std::size_t i = 0; i < problem.parameters.size(); ++i) {
      const auto got = problem.parameters[i].parameter.value().to_vector<double>();
      const auto want = step["parameters"][i].get<std::vector<double>>();
      for (std::size_t k = 0; k < want.size(); ++k) worst = std::max(worst, std::abs(got[k] - want[k]));
    }
  }
  return worst;
}

TEST(LBFGS, MatchesPyTorchStepForStep) {
  const Json file = golden();
  EXPECT_LE(worst_difference(valley(), {.max_iter = 4}, file["rosenbrock"]), 1e-9);
  EXPECT_LE(worst_difference(network(file), {.max_iter = 5}, file["network"]), 1e-9);
  // Each iteration multiplies the differences of rounding: these are 42 in a curved valley, and 40 of the 120
  // that are written down.
  EXPECT_LE(worst_difference(valley(), {.lr = 0.5, .max_iter = 7, .history = 2}, file["rosenbrock_short"]),
            1e-7);
  const Json two = {file["network_default"][0], file["network_default"][1]};
  EXPECT_LE(worst_difference(network(file), {}, two), 1e-7);
  // The comparison itself must be able to fail.
  const Json one = {file["rosenbrock"][0]};
  EXPECT_GT(worst_difference(valley(), {.lr = 0.9999, .max_iter = 4}, one), 1e-8);
}

TEST(LBFGS, FindsTheBottomOfTheValley) {
  const Problem problem = valley();
  LBFGS optimizer(problem.parameters, {.max_iter = 100});
  optimizer.step(closure_of(optimizer, problem.parameters, problem.loss));
  for (const double x : problem.parameters[0].parameter.value().to_vector<double>())
    EXPECT_NEAR(x, 1.0, 1e-5);
}

TEST(LBFGS, TakesFloat32AndFrozenParameters) {
  Parameter a(tensor({4.0f, -2.0f}), "a"), b(tensor({3.0f}), "b");
  b.set_frozen(true);
  const NamedParameters all = {{"a", a}, {"b", b}};
  LBFGS optimizer(all);
  optimizer.step(closure_of(
      optimizer, all, [](const NamedParameters& p) { return sum(square(p[0].parameter - p[1].parameter)); }));
  EXPECT_EQ(a.dtype(), kFloat32);
  for (const float x : a.value().to_vector<float>()) EXPECT_NEAR(x, 3.0f, 1e-5f);
  EXPECT_EQ(b.value().item<float>(), 3.0f);
}

TEST(LBFGS, ContinuesBitForBit) {
  const Json file = golden();
  for (const int before : {0, 1, 3}) {
    const Problem whole = network(file), parts = network(file);
    LBFGS one(whole.parameters, {.max_iter = 3, .history = 4});
    for (int i = 0; i < before + 2; ++i) one.step(closure_of(one, whole.parameters, whole.loss));
    LBFGS two(parts.parameters, {.max_iter = 3, .history = 4});
    for (int i = 0; i < before; ++i) two.step(closure_of(two, parts.parameters, parts.loss));
    LBFGS three(parts.parameters, {.lr = 0.5, .max_iter = 3, .history = 4});
    three.load_state_dict(two.state_dict());
    for (int i = 0; i < 2; ++i) three.step(closure_of(three, parts.parameters, parts.loss));
    for (std::size_t i = 0; i < whole.parameters.size(); ++i) {
      EXPECT_EQ(parts.parameters[i].parameter.value().to_vector<double>(),
                whole.parameters[i].parameter.value().to_vector<double>())
          << before;
    }
  }
}

TEST(LBFGS, RefusesAStateThatIsNotItsOwn) {
  const Problem problem = valley();
  LBFGS optimizer(problem.parameters, {.max_iter = 20, .history = 2});
  EXPECT_ERROR(ValueError, optimizer.load_state_dict({}), "[lbfgs] missing: lr.0");
  optimizer.step(closure_of(optimizer, problem.parameters, problem.loss));
  NamedTensors state = optimizer.state_dict();
  LBFGS shorter(problem.parameters, {.history = 1});
  EXPECT_ERROR(ValueError, shorter.load_state_dict(state),
               "[lbfgs] the state has 2 pairs, the history holds 1");
  state.push_back({"more", scalar(1.0)});
  EXPECT_ERROR(ValueError, optimizer.load_state_dict(state), "[lbfgs] unexpected: more");
  state.pop_back();
  state.pop_back();
  EXPECT_ERROR(ValueError, optimizer.load_state_dict(state), "[lbfgs] missing: lbfgs.rho");
  state[1].value = tensor({0.5, 1.0, 0.0});
  EXPECT_ERROR(ValueError, optimizer.load_state_dict(state),
               "[lbfgs] lbfgs.counts holds 0.5, which counts nothing");
}

// Beyond 2 this loss is not a number: the line search has to come back.
TEST(LBFGS, ComesBackFromWhereTheLossIsNotANumber) {
  Parameter w(tensor({0.0}), "w");
  const NamedParameters all = {{"w", w}};
  LBFGS optimizer(all, {.lr = 100.0});
  optimizer.step(closure_of(optimizer, all, [](const NamedParameters& p) {
    const Tensor x = p[0].parameter;
    return sum(-log(2.0 - x) - 3.0 * x);
  }));
  EXPECT_TRUE(std::isfinite(w.value().item<double>()));
  EXPECT_LT(w.value().item<double>(), 2.0);
  EXPECT_GT(w.value().item<double>(), 0.5);
}

TEST(LBFGS, SaysWhatItNeeds) {
  const Problem problem = valley();
  LBFGS optimizer(problem.parameters);
  EXPECT_TRUE(optimizer.needs_closure());
  EXPECT_ERROR(ValueError, optimizer.step(),
               "[lbfgs] looks at the loss several times in a step: call step(closure)");
  EXPECT_ERROR(
      GradientError, optimizer.step([] { return 1.0; }),
      "[lbfgs] no gradient has reached w; does the loss depend on it, and was backward() called after "
      "zero_grad()?");
  EXPECT_ERROR(ValueError, LBFGS(problem.parameters, {.history = 0}),
               "[lbfgs] max_iter, max_eval and history must be positive, got 20, 25 and 0");
  EXPECT_ERROR(ValueError, LBFGS(problem.parameters, {.tolerance_grad = -1.0}),
               "[lbfgs] tolerances must be 0 or more, got -1 and 1e-09");
}

}  // namespace
}  // namespace splot
