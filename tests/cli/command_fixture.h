// Command: a fixture for tests that run `splot` as a user does.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/support/temp_folder.h"

namespace splot::test {

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

/// Runs the command that was built, in an empty folder, with no terminal.
class Command : public testing::Test {
 protected:
  void SetUp() override {
    const char* command = std::getenv("SPLOT_COMMAND");
    ASSERT_NE(command, nullptr) << "ctest sets SPLOT_COMMAND to the splot that was built";
    command_ = command;
  }

  std::string text(const std::string& path) const {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  /// `before` is put in front of the command: variables, or a program that runs it.
  Outcome run(const std::string& arguments, const std::string& before = "") {
    const std::string line = "cd '" + folder_.path() + "' && " + before + " '" + command_ + "' " + arguments +
                             " >out.txt 2>err.txt </dev/null";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text(folder_.file("out.txt")),
            text(folder_.file("err.txt"))};
  }

  std::string command_;
  TempFolder folder_;
};

}  // namespace splot::test
