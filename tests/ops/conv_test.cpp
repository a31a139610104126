// Convolutions against PyTorch, and their kernels against plain loops.
#include "splot/backend/cpu/conv.h"

#include <cmath>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/random.h"
#include "splot/ops/internal/conv.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using test::Tolerance;
using In = std::span<const Tensor>;

constexpr Tolerance kSums32 = {2e-6, 4e-6, "sums of products cancel"};
constexpr Tolerance kSums64 = {4e-15, 1e-14, "sums of products cancel"};

// The bias is left out where there is none.
Tensor bias_of(In in) { return in.size() == 3 ? in[2] : Tensor(); }

// As near as sums of products come.
test::OpCase sums_case(const char* op, const auto& run) {
  return {.run = run,
          .op = op,
          .float32 = kSums32,
          .float64 = kSums64,
          .gradient32 = {2e-6, 1e-5, "sums of products cancel"}};
}

test::OpCase conv_case(const ConvOptions& options) {
  return sums_case("conv2d", [options](In in) { return conv2d(in[0], in[1], bias_of(in), options); });
}
test::OpCase conv1d_case(const ConvOptions& options) {
  return sums_case("conv2d", [options](In in) { return conv1d(in[0], in[1], bias_of(in), options); });
}
test::OpCase transposed_case(const ConvTransposeOptions& options) {
  return sums_case("conv2d_input_grad",
                   [options](In in) { return conv_transpose2d(in[0], in[1], bias_of(in), options); });
}

CHECK_OP(conv2d, (conv_case({})));
CHECK_OP(conv2d_padding, (conv_case({.padding = {2}})));
CHECK_OP(conv2d_stride, (conv_case({.stride = {2, 3}})));
CHECK_OP(conv2d_all, (conv_case({.stride = {2}, .padding = {1, 3}, .dilation = {2, 3}, .groups = 2})));
CHECK_OP(conv2d_depthwise, (conv_case({.padding = {1}, .groups = 3})));
CHECK_OP(conv2d_same, (conv_case({.same = true})));
CHECK_OP(conv2d_one_sided, (conv_case({.padding = {2, 1, 0, 3}})));
CHECK_OP(conv1d, (conv1d_case({.stride = {2}, .padding = {1}, .dilation = {2}})));
CHECK_OP(conv1d_groups, (conv1d_case({.padding = {3}, .groups = 2})));
CHECK_OP(conv1d_stride, (conv1d_case({.stride = {4}})));
CHECK_OP(conv_transpose2d, (transposed_case({})));
CHECK_OP(conv_transpose2d_stride, (transposed_case({.stride = {3, 4}})));
CHECK_OP(conv_transpose2d_all,
         (transposed_case(
             {.stride = {2, 3}, .padding = {1}, .output_padding = {1, 0}, .dilation = {3, 2}, .groups = 2})));

test::OpCase fused_case(bool scaled, bool rectified) {
  return {.run =
              [=](In in) {
                return conv2d_fused(in[0], in[1], in[2], scaled ? in[3] : Tensor(), rectified,
                                    {.stride = {1, 2}, .padding = {1}});
              },
          .op = "conv2d_fused",
          .float32 = kSums32,
          .float64 = kSums64,
          .gradient32 = {2e-6, 1e-5, "sums of products cancel"}};
}

CHECK_OP(conv2d_fused, (fused_case(true, true)));
CHECK_OP(conv2d_fused_bias_relu, (fused_case(false, true)));
CHECK_OP(conv2d_fused_scale, (fused_case(true, false)));

// Neither the border's smaller sums nor a mask may turn a NaN into a number.
TEST(Conv, FusedReluKeepsNaN) {
  Tensor x = ones({1, 1, 3, 3});
  x = set(x, {{0, 1}, {0, 1}, {1, 2}, {1, 2}},
          full({1, 1, 1, 1}, std::numeric_limits<float>::quiet_NaN(), kFloat32));
  const Tensor y = conv2d_fused(x, ones({1, 1, 1, 1}), -2.0 * ones({1}), Tensor(), true);
  const std::vector<float> values = y.to_vector<float>();
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(std::isnan(values[i]), i == 4) << i;
}

TEST(Conv, FusedSaysWhatDoesNotFit) {
  EXPECT_ERROR(ShapeError, conv2d_fused(ones({1, 2, 3, 3}), ones({4, 2, 1, 1}), ones({4}), ones({3}), false),
               "[conv2d_fused] the scale[3] does not fit the 4 output channels of w[4, 2, 1, 1]");
  EXPECT_ERROR(ShapeError, conv2d_fused(ones({1, 2, 3, 3}), ones({4, 2, 1, 1}), ones({2}), Tensor(), false),
               "[conv2d_fused] the bias b[2] does not fit the 4 output channels of w[4, 2, 1, 1]");
}

