// Fine-tuning: a network that knows the digits 0 to 4 learns 5 to 9 from 1000 examples. Its first layer is
// kept as it is; only a new last layer learns.
#include <cstdio>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

Tensor loss(const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }

// The images of `first` .. `first + 4`, at most `count`, as classes 0 to 4.
Dataset five_digits(const Dataset& all, std::int64_t first, std::size_t count) {
  const std::vector<std::int64_t> labels = all.targets().to_vector<std::int64_t>();
  std::vector<Index> chosen;
  for (std::size_t i = 0; i < labels.size() && chosen.size() < count; ++i) {
    if (labels[i] >= first && labels[i] < first + 5) chosen.push_back(static_cast<Index>(i));
  }
  const Dataset some = all.subset(chosen);
  return Dataset(some.name(), some.inputs(), some.targets() - first, {}, some.preprocessing());
}

double learn(Layer& net, const Dataset& train, const Dataset& test, Index epochs) {
  Adam optimizer(named_parameters(net), {.lr = 0.003});
  Trainer(net, loss, optimizer, {.epochs = epochs, .batch_size = 50}).fit(train);
  return metric(evaluate(net, loss, test, {metrics::accuracy()}), "accuracy");
}

}  // namespace

int main() {
  const DataSplits digits = make_digits({.train = 6000, .validation = 0, .test = 2000});

  Sequential net(Flatten(), Linear(784, 128), ReLU());
  net.add("head", Linear(128, 5));
  initialize(net, 1);
  const double low = learn(net, five_digits(digits.train, 0, 6000), five_digits(digits.test, 0, 2000), 6);
  std::printf("0 to 4, learned from scratch: %.1f %%\n", 100.0 * low);

  // Everything learned so far becomes constant, then a new head takes the place of the old one.
  freeze(net);
  const NamedTensors before = state_dict(net);
  net.replace("head", Linear(128, 5));
  const double high = learn(net, five_digits(digits.train, 5, 1000), five_digits(digits.test, 5, 2000), 20);
  std::printf("5 to 9, only a new head, 1000 examples: %.1f %%\n", 100.0 * high);
  const NamedTensors after = state_dict(net);
  expect(before[0].value.to_vector<float>() == after[0].value.to_vector<float>(),
         "the frozen layer has not moved");
  expect(high > 0.8, "what was learned from some digits helps with others");
}
