// The command as a user meets it: exit statuses, what goes to stdout and what to stderr, and the files it
// leaves.
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/core/index.h"

#include "tests/cli/command_fixture.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using test::Command;
using test::Outcome;

TEST_F(Command, HelpOfEveryCommandHasAnExample) {
  EXPECT_NE(run("--help").out.find("Example:\n  splot train mnist"), std::string::npos);
  for (const std::string name :
       {"train", "reproduce", "eval", "predict", "export", "verify", "summary", "graph", "check", "data",
        "ops", "recipes", "report", "doctor", "completion", "man"}) {
    const Outcome help = run(name + " --help");
    EXPECT_EQ(help.status, 0) << name;
    const std::size_t example = help.out.find("Example:\n  ");
    ASSERT_NE(example, std::string::npos) << help.out;
    EXPECT_NE(help.out.find("splot " + name, example), std::string::npos) << help.out;
    EXPECT_EQ(help.err, "") << name;
  }
}

TEST_F(Command, TellsItsVersion) {
  EXPECT_EQ(run("--version").out.rfind("splot ", 0), 0u);
  EXPECT_EQ(run("--version").status, 0);
}

TEST_F(Command, WrongUsageIsStatus2AndOneLine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "splot: A subcommand is required; --help shows what is possible\n"},
      {"train", "splot: recipe is required; --help shows what is possible\n"},
      {"train xor --set lr=1", "splot: --set lr=1: there is no key lr; did you mean optimizer.lr?\n"},
      {"train xor --set data.name=mnist",
       "splot: xor: data.inputs and data.targets belong to data.name = \"table\", not \"mnist\"\n"},
      {"summary", "splot: give a model, a recipe or --dense SIZES, and one of them alone\n"},
      {"summary --dense 784--10", "splot: --dense 784--10: write at least two sizes, as in 784-16-10\n"},
      {"check",
       "splot: a model or a recipe is required, unless there is --step; --help shows what is possible\n"},
      {"check mazur --states 5", "splot: --states goes with --step\n"},
      {"check --step nosuch --states 0",
       "splot: --states: 0 is not a number above 0; --help shows what is possible\n"},
      {"ops nosuch", "splot: there is no op \"nosuch\"; splot ops lists them\n"},
  };
  for (const auto& [arguments, message] : cases) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments;
    EXPECT_EQ(outcome.err, message);
    EXPECT_EQ(outcome.out, "") << arguments;
  }
}

TEST_F(Command, UnknownNamesAreAnsweredWithTheKnownOnes) {
  const Outcome command = run("tain");
  EXPECT_EQ(command.status, 2);
  EXPECT_EQ(command.err.rfind("splot: there is no command \"tain\"; the commands are train, ", 0), 0u)
      << command.err;
  std::string ids;
  for (const Json& recipe : Json::parse(run("recipes --json").out)) {
    ids += (ids.empty() ? "" : ", ") + recipe["id"].get<std::string>();
  }
  const Outcome recipe = run("train mnits");
  EXPECT_EQ(recipe.status, 2);
  EXPECT_EQ(recipe.err, "splot: there is no recipe or file \"mnits\"; the recipes are " + ids + "\n");
}

TEST_F(Command, MissingDataIsStatus1AndSaysWhatToDo) {
  const Outcome outcome = run("train mnist", "SPLOT_DATA=/no/such/folder XDG_CACHE_HOME=/no/such/cache");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("/no/such/folder/mnist"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("SPLOT_DATA"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_.file("runs"))) << "nothing is left of a run that never began";
}

TEST_F(Command, SummaryCountsParameters) {
  const Json small = Json::parse(run("summary --dense 784-16-10 --json").out);
  EXPECT_EQ(small["parameters"], 12730);
  EXPECT_EQ(Json::parse(run("summary --dense 3-5-4-2 --json").out)["parameters"], 54);
  const Json mazur = Json::parse(run("summary mazur --json").out);
  EXPECT_EQ(mazur["parameters"], 12);
  EXPECT_EQ(mazur["trainable"], 8);
  EXPECT_EQ(mazur["dtype"], "float64");
  EXPECT_EQ(mazur["layers"][0]["name"], "hidden");
  EXPECT_NE(run("summary mnist --set model.dense=[784,16,10]").out.find("12,730"), std::string::npos);
}

