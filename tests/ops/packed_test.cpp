// Products with weights that were brought into order beforehand.
#include "splot/ops/packed.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/random.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

Tensor drawn(const Shape& shape, std::uint64_t seed, DType dtype = kFloat32) {
  return normal(shape, RandomKey{.seed = seed}, {.dtype = dtype});
}

template <typename Body>
void on_every_instruction_set(const Body& body) {
  const cpu::InstructionSet before = cpu::instruction_set();
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    body(cpu::name_of(set));
  }
  cpu::set_instruction_set(before);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = contiguous(a), y = contiguous(b);
  return x.shape() == y.shape() && x.dtype() == y.dtype() &&
         std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.numel()) * x.dtype().size()) == 0;
}

CHECK_OP(linear_packed,
         {.run = [](In in) { return linear_packed(in[0], pack_linear(in[1]), in[2], true); },
          .inputs = {{drawn({2, 21}, 1), drawn({11, 21}, 2), drawn({11}, 3)},
                     {drawn({3, 5}, 4, kFloat64), drawn({8, 5}, 5, kFloat64), drawn({8}, 6, kFloat64)}},
          .orders = 0,
          .float32 = {1e-6, 4e-6, "sums of products cancel"},
          .float64 = {1e-15, 1e-14, "sums of products cancel"}});

CHECK_OP(conv2d_winograd,
         {.run =
              [](In in) {
                return conv2d_winograd(in[0], winograd_weights(in[1]), in[2], in[3], {1, 1, 1, 1}, true);
              },
          .inputs = {{drawn({1, 3, 7, 9}, 1), drawn({5, 3, 3, 3}, 2), drawn({5}, 3), drawn({1, 5, 7, 9}, 4)},
                     {drawn({19, 2, 4, 5}, 5), drawn({3, 2, 3, 3}, 6), drawn({3}, 7),
                      drawn({19, 3, 4, 5}, 8)}},
          .orders = 0,
          .float32 = {1e-6, 1e-5, "Winograd's way sums differences of sums"}});

CHECK_OP(
    conv2d_winograd_pool,
    {.run =
         [](In in) {
           return conv2d_winograd(in[0], winograd_weights(in[1]), in[2], Tensor(), {1, 1, 1, 1}, true, true);
         },
     .op = "conv2d_winograd",
     .inputs = {{drawn({1, 3, 7, 9}, 1), drawn({5, 3, 3, 3}, 2), drawn({5}, 3)},
                {drawn({19, 2, 4, 5}, 5), drawn({3, 2, 3, 3}, 6), drawn({3}, 7)}},
     .orders = 0,
     .float32 = {1e-6, 1e-5, "Winograd's way sums differences of sums"}});

CHECK_OP(conv2d_pooled, {.run =
                             [](In in) {
                               return conv2d_pooled(
                                   in[0], in[1], in[2], true,
                                   {.stride = {1, 2}, .padding = {1, 0, 2, 1}, .dilation = {2, 1}});
                             },
                         .inputs = {{drawn({1, 3, 9, 8}, 1), drawn({7, 3, 3, 2}, 2), drawn({7}, 3)},
                                    {drawn({3, 2, 7, 9}, 4, kFloat64), drawn({4, 2, 3, 3}, 5, kFloat64),
                                     drawn({4}, 6, kFloat64)}},
                         .orders = 0,
                         .float32 = {1e-6, 5e-6, "sums of products cancel"},
                         .float64 = {1e-15, 1e-14, "sums of products cancel"}});

CHECK_OP(conv2d_max_pool, {.run =
                               [](In in) {
                                 const PooledWinners p =
                                     conv2d_max_pool(in[0], in[1], in[2], true, {.padding = {1}});
                                 return TensorList{p.y, p.which};
                               },
                           .inputs = {{drawn({1, 3, 9, 8}, 1), drawn({7, 3, 3, 2}, 2), drawn({7}, 3)},
                                      {drawn({35, 16, 7, 9}, 4), drawn({16, 16, 3, 3}, 5), drawn({16}, 6)},
                                      {drawn({3, 2, 7, 9}, 7, kFloat64), drawn({4, 2, 3, 3}, 8, kFloat64),
                                       drawn({4}, 9, kFloat64)}},
                           .orders = 0,
                           .float32 = {1e-6, 1e-5, "Winograd's way sums differences of sums"},
                           .float64 = {1e-15, 1e-14, "sums of products cancel"}});

