// A single neuron: it fires when w . x + b is positive. With x = (1, 1, 0) and w = (10, -15, 20) the bias
// alone decides, and it has to exceed 5.
#include <cstdio>

#include <splot/splot.h>

#include "expect.h"

int main() {
  using namespace splot;
  const Tensor x = tensor({1.0, 1.0, 0.0});
  const Tensor w = tensor({10.0, -15.0, 20.0});
  const double wx = sum(w * x).item<double>();
  std::printf("x = (1, 1, 0), w = (10, -15, 20): w . x = %g\n\n", wx);
  expect(wx == -5.0, "w . x = -5");

  std::printf("    b   w . x + b   fires\n");
  for (int b = -2; b <= 10; ++b) {
    const Tensor z = sum(w * x) + b;
    const bool fires = (z > 0.0).item<bool>();
    std::printf("%5d   %9g   %s\n", b, z.item<double>(), fires ? "yes" : "no");
    expect(fires == (b > 5), "the neuron fires exactly when b > 5");
  }
  std::printf("\nIt fires for every b > 5 and for no other.\n");
}
