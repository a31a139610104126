#include "splot/report/internal/html.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "splot/report/markup.h"

namespace splot::report_detail {

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      // An icon of nothing: browsers would ask the server, or the disk, for one.
      "<link rel=\"icon\" "
      "href=\"data:,\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      say(Message::report_language), escape_markup(title), page_style(), body);
}

std::string element(std::string_view tag, std::string_view text, std::string_view classes) {
  return classes.empty() ? fmt::format("<{0}>{1}</{0}>", tag, escape_markup(text))
                         : fmt::format("<{0} class=\"{2}\">{1}</{0}>", tag, escape_markup(text), classes);
}

std::string heading(std::string_view title) {
  constexpr std::size_t kLongest = 20;  // a longer one may not fit on a phone
  std::string out;
  while (!title.empty()) {
    const std::size_t end = std::min(title.find(' '), title.size());
    const std::string_view word = title.substr(0, end);
    const bool keep = word.size() <= kLongest && word.find('-') != word.npos;
    out += keep ? element("span", word, "keep") : escape_markup(word);
    if (end < title.size()) out += ' ';
    title.remove_prefix(std::min(end + 1, title.size()));
  }
  return "<h1>" + out + "</h1>";
}

std::string data(double value, std::string_view text, std::string_view attributes) {
  return fmt::format("<data value=\"{}\"{}{}>{}</data>", exact_text(value), attributes.empty() ? "" : " ",
                     attributes, escape_markup(text));
}

std::string data(double value, std::string_view text, std::string_view part, std::string_view metric) {
  return data(value, text,
              fmt::format("data-part=\"{}\" data-metric=\"{}\"", escape_markup(part), escape_markup(metric)));
}

std::string epoch_data(double value, std::string_view text, Index epoch, std::string_view metric) {
  return data(value, text, fmt::format("data-epoch=\"{}\" data-metric=\"{}\"", epoch, escape_markup(metric)));
}

std::string section(std::string_view id, Message title, std::string_view body) {
  if (body.empty()) return "";
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, escape_markup(say(title)), body);
}

std::string csv_link(std::string_view id, const std::string& csv, std::string_view text) {
  constexpr std::ptrdiff_t kMostLines = 2000;
  const std::ptrdiff_t lines = std::count(csv.begin(), csv.end(), '\n');
  const std::ptrdiff_t every = (lines + kMostLines - 1) / kMostLines;
  std::string kept;
  if (every > 1) {
    std::ptrdiff_t line = 0;
    for (std::size_t at = 0; at < csv.size(); ++line) {
      const std::size_t end = csv.find('\n', at) + 1;
      // The names, every k-th line, and the last.
      if (line == 0 || (line - 1) % every == 0 || end == csv.size()) kept += csv.substr(at, end - at);
      at = end;
    }
  }
  return fmt::format(
      "<a download=\"{}.csv\" href=\"{}\" title=\"{}\">{}</a>", escape_markup(id),
      data_uri("text/csv", every > 1 ? kept : csv),
      escape_markup(every > 1 ? say(Message::report_csv_thinned, every) : say(Message::report_csv)),
      escape_markup(text));
}

std::string figure(const ReportFigure& figure) {
  return fmt::format(
      "<figure class=\"card\" id=\"figure-{}\">\n<figcaption><h3>{}</h3>{}</figcaption>\n{}{}</figure>\n",
      escape_markup(figure.id), escape_markup(figure.title), csv_link(figure.id, figure.csv, "CSV"),
      figure.svg, figure.note.empty() ? "" : element("p", figure.note, "note"));
}

std::string figures(const std::vector<ReportFigure>& all) {
  if (all.empty()) return "";
  std::string out = "<div class=\"figures\">\n";
  for (const ReportFigure& one : all) out += figure(one);
  return out + "</div>\n";
}

std::string image(const Image& picture, std::string_view description) {
  return fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\">",
                     data_uri("image/png", encode_png(picture)), picture.width, picture.height,
                     escape_markup(description));
}

std::string Table::str(std::string_view classes) const {
  std::string out = fmt::format("<div class=\"scroll\"><table class=\"{}\">\n<thead><tr>", classes);
  for (const std::string& head : heads) out += fmt::format("<th scope=\"col\">{}</th>", escape_markup(head));
  out += "</tr></thead>\n<tbody>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::vector<std::string>& row = rows[r];
    out += r == marked ? "<tr class=\"best\">" : "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", row[i]) : fmt::format("<td>{}</td>", row[i]);
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

bool is_share(std::string_view name) {
  const std::string base = base_name(name);
  return base.find("accuracy") != std::string::npos || base.rfind("top", 0) == 0;
}

std::string base_name(std::string_view metric) {
  for (const std::string_view prefix : {"val_", "test_"}) {
    if (metric.substr(0, prefix.size()) == prefix) return std::string(metric.substr(prefix.size()));
  }
  return std::string(metric);
}

std::string metric_title(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', ' ');
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

std::string metric_text(std::string_view name, double value) {
  return is_share(name) ? percent_text(value) : figure_text(value);
}

std::string part_title(std::string_view part) {
  if (part == "before") return say(Message::report_part_before);
  if (part == "train") return say(Message::report_part_train);
  if (part == "validation" || part == "val") return say(Message::report_part_validation);
  if (part == "test") return say(Message::report_part_test);
  return std::string(part);
}

std::vector<std::string> base_names(const std::vector<EpochRecord>& history) {
  std::vector<std::string> out;
  for (const EpochRecord& epoch : history) {
    for (const Metric& m : epoch.metrics) {
      const std::string base = base_name(m.name);
      if (std::find(out.begin(), out.end(), base) == out.end()) out.push_back(base);
    }
  }
  return out;
}

Series series_of(const std::vector<EpochRecord>& history, const std::string& metric_name, std::string name) {
  Series out{.name = std::move(name), .x = {}, .y = {}};
  for (const EpochRecord& epoch : history) {
    out.x.push_back(static_cast<double>(epoch.epoch));
    out.y.push_back(metric(epoch.metrics, metric_name));
  }
  return out;
}

bool has_metric(const std::vector<EpochRecord>& history, std::string_view name) {
  return std::any_of(history.begin(), history.end(), [&](const EpochRecord& epoch) {
    return std::any_of(epoch.metrics.begin(), epoch.metrics.end(),
                       [&](const Metric& m) { return m.name == name; });
  });
}

bool wants_log(const std::vector<Series>& series) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  for (const Series& s : series) {
    for (const double y : s.y) {
      if (!std::isfinite(y)) continue;
      if (y <= 0.0) return false;
      low = std::min(low, y);
      high = std::max(high, y);
    }
  }
  return high > 30.0 * low;
}

ReportFigure make_figure(std::string id, const LinePlot& plot, std::string note) {
  return {.id = std::move(id),
          .title = plot.title,
          .note = std::move(note),
          .svg = draw(plot, {.title = false}).inline_text(),
          .file = draw(plot).file(),
          .csv = to_csv(plot)};
}

}  // namespace splot::report_detail
