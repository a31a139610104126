// The page of one run.
#include "splot/report/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "splot/core/version.h"
#include "splot/report/internal/html.h"
#include "splot/report/internal/picture_sections.h"
#include "splot/report/markup.h"

namespace splot {
namespace {

using namespace report_detail;

constexpr std::size_t kMostEpochs = 200;  // rows of the table; the CSV has all

std::string name_of(const RunRecord& run) {
  std::filesystem::path path(run.folder);
  if (path.filename().empty()) path = path.parent_path();
  return path.filename().string();
}

const RunPart* part_of(const RunRecord& run, std::string_view name) {
  for (const RunPart& part : run.parts) {
    if (part.name == name && !part.metrics.empty()) return &part;
  }
  return nullptr;
}

std::string tile(std::string_view label, const std::string& value, std::string_view more, bool main = false) {
  return fmt::format("<div class=\"card tile{}\">{}<p class=\"value\">{}</p>{}</div>\n", main ? " main" : "",
                     element("p", label, "label"), value, more.empty() ? "" : element("p", more, "more"));
}

std::string bytes_text(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string seconds_text(double seconds) {
  if (seconds < 90.0) return figure_text(seconds, 3) + " s";
  const auto whole = static_cast<long long>(std::llround(seconds));
  return whole < 5400 ? fmt::format("{} min {} s", whole / 60, whole % 60)
                      : fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string main_tile(const RunReport& report) {
  const std::string watched = watched_set(report.run.history);
  for (const char* name : {"test", "validation", "train"}) {
    const RunPart* part = part_of(report.run, name);
    if (part == nullptr) continue;
    const auto main = std::find_if(part->metrics.begin(), part->metrics.end(),
                                   [](const Metric& m) { return m.name == "accuracy"; });
    const Metric& m = main == part->metrics.end() ? part->metrics.front() : *main;
    std::string more;
    if (m.name == "accuracy" && report.seen && report.seen->matrix && report.seen->part == name) {
      const Interval interval = report.seen->matrix->accuracy_interval();
      more = say(Message::report_interval, percent_text(interval.low), percent_text(interval.high));
    }
    if (watched == "test" && std::string_view(name) == "test") more = say(Message::report_picked);
    return tile(say(Message::report_result_of, metric_title(m.name), part_title(name)),
                data(m.value, metric_text(m.name, m.value), name, m.name), more, true);
  }
  return "";
}

std::string tiles(const RunReport& report) {
  const RunRecord& run = report.run;
  std::string out = main_tile(report);
  const std::size_t epochs = run.history.size();
  if (run.best_epoch > 0) {
    const bool test = watched_set(run.history) == "test";
    out +=
        tile(say(Message::report_best_epoch), escape_markup(say(Message::report_of, run.best_epoch, epochs)),
             say(test ? Message::report_best_by_test : Message::report_best_by_validation));
  } else {
    out += tile(say(Message::report_epochs), count_text(static_cast<long long>(epochs)),
                run.steps > 0 ? say(Message::report_steps, count_text(run.steps)) : "");
  }
  if (!report.layers.empty()) {
    Index parameters = 0;
    for (const LayerSummary& layer : report.layers) parameters += layer.parameters;
    out += tile(say(Message::report_parameters), count_text(parameters),
                say(Message::report_layers, report.layers.size()));
  }
  if (run.seconds > 0.0) {
    out += tile(say(Message::report_time), escape_markup(seconds_text(run.seconds)),
                run.threads > 0 ? say(Message::report_on_threads, run.threads) : "");
  }
  return "<div class=\"tiles\">\n" + out + "</div>\n";
}

std::string warning(std::string_view head, std::string_view text) {
  return fmt::format("<div class=\"warning\"><p><strong>{}</strong></p>{}</div>\n", escape_markup(head),
                     element("p", text));
}

std::string warnings(const RunReport& report) {
  std::string out;
  if (!report.run.diverged.empty()) out += warning(say(Message::report_diverged), report.run.diverged);
  if (report.run.stopped || !report.run.stop_reason.empty()) {
    out +=
        warning(say(Message::report_stopped, report.run.history.size()),
                report.run.stop_reason.empty() ? say(Message::report_interrupted) : report.run.stop_reason);
  }
  if (watched_set(report.run.history) == "test") {
    out += warning(say(Message::report_watched_head), say(Message::report_watched_text));
  }
  for (const TrainingWarning& w : report.run.warnings) {
    if (w.code == "test-watched") continue;  // said above
    const std::string where = w.where.empty() ? "" : ", " + w.where;
    out += warning(w.epoch > 0 ? say(Message::report_warning_epoch, w.code + where, w.epoch) : w.code + where,
                   w.text);
  }
  if (!report.note.empty()) out += warning(say(Message::report_left_out), report.note);
  return out;
}

bool is_curve(const ReportFigure& figure, const RunRecord& run) {
  const std::vector<std::string> names = base_names(run.history);
  return figure.id == "learning-rate" || std::find(names.begin(), names.end(), figure.id) != names.end();
}

std::string results_table(const RunReport& report) {
  if (report.run.parts.empty()) return "";
  Table table{{say(Message::report_part)}, {}};
  std::vector<std::string> names;
  for (const RunPart& part : report.run.parts) {
    for (const Metric& m : part.metrics) {
      if (std::find(names.begin(), names.end(), m.name) == names.end()) names.push_back(m.name);
    }
  }
  for (const std::string& name : names) table.heads.push_back(metric_title(name));
  const bool watched_test = watched_set(report.run.history) == "test";
  for (const RunPart& part : report.run.parts) {
    std::string title = part_title(part.name);
    if (part.name == "test" && watched_test) title = say(Message::report_test_watched);
    table.rows.push_back({escape_markup(title)});
    for (const std::string& name : names) {
      const double value = metric(part.metrics, name);
      table.rows.back().push_back(data(value, metric_text(name, value), part.name, name));
    }
  }
  return "<div class=\"card wide\">" + table.str("full") +
         element("p", say(Message::report_parts_note), "note") + "</div>\n";
}

std::string epochs_table(const RunRecord& run) {
  if (run.history.empty()) return "";
  std::vector<std::string> names;
  for (const EpochRecord& epoch : run.history) {
    for (const Metric& m : epoch.metrics) {
      if (std::find(names.begin(), names.end(), m.name) == names.end()) names.push_back(m.name);
    }
  }
  std::string csv = "epoch";
  Table table{{say(Message::report_epoch)}, {}};
  for (const std::string& name : names) {
    table.heads.push_back(name);
    csv += ',' + csv_field(name);
  }
  table.heads.push_back(say(Message::report_lr));
  table.heads.push_back(say(Message::report_seconds));
  csv += ",lr,seconds\n";
  const std::size_t every = (run.history.size() + kMostEpochs - 1) / kMostEpochs;
  std::string body;
  for (std::size_t i = 0; i < run.history.size(); ++i) {
    const EpochRecord& epoch = run.history[i];
    csv += std::to_string(epoch.epoch);
    std::vector<std::string> row{std::to_string(epoch.epoch)};
    for (const std::string& name : names) {
      const double value = metric(epoch.metrics, name);
      csv += ',' + exact_text(value);
      row.push_back(epoch_data(value, metric_text(name, value), epoch.epoch, name));
    }
    csv += ',' + exact_text(epoch.lr) + ',' + exact_text(epoch.seconds) + '\n';
    row.push_back(epoch_data(epoch.lr, figure_text(epoch.lr), epoch.epoch, "lr"));
    row.push_back(epoch_data(epoch.seconds, figure_text(epoch.seconds, 3), epoch.epoch, "seconds"));
    if (i % every == 0 || i + 1 == run.history.size() || epoch.epoch == run.best_epoch)
      table.rows.push_back(row);
  }
  std::string text = every > 1 ? element("p", say(Message::report_every, every), "note") : "";
  return fmt::format("<details class=\"card\"><summary>{}</summary>{}{}<p>{}</p></details>\n",
                     escape_markup(say(Message::report_all_epochs)), text, table.str("full"),
                     csv_link("epochs", csv, say(Message::report_all_csv)));
}

std::string curves(const RunReport& report, const std::vector<ReportFigure>& all) {
  std::vector<ReportFigure> shown;
  std::copy_if(all.begin(), all.end(), std::back_inserter(shown),
               [&](const ReportFigure& f) { return is_curve(f, report.run); });
  return section("curves", Message::report_curves, figures(shown) + epochs_table(report.run));
}

std::string norms(const std::vector<ReportFigure>& all) {
  std::vector<ReportFigure> shown;
  std::copy_if(all.begin(), all.end(), std::back_inserter(shown),
               [](const ReportFigure& f) { return f.id.rfind("norm-", 0) == 0; });
  return section("norms", Message::report_norms, figures(shown));
}

std::string scores_table(const Examination& seen) {
  Table table{{say(Message::report_class), say(Message::report_precision), say(Message::report_recall), "F1",
               say(Message::report_examples)},
              {}};
  const auto add = [&](const std::string& name, const ClassScores& s) {
    table.rows.push_back({escape_markup(name), data(s.precision, percent_text(s.precision)),
                          data(s.recall, percent_text(s.recall)), data(s.f1, percent_text(s.f1)),
                          count_text(s.support)});
  };
  const std::vector<ClassScores> scores = seen.matrix->scores();
  for (std::size_t i = 0; i < scores.size(); ++i) add(seen.classes[i], scores[i]);
  add(say(Message::report_macro), seen.matrix->macro_average());
  return "<div class=\"card\"><figcaption><h3>" + escape_markup(say(Message::report_scores)) +
         "</h3></figcaption>" + table.str("full") + "</div>\n";
}

std::string numbers_text(const std::vector<double>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < numbers.size() && i < 8; ++i)
    out += (i > 0 ? ", " : "") + figure_text(numbers[i]);
  return numbers.size() > 8 ? out + ", ..." : out;
}

std::string rows_table(const Examination& seen) {
  Table table{{say(Message::report_input), say(Message::report_target), say(Message::report_output)}, {}};
  constexpr std::size_t kMostRows = 20;
  for (std::size_t i = 0; i < seen.rows.size() && i < kMostRows; ++i) {
    const SeenNumbers& row = seen.rows[i];
    table.rows.push_back({numbers_text(row.input), numbers_text(row.target), numbers_text(row.output)});
  }
  std::string facts;
  if (seen.scores) {
    facts = element("p",
                    say(Message::report_regression, figure_text(seen.scores->mae),
                        figure_text(seen.scores->rmse), figure_text(seen.scores->r2)),
                    "note");
  }
  return "<div class=\"card\"><figcaption><h3>" +
         escape_markup(say(Message::report_rows, part_title(seen.part))) + "</h3></figcaption>" +
         table.str("full") + facts + "</div>\n";
}

std::string answers(const RunReport& report, const std::vector<ReportFigure>& all) {
  if (!report.seen) return "";
  std::string out;
  for (const ReportFigure& f : all) {
    if (f.id == "confusion" || f.id == "f1" || f.id == "class-accuracy" || f.id == "answers")
      out += figure(f);
  }
  out += report.seen->matrix ? scores_table(*report.seen) : rows_table(*report.seen);
  return section("answers", report.seen->matrix ? Message::report_by_class : Message::report_by_row,
                 "<div class=\"figures\">\n" + out + "</div>\n" + confusions(report));
}

std::string example(const Examination& seen, const SeenExample& e) {
  const std::string target = class_name(seen, e.target);
  const std::string predicted = class_name(seen, e.predicted);
  const bool right = e.target == e.predicted;
  std::string out = "<div>";
  if (e.picture) {
    out += image(thumbnail(*e.picture, kShownSide),
                 say(Message::report_example_alt, e.number, target, predicted));
  }
  out += fmt::format("<strong>{}</strong><br><span class=\"{}\">{}</span><br>{}</div>\n",
                     escape_markup(say(Message::report_is, target)), right ? "good" : "bad",
                     escape_markup(say(Message::report_said, predicted)),
                     data(e.confidence, percent_text(e.confidence)));
  return out;
}

std::string examples(const RunReport& report, const std::vector<SeenExample>& list, const char* id,
                     Message title, Message text) {
  if (!report.seen || list.empty()) return "";
  std::string out;
  for (const SeenExample& e : list) out += example(*report.seen, e);
  return section(
      id, title,
      element("p", say(text, part_title(report.seen->part), count_text(report.seen->examples)), "note") +
          "<div class=\"card digits\">\n" + out + "</div>\n");
}

std::string layers(const RunReport& report) {
  if (report.layers.empty()) return "";
  Table table{{say(Message::report_layer), say(Message::report_type), say(Message::report_shape),
               say(Message::report_parameters), say(Message::report_trained)},
              {}};
  const bool fields = !report.fields.empty();
  if (fields) table.heads.push_back(say(Message::report_field));
  Index parameters = 0;
  Index trainable = 0;
  for (const LayerSummary& layer : report.layers) {
    table.rows.push_back({escape_markup(layer.path), "<code>" + escape_markup(layer.type) + "</code>",
                          escape_markup(layer.output.to_string()), count_text(layer.parameters),
                          count_text(layer.trainable)});
    if (fields) table.rows.back().push_back(escape_markup(field_text(report.fields, layer.path)));
    parameters += layer.parameters;
    trainable += layer.trainable;
  }
  table.rows.push_back(
      {escape_markup(say(Message::report_total)), "", "", count_text(parameters), count_text(trainable)});
  if (fields) table.rows.back().push_back("");
  return section("model", Message::report_model,
                 "<div class=\"card wide\">" + table.str("full") +
                     (fields ? element("p", say(Message::report_field_note), "note") : "") + "</div>\n");
}

std::string configuration(const RunReport& report) {
  if (report.configuration.empty()) return "";
  std::string out;
  std::string group;
  for (const auto& [key, value] : report.configuration) {
    const std::size_t dot = key.find('.');
    const std::string section_name =
        dot == std::string::npos ? say(Message::report_general) : key.substr(0, dot);
    if (section_name != group) {
      out += fmt::format("{}<div class=\"card\"><figcaption><h3>{}</h3></figcaption><dl>\n",
                         group.empty() ? "" : "</dl></div>\n", escape_markup(section_name));
      group = section_name;
    }
    out += fmt::format("<dt>{}</dt><dd><code>{}</code></dd>\n",
                       escape_markup(dot == std::string::npos ? key : key.substr(dot + 1)),
                       escape_markup(value));
  }
  return section("configuration", Message::report_configuration,
                 "<div class=\"columns\">" + out + "</dl></div></div>\n");
}

std::string machine(const RunReport& report) {
  const RunRecord& run = report.run;
  std::string out;
  const auto fact = [&](Message name, const std::string& value) {
    if (!value.empty()) out += element("dt", say(name)) + element("dd", value);
  };
  if (run.seconds > 0.0) fact(Message::report_time, seconds_text(run.seconds));
  if (!run.history.empty() && run.seconds > 0.0) {
    double sum = 0.0;
    for (const EpochRecord& epoch : run.history) sum += epoch.seconds;
    fact(Message::report_per_epoch, seconds_text(sum / static_cast<double>(run.history.size())));
  }
  if (run.steps > 0) fact(Message::report_steps_taken, count_text(run.steps));
  if (run.peak_memory > 0) fact(Message::report_memory, bytes_text(run.peak_memory));
  if (run.threads > 0) fact(Message::report_threads, std::to_string(run.threads));
  fact(Message::report_instructions, run.instruction_set);
  fact(Message::report_seed, run.seed);
  fact(Message::report_hash, run.weights_sha256);
  fact(Message::report_made_by, join("Splot ", version()));
  return section("machine", Message::report_machine, "<div class=\"card wide\"><dl>" + out + "</dl></div>\n");
}

std::string navigation(std::string_view body) {
  std::string out;
  for (std::size_t at = body.find("<section id=\""); at != std::string_view::npos;
       at = body.find("<section id=\"", at + 1)) {
    const std::size_t id = at + 13;
    const std::size_t head = body.find("<h2>", at) + 4;
    out += fmt::format("<a href=\"#{}\">{}</a>\n", body.substr(id, body.find('"', id) - id),
                       body.substr(head, body.find("</h2>", head) - head));
  }
  return "<nav>\n" + out + "</nav>\n";
}

}  // namespace

std::string report_html(const RunReport& report) {
  const std::vector<ReportFigure> all = report_figures(report);
  const std::string name = name_of(report.run);
  const std::string title = report.title.empty() ? name : report.title;
  static const std::vector<SeenExample> none;
  const std::vector<SeenExample>& worst = report.seen ? report.seen->worst : none;
  const std::vector<SeenExample>& samples = report.seen ? report.seen->samples : none;
  const std::string body =
      section("results", Message::report_results, results_table(report)) + curves(report, all) +
      answers(report, all) +
      examples(report, worst, "mistakes", Message::report_worst, Message::report_worst_note) +
      causes(report) +
      examples(report, samples, "samples", Message::report_samples, Message::report_samples_note) +
      mosaic(report) + changed_pictures(report) + weights(report) + maps(report) + norms(all) +
      layers(report) + configuration(report) + machine(report);
  const std::string over = report.run.recipe.empty() ? name : report.run.recipe + " / " + name;
  return page(title, "<header>\n" + element("p", say(Message::report_over, over), "over") + heading(title) +
                         navigation(body) + "</header>\n<main>\n" + tiles(report) + warnings(report) + body +
                         "</main>\n" + "<footer>" + escape_markup(say(Message::report_footer)) +
                         "</footer>\n");
}

}  // namespace splot
