// The report of a recipe's run, from its folder and its data.
#pragma once

#include <string>

#include "splot/core/export.h"
#include "splot/recipe/build.h"
#include "splot/report/report.h"

namespace splot {

/// Reads what is in the folder - recipe.toml, metrics.jsonl, run.json, model.safetensors - and looks at the
/// data: the test part, or validation where there is no test or the run was stopped, or the training part.
/// Data that are not given are read; when they cannot be, or there is no model, the report's note says so.
/// Throws what read_run(), load_recipe() and load_model() throw.
///
///   write_file("runs/mnist-1/report.html", report_html(collect_report("runs/mnist-1")));
SPLOT_API RunReport collect_report(const std::string& folder, const RecipeData* data = nullptr);
/// The same without data, for comparisons: no confusion matrix, no examples.
SPLOT_API RunReport collect_summary(const std::string& folder);

}  // namespace splot
