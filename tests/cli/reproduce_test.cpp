// splot reproduce as a user meets it. What it computes is tested in tests/recipe.
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/cli/command_fixture.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using test::Outcome;

class ReproduceCommand : public test::Command {
 protected:
  // A line through two points, learned in a moment; its loss ends far below 0.1.
  void write_recipe(const std::string& name, const std::string& bound, const std::string& more = "") {
    std::ofstream(folder_.file(name)) << R"(title = "A line"
seeds = 3
[data]
name = "table"
inputs = [[0], [1]]
targets = [[1], [3]]
[model]
dense = [1, 1]
[loss]
name = "mse"
[optimizer]
lr = 0.3
[train]
epochs = 100
batch = 0
keep = "last"
[published]
source = "Euclid"
value = 0.0
metric = "loss"
epoch = "last"
reason = "a line fits two points"
bounds = [")" << bound << "\"]\n" << more;
  }
};

TEST_F(ReproduceCommand, PrintsOneObjectAndSucceedsWhenTheBoundsHold) {
  write_recipe("line.toml", "max <= 0.1");
  const Outcome outcome = run("reproduce line.toml --json");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json result = Json::parse(outcome.out);
  EXPECT_EQ(result["id"], "line");
  EXPECT_EQ(result["published"], 0.0);
  EXPECT_EQ(result["statistic"], "mean of loss at epoch 100");
  EXPECT_EQ(result["seeds"], 3);
  EXPECT_EQ(result["stuck"], 0);
  EXPECT_EQ(result["pass"], true);
  ASSERT_EQ(result["runs"].size(), 3u);
  double sum = 0.0;
  for (const Json& one : result["runs"]) sum += one["value"].get<double>();
  EXPECT_DOUBLE_EQ(result["mean"].get<double>(), sum / 3.0);
  for (const char* name : {"median", "min", "max", "sd"}) EXPECT_TRUE(result[name].is_number()) << name;
  EXPECT_NE(outcome.err.find("line: seed 1 of 3: "), std::string::npos) << outcome.err;
}

TEST_F(ReproduceCommand, FailsWhenABoundDoesNotHold) {
  write_recipe("line.toml", "min >= 5");
  const Outcome outcome = run("reproduce line.toml --seeds 2 --quiet");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("min >= 5  DOES NOT HOLD"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("line: NOT reproduced\n"), std::string::npos) << outcome.out;
}

TEST_F(ReproduceCommand, KeepsResultsAndRunsSeveral) {
  write_recipe("a.toml", "max <= 0.1");
  write_recipe("b.toml", "min >= 5");
  const Outcome outcome = run("reproduce a.toml b.toml --json --quiet -o kept --threads 2");
  EXPECT_EQ(outcome.status, 1) << "one of them is not reproduced";
  const Json both = Json::parse(outcome.out);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(Json::parse(text(folder_.file("kept/a.json"))), both[0]);
  EXPECT_EQ(both[1]["pass"], false);
  EXPECT_EQ(both[1]["runs"][0]["value"], both[0]["runs"][0]["value"]);
}

TEST_F(ReproduceCommand, CtrlCTellsWhatHasFinished) {
  write_recipe("long.toml", "max <= 0.1", "[published_]\n");
  EXPECT_EQ(run("reproduce long.toml").status, 1) << "a recipe that is none";
  write_recipe("long.toml", "max <= 0.1");
  std::string recipe = text(folder_.file("long.toml"));
  recipe.replace(recipe.find("epochs = 100"), 12, "epochs = 10000000");
  std::ofstream(folder_.file("long.toml")) << recipe;
  // Not GNU timeout's own status, 124: it runs the command in the foreground and hands on what it answered.
  const Outcome outcome =
      run("reproduce long.toml --json", "exec timeout --foreground --preserve-status -s INT 1");
  EXPECT_EQ(outcome.status, 130) << outcome.err;
  const Json result = Json::parse(outcome.out);
  EXPECT_EQ(result["interrupted"], true);
  EXPECT_EQ(result["pass"], false);
  EXPECT_EQ(result["seeds"], 0);
}

TEST_F(ReproduceCommand, WrongUsageIsStatus2) {
  EXPECT_EQ(run("reproduce").err, "splot: give experiments, --all or --list, and one of them alone\n");
  EXPECT_EQ(run("reproduce nielsen-30 --all").status, 2);
  EXPECT_EQ(run("reproduce xor").err,
            "splot: xor does not say what was published; splot reproduce --list shows the recipes that do\n");
  EXPECT_EQ(run("reproduce nielsen-30 --seeds 0").status, 2);
  EXPECT_EQ(run("reproduce nielsen-30 --minutes 5").err, "splot: --minutes goes with --all\n");
}

TEST_F(ReproduceCommand, ListsWhatWasPublishedWithItsBoundsAndTheirReason) {
  const Json all = Json::parse(run("reproduce --list --json").out);
  ASSERT_GE(all.size(), 4u);
  for (const Json& one : all) {
    EXPECT_FALSE(one["source"].get<std::string>().empty()) << one["id"];
    EXPECT_FALSE(one["reason"].get<std::string>().empty()) << one["id"];
    EXPECT_FALSE(one["bounds"].empty()) << one["id"];
    EXPECT_GT(one["minutes"], 0.0) << one["id"];
    EXPECT_TRUE(one["seeds"] > 1 || one["minutes"] > 20.0)
        << one["id"] << ": one run is luck, unless it is very long";
    const std::string statistic = one["statistic"];
    if (statistic.find("best-epoch test") != std::string::npos) {
      EXPECT_NE(statistic.find("picked on the test set"), std::string::npos) << statistic;
    }
  }
  EXPECT_NE(run("reproduce --list").out.find("nielsen-30 "), std::string::npos);
}

}  // namespace
}  // namespace splot
