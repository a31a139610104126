// Random graphs of exact ops: the same bits, whatever passes have done to them.
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/compiler/passes.h"
#include "splot/compiler/plan.h"
#include "splot/graph/trace.h"
#include "splot/ops/ops.h"

#include "tests/support/bytes.h"

namespace splot {
namespace {

using test::bytes_of;

using In = std::span<const Tensor>;

// A function of two [2, 3] tensors that is all chance, but the same at each call. It is fond of what passes
// look for: ones, zeros of both signs, things done twice or undone.
TensorList by_chance(std::uint32_t seed, In in, Parameter slot) {
  std::mt19937 random(seed);
  std::vector<Tensor> values = {in[0], in[1], slot.value()};
  const auto any = [&] { return values[random() % values.size()]; };
  const auto number = [&] {
    const double numbers[] = {1.0, 0.0, -0.0, 2.0, -1.0};
    return numbers[random() % std::size(numbers)];
  };
  const auto back = [](const Tensor& x) { return reshape(x, {2, 3}); };
  for (int i = 0; i < 14; ++i) {
    const Tensor x = any();
    switch (random() % 21) {
      case 0:
        values.push_back(x + any());
        break;
      case 1:
        values.push_back(x - any());
        break;
      case 2:
        values.push_back(x * any());
        break;
      case 3:
        values.push_back(x * number());
        break;
      case 4:
        values.push_back(x / number());
        break;
      case 5:
        values.push_back(x - number());
        break;
      case 6:
        values.push_back(number() + x);
        break;
      case 7:
        values.push_back(-(-x));
        break;
      case 8:
        values.push_back(-x);
        break;
      case 9:
        values.push_back(relu(x));
        break;
      case 10:
        values.push_back(abs(floor(x)));
        break;
      case 11:
        values.push_back(back(reshape(reshape(x, {3, 2}), {6})));
        break;
      case 12:
        values.push_back(transpose(permute(x, {1, 0}), 0, 1));
        break;
      case 13:
        values.push_back(contiguous(transpose(reshape(x, {3, 2}), 0, 1)));
        break;
      case 14:
        values.push_back(cast(cast(x, kFloat64), kFloat32));
        break;
      case 15:
        values.push_back(where(x > any(), any(), full({2, 3}, number(), kFloat32)));
        break;
      case 16:
        values.push_back(x + sum(any(), {0}, /*keepdim=*/true));
        break;
      case 17:
      case 18:
        values.push_back(sgd_step(x, matmul(slice(any(), 1, 0, 2), any()), Tensor(), scalar(0.5))[0]);
        break;
      case 19: {
        const Tensor image = reshape(x, {1, 1, 2, 3}), w = reshape(any(), {6, 1, 1, 1});
        values.push_back(back(max_pool2d(conv2d(image, w, reshape(any(), {6})), {.kernel = {2}})));
        break;
      }
      default:
        values.push_back(x + uniform({2, 3}, RandomKey{.seed = 1, .counter = random() % 2}));
        break;
    }
  }
  slot.assign(values.back());
  return {any(), any(), values[values.size() - 2], reshape(any(), {6})};
}

TEST(Passes, RandomGraphsKeepTheirBits) {
  const float infinity = std::numeric_limits<float>::infinity();
  const TensorList arguments = {
      tensor({{0.0f, -0.0f, 1.5f}, {-2.25f, infinity, std::numeric_limits<float>::denorm_min()}}),
      tensor({{-1.0f, 3.0f, -0.0f}, {std::numeric_limits<float>::quiet_NaN(), -infinity, 1e30f}})};
  const std::span<const Tensor> given(arguments.data(), arguments.size());
  std::map<std::string, int> steps;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    Parameter eager(full({2, 3}, 0.5, kFloat32), "eager"), passed(full({2, 3}, 0.5, kFloat32), "passed");
    const TracedFunction function = [&](In in, std::uint64_t) { return by_chance(seed, in, passed); };
    OptimizedGraph graph =
        optimize(trace(function, given, {.slots = {Slot("slot", passed)}}), {.without = {"stable-numerics"}});
    for (const PassStep& step : graph.steps) steps[step.pass->name] += static_cast<int>(step.places);
    const std::string text = graph.graph.to_string();
    Plan plan(std::move(graph.graph));
    for (int run = 0; run < 3; ++run) {
      const TensorList expected = by_chance(seed, given, eager), got = plan.run(given);
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(bytes_of(got[i]), bytes_of(expected[i])) << "seed " << seed << ", result " << i << '\n'
                                                           << text;
        ASSERT_EQ(got[i].strides(), expected[i].strides()) << "seed " << seed << ", result " << i << '\n'
                                                           << text;
      }
      ASSERT_EQ(bytes_of(passed.value()), bytes_of(eager.value())) << "seed " << seed << '\n' << text;
    }
  }
  for (const GraphPass& pass : all_passes()) {
    // Those that come last are for large tensors, and layouts is for pictures.
    if (pass.exact && !pass.frozen && !pass.last && pass.name != std::string("layouts")) {
      EXPECT_GT(steps[pass.name], 100) << pass.name;
    }
  }
}

}  // namespace
}  // namespace splot
