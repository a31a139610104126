#include "splot/optim/schedule.h"

#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.h"

namespace splot {
namespace {

TEST(Schedule, StepDropsAfterEveryFewSteps) {
  const Schedule s = schedule::step(3, 0.5);
  EXPECT_EQ(s(0), 1.0);
  EXPECT_EQ(s(2), 1.0);
  EXPECT_EQ(s(3), 0.5);
  EXPECT_EQ(s(8), 0.25);
}

TEST(Schedule, CosineFallsFromOneToItsEndAndStaysThere) {
  const Schedule s = schedule::cosine(100, 0.1);
  EXPECT_EQ(s(0), 1.0);
  EXPECT_NEAR(s(50), 0.55, 1e-12);
  EXPECT_NEAR(s(100), 0.1, 1e-12);
  EXPECT_NEAR(s(1000), 0.1, 1e-12);
}

TEST(Schedule, WarmupRisesAndThenHandsOver) {
  const Schedule s = schedule::warmup(4, schedule::step(2, 0.1));
  EXPECT_EQ(s(0), 0.25);
  EXPECT_EQ(s(3), 1.0);
  EXPECT_EQ(s(5), 1.0);
  EXPECT_DOUBLE_EQ(s(6), 0.1);
}

// As scripts/golden/schedule.py has them.
const std::map<std::string, Schedule>& variants() {
  using namespace schedule;
  static const std::map<std::string, Schedule> all = {
      {"step", step(7, 0.3)},
      {"exponential", exponential(0.95)},
      {"cosine", cosine(60, 0.1)},
      {"linear", linear(13, 0.25, 0.75)},
      {"triangular", cyclic({.low = 0.1, .up = 8})},
      {"triangular_uneven", cyclic({.low = 0.1, .up = 4, .down = 10})},
      {"triangular2", cyclic({.low = 0.1, .up = 8, .mode = CyclicMode::triangular2})},
      {"exp_range", cyclic({.low = 0.1, .up = 8, .mode = CyclicMode::exp_range, .gamma = 0.97})},
      {"one_cycle", one_cycle({.steps = 60})},
      {"one_cycle_linear",
       one_cycle({.steps = 60, .rise = 0.25, .start = 0.1, .final = 0.001, .linear = true})},
      {"sequence", sequence({{10, linear(10, 0.1)}, {20, step(4, 0.5)}, {0, exponential(0.9)}})},
  };
  return all;
}

double worst_difference(const Schedule& schedule, const std::vector<double>& expected) {
  double worst = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(schedule(static_cast<Index>(i)) - expected[i]));
  }
  return worst;
}

TEST(Schedule, IsPyTorchsAtEveryStep) {
  std::ifstream file(SPLOT_TESTS_DIR "/golden/schedule.json");
  const auto golden = nlohmann::json::parse(file).get<std::map<std::string, std::vector<double>>>();
  for (const auto& [name, expected] : golden) {
    ASSERT_EQ(expected.size(), 60u);
    ASSERT_TRUE(variants().contains(name)) << name;
    EXPECT_LE(worst_difference(variants().at(name), expected), 1e-12) << name;
  }
  EXPECT_EQ(golden.size(), variants().size());
  // The comparison itself must be able to fail.
  EXPECT_GT(worst_difference(variants().at("triangular"), golden.at("triangular2")), 0.1);
}

// A run that is resumed asks for a step without having asked for those before.
TEST(Schedule, IsAFunctionOfTheStepAlone) {
  for (const auto& [name, schedule] : variants()) {
    const double late = schedule(41);
    for (Index at = 0; at < 60; ++at) schedule(at);
    EXPECT_EQ(schedule(41), late) << name;
  }
}

TEST(Schedule, WhatHasAnEndStaysThere) {
  EXPECT_NEAR(variants().at("one_cycle")(1000), 1.0 / 250e3, 1e-15);
  EXPECT_EQ(variants().at("linear")(1000), 0.75);
  EXPECT_EQ(schedule::one_cycle({.steps = 1})(0), 1.0 / 250e3);
}

TEST(Schedule, RefusesWhatMakesNoSense) {
  EXPECT_ERROR(ValueError, schedule::exponential(0.0),
               "[schedule::exponential] factor must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::linear(0, 0.5), "[schedule::linear] steps must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::linear(1, -0.5), "[schedule::linear] start must be 0 or more, got -0.5");
  EXPECT_ERROR(ValueError, schedule::cyclic({.up = 0}),
               "[schedule::cyclic] up and down must be positive, got 0 and 0");
  EXPECT_ERROR(ValueError, schedule::cyclic({.gamma = 0.0}),
               "[schedule::cyclic] gamma must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::one_cycle({}), "[schedule::one_cycle] steps must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::one_cycle({.steps = 5, .rise = 1.0}),
               "[schedule::one_cycle] rise must be in (0, 1), got 1");
  EXPECT_ERROR(ValueError, schedule::sequence({}), "[schedule::sequence] needs at least one part");
  EXPECT_ERROR(
      ValueError, schedule::sequence({{3, {}}}),
      "[schedule::sequence] every part needs a schedule and 0 steps or more, got 3 steps and no schedule");
  EXPECT_ERROR(ValueError, schedule::step(0, 0.5), "[schedule::step] every must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::step(1, 0.0), "[schedule::step] factor must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::cosine(0), "[schedule::cosine] steps must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::warmup(-1, schedule::constant()),
               "[schedule::warmup] steps must not be negative, got -1");
}

}  // namespace
}  // namespace splot
