// Svg: a picture made of lines, boxes and words, written down as it is drawn.
#pragma once

#include <string>
#include <string_view>

#include "splot/core/export.h"

namespace splot {

/// Where a text stands in relation to its point.
enum class Anchor { start, middle, end };

/// Colours and strokes come from classes, so that one picture serves a light page and a dark one;
/// Svg::style() says what they look like. Classes: `line`, `fill` and `dot` with `c0` ... `c7` for the eight
/// colours, `dash` and `thin` for strokes, `grid`, `axis`, `mark`, `soft` (of text: less important), `title`.
///
///   Svg svg(100, 50, "a diagonal");
///   svg.path("M0 0L100 50", "line c0");
///   write_file("diagonal.svg", svg.file());
///
/// Threads: one at a time.
class SPLOT_API Svg {
 public:
  /// The size in units of its own; `label` says in words what is seen.
  Svg(double width, double height, std::string_view label);

  /// `d` as SVG writes paths. A tooltip is shown where the pointer rests.
  void path(std::string_view d, std::string_view classes, std::string_view tooltip = {});
  void line(double x1, double y1, double x2, double y2, std::string_view classes);
  /// `opacity` of the fill, 0 to 1.
  void rect(double x, double y, double width, double height, std::string_view classes, double opacity = 1.0,
            std::string_view tooltip = {});
  void circle(double x, double y, double radius, std::string_view classes, std::string_view tooltip = {});
  void text(double x, double y, std::string_view text, std::string_view classes = {},
            Anchor anchor = Anchor::start);
  /// The same turned a quarter to the left, for the name of an axis.
  void turned_text(double x, double y, std::string_view text, std::string_view classes = {},
                   Anchor anchor = Anchor::middle);
  /// 10 to the power of `exponent`.
  void power_of_ten(double x, double y, int exponent, std::string_view classes, Anchor anchor);
  /// A picture in a box, its pixels kept square.
  void image(double x, double y, double width, double height, std::string_view uri,
             std::string_view tooltip = {});
  /// Everything until end_group() is moved by this much.
  void begin_group(double dx, double dy);
  void end_group();

  /// For a page that holds style() itself.
  std::string inline_text() const;
  /// A document of its own.
  std::string file() const;

  /// CSS for light and dark; every rule begins with ".plot".
  static std::string style();

 private:
  void open(std::string_view tag, std::string_view classes);
  void close(std::string_view tag, std::string_view tooltip);
  void number(std::string_view name, double value);

  double width_;
  double height_;
  std::string label_;
  std::string body_;
};

/// A coordinate with at most two decimals: "12.5".
SPLOT_API std::string coordinate(double value);

}  // namespace splot
