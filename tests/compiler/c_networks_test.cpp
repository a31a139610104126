// Whole networks as C, under both compilers; what is told of their sizes, and their text.
#include <filesystem>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "splot/core/file.h"
#include "splot/models/image_models.h"
#include "splot/models/resnet.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/dropout.h"
#include "splot/nn/linear.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/train/export_c.h"

#include "tests/support/c_compiler.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

ModelFile file_of(Sequential net, const Shape& sample, const Preprocessing& preprocessing = {}) {
  ModelFile out;
  out.model = std::make_shared<Sequential>(std::move(net));
  initialize(*out.model, 3);
  out.info.sample = sample;
  out.info.preprocessing = preprocessing;
  out.info.recipe = "test";
  return out;
}

// Running statistics as training leaves them: of numbers the networks have met.
void meet(ModelFile& file) {
  Context context{.training = true};
  Ints sizes = {16};
  for (const Index size : file.info.sample) sizes.push_back(size);
  (*file.model)(uniform(Shape(sizes), RandomKey{.seed = 9}) * 2.0 - 1.0, context);
}

Sequential perceptron(DType dtype = kFloat32) {
  Sequential net;
  net.add("fc1", Linear(6, 8, {.dtype = dtype})).add("norm", BatchNorm1d(8, {.dtype = dtype}));
  net.add("act", Tanh()).add("drop", Dropout({.p = 0.5})).add("fc2", Linear(8, 3, {.dtype = dtype}));
  return net;
}

void expect_agreement(const ModelFile& file, const std::string& name) {
  SCOPED_TRACE(name);
  const CProgram program = export_c(file, {.examples = 3});
  const std::pair<const char*, std::string> builds[] = {{"gcc", test::kSanitizersC}, {"clang", " -O2"}};
  for (const auto& [cc, more] : builds) {
    if (!test::has_compiler(cc)) continue;
    const test::TempFolder folder;
    write_c_folder(folder.file("c"), program);
    const test::BuiltProgram built = test::build_and_run(cc, test::kStrictC99 + more, folder.file("c"));
    ASSERT_EQ(built.build_status, 0) << cc << more << built.output;
    EXPECT_EQ(built.status, 0) << cc << more << built.output;
  }
}

constexpr auto kPixels = [] { return Preprocessing{.divisor = 255.0, .mean = 0.1307, .deviation = 0.3081}; };

TEST(CNetworks, AnswerAsTheLibraryDoes) {
  expect_agreement(file_of(models::lenet5(), {1, 28, 28}, kPixels()), "lenet5");
  expect_agreement(file_of(models::our_cnn({.channels = 3}), {3, 32, 32}, kPixels()), "our_cnn");
  const Preprocessing table{
      .divisor = 1.0, .means = {1990.3, 0, 1e6, 0, 0, 1}, .deviations = {5, 1, 3, 1, 2, 1}};
  expect_agreement(file_of(perceptron(), {6}, table), "perceptron");
}

TEST(CNetworks, ResidualAndDenseOnes) {
  Preprocessing channels{.divisor = 255.0, .means = {0.49, 0.48, 0.44}, .deviations = {0.25, 0.24, 0.26}};
  channels.shared = 1024;
  ModelFile resnet = file_of(models::resnet({.depth = 20}), {3, 32, 32}, channels);
  meet(resnet);
  expect_agreement(resnet, "resnet");
  ModelFile dense = file_of(models::densenet({.depth = 7, .growth = 4}), {3, 16, 16}, kPixels());
  meet(dense);
  expect_agreement(dense, "densenet");
}

TEST(CNetworks, ComputeInFloatWhatTheLibraryComputesInDouble) {
  ModelFile file = file_of(perceptron(kFloat64), {6});
  file.dtype = kFloat64;
  expect_agreement(file, "float64");
}

std::string text_of(const CProgram& program, const std::string& name) {
  for (const TextFile& file : program.files) {
    if (file.name == name) return file.text;
  }
  return {};
}

