#include "splot/report/robustness_figure.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/ops/shape.h"
#include "splot/report/examine.h"
#include "splot/report/internal/scale.h"
#include "splot/report/markup.h"
#include "splot/report/plot.h"

namespace splot {
namespace {

using report_detail::axis_title;
using report_detail::text_width;

constexpr double kWidth = 972.0;
constexpr double kSide = 12.0;    // left and right of everything
constexpr double kPanel = 250.0;  // a plot
constexpr double kPanelHeight = 212.0;
constexpr double kPanelStep = 316.0;  // from one plot to the next
constexpr double kPanelLeft = 58.0;   // its ticks
constexpr double kCell = 28.0;        // of a table of shifts
constexpr double kPicture = 84.0;

void check(const std::vector<MeasuredNetwork>& networks) {
  require<ValueError>(!networks.empty() && networks.size() <= 8, "robustness", "there are ", networks.size(),
                      " networks to draw; 1 to 8 can be");
  const Robustness& first = networks[0].measured;
  for (const auto& [name, r] : networks) {
    require<ValueError>(r.shift == first.shift && r.step == first.step && r.scales == first.scales &&
                            r.degrees == first.degrees,
                        "robustness", name, " was measured with other motions than ", networks[0].name);
  }
}

// Of all networks: the plot's solid curves, and dashed ones where `worst` gives any.
template <typename Solid, typename Worst>
std::vector<Series> curves(const std::vector<MeasuredNetwork>& networks, const std::vector<double>& x,
                           Solid solid, Worst worst) {
  std::vector<Series> out;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    Series is{.name = networks[i].name, .x = x, .y = {}, .color = static_cast<int>(i)};
    Series low{.name = say(Message::robust_worst_of, networks[i].name),
               .x = x,
               .y = {},
               .color = static_cast<int>(i),
               .stroke = Stroke::dashed};
    for (std::size_t at = 0; at < x.size(); ++at) {
      is.y.push_back(solid(networks[i].measured, at));
      low.y.push_back(worst(networks[i].measured, at));
    }
    const bool dashed = std::all_of(low.y.begin(), low.y.end(), [](double y) { return std::isfinite(y); });
    out.push_back(std::move(is));
    if (dashed) out.push_back(std::move(low));
  }
  return out;
}

struct Panel {
  std::string title;
  LinePlot plot;
};

std::vector<Panel> panels(const std::vector<MeasuredNetwork>& networks) {
  const Robustness& first = networks[0].measured;
  const auto none = [](const Robustness&, std::size_t) { return std::nan(""); };
  std::vector<double> distances;
  for (Index steps = 0; steps <= first.shift; ++steps)
    distances.push_back(static_cast<double>(steps) * first.step);
  const Axis accuracy{.label = say(Message::robust_accuracy), .percent = true};
  std::vector<Panel> out;
  out.push_back(
      {say(Message::robust_shifted),
       {.title = {},
        .x = {.label = say(Message::robust_shift_axis), .whole = true},
        .y = accuracy,
        .series = curves(
            networks, distances,
            [](const Robustness& r, std::size_t at) { return r.worst(r.unscaled(), static_cast<Index>(at)); },
            none)}});
  out.push_back(
      {say(Message::robust_enlarged),
       {.title = {},
        .x = {.label = say(Message::robust_scale_axis)},
        .y = accuracy,
        .series = curves(
            networks, first.scales, [](const Robustness& r, std::size_t at) { return r.at(at, 0, 0); },
            [](const Robustness& r, std::size_t at) { return r.worst(at, r.shift); })}});
  out.push_back({say(Message::robust_turned),
                 {.title = {},
                  .x = {.label = say(Message::robust_degrees_axis)},
                  .y = accuracy,
                  .series = curves(
                      networks, first.degrees,
                      [](const Robustness& r, std::size_t at) { return r.turned[at]; }, none)}});
  // One measure for all three.
  double lowest = 1.0;
  for (const Panel& panel : out) {
    for (const Series& s : panel.plot.series) {
      for (const double y : s.y) lowest = std::min(lowest, y);
    }
  }
  for (Panel& panel : out) {
    panel.plot.y.low = std::floor(lowest * 10.0) / 10.0;
    panel.plot.y.high = 1.0;
  }
  return out;
}

void draw_panels(Svg& svg, const std::vector<Panel>& all, double top) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double left = kSide + static_cast<double>(i) * kPanelStep + kPanelLeft;
    svg.text(left, top - 10.0, all[i].title, "strong");
    svg.text(left + kPanel / 2.0, top + kPanelHeight + 36.0, axis_title(all[i].plot.x), "soft",
             Anchor::middle);
    svg.begin_group(left, top);
    draw_panel(svg, all[i].plot, kPanel, kPanelHeight);
    svg.end_group();
  }
  svg.turned_text(kSide + 8.0, top + kPanelHeight / 2.0, axis_title(all[0].plot.y), "soft");
}

