// What each pass does to a small graph, before and after.
#include "splot/compiler/passes.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/compiler/compile.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

struct BeforeAndAfter {
  std::string before, after;
  std::size_t places = 0;
};

// One pass alone, once.
BeforeAndAfter shown(const char* pass, const std::function<TensorList(In)>& function,
                     const TensorList& arguments, const std::vector<Slot>& slots = {}) {
  Graph graph = trace([&](In in, std::uint64_t) { return function(in); },
                      std::span<const Tensor>(arguments.data(), arguments.size()), {.slots = slots});
  BeforeAndAfter out{graph.to_string(), {}, 0};
  out.places = find_pass(pass)->run(graph);
  out.after = graph.to_string();
  return out;
}

const TensorList kRow = {ones({3})};
const TensorList kTwoRows = {ones({3}), ones({3})};

TEST(DeadCode, LeavesOutWhatNobodyReads) {
  Parameter used(ones({3}), "used"), unused(ones({3}), "unused");
  const BeforeAndAfter text = shown("dead-code",
                                    [&](In in) {
                                      const Tensor twice = in[0] * 2.0;
                                      exp(twice + in[1] + unused.value());
                                      return TensorList{in[0] * used.value()};
                                    },
                                    kTwoRows, {Slot("used", used), Slot("unused", unused)});
  EXPECT_EQ(text.before,
            "%0 = argument 0: float32[3]\n"
            "%1 = argument 1: float32[3]\n"
            "%2 = slot used: float32[3]\n"
            "%3 = slot unused: float32[3]\n"
            "%4 = constant 2: float32[]\n"
            "%5 = mul(%0, %4): float32[3]\n"
            "%6 = add(%5, %1): float32[3]\n"
            "%7 = add(%6, %3): float32[3]\n"
            "%8 = exp(%7): float32[3]\n"
            "%9 = mul(%0, %2): float32[3]\n"
            "return %9\n");
  EXPECT_EQ(text.after,
            "%0 = argument 0: float32[3]\n"
            "%1 = argument 1: float32[3]\n"
            "%2 = slot used: float32[3]\n"
            "%3 = mul(%0, %2): float32[3]\n"
            "return %3\n");
  EXPECT_EQ(text.places, 6u);  // four calls, a slot and a constant
}

TEST(DeadCode, KeepsWhatIsWritten) {
  Parameter weight(ones({3}), "w");
  const BeforeAndAfter text = shown("dead-code",
                                    [&](In in) {
                                      weight.assign(weight.value() + in[0]);
                                      return TensorList();
                                    },
                                    kRow, {Slot("w", weight)});
  EXPECT_EQ(text.before, text.after);
  EXPECT_EQ(text.places, 0u);
}

TEST(CommonSubexpressions, MakesEqualCallsOnce) {
  const BeforeAndAfter text = shown(
      "common-subexpressions",
      [](In in) {
        const Tensor once = exp(in[0] * 2.0), again = exp(in[0] * 2.0);
        return TensorList{once + again, sum(in[0], {0}), sum(in[0], {0}, true)};
      },
      kRow);
  EXPECT_EQ(text.before,
            "%0 = argument 0: float32[3]\n"
            "%1 = constant 2: float32[]\n"
            "%4 = constant 2: float32[]\n"
            "%2 = mul(%0, %1): float32[3]\n"
            "%3 = exp(%2): float32[3]\n"
            "%5 = mul(%0, %4): float32[3]\n"
            "%6 = exp(%5): float32[3]\n"
            "%7 = add(%3, %6): float32[3]\n"
            "%8 = sum(%0, axes=[0], keepdim=false): float32[]\n"
            "%9 = sum(%0, axes=[0], keepdim=true): float32[1]\n"
            "return %7, %8, %9\n");
  EXPECT_EQ(text.after,
            "%0 = argument 0: float32[3]\n"
            "%1 = constant 2: float32[]\n"
            "%2 = mul(%0, %1): float32[3]\n"
            "%3 = exp(%2): float32[3]\n"
            "%4 = add(%3, %3): float32[3]\n"
            "%5 = sum(%0, axes=[0], keepdim=false): float32[]\n"
            "%6 = sum(%0, axes=[0], keepdim=true): float32[1]\n"
            "return %4, %5, %6\n");
  EXPECT_EQ(text.places, 3u);
}

// 0 == -0, but 1 / 0 is not 1 / -0.
TEST(CommonSubexpressions, TellsZerosApart) {
  const auto zeros_of = [](In in) {
    return TensorList{in[0] * full({3}, 0.0, kFloat32), in[0] * full({3}, -0.0, kFloat32), in[0] * 0.0,
                      in[0] * -0.0};
  };
  EXPECT_EQ(shown("common-subexpressions", zeros_of, kRow).places, 0u);
}

