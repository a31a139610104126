#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(exp, {.run = [](In in) { return exp(in[0]); }});
CHECK_OP(expm1, {.run = [](In in) { return expm1(in[0]); }});
CHECK_OP(log, {.run = [](In in) { return log(in[0]); }});
CHECK_OP(log1p, {.run = [](In in) { return log1p(in[0]); }});
CHECK_OP(sqrt, {.run = [](In in) { return sqrt(in[0]); }});
CHECK_OP(rsqrt, {.run = [](In in) { return rsqrt(in[0]); }});
CHECK_OP(sin, {.run = [](In in) { return sin(in[0]); }});
CHECK_OP(cos, {.run = [](In in) { return cos(in[0]); }});
CHECK_OP(atan, {.run = [](In in) { return atan(in[0]); }});
CHECK_OP(erf, {.run = [](In in) { return erf(in[0]); }});
CHECK_OP(abs, {.run = [](In in) { return abs(in[0]); }, .exact = true});
CHECK_OP(sign, {.run = [](In in) { return sign(in[0]); }, .exact = true});
CHECK_OP(floor, {.run = [](In in) { return floor(in[0]); }, .exact = true});
CHECK_OP(ceil, {.run = [](In in) { return ceil(in[0]); }, .exact = true});
CHECK_OP(round, {.run = [](In in) { return round(in[0]); }, .exact = true});
CHECK_OP(clamp, {.run = [](In in) { return clamp(in[0], -0.5, 1.25); }, .exact = true});
CHECK_OP(clamp_low, {.run = [](In in) { return clamp(in[0], -1.0); }, .op = "clamp", .exact = true});
CHECK_OP(clamp_crossed,
         {.run = [](In in) { return clamp(in[0], 1.0, 0.5); }, .op = "clamp", .orders = 0, .exact = true});

}  // namespace
}  // namespace splot