CHECK_OP(conv2d_patches,
         {.run =
              [](In in) {
                return conv2d_patches(in[0], patch_weights(in[1]), in[2], {2, 1}, {1, 0, 2, 1}, {1, 2}, true);
              },
          .inputs = {{drawn({1, 3, 9, 8}, 1), drawn({7, 3, 3, 2}, 2), drawn({7}, 3)},
                     {drawn({3, 2, 6, 7}, 4), drawn({4, 2, 3, 3}, 5), drawn({4}, 6)}},
          .orders = 0,
          .float32 = {1e-6, 5e-6, "sums of products cancel"}});

// In float64, by another kernel.
TEST(LinearPacked, IsALinearLayerForAnySizes) {
  on_every_instruction_set([](std::string_view set) {
    RandomStream random({.seed = 1});
    for (int i = 0; i < 60; ++i) {
      const auto size = [&](double most) { return static_cast<Index>(random.uniform(1.0, most)); };
      const Index rows = size(8.0), in = size(70.0), out = size(30.0);
      const std::uint64_t seed = static_cast<std::uint64_t>(10 * i);
      for (const DType dtype : {kFloat32, kFloat64}) {
        const Tensor x = drawn({rows, in}, seed, dtype), w = drawn({out, in}, seed + 1, dtype),
                     b = drawn({out}, seed + 2, dtype);
        const std::vector<double> got = linear_packed(x, pack_linear(w), b).to_vector<double>();
        const std::vector<double> expected =
            linear(cast(x, kFloat64), cast(w, kFloat64), cast(b, kFloat64)).to_vector<double>();
        const double allowed = (dtype == kFloat32 ? 2e-6 : 1e-14) * static_cast<double>(in);
        for (std::size_t k = 0; k < got.size(); ++k) {
          ASSERT_NEAR(got[k], expected[k], allowed)
              << set << ": " << rows << " rows, in " << in << ", out " << out << ", element " << k;
        }
      }
    }
  });
}

// As long as x is, so that threads share it and its weights are fetched ahead.
TEST(LinearPacked, HasTheSameBitsForAnyNumberOfRowsAndThreads) {
  const Tensor x = drawn({4, 3001}, 1), packed = pack_linear(drawn({203, 3001}, 2)), b = drawn({203}, 3);
  const int before = cpu::num_threads();
  const Tensor all = linear_packed(x, packed, b, true);
  for (const int threads : {1, 2, 5}) {
    cpu::set_num_threads(threads);
    EXPECT_TRUE(same_bits(linear_packed(x, packed, b, true), all)) << threads << " threads";
    for (Index row = 0; row < 4; ++row) {
      EXPECT_TRUE(
          same_bits(linear_packed(slice(x, 0, row, row + 1), packed, b, true), slice(all, 0, row, row + 1)))
          << "row " << row << ", " << threads << " threads";
    }
  }
  cpu::set_num_threads(before);
}

// The zeros that fill up the weights are multiplied by nothing of x.
TEST(LinearPacked, InfinitiesAndNaNComeThroughWhereTheyBelong) {
  on_every_instruction_set([](std::string_view set) {
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor x = concat({full({1, 17}, 1.0, kFloat32), full({1, 1}, infinity, kFloat32)}, 1);
    Tensor w = ones({3, 18});
    w = splot::set(w, {{1, 2}, {17, 18}}, zeros({1, 1}));
    const std::vector<float> y = linear_packed(x, pack_linear(w), zeros({3}), true).to_vector<float>();
    EXPECT_EQ(y[0], infinity) << set;
    EXPECT_TRUE(std::isnan(y[1])) << set;
    EXPECT_EQ(y[2], infinity) << set;
  });
}

TEST(LinearPacked, SaysWhatDoesNotFit) {
  const Tensor packed = pack_linear(zeros({10, 20}));
  EXPECT_EQ(packed.shape(), Shape({2, 2, 8, 16}));
  EXPECT_ERROR(
      ShapeError, linear_packed(zeros({1, 33}), packed, zeros({10})),
      "[linear_packed] x[1, 33] and b[10] take weights that are packed as [2, 3, 8, 16], got [2, 2, 8, 16]");
  EXPECT_ERROR(ShapeError, linear_packed(zeros({1, 20}), packed, zeros({1, 10})),
               "[linear_packed] the bias must be [out], got [1, 10]");
  EXPECT_ERROR(DTypeError, linear_packed(zeros({1, 20}, kFloat64), packed, zeros({10})),
               "[linear_packed] needs all float32 or all float64, got x float64, packed float32, b float32");
  EXPECT_ERROR(ShapeError, pack_linear(zeros({20})), "[pack_linear] the weights must be [out, in], got [20]");
  EXPECT_ERROR(DTypeError, pack_linear(zeros({2, 2}, kInt64)),
               "[pack_linear] needs float32 or float64, got int64");
}