TEST(CommonSubexpressions, DrawsOfOneKeyAreTheSame) {
  const auto draws = [](std::uint64_t other, double high) {
    return [=](In) {
      return TensorList{uniform({3}, RandomKey{.seed = 7, .counter = 1}),
                        uniform({3}, RandomKey{.seed = 7, .counter = other}, {.high = high})};
    };
  };
  EXPECT_EQ(shown("common-subexpressions", draws(1, 1.0), {}).places, 2u);  // the key and the call
  EXPECT_EQ(shown("common-subexpressions", draws(2, 1.0), {}).places, 0u);
  EXPECT_EQ(shown("common-subexpressions", draws(1, 2.0), {}).places, 1u);
}

// A slot before and after it is written holds two values.
TEST(CommonSubexpressions, ASlotThatIsWrittenIsAnotherValue) {
  Parameter weight(ones({3}), "w");
  const BeforeAndAfter text = shown("common-subexpressions",
                                    [&](In in) {
                                      const Tensor before = exp(weight.value());
                                      weight.assign(weight.value() + in[0]);
                                      return TensorList{before, exp(weight.value())};
                                    },
                                    kRow, {Slot("w", weight)});
  EXPECT_EQ(text.places, 0u);
}

TEST(ConstantFolding, MakesCallsOfConstantsOnce) {
  const auto function = [](In in) {
    return TensorList{in[0] + exp(full({3}, 2.0, kFloat32)) * 0.5, expand(full({}, 3.0, kFloat32), {2})};
  };
  const BeforeAndAfter text = shown("constant-folding", function, kRow);
  EXPECT_EQ(text.before,
            "%0 = argument 0: float32[3]\n"
            "%3 = constant 0.5: float32[]\n"
            "%1 = full(shape=[3], value=2, dtype=float32): float32[3]\n"
            "%2 = exp(%1): float32[3]\n"
            "%4 = mul(%2, %3): float32[3]\n"
            "%5 = add(%0, %4): float32[3]\n"
            "%6 = full(shape=[], value=3, dtype=float32): float32[]\n"
            "%7 = expand(%6, shape=[2]): float32[2]\n"
            "return %5, %7\n");
  EXPECT_EQ(text.places, 5u);
  const Tensor x = tensor({1.0f, 2.0f, 3.0f});
  Compiled compiled([&](In in, std::uint64_t) { return function(in); });
  const TensorList got = compiled({x}), expected = function(TensorList{x});
  EXPECT_EQ(compiled.plan_for(TensorList{x}).graph().calls.size(), 1u);  // the sum
  EXPECT_EQ(got[0].to_vector<float>(), expected[0].to_vector<float>());
  EXPECT_EQ(got[1].to_vector<float>(), expected[1].to_vector<float>());
}

TEST(ConstantFolding, LeavesLargeResultsAndRandomDraws) {
  const auto places = [](Index size) {
    return shown("constant-folding", [&](In) { return TensorList{zeros({size})}; }, {}).places;
  };
  EXPECT_EQ(places(1 << 18), 1u);
  EXPECT_EQ(places((1 << 18) + 1), 0u);
  const auto draw = [](In) { return TensorList{uniform({3}, RandomKey{.seed = 7})}; };
  EXPECT_EQ(shown("constant-folding", draw, {}).places, 0u);
}

// The error is that of the call, and comes when it is made.
TEST(ConstantFolding, LeavesCallsThatFail) {
  const auto no_such_class = [](In in, std::uint64_t) {
    return TensorList{one_hot(full({2}, 5.0, kInt64), 3) + in[0]};
  };
  Graph graph = optimize(trace(no_such_class, std::span<const Tensor>(kRow.data(), kRow.size()))).graph;
  Plan plan(std::move(graph));
  EXPECT_THROW(plan.run({ones({3})}), IndexError);
}

TEST(Identities, LeavesOutWhatChangesNoBit) {
  const BeforeAndAfter text = shown(
      "identities",
      [](In in) {
        const Tensor& x = in[0];
        return TensorList{-(-x),
                          1.0 * x * 1.0 / 1.0 - 0.0,
                          x + -0.0,
                          relu(relu(x)),
                          cast(cast(x, kFloat64), kFloat32),
                          reshape(reshape(x, {3, 1}), {3}),
                          where(x > 0.0, x, x)};
      },
      kRow);
  EXPECT_NE(text.after.find("return %0, %0, %0, %"), std::string::npos) << text.after;
  EXPECT_NE(text.after.find(", %0, %0, %0\n"), std::string::npos) << text.after;
  EXPECT_EQ(text.places, 10u);
}

