// Plots: lines, bars, coloured tables and rows of pictures as SVG, and their numbers as CSV.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/index.h"
#include "splot/data/image.h"
#include "splot/report/svg.h"

namespace splot {

struct Axis {
  std::string label;
  std::string unit = {};           ///< shown behind the label: "loss [nats]"
  bool log = false;                ///< powers of ten; values that are not positive are left out
  bool percent = false;            ///< values are shares of 1, the axis shows per cent
  bool whole = false;              ///< whole numbers alone: epochs
  std::optional<double> low = {};  ///< where the axis begins and ends; else what the data need
  std::optional<double> high = {};
};

enum class Stroke { solid, dashed, dots };

struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  ///< as many; the curve is broken where one is not finite
  int color = -1;         ///< 0 to 7; else its place among the series
  Stroke stroke = Stroke::solid;
};

/// A vertical line with words, at a place on the x axis.
struct Mark {
  double x = 0.0;
  std::string text;
};

struct LinePlot {
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::vector<Mark> marks = {};
};

struct BarPlot {
  std::string title;
  Axis x;  ///< its label alone
  Axis y;
  std::vector<std::string> names;
  std::vector<double> values;
};

/// A table with rows x columns values, each cell coloured by its share of the sum of its row: a confusion
/// matrix. What lies on the diagonal has another colour than the rest.
struct HeatMap {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<std::string> columns;
  std::vector<std::string> rows;
  std::vector<double> values;  ///< row by row
};

/// Small pictures side by side, each with a name under it.
struct ImageGrid {
  std::string title;
  std::vector<Image> images;
  std::vector<std::string> names;
  Index columns = 8;
};

struct PlotOptions {
  double width = 460.0;
  double height = 300.0;
  bool title = true;  ///< false: whatever holds the picture shows the title itself
};

/// Each draws with axes, ticks, labels and units, a legend where there is more than one curve, and tooltips
/// with the numbers. Nothing to draw - no points, none of them finite - gives the axes and a note that says
/// so. Long curves are thinned to the lowest and highest point of each column; the CSV has all of them.
/// Throws ValueError where names and values or x and y do not match in number. The height of HeatMap and
/// ImageGrid follows from what they hold.
///
///   Svg svg = draw(LinePlot{.title = "loss", .x = {.label = "epoch"}, .y = {.label = "loss"}, .series =
///   {...}}); write_file("loss.svg", svg.file());
SPLOT_API Svg draw(const LinePlot& plot, const PlotOptions& options = {});
SPLOT_API Svg draw(const BarPlot& plot, const PlotOptions& options = {});
SPLOT_API Svg draw(const HeatMap& plot, const PlotOptions& options = {});
SPLOT_API Svg draw(const ImageGrid& grid, const PlotOptions& options = {});

/// The numbers: a line of names, then one line for each x (of a LinePlot; empty where a curve has none), bar
/// or row. Every number reads back as the same double.
SPLOT_API std::string to_csv(const LinePlot& plot);
SPLOT_API std::string to_csv(const BarPlot& plot);
SPLOT_API std::string to_csv(const HeatMap& plot);

/// Adds axes, ticks and curves alone to `svg`, to be one of several: the curves in a box from (0, 0) to
/// (width, height), the ticks to the left and below. Neither title nor legend, axis labels nor marks.
SPLOT_API void draw_panel(Svg& svg, const LinePlot& plot, double width, double height);

}  // namespace splot