TEST(ConvWinograd, HasTheBitsOfTheConvolutionWhereThatGoesTheSameWay) {
  const Ints padding = {1, 1, 1, 1};
  const int before = cpu::num_threads();
  for (const Index images : {1, 64}) {
    const Tensor x = drawn({images, 32, 17, 16}, 1), w = drawn({40, 32, 3, 3}, 2), b = drawn({40}, 3),
                 shortcut = drawn({images, 40, 17, 16}, 4);
    ASSERT_TRUE(conv2d_by_winograd(x.shape(), w.shape(), padding));
    const Tensor plain = conv2d_fused(x, w, b, Tensor(), false, {.padding = {1}});
    for (const int threads : {1, 3}) {
      cpu::set_num_threads(threads);
      const Tensor u = winograd_weights(w);
      EXPECT_TRUE(same_bits(conv2d_winograd(x, u, b, Tensor(), padding), plain)) << images;
      EXPECT_TRUE(same_bits(conv2d_winograd(x, u, b, Tensor(), padding, true), relu(plain))) << images;
      EXPECT_TRUE(same_bits(conv2d_winograd(x, u, b, shortcut, padding), plain + shortcut)) << images;
      EXPECT_TRUE(same_bits(conv2d_winograd(x, u, b, shortcut, padding, true), relu(plain + shortcut)))
          << images;
    }
  }
  cpu::set_num_threads(before);
}

// Every way a convolution goes - as one row, row by row, by columns, Winograd's ways - and sizes that leave
// rows, columns and parts of vectors over, with NaN and infinities among the numbers.
TEST(ConvPooled, HasTheBitsOfTheConvolutionAndThePooling) {
  on_every_instruction_set([](std::string_view set) {
    RandomStream random({.seed = 7});
    for (int i = 0; i < 80; ++i) {
      const auto size = [&](double least, double most) {
        return static_cast<Index>(random.uniform(least, most));
      };
      const Index images = i % 3 == 0 ? size(2.0, 35.0) : 1, groups = i % 5 == 0 ? 2 : 1,
                  kernel = size(1.0, 6.0);
      const std::uint64_t seed = static_cast<std::uint64_t>(10 * i);
      const DType dtype = i % 7 == 0 ? kFloat64 : kFloat32;
      Tensor x = drawn({images, 2 * size(1.0, 9.0), size(7.0, 40.0), size(7.0, 40.0)}, seed, dtype);
      const double odd[] = {std::nan(""), std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity()};
      if (i % 4 == 1) {
        const Index row = size(0.0, 7.0);
        x = splot::set(x, {{0, 1}, {1, 2}, {row, row + 1}, {3, 4}}, full({1, 1, 1, 1}, odd[i % 3], dtype));
      }
      const Tensor w = drawn({2 * size(1.0, 12.0), x.shape()[1] / groups, kernel, kernel}, seed + 1, dtype);
      const Tensor b = drawn({w.shape()[0]}, seed + 2, dtype);
      const ConvOptions options{.stride = {size(1.0, 3.0)}, .padding = {size(0.0, 3.0)}, .groups = groups};
      const Tensor plain = conv2d_fused(x, w, b, Tensor(), i % 2 == 0, options);
      if (plain.shape()[2] < 2 || plain.shape()[3] < 2) continue;
      EXPECT_TRUE(same_bits(conv2d_pooled(x, w, b, i % 2 == 0, options), max_pool2d(plain, {.kernel = {2}})))
          << set << join(" ", i, ": x", x.shape(), " w", w.shape());
    }
  });
}

