#include "tests/compiler/export_cases.h"

#include <cctype>

#include "splot/core/error.h"
#include "splot/graph/trace.h"
#include "splot/ops/ops.h"

namespace splot::test {
namespace {

const std::vector<ExportCase>& cases_of_both() {
  using W = std::span<const Tensor>;
  static const std::vector<ExportCase> cases = {
      {"linear", {1, 7}, {{5, 7}, {5}}, [](const Tensor& x, W w) { return linear(x, w[0], w[1]); }},
      {"linear of one number",
       {1, 1},
       {{1, 1}, {1}},
       [](const Tensor& x, W w) { return linear(x, w[0], w[1]); }},
      {"conv2d",
       {1, 3, 7, 6},
       {{4, 3, 3, 2}, {4}},
       [](const Tensor& x, W w) { return conv2d(x, w[0], w[1]); }},
      {"conv2d of two images",
       {2, 2, 5, 5},
       {{3, 2, 3, 3}},
       [](const Tensor& x, W w) { return conv2d(x, w[0], {.padding = {1}}); }},
      {"conv2d with all options",
       {1, 4, 9, 8},
       {{6, 2, 3, 2}, {6}},
       [](const Tensor& x, W w) {
         return conv2d(x, w[0], w[1],
                       {.stride = {2, 3}, .padding = {0, 2, 3, 1}, .dilation = {2, 1}, .groups = 2});
       }},
      {"conv2d by channel",
       {1, 4, 5, 5},
       {{8, 1, 3, 3}, {8}},
       [](const Tensor& x, W w) { return conv2d(x, w[0], w[1], {.padding = {1}, .groups = 4}); }},
      {"conv2d of single pixels with a frame",
       {1, 1, 3, 3},
       {{1, 1, 1, 1}},
       [](const Tensor& x, W w) { return conv2d(x, w[0], {.padding = {2}}); }},
      {"conv1d",
       {1, 3, 11},
       {{2, 3, 4}, {2}},
       [](const Tensor& x, W w) { return conv1d(x, w[0], w[1], {.stride = {2}, .padding = {1}}); }},
      {"max_pool2d", {1, 2, 6, 7}, {}, [](const Tensor& x, W) { return max_pool2d(x, {2}); }},
      {"max_pool2d with all options",
       {1, 2, 7, 8},
       {},
       [](const Tensor& x, W) {
         return max_pool2d(x, {3, 2},
                           {.stride = {2, 3}, .padding = {1, 1}, .dilation = {2, 1}, .ceil_mode = true});
       }},
      {"avg_pool2d",
       {1, 2, 6, 7},
       {},
       [](const Tensor& x, W) {
         return avg_pool2d(x, {2, 3});
       }},
      {"avg_pool2d, rounded up",
       {1, 2, 7, 8},
       {},
       [](const Tensor& x, W) {
         return avg_pool2d(x, {3}, {.stride = {2}, .padding = {1}, .ceil_mode = true});
       }},
      {"avg_pool2d without its frame",
       {1, 2, 7, 8},
       {},
       [](const Tensor& x, W) {
         return avg_pool2d(x, {3},
                           {.stride = {2}, .padding = {1}, .ceil_mode = true, .count_include_pad = false});
       }},
      {"avg_pool2d with a divisor",
       {1, 2, 7, 8},
       {},
       [](const Tensor& x, W) { return avg_pool2d(x, {3}, {.padding = {1}, .divisor = 5}); }},
      {"avg_pool2d of single pixels",
       {1, 3, 5, 6},
       {},
       [](const Tensor& x, W) { return avg_pool2d(x, {1}, {.stride = {2}}); }},
      {"adaptive_avg_pool2d",
       {1, 2, 7, 5},
       {},
       [](const Tensor& x, W) {
         return adaptive_avg_pool2d(x, {3, 2});
       }},
  };
  return cases;
}

}  // namespace

std::vector<ExportCase> export_cases_and(const std::vector<ExportCase>& more) {
  std::vector<ExportCase> out = cases_of_both();
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

Tensor drawn(const Shape& shape, std::uint64_t stream) {
  return uniform(shape, RandomKey{.seed = 5, .stream = stream}) * 2.0 - 1.0;
}

std::vector<Tensor> weights_of(const ExportCase& c) {
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < c.weights.size(); ++i) out.push_back(drawn(c.weights[i], 100 + i));
  return out;
}

Graph graph_of(const ExportCase& c, std::vector<Tensor>& weights, DType dtype) {
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < weights.size(); ++i)
    slots.emplace_back(join("layer", i, i == 0 ? ".weight" : ".bias"), &weights[i]);
  return trace([&](std::span<const Tensor> in, std::uint64_t) { return TensorList{c.run(in[0], weights)}; },
               TensorList{Tensor::without_elements(c.input, dtype)}, {.slots = slots});
}

std::string parameter_name(const ExportCase& c) {
  std::string name = c.name;
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
}

}  // namespace splot::test
