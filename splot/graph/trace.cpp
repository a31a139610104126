#include "splot/graph/trace.h"

#include <unordered_map>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/core/recorder.h"
#include "splot/ops/op_records.h"
#include "splot/ops/random.h"

namespace splot {
namespace {

// The counter that a function is traced with: so large that keys which follow it are known by theirs.
constexpr std::uint64_t kTracedCounter = std::uint64_t{1} << 62;

class GraphRecorder final : public Recorder {
 public:
  explicit GraphRecorder(Graph& graph) : graph_(graph) {}

  /// The tensor, and every other window onto the same elements, is that value from now on.
  void know(const Tensor& x, ValueId value) { ids_[x.impl()->storage.get()] = {value, x}; }
  /// Null: it has not been met.
  const ValueId* find(const Tensor& x) const {
    const auto found = ids_.find(x.impl()->storage.get());
    if (found == ids_.end()) return nullptr;
    const TensorImpl& known = *found->second.tensor.impl();
    const TensorImpl& asked = *x.impl();
    const bool same =
        known.offset == asked.offset && known.shape == asked.shape && known.strides == asked.strides;
    return same ? &found->second.id : nullptr;
  }

  /// Finds out what an input is; a tensor of the function's own making becomes a constant.
  ValueId id_of(const Tensor& x, const char* where) {
    if (const ValueId* id = find(x)) return *id;
    require<TraceError>(x.has_elements(), "trace", where, " gets the result of another trace, ", x.dtype(),
                        x.shape());
    require<TraceError>(
        x.is_wrapped_number() || made_.contains(x.impl()->storage.get()), "trace", where, " uses ", x.dtype(),
        x.shape(),
        ", which was there before the function was called: its value would be frozen. Make it "
        "an argument of the function, or a slot");
    return add_input({.kind = GraphInput::Kind::constant, .constant = x.detach()}, x);
  }

  ValueId add_input(GraphInput input, const Tensor& x) {
    input.value = graph_.add_value(x);
    graph_.inputs.push_back(std::move(input));
    know(x, graph_.inputs.back().value);
    return graph_.inputs.back().value;
  }

  void call(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs,
            std::span<const Tensor> outputs) override {
    GraphCall call;
    call.op = &op;
    call.attrs = attrs;
    for (const Tensor& input : inputs) call.inputs.push_back(id_of(input, op.name));
    for (const Tensor& output : outputs) {
      call.outputs.push_back(graph_.add_value(output));
      know(output, call.outputs.back());
      made_by_[call.outputs.back()] = op.name;
    }
    graph_.calls.push_back(std::move(call));
  }

  Tensor dense(const Tensor& x) override {
    Tensor out = Tensor::without_elements(x.shape(), x.dtype());
    if (find(x) == nullptr) return out;  // only asked how a view would look
    const Attrs attrs(cast_op.attrs, {x.dtype()});
    call(cast_op, {&x, 1}, attrs, {&out, 1});
    out.impl()->node = x.impl()->node;
    out.impl()->output = x.impl()->output;
    return out;
  }

  Tensor key(const RandomKey& key) override {
    Tensor out = Tensor::without_elements({3}, kInt64);
    const bool follows = key.counter >= kTracedCounter;
    add_input({.kind = GraphInput::Kind::key,
               .key = key.with_counter(follows ? key.counter - kTracedCounter : key.counter),
               .follows = follows},
              out);
    return out;
  }

  void made(const Tensor& x) override { made_.insert({x.impl()->storage.get(), x.impl()->storage}); }

  std::string describe(const Tensor& x) const override {
    const ValueId* id = find(x);
    if (id == nullptr) return "a tensor";
    for (const GraphInput& input : graph_.inputs) {
      if (input.value != *id) continue;
      return input.kind == GraphInput::Kind::slot ? graph_.slots[static_cast<std::size_t>(input.index)].name()
                                                  : join("argument ", input.index);
    }
    const auto op = made_by_.find(*id);
    return op == made_by_.end() ? "a result" : join("the result of ", op->second);
  }

