// A training that was interrupted and resumed is the training that was not, bit for bit.
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/io/checkpoint.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/dropout.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/optim/lbfgs.h"
#include "splot/optim/schedule.h"
#include "splot/train/model_file.h"
#include "splot/train/trainer.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

Tensor cross_entropy_loss(const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }

Dataset noise(const char* name, Index n, std::uint64_t seed) {
  std::vector<std::int64_t> classes;
  RandomStream random({.seed = seed, .stream = stream_of("classes")});
  for (Index i = 0; i < n; ++i) classes.push_back(static_cast<std::int64_t>(random.below(3)));
  return Dataset(name, uniform({n, 5}, RandomKey{.seed = seed}), Tensor::from(classes, {n}), {"a", "b", "c"});
}

// A callback that remembers, adds a figure that depends on what it remembers, and warns.
class RunningLoss final : public Callback {
 public:
  void on_step_end(TrainingView& view, const StepRecord& record) override {
    mean_ = 0.9 * mean_ + 0.1 * record.loss;
    if (view.step == 4) view.warn({"step-4", "0", 0, join("mean ", mean_)});
  }
  void on_epoch_end(TrainingView&, EpochRecord& record) override {
    record.metrics.push_back({"running", mean_});
    record.norms.push_back({"all", mean_, 0.5 * mean_, 0.0});
  }
  NamedTensors state_dict() const override { return {{"mean", scalar(mean_)}}; }
  void load_state_dict(std::span<const NamedTensor> state) override { mean_ = state[0].value.item<double>(); }

 private:
  double mean_ = 0.0;
};

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(const NamedParameters&)>;

template <typename O, typename Options>
MakeOptimizer optimizer_of(Options options) {
  return [=](const NamedParameters& parameters) { return std::make_unique<O>(parameters, options); };
}

struct Ask {
  MakeOptimizer optimizer = optimizer_of<Adam>(AdamOptions{.lr = 0.02});
  Schedule schedule = {};
  double dropout = 0.0;
  bool batch_norm = false;
  TrainerOptions options = {.epochs = 3};
  std::uint64_t seed = 1;
};

constexpr Index kSteps = 7;  // in an epoch: 50 examples in batches of 8

// One training with objects of its own, as a new process would make them.
struct Training {
  explicit Training(const Ask& setup)
      : net(Linear(5, 6), Tanh(), Dropout({.p = setup.dropout}), Linear(6, 3)) {
    if (setup.batch_norm) net.replace("1", Sequential(BatchNorm1d(6), Tanh()));
    initialize(net, setup.seed);
    optimizer = setup.optimizer(named_parameters(net));
    TrainerOptions options = setup.options;
    options.batch_size = 8;
    options.seed = setup.seed;
    options.metrics = {metrics::accuracy()};
    options.schedule = setup.schedule;
    options.callbacks = {std::make_shared<RunningLoss>()};
    trainer = std::make_unique<Trainer>(net, cross_entropy_loss, *optimizer, options);
  }
  void fit() { result = trainer->fit(train, &validation); }
  void resume(const std::string& path) { result = trainer->resume(path, train, &validation); }

  Dataset train = noise("train", 50, 1);
  Dataset validation = noise("validation", 40, 2);
  Sequential net;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Trainer> trainer;
  TrainingResult result;
};

// All that is left of a training, in words, seconds apart.
std::string story(Training& training) {
  const TrainingResult& r = training.result;
  std::string out = join(weights_sha256(training.net), "\nsteps ", r.steps, " best ", r.best_epoch,
                         " reason ", r.stop_reason, " lr ", training.optimizer->lr(), '\n');
  for (const EpochRecord& e : r.history) {
    out += join("epoch ", e.epoch, " lr ", e.lr);
    for (const Metric& m : e.metrics) out += join(' ', m.name, ' ', m.value);
    for (const ParameterNorms& n : e.norms) out += join(' ', n.name, ' ', n.weight, ' ', n.gradient);
    for (const TrainingWarning& w : e.warnings) out += join(' ', w.code, w.epoch, w.where, w.text);
    out += '\n';
  }
  for (const TrainingWarning& w : r.warnings) out += join(w.code, w.epoch, w.text, '\n');
  for (const NamedTensor& entry : training.optimizer->state_dict()) {
    out += entry.name + ' ' + weights_sha256({{entry.name, entry.value}}) + '\n';
  }
  return out;
}

