// splot train, eval and predict with the user's own pictures.
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/data/image.h"

#include "tests/cli/command_fixture.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using test::Outcome;

class PicturesCommand : public test::Command {
 protected:
  // Noise has nothing in common with its class: a network can only remember those that it has seen.
  void write_noise(const std::string& folder, int count) {
    std::uint32_t state = 7;
    for (int i = 0; i < count; ++i) {
      Image picture{8, 8, 3, {}};
      for (int p = 0; p < 192; ++p) {
        state = state * 1664525u + 1013904223u;
        picture.pixels.push_back(static_cast<std::uint8_t>(state >> 24));
      }
      write(folder + (i % 2 == 0 ? "/a" : "/b"), i, picture);
    }
  }
  void write(const std::string& folder, int number, const Image& picture) {
    std::filesystem::create_directories(folder_.file(folder));
    write_png(folder_.file(join(folder, '/', number, ".png")), picture);
  }
  void write_recipe(const std::string& data) {
    std::ofstream(folder_.file("mine.toml"))
        << "[data]\nname = \"images\"\nfolder = \"mine\"\nsize = 8\n" + data +
               "\n[model]\ndense = [192, 64, 2]\n[optimizer]\nname = \"adam\"\n[train]\nepochs = 12\n";
  }
  Json judged(const std::string& arguments, const std::string& note = "") {
    const Outcome outcome = run("eval " + arguments + " --json");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.err, note.empty() ? "" : "splot: note: " + note + "\n");
    return Json::parse(outcome.out, nullptr, false);
  }
  Json trained_test() const { return Json::parse(text(folder_.file("run/run.json")))["metrics"]["test"]; }
};

TEST_F(PicturesCommand, EvalJudgesOnThePicturesThatWereKeptForTesting) {
  write_noise("mine", 120);
  write_recipe("test = 0.35\nsplit_seed = 9\nfit = \"stretch\"");
  ASSERT_EQ(run("train mine.toml -o run --quiet").status, 0) << text(folder_.file("err.txt"));
  const Json test = trained_test();
  const Json whole = judged("run");
  EXPECT_EQ(whole["examples"], 42);
  EXPECT_NEAR(whole["metrics"]["loss"].get<double>(), test["loss"].get<double>(), 1e-6);
  EXPECT_GT(whole["metrics"]["loss"].get<double>(), 0.5) << "nothing can be known of noise never seen";
  EXPECT_EQ(judged("run --data mine"), whole);
  // The same pictures in another place are cut the same way.
  std::filesystem::rename(folder_.file("mine"), folder_.file("moved"));
  const Outcome gone = run("eval run");
  EXPECT_EQ(gone.status, 2);
  EXPECT_EQ(gone.err,
            "splot: run was trained on the pictures in mine, which is not there now: say where they are with "
            "--data FOLDER\n");
  EXPECT_EQ(judged("run --data moved")["metrics"], whole["metrics"]);
}

TEST_F(PicturesCommand, EvalSaysWhenPicturesAreOthersThanThoseLearnedFrom) {
  write_noise("mine", 40);
  write_recipe("test = 0.5");
  ASSERT_EQ(run("train mine.toml -o run --quiet").status, 0) << text(folder_.file("err.txt"));
  write_noise("other", 30);
  EXPECT_EQ(judged("run --data other",
                   "the pictures in other are not the ones learned from: a part of them is for testing, that "
                   "of the folder test or a fifth of each class, and judged")["examples"],
            6);
  std::filesystem::remove(folder_.file("mine/a/0.png"));
  EXPECT_EQ(judged("run",
                   "pictures were added to mine, removed or renamed since the training: which are for "
                   "testing has changed with them, so some of these may have been learned from")["examples"],
            20);
}

}  // namespace
}  // namespace splot
