#include "splot/report/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/report/sound_markup.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

const double kNaN = std::nan("");

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t out = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++out;
  return out;
}

// Well-formed, and no coordinate that is none.
void expect_sound(const std::string& svg) {
  EXPECT_EQ(test::markup_fault(svg), "");
  for (const char* bad : {"\"nan", "\"-nan", "\"inf", "\"-inf", "Mnan", "Lnan", " nan"}) {
    EXPECT_EQ(svg.find(bad), std::string::npos) << bad << " in " << svg.substr(0, 2000);
  }
}

TEST(SoundMarkup, FindsWhatIsWrong) {
  EXPECT_EQ(test::markup_fault("<g a=\"&amp;\"><p x=\"1\"/>text &lt;<br></g>"), "");
  for (const char* bad :
       {"<g>", "</g>", "<a><b></a></b>", "<g a=1>", "<g a=\"<\"/>", "a > b", "a & b", "<g a=\"1>", "<"}) {
    EXPECT_NE(test::markup_fault(bad), "") << bad;
  }
}

LinePlot loss(std::vector<double> y) {
  std::vector<double> x(y.size());
  std::iota(x.begin(), x.end(), 1.0);
  return {.title = "Loss",
          .x = {.label = "epoch", .whole = true},
          .y = {.label = "loss", .unit = "nats"},
          .series = {{.name = "train", .x = x, .y = std::move(y)}}};
}

TEST(Plot, HasAxesUnitsTicksAndCurve) {
  const std::string svg = draw(loss({1.0, 0.5, 0.25})).inline_text();
  expect_sound(svg);
  for (const char* text : {">epoch<", ">loss [nats]<", ">Loss<", ">1<", ">2<", ">3<", ">1.0<", ">0.2<"}) {
    EXPECT_NE(svg.find(text), std::string::npos) << text << '\n' << svg;
  }
  EXPECT_EQ(count(svg, "class=\"line c0\""), 1u);
  EXPECT_EQ(count(svg, "class=\"dot c0\""), 3u);
  EXPECT_NE(svg.find("<title>train\nepoch 2: 0.5 nats</title>"), std::string::npos) << svg;
}

TEST(Plot, DrawsAtTheRightPlaces) {
  Svg svg(100, 100, "panel");
  LinePlot plot{.title = "", .x = {.label = "x"}, .y = {.label = "y"}, .series = {}};
  plot.series.push_back({.name = "a", .x = {0.0, 5.0, 10.0}, .y = {0.0, 10.0, 5.0}});
  draw_panel(svg, plot, 200, 100);
  EXPECT_NE(svg.inline_text().find("d=\"M0 100L100 0L200 50\""), std::string::npos) << svg.inline_text();
}

TEST(Plot, CutsCurvesAtTheEdge) {
  Svg svg(100, 100, "panel");
  LinePlot plot{.title = "", .x = {.label = "x"}, .y = {.label = "y", .low = 0.0, .high = 1.0}, .series = {}};
  plot.series.push_back({.name = "a", .x = {0.0, 2.0, 4.0}, .y = {0.0, 2.0, 0.0}});
  draw_panel(svg, plot, 400, 100);
  // Up to y = 1 at x = 1, and down from there at x = 3.
  EXPECT_NE(svg.inline_text().find("d=\"M0 100L100 0\""), std::string::npos) << svg.inline_text();
  EXPECT_NE(svg.inline_text().find("d=\"M300 0L400 100\""), std::string::npos) << svg.inline_text();
}

TEST(Plot, BreaksWhereThereIsNoNumber) {
  const std::string svg =
      draw(loss({1.0, 0.9, kNaN, 0.8, 0.7, std::numeric_limits<double>::infinity()})).inline_text();
  expect_sound(svg);
  EXPECT_EQ(count(svg, "class=\"line c0\""), 2u);
  EXPECT_EQ(count(svg, "class=\"dot c0\""), 4u);
}

TEST(Plot, NothingToShowIsSaid) {
  for (const std::vector<double>& y : {std::vector<double>{}, {kNaN, kNaN}}) {
    const std::string svg = draw(loss(y)).inline_text();
    expect_sound(svg);
    EXPECT_NE(svg.find("nothing to show"), std::string::npos);
  }
  LinePlot log = loss({0.0, -1.0});
  log.y.log = true;
  EXPECT_NE(draw(log).inline_text().find("nothing to show"), std::string::npos);
}

