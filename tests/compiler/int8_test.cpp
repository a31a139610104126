// Networks in 8 bits: near the floats they come from, and the same integers in C.
#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "splot/compiler/c/int8_network.h"
#include "splot/compiler/c/internal/int8_program.h"
#include "splot/core/node.h"
#include "splot/graph/trace.h"
#include "splot/ops/ops.h"

#include "tests/compiler/export_cases.h"
#include "tests/support/c_compiler.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using W = std::span<const Tensor>;
using test::drawn;
using test::ExportCase;
using test::graph_of;
using test::weights_of;

// Inputs [n, ...], as many of the network's as are asked for.
Tensor inputs_of(const ExportCase& c, Index n, std::uint64_t stream = 0) {
  Ints sizes = c.input.ints();
  sizes[0] *= n;
  Ints rows = {n};
  for (const Index size : c.input) rows.push_back(size);
  return reshape(drawn(Shape(sizes), stream), rows);
}

Tensor in_floats(const ExportCase& c, W weights, const Tensor& inputs) {
  TensorList out;
  for (Index i = 0; i < inputs.shape()[0]; ++i)
    out.push_back(cast(c.run(select(inputs, 0, i), weights), kFloat32));
  return stack(out, 0);
}

double length(const Tensor& x) { return std::sqrt(sum(cast(x * x, kFloat64)).item<double>()); }
// Of root mean squares: single numbers beyond a range are cut off.
double distance(const Tensor& a, const Tensor& b) {
  return length(reshape(a, {a.numel()}) - reshape(b, {b.numel()})) / length(b);
}

test::BuiltProgram build(const CProgram& program, const std::string& cc = "gcc",
                         const std::string& more = test::kSanitizersC) {
  const test::TempFolder folder;
  write_folder(folder.file("c"), program.files);
  return test::build_and_run(cc, test::kStrictC99 + more, folder.file("c"));
}

