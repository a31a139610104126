// The pass fuse-update: what it makes of small graphs, what it leaves as it is, and that no bit changes.
#include <cstdint>
#include <memory>
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
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"
#include "splot/optim/optimizer.h"
#include "splot/train/slots.h"

#include "tests/support/bytes.h"

namespace splot {
namespace {

using test::bytes_of;

using In = std::span<const Tensor>;

// The update of w by the gradient that `gradient` makes of the arguments and of w.
struct Step {
  Parameter w{normal({3, 2}, RandomKey{.seed = 1}), "w"};
  std::function<Tensor(In, const Tensor& w)> gradient;
  std::function<void(In, const Tensor& before)> afterwards = {};

  TensorList operator()(In in) {
    const Tensor before = w.value();
    const Tensor g = gradient(in, before);
    if (afterwards) afterwards(in, before);
    w.assign(sgd_step(before, g, Tensor(), in[2])[0]);
    return {sum(in[0])};
  }
  Graph traced(const TensorList& arguments) {
    return trace([&](In in, std::uint64_t) { return (*this)(in); }, {arguments.data(), arguments.size()},
                 {.slots = {Slot("w", w)}});
  }
};

TensorList arguments() {
  return {normal({4, 3}, RandomKey{.seed = 2}), normal({4, 2}, RandomKey{.seed = 3}), scalar(0.25f)};
}

Tensor product(In in, const Tensor&) { return matmul(matrix_transpose(in[0]), in[1]); }

std::size_t count_of(const Graph& graph, const OpDef& op) {
  std::size_t out = 0;
  for (const GraphCall& call : graph.calls) out += call.op == &op ? 1 : 0;
  return out;
}

TEST(FuseUpdate, TheUpdateStandsWhereTheProductWas) {
  Step step{.gradient = product};
  Graph graph = step.traced(arguments());
  EXPECT_EQ(graph.to_string(),
            "%0 = argument 0: float32[4, 3]\n"
            "%1 = argument 1: float32[4, 2]\n"
            "%2 = argument 2: float32[]\n"
            "%3 = slot w: float32[3, 2]\n"
            "%4 = permute(%0, order=[1, 0]): float32[3, 4]\n"
            "%5 = matmul(%4, %1): float32[3, 2]\n"
            "%6 = sgd_step(%3, %5, %2, momentum=0, weight_decay=0, nesterov=false, l1=0, increment=false): "
            "float32[3, 2]\n"
            "%7 = sum(%0, axes=[0, 1], keepdim=false): float32[]\n"
            "w := %6\n"
            "return %7\n");
  EXPECT_EQ(find_pass("fuse-update")->run(graph), 1u);
  EXPECT_EQ(graph.to_string(),
            "%0 = argument 0: float32[4, 3]\n"
            "%1 = argument 1: float32[4, 2]\n"
            "%2 = argument 2: float32[]\n"
            "%3 = slot w: float32[3, 2]\n"
            "%4 = permute(%0, order=[1, 0]): float32[3, 4]\n"
            "%5 = matmul_sgd_step(%4, %1, %3, %2, weight_decay=0, l1=0): float32[3, 2]\n"
            "%6 = sum(%0, axes=[0, 1], keepdim=false): float32[]\n"
            "w := %5\n"
            "return %6\n");
  EXPECT_EQ(find_pass("fuse-update")->run(graph), 0u);
}

// All that a product may not be taken for.
TEST(FuseUpdate, LeavesWhatSomebodyElseNeeds) {
  const auto left_alone = [](Step step) {
    Graph graph = step.traced(arguments());
    const std::string before = graph.to_string();
    EXPECT_EQ(find_pass("fuse-update")->run(graph), 0u);
    EXPECT_EQ(graph.to_string(), before);
  };
  // The gradient is read by others: it is looked at, or clipped.
  left_alone({.gradient = [](In in, const Tensor& w) {
    const Tensor g = product(in, w);
    return where(sum(g * g) > 1.0, 0.5 * g, g);
  }});
  // Not a product alone.
  left_alone({.gradient = [](In in, const Tensor& w) { return product(in, w) + product(in, w); }});
  // The old weight is needed after the product.
  Tensor sink;
  left_alone({.gradient = product, .afterwards = [&](In, const Tensor& before) { sink = exp(before); }});
}

// A learning rate that is worked out between the two comes first.
TEST(FuseUpdate, TakesSingleNumbersAlong) {
  Parameter w(ones({3, 2}), "w"), count(scalar(0.0), "count");
  const TensorList given = arguments();
  Graph graph = trace(
      [&](In in, std::uint64_t) {
        const Tensor g = product(in, w.value());
        const Tensor next = count.value() + 1.0;
        w.assign(sgd_step(w.value(), g, Tensor(), in[2] / next)[0]);
        count.assign(next);
        return TensorList();
      },
      {given.data(), given.size()}, {.slots = {Slot("w", w), Slot("count", count)}});
  EXPECT_EQ(find_pass("fuse-update")->run(graph), 1u);
  EXPECT_EQ(graph.calls.back().op, &matmul_sgd_step_op);
  Plan plan(std::move(graph));
  const Tensor g = product({given.data(), given.size()}, w.value());
  Tensor expected = w.value();
  for (int i = 1; i <= 3; ++i) {
    plan.run(given);
    expected = sgd_step(expected, g, Tensor(), given[2] / static_cast<double>(i))[0];
    EXPECT_EQ(bytes_of(w.value()), bytes_of(expected)) << "step " << i;
  }
}

// The product reads the weight while the new one is written: it must not be written over the old one.
TEST(FuseUpdate, AWeightThatTheProductReadsIsNotWrittenOver) {
  Parameter w(normal({40, 40}, RandomKey{.seed = 4}), "w");
  const auto function = [&](In in, std::uint64_t) {
    const Tensor before = w.value();
    w.assign(sgd_step(before, matmul(matrix_transpose(before), before), Tensor(), in[0])[0]);
    return TensorList();
  };
  const TensorList given = {scalar(0.01f)};
  Graph graph = trace(function, {given.data(), given.size()}, {.slots = {Slot("w", w)}});
  EXPECT_EQ(find_pass("fuse-update")->run(graph), 1u);
  Tensor expected = w.value();
  expected = sgd_step(expected, matmul(matrix_transpose(expected), expected), Tensor(), given[0])[0];
  Plan(std::move(graph)).run(given);
  EXPECT_EQ(bytes_of(w.value()), bytes_of(expected));
}

// A whole training: the weights are the same to the bit. With a velocity nothing is fused.
TEST(FuseUpdate, TrainingHasTheSameBits) {
  for (const SGDOptions& options :
       {SGDOptions{.lr = 0.1}, SGDOptions{.lr = 0.1, .weight_decay = 0.01, .l1 = 0.001},
        SGDOptions{.lr = 0.1, .momentum = 0.9}}) {
    const bool fuses = options.momentum == 0.0;
    struct Side {
      Sequential net{Linear(70, 33), Sigmoid(), Linear(33, 20), ReLU(), Linear(20, 5)};
      std::unique_ptr<SGD> optimizer;
    } eager, planned;
    for (Side* side : {&eager, &planned}) {
      initialize(side->net, 1);
      side->optimizer = std::make_unique<SGD>(named_parameters(side->net), options);
    }
    const auto step = [](Side& side, In in) {
      side.optimizer->zero_grad();
      const Tensor loss = mse_loss(side.net(in[0]), in[1]);
      backward(loss);
      side.optimizer->step();
      return TensorList{loss.detach()};
    };
    for (std::uint64_t i = 0; i < 4; ++i) {
      const TensorList batch = {normal({12, 70}, RandomKey{.seed = 5, .counter = i}),
                                normal({12, 5}, RandomKey{.seed = 6, .counter = i})};
      const std::span<const Tensor> in(batch.data(), batch.size());
      step(eager, in);
      OptimizedGraph graph = optimize(trace([&](In x, std::uint64_t) { return step(planned, x); }, in,
                                            {.slots = slots_of(planned.net, *planned.optimizer)}),
                                      {.without = {"stable-numerics"}});
      EXPECT_EQ(count_of(graph.graph, matmul_sgd_step_op), fuses ? 3u : 0u);
      Plan(std::move(graph.graph)).run(in);
      const NamedTensors got = state_dict(planned.net), expected = state_dict(eager.net);
      for (std::size_t k = 0; k < got.size(); ++k) {
        EXPECT_EQ(bytes_of(got[k].value), bytes_of(expected[k].value)) << got[k].name << " in step " << i;
      }
    }
  }
}

}  // namespace
}  // namespace splot