void draw_names(Svg& svg, const std::vector<MeasuredNetwork>& networks, double y) {
  double x = kSide;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    svg.line(x, y - 4.0, x + 22.0, y - 4.0, join("line c", i));
    svg.text(x + 28.0, y, networks[i].name);
    x += 28.0 + text_width(networks[i].name) + 16.0;
  }
  svg.line(x, y - 4.0, x + 22.0, y - 4.0, "mark dash");
  svg.text(x + 28.0, y, say(Message::robust_dashed), "soft");
}

void draw_pictures(Svg& svg, const std::vector<MovedPicture>& pictures, double top) {
  const double step = (kWidth - 2.0 * kSide) / static_cast<double>(std::max<std::size_t>(1, pictures.size()));
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const double left = kSide + static_cast<double>(i) * step + (step - kPicture) / 2.0;
    svg.image(left, top, kPicture, kPicture, data_uri("image/png", encode_png(pictures[i].picture)),
              pictures[i].name);
    svg.text(left + kPicture / 2.0, top + kPicture + 16.0, pictures[i].name, "soft", Anchor::middle);
  }
}

// In a table with so many cells a number in per cent still has room.
double cell_side(Index shift) { return std::min(kCell, 9.0 * kCell / static_cast<double>(2 * shift + 1)); }

void draw_shifts(Svg& svg, const MeasuredNetwork& network, std::size_t color, double left, double top) {
  const Robustness& r = network.measured;
  const double side = cell_side(r.shift);
  const double whole = side * static_cast<double>(2 * r.shift + 1);
  svg.text(left, top - 10.0, say(Message::robust_table, network.name), "strong");
  for (Index down = -r.shift; down <= r.shift; ++down) {
    const double y = top + static_cast<double>(down + r.shift) * side;
    svg.text(left - 6.0, y + side / 2.0 + 4.0, exact_text(static_cast<double>(down) * r.step), "soft",
             Anchor::end);
    for (Index right = -r.shift; right <= r.shift; ++right) {
      const double x = left + static_cast<double>(right + r.shift) * side;
      const double accuracy = r.at(r.unscaled(), right, down);
      // Half right or less is as pale as it gets.
      const double opacity = 0.08 + 0.92 * std::pow(std::clamp(2.0 * accuracy - 1.0, 0.0, 1.0), 2.0);
      svg.rect(x + 0.5, y + 0.5, side - 1.0, side - 1.0, join("fill c", color), opacity,
               say(Message::robust_cell, static_cast<double>(right) * r.step,
                   static_cast<double>(down) * r.step, percent_text(accuracy)));
      if (side < 24.0) continue;
      svg.text(x + side / 2.0, y + side / 2.0 + 4.0, fmt::format("{:.0f}", 100.0 * accuracy),
               opacity > 0.6 ? "cell on" : "cell", Anchor::middle);
    }
  }
  for (Index right = -r.shift; right <= r.shift; ++right) {
    svg.text(left + (static_cast<double>(right + r.shift) + 0.5) * side, top + whole + 15.0,
             exact_text(static_cast<double>(right) * r.step), "soft", Anchor::middle);
  }
  svg.text(left + whole / 2.0, top + whole + 33.0, say(Message::robust_right_axis), "soft", Anchor::middle);
  svg.turned_text(left - 30.0, top + whole / 2.0, say(Message::robust_down_axis), "soft");
}

}  // namespace

