#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/ops/ops.h"

#include "tests/support/bytes.h"
#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(flatten, {.run = [](In in) { return flatten(in[0], 1, 2); }, .op = "reshape", .exact = true});
CHECK_OP(flatten_0d, {.run = [](In in) { return flatten(in[0]); }, .op = "reshape", .exact = true});
CHECK_OP(squeeze, {.run = [](In in) { return squeeze(in[0]); }, .op = "reshape", .exact = true});
CHECK_OP(squeeze_axis, {.run = [](In in) { return squeeze(in[0], {2}); }, .op = "reshape", .exact = true});
CHECK_OP(unsqueeze, {.run = [](In in) { return unsqueeze(in[0], -1); }, .op = "reshape", .exact = true});
CHECK_OP(transpose, {.run = [](In in) { return transpose(in[0], 0, -1); }, .op = "permute", .exact = true});
CHECK_OP(matrix_transpose,
         {.run = [](In in) { return matrix_transpose(in[0]); }, .op = "permute", .exact = true});
CHECK_OP(flip, {.run = [](In in) { return flip(in[0], {0, 2}); }, .exact = true});
CHECK_OP(slice, {.run = [](In in) { return slice(in[0], {{1, -1}, {1, kEnd, 3}}); }, .exact = true});
CHECK_OP(slice_clamped, {.run =
                             [](In in) {
                               return slice(in[0], {{-100, 2}, {5, 2}});
                             },
                         .op = "slice",
                         .exact = true});
CHECK_OP(select, {.run = [](In in) { return select(in[0], 1, -2); }, .op = "slice", .exact = true});
CHECK_OP(set, {.run = [](In in) { return set(in[0], {{1, 3}, {0, kEnd, 2}}, in[1]); }, .exact = true});
CHECK_OP(split, {.run = [](In in) { return split(in[0], 2, 1); }, .op = "slice", .exact = true});
CHECK_OP(split_sizes, {.run = [](In in) { return split(in[0], {1, 0, 3}); }, .op = "slice", .exact = true});
CHECK_OP(concat, {.run = [](In in) { return concat(in, 1); }, .exact = true});
CHECK_OP(stack, {.run = [](In in) { return stack(in, -1); }, .op = "concat", .exact = true});
CHECK_OP(stack_first, {.run = [](In in) { return stack(in); }, .op = "concat", .exact = true});
CHECK_OP(pad, {.run =
                   [](In in) {
                     // PyTorch counts from the last axis and leaves the axes in front alone.
                     Ints before(in[0].rank(), 0), after(in[0].rank(), 0);
                     before[before.size() - 1] = 2;
                     after[after.size() - 1] = -1;
                     after[after.size() - 2] = 3;
                     return pad(in[0], before, after, 1.5);
                   },
               .exact = true});
CHECK_OP(tril, {.run = [](In in) { return tril(in[0]); }, .exact = true});
CHECK_OP(tril_above, {.run = [](In in) { return tril(in[0], 1); }, .op = "tril", .exact = true});
CHECK_OP(triu, {.run = [](In in) { return triu(in[0]); }, .exact = true});
CHECK_OP(triu_below, {.run = [](In in) { return triu(in[0], -2); }, .op = "triu", .exact = true});
CHECK_OP(diag, {.run = [](In in) { return diag(in[0]); }, .op = "slice", .exact = true});
CHECK_OP(diag_above, {.run = [](In in) { return diag(in[0], 2); }, .op = "slice", .exact = true});
CHECK_OP(diag_below, {.run = [](In in) { return diag(in[0], -1); }, .op = "slice", .exact = true});

Tensor counting(const Shape& shape) { return reshape(arange(shape.numel()), shape.ints()); }

