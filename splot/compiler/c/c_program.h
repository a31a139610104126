// write_c(): a network as readable C99: its layers, its weights and a test of both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/folder.h"
#include "splot/core/tensor.h"
#include "splot/graph/graph.h"

namespace splot {

/// How stored inputs become what the network sees: (x / divisor - mean) / deviation.
struct CPreparation {
  bool bytes = false;  ///< stored inputs are bytes; else floats
  double divisor = 1.0;
  /// One for all numbers, or one for every `shared` numbers of an example in row-major order.
  std::vector<double> means = {0.0};
  std::vector<double> deviations = {1.0};
  Index shared = 1;
};

/// What a program says beside the network.
struct CDescription {
  std::string title = {};                        ///< the first comment: "lenet5, trained on mnist"
  std::vector<std::string> classes = {};         ///< one name for each output, or none
  std::optional<CPreparation> preparation = {};  ///< none: the network sees inputs as they are stored
  /// Examples as they are stored, [n, ...], uint8 or floating, and what the network answers to each, [n,
  /// ...]: model_test compares.
  Tensor stored = {};
  Tensor expected = {};
};

/// What the network takes on a small device; the code itself, a few KB, is not counted.
struct CSizes {
  Index weight_bytes = 0;  ///< constants: flash
  Index buffer_bytes = 0;  ///< the one static block: RAM
  Index input_bytes = 0;   ///< RAM of the caller
  Index output_bytes = 0;
  Index multiply_adds = 0;
};

struct CProgram {
  /// model.h, model.c, model_weights.c, model_test.c and Makefile.
  std::vector<TextFile> files;
  CSizes sizes;
};

/// How much a program may differ from the library: this times the largest output, at least 1.
inline constexpr double kCTolerance = 1e-5;
/// The first words of an exported model.h.
inline constexpr const char* kCMarker = "/* Made by Splot";

/// The network of the graph, an inference of one argument and one result (trace.h), as plain C99: model_run()
/// reads weights and one static block of memory, allocates nothing and needs libm alone. Everything is
/// computed in float, whatever dtype the network has. What is constant is computed here, batch norm becomes
/// part of the convolution before it, and elementwise ops run where the numbers they take are made.
///
/// The same graph gives the same text. Throws ValueError, naming op and layer, for an op that has no C, for
/// what is no inference, and for weights that are not finite; ShapeError when the examples do not fit.
///
///   const Tensor x = Tensor::without_elements({1, 1, 28, 28}, kFloat32);
///   Graph graph = trace([&](auto in, auto) { return TensorList{net(in[0])}; }, {x}, {.slots =
///   slots_of(net)}); const CProgram program = write_c(graph, {.title = "digits", .stored = examples,
///   .expected = net(examples)}); write_folder("digits", program.files);
SPLOT_API CProgram write_c(const Graph& graph, const CDescription& description);

}  // namespace splot