std::string uninterrupted(const Ask& setup) {
  Training training(setup);
  training.fit();
  return story(training);
}

// Stopped after `step` steps, then gone on with elsewhere.
std::string interrupted(Ask setup, Index step, int threads_before = 1, int threads_after = 1) {
  const test::TempFolder folder;
  setup.options.checkpoint.path = folder.file("checkpoint.safetensors");
  Ask first = setup;
  Index asked = 0;
  first.options.stop = [&] { return ++asked == step; };
  const int threads = cpu::num_threads();
  cpu::set_num_threads(threads_before);
  Training before(first);
  before.fit();
  EXPECT_EQ(before.result.steps, step);
  cpu::set_num_threads(threads_after);
  Training after(setup);
  after.resume(setup.options.checkpoint.path);
  cpu::set_num_threads(threads);
  return story(after);
}

struct Named {
  std::string name;
  MakeOptimizer make;
};

std::vector<Named> all_optimizers() {
  return {{"sgd", optimizer_of<SGD>(SGDOptions{.lr = 0.1})},
          {"momentum", optimizer_of<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-3})},
          {"increment",
           optimizer_of<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9, .form = MomentumForm::increment})},
          {"nesterov", optimizer_of<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9, .nesterov = true})},
          {"adam", optimizer_of<Adam>(AdamOptions{.lr = 0.02})},
          {"adamw", optimizer_of<AdamW>(AdamWOptions{.lr = 0.02})},
          {"rmsprop", optimizer_of<RMSprop>(RMSpropOptions{.lr = 0.01, .momentum = 0.5, .centered = true})},
          {"adagrad", optimizer_of<Adagrad>(AdagradOptions{.lr = 0.05, .lr_decay = 0.1})},
          {"lbfgs", optimizer_of<LBFGS>(LBFGSOptions{.lr = 0.5, .max_iter = 2})}};
}

// Every optimiser with every schedule, with and without dropout, each stopped at three different steps and
// gone on with by another number of threads: 9 x 9 x 2 x 3 = 486 combinations.
TEST(Resume, EveryCombinationGivesTheBitsOfTheUninterruptedRun) {
  const std::vector<std::pair<std::string, Schedule>> schedules = {
      {"none", {}},
      {"constant", schedule::constant()},
      {"step", schedule::step(5, 0.5)},
      {"exponential", schedule::exponential(0.9)},
      {"cosine", schedule::cosine(3 * kSteps)},
      {"cyclic", schedule::cyclic({.up = 3, .down = 2, .mode = schedule::CyclicMode::triangular2})},
      {"one cycle", schedule::one_cycle({.steps = 3 * kSteps})},
      {"sequence", schedule::sequence({{5, schedule::linear(5, 0.1)}, {0, schedule::cosine(2 * kSteps)}})},
      {"warmup", schedule::warmup(4, schedule::cosine(2 * kSteps, 0.1))}};
  int combinations = 0;
  for (const Named& optimizer : all_optimizers()) {
    for (const auto& [name, schedule] : schedules) {
      for (const double dropout : {0.0, 0.4}) {
        const Ask setup{.optimizer = optimizer.make, .schedule = schedule, .dropout = dropout};
        const std::string whole = uninterrupted(setup);
        for (int i = 0; i < 3; ++i) {
          const Index step = 1 + (combinations * 7) % (3 * kSteps - 1);
          const int before = 1 + combinations % 8;
          const int after = 1 + (combinations / 8 + 3) % 8;
          ASSERT_EQ(interrupted(setup, step, before, after), whole)
              << optimizer.name << ", schedule " << name << ", dropout " << dropout << ", step " << step
              << ", " << before << " and " << after << " threads";
          ++combinations;
        }
      }
    }
  }
  EXPECT_EQ(combinations, 486);
}

