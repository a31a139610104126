// rematerialize: what elementwise calls made of values that are kept anyway need not wait in memory for the
// derivatives: it is computed again right before it is read. A. Griewank, A. Walther, "Evaluating
// Derivatives", 2008, chapter 12, on the trade of operations for memory.
#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/compiler/lifetimes.h"

namespace splot::compiler {
namespace {

// Less than that is in the caches for the most part, and not worth a second computation.
constexpr std::size_t kLeastPeak = std::size_t{4} << 20;
// Of the peak as it was. Further down each byte costs more time than the one before.
constexpr double kEnough = 0.6;
// So many calls may be made again for one value.
constexpr std::size_t kLongestChain = 12;
// A value of that part of the peak may as well be kept longer.
constexpr std::size_t kSmallPart = 200;

struct Peak {
  std::size_t bytes = 0;
  int call = 0;
};

Peak peak_of(const Graph& graph, const std::vector<Lifetime>& lifetimes) {
  std::vector<std::ptrdiff_t> change(graph.calls.size() + 2);
  const auto add = [&](const Lifetime& value) {
    if (value.home != Home::arena) return;
    change[static_cast<std::size_t>(value.first)] += static_cast<std::ptrdiff_t>(value.bytes);
    change[static_cast<std::size_t>(value.last) + 1] -= static_cast<std::ptrdiff_t>(value.bytes);
  };
  for (const GraphCall& call : graph.calls) {
    for (const ValueId id : call.outputs) add(lifetimes[static_cast<std::size_t>(id)]);
  }
  Peak out;
  std::ptrdiff_t alive = 0;
  for (std::size_t i = 0; i < graph.calls.size(); ++i) {
    alive += change[i];
    if (static_cast<std::size_t>(alive) > out.bytes)
      out = {static_cast<std::size_t>(alive), static_cast<int>(i)};
  }
  return out;
}

// A graph, and what has been computed again in it.
class Schedule {
 public:
  explicit Schedule(const Graph& graph) : graph_(graph) { measure(); }

  const Graph& graph() const { return graph_; }
  std::size_t peak() const { return peak_.bytes; }

  // Values that nobody reads while the most is alive and that can be made again: first those for which the
  // fewest bytes are written twice, of these the largest.
  std::vector<ValueId> idle_at_peak() const {
    struct Idle {
      ValueId id;
      std::size_t bytes, again;
    };
    std::vector<Idle> found;
    for (std::size_t i = 0; i < reads_.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      const bool alive = reads_[i].first < peak_.call && peak_.call < reads_[i].last;
      if (!alive || reads_[i].home != Home::arena || is_in_no_memory(id)) continue;
      if (is_small(id) || !can_be_made_again(id)) continue;
      const int at = place_behind_peak(id);
      const std::vector<int> chain = chain_of(id, at);
      if (at <= peak_.call || chain.empty()) continue;
      std::size_t again = 0;
      for (const int call : chain) again += bytes(graph_.calls[static_cast<std::size_t>(call)].outputs[0]);
      found.push_back({id, bytes(id), again});
    }
    std::stable_sort(found.begin(), found.end(), [](const Idle& a, const Idle& b) {
      return a.bytes * b.again != b.bytes * a.again ? a.bytes * b.again > b.bytes * a.again
                                                    : a.bytes > b.bytes;
    });
    std::vector<ValueId> out;
    for (const Idle& value : found) out.push_back(value.id);
    return out;
  }

  // The same with the value computed again behind the peak.
  Schedule without(ValueId id) const {
    Schedule out = *this;
    const int at = place_behind_peak(id);
    out.make_again(chain_of(id, at), at);
    out.leave_out_dead();
    out.measure();
    return out;
  }

 private:
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
  std::size_t bytes(ValueId id) const { return reads_[index(id)].bytes; }
  bool is_small(ValueId id) const { return bytes(id) * kSmallPart < peak_.bytes; }
  bool is_in_no_memory(ValueId id) const { return planned_[index(id)].home == Home::block; }

