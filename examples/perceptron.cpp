// Rosenblatt's perceptron learns AND in a few passes and never learns XOR: no straight line separates XOR's
// corners.
#include <cstdio>

#include <splot/splot.h>

#include "expect.h"

namespace {

using namespace splot;

// The number of passes over the four corners until a pass makes no mistake; 0 when `most` were not enough.
int passes_to_learn(const Tensor& targets, int most) {
  const double corners[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
  Tensor w = zeros({2}, kFloat64);
  Tensor b = zeros({}, kFloat64);
  const std::vector<double> wanted = targets.to_vector<double>();
  for (int pass = 1; pass <= most; ++pass) {
    int mistakes = 0;
    for (int i = 0; i < 4; ++i) {
      const Tensor x = tensor({corners[i][0], corners[i][1]});
      const double y = (sum(w * x) + b > 0.0).item<double>();
      const double error = wanted[static_cast<std::size_t>(i)] - y;
      if (error == 0.0) continue;
      ++mistakes;
      w = w + error * x;
      b = b + error;
    }
    if (mistakes == 0) {
      const std::vector<double> weights = w.to_vector<double>();
      std::printf("learned in %d passes: y = 1 when %g x1 + %g x2 + %g > 0\n", pass, weights[0], weights[1],
                  b.item<double>());
      return pass;
    }
  }
  std::printf("not learned in %d passes\n", most);
  return 0;
}

}  // namespace

int main() {
  std::printf("AND: ");
  const int passes = passes_to_learn(tensor({0.0, 0.0, 0.0, 1.0}), 1000);
  expect(passes > 0 && passes < 20, "AND is learned in a few passes");

  std::printf("XOR: ");
  expect(passes_to_learn(tensor({0.0, 1.0, 1.0, 0.0}), 1000) == 0, "XOR is never learned");
}