TEST(Reshape, CopiesOnlyWhereStridesCannotSayIt) {
  const Tensor x = counting({2, 3, 4});
  const auto shares = [&](const Tensor& y) { return y.impl()->storage == x.impl()->storage; };
  EXPECT_TRUE(shares(reshape(x, {6, 4})));
  EXPECT_TRUE(shares(reshape(permute(x, {2, 0, 1}), {4, 6})));
  EXPECT_TRUE(shares(reshape(permute(x, {2, 0, 1}), {2, 2, 1, 6})));
  EXPECT_FALSE(shares(reshape(permute(x, {2, 0, 1}), {8, 3})));
  EXPECT_TRUE(shares(select(x, 1, 2)));
  EXPECT_EQ(reshape(permute(x, {2, 0, 1}), {2, 2, 6}).to_vector<Index>(),
            permute(x, {2, 0, 1}).to_vector<Index>());
  const Tensor stretched = expand(counting({3}), {2, 2, 3});
  EXPECT_EQ(reshape(stretched, {4, 3}).to_vector<Index>(), stretched.to_vector<Index>());
  EXPECT_EQ(reshape(stretched, {2, 6}).to_vector<Index>(), stretched.to_vector<Index>());
}

TEST(Slice, IsAView) {
  const Tensor x = counting({4, 5});
  EXPECT_EQ(slice(x, {{1, 3}}).impl()->storage, x.impl()->storage);
  EXPECT_EQ(slice(x, -1, 0, 2).to_vector<Index>(), (std::vector<Index>{0, 1, 5, 6, 10, 11, 15, 16}));
  EXPECT_EQ(slice(x, {}).shape(), x.shape());
  EXPECT_EQ(slice(x, {{0, kEnd, kEnd}}).to_vector<Index>(), (std::vector<Index>{0, 1, 2, 3, 4}));
  EXPECT_EQ(slice(slice(x, {{4, 4}}), 1, 1, 3).shape(), Shape({0, 2}));
}

// Of one axis, where nobody sees the call, there is a shorter way; the elements and where they lie are to be
// those of the general one, which a variable and a trace take.
TEST(Slice, OfOneAxisIsThatOfAll) {
  const Tensor variable = cast(counting({4, 5, 6}), kFloat32).variable();
  const Tensor bare = variable.detach();
  const Index positions[] = {-100, -5, -1, 0, 1, 3, 4, 6, kEnd};
  for (int axis = 0; axis < 3; ++axis) {
    for (const Index start : positions) {
      for (const Index stop : positions) {
        Slices slices(static_cast<std::size_t>(axis) + 1);
        slices.back() = {start, stop};
        for (const Ints& order : {Ints{0, 1, 2}, Ints{2, 0, 1}}) {
          const Tensor all = slice(permute(variable, order), slices);
          for (const Index named : {Index{axis}, Index{axis - 3}}) {
            const Tensor one = slice(permute(bare, order), named, start, stop);
            ASSERT_EQ(one.shape(), all.shape()) << axis << ' ' << start << ':' << stop;
            ASSERT_EQ(one.strides(), all.strides());
            ASSERT_EQ(one.is_contiguous(), all.is_contiguous());
            ASSERT_EQ(one.impl()->offset, all.impl()->offset);
            ASSERT_EQ(one.impl()->storage, all.impl()->storage);
          }
        }
      }
    }
  }
  EXPECT_FALSE(slice(bare, 0, 1, 2).requires_grad());
  EXPECT_TRUE(slice(variable, 0, 1, 2).requires_grad());
  const NoGrad off;
  EXPECT_FALSE(slice(variable, 0, 1, 2).requires_grad());
  EXPECT_ERROR(ValueError, slice(bare, 0, 1, 2, 0), "[slice] the step on axis 0 is 0; it must be at least 1");
}

TEST(Set, LeavesItsInputAlone) {
  const Tensor x = zeros({3});
  const Tensor y = set(x, {{1}}, 2.0f);
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 2, 2}));
}

TEST(Set, WritesInPlaceOnlyWhenNobodyElseCanSee) {
  Tensor x = zeros({1000});
  const void* memory = x.raw();
  x = set(std::move(x), {{0, 10}}, 1);
  EXPECT_EQ(x.raw(), memory);
  const Tensor other = slice(x, {{5, 7}});
  x = set(std::move(x), {{0, 10}}, 3);
  EXPECT_NE(x.raw(), memory);
  EXPECT_EQ(other.to_vector<float>(), (std::vector<float>{1, 1}));
  // The value is a part of x itself.
  Tensor y = counting({4});
  y = set(std::move(y), {{1}}, slice(y, {{0, 3}}));
  EXPECT_EQ(y.to_vector<Index>(), (std::vector<Index>{0, 0, 1, 2}));
}