TEST_F(Command, MazursFiguresAreThoseOfThePage) {
  const Json one = Json::parse(run("train mazur --set train.epochs=1 --json --quiet").out);
  EXPECT_NEAR(one["metrics"]["before"]["loss"].get<double>(), 0.298371109, 1e-9);
  EXPECT_NEAR(one["metrics"]["train"]["loss"].get<double>(), 0.2910277737, 1e-9);
  const Outcome all = run("train mazur --json");
  EXPECT_NEAR(Json::parse(all.out)["metrics"]["train"]["loss"].get<double>(), 3.5102e-05, 5e-10);
  EXPECT_NE(all.err.find("Epoch 10000/10000"), std::string::npos);
}

TEST_F(Command, XorIsLearnedFromEverySeed) {
  for (int seed = 1; seed <= 25; ++seed) {
    const Outcome run_of_seed = run("train xor --json --quiet -o x --seed " + std::to_string(seed));
    EXPECT_EQ(Json::parse(run_of_seed.out)["metrics"]["train"]["accuracy"], 1.0) << "seed " << seed;
    EXPECT_EQ(run_of_seed.err, "");
  }
}

TEST_F(Command, ARunLeavesItsFolder) {
  const Outcome first = run("train xor --set train.epochs=3");
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_NE(first.out.find("runs/xor-1"), std::string::npos);
  EXPECT_NE(first.err.find("Epoch 3/3 1/1 [====================]"), std::string::npos);
  for (const char* name : {"recipe.toml", "metrics.jsonl", "metrics.csv", "model.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_.file(std::string("runs/xor-1/") + name))) << name;
  }
  std::istringstream lines(text(folder_.file("runs/xor-1/metrics.jsonl")));
  int epoch = 0;
  for (std::string line; std::getline(lines, line);) EXPECT_EQ(Json::parse(line)["epoch"], ++epoch);
  EXPECT_EQ(epoch, 3);
  // The recipe as resolved gives the same run again, under a new name.
  const Json again = Json::parse(run("train runs/xor-1/recipe.toml --json --quiet").out);
  const Json same = Json::parse(run("train xor --set train.epochs=3 --json --quiet --threads 3").out);
  EXPECT_EQ(again["weights_sha256"], same["weights_sha256"]);
  EXPECT_EQ(same["run"], "runs/xor-2");
  EXPECT_EQ(run("summary runs/xor-1").status, 0);
}

TEST_F(Command, ALossThatDivergesIsStatus1) {
  const Outcome outcome =
      run("train xor --quiet --set optimizer.lr=1e30 --set model.activation=identity --set loss.name=mse");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err.rfind("splot: [train] epoch ", 0), 0u) << outcome.err;
}

TEST_F(Command, WarnsOfAClassicMistake) {
  const std::string small = "train xor --json --quiet --set train.epochs=2 --set seeds=1";
  const Outcome wrong = run(small +
                            " --set data.inputs=[[0,0],[0,90],[90,0],[90,90]] --set "
                            "model.activation=identity --set optimizer.lr=1e-6");
  EXPECT_EQ(wrong.status, 0);
  EXPECT_EQ(
      wrong.err.rfind("splot: warning: the inputs are not normalised: their root mean square is 63.6,", 0),
      0u)
      << wrong.err;
  const Json warnings = Json::parse(wrong.out)["warnings"];
  ASSERT_EQ(warnings.size(), 1u) << warnings;
  EXPECT_EQ(warnings[0]["code"], "unnormalised-inputs");
  EXPECT_EQ(warnings[0]["where"], "");
  EXPECT_EQ(warnings[0]["epoch"], 0);
  const Outcome right = run(small);
  EXPECT_EQ(right.err, "");
  EXPECT_EQ(Json::parse(right.out)["warnings"], Json::array());
}

