// write_c_training(): a network as C99 that goes on learning: answers, and the step of its training.
#pragma once

#include <string>
#include <vector>

#include "splot/compiler/c/c_program.h"
#include "splot/core/export.h"
#include "splot/graph/graph.h"

namespace splot {

/// Elements of a tensor after a step, and what all of them add up to.
struct CTensorSample {
  std::string slot;  ///< "conv1.weight", "exp_avg.conv1.weight"
  std::vector<Index> places;
  std::vector<double> values;
  double sum = 0.0;
  double squares = 0.0;
  double sizes = 0.0;    ///< the sum of all absolute values
  double largest = 0.0;  ///< absolute value
};

/// What model_test learns: batches made of these examples, one after the other and from the first one again,
/// and what the library came to.
struct CLearningDescription {
  std::string optimizer = {};               ///< for comments: "adam"
  Tensor stored = {};                       ///< [n, ...] as inputs are stored
  Tensor targets = {};                      ///< [n] class numbers, or [n, ...]
  std::vector<double> losses = {};          ///< of each step
  std::vector<CTensorSample> samples = {};  ///< after the first one
};

/// What learning takes beside an answer.
struct CLearningSizes {
  Index flash_bytes = 0;    ///< constants, and what weights begin with
  Index weight_bytes = 0;   ///< RAM: weights that change
  Index state_bytes = 0;    ///< RAM: moments of the optimiser
  Index batch_bytes = 0;    ///< RAM of the caller: inputs and targets of a batch
  Index multiply_adds = 0;  ///< of a step
};

/// An array that a step changes.
struct CStateArray {
  std::string name;  ///< "model_conv1_weight"
  std::string slot;  ///< "conv1.weight"
  Index size = 0;
};

struct CTrainingProgram {
  CProgram program;  ///< the buffer is the larger one, of answers and steps
  CLearningSizes learning;
  Index batch = 1;
  Index input_size = 0;  ///< numbers of an example
  Index target_size = 1;
  bool class_numbers = false;  ///< targets are int
  std::vector<CStateArray> state;
};

/// How much the loss of a step from the same state may differ, by its size; losses of steps one after the
/// other; and each updated tensor, by its largest entry.
inline constexpr double kCLeastLoss = 0.25;  ///< smaller losses are measured by this: of 1 a float loses 6e-8
inline constexpr double kCLossTolerance = 1e-6;
inline constexpr double kCFreeLossTolerance = 1e-4;
inline constexpr double kCTensorTolerance = 1e-5;

/// As write_c(), with model_train() beside model_run(): `step` is a traced training step of two arguments,
/// inputs and targets, whose only result is the loss. Weights and the optimiser's state are arrays that
/// change; the learning rate is a variable. `step` is best without any pass that fuses what training alone
/// has (training_graph()).
///
/// Throws what write_c() throws, and ValueError naming the layer for what is not written: batch norm, losses
/// without C, optimisers that look at the loss several times.
SPLOT_API CTrainingProgram write_c_training(const Graph& inference, const Graph& step,
                                            const CDescription& description,
                                            const CLearningDescription& learning);

/// The graph after the passes that C is written of, dead-code to stable-numerics: those of training alone,
/// which fuse, are left out.
SPLOT_API Graph training_graph(Graph traced);

/// A program that reads the state of a training and batches from the file that its first argument names,
/// makes the steps, and writes losses and state to the second: what splot verify --steps drives. Numbers as
/// the machine has them: uint32 how many steps, uint32 how many were made before, the state, then for each
/// step the learning rate, inputs and targets, all float but class numbers, which are int32; out come a float
/// for each loss, and the state.
SPLOT_API std::string step_driver(const CTrainingProgram& training);

}  // namespace splot
