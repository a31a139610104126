#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using test::Tolerance;

constexpr Tolerance kLoss32 = {4e-6, 2e-6, "sums of logarithms of exponentials"};
constexpr Tolerance kLoss64 = {1e-14, 4e-15, "sums of logarithms of exponentials"};

CHECK_OP(softmax_cross_entropy, {.run = [](In in) { return softmax_cross_entropy(in[0], in[1]); },
                                 .float32 = kLoss32,
                                 .float64 = kLoss64});
CHECK_OP(softmax_cross_entropy_sum,
         {.run = [](In in) { return softmax_cross_entropy(in[0], in[1], Reduction::sum); },
          .op = "softmax_cross_entropy",
          .float32 = kLoss32,
          .float64 = kLoss64});
CHECK_OP(softmax_cross_entropy_none,
         {.run = [](In in) { return softmax_cross_entropy(in[0], in[1], Reduction::none); },
          .op = "softmax_cross_entropy",
          .float32 = kLoss32,
          .float64 = kLoss64});

const Tensor kLogits = tensor({{1.0, -2.0, 0.5}, {0.25, 3.0, -1.0}});
const Tensor kClasses = tensor({std::int64_t{2}, std::int64_t{1}});
const Tensor kProbabilities = tensor({{0.2, 0.3, 0.5}, {0.125, 0.5, 0.75}});

CHECK_OP(softmax_cross_entropy_grad,
         {.run = [](In in) { return softmax_cross_entropy_grad(in[0], in[1], in[2]); },
          .inputs = {{scalar(0.75), kLogits, kClasses}, {scalar(0.75), kLogits, kProbabilities}}});
CHECK_OP(softmax_cross_entropy_grad_none,
         {.run = [](In in) { return softmax_cross_entropy_grad(in[0], in[1], in[2], Reduction::none); },
          .op = "softmax_cross_entropy_grad",
          .inputs = {{tensor({0.75, -2.0}), kLogits, kClasses},
                     {tensor({0.75, -2.0}), kLogits, kProbabilities}}});

CHECK_OP(sigmoid_cross_entropy, {.run = [](In in) { return sigmoid_cross_entropy(in[0], in[1]); },
                                 .float32 = {4e-6, 1e-6, "differences cancel"},
                                 .float64 = {1e-14, 1e-15, "differences cancel"}});
CHECK_OP(sigmoid_cross_entropy_grad,
         {.run = [](In in) { return sigmoid_cross_entropy_grad(in[0], in[1], in[2]); },
          .inputs = {{tensor({0.75, -2.0, 1.0}), tensor({1.0, -2.0, 0.5}), tensor({0.0, 1.0, 0.25})}},
          .float64 = {4e-14, 1e-14, "differences cancel"}});

CHECK_OP(probability_cross_entropy, {.run = [](In in) { return probability_cross_entropy(in[0], in[1]); },
                                     .float32 = {4e-6, 1e-6, "sums cancel"},
                                     .float64 = {1e-14, 1e-15, "sums cancel"}});

// First and second derivatives of a fused record against those of its twin, in a random direction.
void compare_derivatives(const OpDef& op, const TensorList& inputs, const Attrs& attrs) {
  const auto derivatives = [&](auto&& call) {
    const Tensor x = inputs[0].variable();
    TensorList all = {x};
    for (std::size_t i = 1; i < inputs.size(); ++i) all.push_back(inputs[i]);
    const Tensor y = call(all);
    const Tensor cotangent = uniform(y.shape(), RandomKey{.seed = 3}, {.dtype = kFloat64});
    const Tensor dx = grad(y, {x}, {.cotangent = cotangent, .create_graph = true})[0];
    const Tensor direction = uniform(dx.shape(), RandomKey{.seed = 4}, {.dtype = kFloat64});
    return TensorList{dx.detach(), grad(sum(dx * direction), {x})[0]};
  };
  const TensorList fused = derivatives([&](const TensorList& in) { return apply(op, in, attrs); });
  const TensorList composed = derivatives([&](const TensorList& in) { return op.composed(in, attrs)[0]; });
  for (std::size_t order = 0; order < 2; ++order) {
    EXPECT_EQ(test::difference_between(fused[order], composed[order], {1e-13, 1e-15, "both in float64"}), "")
        << op.name << ", order " << order + 1;
  }
}

TEST(Losses, DerivativesOfBothOrdersAreThoseOfTheComposedTwins) {
  for (const char* reduction : {"mean", "sum", "none"}) {
    const OpDef& op = softmax_cross_entropy_op;
    compare_derivatives(op, {kLogits, kClasses}, {op.attrs, {std::string(reduction)}});
    compare_derivatives(op, {kLogits, kProbabilities}, {op.attrs, {std::string(reduction)}});
  }
  compare_derivatives(sigmoid_cross_entropy_op, {kLogits, kProbabilities}, {});
}

