#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

TensorList run_sgd(std::span<const Tensor> in, bool nesterov) {
  return sgd_step(in[0], in[1], in[2], in[3],
                  {.momentum = 0.75, .weight_decay = 0.125, .nesterov = nesterov});
}

CHECK_OP(sgd_step, {.run = [](std::span<const Tensor> in) { return run_sgd(in, false); },
                    .orders = 0,
                    .long_inputs = false});
CHECK_OP(sgd_step_nesterov, {.run = [](std::span<const Tensor> in) { return run_sgd(in, true); },
                             .op = "sgd_step",
                             .orders = 0,
                             .float32 = {2e-6, 1e-6, "sums cancel"},
                             .float64 = {4e-15, 1e-15, "sums cancel"},
                             .long_inputs = false});
CHECK_OP(sgd_step_plain, {.run =
                              [](std::span<const Tensor> in) {
                                return sgd_step(in[0], in[1], Tensor(), in[2], {.weight_decay = 0.125});
                              },
                          .op = "sgd_step",
                          .orders = 0,
                          .long_inputs = false});

TensorList run_adam(std::span<const Tensor> in, double weight_decay, double decoupled_decay) {
  return adam_step(in[0], in[1], in[2], in[3], in[4], in[5],
                   {.beta1 = 0.75,
                    .beta2 = 0.875,
                    .eps = 1e-3,
                    .weight_decay = weight_decay,
                    .decoupled_decay = decoupled_decay});
}

CHECK_OP(adam_step, {.run = [](std::span<const Tensor> in) { return run_adam(in, 0.125, 0.0); },
                     .orders = 0,
                     .long_inputs = false});
CHECK_OP(adamw_step, {.run = [](std::span<const Tensor> in) { return run_adam(in, 0.0, 0.125); },
                      .op = "adam_step",
                      .orders = 0,
                      .long_inputs = false});

test::OpCase increment_case(bool nesterov) {
  return {.run =
              [=](std::span<const Tensor> in) {
                return sgd_step(in[0], in[1], in[2], in[3],
                                {.momentum = 0.75,
                                 .weight_decay = 0.125,
                                 .nesterov = nesterov,
                                 .l1 = 0.0625,
                                 .increment = true});
              },
          .op = "sgd_step",
          .orders = 0,
          .float32 = {2e-6, 1e-6, "sums cancel"},
          .float64 = {4e-15, 1e-15, "sums cancel"},
          .long_inputs = false};
}
CHECK_OP(sgd_step_increment, (increment_case(false)));
CHECK_OP(sgd_step_increment_nesterov, (increment_case(true)));

test::OpCase rmsprop_case(double momentum, bool centered) {
  return {.run =
              [=](std::span<const Tensor> in) {
                TensorList state;
                for (std::size_t i = 2; i + 1 < in.size(); ++i) state.push_back(in[i]);
                return rmsprop_step(in[0], in[1], state, in[in.size() - 1],
                                    {.alpha = 0.75,
                                     .eps = 1e-3,
                                     .weight_decay = 0.125,
                                     .momentum = momentum,
                                     .centered = centered});
              },
          .op = "rmsprop_step",
          .orders = 0,
          .float32 = {4e-6, 1e-6, "sums cancel"},
          .float64 = {1e-14, 1e-15, "sums cancel"},
          .long_inputs = false};
}
CHECK_OP(rmsprop_step, (rmsprop_case(0.0, false)));
CHECK_OP(rmsprop_step_centered, (rmsprop_case(0.0, true)));
CHECK_OP(rmsprop_step_momentum, (rmsprop_case(0.5, false)));
CHECK_OP(rmsprop_step_all, (rmsprop_case(0.5, true)));

CHECK_OP(adagrad_step, {.run =
                            [](std::span<const Tensor> in) {
                              return adagrad_step(in[0], in[1], in[2], in[3], in[4],
                                                  {.lr_decay = 0.25, .eps = 1e-3, .weight_decay = 0.125});
                            },
                        .orders = 0,
                        .float32 = {2e-6, 1e-6, "sums cancel"},
                        .float64 = {4e-15, 1e-15, "sums cancel"},
                        .long_inputs = false});

