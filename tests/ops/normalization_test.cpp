#include <cmath>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/bytes.h"
#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using test::bytes_of;
using test::Tolerance;

constexpr Tolerance kNorm32 = {4e-6, 4e-6, "sums in another order, divided by a deviation"};
constexpr Tolerance kNorm64 = {1e-13, 2e-14, "sums in another order, divided by a deviation"};
constexpr Tolerance kNormGrad32 = {2e-4, 4e-5, "differences of sums, divided by a deviation"};
constexpr Tolerance kNormGrad64 = {1e-11, 1e-11, "differences of sums; of a channel without any deviation"};

Tensor numbers(const Shape& shape, std::uint64_t seed, DType dtype = kFloat64, double low = -1.0,
               double high = 1.0) {
  return uniform(shape, RandomKey{.seed = seed}, {.low = low, .high = high, .dtype = dtype});
}

CHECK_OP(batch_norm, {.run = [](In in) { return batch_norm(in[0], in[1], in[2]).y; },
                      .float32 = kNorm32,
                      .float64 = kNorm64,
                      .gradient32 = kNormGrad32,
                      .gradient64 = kNormGrad64});
CHECK_OP(batch_norm_statistics, {.run =
                                     [](In in) {
                                       const BatchNormalized b = batch_norm(in[0], in[1], in[2], 0.25);
                                       return TensorList{b.y, b.mean, b.var};
                                     },
                                 .op = "batch_norm",
                                 .inputs = {{numbers({3, 2, 2, 3}, 1), numbers({2}, 2), numbers({2}, 3)},
                                            {numbers({5, 3}, 4), numbers({3}, 5), numbers({3}, 6)}},
                                 .float64 = kNorm64});
CHECK_OP(batch_norm_given, {.run = [](In in) { return batch_norm(in[0], in[1], in[2], in[3], in[4]); },
                            .op = "scale_shift",
                            .float32 = kNorm32,
                            .float64 = kNorm64,
                            .gradient32 = kNormGrad32});
CHECK_OP(scale_shift, {.run = [](In in) { return scale_shift(in[0], in[1], in[2]); },
                       .inputs = {{numbers({2, 3, 4}, 7), numbers({3, 1}, 8), numbers({4}, 9)}},
                       .float32 = {2e-6, 1e-6, "product and shift cancel where nothing fuses them"},
                       .float64 = {4e-15, 1e-15, "product and shift cancel where nothing fuses them"}});
CHECK_OP(center_scale_shift,
         {.run = [](In in) { return center_scale_shift(in[0], in[1], in[2], in[3]); },
          .inputs = {{numbers({2, 3, 4}, 7), numbers({3, 1}, 8), numbers({4}, 9), numbers({3, 1}, 10)}},
          .float32 = {2e-6, 1e-6, "product and shift cancel where nothing fuses them"},
          .float64 = {4e-15, 1e-15, "product and shift cancel where nothing fuses them"}});
CHECK_OP(batch_norm_stats,
         {.run =
              [](In in) {
                const BatchStats s = batch_norm_stats(in[0], in[1], 0.25);
                return TensorList{s.mean, s.var, s.scale};
              },
          .inputs = {{numbers({3, 2, 2, 3}, 1), numbers({2}, 2)}, {numbers({5, 3}, 4), numbers({3}, 5)}},
          .orders = 0,
          .float32 = kNorm32,
          .float64 = kNorm64});
CHECK_OP(layer_norm, {.run = [](In in) { return layer_norm(in[0], in[1], in[2]); },
                      .op = "scale_shift",
                      .float32 = kNorm32,
                      .float64 = kNorm64,
                      .gradient32 = kNormGrad32,
                      .gradient64 = kNormGrad64});
CHECK_OP(group_norm, {.run = [](In in) { return group_norm(in[0], 2, in[1], in[2]); },
                      .op = "scale_shift",
                      .float32 = kNorm32,
                      .float64 = kNorm64,
                      .gradient32 = kNormGrad32,
                      .gradient64 = kNormGrad64});

