// splot data, as a user meets it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "splot/data/download.h"
#include "splot/data/idx.h"
#include "splot/data/image.h"

#include "tests/support/local_server.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Json = nlohmann::json;

// An MNIST of 6 + 4 pictures: picture i is filled with 10 i, its class is i modulo 3.
class DataCommand : public testing::Test {
 protected:
  void SetUp() override {
    const char* command = std::getenv("SPLOT_COMMAND");
    ASSERT_NE(command, nullptr) << "ctest sets SPLOT_COMMAND to the splot that was built";
    command_ = command;
    std::filesystem::create_directories(folder_.file("data/mnist"));
    write_part("train", 6);
    write_part("t10k", 4);
  }

  void write_part(const std::string& part, Index n) {
    std::vector<std::uint8_t> pixels, labels;
    for (Index i = 0; i < n; ++i) {
      pixels.insert(pixels.end(), 784, static_cast<std::uint8_t>(10 * i));
      labels.push_back(static_cast<std::uint8_t>(i % 3));
    }
    const std::string start = folder_.file("data/mnist/" + part);
    write_idx(start + "-images-idx3-ubyte", Tensor::from(pixels, {n, 28, 28}));
    write_idx(start + "-labels-idx1-ubyte", Tensor::from(labels, {n}));
  }