TEST(Plot, OneEpochAndEqualValuesAreSeen) {
  for (const std::vector<double>& y :
       {std::vector<double>{0.5}, {0.0}, {3.0, 3.0, 3.0}, {1e-300, 1e300}, {-1e300, 1e300}}) {
    for (const bool is_log : {false, true}) {
      LinePlot plot = loss(y);
      plot.y.log = is_log;
      const std::string svg = draw(plot).inline_text();
      expect_sound(svg);
      if (!is_log || y.front() > 0.0) {
        EXPECT_GE(count(svg, "class=\"dot c0\""), 1u) << svg;
      }
    }
  }
}

TEST(Plot, LeavesOutWhatNoAxisCanHold) {
  const std::string svg = draw(loss({1.0, 1.7e308, 2.0})).inline_text();
  expect_sound(svg);
  EXPECT_EQ(count(svg, "class=\"dot c0\""), 2u);
}

TEST(Plot, LogAxesShowDecades) {
  LinePlot plot = loss({1.0, 0.1, 1e-5});
  plot.y.log = true;
  const std::string svg = draw(plot).inline_text();
  EXPECT_NE(svg.find("dy=\"-4\">-5</tspan>"), std::string::npos) << svg;
  plot = loss({1.0, 0.5});
  plot.y.log = true;
  EXPECT_NE(draw(plot).inline_text().find(">0.5<"), std::string::npos);
}

TEST(Plot, ManyPointsAreThinnedToTheirExtremes) {
  std::vector<double> y(100000, 0.5);
  y[77777] = 9.0;
  const std::string svg = draw(loss(y)).inline_text();
  expect_sound(svg);
  EXPECT_LT(svg.size(), 40000u);
  EXPECT_EQ(svg.find("class=\"hit\""), std::string::npos);
  // The one high point is still there: at the top of the box, whose highest tick is 10.
  // All other points are far below it.
  const std::string path = svg.substr(svg.find("class=\"line c0\""));
  double highest = 300.0;
  for (std::size_t at = path.find('L'); at != std::string::npos && at < path.find("/>");
       at = path.find('L', at + 1)) {
    highest = std::min(highest, std::stod(path.substr(path.find(' ', at))));
  }
  EXPECT_NEAR(highest, 22.3, 0.5);
  EXPECT_EQ(count(to_csv(loss(y)), "\n"), 100001u);
}

TEST(Plot, MarksAndLegend) {
  LinePlot plot = loss({1.0, 0.5, 0.6});
  plot.series.push_back(
      {.name = "validation", .x = {1, 2, 3}, .y = {1.1, 0.7, 0.9}, .stroke = Stroke::dashed});
  plot.marks = {{2.0, "best: epoch 2"}};
  const std::string svg = draw(plot).inline_text();
  expect_sound(svg);
  EXPECT_EQ(count(svg, "class=\"mark\""), 1u);
  EXPECT_NE(svg.find(">best: epoch 2<"), std::string::npos);
  EXPECT_EQ(count(svg, "class=\"line c1 dash\""), 2u);  // the curve and its line in the legend
}

TEST(Plot, TheLineOfAMarkCrossesNoOtherText) {
  LinePlot plot = loss({1.0, 0.5, 0.6});
  plot.marks = {{2.0, "best: epoch 2"}, {1.0, "overfitting after epoch 1"}};
  const std::string svg = draw(plot).inline_text();
  EXPECT_LT(svg.find(">overfitting after epoch 1<"),
            svg.find(">best: epoch 2<"));  // from the highest row down
  std::reverse(plot.marks.begin(), plot.marks.end());
  EXPECT_EQ(draw(plot).inline_text(), svg);
}

TEST(Plot, HostileNamesStayText) {
  const std::string evil = "</text><script>alert(1)</script>\" onload=\"x";
  LinePlot plot = loss({1.0, 0.5});
  plot.title = plot.x.label = plot.y.label = plot.y.unit = plot.series[0].name = evil;
  plot.series.push_back(plot.series[0]);
  plot.marks = {{1.0, evil}};
  const HeatMap map{evil, evil, evil, {evil, "b"}, {evil, "b"}, {1, 2, 3, 4}};
  const BarPlot bars{evil, {.label = evil}, {.label = evil}, {evil}, {1.0}};
  const ImageGrid grid{evil, {Image{1, 1, 1, {7}}}, {evil}, 2};
  for (const std::string& svg : {draw(plot).inline_text(), draw(map).inline_text(), draw(bars).inline_text(),
                                 draw(grid).inline_text(), draw(plot).file()}) {
    expect_sound(svg);
    EXPECT_EQ(svg.find("<script"), std::string::npos);
  }
}

