// What a gradient costs. Backpropagation gives all n derivatives for a small multiple of the price of one
// value, whatever n is; one difference quotient for each weight would cost n + 1 values.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

namespace {

using namespace splot;

Sequential dense(const std::vector<Index>& sizes) {
  Sequential net;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    net.add(Linear(sizes[i], sizes[i + 1], {.dtype = kFloat64}));
    net.add(Sigmoid());
  }
  return net;
}

// The median of several runs, in microseconds.
template <typename Body>
double microseconds(Body&& body) {
  std::vector<double> times;
  for (int run = 0; run < 15; ++run) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) body();
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / 10);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

int main() {
  const std::vector<std::vector<Index>> networks = {
      {3, 5, 4, 2}, {784, 16, 10}, {784, 30, 10}, {784, 100, 10}};
  std::printf("%-14s %9s %11s %13s %7s %22s\n", "network", "weights", "value, us", "gradient, us", "ratio",
              "by differences, ratio");
  for (const std::vector<Index>& sizes : networks) {
    Sequential net = dense(sizes);
    initialize(net, 1);
    const Tensor x = uniform({10, sizes.front()}, RandomKey{.seed = 1}, {.dtype = kFloat64});
    const Tensor target = zeros({10, sizes.back()}, kFloat64);
    const auto value = [&] { return quadratic_cost(net(x), target); };

    // The gradient is right: along a random direction it agrees with a central difference.
    const auto parameters = named_parameters(net);
    zero_grad(net);
    backward(value());
    double along = 0.0;
    std::vector<Tensor> middle, direction;
    for (const auto& [name, parameter] : parameters) {
      direction.push_back(
          normal(parameter.shape(), RandomKey{.seed = 2, .stream = stream_of(name)}, {.dtype = kFloat64}));
      middle.push_back(parameter.value().detach());
      along += sum(parameter.grad() * direction.back()).item<double>();
    }
    const auto value_at = [&](double t) {
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        Parameter parameter = parameters[i].parameter;
        parameter.assign(middle[i] + t * direction[i]);
      }
      return value().item<double>();
    };
    const double h = 1e-5;
    const double difference = (value_at(h) - value_at(-h)) / (2 * h);
    value_at(0.0);
    expect_near(along, difference, 1e-6 * std::abs(difference) + 1e-12,
                "the gradient agrees with a difference");

    const double one_value = microseconds([&] {
      NoGrad off;
      value();
    });
    const double one_gradient = microseconds([&] {
      zero_grad(net);
      backward(value());
    });
    std::string name;
    for (const Index size : sizes) name += (name.empty() ? "" : "-") + std::to_string(size);
    const Index weights = parameter_count(net);
    std::printf("%-14s %9lld %11.1f %13.1f %7.1f %22lld\n", name.c_str(), static_cast<long long>(weights),
                one_value, one_gradient, one_gradient / one_value, static_cast<long long>(weights + 1));
  }
}
