#include "splot/core/messages.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace splot {
namespace {

std::string filled(std::string_view text, const std::vector<std::string>& values) {
  return fill_in(text, values);
}

TEST(Messages, FillsInValuesInOrder) {
  EXPECT_EQ(filled("{} of {}", {"3", "10"}), "3 of 10");
  EXPECT_EQ(say(Message::run_kept, "1.5", "runs/a"), "learned in 1.5 s; the run is in runs/a");
}

TEST(Messages, FillsInValuesByNumber) { EXPECT_EQ(filled("{1}: {0} and {0}", {"a", "b"}), "b: a and a"); }

// A value may itself hold braces: it is put in once and never looked at again.
TEST(Messages, LeavesOtherBracesAlone) {
  EXPECT_EQ(filled("{x} {} {", {"{}"}), "{x} {} {");
  EXPECT_EQ(filled("", {}), "");
}

TEST(Messages, SaysWhichTextLacksAValue) {
  EXPECT_ERROR(ValueError, filled("{} of {}", {"3"}), "[say] \"{} of {}\" needs more than 1 values");
  EXPECT_ERROR(ValueError, filled("{1}", {"3"}), "[say] \"{1}\" needs more than 1 values");
}

TEST(Messages, EveryOneHasAText) {
  for (int id = 0; id < static_cast<int>(Message::count); ++id) {
    EXPECT_FALSE(text_of(static_cast<Message>(id)).empty()) << id;
  }
  EXPECT_ERROR(ValueError, text_of(Message::count),
               join("[text_of] there is no message ", static_cast<int>(Message::count)));
}

}  // namespace
}  // namespace splot
