// Every op that C is written for, on shapes that are easily got wrong: built with warnings as errors and
// sanitizers, run, and compared with the library.
#include <limits>

#include <gtest/gtest.h>

#include "splot/compiler/c/c_program.h"
#include "splot/core/node.h"
#include "splot/ops/ops.h"

#include "tests/compiler/export_cases.h"
#include "tests/support/c_compiler.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using test::drawn;
using test::ExportCase;
using test::graph_of;
using test::weights_of;

CProgram program_of(const ExportCase& c, double wrong = 0.0) {
  std::vector<Tensor> weights = weights_of(c);
  TensorList inputs, outputs;
  for (std::uint64_t i = 0; i < 3; ++i) {
    inputs.push_back(drawn(c.input, i));
    outputs.push_back(cast(c.run(inputs.back(), weights), kFloat32) + wrong);
  }
  return write_c(graph_of(c, weights),
                 {.title = c.name, .stored = stack(inputs, 0), .expected = stack(outputs, 0)});
}

const std::vector<ExportCase>& op_cases() {
  using W = std::span<const Tensor>;
  static const std::vector<ExportCase> cases = test::export_cases_and({
      {"linear of a matrix",
       {4, 3, 7},
       {{5, 7}},
       [](const Tensor& x, W w) { return linear(x, w[0], Tensor()); }},
      {"matmul", {2, 1, 3, 4}, {{5, 4, 2}}, [](const Tensor& x, W w) { return matmul(x, w[0]); }},
      {"matmul of itself", {3, 4}, {}, [](const Tensor& x, W) { return matmul(x, matrix_transpose(x)); }},
      {"conv2d of single pixels",
       {1, 4, 5, 4},
       {{3, 4, 1, 1}, {3}},
       [](const Tensor& x, W w) { return relu(conv2d(x, w[0], w[1], {.stride = {2}})); }},
      {"conv2d_fused",
       {1, 2, 6, 6},
       {{3, 2, 3, 3}, {3}, {3}},
       [](const Tensor& x, W w) { return conv2d_fused(x, w[0], w[1], w[2], true, {.padding = {1}}); }},
      {"conv2d_fused with a shortcut",
       {1, 3, 5, 5},
       {{3, 3, 3, 3}, {3}},
       [](const Tensor& x, W w) {
         return relu(conv2d_fused(x, w[0], w[1], Tensor(), false, {.padding = {1}}) + x);
       }},
      {"conv_transpose2d",
       {1, 4, 4, 3},
       {{4, 3, 3, 2}, {6}},
       [](const Tensor& x, W w) {
         return conv_transpose2d(
             x, w[0], w[1], {.stride = {3, 2}, .padding = {1, 0}, .output_padding = {1, 0}, .groups = 2});
       }},
      {"conv_transpose2d, dilated",
       {1, 2, 4, 4},
       {{2, 1, 3, 3}},
       [](const Tensor& x, W w) { return conv_transpose2d(x, w[0], {.dilation = {2}, .groups = 2}); }},
      {"adaptive_avg_pool2d, even",
       {1, 2, 6, 4},
       {},
       [](const Tensor& x, W) {
         return adaptive_avg_pool2d(x, {3, 2});
       }},
      {"adaptive_max_pool2d",
       {1, 2, 7, 5},
       {},
       [](const Tensor& x, W) {
         return adaptive_max_pool2d(x, {3, 2});
       }},
      {"global_avg_pool2d", {1, 3, 5, 4}, {}, [](const Tensor& x, W) { return global_avg_pool2d(x); }},
      {"resize, nearest",
       {1, 2, 5, 7},
       {},
       [](const Tensor& x, W) {
         return resize(x, {8, 3});
       }},
      {"resize, bilinear",
       {1, 2, 5, 7},
       {},
       [](const Tensor& x, W) {
         return resize(x, {9, 4}, {.mode = ResizeMode::bilinear});
       }},
      {"resize to the corners",
       {1, 2, 5, 4},
       {},
       [](const Tensor& x, W) {
         return resize(x, {7, 1}, {.mode = ResizeMode::bilinear, .align_corners = true});
       }},
      {"softmax", {1, 9}, {}, [](const Tensor& x, W) { return softmax(x * 30.0, 1); }},
      {"softmax in the middle", {2, 4, 3}, {}, [](const Tensor& x, W) { return softmax(x, 1); }},
      {"log_softmax", {1, 9}, {}, [](const Tensor& x, W) { return log_softmax(x * 30.0, 1); }},
      {"sum", {2, 3, 4}, {}, [](const Tensor& x, W) { return sum(x, {1}); }},
      {"mean of all", {2, 3, 4}, {}, [](const Tensor& x, W) { return mean(x); }},
      {"max, axes kept",
       {2, 3, 4},
       {},
       [](const Tensor& x, W) {
         return max(x, {0, 2}, true);
       }},
      {"min", {2, 3, 4}, {}, [](const Tensor& x, W) { return min(x, {-1}); }},
      {"layer_norm", {2, 3, 4}, {{4}, {4}}, [](const Tensor& x, W w) { return layer_norm(x, w[0], w[1]); }},
      {"group_norm",
       {1, 6, 3, 3},
       {{6}, {6}},
       [](const Tensor& x, W w) { return group_norm(x, 3, w[0], w[1]); }},
      {"batch_norm",
       {1, 3, 4, 4},
       {{3}, {3}, {3}, {3}},
       [](const Tensor& x, W w) { return batch_norm(x, w[0], w[1], w[2], abs(w[3]) + 0.1, 1e-5); }},
      {"concat",
       {1, 2, 3, 4},
       {{1, 1, 3, 4}},
       [](const Tensor& x, W w) {
         return concat({x, w[0], x * 2.0}, 1);
       }},
      {"pad",
       {1, 2, 3, 4},
       {},
       [](const Tensor& x, W) {
         return pad(x, {0, 1, 2, -1}, {0, 0, 1, 3}, 0.5);
       }},
      {"pad by reflection",
       {1, 2, 3, 4},
       {},
       [](const Tensor& x, W) {
         return pad(x, {0, 0, 2, 1}, {0, 0, 1, 3}, PadMode::reflect);
       }},
      {"views, and a copy",
       {2, 3, 4},
       {},
       [](const Tensor& x, W) {
         const Tensor turned = flip(permute(x, {2, 0, 1}), {0});
         return reshape(slice(turned, 0, 1, 4, 2), {3, 4}) * 2.0;
       }},
      {"a view as the result", {2, 3, 4}, {}, [](const Tensor& x, W) { return slice(tanh(x), 1, 1, 3); }},
      {"the input as the result",
       {2, 3},
       {},
       [](const Tensor& x, W) {
         return reshape(x, {3, 2});
       }},
      {"expand",
       {2, 1, 3},
       {},
       [](const Tensor& x, W) {
         return expand(x, Shape{2, 4, 3}) + 0.0;
       }},
      {"broadcasting",
       {2, 3, 4},
       {{3, 1}, {4}},
       [](const Tensor& x, W w) { return (x * w[0] + w[1]) / 1.5 - mean(x, {2}, true); }},
      {"formulas",
       {1, 40},
       {},
       [](const Tensor& x, W) {
         const Tensor a = gelu(x * 3.0) + silu(x) * softplus(x) - elu(x, 0.7);
         return leaky_relu(a, 0.1) + sigmoid(a) * tanh(a) + exp(-abs(x)) + sqrt(x * x + 1.0);
       }},
      {"conditions",
       {1, 40},
       {},
       [](const Tensor& x, W) {
         const Tensor inside = logical_and(x > -0.5, logical_not(x > 0.25));
         return where(inside, x * 2.0, -x) + cast(inside, kFloat32) + maximum(x, 0.1) + clamp(x, -0.3, 0.3);
       }},
      {"one value read by two",
       {1, 6},
       {{6, 6}},
       [](const Tensor& x, W w) {
         const Tensor h = tanh(linear(x, w[0], Tensor()));
         return h * relu(linear(h, w[0], Tensor())) + h;
       }},
  });
  return cases;
}

