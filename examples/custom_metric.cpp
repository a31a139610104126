// A metric of one's own is a name and a function that sums a figure over the examples of a batch; the Trainer
// divides by their number, for each epoch and for the validation set. Here: how often the right class is
// among the first two.
#include <cstdio>

#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

MetricFunction among_first_two() {
  return {"among_first_two", [](const Tensor& output, const Tensor& target) {
            const Tensor right = unsqueeze(target, 1);  // [n] -> [n, 1]
            const Tensor first = argmax(output, 1, true);
            // With the largest put far below all others, the second is the largest.
            const Tensor rest = output - 1e9 * one_hot(squeeze(first, {1}), output.shape()[1]);
            const Tensor second = argmax(rest, 1, true);
            return (sum(first == right) + sum(second == right)).item<double>();
          }};
}

}  // namespace

int main() {
  const DataSplits digits = make_digits({.train = 3000, .validation = 1000, .test = 0});
  Sequential net(Flatten(), Linear(784, 32), ReLU(), Linear(32, 10));
  initialize(net, 1);
  Adam optimizer(named_parameters(net), {.lr = 0.002});
  const LossFunction loss = [](const Tensor& y, const Tensor& t) { return cross_entropy(y, t); };
  Trainer trainer(net, loss, optimizer,
                  {.epochs = 3, .batch_size = 50, .metrics = {metrics::accuracy(), among_first_two()}});
  const TrainingResult result = trainer.fit(digits.train, &digits.validation);

  for (const EpochRecord& epoch : result.history) {
    std::printf("epoch %lld: right %.1f %%, among the first two %.1f %%\n",
                static_cast<long long>(epoch.epoch), 100.0 * metric(epoch.metrics, "val_accuracy"),
                100.0 * metric(epoch.metrics, "val_among_first_two"));
  }
  const std::vector<Metric>& last = result.history.back().metrics;
  expect(metric(last, "val_among_first_two") > metric(last, "val_accuracy"),
         "two guesses are better than one");
}
