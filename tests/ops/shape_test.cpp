#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(reshape, {.run = [](In in) { return reshape(in[0], {4, -1}); }, .exact = true});
CHECK_OP(permute, {.run = [](In in) { return permute(in[0], {2, 0, 1}); }, .exact = true});
CHECK_OP(expand, {.run = [](In in) { return expand(in[0], {2, 3, 4}); }, .exact = true});
CHECK_OP(cast, {.run = [](In in) { return cast(in[0], kFloat64); }, .exact = true});
CHECK_OP(cast_to_int32,
         {.run = [](In in) { return cast(in[0], kInt32); }, .op = "cast", .orders = 0, .exact = true});
CHECK_OP(full,
         {.run = [](In in) { return full(in[0].shape(), 2.5, in[0].dtype()); }, .orders = 0, .exact = true});

}  // namespace
}  // namespace splot
