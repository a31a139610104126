// Int8Network: a network whose weights and activations have 8 bits, run here and written as C.
#pragma once

#include <memory>

#include "splot/compiler/c/c_program.h"
#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/graph/graph.h"

namespace splot {

namespace compiler {
struct Int8Program;
}

/// The network of a traced inference (as write_c() takes one) in integers: a number q of 8 bits stands for
/// scale (q - zero), as in B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", arXiv:1712.05877.
///
/// - Weights are -127 .. 127 with a scale for each output channel and no zero; biases and sums have 32 bits.
/// - Every other value has one scale and one zero, for its range over the calibration inputs. The range may
///   be cut off at both ends, to 3/8 of what was seen: the one with the least mean squared error of 256 steps
///   is taken (M. Nagel et al., "A White Paper on Neural Network Quantization", arXiv:2106.08295, section
///   3.1).
/// - Sums come to the scale of the next layer by a factor of 31 bits and a shift, rounded to the nearest,
///   halves away from zero: integers alone, so that every machine computes the same.
/// - Batch norm is part of the weights before it; relu is part of the step before it; other ops of one number
///   are tables of 256 entries.
/// - After the last op that has a form in 8 bits and more to do than one number for each output, everything
/// is
///   float: the sums of a last layer are multiplied by their scales, and a softmax takes those.
///
/// There are forms in 8 bits for linear, conv2d, maxima and means of windows of images, sums and differences
/// of two values of one shape, batch norm, concatenation, padding with a number, views and every elementwise
/// op of one value and numbers.
///
///   const Int8Network net(graph, inputs);    // inputs [512, 1, 28, 28]
///   Tensor y = net.run(more);                // [n, 10], as the C answers
///   write_folder("device", net.write({.stored = more, .expected = y}).files);
///
/// Threads: a value; many may run one object, or one change it.
class SPLOT_API Int8Network {
 public:
  /// Calibrates on inputs [n, ...] as the network sees them. Throws what write_c() throws; ValueError, naming
  /// op and layer, for an op that has no form in 8 bits, where weights or what the network makes of the
  /// inputs are not finite, and without inputs; ShapeError when they do not fit.
  Int8Network(const Graph& graph, const Tensor& inputs);

  /// What the C answers: inputs [n, ...] floating -> float32 [n, ...], the same bits but for what comes after
  /// the last layer in floats (tail_in_floats()). ShapeError when the inputs do not fit.
  Tensor run(const Tensor& inputs) const;
  /// Whether softmax and the like are computed of what the last layer makes, with expf of the C library.
  bool tail_in_floats() const;

  /// model_run() as that of write_c(), and model_run_stored() where inputs are stored as bytes and few
  /// numbers prepare them. `description.expected` is what run() gives; model_test asks for equal numbers, and
  /// after a tail in floats for kInt8TailTolerance. Throws what write_c() throws.
  CProgram write(const CDescription& description) const;

  /// The floats that model_prepare() makes of stored inputs, to run() the network on: float32 of the same
  /// shape. They may differ from those of a Dataset in the last digit.
  static Tensor prepared(const CDescription& description, const Tensor& stored);

 private:
  std::shared_ptr<const compiler::Int8Program> program_;
};

/// How much a program may differ after a tail in floats: this times the largest output, at least 1.
inline constexpr double kInt8TailTolerance = 1e-6;

}  // namespace splot
