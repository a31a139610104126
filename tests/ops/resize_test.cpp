#include <gtest/gtest.h>

#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using test::Tolerance;

constexpr Tolerance kShares32 = {4e-6, 2e-6, "PyTorch finds the shares of the pixels in float32"};
constexpr Tolerance kShares64 = {1e-14, 4e-15, "products in another order"};
constexpr ResizeOptions kCorners = {.align_corners = true};
constexpr ResizeOptions kNearest = {.mode = ResizeMode::nearest};

#define CHECK_RESIZE(name, ...)                                            \
  CHECK_OP(name, {.run = [](In in) { return resize(in[0], __VA_ARGS__); }, \
                  .op = "resize",                                          \
                  .float32 = kShares32,                                    \
                  .float64 = kShares64})

CHECK_RESIZE(resize_up, {7, 9});
CHECK_RESIZE(resize_up_corners, {7, 9}, kCorners);
CHECK_RESIZE(resize_up_nearest, {7, 9}, kNearest);
CHECK_RESIZE(resize_down, {2, 3});
CHECK_RESIZE(resize_down_corners, {2, 3}, kCorners);
CHECK_RESIZE(resize_down_nearest, {2, 3}, kNearest);
CHECK_RESIZE(resize_mixed, {1, 8});
CHECK_RESIZE(resize_mixed_corners, {1, 8}, kCorners);
CHECK_RESIZE(resize_mixed_nearest, {1, 8}, kNearest);
CHECK_RESIZE(resize_same, {4, 5});
CHECK_RESIZE(resize_same_corners, {4, 5}, kCorners);
CHECK_RESIZE(resize_same_nearest, {4, 5}, kNearest);

CHECK_OP(resize_grad, {.run =
                           [](In in) {
                             const OpDef& op = resize_grad_op;
                             return apply(op, in, {op.attrs, {Ints{4, 5}, std::string("bilinear"), false}});
                           },
                       .inputs = {{uniform({2, 1, 7, 3}, RandomKey{.seed = 1}, {.dtype = kFloat64})}}});

CHECK_OP(pad_reflect, {.run =
                           [](In in) {
                             return pad(in[0], {0, 0, 1, 2}, {0, 0, 2, 3}, PadMode::reflect);
                           },
                       .op = "index_select",
                       .exact = true});
CHECK_OP(pad_edge, {.run =
                        [](In in) {
                          return pad(in[0], {0, 0, 1, 2}, {0, 0, 2, 3}, PadMode::edge);
                        },
                    .op = "index_select",
                    .exact = true});

TEST(Pad, CutsOffInEveryMode) {
  const Tensor x = tensor({1.0f, 2.0f, 3.0f, 4.0f});
  EXPECT_EQ(pad(x, {-1}, {2}, PadMode::reflect).to_vector<float>(), (std::vector<float>{2, 3, 4, 3, 2}));
  EXPECT_EQ(pad(x, {2}, {-3}, PadMode::edge).to_vector<float>(), (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(pad(x, {1}, {0}, PadMode::constant).to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4}));
}

TEST(Pad, SaysWhatDoesNotFit) {
  const Tensor x = zeros({3});
  EXPECT_ERROR(ShapeError, pad(x, {3}, {0}, PadMode::reflect),
               "[pad] axis 0 of x[3] has 2 elements to mirror; before 3 and after 0 need more");
  EXPECT_ERROR(ShapeError, pad(zeros({0}), {1}, {0}, PadMode::edge),
               "[pad] axis 0 of x[0] has no edge to repeat");
  EXPECT_ERROR(ShapeError, pad(x, {-2}, {-2}, PadMode::edge),
               "[pad] axis 0 of x[3] has 3 elements; before -2 and after -2 cut off more");
  EXPECT_ERROR(ShapeError, pad(x, {1, 1}, {1}, PadMode::edge),
               "[pad] before [1, 1] and after [1] must have one number for each axis of x[3]");
}

TEST(Resize, SaysWhatDoesNotFit) {
  EXPECT_ERROR(ValueError, resize(zeros({1, 1, 4, 4}), {0}), "[resize] needs two positive sizes, got [0, 0]");
  EXPECT_ERROR(ShapeError, resize(zeros({1, 1, 0, 4}), {2}), "[resize] cannot resize images of 0 x 4");
  EXPECT_ERROR(ValueError,
               resize(zeros({1, 1, 4, 4}), {2}, {.mode = ResizeMode::nearest, .align_corners = true}),
               "[resize] align_corners is for bilinear alone");
}

}  // namespace
}  // namespace splot
