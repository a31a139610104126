// Operations and bytes of calls against numbers worked out by hand.
#include "splot/compiler/cost.h"

#include <string_view>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/core/parameter.h"
#include "splot/graph/trace.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

// Of the only call of that op.
Cost cost_in(const Graph& graph, std::string_view op) {
  Cost out;
  int found = 0;
  for (const GraphCall& call : graph.calls) {
    if (call.op->name != op) continue;
    out = cost_of(graph, call);
    ++found;
  }
  EXPECT_EQ(found, 1) << op << " in\n" << graph.to_string();
  return out;
}

void expect_cost(const Cost& got, double flops, double bytes) {
  EXPECT_EQ(got.flops, flops);
  EXPECT_EQ(got.bytes, bytes);
}

TEST(Cost, ProductsAreTwoOperationsForEachPair) {
  const Graph graph = trace(
      [](In in, std::uint64_t) {
        return TensorList{linear(in[0], in[1], in[2]), matmul(in[0], matrix_transpose(in[1]))};
      },
      TensorList{ones({4, 5}), ones({3, 5}), ones({3})});
  expect_cost(cost_in(graph, "linear"), 2.0 * 4 * 5 * 3, 4.0 * (4 * 5 + 3 * 5 + 3 + 4 * 3));
  expect_cost(cost_in(graph, "matmul"), 2.0 * 4 * 5 * 3, 4.0 * (4 * 5 + 3 * 5 + 4 * 3));
  expect_cost(cost_in(graph, "permute"), 0, 0);
}

// Zeros that fill up weights are none of it, and transformed weights count for what is computed by them.
TEST(Cost, PackedProductsAreThoseOfTheLayer) {
  const Graph graph = trace(
      [](In in, std::uint64_t) {
        return TensorList{linear_packed(in[0], in[1], in[2]),
                          conv2d_winograd(in[3], in[4], in[5], Tensor(), {1, 1, 1, 1}),
                          conv2d_patches(in[3], in[6], in[5], {2, 2}, {0, 0, 0, 0}, {1, 1})};
      },
      TensorList{ones({4, 5}), ones({1, 1, 8, 16}), ones({3}), ones({2, 4, 5, 5}), ones({4, 4, 4, 6}),
                 ones({6}), ones({4, 3, 3, 6})});
  expect_cost(cost_in(graph, "linear_packed"), 2.0 * 4 * 5 * 3, 4.0 * (4 * 5 + 128 + 3 + 4 * 3));
  expect_cost(cost_in(graph, "conv2d_winograd"), 2.0 * (2 * 6 * 5 * 5) * 4 * 9,
              4.0 * (2 * 4 * 5 * 5 + 16 * 4 * 6 + 6 + 2 * 6 * 5 * 5));
  expect_cost(cost_in(graph, "conv2d_patches"), 2.0 * (2 * 6 * 2 * 2) * 4 * 9,
              4.0 * (2 * 4 * 5 * 5 + 4 * 9 * 6 + 6 + 2 * 6 * 2 * 2));
}

// 2 pictures of 4 channels to 6 in 2 groups, 5 x 5 by 3 x 3: each output number is a sum of 2 * 9 pairs, and
// both derivatives go through the same pairs.
TEST(Cost, ConvolutionsAndTheirDerivatives) {
  Parameter x(ones({2, 4, 5, 5})), w(ones({6, 2, 3, 3}));
  const Graph graph = trace(
      [&](In in, std::uint64_t) {
        const TensorList found = grad(sum(conv2d(x, w, {.padding = {1}, .groups = 2}) * in[0]), {x, w});
        return TensorList{found[0], found[1]};
      },
      TensorList{ones({2, 6, 5, 5})}, {.slots = {Slot("x", x), Slot("w", w)}});
  const double numbers = 2 * 6 * 5 * 5, image = 2 * 4 * 5 * 5, weights = 6 * 2 * 3 * 3;
  for (const char* op : {"conv2d", "conv2d_input_grad", "conv2d_weight_grad"}) {
    SCOPED_TRACE(op);
    expect_cost(cost_in(graph, op), 2.0 * numbers * 2 * 9, 4.0 * (numbers + image + weights));
  }
}

TEST(Cost, OtherCallsMakeEachNumberOnce) {
  const Graph graph = trace(
      [](In in, std::uint64_t) {
        return TensorList{exp(in[0]), greater(in[0], in[1])};
      },
      TensorList{ones({7, 3}, kFloat64), ones({3}, kFloat64)});
  expect_cost(cost_in(graph, "exp"), 21, 8.0 * (21 + 21));
  expect_cost(cost_in(graph, "greater"), 21, 8.0 * (21 + 3) + 21);
}

// What fused calls hand to each other costs no bytes, and what two of them read costs once.
TEST(Cost, FusedCallsReadAndWriteOnce) {
  Graph graph = trace([](In in, std::uint64_t) { return TensorList{exp(in[0]) * in[0] + in[1]}; },
                      TensorList{ones({7, 3}), ones({3})});
  for (GraphCall& call : graph.calls) call.fused = 1;
  const Cost together = cost_of(graph, 0, 3), first = cost_of(graph, 0, 1);
  EXPECT_EQ(together.flops, 3.0 * 21);
  EXPECT_EQ(together.bytes, 4.0 * (21 + 3 + 21));
  EXPECT_EQ(first.bytes, cost_of(graph, graph.calls[0]).bytes);
}

}  // namespace
}  // namespace splot
