// Bars, coloured tables and rows of pictures.
#include <algorithm>
#include <cmath>

#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/report/internal/scale.h"
#include "splot/report/markup.h"
#include "splot/report/plot.h"

namespace splot {
namespace {

using report_detail::axis_title;
using report_detail::AxisScale;
using report_detail::text_width;
using report_detail::Tick;
using report_detail::value_text;

void check(const BarPlot& plot) {
  require<ValueError>(plot.names.size() == plot.values.size(), "plot", plot.names.size(), " names for ",
                      plot.values.size(), " bars");
}

void check(const HeatMap& plot) {
  require<ValueError>(plot.values.size() == plot.rows.size() * plot.columns.size(), "plot", plot.rows.size(),
                      " x ", plot.columns.size(), " cells need as many values, got ", plot.values.size());
}

// A name that takes no more than `letters` letters of room; UTF-8 is cut between letters.
std::string shortened(const std::string& name, std::size_t letters) {
  std::size_t seen = 0;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if ((name[at] & 0xc0) == 0x80) continue;
    if (++seen > letters) return name.substr(0, at) + "\xe2\x80\xa6";  // an ellipsis
  }
  return name;
}

double widest(const std::vector<std::string>& names) {
  double out = 0.0;
  for (const std::string& name : names) out = std::max(out, text_width(name));
  return out;
}

std::vector<std::string> shortened(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(shortened(name, 12));
  return out;
}

// Names below the axis: level where there is room for the widest, else turned.
class BottomNames {
 public:
  BottomNames(const std::vector<std::string>& names, double each)
      : names_(shortened(names)), turned_(widest(names_) + 4.0 > each), shown_(each >= 11.0) {}

  double height() const { return !shown_ ? 6.0 : turned_ ? widest(names_) + 12.0 : 22.0; }
  void draw(Svg& svg, std::size_t i, double middle, double top) const {
    if (!shown_) return;
    if (turned_) {
      svg.turned_text(middle + 4.0, top + 8.0, names_[i], "soft", Anchor::end);
    } else {
      svg.text(middle, top + 17.0, names_[i], "soft", Anchor::middle);
    }
  }

 private:
  std::vector<std::string> names_;
  bool turned_;
  bool shown_;
};

}  // namespace

Svg draw(const BarPlot& plot, const PlotOptions& options) {
  check(plot);
  std::vector<double> values = plot.values;
  if (!plot.y.log && !plot.y.low) values.push_back(0.0);
  const AxisScale scale(plot.y, values, 5);
  double ticks_width = 0.0;
  for (const Tick& tick : scale.ticks()) ticks_width = std::max(ticks_width, text_width(tick.text));
  const double left = 26.0 + ticks_width;
  const double top = options.title ? 34.0 : 10.0;
  const double width = std::max(40.0, options.width - left - 14.0);
  const double each = width / static_cast<double>(std::max<std::size_t>(1, plot.names.size()));
  const BottomNames names(plot.names, each);
  const double height = std::max(60.0, options.height - top - names.height() - 22.0);

  Svg svg(options.width, top + height + names.height() + 22.0, plot.title);
  if (options.title) svg.text(8, 20, plot.title, "title");
  svg.turned_text(14, top + height / 2.0, axis_title(plot.y), "soft");
  svg.text(left + width / 2.0, top + height + names.height() + 14.0, plot.x.label, "soft", Anchor::middle);
  svg.begin_group(left, top);
  for (const Tick& tick : scale.ticks()) {
    const double y = (1.0 - scale.at(tick.value)) * height;
    svg.line(0, y, width, y, "grid");
    svg.text(-8, y + 4, tick.text, "soft", Anchor::end);
  }
  const double zero = std::clamp(1.0 - scale.at(std::max(0.0, scale.low())), 0.0, 1.0) * height;
  for (std::size_t i = 0; i < plot.values.size(); ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * each;
    names.draw(svg, i, middle, height);
    const double place = scale.at(plot.values[i]);
    if (std::isnan(place)) continue;
    const double y = (1.0 - std::clamp(place, 0.0, 1.0)) * height;
    svg.rect(middle - 0.35 * each, std::min(y, zero), 0.7 * each, std::abs(zero - y), "fill c0", 1.0,
             say(Message::plot_bar, plot.names[i], value_text(plot.y, plot.values[i])));
  }
  svg.line(0, zero, width, zero, "axis");
  if (plot.values.empty())
    svg.text(width / 2.0, height / 2.0, say(Message::plot_nothing), "soft", Anchor::middle);
  svg.end_group();
  return svg;
}

