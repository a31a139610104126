// splot train as it is interrupted: by Ctrl-C, SIGTERM and SIGKILL, and gone on with.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "splot/core/random.h"

#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class Resume : public testing::Test {
 protected:
  void SetUp() override {
    const char* command = std::getenv("SPLOT_COMMAND");
    ASSERT_NE(command, nullptr) << "ctest sets SPLOT_COMMAND to the splot that was built";
    command_ = command;
    // Five numbers to one, learned with dropout and a schedule, in four steps an epoch.
    std::ofstream recipe(folder_.file("table.toml"));
    recipe << "[data]\nname = \"table\"\ninputs = [";
    for (int i = 0; i < 16; ++i) {
      recipe << (i ? ", " : "") << '[' << i % 2 << ", " << i / 2 % 2 << ", " << i / 4 % 2 << ", " << i / 8
             << ']';
    }
    recipe << "]\ntargets = [";
    for (int i = 0; i < 16; ++i) recipe << (i ? ", " : "") << '[' << (i * 7 % 5) / 4.0 << ']';
    recipe << "]\n[model]\ndense = [4, 12, 1]\nactivation = \"tanh\"\ndropout = 0.1\n[loss]\nname = \"mse\"\n"
              "[optimizer]\nname = \"adam\"\n[schedule]\nname = \"cosine\"\n[train]\nbatch = 4\nepochs = 60\n"
              "checkpoint_every = 3\n";
  }

  // Starts splot in the folder; what it prints goes to out.txt and err.txt.
  pid_t start(std::vector<std::string> arguments) {
    const std::string out = folder_.file("out.txt");
    const std::string err = folder_.file("err.txt");
    arguments.insert(arguments.begin(), command_);
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
      const int to_err = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
      if (to_out < 0 || to_err < 0 || ::dup2(to_out, 1) < 0 || ::dup2(to_err, 2) < 0 ||
          ::chdir(folder_.path().c_str()) != 0) {
        ::_exit(98);
      }
      ::execv(command_.c_str(), words.data());
      ::_exit(99);
    }
    return child;
  }
  // As waitpid() gives it.
  static int end_of(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  static int exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }
  int run(std::vector<std::string> arguments) { return exit_status(end_of(start(std::move(arguments)))); }

  std::string out() const { return text_of(folder_.file("out.txt")); }
  std::string err() const { return text_of(folder_.file("err.txt")); }

  void wait_for(const std::string& name) const {
    for (int i = 0; i < 2000 && !std::filesystem::exists(folder_.file(name)); ++i)
      std::this_thread::sleep_for(5ms);
    ASSERT_TRUE(std::filesystem::exists(folder_.file(name))) << name;
  }

  // Until Ctrl-C is a request and ends the process no more, however long it takes to begin.
  static void wait_for_handler(pid_t child) {
    const std::string status = "/proc/" + std::to_string(child) + "/status";
    const auto is_caught = [&] {
      std::istringstream lines(text_of(status));
      for (std::string line; std::getline(lines, line);) {
        if (line.rfind("SigCgt:", 0) == 0)
          return (std::stoull(line.substr(7), nullptr, 16) >> (SIGINT - 1) & 1) != 0;
      }
      return false;
    };
    for (int i = 0; i < 2000 && !is_caught(); ++i) std::this_thread::sleep_for(5ms);
    ASSERT_TRUE(is_caught()) << "it does not wait for Ctrl-C";
  }

  // metrics.jsonl without the seconds.
  std::vector<Json> metrics(const std::string& run) const {
    std::vector<Json> lines;
    std::istringstream text(text_of(folder_.file(run + "/metrics.jsonl")));
    for (std::string line; std::getline(text, line);) {
      lines.push_back(Json::parse(line));
      lines.back().erase("seconds");
    }
    return lines;
  }
  Json run_json(const std::string& run) const {
    return Json::parse(text_of(folder_.file(run + "/run.json")));
  }

  std::string command_;
  test::TempFolder folder_;
};

