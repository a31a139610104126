// A trained network as C99 with weights and activations of 8 bits, and what that costs in accuracy.
#pragma once

#include <optional>

#include "splot/compiler/c/c_program.h"
#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/train/model_file.h"

namespace splot {

struct Int8ExportOptions {
  Index calibrated_on = 512;  ///< examples of the calibration data, from all over them; at most all
  Index examples = 8;         ///< with which model_test compares the program, from all over the test data
};

/// The same network in floats and in 8 bits, over the same data.
struct Int8Figures {
  Index calibrated_on = 0;
  Index examples = 0;
  /// Shares of examples whose class is told right; none for networks without an output for each class.
  std::optional<double> float_accuracy = {}, int8_accuracy = {};
  /// Root mean square of the difference between the outputs, over that of the float outputs.
  double difference = 0.0;
};

struct Int8Export {
  CProgram program;
  Int8Figures figures;
};

/// export_c() with an Int8Network: calibrated on examples of `calibration`, tested and judged on `test`, each
/// under the model's own preprocessing. The figures come from what the C computes, integer by integer, over
/// all of `test`. Throws what Int8Network throws, ValueError unless both counts are positive, and ShapeError
/// when the data do not fit.
///
///   const MnistSplits data = load_mnist(folder);
///   const Int8Export out = export_int8(load_model("model.safetensors"), data.train, data.test);
///   write_c_folder("device", out.program);
SPLOT_API Int8Export export_int8(const ModelFile& file, const Dataset& calibration, const Dataset& test,
                                 const Int8ExportOptions& options = {});

}  // namespace splot
