// The twenty lines that docs/from_pytorch.md shows beside the same lines in PyTorch.
#include <cstdio>

#include "expect.h"

// [docs]
#include <splot/splot.h>
using namespace splot;

int main() {
  DataSplits digits = make_digits({.train = 6000, .validation = 0, .test = 1000});
  Loader loader(digits.train, {.batch_size = 64, .seed = 1});

  Sequential net(Flatten(), Linear(784, 64), ReLU(), Dropout({.p = 0.1}), Linear(64, 10));
  initialize(net, 1);
  AdamW optimizer(named_parameters(net), {.lr = 3e-3});

  std::uint64_t step = 0;
  for (int epoch = 0; epoch < 5; ++epoch) {
    for (const Batch& batch : loader.epoch(epoch)) {
      Context context{.training = true, .key = {.seed = 1, .counter = step++}};
      optimizer.zero_grad();
      Tensor loss = cross_entropy(net(batch.inputs, context), batch.targets);
      backward(loss);
      optimizer.step();
    }
  }

  Batch test = digits.test.batch(0, digits.test.size());
  NoGrad off;
  Tensor right = argmax(net(test.inputs), 1) == test.targets;
  double accuracy = mean(cast(right, kFloat32)).item<double>();
  std::printf("%.1f %%\n", 100 * accuracy);
  // [docs]
  expect(accuracy > 0.9, "the network tells the digits apart");
}
