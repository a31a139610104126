// Training steps as C: small networks with every op that a step can have, each optimiser and many losses,
// built with warnings as errors and sanitizers, and driven from the library's own states.
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "splot/core/file.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/nn/pooling_layers.h"
#include "splot/ops/ops.h"
#include "splot/recipe/export_training.h"

#include "tests/support/c_compiler.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

struct TrainingCase {
  std::string name;
  Shape sample;
  Index outputs;
  Index batch;
  std::function<void(Sequential&)> build;
  std::function<void(Recipe&)> recipe;
  bool numbers = false;  // targets are numbers and no classes
};

ModelFile file_of(const TrainingCase& c) {
  ModelFile out;
  auto net = std::make_shared<Sequential>();
  c.build(*net);
  initialize(*net, 3);
  out.model = net;
  out.info.sample = c.sample;
  out.info.recipe = c.name;
  return out;
}

Dataset data_of(const TrainingCase& c, Index count = 40) {
  Ints sizes = {count};
  for (const Index size : c.sample) sizes.push_back(size);
  const Tensor x = uniform(Shape(sizes), RandomKey{.seed = 4}) * 2.0 - 1.0;
  const Tensor u = uniform(c.numbers ? Shape{count, c.outputs} : Shape{count}, RandomKey{.seed = 5});
  return {"drawn", x, c.numbers ? u : cast(floor(u * static_cast<double>(c.outputs)), kInt64)};
}

Recipe recipe_of(const TrainingCase& c) {
  Recipe out;
  c.recipe(out);
  if (c.numbers) out.data.targets = {std::vector<double>(static_cast<std::size_t>(c.outputs))};
  return out;
}

CTrainingProgram exported(const ModelFile& file, const TrainingCase& c, Index batch = 1) {
  TrainingExportOptions options;
  options.answers.examples = 2;
  options.batch = batch;
  options.steps = 5;
  options.learned = data_of(c);
  return export_training(file, recipe_of(c), options);
}

