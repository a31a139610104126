#include "splot/core/attributes.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace splot {
namespace {

constinit const AttrSchema kAll = {{"flag", AttrKind::boolean}, {"count", AttrKind::integer},
                                   {"slope", AttrKind::number}, {"dtype", AttrKind::dtype},
                                   {"axes", AttrKind::ints},    {"note", AttrKind::text}};

Attrs sample(double slope, const char* note) {
  return Attrs(kAll, {true, Index{-7}, slope, kInt64, Ints{0, -1, 3}, std::string(note)});
}

TEST(Attributes, PrintAndParseBack) {
  const Attrs a = sample(0.1, "a \"quoted\", \\ text");
  EXPECT_EQ(
      a.to_string(),
      "flag=true, count=-7, slope=0.1, dtype=int64, axes=[0, -1, 3], note=\"a \\\"quoted\\\", \\\\ text\"");
  EXPECT_EQ(Attrs::parse(kAll, a.to_string()), a);
  EXPECT_EQ(Attrs().to_string(), "");
  for (const double slope :
       {0.0, 1e-300, -2.5, 1.0 / 3.0, std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::denorm_min()}) {
    const Attrs b = sample(slope, "");
    EXPECT_EQ(Attrs::parse(kAll, b.to_string()), b) << b.to_string();
  }
}

TEST(Attributes, EqualityAndHash) {
  const Attrs a = sample(0.1, "x"), same = sample(0.1, "x"), other = sample(0.1000001, "x");
  EXPECT_EQ(a, same);
  EXPECT_EQ(a.hash(), same.hash());
  EXPECT_FALSE(a == other);
  EXPECT_NE(a.hash(), other.hash());
  EXPECT_FALSE(a == Attrs());
}

TEST(Attributes, ReadByName) {
  const Attrs a = sample(0.1, "x");
  EXPECT_TRUE(a.flag("flag"));
  EXPECT_EQ(a.integer("count"), -7);
  EXPECT_EQ(a.number("slope"), 0.1);
  EXPECT_EQ(a.dtype("dtype"), kInt64);
  EXPECT_EQ(a.ints("axes"), (Ints{0, -1, 3}));
  EXPECT_EQ(a.text("note"), "x");
}

TEST(Attributes, Errors) {
  constexpr const char* kOne = "slope=x";
  static constinit const AttrSchema number = {{"slope", AttrKind::number}};
  EXPECT_ERROR(ValueError, Attrs(number, {}), "[attributes] got 0 values for 1 attributes");
  EXPECT_ERROR(ValueError, Attrs(number, {true}), "[attributes] slope is a number, got a bool");
  EXPECT_ERROR(ValueError, Attrs(number, {0.5}).number("alpha"),
               "[attributes] there is no attribute \"alpha\" among: slope=0.5");
  EXPECT_ERROR(FormatError, Attrs::parse(number, kOne), "[attributes] not a number: x");
  EXPECT_ERROR(FormatError, Attrs::parse(number, "alpha=1"),
               "[attributes] expected \"slope\" at \"alpha=1\"");
  EXPECT_ERROR(FormatError, Attrs::parse(number, "slope=1 2"),
               "[attributes] text behind the last attribute in \"slope=1 2\"");
}

}  // namespace
}  // namespace splot
