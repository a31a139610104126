#include "splot/compiler/lifetimes.h"

#include <algorithm>

#include "splot/core/storage.h"

namespace splot::compiler {

namespace {

Tensor like(const GraphValue& value) {
  return Tensor::without_elements(value.shape, value.dtype, value.strides);
}

std::size_t bytes_of(const GraphValue& value) {
  const std::size_t bytes = static_cast<std::size_t>(value.shape.numel()) * value.dtype.size();
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Lifetimes of the values of a graph, in the order in which they are found out.
class Lifetimes {
 public:
  explicit Lifetimes(const Graph& graph) : graph_(graph), out_(graph.values.size()) {}

  std::vector<Lifetime> one_by_one() {
    follow_calls();
    keep_results();
    return std::move(out_);
  }

  std::vector<Lifetime> planned() {
    follow_calls();
    keep_results();
    find_runs();
    hand_on_in_blocks();
    stretch_over_runs();
    write_over_operands();
    return std::move(out_);
  }

 private:
  // Calls that are made together.
  struct Run {
    int first = 0, last = 0;
    bool alone() const { return first == last; }
  };

  void find_runs() {
    run_.resize(graph_.calls.size());
    for (std::size_t first = 0; first < run_.size(); first += calls_together(graph_, first)) {
      const Run run{static_cast<int>(first), static_cast<int>(first + calls_together(graph_, first)) - 1};
      std::fill(run_.begin() + run.first, run_.begin() + run.last + 1, run);
    }
  }

  Lifetime& at(ValueId id) { return out_[static_cast<std::size_t>(id)]; }
  const GraphCall& call(int number) const { return graph_.calls[static_cast<std::size_t>(number)]; }
  const Run& run(int number) const { return run_[static_cast<std::size_t>(number)]; }
  int calls() const { return static_cast<int>(graph_.calls.size()); }

  void follow_calls() {
    for (std::size_t i = 0; i < out_.size(); ++i) {
      out_[i].base = static_cast<ValueId>(i);
      out_[i].bytes = bytes_of(graph_.values[i]);
    }
    for (const GraphInput& input : graph_.inputs) at(input.value).home = Home::outside;
    for (int number = 0; number < calls(); ++number) {
      for (const ValueId id : call(number).inputs) at(at(id).base).last = number;
      for (const ValueId id : call(number).outputs) at(id).first = at(id).last = number;
      if (call(number).op->view != nullptr) see_through(call(number));
    }
  }

  void see_through(const GraphCall& view) {
    const TensorList x = {like(graph_.values[static_cast<std::size_t>(view.inputs[0])])};
    const Tensor seen = view.op->view(x, view.attrs);
    if (seen.impl()->storage != x[0].impl()->storage) return;  // it has to be copied
    const Lifetime& from = at(view.inputs[0]);
    Lifetime& to = at(view.outputs[0]);
    to.home = Home::view;
    to.base = from.base;
    to.offset = from.offset + seen.impl()->offset;
  }

  void keep_results() {
    const auto keep = [&](ValueId id) {
      Lifetime& base = at(at(id).base);
      if (base.home == Home::arena) base.home = Home::own;
      base.last = calls();
    };
    for (const ValueId id : graph_.outputs) keep(id);
    for (const GraphWrite& write : graph_.writes) keep(write.value);
  }

  void hand_on_in_blocks() {
    for (int number = 0; number < calls(); ++number) {
      if (run(number).alone()) continue;
      for (const ValueId id : call(number).outputs) {
        if (at(id).home == Home::arena && at(id).last <= run(number).last) at(id).home = Home::block;
      }
    }
  }

  // Some of its results are there before all of its operands have been read.
  void stretch_over_runs() {
    last_read_.resize(out_.size());
    for (std::size_t i = 0; i < out_.size(); ++i) last_read_[i] = out_[i].last;
    for (int number = 0; number < calls(); ++number) {
      for (const ValueId id : call(number).inputs) {
        Lifetime& base = at(at(id).base);
        base.last = std::max(base.last, run(number).last);
      }
      for (const ValueId id : call(number).outputs) at(id).first = run(number).first;
    }
  }

  // Whether a kernel that goes from element to element may write y where x is, once it has read it.
  bool lie_alike(ValueId x, ValueId y) const {
    const GraphValue& a = graph_.values[static_cast<std::size_t>(x)];
    const GraphValue& b = graph_.values[static_cast<std::size_t>(y)];
    return a.shape == b.shape && a.strides == b.strides && a.dtype.size() == b.dtype.size();
  }

  void write_over_operands() {
    for (int number = 0; number < calls(); ++number) {
      if (call(number).op->elementwise == nullptr) continue;
      const ValueId result = call(number).outputs[0];
      if (at(result).home != Home::arena) continue;
      for (const ValueId id : call(number).inputs) {
        const Lifetime& x = at(id);
        const Lifetime& base = at(x.base);
        if (base.home != Home::arena || x.offset != 0 || base.bytes != at(result).bytes) continue;
        if (last_read_[static_cast<std::size_t>(x.base)] != number || !lie_alike(id, result)) continue;
        move_into(result, x.base);
        break;
      }
    }
  }

  void move_into(ValueId value, ValueId base) {
    const int last = at(value).last;
    at(value).home = Home::view;
    for (Lifetime& other : out_) {
      if (other.base == value) other.base = base;
    }
    at(base).last = std::max(at(base).last, last);
    last_read_[static_cast<std::size_t>(base)] = last_read_[static_cast<std::size_t>(value)];
  }

  const Graph& graph_;
  std::vector<Lifetime> out_;
  std::vector<Run> run_;  // of each call
  std::vector<int> last_read_;
};

}  // namespace

std::size_t calls_together(const Graph& graph, std::size_t first) {
  const int number = graph.calls[first].fused;
  std::size_t end = first + 1;
  while (number != 0 && end < graph.calls.size() && graph.calls[end].fused == number) ++end;
  return end - first;
}

std::vector<Lifetime> lifetimes_of(const Graph& graph) { return Lifetimes(graph).one_by_one(); }

std::vector<Lifetime> planned_lifetimes(const Graph& graph) { return Lifetimes(graph).planned(); }

Arena place(const std::vector<Lifetime>& lifetimes) {
  Arena out{.offsets = std::vector<std::size_t>(lifetimes.size()), .bytes = 0, .lower_bound = 0};
  std::vector<std::size_t> order;
  int calls = 0;
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    if (lifetimes[i].home != Home::arena) continue;
    order.push_back(i);
    calls = std::max(calls, lifetimes[i].last + 1);
  }
  std::vector<std::size_t> alive(static_cast<std::size_t>(calls));
  for (const std::size_t i : order) {
    for (int call = lifetimes[i].first; call <= lifetimes[i].last; ++call) {
      alive[static_cast<std::size_t>(call)] += lifetimes[i].bytes;
    }
  }
  for (const std::size_t bytes : alive) out.lower_bound = std::max(out.lower_bound, bytes);

  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  std::vector<std::size_t> placed;  // by their places
  for (const std::size_t i : order) {
    const Lifetime& value = lifetimes[i];
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together = lifetimes[other].first <= value.last && value.first <= lifetimes[other].last;
      if (!together) continue;
      if (offset + value.bytes <= out.offsets[other]) break;
      offset = std::max(offset, out.offsets[other] + lifetimes[other].bytes);
    }
    out.offsets[i] = offset;
    out.bytes = std::max(out.bytes, offset + value.bytes);
    const auto where = std::upper_bound(placed.begin(), placed.end(), offset,
                                        [&](std::size_t o, std::size_t p) { return o < out.offsets[p]; });
    placed.insert(where, i);
  }
  return out;
}

}  // namespace splot::compiler
