// Passes: what is done to a graph before it is run, each by a name under which it can be left out.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/export.h"
#include "splot/graph/graph.h"

namespace splot {

enum class Message;  // core/messages.h, which changes with every text that a person sees

/// One way of making a graph better without changing what it computes.
struct GraphPass {
  const char* name;  ///< "dead-code"
  Message summary;   ///< what it does, in a line
  /// Whether results keep every bit. Of NaN, which one it is may change.
  bool exact;
  /// Returns how many places it changed.
  std::size_t (*run)(Graph& graph);
  /// For networks that only answer: it runs where PassOptions::frozen says so.
  bool frozen = false;
  /// Of the order of calls and of memory: it runs once, when the others have nothing more to change.
  bool last = false;
};

/// In the order in which they run:
///
/// - freeze: slots become constants that hold what the slots hold now. Slots that the function writes stay.
/// - dead-code: calls, constants and slots that nobody reads are left out.
/// - common-subexpressions: of calls of one op with the same inputs and attributes the first is made;
///   constants and random keys that are equal become one.
/// - constant-folding: calls of constants alone are made now, where the result takes up to 1 MiB.
/// - identities: x * 1, x / 1, x - 0, two negations, two changes of shape and the like, as far as they keep
///   every bit. x + 0 is none of them: it turns -0 into 0.
/// - stable-numerics: logarithms of softmax, sigmoid and 1 + exp(x), variances, and what derivatives make of
///   them, in forms that neither overflow nor cancel. Results change where they were less accurate.
/// - fuse-update: a matrix product that is the gradient of one weight, and that nobody else reads, becomes
///   one call with the step of SGD of the weight, where that has no velocity.
/// - layouts: a batch that several calls would bring into the order of images is brought into it once.
/// - fold-batch-norm: batch norm with constant statistics becomes part of the constant weights of the
///   convolution or linear layer before it.
/// - fuse-epilogue: a convolution or linear layer takes the bias, the shortcut and the relu behind it.
/// - pack-weights: linear layers and convolutions get their constant weights in the order in which they are
///   read, where that is faster (ops/packed.h).
/// - fuse-pooling: a convolution of one image, or by Winograd's way, stores the largest of each 2 x 2 of its
///   sums in place of the pooling behind it.
///
/// - early-update: the update of a weight is made as soon as its gradient is there and nobody reads the old
///   weight any more.
/// - split-norm: a batch norm with an elementwise call behind it becomes its statistics and an elementwise
///   call.
/// - fuse-elementwise: elementwise calls that hand results to each other are made together, block by block.
/// - rematerialize: where values of 4 MiB and more are in memory at once, elementwise results that wait for
///   the derivatives are computed again instead, until the most that is alive is 0.6 of what it was or
///   nothing is left that helps.
///
/// Freeze, fold-batch-norm, fuse-epilogue and pack-weights run for networks that only answer; the last four
/// of all run once, at the end.
SPLOT_API std::span<const GraphPass> all_passes();
/// Null: there is none of that name.
SPLOT_API const GraphPass* find_pass(std::string_view name);

struct PassOptions {
  /// Names of passes that are left out.
  std::vector<std::string> without = {};
  /// The graph is of a network that only answers: its weights stay what they are now, and no derivative is
  /// asked for.
  bool frozen = false;
  /// Shown the graph before and after whenever a pass has changed something.
  std::function<void(const GraphPass& pass, const Graph& before, const Graph& after)> watch = {};
};

/// A pass that has changed something.
struct PassStep {
  const GraphPass* pass;
  std::size_t places;  ///< how many changes it made
  std::size_t before;  ///< calls of the graph
  std::size_t after;
};

struct OptimizedGraph {
  Graph graph;
  std::vector<PassStep> steps;  ///< in order
};

/// Runs the passes one after the other, and again, until none has anything to change; then those that come
/// last. Throws ValueError for
/// a name that no pass has.
///
///   Plan plan(optimize(trace(step, {x, y}, {.slots = slots}), {.without = {"stable-numerics"}}).graph);
SPLOT_API OptimizedGraph optimize(Graph graph, const PassOptions& options = {});

}  // namespace splot
