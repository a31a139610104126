// A traced inference, made ready to be written as C: what is constant is computed, what nobody reads is left
// out, and elementwise ops run inside the step whose result they take.
#pragma once

#include <set>
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
  bool changes = false;  ///< a slot that learning changes: an array that is no constant; `value` is its first
  bool state = false;    ///< of an optimiser, and no parameter
  bool one_number = false;  ///< no slot, and all elements are alike
};

/// What the elements of a value are in C.
enum class CType { number, whole, byte };

struct CLowered {
  Graph graph;                  ///< a call for each step, and the views; values that are read are float32
  std::vector<CStep> steps;     ///< one for each call of the graph; of views, without calls
  std::vector<CKnown> known;    ///< of each value
  std::vector<bool> condition;  ///< whether it was true or false: 1 or 0 in C
  std::vector<Lifetime> lifetimes;
  Arena arena;
  ValueId input = 0;
  ValueId output = 0;                 ///< dense, row-major, and no view
  std::vector<CType> types = {};      ///< of each value; none: all are numbers
  std::vector<GraphInput> keys = {};  ///< what random draws follow

  CType type_of(ValueId id) const {
    return types.empty() ? CType::number : types[static_cast<std::size_t>(id)];
  }
};

/// `changing` are the names of slots that learning changes: they are no constants. Throws ValueError, naming
/// op and layer, for what cannot be part of an inference: random numbers, slots that are written, more than
/// one argument or result, results that are no floating numbers.
CLowered lower_for_c(const Graph& traced, const std::set<std::string>& changing = {});

/// "layer1.0.conv1" of "layer1.0.conv1.weight"; none of "weight".
std::vector<std::string> layer_of(const std::string& slot);
/// Those that are not there yet.
void add_layers(std::vector<std::string>& to, const std::vector<std::string>& more);

/// "conv1 (conv2d)", or "conv2d" where the layer has no name: for messages.
std::string where_in(const CStep& step, const GraphCall& call);

/// For views and the copy that a view can come down to.
inline bool is_view(const CLowered& lowered, const GraphCall& call) {
  return lowered.lifetimes[static_cast<std::size_t>(call.outputs[0])].home == Home::view;
}

}  // namespace splot::compiler