TEST(ConvPooled, HasTheSameBitsByWinogradsWay) {
  const Ints padding = {1, 1, 1, 1};
  const int before = cpu::num_threads();
  for (const Index images : {1, 5, 64}) {
    for (const Index columns : {15, 16, 17, 33}) {
      const Tensor x = drawn({images, 32, 17, columns}, 1), w = drawn({40, 32, 3, 3}, 2), b = drawn({40}, 3);
      const Tensor u = winograd_weights(w);
      const Tensor plain = conv2d_winograd(x, u, b, Tensor(), padding);
      for (const int threads : {1, 3}) {
        cpu::set_num_threads(threads);
        EXPECT_TRUE(same_bits(conv2d_winograd(x, u, b, Tensor(), padding, false, true),
                              max_pool2d(plain, {.kernel = {2}})))
            << images << ' ' << columns;
        EXPECT_TRUE(same_bits(conv2d_winograd(x, u, b, Tensor(), padding, true, true),
                              max_pool2d(relu(plain), {.kernel = {2}})))
            << images << ' ' << columns;
      }
    }
  }
  cpu::set_num_threads(before);
}

// NaN and equal numbers included: of those the first wins, of NaNs the last.
TEST(ConvPooled, WinnersAreThoseOfThePooling) {
  on_every_instruction_set([](std::string_view set) {
    int in_registers = 0;
    for (const Index images : {1, 5, 35, 64}) {
      for (const Index size : {6, 7, 12}) {
        Tensor x = drawn({images, 32, size, size + 1}, 1);
        x = splot::set(x, {{0, 1}, {0, 32}, {0, 3}, {0, 4}}, zeros({1, 32, 3, 4}));
        x = splot::set(x, {{0, 1}, {1, 2}, {5, 6}, {3, 4}},
                       full({1, 1, 1, 1}, std::numeric_limits<double>::quiet_NaN(), kFloat32));
        const Tensor w = drawn({40, 32, 3, 3}, 2), b = drawn({40}, 3);
        const Tensor plain = conv2d_fused(x, w, b, Tensor(), true, {.padding = {1}});
        const TensorList expected =
            apply_all(max_pool2d_op, TensorList{plain},
                      {max_pool2d_op.attrs, {Ints{2, 2}, Ints{2, 2}, Ints{0, 0}, Ints{1, 1}, false}});
        const PooledWinners got = conv2d_max_pool(x, w, b, true, {.padding = {1}});
        EXPECT_TRUE(same_bits(got.y, expected[0])) << set << ' ' << images << ' ' << size;
        EXPECT_TRUE(same_bits(got.which, expected[1])) << set << ' ' << images << ' ' << size;
        in_registers +=
            conv2d_pools_with_winners(x.shape(), w.shape(), {1, 1}, {1, 1, 1, 1}, {1, 1}, 1) ? 1 : 0;
      }
    }
    EXPECT_GT(in_registers, 0) << set;
  });
}

TEST(ConvPooled, OfNothingIsNothing) {
  const Tensor none = zeros({0, 2, 8, 8}), w = ones({5, 2, 3, 3}), b = ones({5});
  EXPECT_EQ(conv2d_pooled(none, w, b, true).shape(), Shape({0, 5, 3, 3}));
  EXPECT_EQ(conv2d_max_pool(none, w, b, true).which.shape(), Shape({0, 5, 3, 3}));
  EXPECT_EQ(conv2d_winograd(none, winograd_weights(w), b, Tensor(), {0, 0, 0, 0}, true, true).shape(),
            Shape({0, 5, 3, 3}));
}

TEST(ConvPooled, SaysWhatDoesNotFit) {
  EXPECT_ERROR(ShapeError, conv2d_pooled(ones({1, 2, 3, 4}), ones({4, 2, 3, 3}), ones({4}), false),
               "[conv2d_pooled] a result of 1 x 2 has no window of 2 x 2 to be pooled");
  EXPECT_ERROR(ShapeError, conv2d_pooled(ones({1, 2, 6, 6}), ones({4, 2, 3, 3}), ones({3}), false),
               "[conv2d_pooled] the bias b[3] does not fit the 4 output channels of w[4, 2, 3, 3]");
  const Tensor u = winograd_weights(ones({5, 2, 3, 3}));
  EXPECT_ERROR(ShapeError,
               conv2d_winograd(zeros({1, 2, 8, 3}), u, zeros({5}), Tensor(), {0, 0, 0, 0}, true, true),
               "[conv2d_winograd] a result of 6 x 1 has no window of 2 x 2 to be pooled");
  EXPECT_ERROR(
      ValueError,
      conv2d_winograd(zeros({1, 2, 8, 8}), u, zeros({5}), zeros({1, 5, 6, 6}), {0, 0, 0, 0}, true, true),
      "[conv2d_winograd] there is no shortcut where the results are pooled");
}

