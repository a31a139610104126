// The report: all about a run on one page that needs nothing else, and several runs side by side.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "splot/core/export.h"
#include "splot/nn/summary.h"
#include "splot/report/examine.h"
#include "splot/report/pictures.h"
#include "splot/report/plot.h"
#include "splot/report/run_record.h"

namespace splot {

/// A key of the configuration and its value, as text: {"optimizer.lr", "0.003"}.
using Setting = std::pair<std::string, std::string>;

/// What the layers of a network make of one example.
struct SeenMaps {
  SeenExample example;
  std::vector<FeatureMaps> layers;
};

/// What a wrong answer came from.
struct SeenCause {
  SeenExample example;
  std::optional<Image>
      covered;  ///< occlusion(): red where covering lowers the wrong answer, blue where it raises it
  std::optional<Image> gradient;  ///< gradient_saliency(): red where a change of a pixel changes it most
};

/// What a report is made of. Whatever is empty is left out of the page.
struct RunReport {
  std::string title;  ///< of the recipe; else the folder is the title
  RunRecord run;
  std::vector<Setting> configuration;
  std::vector<LayerSummary> layers;
  WeightPictures weights;
  std::optional<Examination> seen;
  std::vector<SeenMaps> maps;     ///< of pictures: one of each class
  std::vector<SeenCause> causes;  ///< of the worst mistakes
  std::vector<ChangedPicture> changed;
  std::vector<ReceptiveField> fields;
  std::string note;  ///< why something is left out: the data were not there
};

/// A plot with the name of its files.
struct ReportFigure {
  std::string id;     ///< "loss"
  std::string title;  ///< "Loss"
  std::string note;   ///< what to see in it; may be empty
  std::string svg;    ///< for a page that holds Svg::style()
  std::string file;   ///< the same as a document of its own
  std::string csv;
};

/// Loss and metrics with the best epoch and the onset of overfitting, learning rate, norms, confusion matrix,
/// F1.
SPLOT_API std::vector<ReportFigure> report_figures(const RunReport& report);

/// The page as HTML: self-contained, without scripts, light and dark, from phone to projector. Every figure
/// stands in a `data` element whose value is the number as it is in metrics.jsonl and run.json.
///
///   write_file("report.html", report_html(report));
SPLOT_API std::string report_html(const RunReport& report);

/// Runs side by side: their curves in the same plots, the settings in which they differ, and what came of
/// them. Throws ValueError unless there are at least two.
SPLOT_API std::string comparison_html(const std::vector<RunReport>& reports);
/// The curves of that page.
SPLOT_API std::vector<ReportFigure> comparison_figures(const std::vector<RunReport>& reports);

}  // namespace splot