TEST(Plot, AFileHoldsItsOwnStyle) {
  const std::string svg = draw(loss({1.0, 0.5})).file();
  EXPECT_EQ(svg.find("<svg xmlns=\"http://www.w3.org/2000/svg\""), 0u);
  EXPECT_NE(svg.find("prefers-color-scheme:dark"), std::string::npos);
}

TEST(Plot, CsvHasEveryNumber) {
  LinePlot plot = loss({1.0 / 3.0, kNaN});
  plot.series.push_back({.name = "validation, seen", .x = {2, 3}, .y = {0.1, 0.2}});
  EXPECT_EQ(to_csv(plot), "epoch,train,\"validation, seen\"\n1,0.3333333333333333,\n2,nan,0.1\n3,,0.2\n");
}

TEST(Plot, HeatMapShowsCountsAndShares) {
  const HeatMap map{"Confusion", "predicted", "true", {"cat", "dog"}, {"cat", "dog"}, {9, 1, 0, 10}};
  const std::string svg = draw(map).inline_text();
  expect_sound(svg);
  EXPECT_NE(svg.find("<title>true cat, predicted dog: 1 (10.00 %)</title>"), std::string::npos) << svg;
  EXPECT_EQ(count(svg, "class=\"fill c0\""), 2u);
  EXPECT_EQ(count(svg, "class=\"fill c1\""), 1u);
  EXPECT_EQ(to_csv(map), "true \\ predicted,cat,dog\ncat,9,1\ndog,0,10\n");
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{200}}) {
    const std::vector<std::string> names(n, "class");
    expect_sound(draw(HeatMap{"", "p", "t", names, names, std::vector<double>(n * n, 1.0)}).inline_text());
  }
}

TEST(Plot, BarsBeginAtZero) {
  const BarPlot bars{
      "F1", {.label = "class"}, {.label = "F1", .percent = true}, {"a", "b", "c"}, {0.5, 1.0, kNaN}};
  const std::string svg = draw(bars).inline_text();
  expect_sound(svg);
  EXPECT_EQ(count(svg, "<rect class=\"fill c0\""), 2u);
  EXPECT_NE(svg.find("<title>a: 50.00 %</title>"), std::string::npos);
  EXPECT_EQ(to_csv(bars), "class,F1\na,0.5\nb,1\nc,nan\n");
  expect_sound(draw(BarPlot{"", {.label = "x"}, {.label = "y"}, {}, {}}).inline_text());
  expect_sound(draw(BarPlot{"", {.label = "x"}, {.label = "y"}, {"a", "b"}, {-1.0, 2.0}}).inline_text());
}

TEST(Plot, ImageGridsHoldTheirPictures) {
  const ImageGrid grid{
      "Weights", {Image{2, 3, 1, {0, 1, 2, 3, 4, 5}}, Image{1, 1, 3, {255, 0, 0}}}, {"0", "1"}, 8};
  const std::string svg = draw(grid).inline_text();
  expect_sound(svg);
  EXPECT_EQ(count(svg, "href=\"data:image/png;base64,iVBOR"), 2u);
}

TEST(Plot, RefusesWhatDoesNotMatch) {
  LinePlot plot = loss({1.0, 0.5});
  plot.series[0].x.pop_back();
  EXPECT_ERROR(ValueError, draw(plot), "[plot] the curve \"train\" has 1 x and 2 y");
  EXPECT_ERROR(ValueError, to_csv(BarPlot{"", {}, {}, {"a"}, {}}), "[plot] 1 names for 0 bars");
  EXPECT_ERROR(ValueError, draw(HeatMap{"", "", "", {"a"}, {"a"}, {}}),
               "[plot] 1 x 1 cells need as many values, got 0");
  EXPECT_ERROR(ValueError, draw(ImageGrid{"", {}, {"a"}, 8}), "[plot] 1 names for 0 pictures in 8 columns");
}

}  // namespace
}  // namespace splot
