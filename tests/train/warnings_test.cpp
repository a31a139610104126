#include "splot/train/warnings.h"

#include <cmath>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/norms.h"
#include "splot/train/trainer.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

// Three clouds of points, a class each; the examples come class by class.
Dataset clouds(Index n, std::vector<std::string> names = {"a", "b", "c"}, float scale = 1.0f) {
  RandomStream random({.seed = 5, .stream = stream_of("clouds"), .counter = 0});
  std::vector<float> points;
  std::vector<std::int64_t> classes;
  for (Index i = 0; i < n; ++i) {
    const Index c = i * 3 / n;
    points.push_back(scale * static_cast<float>(random.normal() * 0.4 + (c == 0 ? -1.5 : 1.5)));
    points.push_back(scale * static_cast<float>(random.normal() * 0.4 + (c == 2 ? -1.5 : 1.5)));
    classes.push_back(c);
  }
  return Dataset("clouds", Tensor::from(points, {n, 2}), Tensor::from(classes, {n}), std::move(names));
}

Tensor softmax_loss(const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }
Tensor squares_loss(const Tensor& y, const Tensor& t) {
  return mse_loss(y, t.dtype().is_integral() ? cast(one_hot(t, y.shape()[1]), y.dtype()) : t);
}

struct Setting {
  LossFunction loss = softmax_loss;
  std::string loss_name = "cross_entropy";
  double lr = 0.1;
  Index epochs = 3;
  Index batch = 20;
  std::string watch = "val";
  const Dataset* validation = nullptr;
  bool allow_missing = false;
};

std::vector<TrainingWarning> warnings_of(Sequential& net, const Dataset& data, const Setting& s = {}) {
  SGD optimizer(named_parameters(net), {.lr = s.lr});
  optimizer.set_allow_missing(s.allow_missing);
  Trainer trainer(net, s.loss, optimizer,
                  {.epochs = s.epochs,
                   .batch_size = s.batch,
                   .keep_best = false,
                   .watch = s.watch,
                   .callbacks = {std::make_shared<NormRecorder>(),
                                 std::make_shared<MistakeWatch>(MistakeOptions{.loss = s.loss_name})}});
  return trainer.fit(data, s.validation).warnings;
}

std::string text_of_all(const std::vector<TrainingWarning>& all) {
  std::string out;
  for (const TrainingWarning& w : all) {
    out += join(w.code, " @", w.where, " #", w.epoch, ": ", w.text, '\n');
  }
  return out;
}

const TrainingWarning* find(const std::vector<TrainingWarning>& all, const std::string& code) {
  const TrainingWarning* found = nullptr;
  for (const TrainingWarning& w : all) {
    if (w.code == code) found = &w;
  }
  return found;
}

// That mistake, at that place and epoch, and no other.
#define EXPECT_ONLY(all, code_, where_, epoch_)      \
  do {                                               \
    ASSERT_EQ((all).size(), 1u) << text_of_all(all); \
    EXPECT_EQ((all)[0].code, code_);                 \
    EXPECT_EQ((all)[0].where, where_);               \
    EXPECT_EQ((all)[0].epoch, epoch_);               \
  } while (false)

TEST(Warnings, SilentWhenNothingIsWrong) {
  const Dataset data = clouds(120);
  const Dataset validation = clouds(30);
  for (const char* activation : {"relu", "tanh", "sigmoid"}) {
    Sequential net;
    net.add("0", std::make_shared<Linear>(2, 16));
    if (activation == std::string("relu")) net.add("1", std::make_shared<ReLU>());
    if (activation == std::string("tanh")) net.add("1", std::make_shared<Tanh>());
    if (activation == std::string("sigmoid")) net.add("1", std::make_shared<Sigmoid>());
    net.add("2", std::make_shared<Linear>(16, 16));
    net.add("3", std::make_shared<ReLU>());
    net.add("4", std::make_shared<Linear>(16, 3));
    initialize(net, 1);
    const std::vector<TrainingWarning> all =
        warnings_of(net, data, {.epochs = 20, .validation = &validation});
    EXPECT_TRUE(all.empty()) << activation << '\n' << text_of_all(all);
  }
}

TEST(Warnings, SoftmaxBeforeTheLoss) {
  Sequential net(Linear(2, 3), Softmax());
  const std::vector<TrainingWarning> all = warnings_of(net, clouds(60));
  EXPECT_ONLY(all, "softmax-before-loss", "1", 1);
  EXPECT_EQ(all[0].text,
            "the outputs (1) are probabilities already, and the loss takes the softmax of them once more: "
            "learning is slow and never becomes sure; leave out the softmax");
  Sequential right(Linear(2, 3), Softmax());
  EXPECT_TRUE(warnings_of(right, clouds(60), {.loss = squares_loss, .loss_name = "mse"}).empty());
}

