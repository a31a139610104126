#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using test::Tolerance;

constexpr Tolerance kSum32 = {1e-6, 4e-6, "sums cancel"};
constexpr Tolerance kSum64 = {1e-15, 1e-14, "sums cancel"};

CHECK_OP(sum, {.run = [](In in) { return sum(in[0], {0, -1}); }, .float32 = kSum32, .float64 = kSum64});
CHECK_OP(sum_columns, {.run = [](In in) { return sum(in[0], {0}, true); },
                       .op = "sum",
                       .float32 = kSum32,
                       .float64 = kSum64});
CHECK_OP(sum_all,
         {.run = [](In in) { return sum(in[0]); }, .op = "sum", .float32 = kSum32, .float64 = kSum64});
CHECK_OP(mean, {.run = [](In in) { return mean(in[0], {0, -1}); }, .float32 = kSum32, .float64 = kSum64});
CHECK_OP(mean_all,
         {.run = [](In in) { return mean(in[0]); }, .op = "mean", .float32 = kSum32, .float64 = kSum64});
CHECK_OP(var, {.run =
                   [](In in) {
                     return var(in[0], {0, -1});
                   },
               .float32 = {1e-5, 1e-6, "both subtract a rounded mean"},
               .float64 = {1e-13, 1e-14, "both subtract a rounded mean"},
               .gradient32 = {1e-4, 2e-5, "both subtract a rounded mean"},
               .gradient64 = {1e-12, 1e-13, "both subtract a rounded mean"}});
CHECK_OP(var_population, {.run = [](In in) { return var(in[0], {0}, true, 0); },
                          .op = "var",
                          .float32 = {1e-5, 1e-6, "both subtract a rounded mean"},
                          .float64 = {1e-14, 1e-15, "both subtract a rounded mean"}});
CHECK_OP(max, {.run = [](In in) { return max(in[0], {0, -1}); }, .exact = true});
CHECK_OP(max_columns, {.run = [](In in) { return max(in[0], {0}, true); }, .op = "max", .exact = true});
CHECK_OP(max_all, {.run = [](In in) { return max(in[0]); }, .op = "max", .exact = true});
CHECK_OP(min, {.run = [](In in) { return min(in[0], {0, -1}); }, .exact = true});
CHECK_OP(min_columns, {.run = [](In in) { return min(in[0], {0}, true); }, .op = "min", .exact = true});
CHECK_OP(min_all, {.run = [](In in) { return min(in[0]); }, .op = "min", .exact = true});
CHECK_OP(prod, {.run = [](In in) { return prod(in[0], {1, 2}); }});
CHECK_OP(prod_columns, {.run = [](In in) { return prod(in[0], {0}, true); }, .op = "prod"});
CHECK_OP(prod_all, {.run = [](In in) { return prod(in[0]); }, .op = "prod"});
CHECK_OP(logsumexp, {.run =
                         [](In in) {
                           return logsumexp(in[0], {0, -1});
                         },
                     .gradient32 = {2e-4, 1e-6, "exp of a difference of numbers near 900"},
                     .gradient64 = {1e-12, 1e-14, "exp of a difference of numbers near 900"}});
CHECK_OP(logsumexp_columns, {.run = [](In in) { return logsumexp(in[0], {0}, true); }, .op = "logsumexp"});
CHECK_OP(cumsum, {.run = [](In in) { return cumsum(in[0], 1); }, .float32 = kSum32, .float64 = kSum64});
CHECK_OP(cumsum_last, {.run = [](In in) { return cumsum(in[0], -1); },
                       .op = "cumsum",
                       .float32 = kSum32,
                       .float64 = kSum64});
CHECK_OP(argmax, {.run = [](In in) { return argmax(in[0], 1); }, .orders = 0});
CHECK_OP(argmax_first, {.run = [](In in) { return argmax(in[0], 0, true); }, .op = "argmax", .orders = 0});
CHECK_OP(argmax_all, {.run = [](In in) { return argmax(in[0]); }, .op = "argmax", .orders = 0});
CHECK_OP(argmin, {.run = [](In in) { return argmin(in[0], 1); }, .orders = 0});
CHECK_OP(argmin_first, {.run = [](In in) { return argmin(in[0], 0, true); }, .op = "argmin", .orders = 0});
CHECK_OP(argmin_all, {.run = [](In in) { return argmin(in[0]); }, .op = "argmin", .orders = 0});
CHECK_OP(all, {.run = [](In in) { return all(in[0], {1}); }, .orders = 0});
CHECK_OP(any, {.run = [](In in) { return any(in[0], {1}); }, .orders = 0});

