// splot train, eval and predict with the user's own pictures.
#include <algorithm>
#include <cmath>
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
    // Not by write_png(), which waits for the disk.
    const std::vector<std::uint8_t> bytes = encode_png(picture);
    std::ofstream(folder_.file(join(folder, '/', number, ".png")), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
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
  const Outcome missing =
      run("eval run --data eurosat", "SPLOT_DATA=/no/such/folder XDG_CACHE_HOME=/no/such");
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.err.find("looked in \"/no/such/folder/eurosat\""), std::string::npos) << missing.err;
  // The same pictures in another place are cut the same way.
  std::filesystem::rename(folder_.file("mine"), folder_.file("moved"));
  const Outcome gone = run("eval run");
  EXPECT_EQ(gone.status, 2);
  EXPECT_EQ(gone.err,
            "splot: run was trained on the pictures in mine, which is not there now: say where they are with "
            "--data FOLDER\n");
  EXPECT_EQ(judged("run --data moved")["metrics"], whole["metrics"]);
}

TEST_F(PicturesCommand, EvalMovesPictures) {
  write_noise("mine", 40);
  write_recipe("test = 0.5");
  ASSERT_EQ(run("train mine.toml -o run --quiet").status, 0) << text(folder_.file("err.txt"));
  const Outcome outcome = run("eval --robustness run run/model.safetensors --examples 6 --json -o figures");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("100 %"), std::string::npos) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["examples"], 6);
  ASSERT_EQ(json["models"].size(), 2u);
  EXPECT_EQ(json["models"][1]["model"], "run/model.safetensors") << "both would be called run";
  const Json& model = json["models"][0];
  EXPECT_EQ(model["moved"], json["models"][1]["moved"]);
  ASSERT_EQ(model["moved"].size(), 7u * 81u);
  double worst = 1.0;
  for (const Json& point : model["moved"]) worst = std::min(worst, point["accuracy"].get<double>());
  EXPECT_EQ(model["worst_shift_and_scale"], worst);
  // As it is, it is the accuracy that eval gives; all of the test part are 20.
  const Json all = Json::parse(run("eval --robustness run --json").out);
  for (const Json& point : all["models"][0]["moved"]) {
    if (point["scale"] == 1.0 && point["right"] == 0.0 && point["down"] == 0.0) {
      EXPECT_EQ(point["accuracy"], judged("run")["metrics"]["accuracy"]);
    }
  }
  EXPECT_NE(text(folder_.file("figures/robustness.svg")).find("</svg>"), std::string::npos);
  EXPECT_EQ(text(folder_.file("figures/robustness.csv")).substr(0, 24), "scale,right,down,degrees");
  // Before anything is measured, which may take minutes.
  const auto complaint = [&](const std::string& arguments) {
    return run("eval --robustness " + arguments).err;
  };
  EXPECT_EQ(complaint("run gone"), "splot: [read] \"gone\" cannot be opened: No such file or directory\n");
  EXPECT_EQ(complaint("run -o mine.toml"),
            "splot: [run] cannot make the folder mine.toml: Not a directory\n");
  EXPECT_EQ(complaint("run run run run run run run run run"),
            "splot: one figure shows up to 8 models, got 9\n");
  ASSERT_EQ(run("train xor -o xor --quiet").status, 0);
  EXPECT_EQ(complaint("run xor"), "splot: xor takes examples of shape [2], those of mine have [3, 64, 64]\n");
  EXPECT_EQ(run("eval run run").err, "splot: several models are measured together only with --robustness\n");
  EXPECT_EQ(run("eval run --examples 5").err, "splot: --examples and --output go with --robustness\n");
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

TEST_F(PicturesCommand, PredictMakesPicturesReadyAsTheTrainingDataWere) {
  // Told by the colour of the outer quarters alone, which a stretched picture keeps and a cut one loses.
  const auto banner = [](bool red, Index width, Index height, Index channels) {
    Image picture{width, height, channels, {}};
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) {
        const bool outside = x < width / 4 || x >= width - width / 4;
        for (Index c = 0; c < channels; ++c)
          picture.pixels.push_back(outside && c == (red ? 0 : 2) ? 255 : 40);
      }
    }
    return picture;
  };
  for (int i = 0; i < 40; ++i) {
    write(i % 2 == 0 ? "mine/blue" : "mine/red", i, banner(i % 2 == 1, 32, 8 + i % 3, 3));
  }
  write_recipe("fit = \"stretch\"\nnormalise = \"channels\"");
  ASSERT_EQ(run("train mine.toml -o run --quiet").status, 0) << text(folder_.file("err.txt"));
  write("new", 1, banner(true, 200, 40, 3));
  write("new", 2, banner(false, 31, 77, 3));
  write("new", 3, banner(true, 9, 9, 1));
  const Outcome seen = run("predict run new/1.png new/2.png new/3.png --json");
  ASSERT_EQ(seen.status, 0) << seen.err;
  const Json all = Json::parse(seen.out);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]["label"], "red");
  EXPECT_GT(all[0]["confidence"].get<double>(), 0.6);
  EXPECT_EQ(all[1]["label"], "blue");
  EXPECT_EQ(all[2]["top"].size(), 2u);
  // As the network saw it in its data set.
  const Json again = Json::parse(run("predict run mine/red/1.png --json").out);
  EXPECT_EQ(again[0]["label"], "red");
  const Outcome words = run("predict run new/1.png");
  EXPECT_EQ(words.out.rfind("new/1.png: red (", 0), 0u) << words.out;
}