// In float64, row by row.
TEST(ConvWinograd, IsAConvolutionForAnySizes) {
  on_every_instruction_set([](std::string_view set) {
    RandomStream random({.seed = 2});
    for (int i = 0; i < 40; ++i) {
      const auto size = [&](double least, double most) {
        return static_cast<Index>(random.uniform(least, most));
      };
      const Index images = size(1.0, 20.0), in = size(1.0, 9.0), out = size(1.0, 9.0);
      const Ints padding = {size(0.0, 3.0), size(0.0, 3.0), size(0.0, 3.0), size(0.0, 3.0)};
      const std::uint64_t seed = static_cast<std::uint64_t>(10 * i);
      const Tensor x = drawn({images, in, size(3.0, 12.0), size(3.0, 12.0)}, seed),
                   w = drawn({out, in, 3, 3}, seed + 1), b = drawn({out}, seed + 2);
      const Tensor plain =
          conv2d(cast(x, kFloat64), cast(w, kFloat64), cast(b, kFloat64), {.padding = padding});
      const Tensor shortcut = drawn(plain.shape(), seed + 3);
      const std::vector<double> expected = (plain + cast(shortcut, kFloat64)).to_vector<double>();
      const std::vector<double> got =
          conv2d_winograd(x, winograd_weights(w), b, shortcut, padding).to_vector<double>();
      for (std::size_t k = 0; k < got.size(); ++k) {
        ASSERT_NEAR(got[k], expected[k], 3e-5) << set << ": x" << x.to_string() << ", out " << out
                                               << ", padding " << padding.to_string() << ", element " << k;
      }
    }
  });
}

// In float64, row by row.
TEST(ConvPatches, IsAConvolutionForAnySizes) {
  on_every_instruction_set([](std::string_view set) {
    RandomStream random({.seed = 3});
    for (int i = 0; i < 80; ++i) {
      const auto size = [&](double least, double most) {
        return static_cast<Index>(random.uniform(least, most));
      };
      const Index images = i % 4 == 0 ? 3 : 1, in = size(1.0, 6.0), out = size(1.0, 20.0);
      const Ints stride = {size(1.0, 4.0), size(1.0, 4.0)}, dilation = {size(1.0, 3.0), size(1.0, 3.0)};
      const Ints padding = {size(0.0, 4.0), size(0.0, 4.0), size(0.0, 4.0), size(0.0, 4.0)};
      const std::uint64_t seed = static_cast<std::uint64_t>(10 * i);
      const Tensor x = drawn({images, in, size(7.0, 30.0), size(7.0, 30.0)}, seed),
                   w = drawn({out, in, size(1.0, 5.0), size(1.0, 5.0)}, seed + 1), b = drawn({out}, seed + 2);
      const std::vector<double> expected =
          conv2d(cast(x, kFloat64), cast(w, kFloat64), cast(b, kFloat64),
                 {.stride = stride, .padding = padding, .dilation = dilation})
              .to_vector<double>();
      const std::vector<double> got =
          conv2d_patches(x, patch_weights(w), b, stride, padding, dilation).to_vector<double>();
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t k = 0; k < got.size(); ++k) {
        ASSERT_NEAR(got[k], expected[k], 3e-5)
            << set << ": x" << x.to_string() << ", w" << w.to_string() << ", stride " << stride.to_string()
            << ", padding " << padding.to_string() << ", dilation " << dilation.to_string() << ", element "
            << k;
      }
    }
  });
}

TEST(ConvPatches, HasTheSameBitsForAnyNumberOfImagesAndThreads) {
  const Tensor x = drawn({3, 16, 33, 31}, 1), w = patch_weights(drawn({24, 16, 3, 3}, 2)), b = drawn({24}, 3);
  const auto conv = [&](const Tensor& images) {
    return conv2d_patches(images, w, b, {2, 2}, {1, 1, 1, 1}, {1, 1}, true);
  };
  const Tensor all = conv(x);
  const int before = cpu::num_threads();
  for (const int threads : {1, 2, 5}) {
    cpu::set_num_threads(threads);
    for (Index i = 0; i < 3; ++i) {
      EXPECT_TRUE(same_bits(conv(slice(x, 0, i, i + 1)), slice(all, 0, i, i + 1))) << threads << " threads";
    }
  }
  cpu::set_num_threads(before);
}

