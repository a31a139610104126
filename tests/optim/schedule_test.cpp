#include "splot/optim/schedule.h"

#include <gtest/gtest.h>

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

TEST(Schedule, RefusesWhatMakesNoSense) {
  EXPECT_ERROR(ValueError, schedule::step(0, 0.5), "[schedule::step] every must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::step(1, 0.0), "[schedule::step] factor must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::cosine(0), "[schedule::cosine] steps must be positive, got 0");
  EXPECT_ERROR(ValueError, schedule::warmup(-1, schedule::constant()),
               "[schedule::warmup] steps must not be negative, got -1");
}

}  // namespace
}  // namespace splot
