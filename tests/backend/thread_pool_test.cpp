#include "splot/backend/cpu/thread_pool.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "splot/core/error.h"

#include "tests/support/sanitized.h"

namespace splot::cpu {
namespace {

class ThreadPool : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
  void TearDown() override { set_num_threads(2); }
};

TEST_P(ThreadPool, RunsEachChunkOnce) {
  for (const Index chunks : {0, 1, 2, 3, 7, 100, 1000}) {
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(chunks));
    parallel_for(chunks, [&](Index chunk) { ++runs[static_cast<std::size_t>(chunk)]; });
    for (const auto& count : runs) EXPECT_EQ(count, 1);
  }
}

TEST_P(ThreadPool, ManyShortJobsInARow) {
  std::vector<Index> sums(4);
  for (Index job = 0; job < 20000; ++job) {
    parallel_for(4, [&](Index chunk) { sums[static_cast<std::size_t>(chunk)] += job; });
  }
  for (const Index sum : sums) EXPECT_EQ(sum, Index{20000} * 19999 / 2);
}

TEST_P(ThreadPool, JobsWithPausesBetweenThemWakeSleepers) {
  for (int job = 0; job < 50; ++job) {
    std::atomic<int> runs{0};
    parallel_for(8, [&](Index) { ++runs; });
    EXPECT_EQ(runs, 8);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_P(ThreadPool, TheLowestFailureReachesTheCaller) {
  for (int repeat = 0; repeat < 100; ++repeat) {
    std::string message;
    try {
      parallel_for(64, [](Index chunk) {
        if (chunk % 10 == 7) throw std::runtime_error("chunk " + std::to_string(chunk));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "chunk 7");
  }
  std::atomic<int> runs{0};
  parallel_for(10, [&](Index) { ++runs; });
  EXPECT_EQ(runs, 10) << "the pool works after a failure";
}

TEST_P(ThreadPool, AnEarlyFailureOfALaterChunkHidesNoOther) {
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::vector<std::atomic<int>> runs(64);
    std::string message;
    try {
      parallel_for(64, [&](Index chunk) {
        ++runs[static_cast<std::size_t>(chunk)];
        if (chunk == 20) std::this_thread::sleep_for(std::chrono::microseconds(300));
        if (chunk == 20 || chunk >= 32) throw std::runtime_error("chunk " + std::to_string(chunk));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "chunk 20");
    for (std::size_t i = 0; i <= 20; ++i) EXPECT_EQ(runs[i], 1) << "chunk " << i;
  }
}

TEST_P(ThreadPool, NestedCallsRunInPlace) {
  std::atomic<int> runs{0};
  parallel_for(6, [&](Index) {
    const auto self = std::this_thread::get_id();
    parallel_for(5, [&](Index) {
      EXPECT_EQ(std::this_thread::get_id(), self);
      ++runs;
    });
  });
  EXPECT_EQ(runs, 30);
}

TEST_P(ThreadPool, SeveralUserThreadsAtTheSameTime) {
  std::vector<Index> totals(4);
  std::vector<std::thread> users;
  for (Index& total : totals) {
    users.emplace_back([&total] {
      for (int job = 0; job < 500; ++job) {
        std::vector<Index> parts(16);
        parallel_for(16, [&](Index chunk) { parts[static_cast<std::size_t>(chunk)] = chunk; });
        total += std::accumulate(parts.begin(), parts.end(), Index{0});
      }
    });
  }
  for (auto& user : users) user.join();
  for (const Index total : totals) EXPECT_EQ(total, 500 * 120);
}

TEST_P(ThreadPool, ChangingTheNumberWhileOthersWork) {
  std::atomic<bool> stop{false};
  std::thread user([&] {
    while (!stop) {
      std::atomic<int> runs{0};
      parallel_for(8, [&](Index) { ++runs; });
      EXPECT_EQ(runs, 8);
    }
  });
  for (int i = 0; i < 50; ++i) set_num_threads(1 + i % 4);
  stop = true;
  user.join();
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPool, ::testing::Values(1, 2, 3, 8, 32));

TEST(ThreadPoolSettings, RefusesNumbersThatMeanNothing) {
  EXPECT_THROW(set_num_threads(0), ValueError);
  EXPECT_THROW(set_num_threads(-3), ValueError);
  EXPECT_THROW(set_num_threads(1025), ValueError);
  EXPECT_THROW(parallel_for(2, [](Index) { set_num_threads(2); }), ValueError);
  set_num_threads(3);
  EXPECT_EQ(num_threads(), 3);
}

TEST(ThreadPoolSettings, ShortWorkStaysOnTheCallersThread) {
  set_num_threads(4);
  const auto self = std::this_thread::get_id();
  int runs = 0;
  parallel_for(100, 1.0, [&](Index) {
    EXPECT_EQ(std::this_thread::get_id(), self);
    ++runs;
  });
  EXPECT_EQ(runs, 100);
}

// In a child of its own, because the variable is read once per process.
int exit_code_of_child(const char* threads, int (*check)()) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("SPLOT_THREADS", threads, 1);
    _exit(check());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ThreadPoolSettings, ReadsTheEnvironment) {
  set_num_threads(2);
  parallel_for(4, [](Index) {});
  EXPECT_EQ(exit_code_of_child("5", num_threads), 5) << "a child of fork starts afresh";
  for (const char* bad : {"", "0", "-1", "two", "2 ", "1.5", "99999999999", "1025"}) {
    EXPECT_EQ(exit_code_of_child(bad,
                                 [] {
                                   try {
                                     return num_threads();
                                   } catch (const ValueError& error) {
                                     const std::string message = error.what();
                                     return message.find("[SPLOT_THREADS] \"") == 0 ? 200 : 201;
                                   }
                                 }),
              200)
        << "SPLOT_THREADS=" << bad;
  }
}

#if !defined(SPLOT_TEST_TSAN)  // ThreadSanitizer cannot start threads in a child of a threaded process
TEST(ThreadPoolSettings, AChildOfForkHasAPoolOfItsOwn) {
  set_num_threads(4);
  parallel_for(16, [](Index) {});
  EXPECT_EQ(exit_code_of_child("3",
                               [] {
                                 std::atomic<int> runs{0};
                                 parallel_for(30, [&](Index) { ++runs; });
                                 return runs.load();
                               }),
            30);
}
#endif

}  // namespace
}  // namespace splot::cpu
