// A layer of one's own: a learnable quadratic unit, y = a x^2 + b x + c for each feature. It trains, is
// checked, saved and loaded like the library's own.
#include <cstdio>

#include <splot/autodiff/check_gradients.h>
#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

/// y = a x^2 + b x + c        x[n, size] -> y[n, size]
class Quadratic final : public Layer {
 public:
  explicit Quadratic(Index size)
      : size_(size), a_({size}, kFloat32), b_({size}, kFloat32), c_({size}, kFloat32) {}

  Tensor forward(const Tensor& x, Context&) override { return (a_ * x + b_) * x + c_; }

  void visit(Visitor& v) override {
    v.argument("size", size_);
    v.parameter("a", a_, init::normal(0.0, 0.1));
    v.parameter("b", b_, init::ones());
    v.parameter("c", c_, init::zeros());
  }

 private:
  Index size_;
  Parameter a_, b_, c_;  // [size]
};

}  // namespace

int main() {
  // Registered, the type is found by name when a model file is loaded.
  register_layer("quadratic", typeid(Quadratic),
                 [](const Arguments& a, auto) { return std::make_shared<Quadratic>(a.integer("size")); });

  Quadratic checked(3);
  convert(checked, kFloat64);
  const GradientCheck check =
      check_gradients([&](std::span<const Tensor> in) { return TensorList{checked(in[0])}; },
                      {tensor({{0.3, -0.7, 1.2}, {0.5, 0.1, -0.4}})});
  std::printf("derivatives: %d comparisons, worst error %.1e\n", check.comparisons, check.worst.error);
  expect(check.passed, "the layer can be differentiated twice");

  // y = 3 x^2 - 2 x + 1 is learned exactly: three numbers.
  const Tensor x = reshape(linspace(-1.0, 1.0, 21, kFloat32), {21, 1});
  const Tensor y = 3.0 * x * x - 2.0 * x + 1.0;
  Sequential net(Quadratic(1));
  initialize(net, 1);
  SGD optimizer(named_parameters(net), {.lr = 0.1, .momentum = 0.9});
  for (int step = 0; step < 500; ++step) {
    optimizer.zero_grad();
    backward(mse_loss(net(x), y));
    optimizer.step();
  }
  for (const NamedTensor& entry : state_dict(net)) {
    std::printf("%s = %.5f\n", entry.name.c_str(), entry.value.item<double>());
  }
  expect_near(state_dict(net)[0].value.item<double>(), 3.0, 1e-3, "a is 3");

  save_model("custom_layer.safetensors", net, {.sample = {1}});
  const ModelFile loaded = load_model("custom_layer.safetensors");
  expect(weights_sha256(*loaded.model) == weights_sha256(net), "the file holds the same network");
  std::remove("custom_layer.safetensors");
}
