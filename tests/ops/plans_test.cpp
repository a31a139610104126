// Every op alike, with its derivative: as a plan it gives the bits that it gives when it is called.
#include <cstring>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/compiler/passes.h"
#include "splot/compiler/plan.h"
#include "splot/graph/trace.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/golden.h"

namespace splot::test {
namespace {

// Results and, where there are any, the derivatives of their sums by the inputs that are floating.
TensorList with_derivatives(const Run& run, std::span<const Tensor> inputs, bool differentiable) {
  TensorList variables;
  for (const Tensor& x : inputs) {
    variables.push_back(differentiable && x.dtype().is_floating() ? x.variable() : x);
  }
  TensorList out;
  TensorList wanted;
  for (const Tensor& x : variables) {
    if (x.requires_grad()) wanted.push_back(x);
  }
  for (const Tensor& y : run(variables)) {
    out.push_back(y.detach());
    if (!y.requires_grad() || wanted.empty()) continue;
    for (const Tensor& dx :
         grad(y, wanted,
              {.cotangent = ones(y.shape(), y.dtype()), .retain_graph = true, .allow_unused = true})) {
      if (dx.defined()) out.push_back(dx);
    }
  }
  return out;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  const Tensor x = contiguous(a), y = contiguous(b);
  const auto bytes = static_cast<std::size_t>(x.numel()) * x.dtype().size();
  return bytes == 0 || std::memcmp(x.raw(), y.raw(), bytes) == 0;
}

std::vector<TensorList> all_inputs(const RegisteredCase& registered) {
  std::vector<TensorList> out = registered.op_case.inputs;
  for (const GoldenSample& sample : golden_samples(registered.op_case.golden)) out.push_back(sample.inputs);
  return out;
}

// Empty, or what is different.
std::string compare(const RegisteredCase& registered, const TensorList& inputs) {
  const bool differentiable = registered.op_case.orders > 0;
  const Run& run = registered.op_case.run;
  const std::span<const Tensor> arguments(inputs.data(), inputs.size());
  const TensorList called = with_derivatives(run, arguments, differentiable);
  Graph graph = trace(
      [&](std::span<const Tensor> in, std::uint64_t) { return with_derivatives(run, in, differentiable); },
      arguments);
  Plan plan(optimize(std::move(graph), {.without = {"stable-numerics"}}).graph);
  // The second run finds memory that the first has written.
  for (int repeat = 0; repeat < 2; ++repeat) {
    const TensorList planned = plan.run(arguments);
    if (planned.size() != called.size()) return "another number of results";
    for (std::size_t i = 0; i < called.size(); ++i) {
      if (!same_bits(planned[i], called[i])) {
        return join("result ", i, " of run ", repeat, ": ",
                    difference_between(planned[i], called[i], {0, 0, "the same kernels run"}));
      }
    }
  }
  return "";
}

// Its cases bring weights into order by reading them, which no trace may do; the passes that make calls of it
// are tried in tests/compiler.
constexpr const char* kNotTraced = "conv2d_winograd";

TEST(AllOps, GiveTheSameBitsAsPlans) {
  std::map<std::string, int> compared;
  for (const RegisteredCase& c : op_cases()) {
    if (c.op_case.op == kNotTraced) continue;
    int number = 0;
    for (const TensorList& inputs : all_inputs(c)) {
      SCOPED_TRACE(join(c.name, ", inputs ", number++));
      std::string difference;
      try {
        difference = compare(c, inputs);
      } catch (const Error& error) {
        difference = error.what();
      }
      EXPECT_EQ(difference, "");
      ++compared[c.op_case.op];
    }
  }
  for (const OpDef* op : all_ops()) {
    EXPECT_EQ(compared[op->name] > 0, op->name != std::string(kNotTraced)) << op->name;
  }
}

}  // namespace
}  // namespace splot::test