TEST_F(Resume, CtrlCAndTermFinishTheStepSaveAndCanBeGoneOnWith) {
  const std::vector<std::string> more = {"--set", "train.epochs=400", "--set", "train.checkpoint_every=50",
                                         "--quiet"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  ASSERT_EQ(run(with({"train", "table.toml", "-o", "whole"})), 0) << err();
  for (const auto& [signal, status] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    const std::string name = "part" + std::to_string(status);
    const pid_t child = start(with({"train", "table.toml", "-o", name}));
    wait_for(name + "/checkpoint.safetensors");
    std::this_thread::sleep_for(50ms);
    ::kill(child, signal);
    EXPECT_EQ(exit_status(end_of(child)), status);
    EXPECT_NE(err().find("splot: interrupted; what was learned so far is in " + name +
                         ", splot train --resume " + name + " goes on\n"),
              std::string::npos)
        << err();
    EXPECT_EQ(run_json(name)["stopped"], true);
    EXPECT_TRUE(std::filesystem::exists(folder_.file(name + "/model.safetensors")));
    ASSERT_EQ(run({"train", "--resume", name, "--json"}), 0) << err();
    EXPECT_EQ(Json::parse(out())["weights_sha256"], run_json("whole")["weights_sha256"]);
    EXPECT_EQ(metrics(name), metrics("whole"));
    EXPECT_EQ(run_json(name)["stopped"], false);
  }
}

TEST_F(Resume, ASecondCtrlCEndsAtOnce) {
  // While data are made nobody asks whether to stop: a first Ctrl-C changes nothing yet.
  const pid_t child = start({"train", "digits", "-o", "digits"});
  wait_for_handler(child);
  ::kill(child, SIGINT);
  std::this_thread::sleep_for(50ms);
  ASSERT_EQ(::waitpid(child, nullptr, WNOHANG), 0) << "it has ended already; this needs a longer beginning";
  const auto since = std::chrono::steady_clock::now();
  ::kill(child, SIGINT);
  EXPECT_EQ(exit_status(end_of(child)), -SIGINT);
  EXPECT_LT(std::chrono::steady_clock::now() - since, 1s);
}

// scripts/kill_test does the same a thousand times.
TEST_F(Resume, KilledAtAnyMomentItGoesOnToTheSameWeights) {
  ASSERT_EQ(run({"train", "table.toml", "-o", "whole", "--quiet"}), 0) << err();
  RandomStream random({.seed = 1, .stream = stream_of("kills")});
  int kills = 0;
  while (kills < 12) {
    // The same command begins the run and goes on with it.
    const pid_t child = start({"train", "table.toml", "--resume", "killed", "--quiet"});
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(60'000)));
    ::kill(child, SIGKILL);
    const int status = exit_status(end_of(child));
    ASSERT_TRUE(status == -SIGKILL || status == 0) << status << err();
    kills += status == -SIGKILL ? 1 : 0;
    if (status == 0) {
      EXPECT_EQ(run_json("killed")["weights_sha256"], run_json("whole")["weights_sha256"]);
      std::filesystem::remove_all(folder_.file("killed"));
    }
  }
  ASSERT_EQ(run({"train", "table.toml", "--resume", "killed", "--quiet"}), 0) << err();
  EXPECT_EQ(run_json("killed")["weights_sha256"], run_json("whole")["weights_sha256"]);
  EXPECT_EQ(metrics("killed"), metrics("whole"));
  for (const auto& entry : std::filesystem::directory_iterator(folder_.file("killed"))) {
    EXPECT_EQ(entry.path().string().find(".new-"), std::string::npos) << "left over: " << entry.path();
  }
}

TEST_F(Resume, OneProcessAtATimeTrainsInAFolder) {
  const pid_t holder = start({"train", "table.toml", "-o", "run", "--quiet", "--set", "train.epochs=1000",
                              "--set", "train.checkpoint_every=50"});
  wait_for("run/checkpoint.safetensors");
  ::kill(holder, SIGSTOP);  // it holds the folder for as long as this takes
  const std::string checkpoint = text_of(folder_.file("run/checkpoint.safetensors"));
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"train", "--resume", "run"},
                                                    {"train", "table.toml", "--resume", "run"},
                                                    {"train", "table.toml", "-o", "run"}}) {
    EXPECT_EQ(run(arguments), 1);
    EXPECT_EQ(err().find("splot: [run] run is being trained by process " + std::to_string(holder) + " on "),
              0u)
        << err();
    EXPECT_NE(err().find(": wait until that has ended, or stop it"), std::string::npos) << err();
  }
  EXPECT_EQ(text_of(folder_.file("run/checkpoint.safetensors")), checkpoint);
  ::kill(holder, SIGKILL);
  ASSERT_EQ(exit_status(end_of(holder)), -SIGKILL) << "it has ended already; this needs a longer training";
  EXPECT_TRUE(std::filesystem::exists(folder_.file("run/train.lock")))
      << "a killed process cleans nothing up";
  ASSERT_EQ(run({"train", "--resume", "run", "--quiet"}), 0) << err();
  EXPECT_EQ(metrics("run").size(), 1000u);
  EXPECT_FALSE(std::filesystem::exists(folder_.file("run/train.lock")));
}

