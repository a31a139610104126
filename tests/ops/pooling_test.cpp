#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

constexpr MaxPoolOptions kOverlapping = {.stride = {2}, .padding = {1}, .ceil_mode = true};

CHECK_OP(max_pool2d, {.run = [](In in) { return max_pool2d(in[0], {2}); }, .exact = true});
CHECK_OP(max_pool2d_overlapping, {.run = [](In in) { return max_pool2d(in[0], {3}, kOverlapping); },
                                  .op = "max_pool2d",
                                  .exact = true});
CHECK_OP(max_pool2d_large, {.run =
                                [](In in) {
                                  return max_pool2d(in[0], {4, 3}, {.stride = {1, 2}, .padding = {2, 1}});
                                },
                            .op = "max_pool2d",
                            .exact = true});
CHECK_OP(max_pool2d_sparse,
         {.run = [](In in) { return max_pool2d(in[0], {2}, {.stride = {3}, .ceil_mode = true}); },
          .op = "max_pool2d",
          .exact = true});
CHECK_OP(max_pool2d_dilated,
         {.run =
              [](In in) {
                return max_pool2d(in[0], {2, 3}, {.stride = {1}, .padding = {1}, .dilation = {2}});
              },
          .op = "max_pool2d",
          .exact = true});
CHECK_OP(max_pool2d_many,
         {.run = [](In in) { return max_pool2d(in[0], {17}, {.stride = {1}, .padding = {1}}); },
          .op = "max_pool2d",
          .exact = true});
CHECK_OP(max_pool2d_empty_window,
         {.run =
              [](In in) { return max_pool2d(in[0], {2}, {.stride = {1}, .padding = {1}, .dilation = {2}}); },
          .op = "max_pool2d",
          .orders = 0,
          .exact = true});
CHECK_OP(max_pool1d, {.run = [](In in) { return max_pool1d(in[0], 3, {.stride = {2}, .padding = {1}}); },
                      .op = "max_pool2d",
                      .exact = true});

// What comes of the first image when it is pooled alone is what comes of it among others, to the bit: single
// images have ways of their own.
void expect_alone_as_among_others(const OpDef& op, const Tensor& images, const Attrs& attrs) {
  const cpu::InstructionSet before = cpu::instruction_set();
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    const TensorList alone = apply_all(op, TensorList{slice(images, 0, 0, 1)}, attrs);
    const TensorList among = apply_all(op, TensorList{images}, attrs);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      const Tensor got = contiguous(alone[i]), expected = contiguous(slice(among[i], 0, 0, 1));
      const std::size_t bytes = static_cast<std::size_t>(got.numel()) * got.dtype().size();
      EXPECT_EQ(std::memcmp(got.raw(), expected.raw(), bytes), 0)
          << cpu::name_of(set) << ": " << op.name << " of " << images.to_string() << ", output " << i;
    }
  }
  cpu::set_instruction_set(before);
}

// With equal elements, NaN and zeros of both signs.
Tensor pictures_with_ties(const Shape& shape, DType dtype) {
  const Tensor x = normal(shape, RandomKey{.seed = 3}, {.dtype = dtype});
  const Tensor steps = where(x < 0.0, -floor(-2.0 * x), floor(2.0 * x));
  return where(x > 1.8, full({}, std::numeric_limits<double>::quiet_NaN(), dtype), steps);
}

TEST(Pooling, OneImageAloneGivesTheBitsItGivesAmongOthers) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const Index width : {2, 3, 12, 13, 28, 33, 66}) {
      const Tensor x = pictures_with_ties({2, 3, 7, width}, dtype);
      const Attrs pairs(max_pool2d_op.attrs, {Ints{2, 2}, Ints{2, 2}, Ints{0, 0}, Ints{1, 1}, false});
      expect_alone_as_among_others(max_pool2d_op, x, pairs);
      const Attrs pixels(avg_pool2d_op.attrs, {Ints{1, 1}, Ints{2, 3}, Ints{0, 0}, true, true, Index{0}});
      expect_alone_as_among_others(avg_pool2d_op, x, pixels);
    }
  }
}

