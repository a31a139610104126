// The pass early-update: where updates go, where they stay, and that no bit changes.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/compiler/passes.h"
#include "splot/compiler/plan.h"
#include "splot/graph/trace.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/optim/optimizer.h"
#include "splot/train/slots.h"

#include "tests/support/bytes.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using test::bytes_of;

// Names of the calls, in order.
std::vector<std::string> calls_of(const Graph& graph) {
  std::vector<std::string> out;
  for (const GraphCall& call : graph.calls) out.emplace_back(call.op->name);
  return out;
}

// Two weights one behind the other, with a velocity each: the second has its gradient first.
struct Step {
  std::vector<Parameter> weights = {Parameter(normal({4, 3}, RandomKey{.seed = 1}), "a"),
                                    Parameter(normal({3, 2}, RandomKey{.seed = 2}), "b")};
  std::vector<Tensor> velocities = {zeros({4, 3}), zeros({3, 2})};
  Tensor rate = scalar(0.25f);
  bool reads_old_weight = false;

  TensorList operator()(In in) {
    const Tensor a = weights[0].value(), b = weights[1].value();
    const Tensor hidden = matmul(in[0], a), out = matmul(hidden, b);
    const Tensor dout = out - in[1];
    const Tensor db = matmul(matrix_transpose(hidden), dout);
    const Tensor dhidden = matmul(dout, matrix_transpose(b));
    const Tensor da = matmul(matrix_transpose(in[0]), dhidden);
    const TensorList results = {sum(out), reads_old_weight ? sum(b) : sum(in[0])};
    update(0, da);
    update(1, db);
    return results;
  }
  void update(std::size_t i, const Tensor& gradient) {
    TensorList next = sgd_step(weights[i].value(), gradient, velocities[i], rate, {.momentum = 0.9});
    weights[i].assign(next[0]);
    velocities[i] = next[1];
  }
  std::vector<Slot> slots() {
    return {Slot("a", weights[0]), Slot("b", weights[1]), Slot("va", &velocities[0]),
            Slot("vb", &velocities[1]), Slot("rate", &rate)};
  }
  Graph traced() {
    const TensorList arguments = {ones({5, 4}), ones({5, 2})};
    return trace([&](In in, std::uint64_t) { return (*this)(in); }, {arguments.data(), arguments.size()},
                 {.slots = slots()});
  }
};

TEST(EarlyUpdate, AnUpdateFollowsItsGradient) {
  Step step;
  Graph graph = step.traced();
  EXPECT_EQ(calls_of(graph),
            (std::vector<std::string>{"matmul", "matmul", "sub", "permute", "matmul", "permute", "matmul",
                                      "permute", "matmul", "sum", "sum", "sgd_step", "sgd_step"}));
  EXPECT_EQ(find_pass("early-update")->run(graph), 2u);
  // The second weight is read by the gradient of the hidden layer, and updated right behind that.
  EXPECT_EQ(calls_of(graph),
            (std::vector<std::string>{"matmul", "matmul", "sub", "permute", "matmul", "permute", "matmul",
                                      "sgd_step", "permute", "matmul", "sgd_step", "sum", "sum"}));
  EXPECT_EQ(find_pass("early-update")->run(graph), 0u);
}

TEST(EarlyUpdate, NotBeforeTheLastReaderOfTheOldWeight) {
  Step step{.reads_old_weight = true};
  Graph graph = step.traced();
  find_pass("early-update")->run(graph);
  const std::vector<std::string> calls = calls_of(graph);
  EXPECT_EQ(std::vector<std::string>(calls.end() - 4, calls.end()),
            (std::vector<std::string>{"sgd_step", "sum", "sum", "sgd_step"}));
}

TEST(EarlyUpdate, ClippedGradientsWaitForTheirNorm) {
  Parameter w(normal({3, 2}, RandomKey{.seed = 1}), "w");
  Tensor rate = scalar(0.25f);
  const TensorList arguments = {ones({3, 2})};
  Graph graph = trace(
      [&](In in, std::uint64_t) {
        const Tensor g = exp(in[0]);
        const Tensor clipped = g * rsqrt(sum(g * g));
        const Tensor loss = sum(in[0]);
        w.assign(sgd_step(w.value(), clipped, Tensor(), rate)[0]);
        return TensorList{loss};
      },
      {arguments.data(), arguments.size()}, {.slots = {Slot("w", w), Slot("rate", &rate)}});
  EXPECT_EQ(find_pass("early-update")->run(graph), 1u);
  EXPECT_EQ(calls_of(graph),
            (std::vector<std::string>{"exp", "mul", "sum", "rsqrt", "mul", "sgd_step", "sum"}));
}

// Adam's number of steps comes along; ten steps give the same weights and moments.
TEST(EarlyUpdate, AdamKeepsItsBits) {
  const auto run = [](const PassOptions& passes, std::vector<std::string>& order) {
    Sequential net{Linear(6, 5), ReLU(), Linear(5, 3)};
    initialize(net, 1);
    Adam adam(named_parameters(net));
    const Tensor x = normal({4, 6}, RandomKey{.seed = 3});
    const Tensor t = tensor({0, 1, 2, 1});
    const auto step = [&](In in, std::uint64_t) {
      adam.zero_grad();
      const Tensor loss = cross_entropy(net(in[0]), in[1]);
      backward(loss);
      adam.step();
      return TensorList{loss};
    };
    const TensorList arguments = {x, t};
    const In in(arguments.data(), arguments.size());
    step(in, 0);
    Plan plan(optimize(trace(step, in, {.slots = slots_of(net, adam)}), passes).graph);
    order = calls_of(plan.graph());
    for (int i = 0; i < 10; ++i) plan.run(in);
    std::vector<std::vector<std::uint8_t>> out;
    for (const NamedTensor& state : adam.state_dict()) out.push_back(bytes_of(state.value));
    for (const NamedParameter& p : named_parameters(net)) out.push_back(bytes_of(p.parameter.value()));
    return out;
  };
  std::vector<std::string> early, late;
  const auto with = run({}, early), without = run({.without = {"early-update"}}, late);
  EXPECT_EQ(with, without);
  EXPECT_NE(early, late);
  EXPECT_LT(std::find(early.begin(), early.end(), "adam_step") - early.begin(),
            std::find(late.begin(), late.end(), "adam_step") - late.begin());
}

}  // namespace
}  // namespace splot