const std::vector<TrainingCase>& training_cases() {
  static const std::vector<TrainingCase> cases = {
      {"sgd",
       {6},
       3,
       5,
       [](Sequential& net) { net.add("fc1", Linear(6, 8)).add("act", Tanh()).add("fc2", Linear(8, 3)); },
       [](Recipe& r) { r.optimizer.lr = 0.1; }},
      {"sgd with momentum and decay",
       {6},
       3,
       1,
       [](Sequential& net) { net.add("fc1", Linear(6, 8)).add("act", ReLU()).add("fc2", Linear(8, 3)); },
       [](Recipe& r) {
         r.optimizer.lr = 0.1;
         r.optimizer.momentum = 0.9;
         r.optimizer.weight_decay = 0.01;
       }},
      {"nesterov, numbers from classes",
       {6},
       3,
       4,
       [](Sequential& net) { net.add("fc1", Linear(6, 8)).add("act", Sigmoid()).add("fc2", Linear(8, 3)); },
       [](Recipe& r) {
         r.optimizer.lr = 0.1;
         r.optimizer.momentum = 0.9;
         r.optimizer.nesterov = true;
         r.loss.name = "mse";
       }},
      {"increments, quadratic cost, penalties",
       {6},
       3,
       4,
       [](Sequential& net) {
         net.add("fc1", Linear(6, 8)).add("act", Sigmoid()).add("fc2", Linear(8, 3)).add("out", Sigmoid());
       },
       [](Recipe& r) {
         r.optimizer.lr = 0.1;
         r.optimizer.momentum = 0.5;
         r.optimizer.momentum_form = "increment";
         r.loss.name = "quadratic_cost";
         r.loss.l1 = 0.01;
         r.loss.l2 = 0.02;
       }},
      {"adam, convolution and means",
       {2, 9, 8},
       4,
       3,
       [](Sequential& net) {
         net.add("conv", Conv2d(2, 3, {3})).add("act", Tanh()).add("pool", AvgPool2d({2}));
         net.add("flat", Flatten()).add("fc", Linear(3 * 3 * 3, 4));
       },
       [](Recipe& r) {
         r.optimizer.name = "adam";
         r.optimizer.lr = 0.01;
       }},
      {"adamw, one example, largest elements",
       {2, 9, 9},
       4,
       1,
       [](Sequential& net) {
         net.add("conv", Conv2d(2, 4, {3}, {.stride = {2}, .padding = {1}})).add("act", ReLU());
         net.add("pool", MaxPool2d({2})).add("flat", Flatten()).add("fc", Linear(4 * 2 * 2, 4));
       },
       [](Recipe& r) {
         r.optimizer.name = "adamw";
         r.optimizer.lr = 0.01;
         r.optimizer.weight_decay = 0.1;
       }},
      {"rmsprop, groups, windows that overlap",
       {4, 8, 7},
       3,
       2,
       [](Sequential& net) {
         net.add("conv", Conv2d(4, 6, {3, 2}, {.padding = {2, 1}, .dilation = {2, 1}, .groups = 2}));
         net.add("act", GELU()).add("pool", MaxPool2d({3}, {.stride = {2}, .padding = {1}}));
         net.add("conv2", Conv2d(6, 3, {2}))
             .add("act2", ELU())
             .add("flat", Flatten())
             .add("fc", Linear(27, 3));
       },
       [](Recipe& r) {
         r.optimizer.name = "rmsprop";
         r.optimizer.lr = 0.01;
         r.optimizer.momentum = 0.8;
         r.optimizer.centered = true;
       }},
      {"adagrad, means of windows that overlap",
       {2, 7, 8},
       3,
       2,
       [](Sequential& net) {
         net.add("conv", Conv2d(2, 3, {1})).add("act", Softplus());
         net.add("pool", AvgPool2d({3}, {.stride = {2}, .padding = {1}, .count_include_pad = false}));
         net.add("flat", Flatten()).add("fc", Linear(3 * 4 * 4, 3));
       },
       [](Recipe& r) {
         r.optimizer.name = "adagrad";
         r.optimizer.lr = 0.1;
         r.optimizer.lr_decay = 0.1;
         r.optimizer.initial = 0.1;
       }},
      {"uneven parts, smoothed classes",
       {2, 7, 5},
       3,
       3,
       [](Sequential& net) {
         net.add("conv", Conv2d(2, 4, {2})).add("act", SiLU()).add("pool", AdaptiveAvgPool2d({4, 3}));
         net.add("flat", Flatten()).add("fc", Linear(4 * 4 * 3, 3));
       },
       [](Recipe& r) {
         r.optimizer.name = "adam";
         r.optimizer.lr = 0.01;
         r.optimizer.weight_decay = 0.01;
         r.loss.label_smoothing = 0.1;
       }},
      {"even parts, leaky",
       {2, 6, 6},
       3,
       2,
       [](Sequential& net) {
         net.add("conv", Conv2d(2, 4, {3}, {.padding = {1}})).add("act", LeakyReLU());
         net.add("pool", AdaptiveAvgPool2d({3, 2})).add("flat", Flatten()).add("fc", Linear(4 * 3 * 2, 3));
       },
       [](Recipe& r) {
         r.optimizer.name = "sgd";
         r.optimizer.lr = 0.1;
         r.optimizer.momentum = 0.9;
       }},
      {"dropout",
       {6},
       3,
       5,
       [](Sequential& net) {
         net.add("fc1", Linear(6, 30)).add("act", ReLU()).add("drop", Dropout({.p = 0.4}));
         net.add("fc2", Linear(30, 3));
       },
       [](Recipe& r) { r.optimizer.lr = 0.1; }},
      {"numbers, and the norm of gradients held",
       {5},
       2,
       3,
       [](Sequential& net) { net.add("fc1", Linear(5, 7)).add("act", Tanh()).add("fc2", Linear(7, 2)); },
       [](Recipe& r) {
         r.optimizer.lr = 0.5;
         r.optimizer.momentum = 0.5;
         r.loss.name = "huber";
         r.train.clip_norm = 0.1;
       },
       true},
      {"windows of more than 256 elements",
       {1, 18, 17},
       3,
       2,
       [](Sequential& net) {
         net.add("conv", Conv2d(1, 3, {2})).add("act", Tanh()).add("pool", MaxPool2d({17, 16}));
         net.add("flat", Flatten()).add("fc", Linear(3, 3));
       },
       [](Recipe& r) { r.optimizer.lr = 0.1; }},
      {"climbing",
       {3},
       2,
       2,
       [](Sequential& net) { net.add("fc1", Linear(3, 4)).add("act", Tanh()).add("fc2", Linear(4, 2)); },
       [](Recipe& r) {
         r.optimizer.lr = 0.1;
         r.optimizer.maximize = true;
         r.train.clip_value = 0.05;
       }},
  };
  return cases;
}

