// splot lr-find: its drawing, its files and its JSON.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/cli/command_fixture.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using test::Outcome;

class LrFindCommand : public test::Command {};

TEST_F(LrFindCommand, SuggestsARateBetweenTheFirstAndTheBestOne) {
  const Outcome outcome = run("lr-find xor --steps 60 --json");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["recipe"], "xor");
  double lowest = 0.0;
  double at = 0.0;
  for (const Json& point : json["points"]) {
    if (at == 0.0 || point["smoothed"] < lowest) {
      lowest = point["smoothed"];
      at = point["lr"];
    }
  }
  EXPECT_NEAR(json["minimum_tenth"].get<double>(), at / 10.0, 1e-9 * at);
  EXPECT_GE(json["suggestion"], json["points"].front()["lr"]);
  EXPECT_LE(json["suggestion"], at);
  EXPECT_EQ(outcome.out, run("lr-find xor --steps 60 --json --threads 1").out)
      << "the same for any number of threads";
}

TEST_F(LrFindCommand, DrawsAndKeepsThePicture) {
  const std::string folder = folder_.file("rates");
  const Outcome outcome = run("lr-find xor --steps 60 -o " + folder);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("xor: try optimizer.lr = "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find('^'), std::string::npos) << outcome.out;
  EXPECT_GT(std::filesystem::file_size(folder + "/lr-find.svg"), 1000u);
  EXPECT_GT(std::filesystem::file_size(folder + "/lr-find.csv"), 1000u);
}

TEST_F(LrFindCommand, RefusesARateThatIsNotPositive) {
  const Outcome outcome = run("lr-find xor --first -1");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "splot: --first: -1 is not a number above 0; --help shows what is possible\n");
}

TEST_F(LrFindCommand, RatesInTheWrongOrderAreWrongUsage) {
  const Outcome outcome = run("lr-find xor --first 1 --last 0.1");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "splot: --first 1 is not below --last 0.1\n");
}

}  // namespace
}  // namespace splot