// Rows of few classes are taken together. To the bits of each row alone.
TEST(Losses, ARowHasTheSameBitsHoweverManyThereAre) {
  const auto bits = [](const Tensor& x) {
    const auto* data = static_cast<const std::uint8_t*>(x.raw());
    return std::vector<std::uint8_t>(data, data + static_cast<std::size_t>(x.numel()) * x.dtype().size());
  };
  const double infinity = std::numeric_limits<double>::infinity();
  const cpu::InstructionSet before = cpu::instruction_set();
  for (const cpu::InstructionSet instructions : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(instructions);
    for (const DType dtype : {kFloat32, kFloat64}) {
      for (const Index classes : {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 100}) {
        constexpr Index kRows = 53;
        const auto counter = static_cast<std::uint64_t>(classes);
        Tensor x =
            30.0 * normal({kRows, classes}, RandomKey{.seed = 1, .counter = counter}, {.dtype = dtype});
        // What sums and distances trip over, each in a group of rows of its own.
        x = set(x, {{2, 3}}, full({1, classes}, -0.0, dtype));
        x = set(x, {{20, 21}, {0, 1}}, full({1, 1}, infinity, dtype));
        x = set(x, {{37, 38}}, full({1, classes}, -infinity, dtype));
        x = set(x, {{49, 50}, {0, 1}}, full({1, 1}, -std::numeric_limits<double>::quiet_NaN(), dtype));
        const Tensor u = uniform({kRows}, RandomKey{.seed = 2, .counter = counter});
        const Tensor target = cast(floor(u * static_cast<double>(classes)), kInt64);
        const Tensor dy = normal({kRows}, RandomKey{.seed = 3}, {.dtype = dtype});
        const Tensor loss = softmax_cross_entropy(x, target, Reduction::none);
        const Tensor gradient = softmax_cross_entropy_grad(dy, x, target, Reduction::none);
        for (Index r = 0; r < kRows; ++r) {
          const auto row = [&](const Tensor& t) { return contiguous(slice(t, 0, r, r + 1)); };
          EXPECT_EQ(bits(row(loss)), bits(softmax_cross_entropy(row(x), row(target), Reduction::none)))
              << classes << " classes, row " << r;
          EXPECT_EQ(bits(row(gradient)),
                    bits(softmax_cross_entropy_grad(row(dy), row(x), row(target), Reduction::none)))
              << classes << " classes, gradient of row " << r;
        }
      }
    }
  }
  cpu::set_instruction_set(before);
}

// Of a probability that is 1 but for its last digits, 1 - p and the logarithm are those digits.
TEST(Losses, KeepTheirDigitsWhereTheTargetIsNearlyCertain) {
  const cpu::InstructionSet before = cpu::instruction_set();
  for (const cpu::InstructionSet instructions : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(instructions);
    for (const Index classes : {2, 10, 33, 100}) {
      // The target is 0, 4, 8 ... 80 above the others, which differ by less than 1.
      constexpr Index kRows = 21;
      constexpr double kClose = 5e-6;  // a distance of 80 is rounded by up to 3.8e-6
      const Index target = classes / 2;
      Tensor x = uniform({kRows, classes}, RandomKey{.seed = static_cast<std::uint64_t>(classes)});
      std::vector<double> others(kRows, 0.0);
      for (Index r = 0; r < kRows; ++r) {
        const auto gap = static_cast<float>(4 * r + 1);
        x = set(x, {{r, r + 1}, {target, target + 1}}, full({1, 1}, gap, kFloat32));
        for (Index j = 0; j < classes; ++j) {
          const double d = static_cast<double>(x.data<float>()[r * classes + j]) - static_cast<double>(gap);
          if (j != target) others[static_cast<std::size_t>(r)] += std::exp(d);
        }
      }
      const Tensor t = full({kRows}, static_cast<double>(target), kInt64);
      const Tensor loss = softmax_cross_entropy(x, t, Reduction::none);
      const Tensor dx = softmax_cross_entropy_grad(ones({kRows}), x, t, Reduction::none);
      for (Index r = 0; r < kRows; ++r) {
        const double rest = others[static_cast<std::size_t>(r)];
        EXPECT_NEAR(static_cast<double>(loss.data<float>()[r]) / std::log1p(rest), 1.0, kClose)
            << classes << " classes, row " << r;
        EXPECT_NEAR(static_cast<double>(dx.data<float>()[r * classes + target]) / (-rest / (1.0 + rest)), 1.0,
                    kClose)
            << classes << " classes, gradient of row " << r;
      }
    }
  }
  cpu::set_instruction_set(before);
}

// The distance of two logits may be beyond float32, and 0 times infinity is no loss.
TEST(Losses, ClassesOfNoShareMayBeAnywhere) {
  const float largest = std::numeric_limits<float>::max();
  for (const Index classes : {2, 17, 40}) {
    std::vector<float> logits(static_cast<std::size_t>(classes), -largest), target(logits.size());
    logits.back() = largest;
    target.back() = 1.0f;
    const Tensor x = Tensor::from(logits, {1, classes}), t = Tensor::from(target, {1, classes});
    EXPECT_EQ(softmax_cross_entropy(x, t).item<float>(), 0.0f) << classes;
    EXPECT_EQ(softmax_cross_entropy(x, tensor({classes - 1})).item<float>(), 0.0f) << classes;
  }
}

TEST(Losses, SayWhatDoesNotFit) {
  EXPECT_ERROR(ShapeError, softmax_cross_entropy(zeros({4, 3}), zeros({3}, kInt64)),
               "[softmax_cross_entropy] logits[4, 3] need class numbers of shape [4], got target[3]");
  EXPECT_ERROR(ShapeError, softmax_cross_entropy(zeros({4, 3}), zeros({4})),
               "[softmax_cross_entropy] logits[4, 3] need probabilities of the same shape, got target[4]");
  EXPECT_ERROR(IndexError, softmax_cross_entropy(zeros({2, 3}), tensor({0, 3})),
               "[softmax_cross_entropy] there is no class 3 among 3: the target's element 1 is out of range");
  EXPECT_ERROR(
      IndexError, softmax_cross_entropy(zeros({1, 3}), tensor({-1})),
      "[softmax_cross_entropy] there is no class -1 among 3: the target's element 0 is out of range");
}

}  // namespace
}  // namespace splot
