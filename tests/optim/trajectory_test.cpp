// Every optimiser step for step against PyTorch's, under the same gradients.
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <memory>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/autodiff/autodiff.h"
#include "splot/ops/ops.h"
#include "splot/optim/clip.h"
#include "splot/optim/optimizer.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using Make = std::function<std::unique_ptr<Optimizer>(const NamedParameters&)>;

// What happens between backward() and step().
using Clip = std::function<void(const NamedParameters&)>;

template <typename O, typename Options>
Make maker(Options options) {
  return [options](const NamedParameters& p) { return std::make_unique<O>(p, options); };
}

// As scripts/golden/optim.py has them.
const std::map<std::string, Make>& variants() {
  static const std::map<std::string, Make> all = {
      {"sgd", maker<SGD>(SGDOptions{.lr = 0.1})},
      {"sgd_decay", maker<SGD>(SGDOptions{.lr = 0.1, .weight_decay = 0.01})},
      {"sgd_momentum", maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9})},
      {"sgd_momentum_decay", maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01})},
      {"sgd_nesterov", maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true})},
      {"sgd_nesterov_decay",
       maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true})},
      {"adam", maker<Adam>(AdamOptions{.lr = 0.01})},
      {"adam_options", maker<Adam>(AdamOptions{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-6})},
      {"adam_decay", maker<Adam>(AdamOptions{.lr = 0.01, .weight_decay = 0.1})},
      {"sgd_maximize",
       [](const NamedParameters& p) {
         auto out = std::make_unique<SGD>(p, SGDOptions{.lr = 0.01, .momentum = 0.9, .weight_decay = 0.01});
         out->set_maximize(true);
         return out;
       }},
      {"rmsprop", maker<RMSprop>(RMSpropOptions{.lr = 0.01})},
      {"rmsprop_decay",
       maker<RMSprop>(RMSpropOptions{.lr = 0.01, .alpha = 0.9, .eps = 1e-6, .weight_decay = 0.1})},
      {"rmsprop_momentum", maker<RMSprop>(RMSpropOptions{.lr = 0.01, .momentum = 0.9})},
      {"rmsprop_centered", maker<RMSprop>(RMSpropOptions{.lr = 0.01, .centered = true})},
      {"rmsprop_all", maker<RMSprop>(RMSpropOptions{
                          .lr = 0.01, .alpha = 0.9, .weight_decay = 0.1, .momentum = 0.5, .centered = true})},
      {"adagrad", maker<Adagrad>(AdagradOptions{.lr = 0.1})},
      {"adagrad_options",
       maker<Adagrad>(
           AdagradOptions{.lr = 0.1, .lr_decay = 0.01, .eps = 1e-6, .weight_decay = 0.1, .initial = 0.1})},
      {"sgd_clip_norm", maker<SGD>(SGDOptions{.lr = 0.1})},
      {"sgd_clip_value", maker<SGD>(SGDOptions{.lr = 0.1})},
      {"adamw", maker<AdamW>(AdamWOptions{.lr = 0.01})},
      {"adamw_decay", maker<AdamW>(AdamWOptions{.lr = 0.01, .beta2 = 0.99, .weight_decay = 0.1})},
  };
  return all;
}

const std::map<std::string, Clip>& clips() {
  static const std::map<std::string, Clip> all = {
      {"sgd_clip_norm", [](const NamedParameters& p) { clip_grad_norm(p, 1.25); }},
      {"sgd_clip_value", [](const NamedParameters& p) { clip_grad_value(p, 0.75); }},
  };
  return all;
}

Json golden() {
  std::ifstream file(SPLOT_TESTS_DIR "/golden/optim.json");
  return Json::parse(file);
}

Tensor tensor_of(const Json& values, const Json& shape, DType dtype) {
  const auto sizes = shape.get<std::vector<Index>>();
  return cast(Tensor::from(values.get<std::vector<double>>(), Shape(std::span<const Index>(sizes))), dtype);
}

// The largest relative difference over all steps that are written down.
double worst_difference(const Json& file, const Make& make, const Json& expected, DType dtype,
                        const Clip& clip = {}) {
  NamedParameters parameters;
  for (std::size_t i = 0; i < file["start"].size(); ++i) {
    parameters.push_back(
        {join("p", i), Parameter(tensor_of(file["start"][i], file["shapes"][i], dtype), join("p", i))});
  }
  const auto optimizer = make(parameters);
  double worst = 0.0;
  std::size_t compared = 0;
  int step = 0;
  for (const Json& gradients : file["gradients"]) {
    ++step;
    if (step == file["halve_lr_before_step"].get<int>()) optimizer->set_lr(0.5 * optimizer->lr());
    optimizer->zero_grad();
    Tensor loss = zeros({}, dtype);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      loss = loss + sum(parameters[i].parameter * tensor_of(gradients[i], file["shapes"][i], dtype));
    }
    backward(loss);
    if (clip) clip(parameters);
    optimizer->step();
    if (!expected.contains(std::to_string(step))) continue;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const auto want = expected[std::to_string(step)][i].get<std::vector<double>>();
      const auto got = parameters[i].parameter.value().to_vector<double>();
      for (std::size_t k = 0; k < want.size(); ++k) {
        worst = std::max(worst, std::abs(got[k] - want[k]) / std::max(1.0, std::abs(want[k])));
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 7u * 9u);
  return worst;
}

TEST(Trajectory, MatchesPyTorchStepForStep) {
  const Json file = golden();
  std::size_t runs = 0;
  for (const auto& [name, make] : variants()) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Json& expected = file["trajectories"].at(join(name, '/', dtype));
      const auto clip = clips().find(name);
      EXPECT_LE(worst_difference(file, make, expected, dtype, clip == clips().end() ? Clip() : clip->second),
                dtype == kFloat64 ? 1e-13 : 1e-6)
          << name << ", " << dtype.name();
      ++runs;
    }
  }
  EXPECT_EQ(runs, file["trajectories"].size());
}

// The comparison itself must be able to fail.
TEST(Trajectory, AnotherOptionIsFound) {
  const Json file = golden();
  const Json& adam = file["trajectories"].at("adam/float64");
  EXPECT_GT(worst_difference(file, maker<Adam>(AdamOptions{.lr = 0.01, .eps = 1e-7}), adam, kFloat64), 1e-10);
  const Json& sgd = file["trajectories"].at("sgd_nesterov/float64");
  EXPECT_GT(worst_difference(file, variants().at("sgd_momentum"), sgd, kFloat64), 1e-3);
}

}  // namespace
}  // namespace splot