TEST(Set, ReusedMemoryCarriesNoHistory) {
  Tensor w = zeros({4}).variable();
  const NoGrad off;
  w = set(std::move(w), {{0, 2}}, 1.0f);
  EXPECT_FALSE(w.requires_grad());
}

TEST(Concat, JoinsManyTensorsAndLargeOnes) {
  TensorList many(100);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = full({1}, static_cast<double>(i)).variable();
  const Tensor y = concat(many);
  EXPECT_EQ(y.to_vector<float>(), arange(100).to_vector<float>());
  EXPECT_EQ(grad(sum(y * y), {many[7]})[0].item<float>(), 14.0f);
  // Beyond one chunk of work, and in columns.
  const Tensor a = counting({3, 70'000});
  EXPECT_EQ(slice(concat({a, a}, 1), 1, 70'000, kEnd).to_vector<Index>(), a.to_vector<Index>());
  EXPECT_EQ(matrix_transpose(concat({matrix_transpose(a), matrix_transpose(a)}, 1)).to_vector<Index>(),
            concat({a, a}).to_vector<Index>());
}

TEST(Shapes, BFloat16CanBeCutAndJoined) {
  const Tensor x = cast(tensor({1.0f, 2.0f, 3.0f}), kBFloat16);
  EXPECT_EQ(concat({flip(x), slice(x, {{0, 2}})}).to_vector<float>(), (std::vector<float>{3, 2, 1, 1, 2}));
  EXPECT_EQ(pad(x, {1}, {-1}, 0.5).to_vector<float>(), (std::vector<float>{0.5f, 1, 2}));
}

TEST(Shapes, DiagonalsBeyondTheMatrixAreEmpty) {
  EXPECT_EQ(diag(zeros({2, 3}), 7).shape(), Shape({0}));
  EXPECT_EQ(diag(zeros({2, 3}), -7).shape(), Shape({0}));
  EXPECT_EQ(diag(zeros({0, 3})).shape(), Shape({0}));
  EXPECT_EQ(eye(0).shape(), Shape({0, 0}));
  EXPECT_EQ(tril(ones({2, 2}), kEnd).to_vector<float>(), (std::vector<float>{1, 1, 1, 1}));
}

TEST(Shapes, SayWhatDoesNotFit) {
  const Tensor x = zeros({2, 3});
  EXPECT_ERROR(ShapeError, slice(x, {{}, {}, {}}), "[slice] 3 slices for [2, 3], which has 2 axes");
  EXPECT_ERROR(ValueError, slice(x, 1, 0, 3, -1), "[slice] the step on axis 1 is -1; it must be at least 1");
  EXPECT_ERROR(ShapeError, slice(x, 2, 0, 1), "[slice] there is no axis 2 in [2, 3]: it has axes -2 to 1");
  EXPECT_ERROR(IndexError, select(x, 1, 3),
               "[select] index 3 is outside axis 1 of x[2, 3], which has size 3");
  EXPECT_ERROR(ShapeError, set(x, {{0, 1}}, zeros({2})),
               "[set] cannot broadcast [2] with [1, 3]: axis -1 has sizes 2 and 3");
  EXPECT_ERROR(ShapeError, set(x, {{0, 1}}, zeros({2, 3})),
               "[set] v[2, 3] cannot stretch to the part of x[2, 3], which has the shape [1, 3]");
  EXPECT_ERROR(ShapeError, set(x, {{0, 1}}, zeros({4, 1, 3})),
               "[set] v[4, 1, 3] cannot stretch to the part of x[2, 3], which has the shape [1, 3]");
  EXPECT_ERROR(ValueError, split(x, 0), "[split] the size of a piece is 0; it must be at least 1");
  EXPECT_ERROR(ShapeError, split(x, {1, 3}, 1),
               "[split] the sizes add up to 4, axis 1 of x[2, 3] has size 3");
  EXPECT_ERROR(ShapeError, split(x, {-1, 3}), "[split] a piece cannot have size -1");
  EXPECT_ERROR(ValueError, concat({}), "[concat] needs at least one tensor");
  EXPECT_ERROR(ShapeError, concat({x, zeros({2})}),
               "[concat] tensor 0 is [2, 3], tensor 1 is [2]: the number of axes differs");
  EXPECT_ERROR(
      ShapeError, concat({x, zeros({2, 4})}),
      "[concat] tensor 0 is [2, 3], tensor 1 is [2, 4]: axis 1 has sizes 3 and 4 and only axis 0 may "
      "differ");
  EXPECT_ERROR(ShapeError, concat({scalar(1.0f)}), "[concat] there is no axis 0 in []: it is 0-d");
  EXPECT_ERROR(ShapeError, stack({x, zeros({3, 2})}),
               "[stack] tensor 0 is [2, 3], tensor 1 is [3, 2]: the shapes must be equal");
  EXPECT_ERROR(ShapeError, pad(x, {1}, {0, 0}),
               "[pad] before [1] and after [0, 0] must have one number for each axis of x[2, 3]");
  EXPECT_ERROR(ShapeError, pad(x, {0, -2}, {0, -2}),
               "[pad] axis 1 of x[2, 3] has 3 elements; before [0, -2] and after [0, -2] cut off more");
  EXPECT_ERROR(ShapeError, pad(x, {0, kEnd}, {0, 0}),
               "[pad] the padding 9223372036854775807, 0 of axis 1 is too large");
  EXPECT_ERROR(ShapeError, flip(x, {0, -2}), "[flip] axis -2 is named twice in [0, -2]");
  EXPECT_ERROR(ShapeError, unsqueeze(x, 3),
               "[unsqueeze] axis 3 cannot be added to x[2, 3]: the result has axes -3 to 2");
  EXPECT_ERROR(ShapeError, flatten(x, 1, 0), "[flatten] axis 1 of x[2, 3] comes after axis 0");
  EXPECT_ERROR(ShapeError, tril(zeros({3})), "[tril] needs at least two axes, got [3]");
  EXPECT_ERROR(ShapeError, diag(zeros({1, 2, 3})), "[diag] needs a vector or a matrix, got [1, 2, 3]");
  EXPECT_ERROR(ShapeError, diag(zeros({3}), kEnd), "[diag] the offset 9223372036854775807 is too large");
}

// The same numbers wherever in memory the images are, inner axis or outer.
TEST(Windows, AreCopiedInAnyOrderOfMemory) {
  const Tensor x = normal({5, 3, 4, 6}, RandomKey{.seed = 3});
  const Tensor last = permute(contiguous(permute(x, {1, 2, 3, 0})), {3, 0, 1, 2});
  const Tensor wide = pad(last, {0, 2, 1, 0}, {0, 1, 0, 3}, 0.5);
  EXPECT_EQ(wide.strides()[0], 1) << "images stay the inner axis";
  EXPECT_EQ(test::bytes_of(wide), test::bytes_of(pad(x, {0, 2, 1, 0}, {0, 1, 0, 3}, 0.5)));
  EXPECT_EQ(test::bytes_of(pad(last, {0, -1, 1, 0}, {-2, 0, -1, 0})),
            test::bytes_of(pad(x, {0, -1, 1, 0}, {-2, 0, -1, 0})));
  const Slices part = {{0, 5, 2}, {1, 3}, {0, 4, 3}, {2, 6}};
  EXPECT_EQ(test::bytes_of(slice(last, part)), test::bytes_of(slice(x, part)));
  for (const Index axis : {0, 1, 3}) {
    EXPECT_EQ(test::bytes_of(concat({last, x, last}, axis)), test::bytes_of(concat({x, x, x}, axis)));
    EXPECT_EQ(test::bytes_of(index_select(last, axis, tensor({2, 0, 2}))),
              test::bytes_of(index_select(x, axis, tensor({2, 0, 2}))));
  }
}

}  // namespace
}  // namespace splot