int run_in(const std::string& folder, const std::string& command) {
  const int status = std::system(("cd '" + folder + "' && { " + command + "; } > out.txt 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string bytes_of(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path, std::uint64_t{1} << 30);
  return {bytes.begin(), bytes.end()};
}

class CTraining : public testing::TestWithParam<std::size_t> {};

TEST_P(CTraining, MakesTheStepsOfTheLibrary) {
  if (!test::has_compiler("gcc")) GTEST_SKIP() << "there is no gcc";
  const TrainingCase& c = training_cases()[GetParam()];
  SCOPED_TRACE(c.name);
  const ModelFile file = file_of(c);
  const Dataset data = data_of(c);
  const Recipe recipe = recipe_of(c);
  const CTrainingProgram program = exported(file, c, c.batch);
  const test::TempFolder folder;
  const std::string name = folder.file("c");
  write_c_folder(name, program.program);
  const test::BuiltProgram built = test::build_and_run("gcc", test::kStrictC99 + test::kSanitizersC, name);
  ASSERT_EQ(built.build_status, 0) << built.output;
  EXPECT_EQ(built.status, 0) << built.output;
  EXPECT_NE(built.output.find("steps 5\n"), std::string::npos) << built.output;

  write_file(name + "/driver.c", step_driver(program));
  const std::string build =
      "gcc " + test::kStrictC99 + test::kSanitizersC + " -o driver driver.c model.c model_weights.c -lm";
  ASSERT_EQ(run_in(name, build), 0) << bytes_of(name + "/out.txt");
  const CTrainingCheck found = check_c_training(file, recipe, program, data,
                                                [&](const std::string& input) {
                                                  write_file(name + "/in", input);
                                                  EXPECT_EQ(run_in(name, "./driver in out"), 0)
                                                      << bytes_of(name + "/out.txt");
                                                  return bytes_of(name + "/out");
                                                },
                                                {.steps = 12});
  EXPECT_EQ(found.steps, 12);
  EXPECT_GT(found.elements, 0);
  EXPECT_TRUE(found.is_within_bounds()) << found.loss << ' ' << found.tensors << ' ' << found.tensor << ' '
                                        << found.outside << ' ' << found.free_loss;
}

INSTANTIATE_TEST_SUITE_P(Each, CTraining, testing::Range<std::size_t>(0, training_cases().size()),
                         [](const testing::TestParamInfo<std::size_t>& one) {
                           std::string name = training_cases()[one.param].name;
                           for (char& letter : name) {
                             if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
                           }
                           return name;
                         });

TEST(CTrainingProgram, GradientsOfWeightsTakeNoMemory) {
  const TrainingCase& c = training_cases()[0];
  const CTrainingProgram program = exported(file_of(c), c, 1);
  EXPECT_EQ(program.learning.weight_bytes, 4 * (6 * 8 + 8 + 8 * 3 + 3));
  EXPECT_EQ(program.learning.state_bytes, 0);
  EXPECT_EQ(program.learning.flash_bytes, program.learning.weight_bytes);
  EXPECT_EQ(program.learning.batch_bytes, 4 * (6 + 1));
  // Forward 48 and 24, weights 48 and 24, back through the last layer 24.
  EXPECT_EQ(program.learning.multiply_adds, 48 + 24 + 48 + 24 + 24);
  // Of 16 floats at least: what the first layer gives, logits, their gradient, that of the first layer.
  EXPECT_LE(program.program.sizes.buffer_bytes, 4 * 16 * 4);
}

TEST(CTrainingProgram, TextIsTheSameEachTimeAndTheNetworkIsAsBefore) {
  const TrainingCase& c = training_cases()[4];
  const ModelFile file = file_of(c);
  const std::string before = weights_sha256(*file.model);
  const CTrainingProgram once = exported(file, c);
  EXPECT_EQ(weights_sha256(*file.model), before);
  const CTrainingProgram again = exported(file, c);
  for (std::size_t i = 0; i < once.program.files.size(); ++i)
    EXPECT_EQ(once.program.files[i].text, again.program.files[i].text);
}

TEST(CTrainingProgram, FrozenWeightsAreConstants) {
  const TrainingCase& c = training_cases()[0];
  const ModelFile file = file_of(c);
  Parameter(named_parameters(*file.model)[0].parameter).set_frozen(true);
  const CTrainingProgram program = exported(file, c);
  const std::string& header = program.program.files[0].text;
  EXPECT_NE(header.find("extern const float model_fc1_weight[48];"), std::string::npos) << header;
  EXPECT_NE(header.find("extern float model_fc1_bias[8];"), std::string::npos) << header;
}

TEST(CTrainingProgram, SaysWhatItCannotWrite) {
  TrainingCase c = training_cases()[0];
  c.build = [](Sequential& net) {
    net.add("fc1", Linear(6, 8)).add("norm", BatchNorm1d(8)).add("fc2", Linear(8, 3));
  };
  EXPECT_ERROR(
      ValueError, exported(file_of(c), c, 4),
      "[export] norm.running_mean is changed by add: learning in C is for linear layers, convolutions, "
      "pooling, activations, flatten and dropout, with sgd, adam, adamw, rmsprop or adagrad");
  TrainingCase lbfgs = training_cases()[0];
  lbfgs.recipe = [](Recipe& r) { r.optimizer.name = "lbfgs"; };
  EXPECT_ERROR(
      ValueError, exported(file_of(lbfgs), lbfgs),
      "[export] the optimiser lbfgs looks at the loss several times in a step; C is written for sgd, adam, "
      "adamw, rmsprop and adagrad");
  const TrainingCase& plain = training_cases()[0];
  EXPECT_ERROR(ValueError, exported(file_of(plain), plain, 0),
               "[export] a step needs at least one example, got 0");
  const ModelFile file = file_of(plain);
  freeze(*file.model);
  EXPECT_ERROR(ValueError, exported(file, plain),
               "[export] all weights are frozen: there is nothing to learn");
}

}  // namespace
}  // namespace splot
