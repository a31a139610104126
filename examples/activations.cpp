// The nine activations of the lectures with their derivatives, drawn as one SVG figure.
//
//   activations [FILE.svg]        writes activations.svg where no name is given
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

namespace {

using namespace splot;

struct Activation {
  const char* name;
  const char* formula;
  std::function<Tensor(const Tensor&)> f;
  double at_one;        // f(1)
  double slope_at_one;  // f'(1)
};

const std::vector<Activation>& activations() {
  static const std::vector<Activation> all = {
      {"identity", "x", [](const Tensor& x) { return identity(x); }, 1.0, 1.0},
      {"binary step", "0 for x < 0, else 1", [](const Tensor& x) { return binary_step(x); }, 1.0, 0.0},
      {"logistic", "1 / (1 + exp(-x))", [](const Tensor& x) { return sigmoid(x); }, 0.7310585786300049,
       0.19661193324148185},
      {"tanh", "tanh(x)", [](const Tensor& x) { return tanh(x); }, 0.7615941559557649, 0.41997434161402614},
      {"arctan", "atan(x)", [](const Tensor& x) { return atan(x); }, 0.7853981633974483, 0.5},
      {"ReLU", "max(0, x)", [](const Tensor& x) { return relu(x); }, 1.0, 1.0},
      {"PReLU", "x for x > 0, else a x   (a = 0.25)",
       [](const Tensor& x) { return prelu(x, tensor({0.25})); }, 1.0, 1.0},
      {"ELU", "x for x > 0, else exp(x) - 1", [](const Tensor& x) { return elu(x); }, 1.0, 1.0},
      {"SoftPlus", "log(1 + exp(x))", [](const Tensor& x) { return softplus(x); }, 1.3132616875182228,
       0.7310585786300049},
  };
  return all;
}

// y(x) without the slope that a line over a jump would show: the curve is broken there.
std::vector<double> broken_at_jumps(std::vector<double> ys) {
  double before = ys.front();
  for (double& y : ys) {
    const bool jump = std::abs(y - before) > 0.3;
    before = y;
    if (jump) y = std::nan("");
  }
  return ys;
}

LinePlot panel(const Activation& activation) {
  const Tensor x = linspace(-4, 4, 801, kFloat64).variable();
  const Tensor y = activation.f(x);
  const Tensor dy = grad(sum(y), {x})[0];
  const std::vector<double> xs = x.to_vector<double>();
  LinePlot plot{.title = activation.name,
                .x = {.label = "x"},
                .y = {.label = "f(x)", .low = -2.0, .high = 4.0},
                .series = {}};
  plot.series.push_back({.name = "its derivative f'(x)",
                         .x = xs,
                         .y = broken_at_jumps(dy.to_vector<double>()),
                         .color = 1,
                         .stroke = Stroke::dashed});
  plot.series.push_back({.name = "f(x)", .x = xs, .y = broken_at_jumps(y.to_vector<double>()), .color = 0});
  return plot;
}

// Three rows of three panels, with one legend for all.
Svg figure() {
  constexpr double kWidth = 300, kHeight = 225, kLeft = 36, kTop = 52, kMargin = 24;
  const double step_x = kLeft + kWidth + kMargin, step_y = kTop + kHeight + kMargin;
  Svg svg(3 * step_x + 12, 3 * step_y + 44, "Nine activations and their derivatives");
  for (std::size_t i = 0; i < activations().size(); ++i) {
    svg.begin_group(kLeft + static_cast<double>(i % 3) * step_x, kTop + static_cast<double>(i / 3) * step_y);
    svg.text(0, -26, activations()[i].name, "title");
    svg.text(0, -9, activations()[i].formula, "soft");
    draw_panel(svg, panel(activations()[i]), kWidth, kHeight);
    svg.end_group();
  }
  const double y = 3 * step_y + 24;
  svg.line(36, y - 5, 76, y - 5, "line c0");
  svg.text(84, y, "f(x)");
  svg.line(200, y - 5, 240, y - 5, "line c1 dash");
  svg.text(248, y, "its derivative f'(x)");
  return svg;
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%-12s %-36s %10s %10s\n", "activation", "f(x)", "f(1)", "f'(1)");
  for (const Activation& activation : activations()) {
    const Tensor x = scalar(1.0).variable();
    const Tensor y = activation.f(x);
    const double slope = grad(y, {x})[0].item<double>();
    std::printf("%-12s %-36s %10.6f %10.6f\n", activation.name, activation.formula, y.item<double>(), slope);
    expect_near(y.item<double>(), activation.at_one, 1e-12, activation.name);
    expect_near(slope, activation.slope_at_one, 1e-12, activation.name);
  }

  const char* path = argc > 1 ? argv[1] : "activations.svg";
  write_file(path, figure().file());
  std::printf("\nThe figure is in %s.\n", path);
}
