// Going through the calls of a graph and putting others in their place: what passes are made of.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "splot/core/export.h"
#include "splot/graph/graph.h"

namespace splot::compiler {

using ValueIds = std::vector<ValueId>;

class Rewriter;
/// What stands for each result of the call from now on; empty: the call stays as it is.
using Rule = std::function<ValueIds(Rewriter&, const GraphCall&)>;

/// Applies the rule to every call, first to last, and renames what follows. A replacement of another shape,
/// type or order in memory than the result it is for is not taken. Returns how many calls were replaced.
SPLOT_API std::size_t rewrite(Graph& graph, const Rule& rule);

/// A graph while a rule goes through its calls, and what it may ask about those that come before.
///
/// Threads: of the one that runs the pass.
class SPLOT_API Rewriter {
 public:
  explicit Rewriter(Graph& graph);

  const GraphValue& value(ValueId id) const { return graph_.values[static_cast<std::size_t>(id)]; }
  /// Null: an input of the graph.
  const GraphCall* maker(ValueId id) const { return makers_[static_cast<std::size_t>(id)]; }
  /// The call that makes the value, where it is one of this op; else null.
  const GraphCall* made_by(ValueId id, const OpDef& op) const;
  /// Null: no constant.
  const Tensor* constant(ValueId id) const;
  /// Whether every element is that number, to the bit. Looks through views of constants.
  bool is_number(ValueId id, double number) const;

  ValueId add_constant(const Tensor& x);
  /// Writes down the calls that a function makes of these values, and says what its result is.
  ValueId add(const ValueIds& from, const std::function<Tensor(std::span<const Tensor>)>& function);
  /// The same for a function of several results.
  ValueIds add_all(const ValueIds& from, const std::function<TensorList(std::span<const Tensor>)>& function);

 private:
  friend std::size_t rewrite(Graph& graph, const Rule& rule);
  void keep(GraphCall call);
  bool fits(const ValueIds& replacement, const GraphCall& call) const;

  Graph& graph_;
  std::deque<GraphCall> calls_;           // calls stay where they are while others are added
  std::vector<const GraphCall*> makers_;  // of each value
};

/// How often each value of a graph is read by calls, outputs and writes. What a rule has made since is not
/// known, and left to the next round.
class ReadCounts {
 public:
  explicit ReadCounts(const Graph& graph);
  bool once(ValueId id) const {
    return static_cast<std::size_t>(id) < counts_.size() && counts_[static_cast<std::size_t>(id)] == 1;
  }
  bool never(ValueId id) const {
    return static_cast<std::size_t>(id) < counts_.size() && counts_[static_cast<std::size_t>(id)] == 0;
  }

 private:
  std::vector<int> counts_;
};

/// Values are given other numbers, `names` of each: calls, outputs and writes follow.
void rename(Graph& graph, const ValueIds& names);

/// Drops values that neither an input nor a call makes, and numbers the others in order.
void number_anew(Graph& graph);

}  // namespace splot::compiler
