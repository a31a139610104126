#include "splot/train/model_file.h"

#include <cmath>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "splot/io/safetensors.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/run_folder.h"

#include "tests/support/expect_error.h"
#include "tests/support/mutate.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

Sequential small_net() {
  Sequential net(Flatten(), Linear(6, 4), ReLU());
  net.add("head", Linear(4, 2));
  initialize(net, 3);
  return net;
}

const ModelInfo kInfo = {.sample = {2, 3},
                         .preprocessing = {.divisor = 255.0, .mean = 0.1, .deviation = 0.3},
                         .classes = {"cat", "dog"},
                         .loss = "cross_entropy",
                         .data = "pets",
                         .recipe = "mine"};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(ModelFile, IsEnoughToPredict) {
  const test::TempFolder folder;
  Sequential net = small_net();
  save_model(folder.file("model.safetensors"), net, kInfo);
  const ModelFile file = load_model(folder.file("model.safetensors"));
  EXPECT_EQ(file.info.sample, kInfo.sample);
  EXPECT_EQ(file.info.preprocessing, kInfo.preprocessing);
  EXPECT_EQ(file.info.classes, kInfo.classes);
  EXPECT_EQ(file.info.loss, "cross_entropy");
  EXPECT_EQ(file.info.data, "pets");
  EXPECT_EQ(file.info.recipe, "mine");
  EXPECT_EQ(file.dtype, kFloat32);
  EXPECT_EQ(weights_sha256(*file.model), weights_sha256(net));
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {1, 2, 3});
  EXPECT_EQ((*file.model)(x).to_vector<float>(), net(x).to_vector<float>());
}

TEST(ModelFile, KeepsPreprocessingByFeatureExactly) {
  const test::TempFolder folder;
  const std::string path = folder.file("model.safetensors");
  Sequential net = small_net();
  ModelInfo info = kInfo;
  info.preprocessing = {.divisor = 3.0};
  for (int i = 1; i <= 6; ++i) {
    info.preprocessing.means.push_back(1.0 / (3.0 * i));
    info.preprocessing.deviations.push_back(std::sqrt(static_cast<double>(i)) * 1e-9);
  }
  save_model(path, net, info);
  EXPECT_EQ(load_model(path).info.preprocessing, info.preprocessing);
  // A reader that does not know of it must not read the file; one that needs no more than before can.
  EXPECT_NE(load_safetensors(path).metadata.at("splot").find("\"version\":2"), std::string::npos);
  info.preprocessing = {.means = {0.5, 0.25}, .deviations = {1.5, 2.5}, .shared = 3};
  save_model(path, net, info);
  EXPECT_EQ(load_model(path).info.preprocessing, info.preprocessing);
  EXPECT_NE(load_safetensors(path).metadata.at("splot").find("\"version\":3"), std::string::npos);
  save_model(path, net, kInfo);
  EXPECT_NE(load_safetensors(path).metadata.at("splot").find("\"version\":1"), std::string::npos);
}

TEST(ModelFile, KeepsWhichPicturesItLearnedFrom) {
  const test::TempFolder folder;
  const std::string path = folder.file("model.safetensors");
  Sequential net = small_net();
  ModelInfo info = kInfo;
  info.pictures = {
      .folder = "no \xff utf-8", .fit = "stretch", .test = 0.35, .split_seed = 9, .listing = "ab"};
  save_model(path, net, info);
  EXPECT_NE(load_safetensors(path).metadata.at("splot").find("\"version\":4"), std::string::npos);
  info.pictures->folder = "no \xef\xbf\xbd utf-8";
  EXPECT_EQ(load_model(path).info.pictures, info.pictures);
  save_model(path, net, kInfo);
  EXPECT_FALSE(load_model(path).info.pictures.has_value());
}

TEST(ModelFile, KeepsOfWhichPicturesExamplesAreTheMiddle) {
  const test::TempFolder folder;
  const std::string path = folder.file("model.safetensors");
  Sequential net(Flatten(), Linear(6, 2));
  ModelInfo info{.sample = {1, 2, 3}, .uncut = Shape{1, 4, 3}};
  save_model(path, net, info);
  EXPECT_NE(load_safetensors(path).metadata.at("splot").find("\"version\":5"), std::string::npos);
  EXPECT_EQ(load_model(path).info.uncut, info.uncut);
  TensorFile file = load_safetensors(path);
  std::string& text = file.metadata.at("splot");
  const std::string good = "[1,4,3]";
  for (const std::string bad : {"[1,4,2]", "[2,4,3]", "[4,3]", "[1,4,-3]", "7", "null"}) {
    TensorFile damaged = file;
    std::string& said = damaged.metadata.at("splot");
    said.replace(said.find(good), good.size(), bad);
    save_safetensors(path, damaged.tensors, damaged.metadata);
    EXPECT_THROW(load_model(path), FormatError) << bad;
  }
  EXPECT_NE(text.find(good), std::string::npos);
  save_model(path, net, {.sample = {1, 2, 3}});
  EXPECT_FALSE(load_model(path).info.uncut.has_value());
}

// What the file says of itself, with `from` replaced by `to`.
void rewrite(const std::string& path, const std::string& from, const std::string& to) {
  TensorFile file = load_safetensors(path);
  std::string& text = file.metadata.at("splot");
  text.replace(text.find(from), from.size(), to);
  save_safetensors(path, file.tensors, file.metadata);
}