TEST(Warnings, SigmoidBeforeTheLoss) {
  const LossFunction logits = [](const Tensor& y, const Tensor& t) {
    return binary_cross_entropy_with_logits(y, t);
  };
  const Dataset data("sides", tensor({{-1.0f}, {1.0f}}), tensor({{0.0f}, {1.0f}}));
  Sequential net(Linear(1, 1), Sigmoid());
  const Setting setting{.loss = logits, .loss_name = "binary_cross_entropy"};
  EXPECT_ONLY(warnings_of(net, data, setting), "sigmoid-before-loss", "1", 1);
  Sequential right(Linear(1, 1));
  EXPECT_TRUE(warnings_of(right, data, setting).empty());
}

TEST(Warnings, InputsThatAreNotNormalised) {
  Sequential net(Linear(2, 3));
  const std::vector<TrainingWarning> large =
      warnings_of(net, clouds(60, {"a", "b", "c"}, 40.0f), {.lr = 1e-5});
  EXPECT_ONLY(large, "unnormalised-inputs", "", 0);
  EXPECT_NE(large[0].text.find("their root mean square is 63,"), std::string::npos) << large[0].text;
  Sequential other(Linear(2, 3));
  EXPECT_ONLY(warnings_of(other, clouds(60, {"a", "b", "c"}, 0.001f)), "unnormalised-inputs", "", 0);
  // The same pixels, divided: what counts is what the network sees.
  const Dataset pixels("pixels", cast(full({20, 4}, 200.0), kUInt8), zeros({20, 1}), {}, {.divisor = 255.0});
  Sequential small(Linear(4, 1));
  const Setting squares{.loss = squares_loss, .loss_name = "mse"};
  EXPECT_TRUE(warnings_of(small, pixels, squares).empty());
}

TEST(Warnings, TheTestSetWatched) {
  const Dataset test = clouds(30);
  Sequential net(Linear(2, 3));
  EXPECT_ONLY(warnings_of(net, clouds(60), {.watch = "test", .validation = &test}), "test-watched", "", 0);
}

TEST(Warnings, ClassesThatAreMissing) {
  const Dataset few = clouds(60).slice(0, 40);  // the third class comes last
  const Dataset rest = clouds(60).slice(40, 20);
  Sequential net(Linear(2, 3));
  const std::vector<TrainingWarning> all = warnings_of(net, few, {.validation = &rest});
  ASSERT_EQ(all.size(), 2u) << text_of_all(all);
  EXPECT_EQ(all[0].code, "missing-class");
  EXPECT_EQ(all[0].text, "the training part has no example of \"c\"");
  EXPECT_EQ(all[1].text, "the validation part has no example of \"a\", \"b\"");
  Sequential wide(Linear(2, 9));
  EXPECT_EQ(warnings_of(wide, clouds(60, {"a", "b", "c", "d", "e", "f", "g", "h", "i"}))[0].text,
            "the training part has no example of \"d\", \"e\", \"f\", \"g\", \"h\" and 1 more classes");
}

// A network in which one parameter takes part in nothing, and another in something with derivative 0.
class Useless final : public Layer {
 public:
  explicit Useless(bool step) : step_(step), idle_(tensor({1.0f}), "idle") {}
  Tensor forward(const Tensor& x, Context&) override { return step_ ? x + binary_step(idle_) : x; }
  void visit(Visitor& v) override { v.parameter("idle", idle_, init::constant(1.0)); }

 private:
  bool step_;
  Parameter idle_;
};

TEST(Warnings, ParametersWithoutGradient) {
  Sequential none(Linear(2, 3), Useless(false));
  const std::vector<TrainingWarning> missing = warnings_of(none, clouds(60), {.allow_missing = true});
  EXPECT_ONLY(missing, "no-gradient", "1.idle", 1);
  EXPECT_EQ(
      missing[0].text,
      "1.idle gets no gradient: the loss does not depend on it, so it does not learn; freeze it if that "
      "is meant");
  Sequential zero(Linear(2, 3), Useless(true));
  const std::vector<TrainingWarning> zeros_only = warnings_of(zero, clouds(60), {.epochs = 5});
  EXPECT_ONLY(zeros_only, "no-gradient", "1.idle", 4);  // the first epoch to end after ten steps
  EXPECT_EQ(zeros_only[0].text,
            "1.idle had a gradient of exactly zero in each of the first 12 steps: it does not learn");
  Sequential frozen(Linear(2, 3), Useless(false));
  named_parameters(frozen).back().parameter.set_frozen(true);
  EXPECT_TRUE(warnings_of(frozen, clouds(60)).empty());
}

