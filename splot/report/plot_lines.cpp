// Line plots: frame, curves, marks, legend.
#include <algorithm>
#include <cmath>
#include <map>

#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/report/internal/point.h"
#include "splot/report/internal/scale.h"
#include "splot/report/markup.h"
#include "splot/report/plot.h"

namespace splot {
namespace {

using report_detail::axis_title;
using report_detail::AxisScale;
using report_detail::Point;
using report_detail::text_width;
using report_detail::Tick;
using report_detail::value_text;

constexpr double kRow = 19.0;           // a line of text
constexpr std::size_t kDots = 40;       // with at most so many points each is shown
constexpr std::size_t kTooltips = 100;  // with at most so many each tells its numbers
constexpr std::size_t kThin = 1000;     // with more than so many a curve is thinned

void check(const LinePlot& plot) {
  for (const Series& s : plot.series) {
    require<ValueError>(s.x.size() == s.y.size(), "plot", "the curve \"", s.name, "\" has ", s.x.size(),
                        " x and ", s.y.size(), " y");
    require<ValueError>(s.color >= -1 && s.color < 8, "plot", "there is no color ", s.color, ", but 0 to 7");
  }
}

// Places in the box; y counts downwards from its top.
class Box {
 public:
  Box(const LinePlot& plot, double width, double height)
      : width_(width),
        height_(height),
        x_(plot.x, all(plot, &Series::x), static_cast<int>(width / 62.0)),
        y_(plot.y, all(plot, &Series::y), static_cast<int>(height / 42.0)) {}

  double x(double value) const { return x_.at(value) * width_; }
  double y(double value) const { return (1.0 - y_.at(value)) * height_; }
  const AxisScale& x_scale() const { return x_; }
  const AxisScale& y_scale() const { return y_; }
  double width() const { return width_; }
  double height() const { return height_; }

  // The series in pieces that are drawn in one stroke, cut off at the upper and lower edge.
  std::vector<std::vector<Point>> pieces(const Series& series) const;

 private:
  static std::vector<double> all(const LinePlot& plot, std::vector<double> Series::*part) {
    std::vector<double> out;
    for (const Series& s : plot.series) out.insert(out.end(), (s.*part).begin(), (s.*part).end());
    if (part == &Series::x) {
      for (const Mark& mark : plot.marks) out.push_back(mark.x);
    }
    return out;
  }

  double width_, height_;
  AxisScale x_, y_;
};

// The lowest and the highest point of each of `columns` slices along x, in their order.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t columns) {
  if (points.size() <= kThin) return points;
  std::vector<Point> out;
  const std::size_t each = (points.size() + columns - 1) / columns;
  for (std::size_t first = 0; first < points.size(); first += each) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>(std::min(first + each, points.size()));
    auto [low, high] = std::minmax_element(begin, end, [](Point a, Point b) { return a.y < b.y; });
    if (high < low) std::swap(low, high);
    out.push_back(*low);
    if (high != low) out.push_back(*high);
  }
  return out;
}

std::vector<std::vector<Point>> Box::pieces(const Series& series) const {
  std::vector<std::vector<Point>> out;
  std::vector<Point> piece;
  const auto end_piece = [&] {
    if (!piece.empty()) out.push_back(std::move(piece));
    piece.clear();
  };
  const auto inside = [&](const Point& p) { return p.y >= -0.5 && p.y <= height_ + 0.5; };
  Point before{};
  bool has_before = false;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const Point here{x(series.x[i]), y(series.y[i])};
    if (std::isnan(here.x) || std::isnan(here.y)) {
      end_piece();
      has_before = false;
      continue;
    }
    const auto edge = [&](double at) {
      return Point{before.x + (here.x - before.x) * (at - before.y) / (here.y - before.y), at};
    };
    if (has_before && inside(before) != inside(here)) {
      piece.push_back(edge((inside(before) ? here.y : before.y) < 0.0 ? 0.0 : height_));
      if (inside(before)) end_piece();
    }
    if (inside(here)) piece.push_back(here);
    before = here;
    has_before = true;
  }
  end_piece();
  return out;
}