const std::vector<ExportCase>& int8_cases() {
  static const std::vector<ExportCase> cases = test::export_cases_and({
      {"linear of rows", {4, 3, 7}, {{5, 7}}, [](const Tensor& x, W w) { return linear(x, w[0], Tensor()); }},
      {"linear, relu, linear",
       {1, 7},
       {{9, 7}, {9}, {4, 9}},
       [](const Tensor& x, W w) { return linear(relu(linear(x, w[0], w[1])), w[2]); }},
      {"linear, tanh, linear",
       {1, 7},
       {{9, 7}, {9}, {4, 9}},
       [](const Tensor& x, W w) { return linear(tanh(linear(x * 3.0, w[0], w[1])), w[2]); }},
      {"linear, sigmoid",
       {1, 7},
       {{9, 7}, {9}},
       [](const Tensor& x, W w) { return sigmoid(linear(x, w[0], w[1])); }},
      {"linear, softmax",
       {1, 7},
       {{9, 7}, {9}},
       [](const Tensor& x, W w) { return softmax(linear(x, w[0], w[1]), 1); }},
      {"linear, norm, gelu, log_softmax",
       {1, 7},
       {{9, 7}, {9}, {9}, {9}, {4, 9}},
       [](const Tensor& x, W w) {
         const Tensor h = batch_norm(linear(x, w[0], w[1]), w[2], w[3], w[1], abs(w[2]) + 0.1, 1e-5);
         return log_softmax(linear(gelu(h), w[4]), 1);
       },
       0.06},
      {"conv2d of numbers that are not below 0, with a frame",
       {1, 2, 5, 5},
       {{3, 2, 3, 3}, {3}, {2, 3, 3, 3}},
       [](const Tensor& x, W w) {
         return conv2d(relu(conv2d(x, w[0], w[1], {.padding = {1}})), w[2], {.padding = {1}});
       }},
      {"conv2d_fused with a shortcut",
       {1, 3, 5, 5},
       {{3, 3, 3, 3}, {3}, {3}},
       [](const Tensor& x, W w) {
         const ConvOptions frame{.padding = {1}};
         const Tensor a = conv2d_fused(x, w[0], w[1], w[2], true, frame);
         return conv2d(relu(conv2d_fused(a, w[0], w[1], w[2], false, frame) + a), w[0], frame);
       },
       0.04},
      {"a difference",
       {1, 3, 4, 4},
       {{3, 3, 1, 1}},
       [](const Tensor& x, W w) { return conv2d(x, w[0]) * 4.0 - x; }},
      {"global_avg_pool2d",
       {1, 3, 5, 4},
       {{3, 3, 1, 1}},
       [](const Tensor& x, W w) { return global_avg_pool2d(relu(conv2d(x, w[0]))); }},
      {"mean of images",
       {2, 3, 4, 5},
       {},
       [](const Tensor& x, W) {
         return mean(x, {2, 3});
       }},
      {"batch_norm, relu",
       {1, 3, 4, 4},
       {{3}, {3}, {3}, {3}, {2, 3, 1, 1}},
       [](const Tensor& x, W w) {
         return conv2d(relu(batch_norm(x, w[0], w[1], w[2], abs(w[3]) + 0.1, 1e-5)), w[4]);
       },
       0.03},
      {"concat and batch_norm",
       {1, 2, 3, 4},
       {{3, 2, 1, 1}, {5}, {5}, {5}, {5}},
       [](const Tensor& x, W w) {
         const Tensor both = concat({x, conv2d(x, w[0]) * 3.0}, 1);
         return batch_norm(both, w[1], w[2], w[3], abs(w[4]) + 0.1, 1e-5);
       },
       0.03},
      {"pad",
       {1, 2, 3, 4},
       {},
       [](const Tensor& x, W) {
         return pad(x, {0, 1, 2, -1}, {0, 0, 1, 3}, 1.5);
       }},
      {"pad of channels",
       {1, 2, 3, 4},
       {{4, 2, 1, 1}},
       [](const Tensor& x, W w) {
         return conv2d(x, w[0]) + pad(x, {0, 1, 0, 0}, {0, 1, 0, 0});
       }},
      {"views, and copies",
       {2, 3, 4},
       {{4, 4}},
       [](const Tensor& x, W w) {
         const Tensor turned = flip(permute(tanh(x), {2, 0, 1}), {0});
         return linear(reshape(slice(turned, 0, 1, 4, 2), {3, 4}), w[0]);
       },
       0.03},
      {"expand",
       {2, 1, 3},
       {{5, 3}},
       [](const Tensor& x, W w) {
         return linear(expand(x, Shape{2, 4, 3}), w[0]);
       }},
      {"a view as the result", {2, 3, 4}, {}, [](const Tensor& x, W) { return slice(x, 1, 1, 3); }},
      {"one value read by two",
       {1, 6},
       {{6, 6}},
       [](const Tensor& x, W w) {
         const Tensor h = tanh(linear(x, w[0]));
         return linear(leaky_relu(linear(h, w[0]), 0.1) + h, w[0]);
       },
       0.04},
      {"the last layer read by two",
       {1, 6},
       {{6, 6}},
       [](const Tensor& x, W w) {
         const Tensor h = linear(x, w[0]);
         return h + relu(h);
       }},
  });
  return cases;
}

class Int8Op : public testing::TestWithParam<std::size_t> {};

