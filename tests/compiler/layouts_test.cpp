// The pass layouts: batches are brought into the order of images once, and no bit changes.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/compiler/passes.h"
#include "splot/compiler/plan.h"
#include "splot/graph/trace.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/bytes.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using test::bytes_of;

// A convolution of the batch and the gradient of its weights.
TensorList step(In in) {
  const Tensor w = in[1].variable();
  const Tensor y = conv2d(in[0], w, {.padding = {1}});
  return {y.detach(), grad(sum(y * y), {w})[0]};
}

TensorList arguments(Index images) {
  return {normal({images, 3, 12, 11}, RandomKey{.seed = 1}), normal({4, 3, 3, 3}, RandomKey{.seed = 2})};
}

Graph traced(const TensorList& given) {
  return trace([](In in, std::uint64_t) { return step(in); }, {given.data(), given.size()});
}

std::vector<const GraphCall*> orders_in(const Graph& graph) {
  std::vector<const GraphCall*> out;
  for (const GraphCall& call : graph.calls) {
    if (call.op == &to_images_last_op) out.push_back(&call);
  }
  return out;
}

TEST(Layouts, ABatchIsBroughtIntoOrderOnce) {
  const TensorList given = arguments(16);
  Graph graph = traced(given);
  EXPECT_EQ(find_pass("layouts")->run(graph), 1u);
  const std::vector<const GraphCall*> orders = orders_in(graph);
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0]->inputs, std::vector<ValueId>{0});
  const ValueId ordered = orders[0]->outputs[0];
  EXPECT_EQ(graph.values[static_cast<std::size_t>(ordered)].strides, (Strides{1, 2112, 176, 16}));
  for (const GraphCall& call : graph.calls) {
    if (call.op == &conv2d_op || call.op == &conv2d_weight_grad_op) {
      EXPECT_EQ(call.inputs[0], ordered) << call.op->name;
    }
  }
  EXPECT_EQ(find_pass("layouts")->run(graph), 0u);

  const In in(given.data(), given.size());
  const TensorList expected = step(in);
  Plan plan(std::move(graph));
  for (int run = 0; run < 2; ++run) {
    const TensorList got = plan.run(in);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(bytes_of(got[i]), bytes_of(expected[i])) << i;
  }
}

TEST(Layouts, NothingWhereTheOrderIsRightOrOneReaderWantsIt) {
  Graph single = traced(arguments(1));  // has both orders
  EXPECT_EQ(find_pass("layouts")->run(single), 0u);
  TensorList ordered = arguments(16);
  ordered[0] = to_images_last(ordered[0]);
  Graph right = traced(ordered);
  EXPECT_EQ(find_pass("layouts")->run(right), 0u);
  const TensorList given = arguments(16);
  Graph one = trace(
      [](In in, std::uint64_t) {
        return TensorList{conv2d(in[0], in[1]), sum(in[0])};
      },
      {given.data(), given.size()});
  EXPECT_EQ(find_pass("layouts")->run(one), 0u);
}

}  // namespace
}  // namespace splot