TEST(Identities, LeavesWhatChangesSome) {
  const auto kept = [](In in) {
    const Tensor& x = in[0];
    return TensorList{x + 0.0,
                      x * 0.0,
                      0.0 - x,
                      1.0 / x,
                      cast(cast(x, kInt32), kFloat32),
                      relu(-relu(x)),
                      x - -0.0,
                      x * tensor({1.0f, 1.0f, 2.0f})};
  };
  EXPECT_EQ(shown("identities", kept, kRow).places, 0u);
}

TEST(Identities, ViewsOfViewsBecomeOne) {
  const BeforeAndAfter text = shown(
      "identities",
      [](In in) {
        const Tensor& x = in[0];  // [2, 3, 4]
        return TensorList{reshape(reshape(x, {6, 4}), {3, 8}), permute(permute(x, {2, 0, 1}), {1, 2, 0}),
                          permute(permute(x, {2, 0, 1}), {2, 1, 0}), flip(flip(x, {1}), {1}),
                          expand(expand(reshape(x, {24, 1}), {24, 2}), {3, 24, 2})};
      },
      {ones({2, 3, 4})});
  EXPECT_EQ(text.after,
            "%0 = argument 0: float32[2, 3, 4]\n"
            "%1 = reshape(%0, shape=[6, 4]): float32[6, 4]\n"
            "%2 = reshape(%0, shape=[3, 8]): float32[3, 8]\n"
            "%3 = permute(%0, order=[2, 0, 1]): float32[4, 2, 3]\n"
            "%4 = permute(%0, order=[0, 1, 2]): float32[2, 3, 4]\n"
            "%5 = permute(%0, order=[2, 0, 1]): float32[4, 2, 3]\n"
            "%6 = permute(%0, order=[1, 0, 2]): float32[3, 2, 4]\n"
            "%7 = flip(%0, axes=[1]): float32[2, 3, 4]\n"
            "%8 = reshape(%0, shape=[24, 1]): float32[24, 1]\n"
            "%9 = expand(%8, shape=[24, 2]): float32[24, 2]\n"
            "%10 = expand(%8, shape=[3, 24, 2]): float32[3, 24, 2]\n"
            "return %2, %4, %6, %0, %10\n");
}

// A product with 1 that is stored in another order is a copy, and a copy it stays.
// Windows that overlap, and a third of the winners below zero.
TEST(Identities, TheGradientOfReluIsTakenBehindTheMaximumPooling) {
  const auto function = [](In in) {
    const Tensor x = in[0].variable();
    return TensorList{grad(sum(max_pool2d(relu(x), {3}, {.stride = {2}}) * in[1]), {x})[0]};
  };
  const TensorList arguments = {uniform({2, 3, 7, 7}, RandomKey{.seed = 1}, {.low = -9.0, .high = 1.0}),
                                normal({2, 3, 3, 3}, RandomKey{.seed = 2})};
  const std::span<const Tensor> given(arguments.data(), arguments.size());
  Graph before = trace([&](In in, std::uint64_t) { return function(in); }, given), after = before;
  EXPECT_EQ(find_pass("identities")->run(after), 1u);
  find_pass("dead-code")->run(after);
  EXPECT_EQ(after.to_string(),
            "%0 = argument 0: float32[2, 3, 7, 7]\n"
            "%1 = argument 1: float32[2, 3, 3, 3]\n"
            "%2 = relu(%0): float32[2, 3, 7, 7]\n"
            "%3, %4 = max_pool2d(%2, kernel=[3, 3], stride=[2, 2], padding=[0, 0], dilation=[1, 1], "
            "ceil=false): float32[2, 3, 3, 3]: uint8[2, 3, 3, 3]\n"
            "%5 = full(shape=[], value=1, dtype=float32): float32[]\n"
            "%6 = reshape(%5, shape=[1, 1, 1, 1]): float32[1, 1, 1, 1]\n"
            "%7 = expand(%6, shape=[2, 3, 3, 3]): float32[2, 3, 3, 3]\n"
            "%8 = mul(%7, %1): float32[2, 3, 3, 3]\n"
            "%9 = relu_grad(%8, %3): float32[2, 3, 3, 3]\n"
            "%10 = max_pool2d_grad(%9, %4, size=[7, 7], kernel=[3, 3], stride=[2, 2], padding=[0, 0], "
            "dilation=[1, 1]): float32[2, 3, 7, 7]\n"
            "return %10\n");
  const std::vector<float> expected = Plan(before).run(given)[0].to_vector<float>();
  const std::vector<float> got = Plan(after).run(given)[0].to_vector<float>();
  ASSERT_EQ(got.size(), expected.size());
  EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0);
  EXPECT_GT(std::count_if(got.begin(), got.end(), [](float x) { return x != 0.0f; }), 10);
}