// As batch_norm's derivative calls it: with the statistics of x.
TensorList grad_of(In in) {
  const Tensor x = in[3].detach();
  const BatchNormalized b = batch_norm(x, ones({2}, kFloat64), zeros({2}, kFloat64));
  const Tensor all[] = {in[0], in[1], in[2], in[3], in[4], b.mean, b.var};
  return apply_all(batch_norm_grad_op, all, {batch_norm_grad_op.attrs, {1e-5}});
}

CHECK_OP(batch_norm_grad, {.run = [](In in) { return grad_of(in); },
                           .inputs = {{numbers({3, 2, 2, 2}, 10), numbers({2}, 11), numbers({2}, 12),
                                       numbers({3, 2, 2, 2}, 13), numbers({2}, 14)}},
                           .float64 = {1e-13, 1e-14, "sums in another order"}});

TEST(BatchNorm, IsItsStatisticsAndOneCallBehindThem) {
  for (const Shape& shape :
       {Shape({64, 3, 13, 11}), Shape({1, 2, 1, 1}), Shape({7, 5}), Shape({0, 3, 2, 2})}) {
    const Tensor x = cast(numbers(shape, 20), kFloat32), w = cast(numbers({shape[1]}, 21), kFloat32),
                 b = cast(numbers({shape[1]}, 22), kFloat32);
    const BatchNormalized whole = batch_norm(x, w, b);
    const BatchStats stats = batch_norm_stats(x, w);
    Ints beside(shape.rank() - 1, 1);
    beside[0] = shape[1];
    const Tensor y =
        center_scale_shift(x, reshape(stats.mean, beside), reshape(stats.scale, beside), reshape(b, beside));
    EXPECT_EQ(bytes_of(y), bytes_of(whole.y)) << join(shape);
    EXPECT_EQ(bytes_of(stats.mean), bytes_of(whole.mean)) << join(shape);
    EXPECT_EQ(bytes_of(stats.var), bytes_of(whole.var)) << join(shape);
  }
  EXPECT_ERROR(ShapeError, batch_norm_stats(zeros({2, 3}), zeros({4})),
               "[batch_norm_stats] x[2, 3] has 3 channels, the weight is [4]");
}

TEST(BatchNorm, AgreesWithItsComposedTwins) {
  // Channels of several blocks, some with a partial vector at the end.
  for (const Shape& shape : {Shape({64, 3, 13, 11}), Shape({1, 2, 1, 1}), Shape({7, 5}), Shape({3, 2, 4})}) {
    const Tensor x = numbers(shape, 20), c = numbers({shape[1]}, 21);
    const TensorList in = {x, c, numbers({shape[1]}, 22)};
    const Attrs attrs(batch_norm_op.attrs, {1e-3});
    const TensorList fused = apply_all(batch_norm_op, in, attrs),
                     composed = batch_norm_op.composed(in, attrs);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(test::difference_between(fused[i], composed[i], {1e-12, 1e-14, "sums in another order"}), "");
    }
    const TensorList grads = {
        numbers(shape, 23), numbers({shape[1]}, 24), numbers({shape[1]}, 25), x, c, fused[1], fused[2]};
    const TensorList found = apply_all(batch_norm_grad_op, grads, attrs);
    const TensorList expected = batch_norm_grad_op.composed(grads, attrs);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(test::difference_between(found[i], expected[i], {1e-11, 1e-13, "sums in another order"}), "");
    }
  }
}

