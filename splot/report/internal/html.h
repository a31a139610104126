// The parts pages are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "splot/core/messages.h"
#include "splot/report/report.h"

namespace splot::report_detail {

std::string page_style();
// A whole document; `body` is markup.
std::string page(std::string_view title, std::string_view body);

// All of these take text, not markup, unless they say so.
std::string element(std::string_view tag, std::string_view text, std::string_view classes = {});
// The page's title. Words with hyphens, "784-30-10", are not broken at them as long as they are short.
std::string heading(std::string_view title);
// The number behind the text, for whoever reads the page with a program. `attributes` as in HTML.
std::string data(double value, std::string_view text, std::string_view attributes = {});
std::string data(double value, std::string_view text, std::string_view part, std::string_view metric);
std::string epoch_data(double value, std::string_view text, Index epoch, std::string_view metric);
// `body` is markup.
std::string section(std::string_view id, Message title, std::string_view body);
// A link that saves the CSV. Of very long ones every k-th line is kept, so that the page stays small, and the
// link says so.
std::string csv_link(std::string_view id, const std::string& csv, std::string_view text);
std::string figure(const ReportFigure& figure);
std::string figures(const std::vector<ReportFigure>& all);
std::string image(const Image& picture, std::string_view description);

// A table: heads are text, cells are markup; the first column is its rows' names.
struct Table {
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;
  std::size_t marked = static_cast<std::size_t>(-1);  // the row that stands out
  std::string str(std::string_view classes = {}) const;
};

// What a metric is called for people, and its value.
std::string metric_title(std::string_view name);
std::string metric_text(std::string_view name, double value);
bool is_share(std::string_view name);
// "train", "validation" ... as the page calls them.
std::string part_title(std::string_view part);
// "val_loss" -> "loss"; what has no prefix stays.
std::string base_name(std::string_view metric);
// The names of metrics in the order they first appear, without prefixes.
std::vector<std::string> base_names(const std::vector<EpochRecord>& history);
// The metric over the epochs; NaN where an epoch lacks it.
Series series_of(const std::vector<EpochRecord>& history, const std::string& metric, std::string name);
bool has_metric(const std::vector<EpochRecord>& history, std::string_view metric);
// A log axis where positive values span more than a factor of 30.
bool wants_log(const std::vector<Series>& series);
ReportFigure make_figure(std::string id, const LinePlot& plot, std::string note);

}  // namespace splot::report_detail
