#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(exp, {.run = [](In in) { return exp(in[0]); }});
CHECK_OP(log, {.run = [](In in) { return log(in[0]); }});

}  // namespace
}  // namespace splot
