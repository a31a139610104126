// The pass rematerialize: what is computed again, what is not, and that no bit changes.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/compiler/lifetimes.h"
#include "splot/compiler/passes.h"
#include "splot/compiler/plan.h"
#include "splot/graph/trace.h"
#include "splot/ops/ops.h"

#include "tests/support/bytes.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using test::bytes_of;

std::size_t count(const Graph& graph, const std::string& op) {
  return static_cast<std::size_t>(std::count_if(graph.calls.begin(), graph.calls.end(),
                                                [&](const GraphCall& call) { return call.op->name == op; }));
}

std::size_t bytes_at_once(const Graph& graph) {
  return compiler::place(compiler::planned_lifetimes(graph)).lower_bound;
}

Graph traced(const std::function<TensorList(In)>& function, const TensorList& arguments) {
  return trace([&](In in, std::uint64_t) { return function(in); }, {arguments.data(), arguments.size()});
}

// h = exp(z), z = matmul: forward so many times, and back with both z and h read again, as derivatives are.
TensorList layers(In in, int depth) {
  std::vector<Tensor> z, h;
  Tensor x = in[0];
  for (int i = 0; i < depth; ++i) {
    z.push_back(matmul(x, in[1]));
    h.push_back(tanh(z.back() * 0.01));
    x = h.back();
  }
  Tensor d = x;
  for (int i = depth; i-- > 0;) {
    const auto at = static_cast<std::size_t>(i);
    const Tensor dw = matmul(h[at], in[1]);
    d = matmul(d, z[at]) + dw;
  }
  return {d};
}

// [512, 512] float32 is one MiB.
constexpr Index kSize = 512;
TensorList large() {
  return {normal({kSize, kSize}, RandomKey{.seed = 1}), normal({kSize, kSize}, RandomKey{.seed = 2})};
}

TEST(Rematerialize, WhatWaitsIsComputedAgain) {
  const auto function = [](In in) { return layers(in, 6); };
  const TensorList arguments = large();
  Graph graph = traced(function, arguments);
  find_pass("fuse-elementwise")->run(graph);
  const std::size_t before = bytes_at_once(graph);
  const std::size_t calls = count(graph, "tanh");
  EXPECT_GT(find_pass("rematerialize")->run(graph), 2u);
  EXPECT_LT(bytes_at_once(graph), before * 7 / 10);
  EXPECT_GT(count(graph, "tanh"), calls);
  EXPECT_EQ(count(graph, "matmul"), 18u);  // which are not cheap
  // Both calls that make it are made again, together.
  EXPECT_EQ(count(graph, "mul"), count(graph, "tanh"));
  int number = 0;  // of what is made together, one by one
  for (std::size_t i = 0; i < graph.calls.size(); i += compiler::calls_together(graph, i)) {
    if (graph.calls[i].fused != 0) {
      EXPECT_EQ(graph.calls[i].fused, ++number);
    }
  }
  EXPECT_GT(number, 6);
  const In in(arguments.data(), arguments.size());
  const TensorList expected = function(in);
  Plan plan(std::move(graph));
  for (int run = 0; run < 2; ++run) EXPECT_EQ(bytes_of(plan.run(in)[0]), bytes_of(expected[0]));
}

TEST(Rematerialize, NotWhereTheCachesHoldItAll) {
  Graph graph = traced([](In in) { return layers(in, 6); }, {ones({64, 64}), ones({64, 64})});
  EXPECT_EQ(find_pass("rematerialize")->run(graph), 0u);
}

// Nothing is gained where the operand would have to be kept in its place.
TEST(Rematerialize, NotOfOperandsThatAreGone) {
  const auto function = [](In in) {
    std::vector<Tensor> h;
    Tensor x = in[0];
    for (int i = 0; i < 6; ++i) h.push_back(x = tanh(matmul(x, in[1])));
    Tensor d = x;
    for (int i = 6; i-- > 0;) d = matmul(d, in[1]) + matmul(h[static_cast<std::size_t>(i)], in[1]);
    return TensorList{d};
  };
  Graph graph = traced(function, large());
  const std::string before = graph.to_string();
  EXPECT_EQ(find_pass("rematerialize")->run(graph), 0u);
  EXPECT_EQ(graph.to_string(), before);
}

// A block's result needs the one before it, which has been left out as well: it is made again once for both.
TEST(Rematerialize, ChainsOfResidualBlocks) {
  const auto function = [](In in) {
    std::vector<Tensor> z, y = {in[0]};
    for (int i = 0; i < 6; ++i) {
      z.push_back(matmul(y.back(), in[1]));
      y.push_back(relu(z.back() + y.back()));
    }
    Tensor d = y.back();
    for (int i = 6; i-- > 0;) {
      const auto at = static_cast<std::size_t>(i);
      d = where(y[at + 1] > 0.0, d, 0.0) + matmul(y[at], matmul(d, z[at]));
    }
    return TensorList{d};
  };
  const TensorList arguments = large();
  Graph graph = traced(function, arguments);
  find_pass("fuse-elementwise")->run(graph);
  const std::size_t before = bytes_at_once(graph);
  EXPECT_GT(find_pass("rematerialize")->run(graph), 1u);
  EXPECT_LT(bytes_at_once(graph), before);
  EXPECT_LE(count(graph, "relu"), 12u);  // each at most twice
  const In in(arguments.data(), arguments.size());
  const TensorList expected = function(in);
  Plan plan(std::move(graph));
  EXPECT_EQ(bytes_of(plan.run(in)[0]), bytes_of(expected[0]));
}

// A slot that has its new value by then is another operand than it was.
TEST(Rematerialize, OldValuesOfSlotsAreNotReadAgain) {
  Parameter shift(full({kSize}, 0.5, kFloat32), "shift");
  const auto function = [&](In in) {
    std::vector<Tensor> z, h;
    Tensor x = in[0];
    const Tensor old = shift.value();
    for (int i = 0; i < 6; ++i) {
      z.push_back(matmul(x, in[1]) * 0.01);
      h.push_back(x = z.back() + old);
    }
    shift.assign(sgd_step(old, sum(x, {0}), Tensor(), scalar(0.1f))[0]);
    Tensor d = x;
    for (int i = 6; i-- > 0;) {
      const auto at = static_cast<std::size_t>(i);
      const Tensor dw = matmul(h[at], in[1]) * 0.01;
      d = matmul(d, z[at]) + dw;
    }
    return TensorList{d};
  };
  const TensorList arguments = large();
  const In in(arguments.data(), arguments.size());
  Graph graph =
      trace([&](In given, std::uint64_t) { return function(given); }, in, {.slots = {Slot("shift", shift)}});
  find_pass("rematerialize")->run(graph);
  Plan plan(std::move(graph));
  const TensorList got = plan.run(in);
  const std::vector<float> moved = shift.value().to_vector<float>();
  shift.assign(full({kSize}, 0.5, kFloat32));
  EXPECT_EQ(bytes_of(got[0]), bytes_of(function(in)[0]));
  EXPECT_EQ(shift.value().to_vector<float>(), moved);
}

}  // namespace
}  // namespace splot
