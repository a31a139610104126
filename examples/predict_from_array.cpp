// Inside another program: load a model file, hand it a plain array, read a plain array back.
#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

// Stands for a file made elsewhere by `splot train`: y = [x0 + x1, x0 - x1].
void write_some_model(const char* path) {
  Sequential net(Linear(2, 2, {.bias = false}));
  named_parameters(net)[0].parameter.assign(tensor({{1.0f, 1.0f}, {1.0f, -1.0f}}));
  save_model(path, net, {.sample = {2}, .classes = {"sum", "difference"}});
}

}  // namespace

int main() {
  write_some_model("predict_from_array.safetensors");

  const ModelFile file = load_model("predict_from_array.safetensors");
  const std::array<float, 2> input = {3.0f, 5.0f};
  std::vector<float> output(2);
  const NoGrad no_history;
  (*file.model)(Tensor::from(std::span<const float>(input), {1, 2})).copy_to(std::span<float>(output));

  const auto best = std::ranges::max_element(output) - output.begin();
  std::printf("outputs %g and %g; the largest is \"%s\"\n", static_cast<double>(output[0]),
              static_cast<double>(output[1]), file.info.classes[static_cast<std::size_t>(best)].c_str());
  expect(output == std::vector<float>{8.0f, -2.0f}, "the model gives 3 + 5 and 3 - 5");
  std::remove("predict_from_array.safetensors");
}