class CProgramOfOp : public testing::TestWithParam<std::size_t> {};

TEST_P(CProgramOfOp, ComputesWhatTheLibraryDoes) {
  if (!test::has_compiler("gcc")) GTEST_SKIP() << "there is no gcc";
  const ExportCase& c = op_cases()[GetParam()];
  SCOPED_TRACE(c.name);
  const test::TempFolder folder;
  write_folder(folder.file("c"), program_of(c).files);
  const test::BuiltProgram built =
      test::build_and_run("gcc", test::kStrictC99 + test::kSanitizersC, folder.file("c"));
  ASSERT_EQ(built.build_status, 0) << built.output;
  EXPECT_EQ(built.status, 0) << built.output;
  EXPECT_NE(built.output.find("examples 3\n"), std::string::npos) << built.output;
}

INSTANTIATE_TEST_SUITE_P(Each, CProgramOfOp, testing::Range<std::size_t>(0, op_cases().size()),
                         [](const auto& one) { return test::parameter_name(op_cases()[one.param]); });

// A test that cannot fail would show nothing.
TEST(CProgram, ItsTestFindsADifference) {
  if (!test::has_compiler("cc")) GTEST_SKIP() << "there is no C compiler called cc";
  const test::TempFolder folder;
  write_folder(folder.file("wrong"), program_of(op_cases()[0], 3e-5).files);
  const test::BuiltProgram wrong = test::build_and_run("cc", test::kStrictC99, folder.file("wrong"));
  EXPECT_EQ(wrong.status, 1) << wrong.output;
  EXPECT_NE(wrong.output.find("different 15\n"), std::string::npos) << wrong.output;

  // What is no number is not near any.
  std::vector<Tensor> none;
  const ExportCase root{"", {1, 2}, {}, [](const Tensor& x, std::span<const Tensor>) { return sqrt(x); }};
  const CDescription d{.stored = full({1, 2}, -1.0, kFloat32), .expected = zeros({1, 2})};
  write_folder(folder.file("nan"), write_c(graph_of(root, none), d).files);
  const test::BuiltProgram nan = test::build_and_run("cc", test::kStrictC99, folder.file("nan"));
  EXPECT_EQ(nan.status, 1) << nan.output;
  EXPECT_NE(nan.output.find("different 2\n"), std::string::npos) << nan.output;
  EXPECT_NE(nan.output.find("nan\nbound"), std::string::npos) << "the largest difference: " << nan.output;
}

