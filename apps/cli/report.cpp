// splot report: the page of a run made again, or several runs on one page.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/recipe/run_report.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::string file;
  std::string plots;
  bool json = false;
};

void write_plots(const std::string& folder, const std::vector<ReportFigure>& figures) {
  const std::filesystem::path at(folder);
  std::error_code error;
  std::filesystem::create_directories(at, error);
  require<IoError>(std::filesystem::is_directory(at, error), "report", "cannot make the folder ", folder);
  for (const ReportFigure& figure : figures) {
    write_file((at / (figure.id + ".svg")).string(), figure.file);
    write_file((at / (figure.id + ".csv")).string(), figure.csv);
  }
}

int run_report(const ReportOptions& options) {
  std::string file = options.file;
  if (options.runs.size() == 1) {
    if (file.empty()) file = (std::filesystem::path(options.runs[0]) / "report.html").string();
    const RunReport report = collect_report(options.runs[0]);
    write_file(file, report_html(report));
    if (!report.note.empty()) print_progress(say(Message::complaint, report.note) + '\n');
    if (!options.plots.empty()) {
      write_plots(options.plots, report_figures(report));
      if (!report.weights.values.empty()) {
        write_file((std::filesystem::path(options.plots) / "weights.csv").string(), to_csv(report.weights));
      }
    }
  } else {
    if (file.empty()) file = "comparison.html";
    std::vector<RunReport> reports;
    for (const std::string& run : options.runs) reports.push_back(collect_summary(run));
    write_file(file, comparison_html(reports));
    if (!options.plots.empty()) write_plots(options.plots, comparison_figures(reports));
  }
  print(options.json ? nlohmann::ordered_json{{"report", file}, {"runs", options.runs}}.dump(2) + '\n'
                     : say(Message::report_written, file) + '\n');
  return kOk;
}

}  // namespace

void add_report(Command root) {
  Command command = root.add("report", Message::report_help, Message::report_example);
  const auto options = std::make_shared<ReportOptions>();
  command.option("runs", options->runs, Message::report_runs, "RUN").required();
  command.option("-o,--output", options->file, Message::report_file, "FILE");
  command.option("--plots", options->plots, Message::report_plots, "FOLDER");
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_report(*options); });
}

}  // namespace splot::cli
