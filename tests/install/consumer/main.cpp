// What a user's first program looks like: a network learns XOR.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <splot/splot.h>

int main() {
  using namespace splot;

  const Tensor x = tensor({{0.0f, 0.0f}, {0.0f, 1.0f}, {1.0f, 0.0f}, {1.0f, 1.0f}});
  const Tensor y = tensor({{0.0f}, {1.0f}, {1.0f}, {0.0f}});

  Sequential net(Linear(2, 8), Tanh(), Linear(8, 1));
  initialize(net, /*seed=*/1);
  Adam optimizer(named_parameters(net), {.lr = 0.05});

  for (std::uint64_t step = 0; step < 300; ++step) {
    Context context{.training = true, .key = {.seed = 1, .counter = step}};
    const Tensor loss = binary_cross_entropy_with_logits(net(x, context), y);
    optimizer.zero_grad();
    backward(loss);
    optimizer.step();
  }

  std::printf("Splot %s\n", version());
  const Tensor answer = sigmoid(net(x));
  bool learned = true;
  for (int i = 0; i < 4; ++i) {
    const float said = answer.to_vector<float>()[i], truth = y.to_vector<float>()[i];
    std::printf("%d xor %d = %.3f\n", i / 2, i % 2, said);
    learned = learned && std::abs(said - truth) < 0.1f;
  }
  try {
    net(ones({1, 3}));
    learned = false;
  } catch (const ShapeError& error) {  // the library's exceptions must be recognised on this side too
    learned = learned && std::strcmp(error.what(), "0: [linear] x[1, 3] has 3 columns, w[8, 2] takes 2") == 0;
  }
  return learned && std::strcmp(version(), SPLOT_VERSION) == 0 ? 0 : 1;
}