TEST_F(Resume, SaysWhatCannotBeGoneOnWith) {
  ASSERT_EQ(run({"train", "table.toml", "-o", "run", "--quiet", "--set", "train.epochs=2"}), 0) << err();
  const auto refusal = [&](const std::vector<std::string>& arguments) {
    EXPECT_EQ(run(arguments), 2);
    return err();
  };
  EXPECT_EQ(refusal({"train", "run"}), "splot: run is a folder; --resume run goes on with the run in it\n");
  EXPECT_EQ(refusal({"train", "--resume", "none"}),
            "splot: there is no checkpoint in none; splot train RECIPE -o none begins a run there\n");
  EXPECT_EQ(refusal({"train", "--resume", "run", "-o", "other"}),
            "splot: --resume goes on in run; leave out -o\n");
  EXPECT_EQ(refusal({"train", "--resume", "run", "--seed", "2"}),
            "splot: the run in run has the seed 1, now it is 2; a run is gone on with as it was begun\n");
  EXPECT_EQ(
      refusal({"train", "table.toml", "--resume", "run", "--set", "optimizer.lr=0.5"}),
      "splot: the run in run has lr = 0.01, now it is lr = 0.5; a run is gone on with as it was begun\n");
  EXPECT_EQ(run({"train", "--resume", "run", "--set", "train.epochs=3", "--quiet"}), 0) << err();
  EXPECT_EQ(metrics("run").size(), 3u) << "more epochs may be asked for";
  std::filesystem::resize_file(folder_.file("run/checkpoint.safetensors"), 1000);
  EXPECT_EQ(run({"train", "--resume", "run"}), 1);
  EXPECT_NE(err().find("checkpoint.safetensors"), std::string::npos) << err();
}

TEST_F(Resume, ARunThatDivergesKeepsWhatItHas) {
  EXPECT_EQ(
      run({"train", "table.toml", "-o", "wild", "--set", "optimizer.lr=1e30", "--set", "optimizer.name=sgd",
           "--set", "schedule.name=constant", "--set", "model.activation=identity", "--quiet"}),
      1);
  EXPECT_NE(err().find("[train] epoch 1, step "), std::string::npos) << err();
  EXPECT_EQ("splot: " + run_json("wild")["diverged"].get<std::string>() + '\n', err());
  EXPECT_FALSE(std::filesystem::exists(folder_.file("wild/model.safetensors"))) << "there was no best epoch";
}

}  // namespace
}  // namespace splot
