// Several runs on one page.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "splot/core/error.h"
#include "splot/report/internal/html.h"
#include "splot/report/markup.h"
#include "splot/report/report.h"

namespace splot {
namespace {

using namespace report_detail;

// The shortest ends of the folders' paths that differ: "a/mnist-1" and "b/mnist-1" keep the folder above.
std::vector<std::string> names_of(const std::vector<RunReport>& reports) {
  std::vector<std::string> out;
  for (const RunReport& report : reports) {
    out.push_back(std::filesystem::path(report.run.folder).lexically_normal().filename().string());
    if (out.back().empty()) {
      out.back() =
          std::filesystem::path(report.run.folder).lexically_normal().parent_path().filename().string();
    }
  }
  std::vector<std::string> sorted = out;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()) return out;
  for (std::size_t i = 0; i < reports.size(); ++i) out[i] = reports[i].run.folder;
  return out;
}

std::string watched_title(const std::string& prefix, const std::string& base) {
  return say(
      Message::report_result_of, metric_title(base),
      prefix == "test_" ? say(Message::report_test_watched) : part_title(prefix.empty() ? "train" : "val"));
}

std::vector<std::string> all_bases(const std::vector<RunReport>& reports) {
  std::vector<std::string> out;
  for (const RunReport& report : reports) {
    for (const std::string& base : base_names(report.run.history)) {
      if (std::find(out.begin(), out.end(), base) == out.end()) out.push_back(base);
    }
  }
  return out;
}

std::string differences(const std::vector<RunReport>& reports, const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  std::vector<std::map<std::string, std::string>> values(reports.size());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    for (const auto& [key, value] : reports[i].configuration) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
      values[i][key] = value;
    }
    keys.push_back("seed");
    values[i]["seed"] = reports[i].run.seed;
  }
  Table table{{say(Message::report_setting)}, {}};
  table.heads.insert(table.heads.end(), names.begin(), names.end());
  for (auto key = keys.begin(); key != keys.end(); ++key) {
    const bool differs =
        std::any_of(values.begin(), values.end(), [&](auto& v) { return v[*key] != values[0][*key]; });
    if (!differs || std::find(keys.begin(), key, *key) != key) continue;
    table.rows.push_back({"<code>" + escape_markup(*key) + "</code>"});
    for (auto& v : values) table.rows.back().push_back("<code>" + escape_markup(v[*key]) + "</code>");
  }
  if (table.rows.empty()) return element("p", say(Message::report_no_difference), "note");
  return "<div class=\"card\">" + table.str("full words") + "</div>\n";
}

std::string results(const std::vector<RunReport>& reports, const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, std::string>> columns;  // part and metric
  for (const RunReport& report : reports) {
    for (const RunPart& part : report.run.parts) {
      if (part.name == "before") continue;
      for (const Metric& m : part.metrics) {
        const std::pair<std::string, std::string> column(part.name, m.name);
        if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
      }
    }
  }
  Table table{{say(Message::report_run)}, {}};
  for (const auto& [part, name] : columns) {
    table.heads.push_back(say(Message::report_result_of, metric_title(name), part_title(part)));
  }
  for (const Message head : {Message::report_best_epoch, Message::report_epochs, Message::report_parameters,
                             Message::report_seconds}) {
    table.heads.push_back(say(head));
  }
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const RunRecord& run = reports[i].run;
    table.rows.push_back({escape_markup(names[i])});
    std::vector<std::string>& row = table.rows.back();
    for (const auto& [part_name, metric_name] : columns) {
      std::string cell = "-";
      for (const RunPart& part : run.parts) {
        if (part.name != part_name) continue;
        const double value = metric(part.metrics, metric_name);
        cell = data(value, metric_text(metric_name, value),
                    fmt::format("data-run=\"{}\" data-part=\"{}\" data-metric=\"{}\"", i,
                                escape_markup(part_name), escape_markup(metric_name)));
        if (part_name == "test" && watched_set(run.history) == "test") {
          cell += ' ' + element("span", say(Message::report_picked_short), "bad");
        }
      }
      row.push_back(cell);
    }
    Index parameters = 0;
    for (const LayerSummary& layer : reports[i].layers) parameters += layer.parameters;
    row.push_back(run.best_epoch > 0 ? std::to_string(run.best_epoch) : "-");
    row.push_back(std::to_string(run.history.size()));
    row.push_back(parameters > 0 ? count_text(parameters) : "-");
    row.push_back(run.seconds > 0.0 ? figure_text(run.seconds, 3) : "-");
  }
  return "<div class=\"card\">" + table.str("full") + "</div>\n";
}

}  // namespace

std::vector<ReportFigure> comparison_figures(const std::vector<RunReport>& reports) {
  require<ValueError>(reports.size() >= 2, "report", "comparing needs at least two runs, got ",
                      reports.size());
  const std::vector<std::string> names = names_of(reports);
  std::vector<ReportFigure> out;
  for (const std::string& base : all_bases(reports)) {
    for (const std::string prefix : {"val_", "test_", ""}) {
      LinePlot plot{.title = watched_title(prefix, base),
                    .x = {.label = say(Message::report_epoch), .whole = true},
                    .y = {.label = metric_title(base), .percent = is_share(base)},
                    .series = {}};
      for (std::size_t i = 0; i < reports.size(); ++i) {
        if (!has_metric(reports[i].run.history, prefix + base)) continue;
        plot.series.push_back(series_of(reports[i].run.history, prefix + base, names[i]));
        plot.series.back().color = static_cast<int>(i % 8);
        plot.series.back().stroke = i / 8 % 2 == 1 ? Stroke::dashed : Stroke::solid;
      }
      if (plot.series.empty()) continue;
      plot.y.log = !plot.y.percent && wants_log(plot.series);
      out.push_back(make_figure(prefix + base, plot, ""));
    }
  }
  return out;
}

std::string comparison_html(const std::vector<RunReport>& reports) {
  const std::vector<ReportFigure> all = comparison_figures(reports);
  const std::vector<std::string> names = names_of(reports);
  const std::string title = say(Message::report_comparison, reports.size());
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  const bool watched = std::any_of(reports.begin(), reports.end(),
                                   [](const RunReport& r) { return watched_set(r.run.history) == "test"; });
  const std::string note =
      watched ? "<div class=\"warning\">" + element("p", say(Message::report_watched_text)) + "</div>\n" : "";
  return page(title, "<header>\n" + element("p", "Splot", "over") + heading(title) +
                         element("p", list, "sub") + "</header>\n<main>\n" + note +
                         section("results", Message::report_results, results(reports, names)) +
                         section("differences", Message::report_differences, differences(reports, names)) +
                         section("curves", Message::report_curves, figures(all)) + "</main>\n<footer>" +
                         escape_markup(say(Message::report_footer)) + "</footer>\n");
}

}  // namespace splot
