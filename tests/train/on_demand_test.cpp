// A training on examples that are read on demand is that on the same examples in memory, also when resumed.
#include <memory>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/optim/lbfgs.h"
#include "splot/report/examine.h"
#include "splot/train/model_file.h"
#include "splot/train/norms.h"
#include "splot/train/trainer.h"
#include "splot/train/warnings.h"

#include "tests/support/temp_folder.h"

namespace splot {
namespace {

constexpr Index kExamples = 60;

Batch all_examples() {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> classes;
  for (Index i = 0; i < kExamples; ++i) {
    classes.push_back(i % 3);
    for (Index j = 0; j < 16; ++j)
      pixels.push_back(static_cast<std::uint8_t>((i * 37 + j * 11 * (i % 3)) % 256));
  }
  return {Tensor::from(pixels, {kExamples, 1, 4, 4}), Tensor::from(classes, {kExamples})};
}

class Source final : public BatchSource {
 public:
  Index size() const override { return kExamples; }
  Batch read(std::span<const Index> indices) override {
    const Tensor list = Tensor::from(std::vector<std::int64_t>(indices.begin(), indices.end()),
                                     {static_cast<Index>(indices.size())});
    return {index_select(all_.inputs, 0, list), index_select(all_.targets, 0, list)};
  }

 private:
  Batch all_ = all_examples();
};

const std::vector<std::string> kClasses = {"a", "b", "c"};

Dataset in_memory() {
  const Batch all = all_examples();
  return Dataset("d", all.inputs, all.targets, kClasses, {.divisor = 255.0});
}
Dataset on_demand() { return Dataset("d", std::make_shared<Source>(), kClasses, {.divisor = 255.0}); }

// Weights and figures at the end; the training is stopped after `stop_at` steps and gone on with, if there
// are.
std::string learn(const Dataset& data, Index stop_at, bool lbfgs = false) {
  const std::vector<Dataset> parts = data.with_sample_shape({16}).split({45, 15});
  const test::TempFolder folder;
  const std::string path = folder.file("checkpoint.safetensors");
  std::string out;
  for (const bool again : {false, true}) {
    if (again && stop_at == 0) break;
    Sequential net(Linear(16, 8), Tanh(), Linear(8, 3));
    initialize(net, 1);
    std::unique_ptr<Optimizer> optimizer;
    if (lbfgs) optimizer = std::make_unique<LBFGS>(named_parameters(net), LBFGSOptions{.max_iter = 3});
    if (!lbfgs) optimizer = std::make_unique<Adam>(named_parameters(net), AdamOptions{.lr = 0.01});
    Index steps = 0;
    Trainer trainer(net, [](const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }, *optimizer,
                    {.epochs = 3,
                     .batch_size = 8,
                     .metrics = {metrics::accuracy()},
                     .checkpoint = {.path = path},
                     .callbacks = {std::make_shared<NormRecorder>(),
                                   std::make_shared<MistakeWatch>(MistakeOptions{.loss = "cross_entropy"})},
                     .stop = [&] { return !again && ++steps == stop_at; }});
    const TrainingResult result =
        again ? trainer.resume(path, parts[0], &parts[1]) : trainer.fit(parts[0], &parts[1]);
    out = weights_sha256(net);
    for (const EpochRecord& epoch : result.history) {
      for (const Metric& m : epoch.metrics) out += join('\n', m.name, ' ', m.value);
      for (const ParameterNorms& n : epoch.norms) out += join('\n', n.name, ' ', n.weight, ' ', n.update);
    }
  }
  return out;
}

TEST(OnDemand, LearnsTheSameBits) {
  const std::string wanted = learn(in_memory(), 0);
  EXPECT_EQ(learn(on_demand(), 0), wanted);
  for (const Index stop_at : {1, 4, 6, 7, 13}) EXPECT_EQ(learn(on_demand(), stop_at), wanted) << stop_at;
  // An optimiser that asks for a batch again while the next ones are read ahead.
  EXPECT_EQ(learn(on_demand(), 0, true), learn(in_memory(), 0, true));
}

TEST(OnDemand, IsExaminedTheSame) {
  Sequential net(Linear(16, 3));
  initialize(net, 2);
  const auto look = [&](const Dataset& data) {
    return examine(net, data.with_sample_shape({16}), "test", "cross_entropy");
  };
  const Examination is = look(on_demand());
  const Examination wanted = look(in_memory());
  EXPECT_EQ(is.matrix->accuracy(), wanted.matrix->accuracy());
  ASSERT_EQ(is.worst.size(), wanted.worst.size());
  for (std::size_t i = 0; i < is.worst.size(); ++i) EXPECT_EQ(is.worst[i].number, wanted.worst[i].number);
  EXPECT_EQ(on_demand().stored(5, 1).inputs.to_vector<int>(),
            in_memory().slice(5, 1).inputs().to_vector<int>());
}

}  // namespace
}  // namespace splot