const ConvGeometry kGeometry = {.stride = {2, 2}, .padding = {1, 1, 1, 1}, .dilation = {1, 1}, .groups = 2};
CHECK_OP(conv2d_input_grad, {.run =
                                 [](In in) {
                                   return conv2d_input_grad(in[0], in[1], kGeometry, {6, 5});
                                 },
                             .float32 = kSums32,
                             .float64 = kSums64,
                             .gradient32 = {2e-6, 1e-5, "sums of products cancel"}});
CHECK_OP(conv2d_weight_grad, {.run =
                                  [](In in) {
                                    return conv2d_weight_grad(in[0], in[1], kGeometry, {3, 2});
                                  },
                              .float32 = {2e-6, 1e-5, "sums of products cancel"},
                              .float64 = kSums64,
                              .gradient32 = {2e-6, 1e-5, "sums of products cancel"}});

// --- kernels

template <typename T>
std::vector<T> random_numbers(Index n, RandomStream& random) {
  std::vector<T> out(static_cast<std::size_t>(n));
  for (T& x : out) x = static_cast<T>(2.0 * random.uniform() - 1.0);
  return out;
}

// Each element is a sum of at most a few hundred products of numbers below 1.
template <typename T>
void expect_close(const std::vector<T>& got, const std::vector<T>& expected, const char* what) {
  const double tolerance = sizeof(T) == 4 ? 3e-5 : 1e-13;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], tolerance * (1.0 + std::abs(expected[i]))) << what << ", element " << i;
  }
}

template <typename T>
void check_kernels(const cpu::ConvShape& s, RandomStream& random) {
  const Index in = s.in_channels * s.y.in * s.x.in * s.images;
  const Index out = s.out_channels * s.y.out * s.x.out * s.images;
  const auto x = random_numbers<T>(in, random);
  const auto dy = random_numbers<T>(out, random);
  const auto w = random_numbers<T>(s.weights(), random);
  const auto b = random_numbers<T>(s.out_channels, random);
  std::vector<T> y(dy.size()), y_expected(dy.size()), dx(x.size()), dx_expected(x.size()), dw(w.size()),
      dw_expected(w.size());
  const auto scale = random_numbers<T>(s.out_channels, random);
  for (const cpu::ConvEpilogue<T>& epilogue :
       {cpu::ConvEpilogue<T>{.bias = b.data()}, cpu::ConvEpilogue<T>{.bias = b.data(), .relu = true},
        cpu::ConvEpilogue<T>{.bias = b.data(), .scale = scale.data(), .relu = true},
        cpu::ConvEpilogue<T>{.scale = scale.data()},
        cpu::ConvEpilogue<T>{.bias = b.data(), .scale = scale.data(), .relu = true, .pool = true}}) {
    if (epilogue.pool && (s.y.out < 2 || s.x.out < 2)) continue;  // it has no result
    cpu::conv_forward(s, x.data(), w.data(), epilogue, y.data());
    cpu::conv_forward_reference(s, x.data(), w.data(), epilogue, y_expected.data());
    expect_close(y, y_expected, "y");
  }
  cpu::conv_input_gradient(s, dy.data(), w.data(), dx.data());
  cpu::conv_input_gradient_reference(s, dy.data(), w.data(), dx_expected.data());
  expect_close(dx, dx_expected, "dx");
  cpu::conv_weight_gradient(s, x.data(), dy.data(), dw.data());
  cpu::conv_weight_gradient_reference(s, x.data(), dy.data(), dw_expected.data());
  expect_close(dw, dw_expected, "dw");
}