constexpr test::Tolerance kMean32 = {2e-6, 1e-6, "sums in another order"};
constexpr test::Tolerance kMean64 = {4e-15, 2e-15, "sums in another order"};

#define CHECK_MEANS(name, record, ...) \
  CHECK_OP(                            \
      name,                            \
      {.run = [](In in) { return __VA_ARGS__; }, .op = #record, .float32 = kMean32, .float64 = kMean64})

CHECK_MEANS(avg_pool2d, avg_pool2d, avg_pool2d(in[0], {2}));
CHECK_MEANS(avg_pool2d_padded, avg_pool2d,
            avg_pool2d(in[0], {3}, {.stride = {2}, .padding = {1}, .ceil_mode = true}));
CHECK_MEANS(avg_pool2d_inside, avg_pool2d,
            avg_pool2d(in[0], {3},
                       {.stride = {2}, .padding = {1}, .ceil_mode = true, .count_include_pad = false}));
CHECK_MEANS(avg_pool2d_divided, avg_pool2d,
            avg_pool2d(in[0], {4, 3}, {.stride = {1, 2}, .padding = {2, 1}, .divisor = 5}));
CHECK_MEANS(avg_pool2d_sparse, avg_pool2d, avg_pool2d(in[0], {2}, {.stride = {3}, .ceil_mode = true}));
CHECK_MEANS(avg_pool1d, avg_pool2d, avg_pool1d(in[0], 3, {.stride = {2}, .padding = {1}}));
CHECK_MEANS(adaptive_avg_pool2d, adaptive_avg_pool2d, adaptive_avg_pool2d(in[0], {3, 2}));
CHECK_MEANS(adaptive_avg_pool2d_one, adaptive_avg_pool2d,
            reshape(global_avg_pool2d(in[0]), {in[0].shape()[0], in[0].shape()[1], 1, 1}));
CHECK_MEANS(adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool1d(in[0], 3));
CHECK_OP(adaptive_max_pool2d, {.run =
                                   [](In in) {
                                     return adaptive_max_pool2d(in[0], {3, 2});
                                   },
                               .op = "max_pool2d",
                               .exact = true});
CHECK_OP(adaptive_max_pool1d,
         {.run = [](In in) { return adaptive_max_pool1d(in[0], 3); }, .op = "max_pool2d", .exact = true});

Tensor numbers(const Shape& shape, std::uint64_t seed, DType dtype = kFloat64) {
  return uniform(shape, RandomKey{.seed = seed}, {.low = -1.0, .high = 1.0, .dtype = dtype});
}

// Three images of two channels, 5 x 4, in windows of 2 x 3 that overlap.
const Attrs kWindows(max_pool2d_op.attrs, {Ints{2, 3}, Ints{2, 1}, Ints{1, 1}, Ints{1, 1}, false});
const Attrs kPicked(max_pool2d_pick_op.attrs, {Ints{2, 3}, Ints{2, 1}, Ints{1, 1}, Ints{1, 1}});
const Attrs kSpread(max_pool2d_grad_op.attrs, {Ints{5, 4}, Ints{2, 3}, Ints{2, 1}, Ints{1, 1}, Ints{1, 1}});

TensorList winners(std::uint64_t seed) {
  const Tensor x = numbers({3, 2, 5, 4}, seed);
  return {x, apply_all(max_pool2d_op, {&x, 1}, kWindows)[1]};
}

CHECK_OP(max_pool2d_pick, {.run = [](In in) { return apply(max_pool2d_pick_op, in, kPicked); },
                           .inputs = {{numbers({3, 2, 5, 4}, 1), winners(2)[1]}}});
CHECK_OP(max_pool2d_grad, {.run = [](In in) { return apply(max_pool2d_grad_op, in, kSpread); },
                           .inputs = {{numbers({3, 2, 3, 4}, 3), winners(4)[1]}}});

CHECK_OP(avg_pool2d_grad,
         {.run =
              [](In in) {
                const OpDef& op = avg_pool2d_grad_op;
                return apply(op, in,
                             {op.attrs, {Ints{5, 4}, Ints{2, 3}, Ints{2, 1}, Ints{1, 1}, false, Index{0}}});
              },
          .inputs = {{numbers({3, 2, 3, 4}, 11)}}});
CHECK_OP(adaptive_avg_pool2d_grad, {.run =
                                        [](In in) {
                                          const OpDef& op = adaptive_avg_pool2d_grad_op;
                                          return apply(op, in, {op.attrs, {Ints{5, 7}}});
                                        },
                                    .inputs = {{numbers({3, 2, 3, 4}, 12)}}});

TEST(Pooling, TheWinnersAreTheMaxima) {
  const TensorList in = winners(5);
  const Tensor largest = apply_all(max_pool2d_op, {&in[0], 1}, kWindows)[0];
  EXPECT_EQ(test::difference_between(apply(max_pool2d_pick_op, in, kPicked), largest, {}), "");
}

// <pick(x), dy> = <x, grad(dy)> says that the two maps are each other's transpose.
TEST(Pooling, PickAndGradAreTransposed) {
  const Tensor which = winners(6)[1], x = numbers({3, 2, 5, 4}, 7), dy = numbers(which.shape(), 8);
  const double there = sum(apply(max_pool2d_pick_op, {x, which}, kPicked) * dy).item<double>();
  const double back = sum(x * apply(max_pool2d_grad_op, {dy, which}, kSpread)).item<double>();
  EXPECT_NEAR(there, back, 1e-13);
  EXPECT_NE(there, 0.0);
}

TEST(Pooling, TheOrderOfMemoryChangesNothing) {
  for (const Index images : {1, 3, 10, 37}) {
    const Tensor x = numbers({images, 2, 7, 6}, 10, kFloat32);
    const Tensor images_last = permute(contiguous(permute(x, {1, 2, 3, 0})), {3, 0, 1, 2});
    const Tensor y = max_pool2d(x, {3}, kOverlapping);
    EXPECT_EQ(test::difference_between(max_pool2d(images_last, {3}, kOverlapping), y, {}), "");
    for (Index i = 0; i < images; ++i) {
      EXPECT_EQ(test::difference_between(max_pool2d(select(x, 0, i), {3}, kOverlapping), select(y, 0, i), {}),
                "");
    }
  }
}

TEST(Pooling, TheNumberOfThreadsChangesNothing) {
  const Tensor x = numbers({32, 18, 25, 24}, 13, kFloat32);
  const int before = cpu::num_threads();
  const auto all = [&](int threads) {
    cpu::set_num_threads(threads);
    const Tensor v = x.variable();
    TensorList out;
    for (const Tensor& y : {max_pool2d(v, {2}), max_pool2d(v, {3}, kOverlapping), avg_pool2d(v, {3}),
                            adaptive_avg_pool2d(v, {7, 5})}) {
      out.push_back(y.detach());
      out.push_back(grad(sum(y * y), {v})[0]);
    }
    cpu::set_num_threads(before);
    return out;
  };
  const TensorList one = all(1), three = all(3);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(test::difference_between(three[i], one[i], {}), "") << i;
  }
}

// Windows side by side take a way of their own; one more element of padding takes the general one.
TEST(Pooling, TheGradientOfTilesIsThatOfWindows) {
  for (const bool ceil : {false, true}) {
    const Tensor x = numbers({10, 2, 7, 8}, 14);
    const Tensor tiles = x.variable();
    const Tensor y = max_pool2d(tiles, {3}, {.ceil_mode = ceil});
    const Tensor dy = numbers(y.shape(), 15);
    // The same windows behind a frame that never wins, after a row and a column of windows of the frame
    // alone.
    const Tensor framed = x.variable();
    const Tensor frame = pad(framed, {0, 0, 2, 2}, {0, 0, 0, 0}, -100.0);
    const Tensor all = max_pool2d(frame, {3}, {.padding = {1}, .ceil_mode = ceil});
    const Tensor z = slice(all, {{}, {}, {1, 1 + y.shape()[2]}, {1, 1 + y.shape()[3]}});
    ASSERT_EQ(test::difference_between(z, y, {}), "");
    const Tensor expected = grad(sum(z * dy), {framed})[0];
    EXPECT_EQ(test::difference_between(grad(sum(y * dy), {tiles})[0], expected, {}), "") << ceil;
  }
}

TEST(Pooling, WinnersAreBytesWhileTheyFit) {
  const Tensor x = numbers({1, 1, 40, 40}, 9);
  const auto winners_of = [&](Index kernel) {
    const Attrs attrs(max_pool2d_op.attrs, {Ints{kernel, kernel}, Ints{1, 1}, Ints{0, 0}, Ints{1, 1}, false});
    return apply_all(max_pool2d_op, {&x, 1}, attrs)[1].dtype();
  };
  EXPECT_EQ(winners_of(16), kUInt8);
  EXPECT_EQ(winners_of(17), kInt32);
}

TEST(Pooling, SaysWhatDoesNotFit) {
  const Tensor x = zeros({2, 3, 4, 4});
  EXPECT_ERROR(ShapeError, max_pool2d(x, {5}),
               "[max_pool2d] a window of 5 does not fit into 4 elements padded to 4");
  EXPECT_ERROR(ShapeError, max_pool2d(zeros({4}), {2}),
               "[max_pool2d] needs images [N, C, H, W] or [C, H, W], got x[4]");
  EXPECT_ERROR(ValueError, max_pool2d(x, {2}, {.padding = {2}}),
               "[max_pool2d] the padding can be 0 to half of the kernel, got 2 for a kernel of 2");
  EXPECT_ERROR(ValueError, max_pool2d(x, {2}, {.stride = {0}}),
               "[max_pool2d] kernel, stride and dilation must be at least 1, got 2, 0 and 1");
  EXPECT_ERROR(ValueError, max_pool2d(x, {2, 2, 2}),
               "[max_pool2d] the kernel is one number for both axes or two, got [2, 2, 2]");
  EXPECT_ERROR(ShapeError, max_pool2d(zeros({2, 3, 0, 4}), {1}),
               "[max_pool2d] a window of 1 does not fit into 0 elements padded to 0");
  EXPECT_ERROR(ShapeError,
               apply(max_pool2d_grad_op, {zeros({3, 2, 9, 4}), zeros({3, 2, 9, 4}, kUInt8)}, kSpread),
               "[max_pool2d_grad] images of 5 x 4 have 3 x 4 windows, what was pooled is [3, 2, 9, 4]");
}

TEST(Pooling, GlobalPoolingLeavesOneNumberForEachChannel) {
  const Tensor x = reshape(arange(0, 12, 1, kFloat32), {1, 2, 2, 3});
  EXPECT_EQ(global_avg_pool2d(x).to_vector<float>(), (std::vector<float>{2.5f, 8.5f}));
  EXPECT_EQ(global_max_pool2d(x).to_vector<float>(), (std::vector<float>{5, 11}));
  EXPECT_EQ(global_max_pool2d(x).shape(), Shape({1, 2}));
}

TEST(Pooling, MeansSayWhatDoesNotFit) {
  EXPECT_ERROR(ValueError, avg_pool2d(zeros({1, 1, 4, 4}), {2}, {.divisor = -1}),
               "[avg_pool2d] the divisor must be positive, or 0 for none, got -1");
  EXPECT_ERROR(ValueError, adaptive_avg_pool2d(zeros({1, 1, 4, 4}), {0}),
               "[adaptive_avg_pool2d] needs two positive sizes, got [0, 0]");
  EXPECT_ERROR(ShapeError, adaptive_max_pool2d(zeros({1, 1, 0, 4}), {1}),
               "[adaptive_max_pool2d] cannot pool images of 0 x 4");
}

}  // namespace
}  // namespace splot
