// Networks that travel between Splot and PyTorch, weights by name: the same outputs on either side.
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/io/npy.h"
#include "splot/models/image_models.h"
#include "splot/models/resnet.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/nn/pooling_layers.h"
#include "splot/nn/resize_layers.h"
#include "splot/nn/sequential.h"
#include "splot/ops/random.h"
#include "splot/train/model_file.h"

#include "tests/support/python.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

class TorchExchange : public ::testing::Test {
 protected:
  void SetUp() override {
    python_ = test::python_with("torch");
    if (python_.empty()) GTEST_SKIP() << "there is no PyTorch; Debian calls it python3-torch";
  }
  void run(const std::string& arguments) {
    const std::string line =
        "'" + python_ + "' '" SPLOT_TESTS_DIR "/../scripts/torch_exchange.py' " + arguments;
    ASSERT_EQ(std::system(line.c_str()), 0) << line;
  }
  // Both sum in another order: a few units in the last place of the largest term.
  void expect_same(const Tensor& ours, const Tensor& theirs, double tolerance32 = 2e-6) {
    ASSERT_EQ(ours.shape(), theirs.shape());
    ASSERT_EQ(ours.dtype(), theirs.dtype());
    const double tolerance = ours.dtype() == kFloat64 ? 1e-14 : tolerance32;
    const std::vector<double> a = ours.to_vector<double>();
    const std::vector<double> b = theirs.to_vector<double>();
    double spread = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i], b[i], tolerance * std::max(1.0, std::abs(b[i]))) << "at " << i;
      spread = std::max(spread, std::abs(b[i] - b[0]));
    }
    EXPECT_GT(spread, 1e-3) << "outputs that are all the same show nothing";
  }

  std::string python_;
  test::TempFolder folder_;
};

TEST_F(TorchExchange, WhatPyTorchBuiltComputesTheSameHere) {
  run("demo '" + folder_.path() + "'");
  for (const char* name : {"classifier", "activations", "images", "sizes", "lines", "graph", "double"}) {
    SCOPED_TRACE(name);
    const ModelFile file = load_model(folder_.file(name + std::string(".safetensors")));
    const Tensor x = load_npy(folder_.file(name + std::string("_x.npy")));
    expect_same((*file.model)(x), load_npy(folder_.file(name + std::string("_y.npy"))));
  }
}

TEST_F(TorchExchange, WhatSplotBuiltComputesTheSameThere) {
  Sequential net(Flatten(), Linear(12, 20), ReLU(), Dropout({.p = 0.3}), Linear(20, 9), GELU(),
                 PReLU({.channels = 9}));
  net.add("head", Sequential(Linear(9, 6), ELU({.alpha = 0.5}), Linear(6, 4), LogSoftmax({.axis = 1})));
  initialize(net, 5);
  const Tensor x = normal({3, 3, 4}, RandomKey{.seed = 2, .stream = stream_of("test.torch"), .counter = 0});
  save_model(folder_.file("net.safetensors"), net, {.sample = {3, 4}});
  save_npy(folder_.file("x.npy"), x);
  run("run '" + folder_.file("net.safetensors") + "' '" + folder_.file("x.npy") + "' '" +
      folder_.file("y.npy") + "'");
  expect_same(net(x), load_npy(folder_.file("y.npy")));
}