TEST_F(Command, ASlipOfTheSignClimbs) {
  const Outcome outcome = run("train sign-slip --json --quiet -o slip");
  EXPECT_EQ(outcome.err,
            "splot: warning: the steps go up the gradient, so the loss climbs: the rule is weight - rate * "
            "gradient, and this is weight + rate * gradient\n");
  const Json result = Json::parse(outcome.out);
  EXPECT_EQ(result["warnings"][0]["code"], "sign-slip");
  EXPECT_NEAR(result["metrics"]["before"]["loss"].get<double>(), 0.298371109, 5e-10) << "Mazur's";
  EXPECT_GT(result["metrics"]["train"]["loss"].get<double>(), 0.9);
  double before = 0.0;
  std::istringstream lines(text(folder_.file("slip/metrics.jsonl")));
  for (std::string line; std::getline(lines, line);) {
    const double loss = Json::parse(line)["loss"].get<double>();
    EXPECT_GT(loss, before);
    before = loss;
  }
}

TEST_F(Command, CtrlCKeepsWhatWasLearned) {
  const Outcome outcome =
      run("train mazur --set train.epochs=10000000 -o stopped --quiet", "exec timeout --foreground -s INT 1");
  EXPECT_NE(outcome.err.find("interrupted; what was learned so far is in stopped"), std::string::npos)
      << outcome.err;
  EXPECT_TRUE(std::filesystem::exists(folder_.file("stopped/model.safetensors")));
  EXPECT_EQ(run("summary stopped").status, 0);
}

TEST_F(Command, DigitsAreLearnedMeasuredAndRead) {
  const Outcome learned =
      run("train digits -o d --quiet --json --set data.train=4000 --set data.validation=1000 --set "
          "train.epochs=4");
  ASSERT_EQ(learned.status, 0) << learned.err;
  const Json result = Json::parse(learned.out);
  EXPECT_GT(result["metrics"]["test"]["accuracy"].get<double>(), 0.9);
  EXPECT_EQ(result["best"]["accuracy"].is_number(), true);
  const Json eval = Json::parse(run("eval d --json").out);
  EXPECT_EQ(eval["metrics"]["accuracy"], result["metrics"]["test"]["accuracy"]);
  EXPECT_EQ(eval["metrics"]["loss"], result["metrics"]["test"]["loss"]);
  EXPECT_EQ(eval["examples"], 10000);
  EXPECT_LT(eval["accuracy_interval"]["low"], eval["metrics"]["accuracy"]);
  EXPECT_GT(eval["accuracy_interval"]["high"], eval["metrics"]["accuracy"]);
  EXPECT_GE(eval["metrics"]["top_3_accuracy"], eval["metrics"]["accuracy"]);
  // The matrix adds up to the examples, and its diagonal to the accuracy.
  Index sum = 0;
  Index right = 0;
  for (std::size_t t = 0; t < 10; ++t) {
    for (std::size_t p = 0; p < 10; ++p) sum += eval["confusion"][t][p].get<Index>();
    right += eval["confusion"][t][t].get<Index>();
    EXPECT_EQ(eval["classes"][t]["name"], std::to_string(t));
  }
  EXPECT_EQ(sum, 10000);
  EXPECT_DOUBLE_EQ(static_cast<double>(right) / 10000.0, eval["metrics"]["accuracy"].get<double>());
  EXPECT_NEAR(eval["weighted_average"]["recall"].get<double>(), eval["metrics"]["accuracy"].get<double>(),
              1e-12);
  const std::string text = run("eval d").out;
  EXPECT_EQ(text.rfind("digits test: accuracy ", 0), 0u) << text;
  EXPECT_NE(text.find("\nclass "), std::string::npos) << text;
  EXPECT_NE(text.find("rows: the class; columns: what it was taken for\n"), std::string::npos) << text;
  const std::string picture = std::string(SPLOT_TESTS_DIR) + "/../examples/pictures/seven.png";
  const Outcome json = run("predict d/model.safetensors '" + picture + "' --json");
  ASSERT_EQ(json.status, 0) << json.err;
  const Json seen = Json::parse(json.out);
  EXPECT_EQ(seen[0]["top"].size(), 3u);
  EXPECT_NE(run("predict d '" + picture + "'").out.find("seven.png: "), std::string::npos);
  EXPECT_EQ(run("predict d nothing.png").status, 1);
  // The same pictures under other names: the answers would be called by them.
  const Outcome other = run("eval d --data fashion-mnist");
  if (const char* data = std::getenv("SPLOT_DATA");
      data != nullptr && std::filesystem::exists(std::string(data) + "/fashion-mnist")) {
    EXPECT_EQ(other.status, 2);
    EXPECT_EQ(other.err,
              "splot: d answers with the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, those of fashion-mnist are "
              "T-shirt/top, "
              "Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot\n");
  } else {
    EXPECT_EQ(other.status, 1) << other.err;
  }
}