Index between(RandomStream& random, Index low, Index high) {
  return low + static_cast<Index>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

cpu::ConvAxis random_axis(RandomStream& random) {
  for (;;) {
    cpu::ConvAxis a{.in = between(random, 1, 9),
                    .out = 0,
                    .kernel = between(random, 1, 4),
                    .stride = between(random, 1, 3),
                    .dilation = between(random, 1, 3),
                    .pad = between(random, 0, 3)};
    const Index room = a.in + a.pad + between(random, 0, 3) - (a.kernel - 1) * a.dilation - 1;
    if (room < 0) continue;
    a.out = room / a.stride + 1;
    return a;
  }
}

TEST(Conv, KernelsAgreeWithPlainLoops) {
  const cpu::InstructionSet before = cpu::instruction_set();
  constexpr Index kImages[] = {1, 2, 3, 5, 8, 10, 15, 16, 17, 32, 33, 40};
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    RandomStream random({.seed = 1, .stream = stream_of("conv")});
    for (int i = 0; i < 300; ++i) {
      cpu::ConvShape s;
      s.images = kImages[between(random, 0, 11)];
      s.groups = between(random, 0, 3) == 0 ? between(random, 2, 3) : 1;
      s.in_channels = s.groups * between(random, 1, 5);
      s.out_channels = s.groups * between(random, 1, 13);
      s.y = random_axis(random);
      s.x = random_axis(random);
      SCOPED_TRACE(join("case ", i, " on ", cpu::name_of(set), ": ", s.images, " images"));
      if (i % 2 == 0) {
        check_kernels<float>(s, random);
      } else {
        check_kernels<double>(s, random);
      }
      if (testing::Test::HasFatalFailure()) break;
    }
  }
  cpu::set_instruction_set(before);
}

// One image through 3 x 3 goes by Winograd's way where channels and pixels are many enough.
TEST(Conv, OneImageAgreesWithPlainLoops) {
  const cpu::InstructionSet before = cpu::instruction_set();
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    RandomStream random({.seed = 2, .stream = stream_of("conv")});
    for (int i = 0; i < 30; ++i) {
      cpu::ConvShape s;
      s.groups = i % 5 == 0 ? 2 : 1;
      s.in_channels = s.groups * between(random, 4, 24);
      s.out_channels = s.groups * between(random, 4, 24);
      for (cpu::ConvAxis* a : {&s.y, &s.x}) {
        *a = {.in = between(random, 3, 27), .out = 0, .kernel = 3, .pad = between(random, 0, 2)};
        a->out = a->in + 2 * a->pad - 2;
      }
      SCOPED_TRACE(join("case ", i, " on ", cpu::name_of(set), ": ", s.y.in, " x ", s.x.in));
      check_kernels<float>(s, random);
      if (testing::Test::HasFatalFailure()) break;
    }
  }
  cpu::set_instruction_set(before);
}

// So do many, forward and their input gradient, whether they fill their vectors or not.
TEST(Conv, ManyImagesAgreeWithPlainLoops) {
  const cpu::InstructionSet before = cpu::instruction_set();
  constexpr Index kImages[] = {16, 17, 24, 31, 32, 33};
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    RandomStream random({.seed = 5, .stream = stream_of("conv")});
    for (int i = 0; i < 30; ++i) {
      cpu::ConvShape s;
      s.images = kImages[i % 6];
      s.groups = i % 5 == 0 ? 2 : 1;
      s.in_channels = s.groups * between(random, 6, 20);
      s.out_channels = s.groups * between(random, 6, 20);
      for (cpu::ConvAxis* a : {&s.y, &s.x}) {
        *a = {.in = between(random, 3, 9), .out = 0, .kernel = 3, .pad = between(random, 0, 3)};
        a->out = a->in + 2 * a->pad - 2;
      }
      SCOPED_TRACE(
          join("case ", i, " on ", cpu::name_of(set), ": ", s.images, " of ", s.y.in, " x ", s.x.in));
      check_kernels<float>(s, random);
      if (testing::Test::HasFatalFailure()) break;
    }
  }
  cpu::set_instruction_set(before);
}

// A number that is not finite spoils the outputs that read it and no other, though a tile shares its sums.
TEST(Conv, WhatIsNotFiniteSpoilsOnlyWhatReadsIt) {
  RandomStream random({.seed = 4, .stream = stream_of("conv")});
  for (const Index images : {1, 20}) {
    cpu::ConvShape s;
    s.images = images;
    s.in_channels = s.out_channels = 16;
    s.y = s.x = {.in = 32, .out = 32, .kernel = 3, .pad = 1};
    const auto w = random_numbers<float>(s.weights(), random);
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      for (const Index pixel : {0, 10 * 32 + 13, 11 * 32 + 14, 31 * 32 + 31}) {
        auto x = random_numbers<float>(16 * 32 * 32 * images, random);
        x[static_cast<std::size_t>((5 * 32 * 32 + pixel) * images + images / 2)] = bad;
        std::vector<float> y(x.size()), expected(x.size());
        cpu::conv_forward<float>(s, x.data(), w.data(), {}, y.data());
        cpu::conv_forward_reference<float>(s, x.data(), w.data(), {}, expected.data());
        for (std::size_t i = 0; i < y.size(); ++i) {
          ASSERT_EQ(std::isfinite(y[i]), std::isfinite(expected[i]))
              << bad << " at pixel " << pixel << " of " << images << " images, output " << i;
        }
      }
    }
  }
}

