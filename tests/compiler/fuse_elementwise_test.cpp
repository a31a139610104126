// The passes split-norm and fuse-elementwise: what they make of small graphs, what they leave as it is, and
// that no bit changes.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/compiler/lifetimes.h"
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

constexpr std::size_t kMost = 8;  // calls that are made together

Graph traced(const std::function<TensorList(In)>& function, const TensorList& arguments) {
  return trace([&](In in, std::uint64_t) { return function(in); }, {arguments.data(), arguments.size()});
}

Tensor drawn(const Shape& shape, std::uint64_t seed, DType dtype = kFloat32) {
  return normal(shape, RandomKey{.seed = seed}, {.dtype = dtype});
}

// So many threads, for as long as it lives.
class Threads {
 public:
  explicit Threads(int threads) : before_(cpu::num_threads()) { cpu::set_num_threads(threads); }
  ~Threads() { cpu::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

// The lengths of what is made together, in order.
std::vector<std::size_t> groups_of(const Graph& graph) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < graph.calls.size(); i += compiler::calls_together(graph, i)) {
    if (compiler::calls_together(graph, i) > 1) out.push_back(compiler::calls_together(graph, i));
  }
  return out;
}

std::size_t fuse(Graph& graph) { return find_pass("fuse-elementwise")->run(graph); }

void expect_same_bits(const std::function<TensorList(In)>& function, const TensorList& arguments,
                      const std::string& when) {
  const In in(arguments.data(), arguments.size());
  const TensorList expected = function(in);
  Graph graph = traced(function, arguments);
  fuse(graph);
  const std::string text = graph.to_string();
  Plan plan(std::move(graph));
  for (const int threads : {1, 3}) {
    const Threads limit(threads);
    for (int run = 0; run < 2; ++run) {
      const TensorList got = plan.run(in);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(bytes_of(got[i]), bytes_of(expected[i])) << when << ", result " << i << '\n' << text;
      }
    }
  }
}

TEST(FuseElementwise, CallsThatHandOnResultsAreMadeTogether) {
  Graph graph = traced(
      [](In in) {
        const Tensor a = in[0] * in[1];
        const Tensor product = matmul(in[0], in[1]);
        return TensorList{relu(a + in[0]), product};
      },
      {ones({40, 40}), ones({40, 40})});
  EXPECT_EQ(fuse(graph), 2u);
  EXPECT_EQ(graph.to_string(),
            "%0 = argument 0: float32[40, 40]\n"
            "%1 = argument 1: float32[40, 40]\n"
            "%2 = mul(%0, %1): float32[40, 40] | fused 1\n"
            "%3 = add(%2, %0): float32[40, 40] | fused 1\n"
            "%4 = relu(%3): float32[40, 40] | fused 1\n"
            "%5 = matmul(%0, %1): float32[40, 40]\n"
            "return %4, %5\n");
  EXPECT_EQ(fuse(graph), 0u);  // it is so already
}

TEST(FuseElementwise, LeavesWhatGainsNothing) {
  const auto groups = [](const std::function<TensorList(In)>& function, const TensorList& arguments) {
    Graph graph = traced(function, arguments);
    fuse(graph);
    return groups_of(graph);
  };
  using Lengths = std::vector<std::size_t>;
  const Tensor large = ones({40, 40});
  EXPECT_EQ(groups([](In in) { return TensorList{exp(in[0] + in[0])}; }, {ones({0, 10})}), Lengths());
  // Of other shapes, or in another order in memory.
  EXPECT_EQ(groups([](In in) { return TensorList{in[0] + exp(in[1])}; }, {large, ones({40, 1})}), Lengths());
  // An operand that is made between the two.
  EXPECT_EQ(groups(
                [](In in) {
                  const Tensor a = exp(in[0]), b = matmul(a, in[0]);
                  return TensorList{a + b};
                },
                {large}),
            Lengths());
  // Somebody else reads the operand further down: both would be in memory in between.
  EXPECT_EQ(groups(
                [](In in) {
                  const Tensor a = exp(in[0]), b = matmul(in[0], in[0]), c = neg(a);
                  return TensorList{matmul(b, c), a};
                },
                {large}),
            Lengths());
  // Right behind it there is nothing in between.
  EXPECT_EQ(groups(
                [](In in) {
                  const Tensor a = exp(in[0]), c = neg(a), b = matmul(in[0], in[0]);
                  return TensorList{matmul(b, c), a};
                },
                {large}),
            Lengths{2});
}

