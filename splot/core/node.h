// Node: one recorded call of an op, or a variable; edges point to what it was computed from.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "splot/core/attributes.h"
#include "splot/core/op.h"
#include "splot/core/tensor.h"

namespace splot {

/// Where a gradient goes: one output of a node. A null node: nowhere.
struct Edge {
  Ref<Node> node;
  int output = 0;
};

struct TensorSpec {
  Shape shape;
  DType dtype;
};

/// Threads: never changed once made, save the gradient of a variable, which backward() adds to: one
/// backward() at a time for networks that share a variable.
class SPLOT_API Node : public RefCounted {
 public:
  /// Null for a variable.
  const OpDef* op = nullptr;
  Attrs attrs;
  SmallVector<Edge, 3> edges;         // one for each input
  SmallVector<TensorSpec, 3> inputs;  // shape and dtype of every input, kept or not
  SmallVector<TensorSpec, 1> outputs;
  TensorList kept_inputs;   // undefined where the derivative does not ask for it
  TensorList kept_outputs;  // without history: with it the node would own itself
  std::uint64_t sequence;   // later calls have larger numbers: a topological order
  bool released = false;    // backward() has freed what was kept

  // A variable's own.
  std::string name;
  Tensor grad;
  std::mutex grad_mutex;

  Node();
  bool is_variable() const { return op == nullptr; }
  void release_kept();

  /// Frees a chain of any length without recursion.
  static void destroy(Node* node);
};

/// Whether ops record nodes on this thread; a NoGrad in scope switches it off.
SPLOT_API bool grad_enabled();

/// While it lives, ops on this thread record no history: results are constants.
///
///   { NoGrad off; accuracy = evaluate(net, data); }
///
/// Threads: of the thread that made it alone.
class SPLOT_API NoGrad {
 public:
  explicit NoGrad(bool off = true);
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

}  // namespace splot
