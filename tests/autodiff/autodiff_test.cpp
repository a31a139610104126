#include "splot/autodiff/autodiff.h"

#include <gtest/gtest.h>

#include "splot/ops/ops.h"

namespace splot {
namespace {

TEST(Autodiff, FirstAndSecondDerivativeOfACube) {
  const Tensor x = tensor({2.0}).variable();
  const Tensor d = grad(sum(x * x * x), {x}, {.create_graph = true})[0];
  EXPECT_EQ(d.item<double>(), 12.0);
  const Tensor d2 = grad(sum(d), {x})[0];
  EXPECT_EQ(d2.item<double>(), 12.0);
}

TEST(Autodiff, FreesAChainOfAMillionOpsWithoutRecursion) {
  Tensor x = tensor({1.0f}).variable();
  Tensor y = x;
  for (int i = 0; i < 1'000'000; ++i) y = y + 1.0f;
  EXPECT_EQ(y.item<float>(), 1'000'001.0f);
}

TEST(Autodiff, JvpOfAProductIsTheProductRule) {
  const Function f = [](std::span<const Tensor> in) { return TensorList{matmul(in[0], in[1])}; };
  const Tensor a = tensor({{1.0, 2.0}, {3.0, 4.0}});
  const Tensor b = tensor({{5.0, 6.0}, {7.0, 8.0}});
  const Tensor da = tensor({{1.0, 0.0}, {0.0, 1.0}});
  const Tensor db = tensor({{0.0, 1.0}, {1.0, 0.0}});
  const Jvp out = jvp(f, std::array{a, b}, std::array{da, db});
  EXPECT_EQ(out.tangents[0].to_vector<double>(), (matmul(da, b) + matmul(a, db)).to_vector<double>());
}

TEST(Autodiff, AnIntegerInputOfAFunctionIsAConstant) {
  const Function f = [](std::span<const Tensor> in) { return TensorList{sum(in[0] * in[0] * in[1])}; };
  const Tensor x = tensor({1.0, 2.0});
  const Tensor n = tensor({3, 4});
  const Vjp out = vjp(f, std::array{x, n});
  const TensorList gradients = out.pullback(std::array{ones({}, kFloat64)});
  EXPECT_EQ(gradients[0].to_vector<double>(), (std::vector<double>{6.0, 16.0}));
  EXPECT_EQ(gradients[1].to_vector<double>(), (std::vector<double>{0.0, 0.0}));
  const Tensor v = tensor({1.0, 1.0});
  EXPECT_EQ(jvp(f, std::array{x, n}, std::array{v, n}).tangents[0].item<double>(), 22.0);
  EXPECT_EQ(hvp(f, std::array{x, n}, std::array{v, n})[0].to_vector<double>(),
            (std::vector<double>{6.0, 8.0}));
}

TEST(Autodiff, AComparisonHasNoHistory) {
  const Tensor x = tensor({1.0, 2.0}).variable();
  EXPECT_FALSE((x > 1.5).requires_grad());
}

}  // namespace
}  // namespace splot
