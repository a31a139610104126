#include "splot/report/graph_drawing.h"

#include <random>

#include <gtest/gtest.h>

#include "splot/graph/trace.h"
#include "splot/ops/ops.h"
#include "splot/report/internal/layers.h"

#include "tests/report/sound_markup.h"

namespace splot {
namespace {

using report_detail::Point;
using report_detail::RowBox;
using report_detail::Rows;

// Boxes of many sizes, each joined to some that come later.
Rows by_chance(std::uint32_t seed) {
  std::mt19937 random(seed);
  Rows out;
  const int count = 2 + static_cast<int>(random() % 40);
  for (int i = 0; i < count; ++i) {
    out.boxes.push_back({.width = 40.0 + random() % 160, .height = 20.0 + random() % 60, .first_row = i < 2});
    for (int from = 0; from < i; ++from) {
      if (random() % 8 == 0 && i >= 2) out.lines.push_back({.from = from, .to = i});
    }
  }
  return out;
}

TEST(GraphLayout, BoxesStandApartAndLinesLeadDown) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Rows rows = by_chance(seed);
    lay_out(rows);
    for (std::size_t i = 0; i < rows.boxes.size(); ++i) {
      const RowBox& a = rows.boxes[i];
      EXPECT_GE(a.top.x - a.width / 2, -1e-6);
      EXPECT_LE(a.top.x + a.width / 2, rows.width + 1e-6);
      EXPECT_GE(a.top.y, 0.0);
      EXPECT_LE(a.top.y + a.height, rows.height + 1e-6);
      if (a.first_row) {
        EXPECT_EQ(a.top.y, 0.0);
      }
      for (std::size_t j = 0; j < i; ++j) {
        const RowBox& b = rows.boxes[j];
        const bool beside = std::abs(a.top.x - b.top.x) >= (a.width + b.width) / 2 - 1e-6;
        const bool below = a.top.y >= b.top.y + b.height || b.top.y >= a.top.y + a.height;
        EXPECT_TRUE(beside || below) << i << " and " << j;
      }
    }
    for (const report_detail::RowLine& line : rows.lines) {
      const RowBox& from = rows.boxes[static_cast<std::size_t>(line.from)];
      const RowBox& to = rows.boxes[static_cast<std::size_t>(line.to)];
      ASSERT_GE(line.points.size(), 2u);
      EXPECT_EQ(line.points.front().x, from.top.x);
      EXPECT_EQ(line.points.front().y, from.top.y + from.height);
      EXPECT_EQ(line.points.back().x, to.top.x);
      EXPECT_EQ(line.points.back().y, to.top.y);
      for (std::size_t i = 1; i < line.points.size(); ++i) EXPECT_GE(line.points[i].y, line.points[i - 1].y);
      // Where a line passes a row it passes between the boxes.
      for (std::size_t i = 1; i + 1 < line.points.size(); ++i) {
        for (const RowBox& box : rows.boxes) {
          const Point p = line.points[i];
          const bool inside = p.y > box.top.y && p.y < box.top.y + box.height;
          EXPECT_TRUE(!inside || std::abs(p.x - box.top.x) >= box.width / 2)
              << line.from << " to " << line.to;
        }
      }
    }
  }
}

TEST(GraphLayout, AChainIsStraight) {
  Rows rows;
  for (int i = 0; i < 5; ++i) {
    rows.boxes.push_back({.width = 30.0 + 10 * i, .height = 20, .first_row = i == 0});
    if (i > 0) rows.lines.push_back({.from = i - 1, .to = i});
  }
  lay_out(rows);
  EXPECT_NEAR(rows.width, 70.0, 1e-6);
  for (const RowBox& box : rows.boxes) EXPECT_NEAR(box.top.x, 35.0, 1e-6);
}

TEST(GraphDrawing, ShowsCallsWithWhatTheyTakeAndWrite) {
  Parameter weight(ones({2, 3}), "w"), bias(ones({2}), "b"), steps(ones({2}), "steps");
  const Tensor x = ones({4, 3});
  Graph graph = trace(
      [&](std::span<const Tensor> in, std::uint64_t) {
        steps.assign(steps.value() + 0.25);
        return TensorList{relu(linear(in[0], weight.value(), bias.value()))};
      },
      {&x, 1}, {.slots = {Slot("hidden.weight", weight), Slot("hidden.bias", bias), Slot("steps", steps)}});
  graph.calls.back().fused = 7;
  const std::string svg = draw(graph, "a <small> net").file();
  EXPECT_EQ(test::markup_fault(svg), "");
  for (const char* part :
       {"a &lt;small&gt; net", ">argument 0<", ">float32[4, 3]<", ">linear<", ">hidden: weight, bias<",
        ">relu<", ">result<", ">float32[4, 2]<", ">0.25<", ">steps := float32[2]<", ">fused 7<"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace splot
