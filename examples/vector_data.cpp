// From std::vector<float> to a trained network: a line through noisy points, y = 2 x - 1.
#include <cstdio>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

int main() {
  using namespace splot;
  std::vector<float> x, y;
  RandomStream random({.seed = 1, .stream = stream_of("examples.vector_data"), .counter = 0});
  for (int i = 0; i < 200; ++i) {
    x.push_back(static_cast<float>(random.uniform(-1.0, 1.0)));
    y.push_back(2.0f * x.back() - 1.0f + static_cast<float>(random.uniform(-0.1, 0.1)));
  }
  // The elements are copied; the vectors may go.
  const Dataset data("points", Tensor::from(x, {200, 1}), Tensor::from(y, {200, 1}));

  Sequential net(Linear(1, 1));
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.1});
  Trainer(net, [](const Tensor& output, const Tensor& target) { return mse_loss(output, target); }, optimizer,
          {.epochs = 50, .batch_size = 20})
      .fit(data);

  const double slope = state_dict(net)[0].value.item<double>();
  const double intercept = state_dict(net)[1].value.item<double>();
  std::printf("y = %.3f x %+.3f\n", slope, intercept);
  expect_near(slope, 2.0, 0.05, "the slope is 2");
  expect_near(intercept, -1.0, 0.05, "the line meets the axis at -1");
}
