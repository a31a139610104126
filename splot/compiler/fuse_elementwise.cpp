// fuse-elementwise: calls of elementwise ops that hand results to each other are moved one behind the other
// and made together, block by block; a sum or mean of what nobody else reads goes with them, as the last.
// split-norm comes before it: of a batch norm, what an elementwise call follows, it leaves the statistics and
// makes the rest elementwise.
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/ops/fused.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

// Below that it does not count how long a result is kept, nor is it worth to divide a batch norm.
constexpr Index kLeastElements = 1024;

// Calls that are made together.
struct Group {
  std::vector<std::size_t> calls;
  std::size_t place = 0;  // the call where they stand
  std::size_t buffers = 0;
  ValueId reduced = -1;  // what their reduction gives; -1: there is none
};

class Fusion {
 public:
  explicit Fusion(Graph& graph)
      : graph_(graph),
        maker_(graph.values.size(), kNobody),
        reads_(graph.values.size()),
        group_of_(graph.calls.size()),
        place_(graph.calls.size()) {
    for (std::size_t i = 0; i < graph.calls.size(); ++i) {
      for (const ValueId id : graph.calls[i].outputs) maker_[index(id)] = i;
      for (const ValueId id : graph.calls[i].inputs) ++reads_[index(id)];
      groups_.push_back({.calls = {i},
                         .place = i,
                         .buffers = can_be_fused(graph.calls[i]) ? buffers_of(graph.calls[i]) : 0});
    }
    for (const ValueId id : graph.outputs) ++reads_[index(id)];
    for (const GraphWrite& write : graph.writes) ++reads_[index(write.value)];
    std::iota(group_of_.begin(), group_of_.end(), std::size_t{0});
    std::iota(place_.begin(), place_.end(), std::size_t{0});
  }

  // How many calls were joined with others.
  std::size_t run() {
    std::size_t joined = 0;
    for (std::size_t i = 0; i < graph_.calls.size(); ++i) {
      if (!can_be_fused(graph_.calls[i]) && !can_reduce(graph_.calls[i])) continue;
      for (const ValueId id : graph_.calls[i].inputs) {
        if (!joins(i, id)) continue;
        join(i, group_of_[maker_[index(id)]]);
        ++joined;
        break;
      }
    }
    return joined;
  }

