// InferenceSession: a trained network made ready to answer, again and again and from several threads.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "splot/compiler/passes.h"
#include "splot/compiler/plan.h"
#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/nn/layer.h"
#include "splot/train/model_file.h"

namespace splot {

struct SessionOptions {
  /// For how many shapes of inputs a plan is kept; the one not used for longest makes room.
  std::size_t shapes = 8;
  /// What is done to the network's graph. PassOptions::frozen is on, whatever it says here.
  PassOptions passes = {};
};

/// Bytes that a session keeps for inputs of one shape.
struct SessionMemory {
  PlanMemory plan;            ///< of a plan; several calls at once have one each
  std::size_t constants = 0;  ///< weights and other constants, which all plans of the shape share
};

/// Runs a network as in use, not in training: weights are constants, batch norm is part of them, they lie in
/// the order in which they are read, and no run looks for shapes or memory. Results differ from those of the
/// layers by rounding alone (docs/compiled.md), and are the same bits for any number of threads and callers.
///
///   InferenceSession session = InferenceSession::open("runs/first/model.safetensors");
///   Tensor y = session.predict(pictures);   // uint8 [n, 1, 28, 28] -> [n, 10]
///
/// Threads: many may call one session at once; moving it excludes all others.
class SPLOT_API InferenceSession {
 public:
  /// Throws what load_model() throws.
  static InferenceSession open(const std::string& path, const SessionOptions& options = {});
  /// Of a model file that has been read; others who hold its layer may neither run nor change it any more.
  explicit InferenceSession(const ModelFile& file, const SessionOptions& options = {});
  /// Of a layer, which has to outlive the session. Its weights are taken as they are now: training it later
  /// changes nothing here. While a shape of inputs is met for the first time nobody else may use the layer.
  explicit InferenceSession(Layer& model, const SessionOptions& options = {});
  ~InferenceSession();
  InferenceSession(InferenceSession&&) noexcept;
  InferenceSession& operator=(InferenceSession&&) noexcept;

  /// The network's output for what it sees: x[n, ...] in its own type, prepared already. The first call for a
  /// shape takes longer. Throws DTypeError for another type, ShapeError where the shape does not fit, and
  /// TraceError, with the reason, for a network that no plan can be made of.
  Tensor run(const Tensor& x);
  /// The same for examples as they are stored - bytes of pictures, columns of a table -, which are made ready
  /// as the network's data were, as `splot predict` does. Where the network sees the middle of larger
  /// pictures, these are what is stored. Throws ShapeError for examples of another shape than the model file
  /// says, ValueError for a session of a layer.
  Tensor predict(const Tensor& stored);

  /// What the model file says; of a layer nothing.
  const ModelInfo& info() const;
  /// The type of what the network sees.
  DType dtype() const;
  /// What is run for inputs of this shape, and what it keeps; made where that has not been done yet.
  Graph graph_for(const Shape& x);
  SessionMemory memory_for(const Shape& x);
  /// For how many shapes plans have been made: a number that goes on growing means that shapes keep changing.
  std::size_t made() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace splot