// l1 in every update against the update of a gradient that holds it already.
TEST(Update, TheL1PenaltyIsASignInTheGradient) {
  const Tensor w = tensor({1.0, -2.0, 0.0, 3.0, -0.5}), g = tensor({0.5, 0.25, -1.0, 2.0, 0.0});
  const Tensor summed = g + 0.125 * sign(w), s = ones({5}, kFloat64), lr = scalar(0.25), step = scalar(2.0);
  const auto same = [](const TensorList& a, const TensorList& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].to_vector<double>(), b[i].to_vector<double>());
  };
  same(sgd_step(w, g, s, lr, {.momentum = 0.5, .l1 = 0.125}), sgd_step(w, summed, s, lr, {.momentum = 0.5}));
  same(adam_step(w, g, s, s, lr, step, {.l1 = 0.125}), adam_step(w, summed, s, s, lr, step));
  same(rmsprop_step(w, g, {s}, lr, {.l1 = 0.125}), rmsprop_step(w, summed, {s}, lr));
  same(adagrad_step(w, g, s, lr, step, {.l1 = 0.125}), adagrad_step(w, summed, s, lr, step));
  EXPECT_NE(sgd_step(w, g, Tensor(), lr, {.l1 = 0.125})[0].to_vector<double>(),
            sgd_step(w, g, Tensor(), lr)[0].to_vector<double>());
}

TEST(Update, WritesIntoTheMemoryItTakesOver) {
  Tensor w = full({1000}, 1.0), v = full({1000}, 0.5);
  const void* memory[] = {w.raw(), v.raw()};
  const TensorList out =
      sgd_step(std::move(w), full({1000}, 2.0), std::move(v), scalar(0.25), {.momentum = 0.5});
  EXPECT_EQ(out[0].raw(), memory[0]);
  EXPECT_EQ(out[1].raw(), memory[1]);
  EXPECT_EQ(out[0].to_vector<float>(), std::vector<float>(1000, 1.0f - 0.25f * 2.25f));
}

TEST(Update, LeavesAWeightThatSomebodyElseHolds) {
  Tensor w = full({4}, 1.0);
  const Tensor held = w;
  const TensorList out = sgd_step(std::move(w), full({4}, 2.0), Tensor(), scalar(0.25));
  EXPECT_EQ(held.to_vector<float>(), std::vector<float>(4, 1.0f));
  EXPECT_EQ(out[0].to_vector<float>(), std::vector<float>(4, 0.5f));
}

TEST(Update, NamesWhatDoesNotFit) {
  EXPECT_ERROR(ShapeError, sgd_step(zeros({2}), zeros({3}), Tensor(), scalar(0.1)),
               "[sgd_step] input 1 has shape [3], the weight [2]");
  EXPECT_ERROR(DTypeError, sgd_step(zeros({2}), zeros({2}, kFloat64), Tensor(), scalar(0.1)),
               "[sgd_step] input 1 is float64, the weight float32");
  EXPECT_ERROR(ShapeError, sgd_step(zeros({2}), zeros({2}), Tensor(), zeros({2})),
               "[sgd_step] input 2 must be a 0-d floating tensor, got float32[2]");
  EXPECT_ERROR(DTypeError, sgd_step(zeros({2}, kInt64), zeros({2}, kInt64), Tensor(), scalar(0.1)),
               "[sgd_step] updates float32 and float64, got int64");
  EXPECT_ERROR(ValueError, rmsprop_step(zeros({2}), zeros({2}), {zeros({2})}, scalar(0.1), {.momentum = 0.5}),
               "[rmsprop_step] takes w, g, 2 of state and lr, got 4 tensors");
  EXPECT_ERROR(ShapeError, adagrad_step(zeros({2}), zeros({2}), zeros({3}), scalar(0.1), scalar(1.0)),
               "[adagrad_step] input 2 has shape [3], the weight [2]");
}

}  // namespace
}  // namespace splot