  void measure() {
    reads_ = lifetimes_of(graph_);
    planned_ = planned_lifetimes(graph_);
    peak_ = peak_of(graph_, planned_);
    maker_.assign(graph_.values.size(), -1);
    for (std::size_t i = 0; i < graph_.calls.size(); ++i) {
      for (const ValueId out : graph_.calls[i].outputs) maker_[index(out)] = static_cast<int>(i);
    }
    viewed_.assign(graph_.values.size(), false);
    for (const Lifetime& value : reads_) {
      if (value.home == Home::view) viewed_[index(value.base)] = true;
    }
  }

  const GraphCall& maker(ValueId id) const {
    return graph_.calls[static_cast<std::size_t>(maker_[index(id)])];
  }
  bool can_be_made_again(ValueId id) const {
    return maker_[index(id)] >= 0 && maker(id).op->elementwise != nullptr && !viewed_[index(id)];
  }

  // The first call behind this one that reads the value; as many as there are calls: none.
  int next_reader(ValueId id, int call) const {
    for (std::size_t i = static_cast<std::size_t>(call + 1); i < graph_.calls.size(); ++i) {
      const std::vector<ValueId>& in = graph_.calls[i].inputs;
      if (std::find(in.begin(), in.end(), id) != in.end()) return static_cast<int>(i);
    }
    return static_cast<int>(graph_.calls.size());
  }

  // Where the value would be made again.
  int place_behind_peak(ValueId id) const { return start_of_run(next_reader(id, peak_.call - 1)); }

  // What is made together cannot be parted.
  int start_of_run(int call) const {
    const auto number = [&](int i) { return graph_.calls[static_cast<std::size_t>(i)].fused; };
    while (call > 0 && number(call) != 0 && number(call - 1) == number(call)) --call;
    return call;
  }

  // Whether the value can be read at this call as it is.
  bool is_there(ValueId id, int call) const {
    const ValueId base = reads_[index(id)].base;
    if (reads_[index(base)].home == Home::outside) return !is_overwritten(base, call);
    return !is_in_no_memory(base) && (reads_[index(base)].last >= call || is_small(base));
  }

  // A slot, whose new value may be written where the old one was.
  bool is_overwritten(ValueId id, int call) const {
    for (const GraphInput& input : graph_.inputs) {
      if (input.value != id || input.kind != GraphInput::Kind::slot) continue;
      for (const GraphWrite& write : graph_.writes) {
        if (write.slot == input.index && maker_[index(write.value)] < call) return true;
      }
    }
    return false;
  }

  // The calls that make the value of what is there at that call, in order; empty: there is no such way.
  std::vector<int> chain_of(ValueId id, int at) const {
    std::vector<int> chain;
    // The value itself is there, at the cost of being kept: that is what is to end.
    return add_chain(id, at, chain) ? chain : std::vector<int>();
  }
  bool add_chain(ValueId id, int at, std::vector<int>& chain) const {
    const int made = maker_[index(id)];
    if (!can_be_made_again(id)) return false;
    if (std::find(chain.begin(), chain.end(), made) != chain.end()) return true;
    for (const ValueId input : maker(id).inputs) {
      if (!is_there(input, at) && !add_chain(input, at, chain)) return false;
    }
    chain.push_back(made);
    return chain.size() <= kLongestChain;
  }