TEST_F(PicturesCommand, PredictSeesTheMiddleThatEvalJudges) {
  write_noise("mine/train", 40);
  write_noise("all", 1);
  std::filesystem::create_directories(folder_.file("mine/test/a"));
  std::filesystem::copy_file(folder_.file("all/a/0.png"), folder_.file("mine/test/a/0.png"));
  std::ofstream(folder_.file("mine.toml")) << "[data]\nname = \"images\"\nfolder = \"mine\"\nsize = 8\ncrop "
                                              "= 5\nnormalise = \"channels\"\n[model]\n"
                                              "dense = [75, 2]\n[train]\nepochs = 3\n";
  ASSERT_EQ(run("train mine.toml -o run --quiet").status, 0) << text(folder_.file("err.txt"));
  const Json seen = judged("run");
  EXPECT_EQ(seen["examples"], 1);
  EXPECT_NEAR(seen["metrics"]["loss"].get<double>(), trained_test()["loss"].get<double>(), 1e-6);
  const Json guess = Json::parse(run("predict run mine/test/a/0.png --json").out);
  for (const Json& one : guess[0]["top"]) {
    if (one["label"] != "a") continue;
    EXPECT_NEAR(-std::log(one["confidence"].get<double>()), seen["metrics"]["loss"].get<double>(), 1e-5);
  }
  EXPECT_EQ(guess[0]["top"].size(), 2u);
  const Outcome summary = run("summary run");
  EXPECT_NE(summary.out.find("75"), std::string::npos) << summary.out;
}

TEST_F(PicturesCommand, PredictGoesOnAfterAPictureThatIsNone) {
  write_noise("mine", 20);
  write_recipe("");
  ASSERT_EQ(run("train mine.toml -o run --quiet --set train.epochs=1").status, 0);
  std::ofstream(folder_.file("broken.png")) << "no picture";
  const Outcome seen = run("predict run broken.png mine/a/0.png mine --json");
  EXPECT_EQ(seen.status, 1);
  const Json all = Json::parse(seen.out);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_NE(all[0]["error"].get<std::string>().find("\"broken.png\""), std::string::npos);
  EXPECT_TRUE(all[1].contains("label"));
  EXPECT_NE(all[2]["error"].get<std::string>().find("\"mine\""), std::string::npos);
  EXPECT_NE(seen.err.find("splot: "), std::string::npos);
}

// Stripes that lie or stand, of any colours.
Image stripes(bool lying, int number) {
  Image picture{20, 20, 3, {}};
  for (Index y = 0; y < 20; ++y) {
    for (Index x = 0; x < 20; ++x) {
      const bool ink = ((lying ? y : x) + number) / 3 % 2 == 0;
      for (int c = 0; c < 3; ++c) {
        picture.pixels.push_back(
            static_cast<std::uint8_t>(ink ? 200 - 50 * ((number + c) % 3) : 20 + number % 7));
      }
    }
  }
  return picture;
}

TEST_F(PicturesCommand, AFolderBecomesANetworkWithOneCommand) {
  for (int i = 0; i < 80; ++i) write(i % 2 == 0 ? "mine/lying" : "mine/standing", i, stripes(i % 2 == 0, i));
  const Outcome outcome = run("train --images mine -o run --set train.epochs=8 --set optimizer.lr=0.01");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_GE(trained_test()["accuracy"].get<double>(), 0.9) << outcome.err;
  EXPECT_NE(outcome.err.find("mine: what was chosen, and why"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("\n  data.size        20 x 20: "), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find("train.epochs"), std::string::npos) << "what --set says was not chosen";
  EXPECT_NE(outcome.err.find("edit it and run: splot train run/recipe.toml"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder_.file("run/report.html")));
  write("new", 1, stripes(true, 5));
  EXPECT_EQ(Json::parse(run("predict run new/1.png --json").out)[0]["label"], "lying");
  EXPECT_EQ(judged("run")["examples"], 16);
  // The recipe that was kept is the one that was run, and the same words go on with it.
  const std::string kept = text(folder_.file("run/recipe.toml"));
  EXPECT_NE(kept.find("# 20 x 20: "), std::string::npos) << kept;
  EXPECT_EQ(
      run("train --images mine --resume run --set train.epochs=9 --set optimizer.lr=0.01 --quiet").status, 0)
      << text(folder_.file("err.txt"));
  ASSERT_EQ(run("train --resume run --quiet").status, 0) << text(folder_.file("err.txt"));
  EXPECT_NE(text(folder_.file("run/recipe.toml")).find("# 20 x 20: "), std::string::npos);
  EXPECT_EQ(run("train run/recipe.toml -o again --quiet --set train.epochs=1").status, 0);
}

TEST_F(PicturesCommand, TrainSaysWhichPicturesWillNotDo) {
  EXPECT_EQ(run("train --images nowhere").err,
            "splot: --images nowhere: there is no such folder or archive\n");
  EXPECT_EQ(run("train xor --images mine").err,
            "splot: give a recipe or --images FOLDER, and one of them alone\n");
  std::filesystem::create_directory(folder_.file("mine"));
  EXPECT_EQ(run("train --images mine").err,
            "splot: [ImageFolder] \"mine\" holds no pictures: nothing in it ends in .png, .jpg or .jpeg\n");
  for (int i = 0; i < 20; ++i) write(i % 2 == 0 ? "mine/a" : "mine/b", i, stripes(true, i));
  std::ofstream(folder_.file("mine/a/7.png")) << "no picture";
  const Outcome outcome = run("train --images mine");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("\"mine/a/7.png\""), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("runs")));
}

TEST_F(PicturesCommand, PredictSaysWhenAModelTakesNoPictures) {
  ASSERT_EQ(run("train xor -o run --quiet").status, 0);
  const Outcome outcome = run("predict run x.png");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "splot: run does not take pictures, [1 or 3 channels, height, width]: its examples have shape "
            "[2]\n");
}

}  // namespace
}  // namespace splot