TEST_P(Int8Op, IsNearTheFloatsAndTheSameInC) {
  const ExportCase& c = int8_cases()[GetParam()];
  SCOPED_TRACE(c.name);
  std::vector<Tensor> weights = weights_of(c);
  const Int8Network net(graph_of(c, weights), inputs_of(c, 64));
  const Tensor some = inputs_of(c, 20, /*stream=*/1);
  const Tensor y = net.run(some), wanted = in_floats(c, weights, some);
  EXPECT_EQ(y.numel(), wanted.numel());
  EXPECT_LE(distance(y, wanted), c.within);
  EXPECT_GT(distance(y, wanted), 0.0) << "nothing was rounded";
  // Batches are examples one after the other.
  EXPECT_EQ(distance(slice(y, 0, 7, 8), net.run(slice(some, 0, 7, 8))), 0.0);

  if (!test::has_compiler("gcc")) GTEST_SKIP() << "there is no gcc";
  const CProgram program = net.write({.title = c.name, .stored = some, .expected = y});
  const test::BuiltProgram built = build(program);
  ASSERT_EQ(built.build_status, 0) << built.output;
  EXPECT_EQ(built.status, 0) << built.output;
  if (!net.tail_in_floats()) {
    EXPECT_NE(built.output.find("examples 20\nlargest difference 0\nbound 0\n"), std::string::npos)
        << built.output;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Int8Op, testing::Range<std::size_t>(0, int8_cases().size()),
                         [](const auto& one) { return test::parameter_name(int8_cases()[one.param]); });

// --- numbers that are easily got wrong

TEST(Int8Network, RescaledIsTheNearestIntegerHalvesAwayFromZero) {
  const Tensor drawn_bits = uniform({4, 5000}, RandomKey{.seed = 6});
  const std::vector<double> u = drawn_bits.to_vector<double>();
  for (std::size_t i = 0; i < 5000; ++i) {
    // Values of all sizes, and every fifth one a half exactly.
    const double size = std::ldexp(1.0, static_cast<int>(32 * u[i]));
    auto value = static_cast<std::int32_t>((2.0 * u[5000 + i] - 1.0) * (size - 1.0) / 2.0);
    compiler::Multiplier m{static_cast<std::int32_t>(u[10000 + i] * 2147483647.0),
                           1 + static_cast<int>(61 * u[15000 + i])};
    if (i % 5 == 0) {
      m = {1, 1};
      value |= 1;
    }
    const long double exact = std::ldexp(static_cast<long double>(value) * m.factor, -m.shift);
    const long double wanted = std::clamp(std::round(exact), -1073741823.0L, 1073741823.0L);
    ASSERT_EQ(compiler::rescaled(value, m), static_cast<std::int32_t>(wanted))
        << value << ' ' << m.factor << ' ' << m.shift;
  }
}

Tensor floats(std::vector<float> values, const Shape& shape) { return Tensor::from(values, shape); }

void expect_same_in_c(const Int8Network& net, const Tensor& inputs) {
  if (!test::has_compiler("gcc")) return;
  const test::BuiltProgram built = build(net.write({.stored = inputs, .expected = net.run(inputs)}));
  ASSERT_EQ(built.build_status, 0) << built.output;
  EXPECT_EQ(built.status, 0) << built.output;
}

TEST(Int8Network, RowsOfOtherSizesHaveScalesOfTheirOwn) {
  // All zero, a bias alone, an outlier, tiny numbers with a large bias, and usual ones.
  std::vector<Tensor> weights = {
      floats({0, 0, 0, 0, 0, 0, 1e6f, 0.5f, -0.25f, 1e-9f, -1e-9f, 1e-9f, 0.3f, -0.2f, 0.1f}, {5, 3}),
      floats({0, 5, 0, 100, 0.1f}, {5})};
  const ExportCase c{"", {1, 3}, {}, [](const Tensor& x, W w) { return linear(x, w[0], w[1]); }};
  const Int8Network net(graph_of(c, weights), inputs_of(c, 64));
  const Tensor some = inputs_of(c, 20, 1), y = net.run(some), wanted = in_floats(c, weights, some);
  EXPECT_EQ(length(select(y, 1, 0)), 0.0);
  for (const Index row : {1, 2, 3, 4}) {
    SCOPED_TRACE(row);
    EXPECT_LE(distance(select(y, 1, row), select(wanted, 2, row)), 0.01);
  }
  expect_same_in_c(net, some);
}

TEST(Int8Network, ALargeRowDoesNotCoarsenTheOthersBehindARelu) {
  std::vector<Tensor> weights = {drawn({6, 3}, 1), drawn({6}, 2), drawn({2, 6}, 3)};
  const ExportCase c{
      "", {1, 3}, {}, [](const Tensor& x, W w) { return linear(relu(linear(x, w[0], w[1])), w[2]); }};
  const Int8Network net(graph_of(c, weights), inputs_of(c, 64));
  // The same weights, one row of them zero and one so large that 32 bits hold no sum in its scale.
  std::vector<Tensor> extreme = weights;
  extreme[0] = where(reshape(arange(6), {6, 1}) == 0.0, zeros({6, 3}), weights[0]);
  extreme[1] = floats({0, 1e20f, 0, 0, 0, 0}, {6});
  const Int8Network other(graph_of(c, extreme), inputs_of(c, 64));
  const Tensor some = inputs_of(c, 20, 1);
  EXPECT_LE(distance(other.run(some), in_floats(c, extreme, some)), 0.01);
  expect_same_in_c(other, some);
}

TEST(Int8Network, ConstantNumbersAreKept) {
  std::vector<Tensor> weights = {zeros({4, 3}), floats({0, 0.7f, -2, 0}, {4}), drawn({2, 4}, 3)};
  const ExportCase c{
      "", {1, 3}, {}, [](const Tensor& x, W w) { return linear(relu(linear(x, w[0], w[1])), w[2]); }};
  for (const double constant : {0.0, 0.3}) {
    const Tensor inputs = full({8, 1, 3}, constant, kFloat32);
    const Int8Network net(graph_of(c, weights), inputs);
    EXPECT_LE(distance(net.run(inputs), in_floats(c, weights, inputs)), 0.01);
    expect_same_in_c(net, inputs);
  }
}

TEST(Int8Network, InputsOutsideTheRangeAreTakenAsItsEnds) {
  std::vector<Tensor> weights = {drawn({4, 3}, 1), drawn({4}, 2)};
  const ExportCase c{"", {1, 3}, {}, [](const Tensor& x, W w) { return linear(x, w[0], w[1]); }};
  const Int8Network net(graph_of(c, weights), inputs_of(c, 64));
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor lowest = net.run(full({1, 1, 3}, -1e30, kFloat32)),
               highest = net.run(full({1, 1, 3}, 1e30, kFloat32));
  EXPECT_EQ(distance(net.run(full({1, 1, 3}, -infinity, kFloat32)), lowest), 0.0);
  EXPECT_EQ(distance(net.run(full({1, 1, 3}, nan, kFloat32)), lowest), 0.0);
  EXPECT_EQ(distance(net.run(full({1, 1, 3}, infinity, kFloat32)), highest), 0.0);
  EXPECT_GT(distance(lowest, highest), 0.0);
  expect_same_in_c(net, concat({full({1, 1, 3}, -1e30, kFloat32), full({1, 1, 3}, 1e30, kFloat32)}, 0));
}

TEST(Int8Network, SumsHoldIn32Bits) {
  // Each term as large as 8 bits allow, and more terms than 32 bits hold of those.
  constexpr Index kTerms = 150000;
  std::vector<Tensor> weights = {ones({1, kTerms}), floats({-1000}, {1})};
  const ExportCase c{"", {1, kTerms}, {}, [](const Tensor& x, W w) { return linear(x, w[0], w[1]); }};
  const Tensor inputs = concat({ones({1, 1, kTerms}), full({1, 1, kTerms}, -1.0, kFloat32)}, 0);
  const Int8Network net(graph_of(c, weights), inputs);
  EXPECT_LE(distance(net.run(inputs), in_floats(c, weights, inputs)), 0.02);
  expect_same_in_c(net, inputs);
}

TEST(Int8Network, SameInputsGiveTheSameText) {
  const auto tables = [](const ExportCase& c) { return c.name == "linear, tanh, linear"; };
  const ExportCase& c = *std::find_if(int8_cases().begin(), int8_cases().end(), tables);
  std::vector<Tensor> weights = weights_of(c);
  const Tensor some = inputs_of(c, 3);
  const auto program = [&] {
    const Int8Network net(graph_of(c, weights), inputs_of(c, 64));
    return net.write({.title = "twice", .stored = some, .expected = net.run(some)});
  };
  const CProgram once = program(), again = program();
  ASSERT_EQ(once.files.size(), 5u);
  for (std::size_t i = 0; i < once.files.size(); ++i) EXPECT_EQ(once.files[i].text, again.files[i].text);
  // Tables of x * 3 and tanh; weights, bias, factor and shift for each row; scales in the last layer.
  const Index first = 9 * 7 + 9 * (4 + 4 + 1), second = 4 * 9 + 4 * (4 + 4);
  EXPECT_EQ(once.sizes.weight_bytes, 2 * 256 + first + second);
  EXPECT_EQ(once.sizes.multiply_adds, 9 * 7 + 4 * 9);
}

TEST(Int8Network, ANetworkOfFloat64AndBytesAsInput) {
  std::vector<Tensor> weights = {cast(drawn({4, 6}, 1), kFloat64), cast(drawn({4}, 2), kFloat64)};
  const ExportCase c{"", {1, 6}, {}, [](const Tensor& x, W w) { return softmax(linear(x, w[0], w[1]), 1); }};
  const Tensor stored = cast(floor(uniform({30, 6}, RandomKey{.seed = 4}) * 256.0), kUInt8);
  CDescription d{.preparation = CPreparation{.bytes = true,
                                             .divisor = 255.0,
                                             .means = {0.1307, 0.5, -0.1},
                                             .deviations = {0.3081, 1.0, 2.0},
                                             .shared = 2},
                 .stored = stored};
  const Tensor inputs = Int8Network::prepared(d, stored);
  const Int8Network net(graph_of(c, weights, kFloat64), inputs);
  EXPECT_TRUE(net.tail_in_floats());
  d.expected = net.run(inputs);
  const CProgram program = net.write(d);
  EXPECT_NE(program.files[0].text.find("void model_run_stored(const unsigned char* stored, float* output);"),
            std::string::npos);
  for (const char* cc : {"gcc", "clang"}) {
    if (!test::has_compiler(cc)) continue;
    const test::BuiltProgram built = build(program, cc, " -O2");
    ASSERT_EQ(built.build_status, 0) << cc << built.output;
    EXPECT_EQ(built.status, 0) << cc << built.output;
  }
  // A test that cannot fail would show nothing.
  d.expected = d.expected + 1e-5;
  if (test::has_compiler("gcc")) {
    EXPECT_EQ(build(net.write(d)).status, 1);
  }
}

void expect_refused(const ExportCase& c, const std::string& message) {
  std::vector<Tensor> weights = weights_of(c);
  const Graph graph = graph_of(c, weights);
  EXPECT_ERROR(ValueError, Int8Network(graph, inputs_of(c, 2)), message);
}

TEST(Int8Network, SaysWhatItCannotDo) {
  const std::string in_floats = "; without int8 the network can be exported in floats";
  expect_refused({"", {1, 3, 4}, {}, [](const Tensor& x, W) { return cumsum(x, 1); }},
                 "[export] cumsum has no form in 8 bits" + in_floats);
  expect_refused({"",
                  {1, 4},
                  {{4, 4}, {4}, {4}},
                  [](const Tensor& x, W w) { return linear(layer_norm(linear(x, w[0]), w[1], w[2]), w[0]); }},
                 "[export] batch_norm has no form in 8 bits" + in_floats);
  expect_refused(
      {"", {1, 4}, {{4}}, [](const Tensor& x, W w) { return x + w[0]; }},
      "[export] layer0 (add) of other things than two values of one shape has no form in 8 bits" + in_floats);
  expect_refused({"", {3, 4}, {}, [](const Tensor& x, W) { return mean(x, {0}); }},
                 "[export] mean of other axes than the last two of images has no form in 8 bits" + in_floats);

  std::vector<Tensor> weights = {drawn({2, 3}, 1)};
  const ExportCase c{"", {1, 3}, {}, [](const Tensor& x, W w) { return linear(x, w[0]); }};
  const Graph graph = graph_of(c, weights);
  EXPECT_ERROR(ShapeError, Int8Network(graph, zeros({5, 4})),
               "[int8] inputs [5, 4] do not fit the input [1, 3] of the network");
  EXPECT_ERROR(ValueError, Int8Network(graph, zeros({0, 3})), "[int8] calibration needs at least one input");
  EXPECT_ERROR(ValueError,
               Int8Network(graph, full({1, 3}, std::numeric_limits<double>::infinity(), kFloat32)),
               "[export] the network makes inf of the calibration data");
  const Int8Network net(graph, inputs_of(c, 4));
  EXPECT_ERROR(ShapeError, net.run(zeros({5, 4})),
               "[int8] inputs [5, 4] do not fit the input [1, 3] of the network");
  weights[0] = full({2, 3}, std::numeric_limits<double>::quiet_NaN(), kFloat32);
  const Graph broken = graph_of(c, weights);
  EXPECT_ERROR(ValueError, Int8Network(broken, inputs_of(c, 4)),
               "[export] layer0 (linear) has weights that are nan; a network that computes nothing cannot be "
               "exported");
}

}  // namespace
}  // namespace splot