TEST(FuseElementwise, LongChainsAreCut) {
  const auto chain = [](In in) {
    Tensor x = in[0];
    for (int i = 0; i < 20; ++i) x = i % 2 == 0 ? sigmoid(x) : x + in[0];
    return TensorList{x};
  };
  Graph graph = traced(chain, {ones({40, 40})});
  fuse(graph);
  EXPECT_EQ(groups_of(graph), (std::vector<std::size_t>{kMost, kMost, 4}));
  expect_same_bits(chain, {drawn({40, 41}, 1)}, "a chain of 20");
  // Operands that have to be brought together take blocks too.
  const auto broadcasting = [](In in) {
    Tensor x = in[0];
    for (int i = 0; i < 12; ++i) x = where(x > in[1], x * in[2], in[1]);
    return TensorList{x};
  };
  expect_same_bits(broadcasting, {drawn({40, 41}, 1), drawn({41}, 2), drawn({40, 1}, 3)}, "conditions");
}

TEST(FuseElementwise, WhatOthersReadIsKeptInMemory) {
  const auto function = [](In in) {
    const Tensor a = exp(in[0]), b = a * in[1], c = b + a;
    return TensorList{b, sum(c), a};
  };
  Graph graph = traced(function, {ones({40, 40}), ones({40, 40})});
  fuse(graph);
  EXPECT_EQ(groups_of(graph), std::vector<std::size_t>{4});
  expect_same_bits(function, {drawn({90, 401}, 1), drawn({90, 401}, 2)}, "several are read");
}

// A shortcut with a layer in it is made behind what it is added to.
TEST(FuseElementwise, WaitsForAnOperandThatIsMadeLater) {
  const auto function = [](In in) {
    const Tensor a = exp(matmul(in[0], in[1])), b = matmul(in[1], in[0]);
    return TensorList{relu(a + b)};
  };
  const TensorList arguments = {ones({40, 40}), ones({40, 40})};
  Graph graph = traced(function, arguments);
  EXPECT_EQ(fuse(graph), 2u);
  EXPECT_EQ(graph.to_string(),
            "%0 = argument 0: float32[40, 40]\n"
            "%1 = argument 1: float32[40, 40]\n"
            "%2 = matmul(%0, %1): float32[40, 40]\n"
            "%3 = matmul(%1, %0): float32[40, 40]\n"
            "%4 = exp(%2): float32[40, 40] | fused 1\n"
            "%5 = add(%4, %3): float32[40, 40] | fused 1\n"
            "%6 = relu(%5): float32[40, 40] | fused 1\n"
            "return %6\n");
  expect_same_bits(function, {drawn({190, 190}, 1), drawn({190, 190}, 2)}, "a later operand");
  // Not where two operands would have to wait in place of one result, or somebody reads it before.
  graph = traced(
      [](In in) {
        const Tensor a = in[0] * matmul(in[0], in[1]), b = matmul(in[1], in[0]);
        return TensorList{a + b};
      },
      arguments);
  EXPECT_EQ(fuse(graph), 0u);
  graph = traced(
      [](In in) {
        const Tensor a = exp(matmul(in[0], in[1])), b = matmul(in[1], in[0]);
        return TensorList{relu(a + b), matmul(a, b)};
      },
      arguments);
  EXPECT_EQ(fuse(graph), 1u);  // the sum and relu
}

// The loss of numbers is such a sum, and so is a penalty.
TEST(FuseElementwise, ASumOfWhatNobodyElseReadsIsTakenOnTheWay) {
  const auto squares = [](In in) {
    const Tensor d = in[0] - in[1];
    return TensorList{mean(d * d), d};
  };
  Graph graph = traced(squares, {ones({64, 784}), ones({64, 784})});
  EXPECT_EQ(fuse(graph), 2u);
  EXPECT_EQ(graph.to_string(),
            "%0 = argument 0: float32[64, 784]\n"
            "%1 = argument 1: float32[64, 784]\n"
            "%2 = sub(%0, %1): float32[64, 784] | fused 1\n"
            "%3 = mul(%2, %2): float32[64, 784] | fused 1\n"
            "%4 = mean(%3, axes=[0, 1], keepdim=false): float32[] | fused 1\n"
            "return %4, %2\n");
  EXPECT_EQ(compiler::planned_lifetimes(graph)[3].home, compiler::Home::block);  // in no memory
  expect_same_bits(squares, {drawn({64, 784}, 1), drawn({64, 784}, 2)}, "mean of squares");
}

