#include "splot/core/file_lock.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/core/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

TEST(FileLock, IsHeldByOneAndRemovedByIt) {
  const test::TempFolder folder;
  const std::string path = folder.file("lock");
  {
    const FileLock first(path);
    ASSERT_TRUE(first.held());
    for (int i = 0; i < 2; ++i) {
      const FileLock second(path);
      EXPECT_FALSE(second.held());
      EXPECT_EQ(second.holder().find("process " + std::to_string(::getpid()) + " on "), 0u)
          << second.holder();
    }
    EXPECT_TRUE(std::filesystem::exists(path)) << "one that was refused removes nothing";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(FileLock(path).held());
}

TEST(FileLock, WhatAKilledProcessLeavesKeepsNobodyAway) {
  const test::TempFolder folder;
  const std::string path = folder.file("lock");
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(path);
    ::raise(SIGKILL);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(std::filesystem::exists(path));
  const FileLock lock(path);
  EXPECT_TRUE(lock.held());
  const std::vector<std::uint8_t> text = read_file(path, 1000);
  EXPECT_EQ(std::string(text.begin(), text.end()).find("process " + std::to_string(::getpid()) + " on "), 0u);
}

TEST(FileLock, LeavesAloneWhatIsNoLongerItsFile) {
  const test::TempFolder folder;
  const std::string path = folder.file("lock");
  {
    const FileLock first(path);
    std::filesystem::remove(path);
    write_file(path, "new");
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  const std::optional<FileLock> second(std::in_place, path);
  EXPECT_TRUE(second->held());
}

// Every one of them makes, holds and removes the file; an unlocked moment would show as a count of two.
TEST(FileLock, NeverTwoAtOnce) {
  const test::TempFolder folder;
  const std::string path = folder.file("lock");
  std::atomic<int> inside{0}, had{0}, most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (had < 200) {
        const FileLock lock(path);
        if (!lock.held()) continue;
        const int now = ++inside;
        if (now > most) most = now;
        std::this_thread::yield();
        --inside;
        ++had;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(FileLock, SaysWhyItCannotBeMade) {
  const test::TempFolder folder;
  const std::string path = folder.file("none/lock");
  EXPECT_ERROR(IoError, FileLock{path},
               "[write] \"" + path + "\" cannot be created: No such file or directory");
}

}  // namespace
}  // namespace splot
