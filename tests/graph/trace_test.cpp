// What a trace writes down, and what it refuses.
#include "splot/graph/trace.h"

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

TEST(Trace, WritesDownCallsAndDerivatives) {
  Parameter w(ones({3, 2}), "w");
  const Graph graph = trace(
      [&](In in, std::uint64_t) {
        const Tensor y = sum(matmul(in[0], w));
        return TensorList{y.detach(), grad(y, {w})[0]};
      },
      TensorList{ones({4, 3})}, {.slots = {Slot("w", w)}});
  const std::string text = graph.to_string();
  EXPECT_NE(text.find("%0 = argument 0: float32[4, 3]\n%1 = slot w: float32[3, 2]\n%2 = matmul(%0, %1)"),
            std::string::npos)
      << text;
  EXPECT_TRUE(graph.writes.empty());
  EXPECT_EQ(graph.outputs.size(), 2u);
}

TEST(Trace, NamesWhatWouldBeFrozen) {
  const Tensor stray = ones({2, 2});
  EXPECT_ERROR(
      TraceError,
      trace([&](In in, std::uint64_t) { return TensorList{in[0] + stray}; }, TensorList{ones({2, 2})}),
      "[trace] add uses float32[2, 2], which was there before the function was called: its value would be "
      "frozen. Make it an argument of the function, or a slot");
}

TEST(Trace, NamesWhatIsRead) {
  EXPECT_ERROR(
      TraceError,
      trace(
          [](In in, std::uint64_t) {
            if (sum(in[0]).item<double>() > 0.0) return TensorList{in[0]};
            return TensorList{-in[0]};
          },
          TensorList{ones({2})}),
      "[trace] elements are read of the result of sum, float32[]: while a function is traced nothing is "
      "computed. Read it after the call, or leave the decision to ops such as where()");
  EXPECT_ERROR(
      TraceError,
      trace([](In in, std::uint64_t) { return TensorList{ones({in[0].to_vector<Index>()[0]})}; },
            TensorList{tensor({Index{3}})}),
      "[trace] elements are read of argument 0, int64[1]: while a function is traced nothing is computed. "
      "Read it after the call, or leave the decision to ops such as where()");
}

TEST(Trace, NamesASlotThatIsRead) {
  Parameter w(ones({2}), "w");
  EXPECT_ERROR(
      TraceError,
      trace([&](In in, std::uint64_t) { return TensorList{in[0] * w.value().to_vector<float>()[0]}; },
            TensorList{ones({2})}, {.slots = {Slot("w", w)}}),
      "[trace] elements are read of w, float32[2]: while a function is traced nothing is computed. "
      "Read it after the call, or leave the decision to ops such as where()");
  EXPECT_EQ(w.value().to_vector<float>(), (std::vector<float>{1, 1}));
}

// As the number of steps of an optimiser is one tensor for all its parameters.
TEST(Trace, SlotsThatHoldTheSameTensorAreOneInput) {
  Tensor a = ones({2}), b = a;
  const Graph graph = trace([&](In, std::uint64_t) { return TensorList{a + b}; }, {},
                            {.slots = {Slot("a", &a), Slot("b", &b)}});
  EXPECT_EQ(graph.inputs.size(), 1u);
  EXPECT_TRUE(graph.writes.empty());
  EXPECT_EQ(a.impl(), b.impl());
}

// Whatever happens in the middle.
TEST(Trace, LeavesSlotsAndGradientsAsTheyWere) {
  Parameter w(ones({2}), "w");
  w.set_grad(full({2}, 3.0, kFloat32));
  EXPECT_THROW(trace(
                   [&](In, std::uint64_t) -> TensorList {
                     w.zero_grad();
                     backward(sum(w * w));
                     w.assign(w.value() - w.grad());
                     throw std::runtime_error("stop");
                   },
                   std::span<const Tensor>(), {.slots = {Slot("w", w)}}),
               std::runtime_error);
  EXPECT_EQ(w.value().to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_EQ(w.grad().to_vector<float>(), (std::vector<float>{3, 3}));
}

}  // namespace
}  // namespace splot
