// splot bench.
#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/sequential.h"
#include "splot/train/model_file.h"

#include "tests/cli/command_fixture.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using test::Outcome;

class BenchCommand : public test::Command {
 protected:
  void SetUp() override {
    test::Command::SetUp();
    Sequential net(Linear(20, 8), ReLU(), Linear(8, 3));
    save_model(folder_.file("m.safetensors"), net, {.sample = {20}});
  }
};

TEST_F(BenchCommand, MeasuresSingleExamplesAndBatches) {
  const Outcome outcome = run("bench m.safetensors --batch 7 --seconds 0.05 --threads 1 --json");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["threads"], 1);
  ASSERT_EQ(json["batches"].size(), 2u);
  const Json &one = json["batches"][0], &seven = json["batches"][1];
  EXPECT_EQ(one["batch"], 1);
  EXPECT_EQ(seven["batch"], 7);
  for (const Json& batch : json["batches"]) {
    EXPECT_GE(batch["runs"], 5);
    EXPECT_GE(batch["warm_up"], 1);
    EXPECT_GT(batch["fastest_us"], 0.0);
    EXPECT_GE(batch["median_us"], batch["fastest_us"]);
    const double examples = batch["batch"].get<double>() / (batch["median_us"].get<double>() * 1e-6);
    EXPECT_NEAR(batch["examples_per_second"].get<double>() / examples, 1.0, 1e-6);
  }
  // Two layers of one and of two packed blocks, and their biases.
  EXPECT_EQ(one["constant_bytes"], 4 * (2 * 128 + 128 + 8 + 3));
  EXPECT_NE(outcome.err.find("batches of 7: "), std::string::npos) << outcome.err;
}

TEST_F(BenchCommand, PrintsATable) {
  const Outcome outcome = run("bench m.safetensors --seconds 0.02");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("examples/s"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\n1 "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\n32 "), std::string::npos) << outcome.out;
  EXPECT_NE(run("bench --help").out.find("splot bench runs/first"), std::string::npos);
}

TEST_F(BenchCommand, TakesRecipesAndSaysThatTheirNetworksAreUntrained) {
  const Outcome outcome = run("bench nielsen-30 --seconds 0.02 --batch 1");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("nielsen-30 is a recipe"), std::string::npos) << outcome.err;
}

TEST_F(BenchCommand, SaysInOneLineWhatIsWrong) {
  EXPECT_EQ(run("bench").status, 2);
  EXPECT_EQ(run("bench m.safetensors --batch 0").status, 2);
  EXPECT_EQ(run("bench m.safetensors --seconds 0").status, 2);
  std::ofstream(folder_.file("broken.safetensors")) << "no tensors";
  for (const std::string name : {"none.safetensors", "broken.safetensors"}) {
    const Outcome outcome = run("bench " + name);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.out.empty());
    EXPECT_NE(outcome.err.find(name), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  std::filesystem::create_directory(folder_.file("empty"));
  const Outcome folder = run("bench empty");
  EXPECT_EQ(folder.status, 2);
  EXPECT_NE(folder.err.find("empty is a folder without a model.safetensors"), std::string::npos)
      << folder.err;
}

}  // namespace
}  // namespace splot
