// A graph of operations, e = (a + b)(b + 1), and its derivatives by walking it backwards: at a = 2, b = 1 the
// value is 6, de/da = b + 1 = 2, de/db = (b + 1) + (a + b) = 5.
#include <cstdio>

#include <splot/splot.h>

#include "expect.h"

int main() {
  using namespace splot;
  const Tensor a = scalar(2.0).variable("a");
  const Tensor b = scalar(1.0).variable("b");
  const Tensor c = a + b;
  const Tensor d = b + 1.0;
  const Tensor e = c * d;
  const TensorList gradients = grad(e, {a, b});
  const double value = e.item<double>();
  const double de_da = gradients[0].item<double>();
  const double de_db = gradients[1].item<double>();

  std::printf("a = 2, b = 1\n");
  std::printf("c = a + b = %g\n", c.item<double>());
  std::printf("d = b + 1 = %g\n", d.item<double>());
  std::printf("e = c d   = %g\n\n", value);
  std::printf("de/da = d          = %g\n", de_da);
  std::printf("de/db = d + c      = %g\n", de_db);
  expect(value == 6.0 && de_da == 2.0 && de_db == 5.0, "e = 6, de/da = 2, de/db = 5");
}