  int run(const std::string& arguments) {
    const std::string line = "cd '" + folder_.path() + "' && SPLOT_DATA=data " + variables_ + " '" +
                             command_ + "' data " + arguments + " >out.txt 2>err.txt </dev/null";
    const int status = std::system(line.c_str());
    out_ = text("out.txt");
    err_ = text("err.txt");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string text(const std::string& name) const {
    std::ifstream file(folder_.file(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  std::string command_, variables_, out_, err_;
  test::TempFolder folder_;
};

TEST_F(DataCommand, HelpHasAnExample) {
  for (const std::string name : {"list", "info", "show", "stats", "fetch"}) {
    EXPECT_EQ(run(name + " --help"), 0);
    EXPECT_NE(out_.find("Example:\n  splot data " + name), std::string::npos) << out_;
  }
}

TEST_F(DataCommand, ListsWhatThereIs) {
  ASSERT_EQ(run("list --json"), 0) << err_;
  const Json all = Json::parse(out_);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0]["name"], "mnist");
  EXPECT_EQ(all[0]["folder"], "data/mnist");
  EXPECT_EQ(all[2]["built_in"], true);
  EXPECT_EQ(all[3]["name"], "eurosat");
  EXPECT_EQ(all[3]["folder"], nullptr);
  ASSERT_EQ(run("list"), 0);
  EXPECT_NE(out_.find("built in"), std::string::npos);
}

TEST_F(DataCommand, SaysWhatIsInIt) {
  ASSERT_EQ(run("info mnist --json"), 0) << err_;
  const Json info = Json::parse(out_);
  EXPECT_EQ(info["sample"], Json({1, 28, 28}));
  EXPECT_EQ(info["examples"]["train"], 6);
  EXPECT_EQ(info["examples"]["test"], 4);
  EXPECT_EQ(info["files"].size(), 4u);
  ASSERT_EQ(run("info mnist"), 0);
  EXPECT_NE(out_.find("part       train: 6 examples\n"), std::string::npos) << out_;
}

TEST_F(DataCommand, Measures) {
  ASSERT_EQ(run("stats mnist --json"), 0) << err_;
  const Json parts = Json::parse(out_)["parts"];
  EXPECT_EQ(parts[0]["mean"], 25.0);
  EXPECT_NEAR(parts[0]["deviation"].get<double>(), 17.0782512765993, 1e-9);
  EXPECT_EQ(parts[0]["min"], 0.0);
  EXPECT_EQ(parts[0]["max"], 50.0);
  EXPECT_EQ(parts[1]["mean"], 15.0);
  EXPECT_EQ(parts[1]["classes"][0]["examples"], 2);
  EXPECT_EQ(parts[1]["classes"][9]["examples"], 0);
  ASSERT_EQ(run("stats mnist"), 0);
  EXPECT_NE(out_.find("mean                25.0000     15.0000\n"), std::string::npos) << out_;
}

TEST_F(DataCommand, ShowsExamplesAsTextAndAsAPicture) {
  ASSERT_EQ(run("show mnist --part train --class 2 --index 3"), 0) << err_;
  EXPECT_EQ(out_.rfind("train 5: 2\n    ....", 0), 0u) << out_;
  ASSERT_EQ(run("show mnist --json --count 2"), 0);
  const Json shown = Json::parse(out_);
  EXPECT_EQ(shown["part"], "test");
  ASSERT_EQ(shown["examples"].size(), 2u);
  EXPECT_EQ(shown["examples"][1]["label"], "1");
  EXPECT_EQ(shown["examples"][1]["pixels"][0], 10);
  ASSERT_EQ(run("show mnist --part train -o all.png"), 0) << err_;
  EXPECT_EQ(out_, "6 examples are in all.png\n");
  const Image picture = read_image(folder_.file("all.png"));
  EXPECT_EQ(picture.width, 3 * 29 + 1);
  EXPECT_EQ(picture.height, 2 * 29 + 1);
  EXPECT_EQ(picture.pixels[0], 255);
  EXPECT_EQ(picture.pixels[static_cast<std::size_t>(30 * picture.width + 30)], 255 - 40) << "picture 4";
}

TEST_F(DataCommand, KnowsPicturesOfOnesOwn) {
  for (int i = 0; i < 10; ++i) {
    const std::string folder = folder_.file(i % 2 == 0 ? "mine/dark" : "mine/light");
    std::filesystem::create_directories(folder);
    const auto level = static_cast<std::uint8_t>(i % 2 == 0 ? 0 : 100);
    Image picture{8, 8, 3, {}};
    for (int p = 0; p < 64; ++p) picture.pixels.insert(picture.pixels.end(), {level, 50, 7});
    write_png(join(folder, '/', i, ".png"), picture);
  }
  ASSERT_EQ(run("info mine --json"), 0) << err_;
  const Json info = Json::parse(out_);
  EXPECT_EQ(info["classes"], Json({"dark", "light"}));
  EXPECT_EQ(info["sample"], Json({3, 64, 64}));
  EXPECT_EQ(info["examples"]["test"], 2);
  ASSERT_EQ(run("stats mine --json"), 0) << err_;
  const Json train = Json::parse(out_)["parts"][0];
  EXPECT_EQ(train["channels"][0]["mean"], 50.0);
  EXPECT_EQ(train["channels"][0]["deviation"], 50.0);
  EXPECT_EQ(train["channels"][2]["deviation"], 0.0);
  ASSERT_EQ(run("stats mine"), 0) << err_;
  EXPECT_NE(out_.find("\nmean green          50.0000     50.0000\n"), std::string::npos) << out_;
  ASSERT_EQ(run("show mine --class light --count 1 -o one.png"), 0) << err_;
  const Image shown = read_image(folder_.file("one.png"));
  EXPECT_EQ(shown.width, 66);
  const auto* middle = shown.pixels.data() + 3 * (33 * 66 + 33);
  EXPECT_EQ(std::vector<int>(middle, middle + 3), (std::vector<int>{100, 50, 7}));
  EXPECT_EQ(run("info nowhere"), 2);
  EXPECT_EQ(err_, "splot: there is no data set and no folder \"nowhere\"; splot data list lists the sets\n");
  EXPECT_EQ(run("fetch eurosat"), 2);
  EXPECT_EQ(err_, "splot: splot cannot fetch eurosat; put it into its folder by hand\n");
}

class FetchCommand : public DataCommand {
 protected:
  void SetUp() override {
    DataCommand::SetUp();
    std::filesystem::remove_all(folder_.file("data/mnist"));
  }
  std::size_t files() const {
    const std::filesystem::directory_iterator all(folder_.file("data/mnist"));
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
};

TEST_F(FetchCommand, WithoutLibcurlSaysSoAndWhatToDo) {
  if (download_available()) GTEST_SKIP() << "built with SPLOT_DOWNLOAD=ON";
  EXPECT_EQ(run("fetch mnist"), 1);
  EXPECT_EQ(
      err_,
      "splot: [download] mnist: train-images-idx3-ubyte.gz is missing, and this Splot was built without "
      "downloads (SPLOT_DOWNLOAD=OFF); get it from "
      "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz by other means and put "
      "it "
      "into \"data/mnist\"\n");
}

TEST_F(FetchCommand, AMachineWithoutLibcurlHasAllButDownloads) {
  if (!download_available()) GTEST_SKIP() << "built with SPLOT_DOWNLOAD=OFF";
  for (const char* name : {"lib/libcurl.so.4", "lib/libcurl-gnutls.so.4", "lib/libcurl.4.dylib"}) {
    std::filesystem::create_directories(folder_.file("lib"));
    std::ofstream(folder_.file(name)) << "no library";
  }
  variables_ = "LD_LIBRARY_PATH='" + folder_.file("lib") + "'";
  EXPECT_EQ(run("fetch mnist"), 1);
  EXPECT_EQ(
      err_.rfind(
          "splot: [download] mnist: train-images-idx3-ubyte.gz is missing, and libcurl cannot be opened: ",
          0),
      0u)
      << err_;
  EXPECT_NE(err_.find("; get it from https://storage.googleapis.com/cvdf-datasets/mnist/"), std::string::npos)
      << err_;
  EXPECT_EQ(run("list"), 0) << err_;
}

TEST_F(FetchCommand, AMirrorHasToHaveTheSameFiles) {
  if (!download_available()) GTEST_SKIP() << "built with SPLOT_DOWNLOAD=OFF";
  const test::LocalServer server(
      [](const std::string&) { return test::Answer{test::http_answer("something else")}; });
  EXPECT_EQ(run("fetch mnist --mirror " + server.url("/sets")), 1);
  EXPECT_EQ(server.asked(), std::vector<std::string>{"/sets/train-images-idx3-ubyte.gz"});
  EXPECT_EQ(err_, "splot: [download] mnist: no mirror has train-images-idx3-ubyte.gz:\n  [download] " +
                      server.url("/sets/train-images-idx3-ubyte.gz") +
                      " has 14 bytes, it should have 9912422\n");
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(run("fetch mnist --mirror http://example.org/"), 2);
  EXPECT_EQ(err_, "splot: --mirror \"http://example.org/\": write an address that begins with https://\n");
  EXPECT_EQ(run("fetch mnist --mirror ''"), 2);
  EXPECT_EQ(err_, "splot: --mirror \"\": write an address that begins with https://\n");
  EXPECT_EQ(run("stats mnist"), 1);
  EXPECT_NE(err_.find("; splot data fetch mnist downloads it, or put "), std::string::npos) << err_;
}

TEST_F(FetchCommand, BringsWhatIsMissingFromAMirror) {
  if (!download_available()) GTEST_SKIP() << "built with SPLOT_DOWNLOAD=OFF";
  const char* data = std::getenv("SPLOT_DATA");
  const std::string real = std::string(data == nullptr ? "" : data) + "/mnist";
  if (!std::filesystem::exists(real + "/train-images-idx3-ubyte.gz"))
    GTEST_SKIP() << "needs the mnist data set";
  const test::LocalServer server([&](const std::string& path) {
    std::ifstream file(real + path, std::ios::binary);
    return test::Answer{test::http_answer(std::string(std::istreambuf_iterator<char>(file), {}))};
  });
  ASSERT_EQ(run("fetch mnist --json --mirror " + server.url("/")), 0) << err_;
  EXPECT_EQ(Json::parse(out_)["downloaded"], 4);
  EXPECT_EQ(files(), 4u);
  EXPECT_NE(err_.find("train-images-idx3-ubyte.gz\n"), std::string::npos) << "progress: " << err_;
  std::filesystem::remove(folder_.file("data/mnist/t10k-labels-idx1-ubyte.gz"));
  ASSERT_EQ(run("fetch mnist --mirror " + server.url("/")), 0) << err_;
  EXPECT_EQ(out_, "mnist is in data/mnist; 1 files were downloaded\n");
  ASSERT_EQ(run("info mnist"), 0) << err_;
}

TEST_F(DataCommand, RefusesWhatIsNotThere) {
  EXPECT_EQ(run("show mnist --class seven"), 2);
  EXPECT_EQ(err_, "splot: mnist has no class \"seven\"; splot data info lists them\n");
  EXPECT_EQ(run("show mnist --index 4"), 2);
  EXPECT_EQ(err_, "splot: the test part has 4 examples, so there is no number 4\n");
  EXPECT_EQ(run("show mnist --class 9"), 1);
  EXPECT_EQ(err_, "splot: the test part has no further example of 9\n");
  EXPECT_EQ(run("fetch digits"), 2);
  EXPECT_EQ(err_, "splot: digits is built in; there is nothing to fetch\n");
  EXPECT_EQ(run("info iris"), 2);
  EXPECT_EQ(run(""), 2);
  EXPECT_EQ(run("stats fashion-mnist"), 1);
}

}  // namespace
}  // namespace splot