  void make_again(const std::vector<int>& chain, int at) {
    std::map<ValueId, ValueId> again;
    std::vector<GraphCall> calls;
    const int numbers = highest_fused();
    for (const int number : chain) {
      GraphCall call = graph_.calls[static_cast<std::size_t>(number)];
      if (call.fused != 0) call.fused += numbers;
      for (ValueId& input : call.inputs) {
        if (const auto found = again.find(input); found != again.end()) input = found->second;
      }
      for (ValueId& output : call.outputs) {
        graph_.values.push_back(graph_.values[index(output)]);
        output = again[output] = static_cast<ValueId>(graph_.values.size()) - 1;
      }
      calls.push_back(std::move(call));
    }
    for (std::size_t i = static_cast<std::size_t>(at); i < graph_.calls.size(); ++i) {
      for (ValueId& input : graph_.calls[i].inputs) {
        if (const auto found = again.find(input); found != again.end()) input = found->second;
      }
    }
    use_in_place_of_later(again, at);
    graph_.calls.insert(graph_.calls.begin() + at, std::make_move_iterator(calls.begin()),
                        std::make_move_iterator(calls.end()));
  }

  // What had been made again further down, of a value that is now made again earlier, is no longer read.
  void use_in_place_of_later(const std::map<ValueId, ValueId>& again, int at) {
    for (const auto& [from, to] : again) {
      const ValueId origin = origin_of(from);
      const auto later = latest_.find(origin);
      // What this very chain makes again is not in the graph yet.
      const bool known = later != latest_.end() && index(later->second) < maker_.size();
      if (known && maker_[index(later->second)] >= at) {
        for (GraphCall& call : graph_.calls) {
          std::replace(call.inputs.begin(), call.inputs.end(), later->second, to);
        }
      }
      latest_[origin] = to;
      origin_[to] = origin;
    }
  }
  ValueId origin_of(ValueId id) const {
    const auto found = origin_.find(id);
    return found == origin_.end() ? id : found->second;
  }

  int highest_fused() const {
    int out = 0;
    for (const GraphCall& call : graph_.calls) out = std::max(out, call.fused);
    return out;
  }

  // Numbers of values stay what they are.
  void leave_out_dead() {
    std::set<ValueId> read(graph_.outputs.begin(), graph_.outputs.end());
    for (const GraphWrite& write : graph_.writes) read.insert(write.value);
    std::vector<GraphCall> kept;
    for (auto call = graph_.calls.rbegin(); call != graph_.calls.rend(); ++call) {
      const bool wanted = std::any_of(call->outputs.begin(), call->outputs.end(),
                                      [&](ValueId id) { return read.contains(id); });
      if (!wanted) continue;
      read.insert(call->inputs.begin(), call->inputs.end());
      kept.push_back(std::move(*call));
    }
    graph_.calls.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  }

  Graph graph_;
  std::vector<Lifetime> reads_;    // when values are read
  std::vector<Lifetime> planned_;  // where they are
  Peak peak_;
  std::vector<int> maker_;             // the call of each value, or -1
  std::vector<bool> viewed_;           // whether there are views of a value
  std::map<ValueId, ValueId> origin_;  // of what was made again
  std::map<ValueId, ValueId> latest_;  // the last that was made again of an origin
};

// 1, 2, 3 ... in the order of the calls.
void number_fused_anew(Graph& graph) {
  int number = 0;
  for (std::size_t first = 0; first < graph.calls.size();) {
    const std::size_t end = first + calls_together(graph, first);
    const bool fused = graph.calls[first].fused != 0;
    if (fused) ++number;
    for (; first < end; ++first) graph.calls[first].fused = fused ? number : 0;
  }
}

}  // namespace

std::size_t rematerialize(Graph& graph) {
  Schedule best(graph);
  const std::size_t before = best.peak();
  if (before < kLeastPeak) return 0;
  std::size_t places = 0;
  bool found = true;
  while (found && static_cast<double>(best.peak()) > kEnough * static_cast<double>(before)) {
    found = false;
    for (const ValueId id : best.idle_at_peak()) {
      Schedule next = best.without(id);
      if (next.peak() >= best.peak()) continue;
      best = std::move(next);
      found = true;
      ++places;
      break;
    }
  }
  if (places == 0) return 0;
  graph = best.graph();
  number_anew(graph);
  number_fused_anew(graph);
  return places;
}

}  // namespace splot::compiler
