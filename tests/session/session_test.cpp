// InferenceSession: the same answers as the layers give, from several threads, and its errors.
#include "splot/session/session.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/node.h"
#include "splot/models/image_models.h"
#include "splot/models/lecture_networks.h"
#include "splot/models/network3.h"
#include "splot/models/resnet.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

Tensor drawn(const Shape& shape, std::uint64_t seed) { return normal(shape, RandomKey{.seed = seed}); }

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = contiguous(a), y = contiguous(b);
  return x.shape() == y.shape() &&
         std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.numel()) * x.dtype().size()) == 0;
}

// Statistics that are not those which batch norm begins with.
void learn_statistics(Layer& net, const Shape& batch) {
  const NoGrad off;
  for (std::uint64_t i = 0; i < 2; ++i) {
    Context context{.training = true, .key = {.seed = 5, .counter = i}};
    net(0.7 * drawn(batch, i) + 0.2, context);
  }
}

// How far two results are apart, in parts of the largest element.
double difference(const Tensor& got, const Tensor& expected) {
  const std::vector<double> a = got.to_vector<double>(), b = expected.to_vector<double>();
  double largest = 0.0, off = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(b[i]));
    off = std::max(off, std::isfinite(a[i]) ? std::abs(a[i] - b[i]) : HUGE_VAL);
  }
  return off / largest;
}

void expect_agreement(const char* name, Layer& net, const Shape& sample) {
  Ints sizes = {4};
  for (const Index size : sample) sizes.push_back(size);
  initialize(net, 3);
  // Some begin with layers of zeros.
  for (NamedParameter& p : named_parameters(net)) {
    p.parameter.assign(p.parameter.value().detach() + 0.02 * drawn(p.parameter.shape(), stream_of(p.name)));
  }
  learn_statistics(net, Shape(sizes));
  InferenceSession session(net);
  for (const Index examples : {1, 2, 16, 70}) {
    sizes[0] = examples;
    const Tensor x = drawn(Shape(sizes), 11);
    const NoGrad off;
    EXPECT_LT(difference(session.run(x), net(x)), 1e-5) << name << ", " << examples << " examples";
  }
}

TEST(Session, AgreesWithEveryModel) {
  const auto check = [](const char* name, Sequential net, const Shape& sample) {
    expect_agreement(name, net, sample);
  };
  check("our_cnn", models::our_cnn(), {3, 32, 32});
  check("our_multilayer_perceptron", models::our_multilayer_perceptron(), {3, 32, 32});
  check("lenet5", models::lenet5(), {1, 28, 28});
  check("resnet-20", models::resnet(), {3, 32, 32});
  check("resnet-8 without shortcuts", models::resnet({.depth = 8, .skip = false}), {3, 32, 32});
  check("densenet-10", models::densenet({.depth = 10, .growth = 4}), {3, 32, 32});
  check("network3 with convolutions", models::network3(models::Network3::conv2), {1, 28, 28});
  check("network3 with dropout", models::network3(models::Network3::dropout), {1, 28, 28});
  for (const auto kind : {models::LectureNetwork::cnn, models::LectureNetwork::dropout,
                          models::LectureNetwork::batch_norm, models::LectureNetwork::vgg_batch_norm}) {
    check("lecture network", models::lecture_network(kind), {1, 28, 28});
  }
}

TEST(Session, AgreesInFloat64) {
  Sequential net(Conv2d(2, 3, {3}, {.padding = {1}, .dtype = kFloat64}), BatchNorm2d(3, {.dtype = kFloat64}),
                 ReLU(), Flatten(), Linear(3 * 36, 7, {.dtype = kFloat64}), ReLU());
  initialize(net, 1);
  InferenceSession session(net);
  const Tensor x = cast(drawn({2, 2, 6, 6}, 1), kFloat64);
  EXPECT_LT(difference(session.run(x), net(x)), 1e-14);
  EXPECT_EQ(session.dtype(), kFloat64);
}

TEST(Session, MakesTwoCallsOfTwoLayers) {
  Sequential net(Linear(784, 16), ReLU(), Linear(16, 10));
  InferenceSession session(net);
  EXPECT_EQ(session.graph_for({1, 784}).to_string(),
            "%0 = argument 0: float32[1, 784]\n"
            "%1 = constant: float32[16]\n"
            "%2 = constant: float32[10]\n"
            "%3 = constant: float32[2, 49, 8, 16]\n"
            "%4 = constant: float32[2, 1, 8, 16]\n"
            "%5 = linear_packed(%0, %3, %1, relu=true): float32[1, 16]\n"
            "%6 = linear_packed(%5, %4, %2, relu=false): float32[1, 10]\n"
            "return %6\n");
}