 private:
  Graph& graph_;
  struct Known {
    ValueId id = 0;
    Tensor tensor;  // held, so that no address is used twice
  };
  std::unordered_map<const Storage*, Known> ids_;
  std::unordered_map<ValueId, const char*> made_by_;
  std::unordered_map<const Storage*, Ref<Storage>> made_;
};

// Slots as they were, whatever the function did.
class KeptSlots {
 public:
  explicit KeptSlots(const std::vector<Slot>& slots) : slots_(slots) {
    for (const Slot& slot : slots_) {
      values_.push_back(slot.value());
      gradients_.push_back(slot.parameter() != nullptr ? slot.parameter()->grad() : Tensor());
    }
  }
  ~KeptSlots() {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].value().impl() != values_[i].impl()) slots_[i].set(values_[i]);
      if (slots_[i].parameter() == nullptr) continue;
      Parameter parameter = *slots_[i].parameter();
      parameter.zero_grad();
      if (gradients_[i].defined()) parameter.set_grad(gradients_[i]);
    }
  }
  KeptSlots(const KeptSlots&) = delete;
  KeptSlots& operator=(const KeptSlots&) = delete;

  const Tensor& value(std::size_t i) const { return values_[i]; }

 private:
  std::vector<Slot> slots_;
  std::vector<Tensor> values_, gradients_;
};

// Slot i without elements, as the function gets it: what it reads of a slot would be frozen as well. Slots
// that hold the same tensor go on holding the same.
Tensor give_slot(Graph& graph, std::size_t i, const KeptSlots& kept, const TensorList& before,
                 GraphRecorder& recorder) {
  const int first = graph.slot_tensors.first_with(i);
  if (first < 0) return {};
  if (const auto earlier = static_cast<std::size_t>(first); earlier != i) {
    graph.slots[i].set(before[earlier]);
    return before[earlier];
  }
  const Tensor& value = kept.value(i);
  Tensor out = Tensor::without_elements(value.shape(), value.dtype(), value.strides());
  graph.slots[i].set(out);
  recorder.add_input({.kind = GraphInput::Kind::slot, .index = first}, out);
  return out;
}

}  // namespace

Graph trace(const TracedFunction& function, std::span<const Tensor> arguments, const TraceOptions& options) {
  Graph graph;
  graph.slots = options.slots;
  graph.slot_tensors = SlotTensors(graph.slots);
  const KeptSlots kept(graph.slots);
  GraphRecorder recorder(graph);
  const Recording recording(recorder);
  TensorList given;
  for (const Tensor& argument : arguments) {
    require<ValueError>(argument.defined(), "trace", "argument ", given.size(), " is an undefined tensor");
    given.push_back(Tensor::without_elements(argument.shape(), argument.dtype(), argument.strides()));
    recorder.add_input({.kind = GraphInput::Kind::argument, .index = static_cast<int>(given.size()) - 1},
                       given.back());
  }
  TensorList slots;
  for (std::size_t i = 0; i < graph.slots.size(); ++i) {
    slots.push_back(give_slot(graph, i, kept, slots, recorder));
  }
  const TensorList results = function({given.data(), given.size()}, kTracedCounter);
  for (const Tensor& result : results) {
    require<ValueError>(result.defined(), "trace", "result ", graph.outputs.size(),
                        " is an undefined tensor");
    graph.outputs.push_back(recorder.id_of(result, "return"));
  }
  for (std::size_t i = 0; i < graph.slots.size(); ++i) {
    const Tensor& value = graph.slots[i].value();
    if (!value.defined() || (slots[i].defined() && value.impl()->storage == slots[i].impl()->storage))
      continue;
    graph.writes.push_back({static_cast<int>(i), recorder.id_of(value, graph.slots[i].name().c_str())});
  }
  return graph;
}

}  // namespace splot