void expect_refused(const ExportCase& c, const std::string& message) {
  std::vector<Tensor> weights = weights_of(c);
  EXPECT_ERROR(ValueError, write_c(graph_of(c, weights), {}), message);
}

TEST(CProgram, SaysWhatItCannotWrite) {
  using W = std::span<const Tensor>;
  expect_refused({"", {1, 3, 4}, {}, [](const Tensor& x, W) { return cumsum(x, 1); }},
                 "[export] cumsum cannot be written as C");
  expect_refused({"", {1, 3}, {}, [](const Tensor& x, W) { return argmax(x, 1); }},
                 "[export] argmax makes int64; C is written for floating numbers alone");
  expect_refused({"", {1, 3}, {{3, 3}}, [](const Tensor& x, W w) { return cumsum(x * w[0], 0); }},
                 "[export] cumsum cannot be written as C");
  expect_refused({"", {2, 3}, {{2, 3}}, [](const Tensor&, W w) { return w[0] * 2.0; }},
                 "[export] the result does not depend on the input");
  expect_refused({"",
                  {2, 3},
                  {},
                  [](const Tensor& x, W) {
                    return x + uniform({2, 3}, RandomKey{.seed = 1});
                  }},
                 "[export] uniform draws random numbers, as in training; C has none");
  std::vector<Tensor> weights = {full({2, 2}, std::numeric_limits<double>::infinity(), kFloat32)};
  const ExportCase c{"", {1, 2}, {{2, 2}}, [](const Tensor& x, W w) { return linear(x, w[0], Tensor()); }};
  const CDescription examples{.stored = zeros({1, 2}), .expected = zeros({1, 2})};
  EXPECT_ERROR(ValueError, write_c(graph_of(c, weights), examples),
               "[export] layer0.weight has elements that are inf; a network that computes nothing cannot be "
               "exported");
}

}  // namespace
}  // namespace splot
