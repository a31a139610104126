#include "splot/recipe/published.h"

#include <cmath>

#include <gtest/gtest.h>

#include "splot/recipe/recipe.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

TEST(Bound, IsReadAndWritten) {
  const Bound bound = Bound::parse("  median <= 95.3");
  EXPECT_EQ(bound.statistic, "median");
  EXPECT_FALSE(bound.at_least);
  EXPECT_EQ(bound.limit, 95.3);
  EXPECT_EQ(bound.to_string(), "median <= 95.3");
  EXPECT_TRUE(Bound::parse("stuck >= 0").at_least);
}

TEST(Bound, AnythingElseIsRefused) {
  for (const std::string_view text : {"", "mean", "mean >=", "mean > 96", "mean >= 96 %", "mean >= 9x",
                                      "mode >= 1", "mean >= 1 2", "mean >= nan", "mean >= inf"}) {
    EXPECT_ERROR(ValueError, Bound::parse(text),
                 join("[bound] \"", text,
                      "\" should be mean, median, min, max, sd or stuck, then >= or <=, then a number, as in "
                      "\"mean >= 96.0\""));
  }
}

TEST(Spread, IsThatOfTheValues) {
  const std::vector<double> values = {5.0, 1.0, 2.0, 8.0};
  const Spread spread = spread_of(values);
  EXPECT_EQ(spread.mean, 4.0);
  EXPECT_EQ(spread.median, 3.5);
  EXPECT_EQ(spread.min, 1.0);
  EXPECT_EQ(spread.max, 8.0);
  EXPECT_NEAR(spread.sd, std::sqrt((1.0 + 9.0 + 4.0 + 16.0) / 3.0), 1e-15);
  EXPECT_EQ(spread_of(std::vector<double>{7.0, 1.0, 3.0}).median, 3.0);
}

TEST(Spread, OfOneValueAndOfNone) {
  EXPECT_EQ(spread_of(std::vector<double>{3.0}).sd, 0.0);
  EXPECT_EQ(spread_of(std::vector<double>{3.0}).median, 3.0);
  EXPECT_TRUE(std::isnan(spread_of({}).mean));
  EXPECT_TRUE(std::isnan(spread_of({}).sd));
}

constexpr std::string_view kStart =
    "[data]\nname = \"mnist\"\n[model]\ndense = [784, 3, 3, 10]\n[published]\n";

TEST(Published, IsReadAndWrittenOut) {
  const Recipe recipe =
      parse_recipe(join(kStart,
                        "source = \"a book\"\nvalue = 96.59\nmetric = \"val_accuracy\"\n"
                        "epoch = \"best\"\nstatistic = \"median\"\nstuck = 90.0\n"
                        "leave_out_stuck = true\nbounds = [\"mean >= 96.0\", \"stuck <= 2\"]\n"
                        "reason = \"seeds differ\"\nnorms = [[], [0.07, 0.31]]\n"),
                   "p.toml");
  const Recipe again = parse_recipe(to_toml(recipe), "p.toml");
  EXPECT_EQ(to_toml(again), to_toml(recipe));
  EXPECT_EQ(again.published.value, 96.59);
  EXPECT_TRUE(again.published.leave_out_stuck);
  EXPECT_EQ(again.published.bounds, (std::vector<std::string>{"mean >= 96.0", "stuck <= 2"}));
  EXPECT_EQ(again.published.norms, (std::vector<std::vector<double>>{{}, {0.07, 0.31}}));
}

TEST(Published, WhatCannotBeComparedIsRefused) {
  const auto read = [](std::string_view more) { return parse_recipe(join(kStart, more), "p.toml"); };
  EXPECT_ERROR(FormatError, read("source = \"a book\"\n"),
               "p.toml: published.source needs published.bounds, what has to hold of the runs, and "
               "published.reason, why");
  EXPECT_ERROR(FormatError, read("bounds = [\"mean >= 1\"]\n"),
               "p.toml: published.bounds needs published.source: who published what is compared with, where");
  EXPECT_ERROR(
      FormatError, read("bounds = [\"mean > 1\"]\n"),
      "p.toml:6: published.bounds is no list of bounds: [bound] \"mean > 1\" should be mean, median, "
      "min, max, sd or stuck, then >= or <=, then a number, as in \"mean >= 96.0\"");
  EXPECT_ERROR(FormatError, read("norms = [[], [1, 2], [1, 2, 3]]\n"),
               "p.toml: published.norms has more rows than model.dense has hidden layers");
  EXPECT_ERROR(FormatError, read("norms = [[], [1, 2, 3]]\n"),
               "p.toml: row 2 of published.norms needs 2 numbers or none, one for each hidden layer");
}

}  // namespace
}  // namespace splot