// Turns every step around: weight + rate * gradient.
class TurnAround final : public Callback {
 public:
  void on_update_begin(TrainingView& view, const StepRecord&) override {
    before_ = splot::state_dict(view.model);
  }
  void on_step_end(TrainingView& view, const StepRecord&) override {
    NamedTensors now = splot::state_dict(view.model);
    for (std::size_t i = 0; i < now.size(); ++i) now[i].value = before_[i].value * 2.0 - now[i].value;
    splot::load_state_dict(view.model, now);
  }

 private:
  NamedTensors before_;
};

TEST(Warnings, TheSignSlip) {
  for (const double lr : {1e-4, 0.05}) {
    Sequential net(Linear(2, 3));
    SGD optimizer(named_parameters(net), {.lr = lr});
    std::vector<double> losses;
    Trainer trainer(net, softmax_loss, optimizer,
                    {.epochs = 2,
                     .batch_size = 20,
                     .callbacks = {std::make_shared<TurnAround>(),
                                   std::make_shared<MistakeWatch>(MistakeOptions{"cross_entropy"})},
                     .on_epoch = [&](const EpochRecord& r) { losses.push_back(metric(r.metrics, "loss")); }});
    const std::vector<TrainingWarning> all = trainer.fit(clouds(120)).warnings;
    EXPECT_ONLY(all, "sign-slip", "", 1);
    EXPECT_GT(losses[1], losses[0]);
  }
}

TEST(Warnings, ALearningRateThatIsTooHigh) {
  Sequential net(Linear(2, 16), Tanh(), Linear(16, 3));
  const std::vector<TrainingWarning> all = warnings_of(net, clouds(120), {.lr = 1000.0});
  const TrainingWarning* rate = find(all, "learning-rate");
  ASSERT_NE(rate, nullptr) << text_of_all(all);
  EXPECT_EQ(rate->text.rfind("learning has made the loss larger, ", 0), 0u) << rate->text;
  EXPECT_EQ(find(all, "sign-slip"), nullptr) << text_of_all(all);
}

// What the warnings about layers need: weights that are set, and a step too small to change anything.
Sequential with_weights(Sequential net, float first_weight, float first_bias) {
  initialize(net, 1);
  NamedParameters parameters = named_parameters(net);
  parameters[0].parameter.assign(full(parameters[0].parameter.shape(), first_weight, kFloat32));
  parameters[1].parameter.assign(full(parameters[1].parameter.shape(), first_bias, kFloat32));
  return net;
}

TEST(Warnings, ReLUsThatAreDead) {
  Sequential net = with_weights(Sequential(Linear(2, 8), ReLU(), Linear(8, 3)), 0.1f, -9.0f);
  const std::vector<TrainingWarning> all = warnings_of(net, clouds(120), {.lr = 1e-6});
  const TrainingWarning* dead = find(all, "dead-relu");
  ASSERT_NE(dead, nullptr) << text_of_all(all);
  EXPECT_EQ(dead->where, "1");
  EXPECT_EQ(dead->epoch, 1);
  EXPECT_EQ(dead->text,
            "8 of the 8 units of layer 1 answer 0 to all of 120 examples: such units learn no more; a lower "
            "learning rate or leaky_relu helps");
  // Half of the units is still in order.
  Sequential half = with_weights(Sequential(Linear(2, 8), ReLU(), Linear(8, 3)), 0.1f, 1.0f);
  Parameter bias = named_parameters(half)[1].parameter;
  bias.assign(set(bias.value().detach(), {{0, 4}}, -9.0f));
  EXPECT_EQ(find(warnings_of(half, clouds(120), {.lr = 1e-6}), "dead-relu"), nullptr);
}

TEST(Warnings, LayersThatAreSaturated) {
  Sequential tanh = with_weights(Sequential(Linear(2, 8), Tanh(), Linear(8, 3)), 9.0f, 0.0f);
  const std::vector<TrainingWarning> all = warnings_of(tanh, clouds(120), {.lr = 1e-6});
  const TrainingWarning* found = find(all, "saturated");
  ASSERT_NE(found, nullptr) << text_of_all(all);
  EXPECT_EQ(found->where, "1");
  Sequential sigmoid = with_weights(Sequential(Linear(2, 8), Sigmoid(), Linear(8, 3)), 0.0f, 5.0f);
  EXPECT_NE(find(warnings_of(sigmoid, clouds(120), {.lr = 1e-6}), "saturated"), nullptr);
  Sequential fine = with_weights(Sequential(Linear(2, 8), Sigmoid(), Linear(8, 3)), 0.0f, 4.0f);
  EXPECT_EQ(find(warnings_of(fine, clouds(120), {.lr = 1e-6}), "saturated"), nullptr);
}