TEST(ModelFile, SaysWhichFieldIsWrong) {
  const test::TempFolder folder;
  const std::string path = folder.file("model.safetensors");
  Sequential net = small_net();
  const auto answer = [&](const std::string& from, const std::string& to) {
    save_model(path, net, kInfo);
    rewrite(path, from, to);
    const std::string place = "[load_model] " + path + ": ";
    try {
      load_model(path);
    } catch (const FormatError& error) {
      return std::string(error.what()).substr(place.size());
    }
    return std::string("no error");
  };
  EXPECT_EQ(answer("{", "["), "what it says of the model is no JSON");
  EXPECT_EQ(answer("\"version\":1", "\"version\":\"1\""), "version should be a whole number, not text");
  EXPECT_EQ(answer("\"version\":1", "\"version\":1e300"), "version should be a whole number, not a number");
  EXPECT_EQ(answer("\"version\":1", "\"version\":5000000000"),
            "version is 5e+09, which is more than it can be");
  EXPECT_EQ(answer("\"sample\":[2", "\"sample\":[\"2\""),
            "an element of sample should be a whole number, not text");
  EXPECT_EQ(answer("\"mean\":", "\"median\":"), "mean is missing");
  EXPECT_EQ(answer("\"divisor\":", "\"divisor\":null,\"x\":"), "divisor should be a number, not null");
  EXPECT_EQ(answer("\"preprocessing\":", "\"x\":"), "preprocessing should be an object, not null");
  EXPECT_EQ(answer("\"classes\":", "\"classes\":true,\"x\":"), "classes should be a list, not true or false");
  EXPECT_EQ(answer("\"recipe\":", "\"recipes\":"), "recipe is missing");
}

TEST(ModelFile, RefusesPicturesThatMakeNoSense) {
  const test::TempFolder folder;
  const std::string path = folder.file("model.safetensors");
  Sequential net = small_net();
  ModelInfo info = kInfo;
  info.pictures.emplace();
  const auto answer = [&](const std::string& from, const std::string& to) {
    save_model(path, net, info);
    rewrite(path, from, to);
    EXPECT_THROW(load_model(path), FormatError) << to;
  };
  answer("\"fit\":\"crop\"", "\"fit\":\"bend\"");
  answer("\"test\":0.2", "\"test\":1.0");
  answer("\"split_seed\":1", "\"split_seed\":-1");
  answer("\"listing\":", "\"list\":");
  answer("\"pictures\":{", "\"pictures\":7,\"x\":{");
}

TEST(ModelFile, RefusesPreprocessingThatDoesNotFit) {
  const test::TempFolder folder;
  const std::string path = folder.file("model.safetensors");
  Sequential net = small_net();
  save_model(path, net, kInfo);
  rewrite(path, "\"deviation\":0.3", "\"deviation\":0.0");
  EXPECT_ERROR(FormatError, load_model(path), "[load_model] " + path + ": preprocessing divides by zero");
  save_model(path, net, kInfo);
  rewrite(path, "\"mean\":0.1,\"deviation\":0.3", "\"means\":[0.1],\"deviations\":[0.3]");
  EXPECT_ERROR(FormatError, load_model(path),
               "[load_model] " + path +
                   ": preprocessing has 1 means and 1 deviations; examples of shape [2, 3] need 6 of each");
  save_model(path, net, kInfo);
  rewrite(path, "\"mean\":0.1,\"deviation\":0.3", "\"means\":[0.1],\"deviations\":[0.3],\"shared\":0");
  EXPECT_ERROR(
      FormatError, load_model(path),
      "[load_model] " + path +
          ": preprocessing has a mean for every 0 numbers, which do not divide the 6 of an example of "
          "shape [2, 3]");
  save_model(path, net, kInfo);
  rewrite(path, "\"version\":1", "\"version\":6");
  EXPECT_ERROR(FormatError, load_model(path),
               "[load_model] " + path + ": the model's version is 6; this Splot reads 1 to 5");
}

TEST(ModelFile, TensorsWithoutAnArchitectureAreNoModel) {
  const test::TempFolder folder;
  const std::string path = folder.file("x.safetensors");
  save_safetensors(path, {{"w", ones({2})}});
  EXPECT_ERROR(FormatError, load_model(path),
               "[load_model] " + path + ": it holds tensors, but no architecture of Splot's");
}

TEST(ModelFile, DamagedFilesAreRefusedOrRead) {
  const test::TempFolder folder;
  Sequential net = small_net();
  save_model(folder.file("model.safetensors"), net, kInfo);
  const std::string text = text_of(folder.file("model.safetensors"));
  const auto read = [](const std::string& path) { load_model(path); };
  const test::HostileResult result = test::try_hostile_files(
      {.name = "model", .files = {{text.begin(), text.end()}}, .count = 400, .read = read}, 5);
  EXPECT_GT(result.refused, 200);
}

TEST(RunFolder, KeepsEveryEpochTwice) {
  const test::TempFolder folder;
  RunFolder run(folder.file("runs/first"));
  run.add({.epoch = 1, .metrics = {{"loss", 0.5}, {"accuracy", 0.75}}, .lr = 0.1, .seconds = 2.0});
  run.add({.epoch = 2, .metrics = {{"loss", 0.25}, {"accuracy", 1.0}}, .lr = 0.05, .seconds = 1.5});
  run.finish();
  EXPECT_EQ(text_of(run.file("metrics.jsonl")),
            "{\"epoch\":1,\"loss\":0.5,\"accuracy\":0.75,\"lr\":0.1,\"seconds\":2.0}\n"
            "{\"epoch\":2,\"loss\":0.25,\"accuracy\":1.0,\"lr\":0.05,\"seconds\":1.5}\n");
  EXPECT_EQ(text_of(run.file("metrics.csv")),
            "epoch,loss,accuracy,lr,seconds\n1,0.5,0.75,0.1,2\n2,0.25,1,0.05,1.5\n");
}

}  // namespace
}  // namespace splot
