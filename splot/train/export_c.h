// A trained network as C99: readable source for small devices, with examples that prove it computes the same.
#pragma once

#include <optional>
#include <string>

#include "splot/compiler/c/c_program.h"
#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/train/model_file.h"

namespace splot {

struct CExportOptions {
  /// How many examples the program is compared with.
  Index examples = 8;
  /// Where examples come from: spread over the whole set, under the model's own preprocessing. None: inputs
  /// are drawn by chance in the range of what the preprocessing takes.
  std::optional<Dataset> data = {};
  std::uint64_t seed = 1;  ///< of inputs that are drawn
};

/// The network in use, for one example at a time: weights and preprocessing of the model file, with what the
/// library answers to some examples. Throws what write_c() throws, ValueError without examples, and
/// ShapeError when the data do not fit.
///
///   const ModelFile file = load_model("model.safetensors");
///   write_c_folder("device", export_c(file, {.data = load_mnist(folder).test}));
SPLOT_API CProgram export_c(const ModelFile& file, const CExportOptions& options = {});

/// Writes the folder, whole or not at all (write_folder()). One that is there is replaced when it is an
/// earlier export and holds nothing else than what comes of it; ValueError otherwise.
SPLOT_API void write_c_folder(const std::string& folder, const CProgram& program);

}  // namespace splot
