// Matt Mazur's worked example of backpropagation (2015): two inputs, two hidden and two output neurons,
// logistic everywhere, E = sum of (target - out)^2 / 2, one training case, learning rate 0.5, biases left
// alone. Every number of the page is printed and checked.
#include <array>
#include <cstdio>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

namespace {

using namespace splot;

struct Network {
  Tensor w1 = tensor({{0.15, 0.20}, {0.25, 0.30}});  // hidden x input
  Tensor w2 = tensor({{0.40, 0.45}, {0.50, 0.55}});  // output x hidden
  Tensor b1 = scalar(0.35);
  Tensor b2 = scalar(0.60);
};

struct Pass {
  Tensor hidden_net, hidden, output_net, output, errors, total;
};

Pass forward(const Network& n, const Tensor& x, const Tensor& target) {
  Pass p;
  p.hidden_net = matmul(n.w1, x) + n.b1;
  p.hidden = sigmoid(p.hidden_net);
  p.output_net = matmul(n.w2, p.hidden) + n.b2;
  p.output = sigmoid(p.output_net);
  p.errors = 0.5 * (target - p.output) * (target - p.output);
  p.total = sum(p.errors);
  return p;
}

// One step of gradient descent on the weights.
void learn(Network& n, const Tensor& x, const Tensor& target, double rate) {
  Network variables = n;
  variables.w1 = n.w1.variable("w1");
  variables.w2 = n.w2.variable("w2");
  const TensorList gradients = grad(forward(variables, x, target).total, {variables.w1, variables.w2});
  n.w1 = n.w1 - rate * gradients[0];
  n.w2 = n.w2 - rate * gradients[1];
}

void show(const char* what, const Tensor& values, const std::vector<double>& page, double tolerance) {
  const std::vector<double> ours = values.to_vector<double>();
  std::printf("%-22s", what);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    std::printf("  %.10f", ours[i]);
    expect_near(ours[i], page[i], tolerance, what);
  }
  std::printf("\n");
}

}  // namespace

int main() {
  const Tensor x = tensor({0.05, 0.10});
  const Tensor target = tensor({0.01, 0.99});
  Network n;

  // The page rounds to nine or ten digits.
  const Pass before = forward(n, x, target);
  show("net of h1, h2", before.hidden_net, {0.3775, 0.3925}, 1e-9);
  show("out of h1, h2", before.hidden, {0.593269992, 0.596884378}, 1e-9);
  show("net of o1, o2", before.output_net, {1.105905967, 1.224921404}, 1e-9);
  show("out of o1, o2", before.output, {0.75136507, 0.772928465}, 1e-8);
  show("errors of o1, o2", before.errors, {0.274811083, 0.023560026}, 1e-9);
  show("total error", before.total, {0.298371109}, 1e-9);

  learn(n, x, target, 0.5);
  show("w1 .. w4 afterwards", n.w1, {0.149780716, 0.19956143, 0.24975114, 0.29950229}, 1e-8);
  show("w5 .. w8 afterwards", n.w2, {0.35891648, 0.408666186, 0.511301270, 0.561370121}, 1e-9);
  show("total error", forward(n, x, target).total, {0.2910277737}, 1e-9);

  for (int step = 1; step < 10'000; ++step) learn(n, x, target, 0.5);
  const Pass after = forward(n, x, target);
  std::printf("\nafter 10,000 steps\n");
  show("total error", after.total, {0.000035102}, 5e-10);
  // The page's outputs belong to an error of 3.5085e-05, a few steps later than its 3.5102e-05.
  show("out of o1, o2", after.output, {0.015912196, 0.984065734}, 2e-6);
}
