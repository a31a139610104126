// splot summary, doctor, completion and man.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/cli/command_fixture.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using test::Outcome;

class ToolCommand : public test::Command {};

TEST_F(ToolCommand, SummaryCountsWhatOneCountsByHand) {
  const Json json = Json::parse(run("summary --dense 784-16-10 --json").out);
  EXPECT_EQ(json["parameters"], 784 * 16 + 16 + 16 * 10 + 10);
  EXPECT_EQ(json["trainable"], 12730);
  EXPECT_EQ(json["frozen"], 0);
  EXPECT_EQ(json["multiply_adds"], 784 * 16 + 16 * 10);
  EXPECT_EQ(json["memory"]["weights"], 4 * 12730);
  EXPECT_EQ(json["memory"]["activations"], 4 * (16 + 16 + 10)) << "two products and a relu";
  EXPECT_EQ(json["layers"][0]["output"], Json::array({16}));
  EXPECT_EQ(json["layers"][1]["multiply_adds"], 0);
  const std::string text = run("summary --dense 784-16-10").out;
  EXPECT_NE(text.find("0 (linear)                  [n, 16]                   12,560          12,544\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("weights: 49.73 KB\n"), std::string::npos) << text;
}

TEST_F(ToolCommand, SummaryOfAFrozenNetworkInFloat64) {
  // Two linear layers of 2 x 2 with frozen biases, a sigmoid after each.
  const Json json = Json::parse(run("summary mazur --json").out);
  EXPECT_EQ(json["parameters"], 12);
  EXPECT_EQ(json["trainable"], 8);
  EXPECT_EQ(json["frozen"], 4);
  EXPECT_EQ(json["multiply_adds"], 8);
  EXPECT_EQ(json["memory"]["weights"], 8 * 12);
  EXPECT_EQ(json["memory"]["activations"], 8 * 4 * 2);
}

TEST_F(ToolCommand, FlatteningTakesNoMemory) {
  const Json json = Json::parse(run("summary digits --json").out);
  EXPECT_EQ(json["layers"][0]["type"], "flatten");
  EXPECT_EQ(json["layers"][0]["activation_bytes"], 0);
  EXPECT_EQ(json["memory"]["activations"], 4 * (256 + 256 + 10));
}

TEST_F(ToolCommand, DoctorFindsEverythingInOrder) {
  const Outcome outcome = run("doctor --json --threads 2", "SPLOT_DATA=/no/data XDG_CACHE_HOME=/no/cache");
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["ok"], true);
  bool threads = false;
  int missing = 0;
  for (const Json& finding : json["findings"]) {
    const std::string text = finding["text"];
    EXPECT_FALSE(text.empty()) << finding;
    threads = threads || text.rfind("2 in use", 0) == 0;
    missing +=
        text.find("not there; looked in /no/data, /no/cache/splot; splot data fetch ") != std::string::npos
            ? 1
            : 0;
  }
  EXPECT_TRUE(threads);
  EXPECT_EQ(missing, 2) << "data that are not there are told, and are no fault";
  EXPECT_FALSE(std::filesystem::exists(folder_.file(".splot-doctor")));
}

TEST_F(ToolCommand, DoctorFailsWhereRunsCannotBeKept) {
  std::ofstream(folder_.file("runs")) << "a file of that name";
  const Outcome outcome = run("doctor");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("BAD runs "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("what is marked BAD needs looking after\n"), std::string::npos);
}

TEST_F(ToolCommand, DoctorFailsOnDamagedData) {
  std::filesystem::create_directories(folder_.file("sets/mnist"));
  std::ofstream(folder_.file("sets/mnist/train-images-idx3-ubyte")) << "no images";
  const Outcome outcome = run("doctor --json", "SPLOT_DATA=sets XDG_CACHE_HOME=/no/cache");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(Json::parse(outcome.out)["ok"], false);
}

TEST_F(ToolCommand, DoctorLooksAtTheHashesOfData) {
  const char* real = std::getenv("SPLOT_DATA");
  const std::filesystem::path mnist = std::filesystem::path(real == nullptr ? "" : real) / "mnist";
  if (!std::filesystem::exists(mnist / "train-images-idx3-ubyte.gz"))
    GTEST_SKIP() << "needs the mnist data set";
  const std::filesystem::path copy = folder_.file("sets/mnist");
  std::filesystem::create_directories(copy);
  for (const auto& entry : std::filesystem::directory_iterator(mnist)) {
    std::filesystem::copy_file(entry.path(), copy / entry.path().filename());
    std::filesystem::permissions(copy / entry.path().filename(), std::filesystem::perms::owner_all);
  }
  const Outcome right = run("doctor", "SPLOT_DATA=sets XDG_CACHE_HOME=/no/cache");
  EXPECT_EQ(right.status, 0) << right.out;
  EXPECT_NE(right.out.find("bytes; 4 SHA-256 right\n"), std::string::npos) << right.out;
  // The time in the head of a gzip file: what is inside is the same, the file is not.
  std::fstream file(copy / "t10k-labels-idx1-ubyte.gz", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4);
  file.put('!');
  file.close();
  const Outcome wrong = run("doctor", "SPLOT_DATA=sets XDG_CACHE_HOME=/no/cache");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(
      wrong.out.find("BAD data          mnist: sets/mnist/t10k-labels-idx1-ubyte.gz is not the file that was "
                     "published: its size or SHA-256 differs; splot data fetch mnist gets it again\n"),
      std::string::npos)
      << wrong.out;
}

TEST_F(ToolCommand, BashCompletesCommandsOptionsAndRecipes) {
  ASSERT_EQ(run("completion bash").status, 0);
  std::filesystem::rename(folder_.file("out.txt"), folder_.file("splot.bash"));
  std::ofstream(folder_.file("try.bash"))
      << "set -u\n"
         "source ./splot.bash\n"
         "try() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); "
         "_splot; echo \"${COMPREPLY[*]}\"; }\n"
         "try splot repr\n"
         "try splot train --se\n"
         "try splot train maz\n"
         "try splot predict try.b\n";
  const std::string line = "cd '" + folder_.path() + "' && bash try.bash >tried.txt 2>&1";
  EXPECT_EQ(std::system(line.c_str()), 0) << text(folder_.file("tried.txt"));
  EXPECT_EQ(text(folder_.file("tried.txt")), "reproduce\n--set --seed\nmazur\ntry.bash\n");
}

TEST_F(ToolCommand, ZshGetsEveryCommandWithItsHelp) {
  const std::string zsh = run("completion zsh").out;
  EXPECT_EQ(zsh.rfind("#compdef splot\n", 0), 0u);
  for (const char* part : {"'train:", "'reproduce:", "'doctor:", "--seed[", "--output["}) {
    EXPECT_NE(zsh.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(run("completion fish").status, 2);
}

TEST_F(ToolCommand, EveryCommandHasAPageWithItsOptionsAndExample) {
  ASSERT_EQ(run("man -o pages").status, 0);
  int pages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.file("pages"))) {
    const std::string page = text(entry.path().string());
    ++pages;
    EXPECT_EQ(page.rfind(".TH splot", 0), 0u) << entry.path();
    for (const char* section :
         {".SH NAME\n", ".SH SYNOPSIS\n", ".SH OPTIONS\n", ".SH EXAMPLES\n", ".SH EXIT STATUS\n"}) {
      EXPECT_NE(page.find(section), std::string::npos) << entry.path() << section;
    }
  }
  EXPECT_GE(pages, 11);
  EXPECT_EQ(run("man train").out, text(folder_.file("pages/splot-train.1")));
  EXPECT_NE(run("man train").out.find("\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFOLDER\\fR"),
            std::string::npos);
  EXPECT_EQ(run("man nothing").status, 2);
  // Rendered by groff where there is one: it says what it does not like.
  if (std::system("command -v groff >/dev/null 2>&1") != 0) GTEST_SKIP() << "groff is not installed";
  const std::string line = "cd '" + folder_.path() +
                           "/pages' && for page in *.1; do groff -man -ww -Tascii -z $page || echo failed; "
                           "done >../groff.txt 2>&1";
  EXPECT_EQ(std::system(line.c_str()), 0);
  EXPECT_EQ(text(folder_.file("groff.txt")), "");
}

}  // namespace
}  // namespace splot
