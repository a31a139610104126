#include "splot/report/svg.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "splot/report/markup.h"

namespace splot {
namespace {

struct Color {
  std::string_view light;
  std::string_view dark;
};

// Told apart by people who confuse red and green too; at least 3 : 1 against their page.
constexpr std::array<Color, 8> kColors = {{{"#1f5fbf", "#7db0ff"},
                                           {"#d1500a", "#ffa05f"},
                                           {"#15795a", "#58d0a2"},
                                           {"#a8317a", "#f293cb"},
                                           {"#6a4cc2", "#b7a4ff"},
                                           {"#0b7d92", "#5fd0e4"},
                                           {"#8f6a00", "#e3c15c"},
                                           {"#59636e", "#aab5c2"}}};

std::string rules(bool dark) {
  const auto pick = [&](std::string_view light, std::string_view night) { return dark ? night : light; };
  std::string out;
  out += fmt::format(".plot text{{fill:{}}}", pick("#1c2530", "#e6ebf2"));
  out += fmt::format(".plot .soft{{fill:{}}}", pick("#56616e", "#a5b0be"));
  out += fmt::format(".plot .grid{{stroke:{}}}", pick("#e3e7ec", "#2c3644"));
  out += fmt::format(".plot .axis{{stroke:{}}}", pick("#8a95a3", "#6c7888"));
  out += fmt::format(".plot .mark{{stroke:{}}}", pick("#56616e", "#a5b0be"));
  out += fmt::format(".plot .back{{fill:{}}}", pick("#ffffff", "#141b24"));
  out += fmt::format(".plot .on{{fill:{}}}", pick("#ffffff", "#0c1118"));
  for (std::size_t i = 0; i < kColors.size(); ++i) {
    const std::string_view color = pick(kColors[i].light, kColors[i].dark);
    out +=
        fmt::format(".plot .line.c{0}{{stroke:{1}}}.plot .fill.c{0},.plot .dot.c{0}{{fill:{1}}}", i, color);
  }
  return out;
}

std::string_view name_of(Anchor anchor) {
  return anchor == Anchor::start ? "start" : anchor == Anchor::middle ? "middle" : "end";
}

}  // namespace

std::string coordinate(double value) {
  std::string out = fmt::format("{:.2f}", value);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

Svg::Svg(double width, double height, std::string_view label)
    : width_(width), height_(height), label_(label) {}

void Svg::open(std::string_view tag, std::string_view classes) {
  body_ += fmt::format("<{}", tag);
  if (!classes.empty()) body_ += fmt::format(" class=\"{}\"", classes);
}

void Svg::close(std::string_view tag, std::string_view tooltip) {
  if (tooltip.empty()) {
    body_ += "/>\n";
  } else {
    body_ += fmt::format("><title>{}</title></{}>\n", escape_markup(tooltip), tag);
  }
}

void Svg::number(std::string_view name, double value) {
  body_ += fmt::format(" {}=\"{}\"", name, coordinate(value));
}

void Svg::path(std::string_view d, std::string_view classes, std::string_view tooltip) {
  open("path", classes);
  body_ += fmt::format(" d=\"{}\"", d);
  close("path", tooltip);
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view classes) {
  path(fmt::format("M{} {}L{} {}", coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2)), classes);
}

void Svg::rect(double x, double y, double width, double height, std::string_view classes, double opacity,
               std::string_view tooltip) {
  open("rect", classes);
  number("x", x);
  number("y", y);
  number("width", width);
  number("height", height);
  if (opacity < 1.0) number("fill-opacity", opacity);
  close("rect", tooltip);
}

void Svg::circle(double x, double y, double radius, std::string_view classes, std::string_view tooltip) {
  open("circle", classes);
  number("cx", x);
  number("cy", y);
  number("r", radius);
  close("circle", tooltip);
}

void Svg::text(double x, double y, std::string_view text, std::string_view classes, Anchor anchor) {
  open("text", classes);
  number("x", x);
  number("y", y);
  if (anchor != Anchor::start) body_ += fmt::format(" text-anchor=\"{}\"", name_of(anchor));
  body_ += fmt::format(">{}</text>\n", escape_markup(text));
}

void Svg::turned_text(double x, double y, std::string_view text, std::string_view classes, Anchor anchor) {
  open("text", classes);
  body_ += fmt::format(" transform=\"translate({} {}) rotate(-90)\" text-anchor=\"{}\">{}</text>\n",
                       coordinate(x), coordinate(y), name_of(anchor), escape_markup(text));
}

void Svg::power_of_ten(double x, double y, int exponent, std::string_view classes, Anchor anchor) {
  open("text", classes);
  number("x", x);
  number("y", y);
  body_ += fmt::format(" text-anchor=\"{}\">10<tspan class=\"power\" dy=\"-4\">{}</tspan></text>\n",
                       name_of(anchor), exponent);
}

void Svg::image(double x, double y, double width, double height, std::string_view uri,
                std::string_view tooltip) {
  open("image", "pixels");
  number("x", x);
  number("y", y);
  number("width", width);
  number("height", height);
  body_ += fmt::format(" preserveAspectRatio=\"none\" href=\"{}\"", uri);
  close("image", tooltip);
}

void Svg::begin_group(double dx, double dy) {
  body_ += fmt::format("<g transform=\"translate({} {})\">\n", coordinate(dx), coordinate(dy));
}

void Svg::end_group() { body_ += "</g>\n"; }

std::string Svg::inline_text() const {
  return fmt::format("<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
                     coordinate(width_), coordinate(height_), escape_markup(label_), body_);
}

std::string Svg::file() const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\">\n<title>{2}</title>\n<style>\n{3}</style>\n"
      "<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n{4}</svg>\n",
      coordinate(width_), coordinate(height_), escape_markup(label_), style(), body_);
}

std::string Svg::style() {
  return ".plot{font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu "
         "Sans\",sans-serif}"
         ".plot .title{font-size:14px;font-weight:600}.plot .strong{font-weight:600}.plot "
         ".power{font-size:.72em}"
         ".plot .line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}"
         ".plot .thin{stroke-width:1.4}.plot .dash{stroke-dasharray:6 4}.plot .points{stroke-dasharray:0 5}"
         ".plot .grid,.plot .axis{fill:none;stroke-width:1}.plot "
         ".mark{fill:none;stroke-width:1.2;stroke-dasharray:3 3}"
         ".plot .hit{fill:transparent}.plot .cell{font-size:11px}.plot .empty{fill:none}.plot "
         ".pixels{image-rendering:pixelated}\n" +
         rules(false) + "\n@media(prefers-color-scheme:dark){" + rules(true) + "}\n";
}

}  // namespace splot