TEST(CNetworks, SizesAreThoseOfTheNetwork) {
  const CProgram lenet = export_c(file_of(models::lenet5(), {1, 28, 28}, kPixels()), {.examples = 1});
  EXPECT_EQ(lenet.sizes.weight_bytes, 4 * 61706);
  EXPECT_EQ(lenet.sizes.input_bytes, 4 * 784);
  EXPECT_EQ(lenet.sizes.output_bytes, 4 * 10);
  // 6 x 28 x 28 of the first convolution, with its tanh, and 6 x 14 x 14 behind it.
  EXPECT_EQ(lenet.sizes.buffer_bytes, 4 * (4704 + 1184)) << "1176, in whole lines of 16";
  EXPECT_EQ(lenet.sizes.multiply_adds, 117600 + 240000 + 48000 + 10080 + 840);
  EXPECT_NE(text_of(lenet, "model.h").find("#define MODEL_BUFFER_BYTES 23552\n"), std::string::npos);

  // Batch norm is part of the convolutions: weights, one bias for each channel, and the last layer.
  const CProgram resnet = export_c(file_of(models::resnet({.depth = 8}), {3, 32, 32}), {.examples = 1});
  const Index weights = 432 + 2 * 2304 + 4608 + 9216 + 18432 + 36864, biases = 16 * 3 + 32 * 2 + 64 * 2;
  EXPECT_EQ(resnet.sizes.weight_bytes, 4 * (weights + biases + 640 + 10));
}

TEST(CNetworks, TextIsTheSameEachTimeAndToBeRead) {
  Sequential net;
  net.add("fc1", Linear(2, 3)).add("act", ReLU()).add("fc2", Linear(3, 1));
  ModelFile file = file_of(std::move(net), {2});
  for (NamedParameter& p : named_parameters(*file.model))
    p.parameter.assign(full(p.parameter.shape(), 0.5, kFloat32));
  file.info.classes = {
      "says \"*/ what?"
      "?/"};
  const CProgram program = export_c(file, {.examples = 1});
  const CProgram again = export_c(file, {.examples = 1});
  for (std::size_t i = 0; i < program.files.size(); ++i)
    EXPECT_EQ(program.files[i].text, again.files[i].text);
  const std::string source = text_of(program, "model.c");
  EXPECT_NE(source.find(R"(const char* const model_classes[MODEL_OUTPUT_SIZE] = {
  "says \"*/ what\?\?/",
};

/* fc1: linear, relu
 *   x [2] -> y [3]
 *   9 weights, 6 multiply-adds */
static void run_fc1(const float* x, float* y) {
  for (int o = 0; o < 3; ++o) {
    float sum = model_fc1_bias[o];
    for (int k = 0; k < 2; ++k) {
      sum += model_fc1_weight[o * 2 + k] * x[k];
    }
    y[o] = (sum <= 0.0f) ? 0.0f : sum;
  }
}

/* fc2: linear
 *   x [3] -> y [1]
 *   4 weights, 3 multiply-adds */
static void run_fc2(const float* x, float* y) {
  float sum = 0.5f;
  for (int k = 0; k < 3; ++k) {
    sum += model_fc2_weight[k] * x[k];
  }
  y[0] = sum;
}

/* What the layers hand to each other. */
static float buffer[16];

void model_run(const float* input, float* output) {
  run_fc1(input, buffer);
  run_fc2(buffer, output);
}
)"),
            std::string::npos)
      << source;
  EXPECT_NE(text_of(program, "model_weights.c").find(R"(
/* fc1.weight, [3, 2] */
const float model_fc1_weight[6] = {
  0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f
};
)"),
            std::string::npos)
      << text_of(program, "model_weights.c");
}

TEST(CNetworks, ReplacesAnEarlierExportAlone) {
  const CProgram program = export_c(file_of(perceptron(), {6}), {.examples = 1});
  const test::TempFolder folder;
  const std::string name = folder.file("new/deep/c");
  write_c_folder(name, program);
  write_file(name + "/model.o", "built");
  write_c_folder(name + "/", program);
  EXPECT_FALSE(std::filesystem::exists(name + "/model.o"));
  EXPECT_TRUE(std::filesystem::exists(name + "/Makefile"));
  write_file(name + "/notes.txt", "mine");
  EXPECT_ERROR(ValueError, write_c_folder(name, program),
               "[export] \"" + name +
                   "\" holds notes.txt, which is no part of an export and would be lost; give a "
                   "new folder");
  const std::string other = folder.file("other");
  std::filesystem::create_directory(other);
  write_c_folder(other, program);  // an empty one
  write_file(other + "/model.h", "/* mine */");
  EXPECT_ERROR(
      ValueError, write_c_folder(other, program),
      "[export] \"" + other + "\" is there, is not empty and is no earlier export; give a new folder");
  write_file(folder.file("file"), "");
  EXPECT_ERROR(IoError, write_c_folder(folder.file("file"), program),
               "[write] \"" + folder.file("file") + "\" is there and is no folder");
}

}  // namespace
}  // namespace splot
