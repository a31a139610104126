// splot export and splot verify, from a training to a program that agrees.
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/cli/command_fixture.h"
#include "tests/support/c_compiler.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using test::Outcome;

class ExportCommand : public test::Command {
 protected:
  void SetUp() override {
    test::Command::SetUp();
    if (!test::has_compiler("cc")) GTEST_SKIP() << "there is no C compiler called cc";
  }
};

constexpr const char* kDigits =
    "train digits -o d --quiet --set data.train=2000 --set data.validation=500 --set train.epochs=1 --set "
    "'model.dense=[784, 24, 10]'";

TEST_F(ExportCommand, ATrainedNetworkAgreesWithTheLibrary) {
  const Outcome trained = run(kDigits);
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Outcome exported = run("export d --c device --examples 20");
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_EQ(exported.err, "");
  EXPECT_EQ(exported.out,
            "device: model.h, model.c, model_weights.c, model_test.c, Makefile\n"
            "flash      76,360 bytes of weights, and the code\n"
            "RAM        128 bytes static, 3,136 for the input, 40 for the output\n"
            "work       19,056 multiply-adds for one example\n"
            "examples   20 of the test part of digits; splot verify device builds the test and runs it\n");
  const Outcome verified = run("verify device");
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_EQ(verified.out.rfind("device with cc: 20 examples agree; the largest difference is ", 0), 0u)
      << verified.out;
  const Json json = Json::parse(run("verify device --json").out);
  EXPECT_EQ(json["agrees"], true);
  EXPECT_GT(json["largest_difference"], 0.0);
  EXPECT_LE(json["largest_difference"], json["bound"]);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.file("device")), {}), 5)
      << "nothing was built there";
}

TEST_F(ExportCommand, In8BitsItIsAsGoodAndTheSameIntegers) {
  const Outcome trained = run(kDigits);
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Outcome exported = run("export d --c device --int8 --calibrate 100 --examples 20");
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_EQ(exported.err, "");
  EXPECT_NE(exported.out.find("int8       ranges of 100 examples of the training part; outputs differ by "),
            std::string::npos)
      << exported.out;
  EXPECT_NE(exported.out.find(" examples of the test part of digits\n"), std::string::npos) << exported.out;
  const Json verified = Json::parse(run("verify device --json").out);
  EXPECT_EQ(verified["agrees"], true);
  EXPECT_EQ(verified["examples"], 20);
  EXPECT_EQ(verified["largest_difference"], 0.0);

  const Json floats = Json::parse(run("export d --c device --json").out);
  const Json json = Json::parse(run("export d --c device --int8 --json").out);
  EXPECT_FALSE(floats.contains("int8"));
  EXPECT_EQ(json["int8"]["calibrated_on"], 512);
  const double in_floats = json["int8"]["float_accuracy"], in_bytes = json["int8"]["int8_accuracy"];
  EXPECT_GT(in_floats, 0.5);
  EXPECT_NEAR(in_bytes, in_floats, 0.01);
  const double difference = json["int8"]["difference"];
  EXPECT_GT(difference, 0.0);
  EXPECT_LT(difference, 0.05);
  EXPECT_LT(json["weight_bytes"].get<double>(), 0.27 * floats["weight_bytes"].get<double>());
  const Json evaluated = Json::parse(run("eval d --json").out);
  EXPECT_EQ(evaluated["metrics"]["accuracy"], in_floats);
  EXPECT_EQ(evaluated["examples"], json["int8"]["examples"]);
}

TEST_F(ExportCommand, In8BitsItNeedsData) {
  ASSERT_EQ(run("train xor -o x --quiet --set train.epochs=1").status, 0);
  const Outcome none = run("export x --c device --int8");
  EXPECT_EQ(none.status, 2);
  EXPECT_EQ(
      none.err,
      "splot: --int8 needs data to calibrate ranges on: the model was trained on rows given in its recipe; "
      "there is no test part; name some with --data\n");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("device")));
  const Outcome alone = run("export x --c device --calibrate 10");
  EXPECT_EQ(alone.status, 2);
  EXPECT_EQ(alone.err, "splot: --calibrate N is for --int8\n");
  const Outcome other = run("export x --c device --int8 --data digits");
  EXPECT_EQ(other.status, 2) << other.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("device")));
}

TEST_F(ExportCommand, WithoutDataInputsAreDrawn) {
  ASSERT_EQ(run("train xor -o x --quiet --set train.epochs=3").status, 0);
  const Outcome exported = run("export x --c device --json");
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_EQ(exported.err,
            "splot: note: the inputs of model_test are drawn by chance, for there are no data: the model was "
            "trained on rows given in its recipe; there is no test part\n");
  const Json json = Json::parse(exported.out);
  EXPECT_EQ(json["examples_drawn"], true);
  EXPECT_EQ(json["weight_bytes"], 4 * (2 * 8 + 8 + 8 + 1) - 4) << "a bias of one number stands in the code";
  EXPECT_EQ(json["multiply_adds"], 24);
  EXPECT_EQ(run("verify device").status, 0);
  if (std::system("make --version >/dev/null 2>&1") == 0) {
    EXPECT_EQ(std::system(("make -s -C '" + folder_.file("device") + "' test >/dev/null").c_str()), 0);
    EXPECT_EQ(run("export x --c device").status, 0) << "what make built is no obstacle";
  }
}

