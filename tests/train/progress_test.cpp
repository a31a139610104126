#include "splot/train/progress.h"

#include <cmath>

#include <gtest/gtest.h>

namespace splot {
namespace {

Progress at(Index epoch, Index step, double seconds, bool over = false) {
  return {.epoch = epoch,
          .epochs = 10,
          .step = step,
          .steps = 391,
          .seconds = seconds,
          .metrics = {{"loss", 0.0841}, {"accuracy", 0.9745}},
          .epoch_over = over};
}

TEST(ProgressLine, LooksLikeKeras) {
  EXPECT_EQ(ProgressLine::line(at(3, 391, 1.23)),
            "Epoch 3/10 391/391 [====================] 1.2s - loss: 0.0841 - accuracy: 0.9745");
  EXPECT_EQ(ProgressLine::line(at(3, 0, 0.0)),
            "Epoch 3/10 0/391 [>                   ] 0.0s - loss: 0.0841 - accuracy: 0.9745");
  EXPECT_EQ(
      ProgressLine::line({.epoch = 1, .epochs = 1, .step = 1, .steps = 2, .metrics = {{"loss", 3.51e-5}}}, 4),
      "Epoch 1/1 1/2 [==> ] 0.0s - loss: 3.5100e-05");
}

TEST(ProgressLine, WithoutATerminalThereIsOneLineForEachEpoch) {
  std::string out;
  ProgressLine line([&](std::string_view text) { out += text; });
  line(at(1, 1, 0.1));
  line(at(1, 200, 5.0));
  EXPECT_EQ(out, "");
  line(at(1, 391, 9.0, true));
  EXPECT_EQ(out, "Epoch 1/10 391/391 [====================] 9.0s - loss: 0.0841 - accuracy: 0.9745\n");
}

TEST(ProgressLine, ManyEpochsGiveTwentyLines) {
  int lines = 0;
  ProgressLine line([&](std::string_view) { ++lines; });
  for (Index epoch = 1; epoch <= 10000; ++epoch) {
    line({.epoch = epoch, .epochs = 10000, .step = 1, .steps = 1, .metrics = {}, .epoch_over = true});
  }
  EXPECT_EQ(lines, 20);
}

TEST(ProgressLine, OnATerminalTheLineIsDrawnOverItselfTenTimesASecond) {
  std::string out;
  ProgressLine line([&](std::string_view text) { out += text; }, {.live = true});
  line(at(1, 1, 0.01));
  EXPECT_EQ(out.front(), '\r');
  const std::size_t first = out.size();
  line(at(1, 2, 0.02));
  EXPECT_EQ(out.size(), first) << "too soon";
  line(at(1, 3, 0.2));
  EXPECT_GT(out.size(), first);
  line(at(1, 391, 0.21, true));
  EXPECT_EQ(out.back(), '\n');
}

TEST(Metric, IsFoundByNameAndElseNaN) {
  EXPECT_EQ(metric({{"loss", 2.0}, {"accuracy", 0.5}}, "accuracy"), 0.5);
  EXPECT_TRUE(std::isnan(metric({}, "accuracy")));
}

}  // namespace
}  // namespace splot