constexpr Tolerance kSoftmax32 = {4e-6, 1e-30, "an exponential, a sum and a quotient"};
constexpr Tolerance kSoftmax64 = {2e-14, 1e-290, "an exponential, a sum and a quotient"};

CHECK_OP(softmax,
         {.run = [](In in) { return softmax(in[0]); }, .float32 = kSoftmax32, .float64 = kSoftmax64});
CHECK_OP(softmax_middle, {.run = [](In in) { return softmax(in[0], 1); },
                          .op = "softmax",
                          .float32 = kSoftmax32,
                          .float64 = kSoftmax64});
CHECK_OP(log_softmax, {.run = [](In in) { return log_softmax(in[0]); },
                       .float32 = {4e-6, 1e-6, "differences cancel"},
                       .float64 = {1e-14, 1e-14, "differences cancel"}});
CHECK_OP(log_softmax_middle, {.run = [](In in) { return log_softmax(in[0], 1); },
                              .op = "log_softmax",
                              .float32 = {4e-6, 1e-6, "differences cancel"},
                              .float64 = {1e-14, 1e-14, "differences cancel"}});

TEST(Reductions, ReadATransposedMatrixAndAChannelWithoutCopies) {
  std::vector<float> values(2 * 3 * 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Tensor x = Tensor::from(values, {2, 3, 4});
  EXPECT_EQ(sum(x, {0, 2}).to_vector<float>(), (std::vector<float>{60, 92, 124}));
  EXPECT_EQ(sum(permute(x, {2, 1, 0}), {0, 2}).to_vector<float>(), (std::vector<float>{60, 92, 124}));
  EXPECT_EQ(sum(permute(x, {2, 0, 1}), {1}).to_vector<float>(),
            sum(permute(x, {0, 2, 1}), {0}).to_vector<float>());
  EXPECT_EQ(max(permute(x, {2, 1, 0}), {0}).to_vector<float>(), (std::vector<float>{3, 15, 7, 19, 11, 23}));
  EXPECT_EQ(sum(expand(tensor({1.0f, 2.0f}), {3, 2}), {0}).to_vector<float>(), (std::vector<float>{3, 6}));
}

TEST(Reductions, ReverseCumulativeSumsStartAtTheEnd) {
  EXPECT_EQ(cumsum(tensor({1.0, 2.0, 4.0}), 0, true).to_vector<double>(), (std::vector<double>{7, 6, 4}));
}

TEST(Reductions, SayWhichAxisIsWrong) {
  EXPECT_ERROR(ShapeError, sum(zeros({2, 3}), {2}),
               "[sum] there is no axis 2 in [2, 3]: it has axes -2 to 1");
  EXPECT_ERROR(ShapeError, mean(zeros({2, 3}), {1, -1}), "[mean] axis -1 is named twice in [1, -1]");
  EXPECT_ERROR(ShapeError, max(zeros({2, 0}), {1}),
               "[max] has no value over axis 1 of [2, 0], whose size is 0");
  EXPECT_ERROR(ShapeError, softmax(zeros({2, 3}), 2),
               "[softmax] there is no axis 2 in [2, 3]: it has axes -2 to 1");
  EXPECT_ERROR(ShapeError, argmax(zeros({2, 0}), 1),
               "[argmax] has no value over axis 1 of [2, 0], whose size is 0");
  EXPECT_ERROR(ShapeError, cumsum(zeros({2}), 1), "[cumsum] there is no axis 1 in [2]: it has axes -1 to 0");
  EXPECT_ERROR(DTypeError, sum(cast(zeros({2}), kBFloat16)),
               "[sum] bfloat16 can only be cast, copied and stored; cast to float32 first");
}

}  // namespace
}  // namespace splot