std::string stroke_classes(const Series& series, std::size_t number) {
  const std::size_t color = series.color >= 0 ? static_cast<std::size_t>(series.color) : number % 8;
  return join("line c", color, series.stroke == Stroke::dashed ? " dash" : "");
}

std::string dot_classes(const Series& series, std::size_t number) {
  return join("dot c", series.color >= 0 ? static_cast<std::size_t>(series.color) : number % 8);
}

void draw_curve(Svg& svg, const Box& box, const LinePlot& plot, std::size_t number) {
  const Series& series = plot.series[number];
  const bool dots = series.stroke == Stroke::dots;
  for (const std::vector<Point>& all : box.pieces(series)) {
    if (dots) continue;
    std::string d;
    for (const Point& p : thinned(all, static_cast<std::size_t>(box.width()))) {
      d += join(d.empty() ? 'M' : 'L', coordinate(p.x), ' ', coordinate(p.y));
    }
    if (all.size() > 1) svg.path(d, stroke_classes(series, number));
    if (all.size() == 1 && series.x.size() > kDots) {
      svg.circle(all[0].x, all[0].y, 2.6,
                 dot_classes(series, number));  // a path of one point would not be seen
    }
  }
  for (std::size_t i = 0; i < series.x.size() && (dots || series.x.size() <= kTooltips); ++i) {
    const double x = box.x(series.x[i]);
    const double y = box.y(series.y[i]);
    if (!box.y_scale().shows(series.y[i]) || std::isnan(x)) continue;
    if (dots || series.x.size() <= kDots) svg.circle(x, y, 2.6, dot_classes(series, number));
    if (series.x.size() > kTooltips) continue;
    svg.circle(x, y, 7.0, "hit",
               say(Message::plot_point, series.name, plot.x.label, value_text(plot.x, series.x[i]),
                   value_text(plot.y, series.y[i])));
  }
}

void draw_ticks(Svg& svg, const Box& box) {
  for (const Tick& tick : box.y_scale().ticks()) {
    const double y = box.y(tick.value);
    svg.line(0, y, box.width(), y, tick.value == 0.0 ? "axis" : "grid");
    if (tick.power) {
      svg.power_of_ten(-8, y + 4, tick.exponent, "soft", Anchor::end);
    } else {
      svg.text(-8, y + 4, tick.text, "soft", Anchor::end);
    }
  }
  // Where the names are long, every second tick has one.
  double widest = 0.0;
  for (const Tick& tick : box.x_scale().ticks()) widest = std::max(widest, text_width(tick.text));
  const auto& ticks = box.x_scale().ticks();
  const double room =
      ticks.size() > 1 ? std::abs(box.x(ticks[1].value) - box.x(ticks[0].value)) : box.width();
  const std::size_t every = widest + 6.0 > room ? 2 : 1;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const double x = box.x(ticks[i].value);
    svg.line(x, 0, x, box.height(), ticks[i].value == 0.0 ? "axis" : "grid");
    if (i % every != 0) continue;
    if (ticks[i].power) {
      svg.power_of_ten(x, box.height() + 17, ticks[i].exponent, "soft", Anchor::middle);
    } else {
      svg.text(x, box.height() + 17, ticks[i].text, "soft", Anchor::middle);
    }
  }
  svg.line(0, box.height(), box.width(), box.height(), "axis");
}

// Each has a row of its own above the plot, the leftmost the highest: no line crosses the text of another
// mark.
void draw_marks(Svg& svg, const Box& box, std::vector<Mark> marks) {
  std::stable_sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.x < b.x; });
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (!box.x_scale().shows(marks[i].x)) continue;
    const double x = box.x(marks[i].x);
    const double y = -static_cast<double>(marks.size() - i) * kRow;
    const bool left = x + text_width(marks[i].text) + 5.0 > box.width() && x > box.width() / 2.0;
    svg.line(x, y + 3, x, box.height(), "mark");
    svg.text(left ? x - 5 : x + 5, y + 13, marks[i].text, "strong", left ? Anchor::end : Anchor::start);
  }
}