TEST_F(TorchExchange, ImagesAreComputedTheSameThere) {
  Sequential net(Conv2d(2, 6, {3}, {.padding = {1}}), BatchNorm2d(6), ReLU(), MaxPool2d({2}),
                 Conv2d(6, 6, {3}, {.same = true, .groups = 3}), GroupNorm(3, 6),
                 AvgPool2d({2, 1}, {.divisor = 3}), GlobalAvgPool(), BatchNorm1d(6), LayerNorm({6}));
  initialize(net, 5);
  Context learning{.training = true};
  const RandomKey key{.seed = 3, .stream = stream_of("test.torch"), .counter = 0};
  net(normal({8, 2, 9, 8}, key), learning);  // running statistics that are not those a network begins with
  const Tensor x = normal({3, 2, 9, 8}, key.with_stream(stream_of("x")));
  save_model(folder_.file("net.safetensors"), net, {.sample = {2, 9, 8}});
  save_npy(folder_.file("x.npy"), x);
  run("run '" + folder_.file("net.safetensors") + "' '" + folder_.file("x.npy") + "' '" +
      folder_.file("y.npy") + "'");
  expect_same(net(x), load_npy(folder_.file("y.npy")));
}

TEST_F(TorchExchange, LayersThatResizeComputeTheSameThere) {
  Sequential net(Pad2d({1, 2}, {.value = 0.5}), Conv2d(2, 3, {3}), Upsample({2}), Conv2d(3, 3, {3}),
                 Pad2d({3}, {.mode = PadMode::reflect}), Resize({9, 11}, {.align_corners = true}),
                 Pad2d({0, 1, 2, 3}, {.mode = PadMode::edge}), Conv2d(3, 4, {2}),
                 Upsample({2, 3}, {.mode = ResizeMode::nearest}), Resize({13}, {.mode = ResizeMode::nearest}),
                 GlobalMaxPool());
  initialize(net, 5);
  const Tensor x =
      normal({3, 2, 6, 5}, RandomKey{.seed = 3, .stream = stream_of("test.torch"), .counter = 0});
  save_model(folder_.file("net.safetensors"), net, {.sample = {2, 6, 5}});
  save_npy(folder_.file("x.npy"), x);
  run("run '" + folder_.file("net.safetensors") + "' '" + folder_.file("x.npy") + "' '" +
      folder_.file("y.npy") + "'");
  expect_same(net(x), load_npy(folder_.file("y.npy")));
}

TEST_F(TorchExchange, ModelsComputeTheSameThere) {
  const auto check = [&](const char* name, Sequential net, const Shape& sample) {
    SCOPED_TRACE(name);
    initialize(net, 7);
    Context learning{.training = true};
    const RandomKey key{.seed = 4, .stream = stream_of("test.torch"), .counter = 0};
    const auto some = [&](Index n) { return normal({n, sample[0], sample[1], sample[2]}, key); };
    net(some(16), learning);  // running statistics that are not those a network begins with
    const Tensor x = some(3);
    save_model(folder_.file("net.safetensors"), net, {.sample = sample});
    save_npy(folder_.file("x.npy"), x);
    run("run '" + folder_.file("net.safetensors") + "' '" + folder_.file("x.npy") + "' '" +
        folder_.file("y.npy") + "'");
    expect_same(net(x), load_npy(folder_.file("y.npy")), 1e-5);
  };
  check("our_cnn", models::our_cnn(), {3, 32, 32});
  check("lenet5", models::lenet5(), {1, 28, 28});
  check("resnet20", models::resnet(), {3, 32, 32});
  check("resnet20 without shortcuts", models::resnet({.skip = false}), {3, 32, 32});
  check("densenet", models::densenet({.depth = 10, .growth = 4}), {3, 16, 16});
}

// Through PyTorch's own file and back: the same names, the same bits.
TEST_F(TorchExchange, ThereAndBackChangesNoWeight) {
  Sequential net(Linear(5, 4), BatchNorm1d(4), Tanh(), Linear(4, 3));
  initialize(net, 6);
  const std::string there = folder_.file("net.safetensors"), back = folder_.file("back.safetensors");
  save_model(there, net, {.sample = {5}});
  run("to-torch '" + there + "' '" + folder_.file("net.pt") + "'");
  run("to-splot '" + folder_.file("net.pt") + "' '" + back + "' --sample 5");
  EXPECT_EQ(weights_sha256(*load_model(back).model), weights_sha256(net));
}

}  // namespace
}  // namespace splot