TEST(FuseElementwise, SumsOverAnyAxesKeepTheirBits) {
  struct Case {
    Shape shape;
    Axes axes;
    bool fused;
  };
  const std::vector<Case> cases = {
      {{100'003}, {0}, true},              // several runs of one row
      {{3, 40'001}, {1}, true},            // of several rows
      {{1500, 33}, {1}, true},             // short rows
      {{70, 100}, {0}, true},              // few columns
      {{5000, 48}, {0}, true},             // narrow ones, in blocks of rows
      {{3000, 130}, {0}, true},            //
      {{300, 700}, {0}, false},            // wide ones, which are not read in runs
      {{8, 16, 20, 21}, {0, 2, 3}, true},  // rows, then columns
      {{8, 16, 20, 21}, {1, 2, 3}, true},
      {{8, 16, 20, 21}, {1}, true},  // matrices
      {{3, 60, 900}, {1}, false},    // large ones
      {{1, 2000, 1}, {0}, true},     // nothing but an axis of one
  };
  for (const auto& [shape, axes, fused] : cases) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      for (const bool keepdim : {false, true}) {
        const auto function = [&, over = axes](In in) {
          const Tensor a = in[0] * in[1], b = exp(in[0]);
          return TensorList{sum(a + in[1], over, keepdim), mean(b, over, keepdim)};
        };
        const TensorList arguments = {drawn(shape, 1, dtype), drawn(shape, 2, dtype)};
        const std::string when = shape.to_string() + " over " + axes.to_string();
        Graph graph = traced(function, arguments);
        EXPECT_EQ(fuse(graph), fused ? 3u : 1u) << when;
        expect_same_bits(function, arguments, when);
      }
    }
  }
  // Pictures whose channels lie innermost.
  const auto innermost = [](In in) {
    const Tensor x = permute(in[0], {0, 3, 1, 2});
    return TensorList{sum(x * x, {0, 2, 3}), sum(relu(x), {1})};
  };
  expect_same_bits(innermost, {drawn({5, 30, 30, 16}, 3)}, "channels innermost");
}

TEST(FuseElementwise, LeavesSumsThatSomebodyWaitsFor) {
  const auto groups = [](const std::function<TensorList(In)>& function, const TensorList& arguments) {
    Graph graph = traced(function, arguments);
    fuse(graph);
    return groups_of(graph);
  };
  using Lengths = std::vector<std::size_t>;
  const Tensor x = ones({40, 40});
  // What is summed is read again: it is in memory anyway.
  EXPECT_EQ(groups(
                [](In in) {
                  const Tensor e = exp(in[0]);
                  return TensorList{e / sum(e)};
                },
                {x}),
            Lengths());
  // A sum is not there before all of it is made.
  EXPECT_EQ(groups(
                [](In in) {
                  const Tensor e = exp(in[0]), s = sum(neg(e));
                  return TensorList{(e + 1.0) * s};
                },
                {x}),
            (Lengths{4}));
  // One to a group.
  EXPECT_EQ(groups(
                [](In in) {
                  const Tensor e = exp(in[0]);
                  return TensorList{sum(neg(e)), mean(e * in[0]), e};
                },
                {x}),
            (Lengths{4}));
  EXPECT_EQ(groups([](In in) { return TensorList{sum(cast(in[0] > 0.0, kInt64))}; }, {x}), Lengths());
  EXPECT_EQ(groups([](In in) { return TensorList{max(exp(in[0]))}; }, {x}), Lengths());
}

// Functions that are all chance: operands of other shapes and types, conditions, several readers.
TensorList by_chance(std::uint32_t seed, In in) {
  std::mt19937 random(seed);
  std::vector<Tensor> values = {in[0], in[1]};
  const auto any = [&] { return values[random() % values.size()]; };
  const auto small = [&] { return in[2 + random() % 4]; };
  for (int i = 0; i < 16; ++i) {
    const Tensor x = any();
    switch (random() % 10) {
      case 0:
        values.push_back(x + any());
        break;
      case 1:
        values.push_back(x * small());
        break;
      case 2:
        values.push_back(small() - x);
        break;
      case 3:
        values.push_back(where(x > small(), any(), small()));
        break;
      case 4:
        values.push_back(relu(x));
        break;
      case 5:
        values.push_back(scale_shift(x, small(), small()));
        break;
      case 6:
        values.push_back(tanh(x));
        break;
      case 7:
        values.push_back(cast(logical_and(x > 0.0, any() < 1.0), x.dtype()));
        break;
      case 8:
        values.push_back(x - sum(any(), {random() % 2 == 0 ? 0 : -1}, true) * 1e-3);
        break;
      default:
        values.push_back(reshape(reshape(x, {-1}), x.shape().ints()) * 0.5);
        break;
    }
  }
  return {any(), values.back(), any(), sum(any())};
}

TEST(FuseElementwise, RandomFunctionsKeepTheirBits) {
  std::size_t fused = 0;
  for (std::uint32_t seed = 0; seed < 120; ++seed) {
    const DType dtype = seed % 3 == 0 ? kFloat64 : kFloat32;
    // One chunk of a thread, one block and a piece of one, and several chunks.
    const Shape shape = seed % 4 == 0   ? Shape({170, 203})
                        : seed % 4 == 1 ? Shape({2, 3, 400})
                                        : Shape({37, 41});
    Ints column(shape.rank(), 1);
    column[0] = shape[0];
    const TensorList arguments = {drawn(shape, seed, dtype),           drawn(shape, seed + 1, dtype),
                                  drawn({shape[-1]}, seed + 2, dtype), drawn(Shape(column), seed + 3, dtype),
                                  drawn({}, seed + 4, dtype),          drawn(shape, seed + 5, dtype)};
    const auto function = [&](In in) { return by_chance(seed, in); };
    expect_same_bits(function, arguments, "seed " + std::to_string(seed));
    Graph graph = traced(function, arguments);
    fused += fuse(graph);
  }
  EXPECT_GT(fused, 400u);
}

// Pictures that lie innermost in memory keep that order, and a channel's number runs along a whole row.
TEST(SplitNorm, LeavesTheStatisticsAndAnElementwisePart) {
  const auto function = [](In in) {
    const BatchNormalized b = batch_norm(conv2d(in[0], in[1], {.padding = {1}}), in[2], in[3]);
    return TensorList{relu(b.y), b.mean, b.var};
  };
  const TensorList arguments = {drawn({16, 3, 9, 8}, 1), drawn({4, 3, 3, 3}, 2), drawn({4}, 3),
                                drawn({4}, 4)};
  Graph graph = traced(function, arguments);
  EXPECT_EQ(find_pass("split-norm")->run(graph), 1u);
  EXPECT_EQ(fuse(graph), 1u);
  const std::string text = graph.to_string();
  EXPECT_NE(
      text.find("%5, %6, %7 = batch_norm_stats(%4, %2, eps=1e-05): float32[4]: float32[4]: float32[4]\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("%11 = center_scale_shift(%4, %10, %9, %8): float32[16, 4, 9, 8] | fused 1\n"
                      "%12 = relu(%11): float32[16, 4, 9, 8] | fused 1\n"
                      "return %12, %5, %6\n"),
            std::string::npos)
      << text;
  Plan plan(std::move(graph));
  const In in(arguments.data(), arguments.size());
  const TensorList expected = function(in), got = plan.run(in);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(bytes_of(got[i]), bytes_of(expected[i])) << i;
  EXPECT_EQ(got[0].strides(), expected[0].strides());
}

TEST(SplitNorm, LeavesABatchNormThatNoElementwiseCallFollows) {
  const auto changes = [](const std::function<Tensor(const Tensor&)>& behind, const Shape& shape) {
    Graph graph = traced([&](In in) { return TensorList{behind(batch_norm(in[0], in[1], in[1]).y)}; },
                         {ones(shape), ones({shape[1]})});
    return find_pass("split-norm")->run(graph);
  };
  const Shape large({64, 32});
  EXPECT_EQ(changes([](const Tensor& y) { return relu(y); }, large), 1u);
  EXPECT_EQ(changes([](const Tensor& y) { return relu(y); }, {8, 32}), 0u);
  // Row-major pictures would have to be brought into the order of batch norm's result first.
  EXPECT_EQ(changes([](const Tensor& y) { return relu(y); }, {16, 4, 8, 8}), 0u);
  EXPECT_EQ(changes([](const Tensor& y) { return sum(y); }, large), 0u);
  EXPECT_EQ(changes([](const Tensor& y) { return y; }, large), 0u);
  EXPECT_EQ(changes([](const Tensor& y) { return relu(y) * sum(y); }, large), 0u);
}

}  // namespace
}  // namespace splot