// One image by rows and by channels, many by tiles and images.
TEST(Conv, ByWinogradTheBitsAreTheSameOnAnyNumberOfThreads) {
  const int before = cpu::num_threads();
  RandomStream random({.seed = 3, .stream = stream_of("conv")});
  struct Case {
    Index images, channels, size;
  };
  for (const auto& [images, channels, size] : {Case{1, 32, 33}, {1, 64, 8}, {1, 9, 64}, {40, 16, 15}}) {
    cpu::ConvShape s;
    s.images = images;
    s.in_channels = channels;
    s.out_channels = channels + 1;
    s.y = s.x = {.in = size, .out = size, .kernel = 3, .pad = 1};
    const auto x = random_numbers<float>(channels * size * size * images, random);
    const auto w = random_numbers<float>(s.weights(), random);
    std::vector<float> first, y(static_cast<std::size_t>(s.out_channels * size * size * images));
    std::vector<float> first_dx, dx(x.size());
    for (const int threads : {1, 2, 3, 8}) {
      cpu::set_num_threads(threads);
      cpu::conv_forward<float>(s, x.data(), w.data(), {.relu = true}, y.data());
      cpu::conv_input_gradient<float>(s, y.data(), w.data(), dx.data());
      if (threads == 1) {
        first = y;
        first_dx = dx;
      }
      EXPECT_EQ(y, first) << threads << " threads, " << channels << " channels";
      EXPECT_EQ(dx, first_dx) << threads << " threads, " << channels << " channels";
    }
  }
  cpu::set_num_threads(before);
}

// Large enough that the work is shared.
TEST(Conv, AnyNumberOfThreadsGivesTheSameBits) {
  const int before = cpu::num_threads();
  std::vector<float> first;
  for (const int threads : {1, 2, 3, 8}) {
    cpu::set_num_threads(threads);
    for (const Index images : {5, 32}) {
      const Tensor x = uniform({images, 6, 20, 21}, RandomKey{.seed = 1}).variable();
      const Tensor w = uniform({14, 6, 3, 3}, RandomKey{.seed = 2}).variable();
      const Tensor y = conv2d(x, w, {.stride = {1, 2}, .padding = {1}});
      const TensorList gradients = grad(sum(y * y), {x, w});
      std::vector<float> bits;
      for (const Tensor& t : {y, gradients[0], gradients[1]}) {
        const std::vector<float> values = t.to_vector<float>();
        bits.insert(bits.end(), values.begin(), values.end());
      }
      if (threads == 1) {
        first.insert(first.end(), bits.begin(), bits.end());
      } else {
        const auto at =
            first.begin() + (images == 5 ? 0 : static_cast<std::ptrdiff_t>(first.size() - bits.size()));
        EXPECT_TRUE(std::equal(bits.begin(), bits.end(), at))
            << threads << " threads, " << images << " images";
      }
    }
  }
  cpu::set_num_threads(before);
}

TEST(Conv, ElementwiseOpsKeepTheOrderInMemory) {
  const Tensor y =
      conv2d(uniform({20, 3, 6, 5}, RandomKey{.seed = 1}), uniform({4, 3, 3, 3}, RandomKey{.seed = 2}));
  const Strides images_last = {1, 4 * 3 * 20, 3 * 20, 20};
  EXPECT_EQ(y.strides(), images_last);
  EXPECT_EQ(relu(y).strides(), images_last);
  EXPECT_EQ((y * 2.0 + relu(y)).strides(), images_last);
  EXPECT_EQ((y + reshape(arange(4), {4, 1, 1})).strides(), images_last);
  EXPECT_EQ((contiguous(y) + y).strides(), y.shape().row_major()) << "the first operand decides";
  // The values are those of the same sums in the usual order.
  const Tensor plain = contiguous(y);
  EXPECT_TRUE(plain.is_contiguous());
  const Tensor channel = cast(reshape(arange(4), {4, 1, 1}), kFloat32);
  EXPECT_EQ((relu(y) * channel + y).to_vector<float>(), (relu(plain) * channel + plain).to_vector<float>());
  EXPECT_EQ((channel - y).to_vector<float>(), (channel - plain).to_vector<float>());
}

// --- errors

