// A plan asks for no memory once it has run.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/compiler/compile.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/optim/optimizer.h"
#include "splot/train/slots.h"

#include "tests/allocations/count.h"

namespace splot {
namespace {

TEST(Allocations, AreCounted) {
  if (!test::counts_allocations()) GTEST_SKIP() << "a sanitizer replaces malloc() itself";
  const std::size_t before = test::allocations();
  void* volatile some = std::malloc(100);  // volatile: not to be thrown away
  std::free(some);
  const std::size_t by_malloc = test::allocations();
  std::uint64_t* volatile number = new std::uint64_t(7);
  delete number;
  const std::size_t by_new = test::allocations();
  const Tensor x = zeros({1 << 20});
  const std::size_t by_tensor = test::allocations();
  EXPECT_EQ(by_malloc, before + 1);
  EXPECT_EQ(by_new, by_malloc + 1);
  EXPECT_GT(by_tensor, by_new) << x.numel();
}

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(const NamedParameters&)>;

// The network of nielsen_mlp learns from full batches and from smaller last ones.
void expect_no_allocations(const MakeOptimizer& make) {
  Sequential net(Linear(784, 30), Sigmoid(), Linear(30, 10), Sigmoid());
  initialize(net, 1);
  const std::unique_ptr<Optimizer> optimizer = make(named_parameters(net));
  Compiled step(
      [&](std::span<const Tensor> in, std::uint64_t counter) {
        Context context{.training = true, .key = {.seed = 1, .counter = counter}};
        optimizer->zero_grad();
        const Tensor output = net(in[0], context);
        const Tensor loss = quadratic_cost(output, in[1]);
        backward(loss);
        optimizer->step();
        return TensorList{loss.detach(), output.detach()};
      },
      {.slots = slots_of(net, *optimizer)});
  const auto batch = [](Index n) {
    const RandomKey key{.seed = static_cast<std::uint64_t>(n)};
    return TensorList{uniform({n, 784}, key),
                      one_hot(cast(uniform({n}, key, {.high = 10.0}), kInt64), 10, kFloat32)};
  };
  const TensorList whole = batch(10), last = batch(6);
  const auto run = [&](const TensorList& arguments, std::uint64_t counter) {
    const TensorList made = step(std::span<const Tensor>(arguments), counter);
    return made[0].item<float>();
  };
  run(whole, 0);
  run(last, 1);
  const std::size_t before = test::allocations();
  float loss = 0.0f;
  for (std::uint64_t i = 2; i < 102; ++i) loss = run(i % 10 == 9 ? last : whole, i);
  EXPECT_EQ(test::allocations(), before) << "in 100 steps";
  EXPECT_LT(loss, 0.45f) << "it has learned";
  EXPECT_EQ(step.made(), 2u);
}

TEST(Allocations, NoneByAPlanAfterItsFirstRun) {
  if (!test::counts_allocations()) GTEST_SKIP() << "a sanitizer replaces malloc() itself";
  const int threads = cpu::num_threads();
  for (const int n : {1, 2}) {
    SCOPED_TRACE(n);
    cpu::set_num_threads(n);
    expect_no_allocations(
        [](const NamedParameters& p) { return std::make_unique<SGD>(p, SGDOptions{.lr = 0.5}); });
    expect_no_allocations([](const NamedParameters& p) {
      return std::make_unique<SGD>(p, SGDOptions{.lr = 0.1, .momentum = 0.9});
    });
    expect_no_allocations(
        [](const NamedParameters& p) { return std::make_unique<Adam>(p, AdamOptions{.lr = 0.01}); });
  }
  cpu::set_num_threads(threads);
}

}  // namespace
}  // namespace splot