TEST(Identities, OrdersInMemoryAreKept) {
  const auto across = [](In in) { return TensorList{contiguous(transpose(in[0], 0, 1)) * 1.0}; };
  const BeforeAndAfter text = shown("identities", across, {ones({2, 3})});
  EXPECT_EQ(text.places, 1u);
  EXPECT_NE(text.after.find("cast("), std::string::npos) << text.after;
}

TEST(StableNumerics, WritesLogarithmsInOneStep) {
  const BeforeAndAfter text = shown(
      "stable-numerics",
      [](In in) {
        return TensorList{log(softmax(in[0])), log(1.0 + exp(in[0]))};
      },
      kRow);
  EXPECT_EQ(text.before,
            "%0 = argument 0: float32[3]\n"
            "%4 = constant 1: float32[]\n"
            "%1 = softmax(%0, axis=0): float32[3]\n"
            "%2 = log(%1): float32[3]\n"
            "%3 = exp(%0): float32[3]\n"
            "%5 = add(%4, %3): float32[3]\n"
            "%6 = log(%5): float32[3]\n"
            "return %2, %6\n");
  EXPECT_EQ(text.after,
            "%0 = argument 0: float32[3]\n"
            "%1 = constant 1: float32[]\n"
            "%2 = softmax(%0, axis=0): float32[3]\n"
            "%3 = log_softmax(%0, axis=0): float32[3]\n"
            "%4 = exp(%0): float32[3]\n"
            "%5 = add(%1, %4): float32[3]\n"
            "%6 = softplus(%0): float32[3]\n"
            "return %3, %6\n");
}

// Together, until nothing is left to be done; the watcher sees each that did something.
TEST(Optimize, RunsPassesUntilNothingChanges) {
  const auto function = [](In in, std::uint64_t) {
    const Tensor x = in[0] * full({3}, 1.0, kFloat32);
    return TensorList{log(softmax(x)) - log(softmax(in[0] * 1.0))};
  };
  const auto traced = [&] { return trace(function, std::span<const Tensor>(kRow.data(), kRow.size())); };
  std::vector<std::string> seen;
  const OptimizedGraph all =
      optimize(traced(), {.watch = [&](const GraphPass& pass, const Graph& before, const Graph& after) {
                 EXPECT_NE(before.to_string(), after.to_string());
                 seen.emplace_back(pass.name);
               }});
  EXPECT_EQ(all.graph.to_string(),
            "%0 = argument 0: float32[3]\n"
            "%1 = log_softmax(%0, axis=0): float32[3]\n"
            "%2 = sub(%1, %1): float32[3]\n"
            "return %2\n");
  ASSERT_EQ(seen.size(), all.steps.size());
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], all.steps[i].pass->name);
  EXPECT_EQ(all.steps.front().before, 8u);
  EXPECT_EQ(all.steps.back().after, 2u);

  std::vector<std::string> names;
  for (const GraphPass& pass : all_passes()) names.emplace_back(pass.name);
  EXPECT_EQ(optimize(traced(), {.without = names}).graph.to_string(), traced().to_string());
  const OptimizedGraph exact = optimize(traced(), {.without = {"stable-numerics"}});
  EXPECT_NE(exact.graph.to_string().find(" log("), std::string::npos);
  EXPECT_ERROR(ValueError, optimize(traced(), {.without = {"fusion"}}),
               "[optimize] there is no pass \"fusion\"; there are freeze, dead-code, common-subexpressions, "
               "constant-folding, identities, stable-numerics, fuse-update, layouts, fold-batch-norm, "
               "fuse-epilogue, pack-weights, fuse-pooling, early-update, split-norm, fuse-elementwise, "
               "rematerialize");
}

TEST(Optimize, CompiledFunctionsRunThePasses) {
  const auto function = [](In in, std::uint64_t) { return TensorList{log(softmax(in[0] * 1.0))}; };
  const Tensor x = tensor({0.0f, 1000.0f, -1000.0f});
  Compiled all(function), exact(function, {.passes = {.without = {"stable-numerics"}}});
  EXPECT_EQ(all({x})[0].to_vector<float>(), (std::vector<float>{-1000, 0, -2000}));
  EXPECT_EQ(exact({x})[0].to_vector<float>(), function(TensorList{x}, 0)[0].to_vector<float>());
  EXPECT_EQ(exact.plan_for(TensorList{x}).graph().calls.size(), 2u);
}

}  // namespace
}  // namespace splot