TEST(ConvPatches, SaysWhatDoesNotFit) {
  const Tensor w = patch_weights(zeros({5, 2, 3, 4})), b = zeros({5});
  const Ints one = {1, 1}, none = {0, 0, 0, 0};
  EXPECT_EQ(w.shape(), Shape({2, 3, 4, 5}));
  EXPECT_ERROR(ShapeError, conv2d_patches(zeros({1, 3, 8, 8}), w, b, one, none, one),
               "[conv2d_patches] x[1, 3, 8, 8] takes weights [3, rows, columns, out], got [2, 3, 4, 5]");
  EXPECT_ERROR(
      ShapeError, conv2d_patches(zeros({1, 2, 8, 3}), w, b, one, none, one),
      "[conv2d_patches] a window of 3 x 4 does not fit into x[1, 2, 8, 3] with padding [0, 0, 0, 0]");
  EXPECT_ERROR(ShapeError, conv2d_patches(zeros({1, 2, 8, 8}), w, zeros({4}), one, none, one),
               "[conv2d_patches] the bias b[4] does not fit the 5 output channels of w[2, 3, 4, 5]");
  EXPECT_ERROR(ValueError, conv2d_patches(zeros({1, 2, 8, 8}), w, b, {0, 1}, none, one),
               "[conv2d_patches] stride must be 2 numbers, 1 or more, got [0, 1]");
  EXPECT_ERROR(DTypeError, conv2d_patches(zeros({1, 2, 8, 8}, kFloat64), w, b, one, none, one),
               "[conv2d_patches] needs all float32, got float64");
}

TEST(ConvWinograd, SaysWhatDoesNotFit) {
  const Tensor u = winograd_weights(zeros({5, 2, 3, 3}));
  const Ints none = {0, 0, 0, 0};
  EXPECT_EQ(u.shape(), Shape({4, 4, 2, 5}));
  EXPECT_ERROR(ShapeError, conv2d_winograd(zeros({1, 3, 8, 8}), u, zeros({5}), Tensor(), none),
               "[conv2d_winograd] x[1, 3, 8, 8] takes transformed weights [4, 4, 3, out], got [4, 4, 2, 5]");
  EXPECT_ERROR(ShapeError, conv2d_winograd(zeros({1, 2, 8, 8}), u, zeros({4}), Tensor(), none),
               "[conv2d_winograd] the bias b[4] does not fit the 5 output channels of u[4, 4, 2, 5]");
  EXPECT_ERROR(
      ShapeError, conv2d_winograd(zeros({1, 2, 2, 8}), u, zeros({5}), Tensor(), none),
      "[conv2d_winograd] a window of 3 x 3 does not fit into x[1, 2, 2, 8] with padding [0, 0, 0, 0]");
  EXPECT_ERROR(ShapeError, conv2d_winograd(zeros({1, 2, 8, 8}), u, zeros({5}), zeros({1, 5, 8, 8}), none),
               "[conv2d_winograd] the shortcut should be [1, 5, 6, 6], got [1, 5, 8, 8]");
  EXPECT_ERROR(
      ValueError, conv2d_winograd(zeros({1, 2, 8, 8}), u, zeros({5}), Tensor(), {0, 0, -1, 0}),
      "[conv2d_winograd] the padding must be {top, bottom, left, right}, 0 or more, got [0, 0, -1, 0]");
  EXPECT_ERROR(ShapeError, winograd_weights(zeros({5, 2, 3, 5})),
               "[winograd_weights] the weights must be [out, in, 3, 3], got [5, 2, 3, 5]");
  EXPECT_ERROR(DTypeError, winograd_weights(zeros({5, 2, 3, 3}, kFloat64)),
               "[winograd_weights] needs float32, got float64");
}

TEST(ConvWinograd, AnEmptyBatchGivesAnEmptyResult) {
  const Tensor u = winograd_weights(ones({5, 2, 3, 3}));
  EXPECT_EQ(conv2d_winograd(zeros({0, 2, 8, 8}), u, zeros({5}), Tensor(), {0, 0, 0, 0}).shape(),
            Shape({0, 5, 6, 6}));
  EXPECT_EQ(conv2d_patches(zeros({0, 2, 8, 8}), patch_weights(ones({5, 2, 3, 3})), zeros({5}), {1, 1},
                           {0, 0, 0, 0}, {1, 1})
                .shape(),
            Shape({0, 5, 6, 6}));
}

}  // namespace
}  // namespace splot
