// The memory of a plan: nothing alive is overlapped, and little is wasted.
#include "splot/compiler/lifetimes.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "splot/graph/trace.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

std::vector<Lifetime> made_up(std::mt19937& random) {
  std::vector<Lifetime> out(1 + random() % 40);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int first = static_cast<int>(random() % 50);
    out[i] = {.home = random() % 5 == 0 ? Home::outside : Home::arena,
              .base = static_cast<ValueId>(i),
              .first = first,
              .last = first + static_cast<int>(random() % 20),
              .bytes = 64 * (random() % 30)};
  }
  return out;
}

TEST(Arena, NothingThatIsAliveIsOverlapped) {
  std::mt19937 random(1);
  double most = 0.0;
  for (int round = 0; round < 500; ++round) {
    const std::vector<Lifetime> all = made_up(random);
    const Arena arena = place(all);
    ASSERT_GE(arena.bytes, arena.lower_bound);
    if (arena.lower_bound > 0) {
      most = std::max(most, static_cast<double>(arena.bytes) / static_cast<double>(arena.lower_bound));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (all[i].home != Home::arena || all[j].home != Home::arena) continue;
        if (all[i].first > all[j].last || all[j].first > all[i].last) continue;
        EXPECT_TRUE(arena.offsets[i] + all[i].bytes <= arena.offsets[j] ||
                    arena.offsets[j] + all[j].bytes <= arena.offsets[i])
            << "round " << round << ": " << i << " and " << j;
      }
    }
  }
  EXPECT_LT(most, 1.7);
}

// So many elementwise calls, each of what the one before it gives.
Graph chain_of(int calls) {
  return trace(
      [calls](std::span<const Tensor> in, std::uint64_t) {
        Tensor x = in[0];
        for (int i = 0; i < calls; ++i) x = sigmoid(x);
        return TensorList{x};
      },
      TensorList{Tensor::empty({1000}, kFloat32)});
}

// In a chain two neighbours are alive at once, and one block for two is all it takes.
TEST(Arena, AChainTakesWhatIsAliveAtOnce) {
  const Graph graph = chain_of(10);
  const std::vector<Lifetime> lifetimes = lifetimes_of(graph);
  const Arena arena = place(lifetimes);
  EXPECT_EQ(arena.lower_bound, 2u * 4032u);
  EXPECT_EQ(arena.bytes, arena.lower_bound);
}

// A value lives as long as anything that looks at its elements.
TEST(Lifetimes, ViewsKeepTheirBase) {
  const Graph graph = trace(
      [](std::span<const Tensor> in, std::uint64_t) {
        const Tensor a = sigmoid(in[0]);
        const Tensor view = slice(reshape(a, {6}), 0, 2, 4);
        const Tensor b = tanh(in[0]);
        return TensorList{sum(b), sum(view)};
      },
      TensorList{Tensor::empty({2, 3}, kFloat32)});
  const std::vector<Lifetime> lifetimes = lifetimes_of(graph);
  const ValueId a = graph.calls[0].outputs[0];
  int views = 0;
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    if (lifetimes[i].home != Home::view) continue;
    ++views;
    EXPECT_EQ(lifetimes[i].base, a);
  }
  EXPECT_EQ(views, 2);
  EXPECT_EQ(lifetimes[static_cast<std::size_t>(a)].last, static_cast<int>(graph.calls.size()) - 1);
}

// Each is written over the one before it; what is given back has memory of its own.
TEST(PlannedLifetimes, AnElementwiseChainTakesOneBlock) {
  const Graph graph = chain_of(4);
  const std::vector<Lifetime> lifetimes = planned_lifetimes(graph);
  const ValueId first = graph.calls[0].outputs[0];
  for (const int i : {1, 2}) {
    const Lifetime& value =
        lifetimes[static_cast<std::size_t>(graph.calls[static_cast<std::size_t>(i)].outputs[0])];
    EXPECT_EQ(value.home, Home::view);
    EXPECT_EQ(value.base, first);
  }
  EXPECT_EQ(lifetimes[static_cast<std::size_t>(graph.calls[3].outputs[0])].home, Home::own);
  EXPECT_EQ(place(lifetimes).bytes, 4032u);
}

TEST(PlannedLifetimes, WhatIsReadLaterOrLiesOtherwiseIsNotWrittenOver) {
  const Graph graph = trace(
      [](std::span<const Tensor> in, std::uint64_t) {
        const Tensor a = exp(in[0]);           // read again below
        const Tensor b = tanh(a);              // so it cannot be here
        const Tensor row = sum(a, {0}, true);  // of another shape than what follows
        const Tensor c = row + in[0];
        return TensorList{sum(b * c), sum(cast(a > row, kInt64))};  // a condition is smaller
      },
      TensorList{Tensor::empty({20, 50}, kFloat32)});
  const std::vector<Lifetime> lifetimes = planned_lifetimes(graph);
  for (const GraphCall& call : graph.calls) {
    const std::string name = call.op->name;
    const Home home = lifetimes[static_cast<std::size_t>(call.outputs[0])].home;
    if (name == "tanh" || name == "add" || name == "greater") {
      EXPECT_EQ(home, Home::arena) << name;
    }
    if (name == "mul") {
      EXPECT_EQ(home, Home::view);
    }
  }
}

// Results of calls that are made together are there before all operands have been read.
TEST(PlannedLifetimes, FusedCallsKeepTheirOperandsToTheEnd) {
  Graph graph = trace(
      [](std::span<const Tensor> in, std::uint64_t) {
        const Tensor a = matmul(in[0], in[0]), b = matmul(a, in[0]);
        const Tensor c = exp(a), d = c + b;
        return TensorList{sum(c), sum(matmul(d, in[0]))};
      },
      TensorList{Tensor::empty({64, 64}, kFloat32)});
  for (GraphCall& call : graph.calls) {
    if (call.op->elementwise != nullptr) call.fused = 1;
  }
  const auto of = [&](const std::vector<Lifetime>& all, std::size_t call) {
    return all[static_cast<std::size_t>(graph.calls[call].outputs[0])];
  };
  const std::vector<Lifetime> alone = lifetimes_of(graph), together = planned_lifetimes(graph);
  ASSERT_EQ(graph.calls[2].op->name, std::string("exp"));
  EXPECT_EQ(calls_together(graph, 2), 2u);
  EXPECT_EQ(of(alone, 0).last, 2);
  EXPECT_EQ(of(together, 2).base, graph.calls[0].outputs[0]);  // exp over a, which nobody reads afterwards
  EXPECT_EQ(of(together, 3).base, graph.calls[1].outputs[0]);
  EXPECT_EQ(of(together, 2).home, Home::view);
}

}  // namespace
}  // namespace splot::compiler