struct LegendPlace {
  double x, y;
};

// From left to right, in as many rows as it takes.
std::vector<LegendPlace> legend_places(const std::vector<Series>& series, double width) {
  std::vector<LegendPlace> out;
  double x = 0.0;
  double y = 0.0;
  for (const Series& s : series) {
    const double needed = 28.0 + text_width(s.name) + 14.0;
    if (x > 0.0 && x + needed > width) {
      x = 0.0;
      y += kRow;
    }
    out.push_back({x, y});
    x += needed;
  }
  return out;
}

void draw_legend(Svg& svg, const std::vector<Series>& series, const std::vector<LegendPlace>& places,
                 double x, double y) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double left = x + places[i].x;
    const double top = y + places[i].y;
    if (series[i].stroke == Stroke::dots) {
      svg.circle(left + 11, top - 4, 3.5, dot_classes(series[i], i));
    } else {
      svg.line(left, top - 4, left + 22, top - 4, stroke_classes(series[i], i));
    }
    svg.text(left + 28, top, series[i].name);
  }
}

double widest_tick(const LinePlot& plot, double width, double height) {
  double out = 0.0;
  const Box box(plot, width, height);
  for (const Tick& tick : box.y_scale().ticks()) {
    out = std::max(out, tick.power ? text_width("10-8") : text_width(tick.text));
  }
  return out;
}

}  // namespace

void draw_panel(Svg& svg, const LinePlot& plot, double width, double height) {
  check(plot);
  const Box box(plot, width, height);
  draw_ticks(svg, box);
  for (std::size_t i = 0; i < plot.series.size(); ++i) draw_curve(svg, box, plot, i);
}

Svg draw(const LinePlot& plot, const PlotOptions& options) {
  check(plot);
  const double top =
      10.0 + (options.title ? kRow + 4.0 : 0.0) + kRow * static_cast<double>(plot.marks.size());
  const bool legend = plot.series.size() > 1;
  const double ticks_width = widest_tick(plot, options.width, options.height - top - 60.0);
  const double left = 26.0 + ticks_width;
  const double width = std::max(40.0, options.width - left - 14.0);
  const auto places = legend ? legend_places(plot.series, options.width - 16.0) : std::vector<LegendPlace>();
  const double legend_height = legend ? places.back().y + kRow + 6.0 : 0.0;
  const double height = std::max(60.0, options.height - top - 44.0);
  const double whole = top + height + 44.0 + legend_height;

  Svg svg(options.width, whole, plot.title);
  if (options.title) svg.text(8, 20, plot.title, "title");
  svg.turned_text(14, top + height / 2.0, axis_title(plot.y), "soft");
  svg.text(left + width / 2.0, top + height + 36.0, axis_title(plot.x), "soft", Anchor::middle);
  svg.begin_group(left, top);
  const Box box(plot, width, height);
  draw_ticks(svg, box);
  draw_marks(svg, box, plot.marks);
  for (std::size_t i = 0; i < plot.series.size(); ++i) draw_curve(svg, box, plot, i);
  if (box.x_scale().empty() || box.y_scale().empty()) {
    svg.text(width / 2.0, height / 2.0, say(Message::plot_nothing), "soft", Anchor::middle);
  }
  svg.end_group();
  if (legend) draw_legend(svg, plot.series, places, 8.0, top + height + 44.0 + kRow);
  return svg;
}

std::string to_csv(const LinePlot& plot) {
  check(plot);
  std::string out = csv_field(plot.x.label);
  std::map<double, std::vector<std::string>> rows;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const Series& s = plot.series[i];
    out += ',' + csv_field(s.name);
    for (std::size_t j = 0; j < s.x.size(); ++j) {
      std::vector<std::string>& row = rows[s.x[j]];
      row.resize(plot.series.size());
      row[i] = exact_text(s.y[j]);
    }
  }
  out += '\n';
  for (const auto& [x, values] : rows) {
    out += exact_text(x);
    for (const std::string& value : values) out += ',' + value;
    out += '\n';
  }
  return out;
}

}  // namespace splot
