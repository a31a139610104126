// early-update: the step of an optimiser is made as soon as the gradient is there and nobody reads the old
// weight any more. The gradient is then still in the caches, and does not wait in memory for the others.
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/compiler/lifetimes.h"

namespace splot::compiler {
namespace {

class Updates {
 public:
  explicit Updates(Graph& graph)
      : graph_(graph),
        lifetimes_(lifetimes_of(graph)),
        maker_(graph.values.size(), kBefore),
        place_(graph.calls.size()) {
    std::iota(place_.begin(), place_.end(), 0);
    for (std::size_t i = 0; i < graph.calls.size(); ++i) {
      for (const ValueId id : graph.calls[i].outputs) maker_[index(id)] = static_cast<int>(i);
    }
  }

  std::size_t run() {
    std::size_t moved = 0;
    for (std::size_t i = 0; i < graph_.calls.size(); ++i) {
      if (is_update(graph_.calls[i]) && move(static_cast<int>(i))) ++moved;
    }
    if (moved > 0) sort();
    return moved;
  }

 private:
  static constexpr int kBefore = -1;  // where what comes from outside is made
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
  const GraphCall& call(int i) const { return graph_.calls[static_cast<std::size_t>(i)]; }
  int& place(int i) { return place_[static_cast<std::size_t>(i)]; }

  // Writes all of its results over slots that it reads.
  bool is_update(const GraphCall& call) const {
    for (std::size_t i = 0; i < call.outputs.size(); ++i) {
      const bool written =
          std::any_of(graph_.writes.begin(), graph_.writes.end(),
                      [&](const GraphWrite& write) { return write.value == call.outputs[i]; });
      if (!written || i >= std::size(call.op->reuses) || call.op->reuses[i] < 0) return false;
    }
    return true;
  }

  // Behind what makes its operands and behind others that read what it writes over.
  bool move(int update) {
    int to = kBefore;
    std::vector<int> numbers;  // calls of single numbers that have to come along
    for (const ValueId id : call(update).inputs) {
      if (!numbers_come_along(id, numbers)) to = std::max(to, maker_[index(id)]);
    }
    for (const int number : numbers) {
      for (const ValueId id : call(number).inputs) {
        const int made = maker_[index(id)];
        if (std::find(numbers.begin(), numbers.end(), made) == numbers.end()) to = std::max(to, made);
      }
    }
    for (std::size_t i = 0; i < call(update).outputs.size(); ++i) {
      to = std::max(
          to, last_other_reader(call(update).inputs[static_cast<std::size_t>(call(update).op->reuses[i])],
                                update));
    }
    if (to + 1 >= update) return false;
    place(update) = to;
    for (const int number : numbers) place(number) = std::min(place(number), to);
    return true;
  }

  // Whether the value is one number that few calls make of others; they are added, earlier ones first.
  bool numbers_come_along(ValueId id, std::vector<int>& numbers) const {
    const int made = maker_[index(id)];
    if (made == kBefore || graph_.values[index(id)].shape.numel() > 1 || call(made).outputs.size() > 1)
      return false;
    if (std::find(numbers.begin(), numbers.end(), made) != numbers.end()) return true;
    for (const ValueId input : call(made).inputs) {
      const bool number = graph_.values[index(input)].shape.numel() <= 1;
      if (!number || (maker_[index(input)] != kBefore && !numbers_come_along(input, numbers))) return false;
    }
    numbers.push_back(made);
    return true;
  }

  int last_other_reader(ValueId id, int update) const {
    const ValueId base = lifetimes_[index(id)].base;
    for (int i = static_cast<int>(graph_.calls.size()) - 1; i >= 0; --i) {
      if (i == update) continue;
      for (const ValueId read : call(i).inputs) {
        if (lifetimes_[index(read)].base == base) return i;
      }
    }
    return kBefore;
  }

  // At each place the call that stands there comes first, then what has moved to it, in the order from
  // before.
  void sort() {
    std::vector<std::size_t> order(graph_.calls.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return place_[a] < place_[b]; });
    std::vector<GraphCall> calls;
    for (const std::size_t i : order) calls.push_back(std::move(graph_.calls[i]));
    graph_.calls = std::move(calls);
    number_anew(graph_);
  }

  Graph& graph_;
  std::vector<Lifetime> lifetimes_;
  std::vector<int> maker_;  // the call that makes each value
  std::vector<int> place_;  // of each call: the one behind which it stands, itself where it was not moved
};

}  // namespace

std::size_t early_update(Graph& graph) { return Updates(graph).run(); }

}  // namespace splot::compiler