std::vector<MovedPicture> moved_pictures(const Dataset& test, const Robustness& measured) {
  const double far = static_cast<double>(measured.shift) * measured.step;
  const auto [smallest, largest] = std::minmax_element(measured.scales.begin(), measured.scales.end());
  const auto most =
      measured.degrees.empty() ? 0.0 : *std::max_element(measured.degrees.begin(), measured.degrees.end());
  const std::pair<std::string, Motion> motions[] = {
      {say(Message::robust_as_it_is), {}},
      {say(Message::robust_by_right, far), {.right = far}},
      {say(Message::robust_by_up, far), {.down = -far}},
      {say(Message::robust_by_scale, *smallest), {.scale = *smallest}},
      {say(Message::robust_by_scale, *largest), {.scale = *largest}},
      {say(Message::robust_by_both, *smallest), {.right = -far, .down = far, .scale = *smallest}},
      {say(Message::robust_by_degrees, most), {.degrees = most}}};
  const Shape shape = test.sample_shape();
  std::vector<MovedPicture> out;
  for (const auto& [name, motion] : motions) {
    const Tensor moved = with_motion(test.slice(0, 1), motion, measured.fill).stored(0, 1).inputs;
    if (const std::optional<Image> picture = picture_of(reshape(moved, {shape[0], shape[1], shape[2]}))) {
      out.push_back({name, *picture});
    }
  }
  return out;
}

Svg draw_robustness(const std::vector<MeasuredNetwork>& networks, const std::vector<MovedPicture>& pictures) {
  check(networks);
  const Index shift = networks[0].measured.shift;
  const double table = cell_side(shift) * static_cast<double>(2 * shift + 1);
  constexpr double kPlotsTop = 86.0;
  const double pictures_top = kPlotsTop + kPanelHeight + 62.0;
  const double tables_top = pictures_top + (pictures.empty() ? 0.0 : kPicture + 32.0) + 34.0;
  const std::size_t rows = (networks.size() + 2) / 3;
  const double row = table + 78.0;
  const std::string title = say(Message::robust_title, count_text(networks[0].measured.examples));
  Svg svg(kWidth, tables_top + static_cast<double>(rows) * row - 26.0, title);
  svg.text(kSide, 22.0, title, "title");
  draw_names(svg, networks, 46.0);
  draw_panels(svg, panels(networks), kPlotsTop);
  draw_pictures(svg, pictures, pictures_top);
  for (std::size_t i = 0; i < networks.size(); ++i) {
    draw_shifts(svg, networks[i], i, kSide + static_cast<double>(i % 3) * kPanelStep + kPanelLeft,
                tables_top + static_cast<double>(i / 3) * row);
  }
  return svg;
}

std::string to_csv(const std::vector<MeasuredNetwork>& networks) {
  check(networks);
  const Robustness& first = networks[0].measured;
  std::string out = "scale,right,down,degrees";
  for (const MeasuredNetwork& network : networks) out += ',' + csv_field(network.name);
  out += '\n';
  const auto line = [&](double scale, double right, double down, double degrees, const auto& value) {
    out += join(exact_text(scale), ',', exact_text(right), ',', exact_text(down), ',', exact_text(degrees));
    for (const MeasuredNetwork& network : networks) out += ',' + exact_text(value(network.measured));
    out += '\n';
  };
  for (std::size_t scale = 0; scale < first.scales.size(); ++scale) {
    for (Index down = -first.shift; down <= first.shift; ++down) {
      for (Index right = -first.shift; right <= first.shift; ++right) {
        line(first.scales[scale], static_cast<double>(right) * first.step,
             static_cast<double>(down) * first.step, 0.0,
             [&](const Robustness& r) { return r.at(scale, right, down); });
      }
    }
  }
  for (std::size_t i = 0; i < first.degrees.size(); ++i) {
    line(1.0, 0.0, 0.0, first.degrees[i], [&](const Robustness& r) { return r.turned[i]; });
  }
  return out;
}

}  // namespace splot
