#include <limits>

#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(arange, {.run = [](In) { return arange(1, 8, 2); }, .orders = 0, .exact = true});
CHECK_OP(arange_down,
         {.run = [](In) { return arange(5, 0, -1.5); }, .op = "arange", .orders = 0, .exact = true});
CHECK_OP(arange_empty, {.run = [](In) { return arange(0); }, .op = "arange", .orders = 0, .exact = true});
CHECK_OP(arange_fraction, {.run = [](In) { return arange(0.0, 1.0, 0.1, kFloat64); },
                           .op = "arange",
                           .orders = 0,
                           .float64 = {0, 1e-15, "PyTorch rounds in other places"}});
CHECK_OP(linspace, {.run = [](In) { return linspace(-1, 2, 7, kFloat64); },
                    .orders = 0,
                    .float64 = {0, 1e-15, "PyTorch rounds in other places"}});
CHECK_OP(linspace_one,
         {.run = [](In) { return linspace(3, 5, 1); }, .op = "linspace", .orders = 0, .exact = true});
CHECK_OP(linspace_none,
         {.run = [](In) { return linspace(3, 5, 0); }, .op = "linspace", .orders = 0, .exact = true});
CHECK_OP(eye, {.run = [](In) { return eye(3); }, .op = "set", .orders = 0, .exact = true});
CHECK_OP(eye_wide, {.run = [](In) { return eye(2, 4, kInt64); }, .op = "set", .orders = 0, .exact = true});
CHECK_OP(eye_tall, {.run = [](In) { return eye(4, 2, kFloat64); }, .op = "set", .orders = 0, .exact = true});
CHECK_OP(zeros_like,
         {.run = [](In in) { return zeros_like(in[0]); }, .op = "full", .orders = 0, .exact = true});
CHECK_OP(ones_like,
         {.run = [](In in) { return ones_like(in[0]); }, .op = "full", .orders = 0, .exact = true});
CHECK_OP(full_like,
         {.run = [](In in) { return full_like(in[0], -3); }, .op = "full", .orders = 0, .exact = true});

TEST(Sequences, EndsOfLinspaceAreExact) {
  for (const Index n : {2, 3, 7, 100}) {
    const std::vector<float> x = linspace(0.1, 0.7, n).to_vector<float>();
    EXPECT_EQ(x.front(), 0.1f);
    EXPECT_EQ(x.back(), 0.7f);
  }
}

TEST(Sequences, SayWhatDoesNotFit) {
  EXPECT_ERROR(ValueError, arange(0, 3, 0), "[arange] the step is 0");
  EXPECT_ERROR(ValueError, arange(3, 0), "[arange] a step of 1 does not lead from 3 to 0");
  EXPECT_ERROR(ValueError, arange(0.0, std::numeric_limits<double>::infinity()),
               "[arange] needs finite numbers, got start 0, stop inf, step 1");
  EXPECT_ERROR(ValueError, arange(0.0, 1e300),
               "[arange] from 0 to 1e+300 by 1 are more elements than a tensor can have");
  EXPECT_ERROR(ValueError, linspace(0, 1, -1), "[linspace] cannot make -1 numbers");
}

}  // namespace
}  // namespace splot
