// A loss of one's own is a function from output and target to one number: here the quantile loss, whose
// minimum is not the mean but a chosen quantile. Trained on one number, it finds the 90th percentile of the
// data.
#include <algorithm>
#include <cstdio>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

// max(q e, (q - 1) e), e = target - output, averaged (Koenker and Bassett 1978). where(), not maximum(): one
// side is chosen at e = 0 too.
Tensor quantile_loss(const Tensor& output, const Tensor& target, double q) {
  const Tensor e = target - output;
  return mean(where(e > 0.0, q * e, (q - 1.0) * e));
}

}  // namespace

int main() {
  RandomStream random({.seed = 1, .stream = stream_of("examples.custom_loss"), .counter = 0});
  std::vector<float> waits(1001);
  for (float& minutes : waits) minutes = static_cast<float>(random.uniform(0.0, 20.0));
  const auto count = static_cast<Index>(waits.size());

  // The network sees a constant and can only answer with one number.
  const Dataset data("waiting times", ones({count, 1}), Tensor::from(waits, {count, 1}));
  Sequential net(Linear(1, 1, {.bias = false, .weight_init = init::constant(10.0)}));
  SGD optimizer(named_parameters(net), {.lr = 1.0});
  Trainer trainer(net, [](const Tensor& y, const Tensor& t) { return quantile_loss(y, t, 0.9); }, optimizer,
                  {.epochs = 200, .batch_size = count, .schedule = schedule::cosine(200)});
  trainer.fit(data);

  std::ranges::sort(waits);
  const double learned = net(ones({1, 1})).item<double>();
  const double exact = waits[static_cast<std::size_t>(0.9 * static_cast<double>(waits.size()))];
  std::printf("nine of ten wait less than %.2f minutes; the sorted list says %.2f\n", learned, exact);
  expect_near(learned, exact, 0.3, "the quantile loss finds the quantile");
}