  // Whether that is something else than what was there.
  bool write() {
    std::vector<std::size_t> order(graph_.calls.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return rank_of(a) < rank_of(b); });
    std::vector<int> numbers(graph_.calls.size());
    int fused = 0;
    bool changed = !std::is_sorted(order.begin(), order.end());
    std::vector<GraphCall> calls;
    for (const std::size_t i : order) {
      const std::size_t group = group_of_[i];
      if (groups_[group].calls.size() > 1 && numbers[group] == 0) numbers[group] = ++fused;
      changed = changed || graph_.calls[i].fused != numbers[group];
      calls.push_back(std::move(graph_.calls[i]));
      calls.back().fused = numbers[group];
    }
    graph_.calls = std::move(calls);
    number_anew(graph_);
    return changed;
  }

 private:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
  const GraphValue& value(ValueId id) const { return graph_.values[index(id)]; }

  bool can_be_fused(const GraphCall& call) const {
    return call.op->elementwise != nullptr && value(call.outputs[0]).shape.numel() > 0;
  }
  // Whether it can be made of its operand while that is made.
  bool can_reduce(const GraphCall& call) const {
    if (call.inputs.empty()) return false;
    const GraphValue& x = value(call.inputs[0]);
    return reads_[index(call.inputs[0])] == 1 &&
           reduces_what_is_made(*call.op, call.attrs, Tensor::without_elements(x.shape, x.dtype, x.strides));
  }
  bool is_reduction(std::size_t call) const { return graph_.calls[call].op->elementwise == nullptr; }
  // Behind the others of its group comes their reduction.
  std::pair<std::size_t, bool> rank_of(std::size_t call) const {
    return {place_[call], groups_[group_of_[call]].calls.size() > 1 && is_reduction(call)};
  }
  bool lie_alike(ValueId a, ValueId b) const {
    return value(a).shape == value(b).shape && value(a).strides == value(b).strides;
  }

  // One for the result, and one for each operand that has to be brought together.
  std::size_t buffers_of(const GraphCall& call) const {
    std::size_t out = 1;
    for (const ValueId id : call.inputs) {
      const bool as_it_is =
          lie_alike(id, call.outputs[0]) && value(id).dtype == value(call.inputs.back()).dtype;
      out += as_it_is ? 0 : 1;
    }
    return out;
  }

  // Whether the call can be made right behind those that make one of its operands, and saves memory there.
  bool joins(std::size_t call, ValueId operand) const {
    const std::size_t maker = maker_[index(operand)];
    if (maker == kNobody || !can_be_fused(graph_.calls[maker])) return false;
    const bool reduces = is_reduction(call);
    const Group& group = groups_[group_of_[maker]];
    if (reduces && group.reduced >= 0) return false;
    if (!reduces && !lie_alike(operand, graph_.calls[call].outputs[0])) return false;
    if (group.calls.size() == kFusedSteps) return false;
    if (group.buffers + groups_[call].buffers > kFusedBuffers) return false;
    // Where others read the operand later, both would be in memory from here on.
    if (reads_[index(operand)] > 1 && !is_next(call, group)) return false;
    return can_rise(call, group) || can_sink(group, call);
  }

  // Whether all that the call reads is there where the group stands.
  bool can_rise(std::size_t call, const Group& group) const {
    return std::all_of(graph_.calls[call].inputs.begin(), graph_.calls[call].inputs.end(), [&](ValueId id) {
      const std::size_t from = maker_[index(id)];
      if (id == group.reduced) return false;
      return from == kNobody || place_[from] < group.place || group_of_[from] == group_of_[group.calls[0]];
    });
  }

  // Whether the group can be made where the call stands: nobody else reads what it makes, and of what it
  // reads no more has to be kept until then than one operand in place of the result.
  bool can_sink(const Group& group, std::size_t call) const {
    if (group.reduced >= 0) return false;
    const auto of_group = [&](ValueId id) {
      const std::size_t from = maker_[index(id)];
      return from != kNobody && group_of_[from] == group_of_[group.calls[0]];
    };
    std::size_t reads = 0, large = 0;
    for (const std::size_t i : group.calls) {
      reads += reads_[index(graph_.calls[i].outputs[0])];
      for (const ValueId id : graph_.calls[i].inputs) {
        reads -= of_group(id) ? 1 : 0;
        large += !of_group(id) && value(id).shape.numel() >= kLeastElements ? 1 : 0;
      }
    }
    const std::vector<ValueId>& in = graph_.calls[call].inputs;
    return large <= 1 && reads == static_cast<std::size_t>(std::count_if(in.begin(), in.end(), of_group));
  }

  // Nothing but the group's own calls stands between.
  bool is_next(std::size_t call, const Group& group) const {
    for (std::size_t i = group.place + 1; i < call; ++i) {
      if (place_[i] == i) return false;
    }
    return true;
  }

  void join(std::size_t call, std::size_t number) {
    Group& group = groups_[number];
    if (!can_rise(call, group)) {
      group.place = call;
      for (const std::size_t i : group.calls) place_[i] = call;
    }
    group.calls.push_back(call);
    group.buffers += groups_[call].buffers;
    if (is_reduction(call)) group.reduced = graph_.calls[call].outputs[0];
    group_of_[call] = number;
    place_[call] = group.place;
  }

  Graph& graph_;
  std::vector<std::size_t> maker_;     // the call that makes each value
  std::vector<std::size_t> reads_;     // how often each value is read
  std::vector<std::size_t> group_of_;  // of each call; the number of its first call
  std::vector<std::size_t> place_;     // of each call; that of its group
  std::vector<Group> groups_;
};

// [C] beside [N, C, ...]
Tensor beside_channels(const Tensor& v, const Tensor& x) {
  Ints sizes(x.rank() - 1, 1);
  sizes[0] = v.numel();
  return reshape(v, sizes);
}

// y, mean and var of x, weight and bias
TensorList divided_norm(std::span<const Tensor> in, double eps) {
  const BatchStats stats = batch_norm_stats(in[0], in[1], eps);
  const auto beside = [&](const Tensor& v) { return beside_channels(v, in[0]); };
  return {center_scale_shift(in[0], beside(stats.mean), beside(stats.scale), beside(in[2])), stats.mean,
          stats.var};
}

}  // namespace

std::size_t split_norm(Graph& graph) {
  const ReadCounts reads(graph);
  std::vector<const OpDef*> reader(graph.values.size());  // the first
  for (auto call = graph.calls.rbegin(); call != graph.calls.rend(); ++call) {
    for (const ValueId id : call->inputs) reader[static_cast<std::size_t>(id)] = call->op;
  }
  return rewrite(graph, [&](Rewriter& g, const GraphCall& call) -> ValueIds {
    if (call.op != &batch_norm_op || g.value(call.outputs[0]).shape.numel() < kLeastElements) return {};
    const OpDef* const next = reader[static_cast<std::size_t>(call.outputs[0])];
    if (!reads.once(call.outputs[0]) || next == nullptr || next->elementwise == nullptr) return {};
    const double eps = call.attrs.number("eps");
    return g.add_all(call.inputs, [&](std::span<const Tensor> in) { return divided_norm(in, eps); });
  });
}

std::size_t fuse_elementwise(Graph& graph) {
  Fusion fusion(graph);
  const std::size_t joined = fusion.run();
  return fusion.write() ? joined : 0;
}

}  // namespace splot::compiler