TEST(Warnings, AnOutputThatSaysNoToItsOwnClass) {
  Sequential net(Linear(2, 3), Sigmoid());
  NamedParameters parameters = named_parameters(net);
  parameters[0].parameter.assign(zeros({3, 2}));
  parameters[1].parameter.assign(tensor({0.0f, -8.0f, 0.0f}));
  const Setting setting{.loss = squares_loss, .loss_name = "mse", .lr = 1e-6};
  const std::vector<TrainingWarning> all = warnings_of(net, clouds(120), setting);
  EXPECT_ONLY(all, "saturated-output", "b", 2);
  EXPECT_EQ(all[0].text,
            "output b is saturated: it answers below 0.01 to all 40 examples of its own class and hardly "
            "learns; smaller first weights or a cross-entropy loss help");
  // One epoch is too early to say.
  parameters[1].parameter.assign(tensor({0.0f, -8.0f, 0.0f}));
  EXPECT_TRUE(
      warnings_of(net, clouds(120), {.loss = squares_loss, .loss_name = "mse", .lr = 1e-6, .epochs = 1})
          .empty());
}

TEST(Warnings, GradientsThatVanishAndExplode) {
  const auto deep = [](double scale) {
    Sequential net(Linear(2, 8), Sigmoid(), Linear(8, 8), Sigmoid(), Linear(8, 8), Sigmoid(), Linear(8, 3));
    initialize(net, 1);
    for (NamedParameter& p : named_parameters(net)) {
      if (p.parameter.shape().rank() == 2) p.parameter.assign(p.parameter.value().detach() * scale);
    }
    return net;
  };
  Sequential vanishing = deep(0.5);
  const std::vector<TrainingWarning> small = warnings_of(vanishing, clouds(120), {.lr = 1e-6});
  EXPECT_ONLY(small, "vanishing-gradients", "0.bias", 1);
  Sequential exploding(Linear(2, 8), Linear(8, 8), Linear(8, 8), Linear(8, 3));
  initialize(exploding, 1);
  for (NamedParameter& p : named_parameters(exploding)) {
    if (p.parameter.shape().rank() == 2 && p.name != "0.weight") {
      p.parameter.assign(p.parameter.value().detach() * 20.0);
    }
  }
  const std::vector<TrainingWarning> large =
      warnings_of(exploding, clouds(120), {.loss = squares_loss, .loss_name = "mse", .lr = 1e-12});
  ASSERT_NE(find(large, "exploding-gradients"), nullptr) << text_of_all(large);
  Sequential normed(Linear(2, 8), BatchNorm1d(8), Tanh(), Linear(8, 8), BatchNorm1d(8), Tanh(), Linear(8, 3));
  EXPECT_EQ(find(warnings_of(normed, clouds(120), {.lr = 1e-6}), "vanishing-gradients"), nullptr)
      << "the biases in front of batch norm have no effect, and no gradient";
  Sequential even = deep(4.0);
  EXPECT_EQ(find(warnings_of(even, clouds(120), {.lr = 1e-6}), "vanishing-gradients"), nullptr);
}

TEST(Warnings, NothingIsSaidTwiceAndTheStateGoesOn) {
  Sequential net(Linear(2, 3), Softmax());
  EXPECT_EQ(warnings_of(net, clouds(60), {.epochs = 10}).size(), 1u);

  const auto fit = [&](const std::shared_ptr<MistakeWatch>& watch) {
    SGD optimizer(named_parameters(net), {.lr = 0.1});
    Trainer trainer(net, softmax_loss, optimizer, {.epochs = 1, .callbacks = {watch}});
    return trainer.fit(clouds(60)).warnings.size();
  };
  const auto first = std::make_shared<MistakeWatch>(MistakeOptions{"cross_entropy"});
  EXPECT_EQ(fit(first), 1u);
  EXPECT_EQ(fit(first), 1u) << "another training is another matter";
  const auto second = std::make_shared<MistakeWatch>(MistakeOptions{"cross_entropy"});
  second->load_state_dict(first->state_dict());
  EXPECT_EQ(fit(second), 0u) << "it has been said";
  EXPECT_ERROR(ValueError, second->load_state_dict({}),
               "[load_state_dict] this is not the state of a MistakeWatch: there is no list numbers");
  EXPECT_ERROR(ValueError, MistakeWatch({.examples = 0}), "[MistakeWatch] examples must be positive, got 0");
}

}  // namespace
}  // namespace splot
