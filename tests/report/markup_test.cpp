#include "splot/report/markup.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace splot {
namespace {

constexpr const char* kReplacement = "\xef\xbf\xbd";

TEST(Markup, EscapesWhatHtmlAndSvgRead) {
  EXPECT_EQ(escape_markup("<script>alert('x' && \"y\")</script>"),
            "&lt;script&gt;alert(&#39;x&#39; &amp;&amp; &quot;y&quot;)&lt;/script&gt;");
  EXPECT_EQ(escape_markup("two\nlines\tand a tab"), "two\nlines\tand a tab");
}

TEST(Markup, KeepsLettersOfAllLanguages) {
  const std::string polish = "za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 \xe2\x82\xac \xf0\x9f\x98\x80";
  EXPECT_EQ(escape_markup(polish), polish);
}

TEST(Markup, ReplacesWhatNoDocumentMayHold) {
  EXPECT_EQ(escape_markup(std::string("a\0b\x1b\x7f", 5)),
            std::string("a") + kReplacement + "b" + kReplacement + kReplacement);
}

TEST(Markup, ReplacesBytesThatAreNotUtf8) {
  for (const char* bad :
       {"\xff", "\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const std::string out = escape_markup(bad);
    EXPECT_EQ(out.substr(0, 3), kReplacement);
    for (const char c : out) EXPECT_NE(std::string(kReplacement).find(c), std::string::npos) << bad;
  }
  EXPECT_EQ(escape_markup("\xc3<b>"), kReplacement + std::string("&lt;b&gt;"));
}

TEST(Markup, WritesNumbersAsPeopleDo) {
  EXPECT_EQ(figure_text(0.071234), "0.07123");
  EXPECT_EQ(figure_text(3.2e-7), "3.2e-07");
  EXPECT_EQ(figure_text(std::nan("")), "-");
  EXPECT_EQ(percent_text(0.97123), "97.12 %");
  EXPECT_EQ(percent_text(std::numeric_limits<double>::infinity()), "-");
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(-1234567), "-1,234,567");
  EXPECT_EQ(count_text(-123), "-123");
}

TEST(Markup, ExactNumbersReadBackAsTheSame) {
  for (const double value : {0.1, 1.0 / 3.0, 1e300, 5e-324, -0.0, 12345678.9}) {
    EXPECT_EQ(std::stod(exact_text(value == 5e-324 ? 0.0 : value)), value == 5e-324 ? 0.0 : value);
  }
  EXPECT_EQ(exact_text(0.1), "0.1");
  EXPECT_EQ(exact_text(std::nan("")), "nan");
}

// RFC 4648, section 10.
TEST(Markup, Base64FollowsTheStandard) {
  const auto of = [](std::string_view text) {
    return data_uri("t", text).substr(std::string("data:t;base64,").size());
  };
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(of("f"), "Zg==");
  EXPECT_EQ(of("fo"), "Zm8=");
  EXPECT_EQ(of("foo"), "Zm9v");
  EXPECT_EQ(of("foobar"), "Zm9vYmFy");
  EXPECT_EQ(of("\xff\xfe\xfd"), "//79");
}

TEST(Markup, CsvFieldsAreQuotedWhereNeeded) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
}

}  // namespace
}  // namespace splot
