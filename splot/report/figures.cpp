// Which plots a run gets, and what is marked in them.
#include <algorithm>
#include <cmath>

#include "splot/report/internal/html.h"
#include "splot/report/markup.h"
#include "splot/report/report.h"

namespace splot {
namespace {

using namespace report_detail;

constexpr std::size_t kMostParameters = 8;  // as many as there are colours

Axis epochs() { return {.label = say(Message::report_epoch), .whole = true}; }

std::vector<Mark> marks_of(const RunRecord& run, bool loss) {
  std::vector<Mark> out;
  if (run.best_epoch > 0) {
    out.push_back({static_cast<double>(run.best_epoch), say(Message::report_mark_best, run.best_epoch)});
  }
  if (const Index onset = overfitting_after(run.history); loss && onset > 0) {
    out.push_back({static_cast<double>(onset), say(Message::report_mark_overfit, onset)});
  }
  return out;
}

std::string loss_note(const RunRecord& run) {
  if (watched_set(run.history).empty()) return say(Message::report_no_validation);
  const Index onset = overfitting_after(run.history);
  return onset > 0 ? say(Message::report_overfits, onset, part_title(watched_set(run.history)))
                   : say(Message::report_no_overfit);
}

// One metric of the training part and the watched one over the epochs.
ReportFigure metric_figure(const RunRecord& run, const std::string& base) {
  const std::string watched = watched_set(run.history);
  LinePlot plot{.title = metric_title(base),
                .x = epochs(),
                .y = {.label = metric_title(base), .percent = is_share(base)},
                .series = {},
                .marks = marks_of(run, base == "loss")};
  if (has_metric(run.history, base)) {
    plot.series.push_back(series_of(run.history, base, part_title("train")));
    plot.series.back().color = 0;
    plot.series.back().stroke = watched.empty() ? Stroke::solid : Stroke::dashed;
  }
  for (const std::string prefix : {"val", "test"}) {
    if (!has_metric(run.history, prefix + '_' + base)) continue;
    plot.series.push_back(
        series_of(run.history, prefix + '_' + base,
                  prefix == "test" ? say(Message::report_test_watched) : part_title(prefix)));
    plot.series.back().color = 1;
  }
  plot.y.log = !plot.y.percent && wants_log(plot.series);
  return make_figure(base, plot, base == "loss" ? loss_note(run) : "");
}

std::vector<std::string> shown_parameters(const std::vector<EpochRecord>& history) {
  std::vector<std::string> names;
  for (const EpochRecord& epoch : history) {
    for (const ParameterNorms& n : epoch.norms) {
      if (std::find(names.begin(), names.end(), n.name) == names.end()) names.push_back(n.name);
    }
  }
  if (names.size() <= kMostParameters) return names;
  // Weights tell more than biases; of many the first and the last layers tell most.
  std::vector<std::string> weights;
  std::copy_if(names.begin(), names.end(), std::back_inserter(weights), [](const std::string& name) {
    return name.size() > 6 && name.substr(name.size() - 6) == "weight";
  });
  if (weights.empty()) weights = names;
  if (weights.size() > kMostParameters) {
    weights.erase(weights.begin() + kMostParameters / 2, weights.end() - kMostParameters / 2);
  }
  return weights;
}

ReportFigure norm_figure(const RunRecord& run, const std::vector<std::string>& names, Message title,
                         double ParameterNorms::*part, const char* id, Message note) {
  LinePlot plot{.title = say(title), .x = epochs(), .y = {.label = say(Message::report_norm)}, .series = {}};
  for (const std::string& name : names) {
    Series s{.name = name, .x = {}, .y = {}};
    for (const EpochRecord& epoch : run.history) {
      for (const ParameterNorms& n : epoch.norms) {
        if (n.name != name) continue;
        s.x.push_back(static_cast<double>(epoch.epoch));
        s.y.push_back(n.*part);
      }
    }
    plot.series.push_back(std::move(s));
  }
  plot.y.log = wants_log(plot.series) || part != &ParameterNorms::weight;
  return make_figure(id, plot, say(note));
}

ReportFigure confusion_figure(const Examination& seen) {
  const ConfusionMatrix& matrix = *seen.matrix;
  HeatMap map{.title = say(Message::report_confusion),
              .x_label = say(Message::report_predicted),
              .y_label = say(Message::report_true),
              .columns = seen.classes,
              .rows = seen.classes,
              .values = {}};
  for (Index target = 0; target < matrix.classes(); ++target) {
    for (Index predicted = 0; predicted < matrix.classes(); ++predicted) {
      map.values.push_back(static_cast<double>(matrix.count(target, predicted)));
    }
  }
  return {.id = "confusion",
          .title = map.title,
          .note = say(Message::report_confusion_note, part_title(seen.part), count_text(seen.examples)),
          .svg = draw(map, {.title = false}).inline_text(),
          .file = draw(map).file(),
          .csv = to_csv(map)};
}

ReportFigure f1_figure(const Examination& seen) {
  BarPlot bars{.title = say(Message::report_f1_title),
               .x = {.label = say(Message::report_class)},
               .y = {.label = "F1", .percent = true, .high = 1.0},
               .names = seen.classes,
               .values = {}};
  for (const ClassScores& scores : seen.matrix->scores()) bars.values.push_back(scores.f1);
  const double lowest = bars.values.empty() ? 0.0 : *std::min_element(bars.values.begin(), bars.values.end());
  // Where all classes are told well, bars from zero would all look the same.
  if (lowest > 0.85) bars.y.low = std::floor(lowest * 20.0) / 20.0;
  return {.id = "f1",
          .title = bars.title,
          .note = bars.y.low ? say(Message::report_f1_cut, percent_text(*bars.y.low)) : "",
          .svg = draw(bars, {.title = false}).inline_text(),
          .file = draw(bars).file(),
          .csv = to_csv(bars)};
}

// The share of each class that was told rightly.
ReportFigure class_accuracy_figure(const Examination& seen) {
  BarPlot bars{.title = say(Message::report_class_accuracy),
               .x = {.label = say(Message::report_class)},
               .y = {.label = say(Message::report_class_accuracy_axis), .percent = true, .high = 1.0},
               .names = seen.classes,
               .values = {}};
  for (const ClassScores& scores : seen.matrix->scores()) bars.values.push_back(scores.recall);
  return {.id = "class-accuracy",
          .title = bars.title,
          .note = say(Message::report_class_accuracy_note),
          .svg = draw(bars, {.title = false}).inline_text(),
          .file = draw(bars).file(),
          .csv = to_csv(bars)};
}

// Regression: what was answered over what should have been.
ReportFigure answers_figure(const Examination& seen) {
  LinePlot plot{.title = say(Message::report_answers),
                .x = {.label = say(Message::report_target)},
                .y = {.label = say(Message::report_output)},
                .series = {}};
  const std::size_t columns = seen.rows.empty() ? 0 : std::min<std::size_t>(8, seen.rows[0].target.size());
  double low = 0.0;
  double high = 1.0;
  for (std::size_t j = 0; j < columns; ++j) {
    Series s{.name = say(Message::report_output_number, j + 1),
             .x = {},
             .y = {},
             .color = static_cast<int>(j % 8),
             .stroke = Stroke::dots};
    for (const SeenNumbers& row : seen.rows) {
      s.x.push_back(row.target[j]);
      s.y.push_back(row.output[j]);
      low = std::min(low, row.target[j]);
      high = std::max(high, row.target[j]);
    }
    plot.series.push_back(std::move(s));
  }
  // First, so that the dots lie on it.
  plot.series.insert(plot.series.begin(), {.name = say(Message::report_exact),
                                           .x = {low, high},
                                           .y = {low, high},
                                           .color = 7,
                                           .stroke = Stroke::dashed});
  return make_figure("answers", plot, "");
}

bool changes(const Series& series) {
  return std::any_of(series.y.begin(), series.y.end(), [&](double y) { return y != series.y.front(); });
}

}  // namespace

std::vector<ReportFigure> report_figures(const RunReport& report) {
  const RunRecord& run = report.run;
  std::vector<ReportFigure> out;
  for (const std::string& base : base_names(run.history)) out.push_back(metric_figure(run, base));
  Series lr{.name = say(Message::report_lr), .x = {}, .y = {}, .color = 2};
  for (const EpochRecord& epoch : run.history) {
    lr.x.push_back(static_cast<double>(epoch.epoch));
    lr.y.push_back(epoch.lr);
  }
  if (changes(lr)) {
    LinePlot plot{.title = say(Message::report_lr),
                  .x = epochs(),
                  .y = {.label = say(Message::report_lr)},
                  .series = {lr}};
    out.push_back(make_figure("learning-rate", plot, ""));
  }
  if (const std::vector<std::string> names = shown_parameters(run.history); !names.empty()) {
    out.push_back(norm_figure(run, names, Message::report_norm_gradient, &ParameterNorms::gradient,
                              "norm-gradient", Message::report_norm_gradient_note));
    out.push_back(norm_figure(run, names, Message::report_norm_weight, &ParameterNorms::weight, "norm-weight",
                              Message::report_norm_weight_note));
    out.push_back(norm_figure(run, names, Message::report_norm_update, &ParameterNorms::update, "norm-update",
                              Message::report_norm_update_note));
  }
  if (report.seen && report.seen->matrix) {
    out.push_back(confusion_figure(*report.seen));
    out.push_back(class_accuracy_figure(*report.seen));
    out.push_back(f1_figure(*report.seen));
  }
  if (report.seen && !report.seen->matrix && !report.seen->rows.empty())
    out.push_back(answers_figure(*report.seen));
  return out;
}

}  // namespace splot