TEST_F(ExportCommand, AChangedProgramDiffers) {
  ASSERT_EQ(run("train xor -o x --quiet --set train.epochs=3").status, 0);
  ASSERT_EQ(run("export x --c device").status, 0);
  std::string source = text(folder_.file("device/model.c"));
  const std::size_t at = source.find("tanhf(");
  ASSERT_NE(at, std::string::npos) << source;
  std::ofstream(folder_.file("device/model.c")) << source.replace(at, 5, "atanf");
  const Outcome differs = run("verify device");
  EXPECT_EQ(differs.status, 1);
  EXPECT_NE(differs.out.find("8 examples DIFFER"), std::string::npos) << differs.out;
  EXPECT_EQ(Json::parse(run("verify device --json").out)["agrees"], false);

  std::ofstream(folder_.file("device/model.c")) << "no C";
  const Outcome broken = run("verify device");
  EXPECT_EQ(broken.status, 1);
  EXPECT_EQ(broken.err.rfind("splot: cc cannot build it:\n", 0), 0u) << broken.err;
}

TEST_F(ExportCommand, ADeviceGoesOnLearning) {
  ASSERT_EQ(run(kDigits).status, 0);
  const Outcome exported = run("export d --c device --train --batch 3 --examples 4");
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_EQ(exported.err, "");
  EXPECT_EQ(exported.out.rfind("device: model.h, model.c, model_weights.c, model_test.c, Makefile\n"
                               "flash      76,360 bytes of first weights, and the code\n",
                               0),
            0u)
      << exported.out;
  const Outcome verified = run("verify device --steps 5 --model d");
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
  EXPECT_NE(verified.out.find("10 steps of learning agree; "), std::string::npos) << verified.out;
  EXPECT_NE(verified.out.find("5 single steps agree: "), std::string::npos) << verified.out;
  const Json json = Json::parse(run("verify device --steps 5 --model d --json").out);
  EXPECT_EQ(json["learning"]["agrees"], true);
  EXPECT_EQ(json["steps"]["steps"], 5);
  EXPECT_EQ(json["steps"]["outside"], 0);

  std::string source = text(folder_.file("device/model.c"));
  const std::size_t at = source.find("*w = *w - ");
  ASSERT_NE(at, std::string::npos) << source;
  std::ofstream(folder_.file("device/model.c")) << source.replace(at, 10, "*w = *w + ");
  const Outcome differs = run("verify device --steps 5 --model d");
  EXPECT_EQ(differs.status, 1);
  EXPECT_NE(differs.out.find("10 steps of learning DIFFER; "), std::string::npos) << differs.out;
  EXPECT_NE(differs.out.find("5 single steps DIFFER: "), std::string::npos) << differs.out;
}

TEST_F(ExportCommand, ARecipeIsNeededToLearn) {
  ASSERT_EQ(run("train xor -o x --quiet --set train.epochs=1").status, 0);
  const Outcome file = run("export x/model.safetensors --c device --train");
  EXPECT_EQ(file.status, 2);
  EXPECT_EQ(file.err,
            "splot: x/model.safetensors does not say with what loss and optimiser it was trained: give the "
            "folder of a "
            "run, which has recipe.toml, or a recipe with --recipe RECIPE\n");
  EXPECT_EQ(run("export x/model.safetensors --c device --train --recipe xor").status, 0);
  EXPECT_EQ(run("verify device --steps 4 --model xor").status, 0) << "from first weights";
  const Outcome no_model = run("verify device --steps 4 --model device");
  EXPECT_EQ(no_model.status, 2);
  EXPECT_NE(no_model.err.find("device is a folder without a model.safetensors"), std::string::npos)
      << no_model.err;
  EXPECT_EQ(run("export x --c device --batch 2").err, "splot: --batch is for --train alone\n");
  EXPECT_EQ(run("export x --c device --train --int8").err,
            "splot: --int8 and --train exclude each other: learning is in floats\n");
  EXPECT_EQ(run("verify device --steps 4").err,
            "splot: --steps and --model go together: --steps 100 --model runs/first\n");
  const Outcome another = run("verify device --steps 4 --model digits");
  EXPECT_EQ(another.status, 2);
  EXPECT_EQ(another.err.rfind(
                "splot: device was exported from another network than digits: its model.h does not say "
                "\"extern float ",
                0),
            0u)
      << another.err;
  ASSERT_EQ(run("export x --c plain").status, 0);
  EXPECT_EQ(
      run("verify plain --steps 4 --model x").err,
      "splot: the export in plain does not learn; splot export x --c plain --train writes one that does\n");
}

TEST_F(ExportCommand, SaysWhatIsMissing) {
  ASSERT_EQ(run("train xor -o x --quiet --set train.epochs=1").status, 0);
  ASSERT_EQ(run("export x --c device").status, 0);
  const Outcome named = run("verify device", "CC=no-such-compiler");
  EXPECT_EQ(named.status, 1);
  EXPECT_EQ(named.err, "splot: CC says no-such-compiler, which is no program here\n");
  const Outcome none = run("verify device", "env -u CC PATH=/no/where");
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(
      none.err,
      "splot: there is no C compiler: neither cc nor gcc nor clang is in PATH; install one, or name one "
      "with CC\n");
  EXPECT_EQ(run("verify x").status, 2);
  EXPECT_EQ(run("verify x").err,
            "splot: there is no export in x: it has no model.h; splot export MODEL --c x writes one\n");
  std::ofstream(folder_.file("device/model_weights.c"));
  EXPECT_EQ(run("verify device").err,
            "splot: device/model_weights.c is empty; splot export MODEL --c device writes it again\n");
  EXPECT_EQ(run("export x").err, "splot: say what to write: --c FOLDER\n");
  EXPECT_EQ(run("export x").status, 2);
  const Outcome other = run("export x --c x");
  EXPECT_EQ(other.status, 1);
  EXPECT_NE(other.err.find("/x\" is there, is not empty and is no earlier export; give a new folder\n"),
            std::string::npos)
      << other.err;
}

}  // namespace
}  // namespace splot
