// Data of one's own: two spirals, made by a formula, split, preprocessed and learned.
#include <cmath>
#include <cstdio>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

// `per_class` points on each of two spirals that wind around each other; every second example is of the
// second.
Dataset spirals(Index per_class) {
  std::vector<float> points;
  std::vector<std::int64_t> labels;
  for (Index i = 0; i < per_class; ++i) {
    const double t = 1.0 + 9.0 * static_cast<double>(i) / static_cast<double>(per_class);
    for (const std::int64_t label : {0, 1}) {
      const double angle = t + (label == 1 ? 3.14159265358979 : 0.0);
      points.push_back(static_cast<float>(t * std::cos(angle)));
      points.push_back(static_cast<float>(t * std::sin(angle)));
      labels.push_back(label);
    }
  }
  const Index n = 2 * per_class;
  // Divided by 10: the network sees numbers near 1. The rule travels with the model file.
  return Dataset("spirals", Tensor::from(points, {n, 2}), Tensor::from(labels, {n}), {"first", "second"},
                 {.divisor = 10.0});
}

}  // namespace

int main() {
  const Dataset all = spirals(400);
  const std::vector<Index> order = shuffled_indices(all.size(), /*seed=*/1, /*epoch=*/0);
  const std::vector<Dataset> parts = all.subset(order).split({600, 200});

  Sequential net(Linear(2, 32), Tanh(), Linear(32, 32), Tanh(), Linear(32, 2));
  initialize(net, 1);
  Adam optimizer(named_parameters(net), {.lr = 0.01});
  Trainer trainer(net, [](const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }, optimizer,
                  {.epochs = 60, .batch_size = 32, .metrics = {metrics::accuracy()}});
  trainer.fit(parts[0], &parts[1]);

  const LossFunction loss = [](const Tensor& y, const Tensor& t) { return cross_entropy(y, t); };
  const double accuracy = metric(evaluate(net, loss, parts[1], {metrics::accuracy()}), "accuracy");
  std::printf("%.1f %% of 200 unseen points are put on the right spiral\n", 100.0 * accuracy);
  expect(accuracy > 0.98, "two spirals can be told apart");
}
