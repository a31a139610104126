// splot graph.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/cli/command_fixture.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using test::Outcome;

class GraphCommand : public test::Command {};

TEST_F(GraphCommand, PrintsAPrediction) {
  const Outcome outcome = run("graph nielsen-30 --batch 5");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("%0 = argument 0: float32[5, 1, 28, 28]\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("sigmoid("), std::string::npos);
  EXPECT_NE(outcome.out.find("calls before"), std::string::npos);
}

TEST_F(GraphCommand, AStepIsSmallerAfterThePasses) {
  const Json json = Json::parse(run("graph nielsen-30 --step --json").out);
  EXPECT_LT(json["calls_after"], json["calls_before"]);
  EXPECT_NE(json["after"].get<std::string>().find("1.weight := "), std::string::npos);
  const Json off = Json::parse(run("graph nielsen-30 --step --json --passes dead-code").out);
  EXPECT_EQ(off["calls_after"], off["calls_before"]) << "a step has no dead code before the other passes";
  const Json without = Json::parse(
      run("graph nielsen-30 --step --json --without common-subexpressions,constant-folding,fuse-update").out);
  EXPECT_EQ(without["calls_after"], without["calls_before"]);
}

TEST_F(GraphCommand, ShowsAPassBeforeAndAfter) {
  const std::string shown = run("graph nielsen-30 --step --show constant-folding").out;
  const std::size_t after = shown.find("\n\n%0 = argument 0");
  ASSERT_NE(after, std::string::npos) << shown;
  EXPECT_NE(shown.substr(0, after).find("full("), std::string::npos) << shown;
  EXPECT_EQ(shown.substr(after).find("full("), std::string::npos) << shown;
  EXPECT_EQ(run("graph nielsen-30 --show identities").out,
            "identities finds nothing to change in this graph\n");
}

TEST_F(GraphCommand, DrawsBeforeAndAfter) {
  ASSERT_EQ(run("graph nielsen-30 --step --svg after.svg").status, 0);
  ASSERT_EQ(run("graph nielsen-30 --step --before --svg before.svg").status, 0);
  const std::string after = text(folder_.file("after.svg")), before = text(folder_.file("before.svg"));
  EXPECT_NE(after.find("nielsen-30: a training step in 23 calls"), std::string::npos) << after.substr(0, 300);
  EXPECT_NE(before.find("nielsen-30: a training step in 30 calls"), std::string::npos);
  EXPECT_NE(after.find(">sgd_step<"), std::string::npos);
  EXPECT_NE(after.find(">matmul_sgd_step<"), std::string::npos);
}

TEST_F(GraphCommand, ListsPasses) {
  const Json list = Json::parse(run("graph --list --json").out);
  ASSERT_EQ(list.size(), 16u);
  EXPECT_EQ(list[0]["pass"], "freeze");
  EXPECT_EQ(list[0]["frozen"], true);
  EXPECT_EQ(list[1]["pass"], "dead-code");
  EXPECT_EQ(list[1]["frozen"], false);
  EXPECT_EQ(list[5]["exact"], false);
  EXPECT_EQ(list[6]["pass"], "fuse-update");
  EXPECT_EQ(list[6]["exact"], true);
  EXPECT_EQ(list[15]["pass"], "rematerialize");
  EXPECT_EQ(list[15]["exact"], true);
}

TEST_F(GraphCommand, ShowsWhatAnAnswerAloneTakes) {
  const Outcome plain = run("graph nielsen-30"), frozen = run("graph nielsen-30 --frozen");
  EXPECT_EQ(plain.out.find("linear_packed("), std::string::npos) << plain.out;
  EXPECT_NE(plain.out.find("slot 1.weight"), std::string::npos) << plain.out;
  EXPECT_NE(frozen.out.find("linear_packed("), std::string::npos) << frozen.out;
  EXPECT_EQ(frozen.out.find("slot "), std::string::npos) << frozen.out;
  // What batch norm has counted belongs to the layers, which must be there while the passes run.
  const Outcome normed = run("graph digits-cnn --frozen");
  EXPECT_EQ(normed.status, 0) << normed.err;
  EXPECT_EQ(normed.out.find("batch_norm("), std::string::npos) << normed.out;
  // Asking for one of the passes is enough.
  const Outcome shown = run("graph nielsen-30 --show pack-weights");
  EXPECT_NE(shown.out.find("linear("), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("linear_packed("), std::string::npos) << shown.out;
  for (const char* option : {"--frozen", "--show freeze", "--passes freeze"}) {
    const Outcome step = run(std::string("graph nielsen-30 --step ") + option);
    EXPECT_EQ(step.status, 2) << option;
    EXPECT_NE(step.err.find("is for networks that only answer"), std::string::npos) << step.err;
  }
}

TEST_F(GraphCommand, WrongUsage) {
  EXPECT_EQ(run("graph").status, 2);
  EXPECT_EQ(run("graph nielsen-30 --list").status, 2);
  EXPECT_EQ(run("graph nielsen-30 --passes dead-code --without identities").status, 2);
  const Outcome outcome = run("graph nielsen-30 --without fusion");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find(
                "there is no pass \"fusion\"; there are freeze, dead-code, "
                "common-subexpressions, constant-folding, identities, stable-numerics, fuse-update, layouts, "
                "fold-batch-norm, fuse-epilogue, pack-weights, fuse-pooling"),
            std::string::npos)
      << outcome.err;
  EXPECT_EQ(run("graph model.safetensors --step").status, 2);
}

TEST_F(GraphCommand, AFolderIsNoRecipe) {
  std::filesystem::create_directory(folder_.file("empty"));
  for (const std::string command : {"graph empty --step", "lr-find empty", "check --step empty"}) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 2) << command;
    EXPECT_TRUE(outcome.err.starts_with("splot: empty is a folder: a recipe is one of ")) << outcome.err;
  }
}

}  // namespace
}  // namespace splot
