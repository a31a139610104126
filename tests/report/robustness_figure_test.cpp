#include "splot/report/robustness_figure.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "splot/core/error.h"

#include "tests/report/sound_markup.h"

namespace splot {
namespace {

// 0.9 in the middle, a hundredth less for every step and every tenth of the scale.
MeasuredNetwork network(const std::string& name, double middle) {
  Robustness r{.examples = 12345,
               .shift = 2,
               .step = 2.0,
               .scales = {0.9, 1.0},
               .degrees = {-10, 0},
               .moved = {},
               .turned = {}};
  for (std::size_t scale = 0; scale < 2; ++scale) {
    for (int down = -2; down <= 2; ++down) {
      for (int right = -2; right <= 2; ++right) {
        r.moved.push_back(middle - 0.01 * (std::abs(down) + std::abs(right)) - (scale == 0 ? 0.1 : 0.0));
      }
    }
  }
  r.turned = {middle - 0.2, middle};
  return {name, r};
}

TEST(RobustnessFigure, ShowsEveryNetwork) {
  const std::vector<MeasuredNetwork> networks = {network("mlp", 0.8), network("a <cnn>", 0.9)};
  const std::string svg =
      draw_robustness(networks, {{"as it is", {4, 4, 1, std::vector<std::uint8_t>(16)}}}).file();
  EXPECT_EQ(test::markup_fault(svg), "");
  EXPECT_NE(svg.find("12,345 pictures"), std::string::npos);
  EXPECT_NE(svg.find("a &lt;cnn&gt;: accuracy in per cent by shift"), std::string::npos);
  // One cell for each of 5 x 5 shifts of both.
  std::size_t cells = 0;
  for (std::size_t at = svg.find("\"fill c"); at != svg.npos; at = svg.find("\"fill c", at + 1)) ++cells;
  EXPECT_EQ(cells, 50u);
  EXPECT_NE(svg.find("4 to the right, -4 down: 86.00 %"), std::string::npos);
}

TEST(RobustnessFigure, CsvHasALineForEachMotion) {
  const std::string csv = to_csv(std::vector{network("mlp", 0.75), network("b,c", 0.5)});
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "scale,right,down,degrees,mlp,\"b,c\"");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 25 + 2);
  EXPECT_NE(csv.find("\n1,0,0,0,0.75,0.5\n"), std::string::npos) << csv;
  EXPECT_NE(csv.find("\n1,0,0,-10,0.55,0.3\n"), std::string::npos) << csv;
}

TEST(RobustnessFigure, NetworksMustHaveBeenMeasuredAlike) {
  MeasuredNetwork other = network("other", 0.5);
  other.measured.step = 1.0;
  EXPECT_THROW(draw_robustness({network("mlp", 0.8), other}, {}), ValueError);
  EXPECT_THROW(draw_robustness({}, {}), ValueError);
}

TEST(RobustnessFigure, PicturesAreTheFirstOneMoved) {
  std::vector<std::uint8_t> pixels(81, 0);
  pixels[40] = 250;
  const Dataset data("dot", Tensor::from(pixels, {1, 1, 9, 9}), tensor<std::int64_t>({0}), {"dot"});
  const std::vector<MovedPicture> pictures = moved_pictures(data, network("mlp", 0.8).measured);
  ASSERT_EQ(pictures.size(), 7u);
  EXPECT_EQ(pictures[0].name, "as it is");
  EXPECT_EQ(pictures[0].picture.pixels, pixels);
  EXPECT_EQ(pictures[1].name, "4 to the right");
  EXPECT_EQ(pictures[1].picture.pixels[44], 250);
}

}  // namespace
}  // namespace splot