Svg draw(const HeatMap& plot, const PlotOptions& options) {
  check(plot);
  const std::vector<std::string> rows = shortened(plot.rows);
  const double left = 30.0 + widest(rows);
  const double top = options.title ? 34.0 : 8.0;
  const double n = static_cast<double>(std::max<std::size_t>(1, plot.columns.size()));
  const double cell = std::clamp((options.width - left - 10.0) / n, 2.0, 64.0);
  const double cell_height = std::min(cell, 36.0);
  const double width = cell * n;
  const double height = cell_height * static_cast<double>(plot.rows.size());
  const BottomNames names(plot.columns, cell);
  Svg svg(std::max(options.width, left + width + 10.0), top + height + names.height() + 24.0, plot.title);
  if (options.title) svg.text(8, 20, plot.title, "title");
  svg.turned_text(14, top + height / 2.0, plot.y_label, "soft");
  svg.text(left + width / 2.0, top + height + names.height() + 16.0, plot.x_label, "soft", Anchor::middle);
  svg.begin_group(left, top);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = static_cast<double>(i) * cell_height;
    double sum = 0.0;
    for (std::size_t j = 0; j < plot.columns.size(); ++j) sum += plot.values[i * plot.columns.size() + j];
    if (cell_height >= 11.0) svg.text(-8, y + cell_height / 2.0 + 4.0, rows[i], "soft", Anchor::end);
    for (std::size_t j = 0; j < plot.columns.size(); ++j) {
      const double value = plot.values[i * plot.columns.size() + j];
      const double x = static_cast<double>(j) * cell;
      const double share = sum > 0.0 ? value / sum : 0.0;
      const std::string tooltip = say(Message::plot_cell, plot.y_label, plot.rows[i], plot.x_label,
                                      plot.columns[j], exact_text(value), percent_text(share));
      // The root: that one in a hundred is confused should be seen.
      const double opacity = value > 0.0 ? 0.12 + 0.88 * std::sqrt(share) : 0.0;
      svg.rect(x + 0.5, y + 0.5, cell - 1.0, cell_height - 1.0,
               value > 0.0 ? (i == j ? "fill c0" : "fill c1") : "empty", opacity, tooltip);
      if (value > 0.0 && cell >= 20.0) {
        svg.text(x + cell / 2.0, y + cell_height / 2.0 + 4.0, exact_text(value),
                 opacity > 0.6 ? "cell on" : "cell", Anchor::middle);
      }
    }
  }
  for (std::size_t j = 0; j < plot.columns.size(); ++j) {
    names.draw(svg, j, (static_cast<double>(j) + 0.5) * cell, height);
  }
  svg.end_group();
  return svg;
}

Svg draw(const ImageGrid& grid, const PlotOptions& options) {
  require<ValueError>(grid.names.size() == grid.images.size() && grid.columns > 0, "plot", grid.names.size(),
                      " names for ", grid.images.size(), " pictures in ", grid.columns, " columns");
  const auto columns = static_cast<std::size_t>(grid.columns);
  const std::size_t count = grid.images.size();
  const double top = options.title ? 34.0 : 8.0;
  const double each = (options.width - 16.0) / static_cast<double>(columns);
  double tallest = 1.0;
  for (const Image& image : grid.images) {
    tallest = std::max(tallest, static_cast<double>(image.height) / static_cast<double>(image.width));
  }
  const double side = each - 8.0;
  const double row = side * tallest + 20.0;
  const std::size_t rows = (count + columns - 1) / columns;
  Svg svg(options.width, top + row * static_cast<double>(std::max<std::size_t>(1, rows)) + 4.0, grid.title);
  if (options.title) svg.text(8, 20, grid.title, "title");
  if (count == 0) svg.text(8, top + 14, say(Message::plot_nothing), "soft");
  for (std::size_t i = 0; i < count; ++i) {
    const double x = 8.0 + static_cast<double>(i % columns) * each + 4.0;
    const double y = top + static_cast<double>(i / columns) * row;
    const Image& image = grid.images[i];
    svg.image(x, y, side, side * static_cast<double>(image.height) / static_cast<double>(image.width),
              data_uri("image/png", encode_png(image)), grid.names[i]);
    svg.text(x + side / 2.0, y + side * tallest + 14.0, shortened(grid.names[i], 14), "soft", Anchor::middle);
  }
  return svg;
}

std::string to_csv(const BarPlot& plot) {
  check(plot);
  std::string out = csv_field(plot.x.label) + ',' + csv_field(plot.y.label) + '\n';
  for (std::size_t i = 0; i < plot.names.size(); ++i) {
    out += csv_field(plot.names[i]) + ',' + exact_text(plot.values[i]) + '\n';
  }
  return out;
}

std::string to_csv(const HeatMap& plot) {
  check(plot);
  std::string out = csv_field(join(plot.y_label, " \\ ", plot.x_label));
  for (const std::string& name : plot.columns) out += ',' + csv_field(name);
  out += '\n';
  for (std::size_t i = 0; i < plot.rows.size(); ++i) {
    out += csv_field(plot.rows[i]);
    for (std::size_t j = 0; j < plot.columns.size(); ++j) {
      out += ',' + exact_text(plot.values[i * plot.columns.size() + j]);
    }
    out += '\n';
  }
  return out;
}

}  // namespace splot