// Running statistics change with every batch, and the best epoch's are kept beside its weights.
TEST(Resume, WithTheRunningStatisticsOfBatchNorm) {
  for (const double dropout : {0.0, 0.3}) {
    const Ask setup{.schedule = schedule::cosine(3 * kSteps), .dropout = dropout, .batch_norm = true};
    const std::string whole = uninterrupted(setup);
    EXPECT_NE(whole, uninterrupted({.schedule = setup.schedule, .dropout = dropout}));
    for (const Index step : {1, 6, 7, 8, 13, 20}) {
      const int before = 1 + static_cast<int>(step) % 3, after = 1 + static_cast<int>(step) % 4;
      EXPECT_EQ(interrupted(setup, step, before, after), whole) << "step " << step << ", dropout " << dropout;
    }
  }
}

TEST(Resume, FromEverySingleStep) {
  const Ask setup{.schedule = schedule::cosine(3 * kSteps), .dropout = 0.3};
  const std::string whole = uninterrupted(setup);
  for (Index step = 1; step <= 3 * kSteps; ++step)
    ASSERT_EQ(interrupted(setup, step), whole) << "step " << step;
}

TEST(Resume, AfterEveryStepOnceMore) {
  // Each process makes one step, writes its checkpoint and ends.
  const Ask whole{.schedule = schedule::cosine(3 * kSteps), .dropout = 0.3};
  const test::TempFolder folder;
  Ask step = whole;
  step.options.checkpoint.path = folder.file("checkpoint.safetensors");
  step.options.stop = [] { return true; };
  Training first(step);
  first.fit();
  for (Index i = 2; i < 3 * kSteps; ++i) {
    Training next(step);
    next.resume(step.options.checkpoint.path);
    ASSERT_EQ(next.result.steps, i);
  }
  step.options.stop = {};
  Training last(step);
  last.resume(step.options.checkpoint.path);
  EXPECT_EQ(story(last), uninterrupted(whole));
}

TEST(Resume, WithAccumulationClippingAndEarlyStopping) {
  Ask setup{.dropout = 0.2,
            .options = {.epochs = 40,
                        .accumulate = 3,
                        .patience = 3,
                        .min_delta = 0.01,
                        .clip_norm = 0.5,
                        .clip_value = 0.2}};
  const std::string whole = uninterrupted(setup);
  EXPECT_NE(whole.find("reason no improvement in 3 epochs"), std::string::npos) << whole;
  for (const Index step : {1, 4, 6, 7, 11}) EXPECT_EQ(interrupted(setup, step), whole) << "step " << step;
}

TEST(Resume, AFinishedTrainingHasNothingLeftToDo) {
  const test::TempFolder folder;
  Ask setup{.dropout = 0.2, .options = {.epochs = 2}};
  const std::string short_run = uninterrupted(setup);
  setup.options.checkpoint.path = folder.file("c");
  Training first(setup);
  first.fit();
  Training again(setup);
  again.resume(folder.file("c"));
  EXPECT_EQ(story(again), short_run);
  // More epochs may be asked for, and are those the longer training would have had.
  setup.options.epochs = 5;
  Training more(setup);
  more.resume(folder.file("c"));
  setup.options.checkpoint.path.clear();
  EXPECT_EQ(story(more), uninterrupted(setup));
}

TEST(Resume, GoesOnWithPatienceWhenGivenMore) {
  const test::TempFolder folder;
  Ask setup{
      .options = {.epochs = 30, .patience = 1, .min_delta = 1.0, .checkpoint = {.path = folder.file("c")}}};
  Training first(setup);
  first.fit();
  EXPECT_EQ(first.result.history.size(), 2u) << "nothing improves by more than 1";
  Training same(setup);
  same.resume(folder.file("c"));
  EXPECT_EQ(same.result.history.size(), 2u);
  EXPECT_EQ(same.result.stop_reason, "no improvement in 1 epochs");
  setup.options.patience = 4;
  Training more(setup);
  more.resume(folder.file("c"));
  EXPECT_EQ(more.result.history.size(), 5u);
}