TEST_F(Command, CheckAgreesLayerByLayer) {
  const Json mazur = Json::parse(run("check mazur --json").out);
  EXPECT_EQ(mazur["pass"], true);
  EXPECT_EQ(mazur["checks"].size(), 8u)
      << "each linear layer by input, weight and bias, each sigmoid by input";
  EXPECT_EQ(run("check digits").status, 0);
}

TEST_F(Command, TrainPrintsAProfile) {
  const std::string train = "train xor --quiet --set train.epochs=5";
  const Json json = Json::parse(run(train + " --profile --json -o p").out);
  const Json& profile = json["profile"];
  EXPECT_GT(profile["flops_per_second"], 1e8);
  ASSERT_FALSE(profile["plans"].empty());
  EXPECT_GE(profile["plans"][0]["bytes"], profile["plans"][0]["least_bytes"]);
  double seconds = 0.0;
  for (const Json& op : profile["ops"]) seconds += op["seconds"].get<double>();
  EXPECT_GT(seconds, 0.0);
  const Outcome text = run(train + " --profile -o q");
  EXPECT_NE(text.out.find("loss and derivatives of"), std::string::npos) << text.out << text.err;
  const Json eager = Json::parse(run(train + " --eager --profile --json -o e").out);
  EXPECT_TRUE(eager["profile"]["plans"].empty());
  EXPECT_EQ(eager["weights_sha256"], json["weights_sha256"]);
}

TEST_F(Command, CheckComparesStepsBothWays) {
  const Outcome text = run("check --step mazur xor --states 5");
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_EQ(text.out.rfind("mazur  5 states, the same bits; ", 0), 0u) << text.out;
  EXPECT_NE(text.out.find(" B as a plan\nxor    5 states, the same bits; "), std::string::npos) << text.out;
  const Json json = Json::parse(run("check --step mazur --states 3 --json").out);
  EXPECT_EQ(json["pass"], true);
  EXPECT_EQ(json["steps"][0]["states"], 3);
  EXPECT_EQ(json["steps"][0]["equal"], 3);
  EXPECT_GT(json["steps"][0]["eager_bytes"], json["steps"][0]["plan_bytes"]);
  const Outcome lbfgs = run("check --step mazur --states 3 --set optimizer.name=lbfgs");
  EXPECT_EQ(lbfgs.status, 0);
  EXPECT_EQ(lbfgs.out.rfind("mazur  runs call by call: the optimiser looks at the loss several times", 0), 0u)
      << lbfgs.out;
}

TEST_F(Command, OpsPrintTheTableAndC) {
  EXPECT_EQ(run("ops relu --c").out, "float relu(float x) { return ((x <= 0.0f) ? 0.0f : x); }\n");
  EXPECT_NE(run("ops --markdown").out.find("| `matmul` | 2 |"), std::string::npos);
  EXPECT_GT(Json::parse(run("ops --json").out).size(), 15u);
  EXPECT_EQ(run("ops matmul --c").err,
            "splot: matmul is not an elementwise op, so it has no C text of its own\n");
}

TEST_F(Command, RecipesAreListed) {
  const Json all = Json::parse(run("recipes --json").out);
  ASSERT_GE(all.size(), 4u);
  for (const Json& recipe : all) EXPECT_FALSE(recipe["title"].get<std::string>().empty());
}

}  // namespace
}  // namespace splot
