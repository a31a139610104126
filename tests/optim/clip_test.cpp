#include "splot/optim/clip.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

// Two parameters with the gradients [3, 0] and [4], together of norm 5; a third one has none.
struct Three {
  Parameter a{tensor({0.0, 0.0}), "a"};
  Parameter b{tensor({0.0}), "b"};
  Parameter c{tensor({0.0}), "c"};
  Three() {
    a.set_grad(tensor({3.0, 0.0}));
    b.set_grad(tensor({4.0}));
  }
  NamedParameters all() const { return {{"a", a}, {"b", b}, {"c", c}}; }
};

TEST(Clip, NormCountsAllGradientsTogether) {
  const Three p;
  EXPECT_EQ(grad_norm(p.all()), 5.0);
  EXPECT_EQ(l2_norm(tensor({3.0f, 4.0f})), 5.0);
  EXPECT_EQ(l2_norm(transpose(full({7, 5}, 2.0), 0, 1)), std::sqrt(140.0));
  EXPECT_EQ(l2_norm(zeros({0})), 0.0);
  EXPECT_NEAR(l2_norm(full({11}, 1e30)) / (1e30 * std::sqrt(11.0)), 1.0, 1e-7);
  EXPECT_ERROR(DTypeError, l2_norm(tensor({1, 2})), "[l2_norm] needs float32 or float64, got int32");
}

TEST(Clip, AGradientThatIsTooLongKeepsItsDirection) {
  const Three p;
  EXPECT_EQ(clip_grad_norm(p.all(), 2.5), 5.0);
  const double scale = 2.5 / (5.0 + 1e-6);
  EXPECT_EQ(p.a.grad().to_vector<double>(), (std::vector<double>{3.0 * scale, 0.0}));
  EXPECT_EQ(p.b.grad().to_vector<double>(), std::vector<double>{4.0 * scale});
  EXPECT_FALSE(p.c.grad().defined());
  EXPECT_LE(grad_norm(p.all()), 2.5);
}

TEST(Clip, AShortGradientStaysAsItIs) {
  const Three p;
  const void* memory = p.a.grad().raw();
  EXPECT_EQ(clip_grad_norm(p.all(), 5.1), 5.0);
  EXPECT_EQ(p.a.grad().raw(), memory);
}

TEST(Clip, WithoutADirectionNothingIsChanged) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Three p;
    p.b.set_grad(tensor({bad}));
    EXPECT_FALSE(std::isfinite(clip_grad_norm(p.all(), 1.0)));
    EXPECT_EQ(p.a.grad().to_vector<double>(), (std::vector<double>{3.0, 0.0}));
  }
}

TEST(Clip, ValuesAreHeldWithinTheBound) {
  Three p;
  p.a.set_grad(tensor({-3.0, 0.5}));
  clip_grad_value(p.all(), 1.5);
  EXPECT_EQ(p.a.grad().to_vector<double>(), (std::vector<double>{-1.5, 0.5}));
  EXPECT_EQ(p.b.grad().to_vector<double>(), std::vector<double>{1.5});
  EXPECT_FALSE(p.c.grad().defined());
}

TEST(Clip, RefusesBoundsThatMakeNoSense) {
  const Three p;
  EXPECT_ERROR(ValueError, clip_grad_norm(p.all(), 0.0), "[clip_grad_norm] max_norm must be positive, got 0");
  EXPECT_ERROR(ValueError, clip_grad_value(p.all(), -1.0),
               "[clip_grad_value] the bound must be positive, got -1");
}

TEST(Clip, AGradientMustFitItsParameter) {
  Three p;
  EXPECT_ERROR(ShapeError, p.a.set_grad(tensor({1.0})), "[set_grad] a[2] cannot take a value of shape [1]");
  EXPECT_ERROR(DTypeError, p.a.set_grad(tensor({1.0f, 2.0f})),
               "[set_grad] a is float64, the value is float32");
  EXPECT_ERROR(ValueError, p.a.set_grad(Tensor()), "[set_grad] a needs a value");
  // Without history, and added to by the next backward().
  p.a.set_grad(p.b * tensor({1.0, 2.0}));
  EXPECT_FALSE(p.a.grad().requires_grad());
  p.a.set_grad(tensor({1.0, 1.0}));
  backward(sum(p.a * 2.0));
  EXPECT_EQ(p.a.grad().to_vector<double>(), (std::vector<double>{3.0, 3.0}));
}

TEST(Clip, TraceableClippingHasTheSameBits) {
  const Tensor gradients[] = {uniform({7, 5}, RandomKey{.seed = 1}, {.low = -1.0}),
                              uniform({3}, RandomKey{.seed = 2}, {.low = -1.0})};
  const float inf = std::numeric_limits<float>::infinity();
  for (const double max_norm : {0.1, 0.7, 100.0}) {
    for (const bool infinite : {false, true}) {
      std::vector<NamedParameters> sides;
      for (int side = 0; side < 2; ++side) {
        Parameter a(zeros({7, 5}), "a"), b(zeros({3}), "b"), none(zeros({2}), "none");
        a.set_grad(gradients[0]);
        b.set_grad(infinite ? tensor({1.0f, inf, 2.0f}) : gradients[1]);
        sides.push_back({{"a", a}, {"b", b}, {"none", none}});
      }
      const double norm = clip_grad_norm(sides[0], max_norm);
      EXPECT_EQ(clip_grad_norm_traceable(sides[1], max_norm).item<double>(), norm);
      for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(sides[1][i].parameter.grad().to_vector<float>(),
                  sides[0][i].parameter.grad().to_vector<float>());
      }
      EXPECT_FALSE(sides[1][2].parameter.grad().defined());
    }
  }
}

}  // namespace
}  // namespace splot