TEST(Conv, NamesWhatDoesNotFit) {
  const Tensor x = zeros({2, 3, 8, 8});
  const Tensor w = zeros({4, 3, 3, 3});
  EXPECT_ERROR(ShapeError, conv2d(zeros({2, 5, 8, 8}), w),
               "[conv2d] x[2, 5, 8, 8] has 5 channels, w[4, 3, 3, 3] takes 3");
  EXPECT_ERROR(ShapeError, conv2d(x, zeros({4, 1, 3, 3}), {.groups = 3}),
               "[conv2d] the 4 output channels of w[4, 1, 3, 3] do not make 3 groups");
  EXPECT_ERROR(ShapeError, conv2d(x, zeros({4, 3, 9, 3})),
               "[conv2d] a window of 9 rows does not fit into the 8 of x[2, 3, 8, 8] with its padding");
  EXPECT_ERROR(ShapeError, conv2d(x, w, {.padding = {0}, .dilation = {1, 4}}),
               "[conv2d] a window of 9 columns does not fit into the 8 of x[2, 3, 8, 8] with its padding");
  EXPECT_ERROR(ShapeError, conv2d(x, w, zeros({3})),
               "[conv2d] the bias b[3] does not fit the 4 output channels of w[4, 3, 3, 3]");
  EXPECT_ERROR(ShapeError, conv2d(zeros({8, 8}), w),
               "[conv2d] x must be [N, C, H, W] or [C, H, W], got [8, 8]");
  EXPECT_ERROR(ShapeError, conv2d(x, zeros({4, 3, 3})),
               "[conv2d] the weights must be [out, in / groups, rows, columns], got [4, 3, 3]");
  EXPECT_ERROR(ShapeError, conv2d(x, zeros({4, 3, 0, 3})), "[conv2d] the window of w[4, 3, 0, 3] is empty");
  EXPECT_ERROR(ValueError, conv2d(x, w, {.stride = {0}}), "[conv2d] the stride must be positive, got [0, 0]");
  EXPECT_ERROR(ValueError, conv2d(x, w, {.stride = {1, 2, 3}}),
               "[conv2d] stride [1, 2, 3] should be one number or two, {along H, along W}");
  EXPECT_ERROR(ValueError, conv2d(x, w, {.padding = {-1}}),
               "[conv2d] the padding must be 0 or more, got [-1, -1, -1, -1]");
  EXPECT_ERROR(ValueError, conv2d(x, w, {.dilation = {0}}),
               "[conv2d] the dilation must be positive, got [0, 0]");
  EXPECT_ERROR(ValueError, conv2d(x, w, {.groups = 0}), "[conv2d] there must be at least one group, got 0");
  EXPECT_ERROR(ValueError, conv2d(x, w, {.stride = {2}, .same = true}),
               "[conv2d] padding \"same\" needs stride 1, got [2, 2]");
  EXPECT_ERROR(DTypeError, conv2d(x, zeros({4, 3, 3, 3}, kFloat64)),
               "[conv2d] needs all float32 or all float64, got float32 and float64");
  EXPECT_ERROR(DTypeError, conv2d(zeros({2, 3, 8, 8}, kInt64), zeros({4, 3, 3, 3}, kInt64)),
               "[conv2d] needs all float32 or all float64, got int64 and int64");
  EXPECT_ERROR(ValueError, conv_transpose2d(x, zeros({3, 4, 3, 3}), {.output_padding = {1}}),
               "[conv_transpose2d] output_padding [1, 1] must be 0 or more and smaller than the stride or "
               "the dilation");
}

CHECK_OP(to_images_last, {.run = [](In in) { return to_images_last(in[0]); },
                          .inputs = {{uniform({3, 2, 2, 3}, RandomKey{.seed = 1}, {.dtype = kFloat64})},
                                     {uniform({1, 2, 1, 3}, RandomKey{.seed = 2}, {.dtype = kFloat64})}},
                          .exact = true});

TEST(ImagesLast, IsAnOrderAndNoOtherNumbers) {
  const Tensor x = normal({20, 3, 5, 4}, RandomKey{.seed = 1});
  const Tensor y = to_images_last(x);
  EXPECT_EQ(y.strides(), (Strides{1, 400, 80, 20}));
  EXPECT_EQ(y.to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(to_images_last(y).to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(to_images_last(zeros({0, 3, 5, 4})).shape(), Shape({0, 3, 5, 4}));
  EXPECT_ERROR(ShapeError, to_images_last(zeros({3, 5, 4})),
               "[to_images_last] needs images [N, C, H, W], got [3, 5, 4]");
  EXPECT_ERROR(DTypeError, to_images_last(zeros({2, 3, 5, 4}, kInt64)),
               "[to_images_last] needs float32 or float64, got int64");
}

}  // namespace
}  // namespace splot