// Every block of ResNet-20 is two convolutions, and a shortcut that changes size is two calls more; then
// come the pooling and the linear layer.
TEST(Session, AResNetIsConvolutionsAlone) {
  Sequential net = models::resnet();
  InferenceSession session(net);
  const Graph graph = session.graph_for({1, 3, 32, 32});
  std::size_t convolutions = 0, elementwise = 0;
  for (const GraphCall& call : graph.calls) {
    const std::string_view name = call.op->name;
    convolutions += name.starts_with("conv2d") ? 1 : 0;
    elementwise += call.op->elementwise != nullptr ? 1 : 0;
  }
  EXPECT_EQ(convolutions, 19u);
  EXPECT_EQ(elementwise, 0u) << graph.to_string();
  const SessionMemory memory = session.memory_for({1, 3, 32, 32});
  EXPECT_GT(memory.constants, std::size_t{4} * 270'000);
  EXPECT_GT(memory.plan.planned, 0u);
}

TEST(Session, GivesTheSameBitsToAnyNumberOfThreads) {
  Sequential net = models::resnet({.depth = 8});
  initialize(net, 1);
  InferenceSession session(net);
  const Tensor x = drawn({1, 3, 32, 32}, 1);
  const int before = cpu::num_threads();
  cpu::set_num_threads(1);
  const Tensor expected = session.run(x);
  for (const int threads : {2, 5}) {
    cpu::set_num_threads(threads);
    EXPECT_TRUE(same_bits(session.run(x), expected)) << threads << " threads";
  }
  cpu::set_num_threads(before);
}

// Shapes are met for the first time by several callers at once, and there is not room for all of them.
TEST(Session, AnswersSeveralCallersAtOnce) {
  Sequential net = models::our_cnn();
  initialize(net, 1);
  InferenceSession session(net, {.shapes = 2});
  std::vector<Tensor> inputs, expected;
  for (Index i = 0; i < 6; ++i) {
    inputs.push_back(drawn({1 + i % 3, 3, 32, 32}, static_cast<std::uint64_t>(i)));
    expected.push_back(InferenceSession(net).run(inputs.back()));
  }
  std::vector<std::thread> callers;
  std::vector<int> wrong(4);
  for (std::size_t caller = 0; caller < wrong.size(); ++caller) {
    callers.emplace_back([&, caller] {
      std::vector<Tensor> kept;  // results stay what they are while others run
      for (std::size_t i = 0; i < 24; ++i) kept.push_back(session.run(inputs[(i + caller) % inputs.size()]));
      for (std::size_t i = 0; i < kept.size(); ++i) {
        wrong[caller] += same_bits(kept[i], expected[(i + caller) % expected.size()]) ? 0 : 1;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
  EXPECT_GE(session.made(), 3u);
}

TEST(Session, KeepsPlansForSomeShapes) {
  Sequential net(Linear(3, 2));
  InferenceSession session(net, {.shapes = 2});
  for (const Index rows : {1, 2, 1, 2}) session.run(ones({rows, 3}));
  EXPECT_EQ(session.made(), 2u);
  session.run(ones({3, 3}));  // one row was not used for longest
  session.run(ones({2, 3}));
  EXPECT_EQ(session.made(), 3u);
  session.run(ones({1, 3}));
  EXPECT_EQ(session.made(), 4u);
  EXPECT_ERROR(ValueError, InferenceSession(net, {.shapes = 0}),
               "[session] needs room for one shape of inputs");
}

TEST(Session, KeepsTheWeightsItWasMadeWith) {
  Sequential net(Linear(3, 2));
  initialize(net, 1);
  InferenceSession session(net);
  const Tensor expected = net(ones({1, 3}));
  const Tensor first = session.run(ones({1, 3}));
  for (NamedParameter& p : named_parameters(net)) p.parameter.assign(7.0 * p.parameter.value().detach());
  EXPECT_TRUE(same_bits(session.run(ones({1, 3})), first));
  EXPECT_LT(difference(slice(session.run(ones({2, 3})), 0, 1, 2), expected), 1e-6);  // traced only now
}

TEST(Session, TakesInputsInAnyOrderOfMemory) {
  Sequential net(Linear(3, 2));
  InferenceSession session(net);
  const Tensor x = drawn({3, 4}, 1);
  EXPECT_TRUE(same_bits(session.run(transpose(x, 0, 1)), session.run(contiguous(transpose(x, 0, 1)))));
  EXPECT_EQ(session.made(), 1u);
}

TEST(Session, LeavesPassesOut) {
  Sequential net(Linear(20, 4), ReLU());
  InferenceSession session(net, {.passes = {.without = {"pack-weights"}}});
  const Tensor x = drawn({1, 20}, 1);
  EXPECT_TRUE(same_bits(session.run(x), net(x)));
}

// --- model files

ModelInfo picture_info() {
  return {.sample = {1, 6, 6},
          .preprocessing = {.divisor = 255.0, .mean = 0.25, .deviation = 0.5},
          .classes = {"a", "b"}};
}

Tensor bytes(const Shape& shape) { return cast(floor(uniform(shape, RandomKey{.seed = 4}) * 256.0), kUInt8); }

TEST(Session, PreparesExamplesAsTheModelFileSays) {
  const test::TempFolder folder;
  Sequential net(Flatten(), Linear(36, 2));
  initialize(net, 1);
  save_model(folder.file("m.safetensors"), net, picture_info());
  InferenceSession session = InferenceSession::open(folder.file("m.safetensors"));
  const Tensor stored = bytes({3, 1, 6, 6});
  const Tensor seen = (cast(stored, kFloat32) / 255.0 - 0.25) / 0.5;
  EXPECT_LT(difference(session.predict(stored), net(seen)), 1e-6);
  EXPECT_EQ(session.info().classes.size(), 2u);
}

TEST(Session, CutsOutTheMiddleOfLargerPictures) {
  Sequential net(Flatten(), Linear(16, 2));
  initialize(net, 1);
  ModelInfo info = picture_info();
  info.sample = {1, 4, 4};
  info.uncut = Shape{1, 6, 6};
  InferenceSession session(ModelFile{std::make_shared<Sequential>(std::move(net)), info});
  const Tensor stored = bytes({2, 1, 6, 6});
  const Tensor middle = slice(slice(stored, 2, 1, 5), 3, 1, 5);
  const Tensor seen = (cast(middle, kFloat32) / 255.0 - 0.25) / 0.5;
  EXPECT_LT(difference(session.predict(stored), session.run(seen)), 1e-6);
  EXPECT_ERROR(ShapeError, session.predict(bytes({2, 1, 4, 4})),
               "[session] the network takes examples [n, 1, 6, 6], got [2, 1, 4, 4]");
}

TEST(Session, SaysWhatDoesNotFit) {
  auto net = std::make_shared<Sequential>(Flatten(), Linear(36, 2));
  initialize(*net, 1);
  InferenceSession session(ModelFile{net, picture_info()});
  EXPECT_ERROR(
      ShapeError, session.run(zeros({2, 1, 5, 6})),
      "[session] x[2, 1, 5, 6] does not fit, the network takes [n, 1, 6, 6]: 1: [linear] x[2, 30] has 30 "
      "columns, w[2, 36] takes 36");
  EXPECT_ERROR(DTypeError, session.run(bytes({2, 1, 6, 6})),
               "[session] the network takes float32, got uint8[2, 1, 6, 6]; predict() takes examples as they "
               "are stored");
  EXPECT_ERROR(ValueError, session.run(Tensor()), "[session] x is an undefined tensor");
  EXPECT_ERROR(ValueError, session.predict(Tensor()), "[session] the examples are an undefined tensor");
  EXPECT_ERROR(ValueError, InferenceSession(ModelFile{}), "[session] the model file holds no network");
  Sequential alone(Linear(36, 2));
  EXPECT_ERROR(ValueError, InferenceSession(alone).predict(zeros({1, 36})),
               "[session] only a model file says how examples are stored; use run()");
  EXPECT_THROW(InferenceSession::open("none.safetensors"), IoError);
}

// A layer that writes when it runs, and one that looks at numbers.
class Counting final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override {
    count_ = count_ + 1.0;
    return x;
  }
  void visit(Visitor& v) override { v.buffer("count", count_); }

 private:
  Tensor count_ = zeros({});
};

class Deciding final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override { return sum(x).item<float>() > 0 ? x : -x; }
};

TEST(Session, RefusesNetworksThatDoMoreThanAnswer) {
  Counting counting;
  EXPECT_ERROR(ValueError, InferenceSession(counting).run(ones({2})),
               "[session] the network changes count when it runs; a session runs what only answers");
  Deciding deciding;
  EXPECT_THROW(InferenceSession(deciding).run(ones({2})), TraceError);
}

}  // namespace
}  // namespace splot