// Third derivatives too: the second ones are made of the statistics as functions of x.
TEST(BatchNorm, HasDerivativesOfAnyOrder) {
  const TensorList in = {numbers({4, 2}, 30), numbers({2}, 31), numbers({2}, 32)};
  const auto third = [&](auto&& call) {
    const Tensor x = in[0].variable();
    Tensor y = sum(call(x) * numbers({4, 2}, 33));
    for (std::uint64_t order = 0; order < 3; ++order) {
      y = sum(grad(y, {x}, {.create_graph = true})[0] * numbers({4, 2}, 34 + order));
    }
    return y.item<double>();
  };
  const Attrs attrs(batch_norm_op.attrs, {0.1});
  const double fused = third([&](const Tensor& x) { return batch_norm(x, in[1], in[2], 0.1).y; });
  const double composed = third([&](const Tensor& x) {
    const TensorList all = {x, in[1], in[2]};
    return batch_norm_op.composed(all, attrs)[0];
  });
  EXPECT_NE(composed, 0.0);
  EXPECT_NEAR(fused, composed, 1e-10 * std::abs(composed));
}

TEST(BatchNorm, KeepsItsDigitsBesideALargeMean) {
  const Tensor x = cast(numbers({50, 1, 10, 10}, 40), kFloat32) + 10000.0f;
  const BatchNormalized b = batch_norm(x, ones({1}), zeros({1}), 0.0);
  const BatchNormalized exact = batch_norm(cast(x, kFloat64), ones({1}, kFloat64), zeros({1}, kFloat64), 0.0);
  EXPECT_NEAR(b.var.item<double>(), exact.var.item<double>(), 1e-4 * exact.var.item<double>());
  EXPECT_EQ(test::difference_between(cast(b.y, kFloat64), exact.y, {1e-3, 2e-3, "x has three digits left"}),
            "");
}

TEST(BatchNorm, TheNumberOfThreadsChangesNothing) {
  const Tensor x = numbers({32, 18, 15, 15}, 50, kFloat32);
  const Tensor images_last = permute(contiguous(permute(x, {1, 2, 3, 0})), {3, 0, 1, 2});
  const int before = cpu::num_threads();
  cpu::set_num_threads(1);
  const BatchNormalized one = batch_norm(x, ones({18}), zeros({18}));
  cpu::set_num_threads(4);
  const BatchNormalized four = batch_norm(images_last, ones({18}), zeros({18}));
  cpu::set_num_threads(before);
  EXPECT_EQ(test::difference_between(four.y, one.y, {}), "");
  EXPECT_EQ(test::difference_between(four.var, one.var, {}), "");
}

TEST(BatchNorm, FoldsIntoAScaleAndAShift) {
  const ScaleShift s = batch_norm_scale_shift(tensor({2.0, 3.0}), tensor({0.5, -1.0}), tensor({1.0, 4.0}),
                                              tensor({0.25, 1.0}), 0.0);
  EXPECT_EQ(s.scale.to_vector<double>(), (std::vector<double>{4, 3}));
  EXPECT_EQ(s.shift.to_vector<double>(), (std::vector<double>{-3.5, -13}));
}

TEST(Normalization, SaysWhatDoesNotFit) {
  const Tensor x = zeros({2, 3, 4, 4});
  EXPECT_ERROR(ShapeError, batch_norm(x, ones({4}), zeros({3})),
               "[batch_norm] x[2, 3, 4, 4] has 3 channels, the weight is [4]");
  EXPECT_ERROR(ShapeError, batch_norm(zeros({3}), ones({3}), zeros({3})),
               "[batch_norm] needs channels on axis 1, got x[3]");
  EXPECT_ERROR(ShapeError, batch_norm(x, ones({3}), zeros({3}), zeros({3}), ones({1})),
               "[batch_norm] x[2, 3, 4, 4] has 3 channels, the variance is [1]");
  EXPECT_ERROR(ShapeError, layer_norm(x, ones({3}), zeros({3})),
               "[layer_norm] weight[3] does not have the sizes of the last axes of x[2, 3, 4, 4]");
  EXPECT_ERROR(ValueError, group_norm(x, 2, ones({3}), zeros({3})),
               "[group_norm] 2 groups do not divide the 3 channels of x[2, 3, 4, 4]");
}

}  // namespace
}  // namespace splot