TEST(Resume, CheckpointsComeEveryNStepsAndTellWhatTheyAre) {
  const test::TempFolder folder;
  const std::string path = folder.file("c");
  Ask setup{
      .options = {.epochs = 2, .checkpoint = {.path = path, .every = 3, .notes = {{"recipe", "mine"}}}}};
  std::vector<Index> seen;
  setup.options.stop = [&] {
    seen.push_back(checkpoint_info(path).total_steps);
    return false;
  };
  Training training(setup);
  training.fit();
  // Asked after each of 14 steps, before that step's own checkpoint is written.
  EXPECT_EQ(seen, (std::vector<Index>{0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9, 12, 12}));
  const CheckpointInfo info = checkpoint_info(path);
  EXPECT_EQ(info.total_steps, 14);
  EXPECT_EQ(info.epoch, 3);
  EXPECT_EQ(info.step, 0);
  EXPECT_EQ(info.seed, 1u);
  EXPECT_EQ(info.notes, (Metadata{{"recipe", "mine"}}));
  EXPECT_EQ(info.instruction_set, cpu::name_of(cpu::instruction_set()));
  EXPECT_EQ(info.mode, "plan");
}

TEST(Resume, SaysSoOnAnotherInstructionSet) {
  if (cpu::available_instruction_sets().size() < 2) GTEST_SKIP() << "this processor has one instruction set";
  const test::TempFolder folder;
  const Ask setup{.options = {.checkpoint = {.path = folder.file("c")}}};
  const cpu::InstructionSet usual = cpu::instruction_set();
  const cpu::InstructionSet other =
      cpu::available_instruction_sets()[usual == cpu::InstructionSet::baseline ? 1 : 0];
  cpu::set_instruction_set(other);
  Training before(setup);
  before.fit();
  cpu::set_instruction_set(usual);
  Ask second = setup;
  second.options.epochs = 2;
  std::vector<std::string> heard;
  second.options.on_warning = [&](const TrainingWarning& w) { heard.push_back(w.code); };
  Training after(second);
  after.resume(folder.file("c"));
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard[0], "other-machine");
  EXPECT_EQ(after.result.warnings[1].code, "other-machine") << "after the one of the first epoch";
  EXPECT_NE(after.result.warnings[1].text.find(cpu::name_of(other)), std::string::npos);
}

TEST(Resume, RefusesWhatDoesNotFit) {
  const test::TempFolder folder;
  Ask setup{.options = {.checkpoint = {.path = folder.file("c")}}};
  Training(setup).fit();
  const auto resumed = [&](const Ask& changed) { Training(changed).resume(folder.file("c")); };
  Ask other = setup;
  other.seed = 2;
  EXPECT_ERROR(ValueError, resumed(other), "[resume] the checkpoint was made with seed 1, now it is 2");
  other = setup;
  other.options.accumulate = 2;
  EXPECT_ERROR(ValueError, resumed(other), "[resume] the checkpoint was made with accumulate 1, now it is 2");
  other = setup;
  other.optimizer = optimizer_of<SGD>(SGDOptions{});
  EXPECT_THROW(resumed(other), ValueError);
  other = setup;
  other.options.epochs = 0;
  EXPECT_ERROR(
      ValueError, resumed(other),
      "[resume] \"" + folder.file("c") +
          "\" is at epoch 2, step 0 with 1 parameter groups; that does not fit 0 epochs of 7 steps and 1 "
          "groups");
  EXPECT_THROW(Training(setup).resume(folder.file("none")), IoError);
  EXPECT_ERROR(ValueError, Training(setup).resume(""), "[Trainer] resume() needs the name of a checkpoint");
  save_checkpoint(folder.file("tensors"), {{"x", tensor({1.0f})}});
  EXPECT_ERROR(FormatError, Training(setup).resume(folder.file("tensors")),
               "[checkpoint] \"" + folder.file("tensors") + "\": it holds tensors, but no training");
  save_checkpoint(folder.file("odd"), {{"x", tensor({1.0f})}}, {{"splot_training", "{\"version\": 1}"}});
  EXPECT_THROW(Training(setup).resume(folder.file("odd")), FormatError);
  save_checkpoint(folder.file("new"), {}, {{"splot_training", "{\"version\": 99}"}});
  EXPECT_ERROR(
      FormatError, Training(setup).resume(folder.file("new")),
      "[checkpoint] \"" + folder.file("new") + "\": the checkpoint's version is 99; this Splot reads 1");
}

}  // namespace
}  // namespace splot
