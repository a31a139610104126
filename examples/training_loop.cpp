// A training loop by hand: what the Trainer does, in fifteen lines. XOR, which one neuron cannot learn, by
// 2-8-1.
#include <cstdio>

#include <splot/splot.h>

#include "expect.h"

int main() {
  using namespace splot;
  const Tensor x = tensor({{0.0f, 0.0f}, {0.0f, 1.0f}, {1.0f, 0.0f}, {1.0f, 1.0f}});
  const Tensor y = tensor({{0.0f}, {1.0f}, {1.0f}, {0.0f}});

  Sequential net(Linear(2, 8), Tanh(), Linear(8, 1));
  initialize(net, 1);
  Adam optimizer(named_parameters(net), {.lr = 0.05});
  for (int step = 0; step < 200; ++step) {
    Context context;
    context.training = true;
    optimizer.zero_grad();
    const Tensor loss = binary_cross_entropy_with_logits(net(x, context), y);
    backward(loss);
    optimizer.step();
    if (step % 50 == 0) std::printf("step %3d  loss %.4f\n", step, loss.item<double>());
  }

  const Tensor probability = sigmoid(net(x));
  std::printf("%s\n", print(probability).c_str());
  expect((probability > 0.5).to_vector<float>() == y.to_vector<float>(), "XOR is learned");
}
