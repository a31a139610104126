// splot train on a disk that fails: exit status 1, one line that says why, and the files of the last run or
// epoch byte for byte as they were.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/support/sanitized.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

using Contents = std::map<std::string, std::string>;

Contents contents(const std::string& folder) {
  Contents out;
  if (!std::filesystem::exists(folder)) return out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    out[entry.path().filename().string()] = text_of(entry.path().string());
  }
  return out;
}

class FaultsInTrain : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::kSanitized) GTEST_SKIP() << "a sanitizer's library must be loaded before any other";
    ASSERT_NE(std::getenv("SPLOT_COMMAND"), nullptr)
        << "ctest sets SPLOT_COMMAND to the splot that was built";
  }

  // The exit status of splot train with this fault, "call|failure|first|period".
  int train(const std::string& fault, const std::string& more = "") {
    const std::string variable = fault.empty() ? ""
                                               : "SPLOT_FAULT='" + run_ + "|" + fault + "|" + snapshot_ +
                                                     "' LD_PRELOAD='" SPLOT_FAULTS_SHIM "' ";
    const std::string line = variable + "'" + std::getenv("SPLOT_COMMAND") +
                             "' train xor --set train.epochs=3 --quiet -o '" + run_ + "' " + more + " >'" +
                             folder_.file("out") + "' 2>'" + folder_.file("err") + "' </dev/null";
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  // With the k-th call failing for every k there is: what the run left must be what was there at that moment.
  // Returns how many calls there were.
  int fail_every(const std::string& call, const std::string& failure, int period, const std::string& reason) {
    for (int first = 1;; ++first) {
      SCOPED_TRACE(call + " number " + std::to_string(first) + " " + failure);
      std::filesystem::remove_all(snapshot_);
      const int status =
          train(call + "|" + failure + "|" + std::to_string(first) + "|" + std::to_string(period));
      if (!std::filesystem::exists(snapshot_)) {
        EXPECT_EQ(status, 0) << text_of(folder_.file("err"));
        return first - 1;
      }
      EXPECT_EQ(status, 1);
      const std::string err = text_of(folder_.file("err"));
      EXPECT_EQ(err.find("splot: [write] \"" + run_ + "/"), 0u) << err;
      EXPECT_NE(err.find(reason), std::string::npos) << err;
      EXPECT_EQ(err.find('\n'), err.size() - 1) << "one line: " << err;
      EXPECT_EQ(contents(run_), contents(snapshot_));
      if (HasFailure()) return first - 1;
    }
  }

  test::TempFolder folder_;
  std::string run_ = folder_.file("run");
  std::string snapshot_ = folder_.file("snapshot");
};

TEST_F(FaultsInTrain, EveryCallThatFails) {
  ASSERT_EQ(train("", "--seed 2"), 0) << text_of(folder_.file("err"));
  const Contents before = contents(run_);
  EXPECT_TRUE(before.contains("model.safetensors"));
  const int files = fail_every("create", "EACCES", 0, "cannot be created: Permission denied");
  EXPECT_GE(files, 4) << "recipe, two of metrics, model";
  EXPECT_GE(fail_every("write", "ENOSPC", 1, "cannot be written: No space left on device"), files);
  EXPECT_GE(fail_every("write", "EIO", 0, "cannot be written: Input/output error"), files);
  EXPECT_EQ(fail_every("sync", "EIO", 0, "cannot be written: Input/output error"), files);
  EXPECT_EQ(fail_every("close", "EIO", 0, "cannot be written: Input/output error"), files);
  EXPECT_EQ(fail_every("rename", "EIO", 0, "cannot be replaced: Input/output error"), files);
}

TEST_F(FaultsInTrain, InterruptionsAndShortWritesChangeNothing) {
  ASSERT_EQ(train(""), 0);
  const std::string expected = text_of(run_ + "/model.safetensors");
  for (const char* fault : {"write|EINTR|1|2", "write|short|1|1", "create|EINTR|1|2", "sync|EINTR|1|2",
                            "sync_folder|EINTR|1|2", "close|EINTR|1|2"}) {
    std::filesystem::remove_all(run_);
    std::filesystem::remove_all(snapshot_);
    std::filesystem::create_directory(run_);
    EXPECT_EQ(train(fault), 0) << fault << ": " << text_of(folder_.file("err"));
    EXPECT_TRUE(std::filesystem::exists(snapshot_)) << fault << " never happened";
    EXPECT_EQ(text_of(run_ + "/model.safetensors"), expected) << fault;
  }
}

TEST_F(FaultsInTrain, AFolderThatMayNotBeMade) {
  std::ofstream(folder_.file("file")) << "no folder";
  const std::string inside = folder_.file("file") + "/run";
  const std::string line = "'" + std::string(std::getenv("SPLOT_COMMAND")) + "' train xor --quiet -o '" +
                           inside + "' >/dev/null 2>'" + folder_.file("err") + "'";
  const int status = std::system(line.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  const std::string err = text_of(folder_.file("err"));
  EXPECT_EQ(err.find("splot: [run] cannot make the folder " + inside + ": "), 0u) << err;
  EXPECT_EQ(err.find('\n'), err.size() - 1) << err;
}

}  // namespace
}  // namespace splot
