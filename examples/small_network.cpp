// The 3-5-4-2 network: what it computes layer by layer, and its 54 parameters: (3 + 1) 5 + (5 + 1) 4 + (4 +
// 1) 2.
#include <cstdio>

#include <splot/splot.h>

#include "expect.h"

int main() {
  using namespace splot;
  Sequential net(Linear(3, 5), Sigmoid(), Linear(5, 4), Sigmoid(), Linear(4, 2), Sigmoid());
  initialize(net, 1);

  Index total = 0;
  for (const auto& [name, parameter] : named_parameters(net)) {
    std::printf("%-9s %-7s %2lld numbers\n", name.c_str(), parameter.shape().to_string().c_str(),
                static_cast<long long>(parameter.shape().numel()));
    total += parameter.shape().numel();
  }
  std::printf("in all            %2lld\n\n", static_cast<long long>(total));
  expect(total == 54 && parameter_count(net) == 54, "3-5-4-2 has 54 parameters");

  Context context;
  context.observer = [](std::string_view path, Layer&, const Tensor&, const Tensor& y) {
    if (!path.empty()) std::printf("after layer %s: %s\n", std::string(path).c_str(), print(y).c_str());
  };
  const Tensor y = net(tensor({{0.5f, -1.0f, 2.0f}}), context);
  expect(y.shape() == Shape{1, 2}, "one row of two outputs");
}
