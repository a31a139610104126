// The nine activations of the lectures with their derivatives, drawn as one SVG figure.
//
//   activations [FILE.svg]        writes activations.svg where no name is given
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

// One panel: x from -4 to 4, y from -2 to 4, in a box of this many units.
constexpr double kWidth = 300, kHeight = 225, kLeft = 36, kTop = 52, kMargin = 24;
constexpr double kXMin = -4, kXMax = 4, kYMin = -2, kYMax = 4;

double to_x(double x) { return (x - kXMin) / (kXMax - kXMin) * kWidth; }
double to_y(double y) { return kHeight - (y - kYMin) / (kYMax - kYMin) * kHeight; }

// A curve, broken where it jumps, so that a step is not drawn as a slope.
std::string curve(const std::vector<double>& xs, const std::vector<double>& ys, const char* style) {
  std::string points;
  bool pen_down = false;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const bool inside = ys[i] >= kYMin && ys[i] <= kYMax;
    const bool jump = i > 0 && std::abs(ys[i] - ys[i - 1]) > 0.3;
    if (inside) {
      char text[64];
      std::snprintf(text, sizeof text, "%c%.2f %.2f", pen_down && !jump ? 'L' : 'M', to_x(xs[i]),
                    to_y(ys[i]));
      points += text;
    }
    pen_down = inside;
  }
  return "<path d=\"" + points + "\" " + style + "/>\n";
}

std::string label(double x, double y, const char* attributes, const std::string& text) {
  char head[160];
  std::snprintf(head, sizeof head, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
  std::string escaped;
  for (const char c : text) escaped += c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return head + escaped + "</text>\n";
}

std::string axes() {
  std::string out;
  char text[200];
  for (int x = -4; x <= 4; x += 2) {
    std::snprintf(text, sizeof text, "<path d=\"M%.1f 0V%.1f\" stroke=\"%s\"/>\n", to_x(x), kHeight,
                  x == 0 ? "#777" : "#ddd");
    out += text + label(to_x(x), kHeight + 15, "text-anchor=\"middle\" font-size=\"11\"", std::to_string(x));
  }
  for (int y = -2; y <= 4; y += 2) {
    std::snprintf(text, sizeof text, "<path d=\"M0 %.1fH%.1f\" stroke=\"%s\"/>\n", to_y(y), kWidth,
                  y == 0 ? "#777" : "#ddd");
    out += text + label(-7, to_y(y) + 4, "text-anchor=\"end\" font-size=\"11\"", std::to_string(y));
  }
  return out +
         label(kWidth - 4, to_y(0) - 5, "text-anchor=\"end\" font-size=\"11\" font-style=\"italic\"", "x");
}

std::string panel(const Activation& activation, double left, double top) {
  const Tensor x = linspace(kXMin, kXMax, 801, kFloat64).variable();
  const Tensor y = activation.f(x);
  const Tensor dy = grad(sum(y), {x})[0];
  const std::vector<double> xs = x.to_vector<double>();
  char head[80];
  std::snprintf(head, sizeof head, "<g transform=\"translate(%.1f %.1f)\">\n", left, top);
  return head + label(0, -24, "font-size=\"16\" font-weight=\"bold\"", activation.name) +
         label(0, -8, "font-size=\"12\"", activation.formula) + axes() +
         curve(xs, dy.to_vector<double>(),
               "fill=\"none\" stroke=\"#d95f02\" stroke-width=\"2\" stroke-dasharray=\"5 3\"") +
         curve(xs, y.to_vector<double>(), "fill=\"none\" stroke=\"#1b6ca8\" stroke-width=\"2.5\"") + "</g>\n";
}

std::string figure() {
  const double step_x = kLeft + kWidth + kMargin, step_y = kTop + kHeight + kMargin;
  char head[300];
  std::snprintf(
      head, sizeof head,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\">\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
      3 * step_x + 12, 3 * step_y + 44);
  std::string out = head;
  for (std::size_t i = 0; i < activations().size(); ++i) {
    out += panel(activations()[i], kLeft + static_cast<double>(i % 3) * step_x,
                 kTop + static_cast<double>(i / 3) * step_y);
  }
  const double y = 3 * step_y + 24;
  char legend[400];
  std::snprintf(legend, sizeof legend,
                "<path d=\"M36 %.0fh40\" stroke=\"#1b6ca8\" stroke-width=\"2.5\"/>\n"
                "<path d=\"M200 %.0fh40\" stroke=\"#d95f02\" stroke-width=\"2\" stroke-dasharray=\"5 3\"/>\n",
                y - 5, y - 5);
  return out + legend + label(84, y, "font-size=\"14\"", "f(x)") +
         label(248, y, "font-size=\"14\"", "its derivative f'(x)") + "</svg>\n";
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
  const std::string text = figure();
  std::FILE* file = std::fopen(path, "w");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file == nullptr || std::fclose(file) != 0 || !written) {
    std::fprintf(stderr, "cannot write %s\n", path);
    return 1;
  }
  std::printf("\nThe figure is in %s.\n", path);
}
