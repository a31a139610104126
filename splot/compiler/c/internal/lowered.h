// A traced inference, made ready to be written as C: what is constant is computed, what nobody reads is left
// out, and elementwise ops run inside the step whose result they take.
#pragma once

#include <string>
#include <vector>

#include "splot/compiler/lifetimes.h"
#include "splot/core/tensor.h"
#include "splot/graph/graph.h"

namespace splot::compiler {

/// One function of the C: an op, and the elementwise ops that each take the result of the one before.
struct CStep {
  std::vector<GraphCall> calls;
  std::vector<std::string> layers;  ///< whose weights it has, by their paths: "conv1", "bn1"
};

/// What a value is made of when the program begins.
struct CKnown {
  Tensor value = {};                     ///< undefined: computed by the program
  std::vector<std::string> layers = {};  ///< whose slots it was made of
  std::string slot = {};                 ///< its name, where it is a slot as it is
};

struct CLowered {
  Graph graph;                  ///< a call for each step, and the views; values that are read are float32
  std::vector<CStep> steps;     ///< one for each call of the graph; of views, without calls
  std::vector<CKnown> known;    ///< of each value
  std::vector<bool> condition;  ///< whether it was true or false: 1 or 0 in C
  std::vector<Lifetime> lifetimes;
  Arena arena;
  ValueId input = 0;
  ValueId output = 0;  ///< dense, row-major, and no view
};

/// Throws ValueError, naming op and layer, for what cannot be part of an inference: random numbers, slots
/// that are written, more than one argument or result, results that are no floating numbers.
CLowered lower_for_c(const Graph& traced);

/// "conv1 (conv2d)", or "conv2d" where the layer has no name: for messages.
std::string where_in(const CStep& step, const GraphCall& call);

/// For views and the copy that a view can come down to.
inline bool is_view(const CLowered& lowered, const GraphCall& call) {
  return lowered.lifetimes[static_cast<std::size_t>(call.outputs[0])].home == Home::view;
}

}  // namespace splot::compiler
