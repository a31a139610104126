#include "splot/compiler/plan.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "splot/compiler/lifetimes.h"
#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/core/strided.h"
#include "splot/ops/fused.h"

namespace splot {

using compiler::Home;
using compiler::Lifetime;

namespace {

// A block from here on is the plan's only while it runs, so that several plans of a program do not each keep
// theirs: the allocator has it for the next one. Smaller ones stay, for to share them costs a step of a small
// network a hundredth of its time.
constexpr std::size_t kSharedBytes = std::size_t{1} << 20;

// What a step may touch in all if the next batch, fetched in the meantime, is still to be in the second-level
// cache at the end: half of what that usually holds.
constexpr std::size_t kStaysInCache = std::size_t{1} << 20;

}  // namespace

struct Plan::State {
  struct Call {
    const OpDef* op = nullptr;
    const Attrs* attrs = nullptr;
    TensorList inputs = {}, outputs = {};
    CallTime time = {};
    // Of an elementwise call, or of calls that are made together; else empty. Those of `operands` are what
    // they take.
    std::vector<FusedCall> together = {};
    std::vector<TensorList> operands = {};
    PreparedCalls prepared = {};

    void run();
  };
  struct Write {
    int slot;
    ValueId value;
    /// What the slot held before, where the op may write into it; else -1.
    ValueId in_place;
    int same;  // an earlier slot of which it holds the tensor, or -1
    /// What the slot gets where it is not written in place; what it had takes its place, so that no run asks
    /// for a tensor.
    Tensor spare;
  };

  explicit State(Graph traced);

  TensorImpl& impl(ValueId id) { return *values[static_cast<std::size_t>(id)].impl(); }
  const Tensor& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  const Lifetime& lifetime(ValueId id) const { return lifetimes[static_cast<std::size_t>(id)]; }

  // The elements of a value, and with them those of its views.
  void bind(ValueId id, const Ref<Storage>& storage, Index offset);
  // Memory of its own, not written yet.
  void provide(ValueId id) {
    const TensorImpl& value = impl(id);
    bind(id, Storage::allocate(static_cast<std::size_t>(value.shape.numel()) * value.dtype.size()), 0);
  }
  // Lets go of everything that is not the plan's.
  void release();

  void bind_argument(const GraphInput& input, std::span<const Tensor> arguments);
  void bind_slots();
  void write_key(const GraphInput& input, std::uint64_t counter);
  void compute();
  void write_slots();
  static void keep_spare(Tensor& x);
  // Makes the tensor, which nobody else may hold, one onto the elements of the value.
  void point(Tensor& x, ValueId id);
  // All values in the block.
  void take_block();
  // The memory of results that nobody holds any more, before memory for the next ones is asked for.
  void take_back();
  TensorList results();
  FetchAhead fetching(std::span<const Tensor> arguments, std::span<const Tensor> next) const;

  Call alone(std::size_t number) const;
  Call fused(std::size_t first, std::size_t count) const;
  ValueId writable(const GraphWrite& write) const;

  Graph graph;
  std::vector<Lifetime> lifetimes;
  std::vector<std::vector<ValueId>> views;  // of each value
  std::vector<Tensor> values;               // one for each; calls hold them too
  std::vector<Call> calls;
  std::vector<Write> writes;
  std::vector<ValueId> borrowed;  // whose elements are somebody else's, or will be
  TensorList given;               // the results of the last run; used again when nobody holds them any more
  // Values in the block, and where.
  std::vector<std::pair<ValueId, Index>> in_block;
  Ref<Storage> block;  // null between runs where it is not kept
  PlanMemory memory;
  std::size_t touched = 0;  // bytes that a run reads or writes
  bool takes_times = false;
};

Plan::State::State(Graph traced)
    : graph(std::move(traced)), lifetimes(compiler::planned_lifetimes(graph)), views(lifetimes.size()) {
  const compiler::Arena arena = compiler::place(lifetimes);
  memory = {.planned = arena.bytes, .lower_bound = arena.lower_bound, .separate = 0};
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    const GraphValue& value = graph.values[i];
    values.push_back(Tensor::without_elements(value.shape, value.dtype, value.strides));
    if (lifetimes[i].home == Home::view) {
      views[static_cast<std::size_t>(lifetimes[i].base)].push_back(static_cast<ValueId>(i));
    }
  }
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    if (lifetimes[i].home != Home::arena) continue;
    memory.separate += lifetimes[i].bytes;
    in_block.emplace_back(static_cast<ValueId>(i),
                          static_cast<Index>(arena.offsets[i] / graph.values[i].dtype.size()));
  }
  if (arena.bytes < kSharedBytes) take_block();
  touched = arena.bytes;
  for (const GraphInput& input : graph.inputs) {
    touched += lifetime(input.value).bytes;
    if (input.kind == GraphInput::Kind::constant) {
      bind(input.value, input.constant.impl()->storage, input.constant.impl()->offset);
    } else if (input.kind == GraphInput::Kind::key) {
      provide(input.value);
    } else {
      borrowed.push_back(input.value);
    }
  }
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    if (lifetimes[i].home == Home::own) borrowed.push_back(static_cast<ValueId>(i));
  }
  for (std::size_t number = 0; number < graph.calls.size();) {
    const std::size_t together = compiler::calls_together(graph, number);
    const GraphCall& call = graph.calls[number];
    if (together > 1 || call.op->elementwise != nullptr) {
      calls.push_back(fused(number, together));
    } else if (call.op->view == nullptr || lifetime(call.outputs[0]).home != Home::view) {
      calls.push_back(alone(number));
    }
    number += together;
  }
  for (const GraphWrite& write : graph.writes) {
    const auto earlier =
        std::find_if(writes.begin(), writes.end(), [&](const Write& w) { return w.value == write.value; });
    const int same = earlier == writes.end() ? -1 : earlier->slot;
    writes.push_back(
        {write.slot, write.value, writable(write), same, Tensor::without_elements({}, kFloat32)});
  }
}

Plan::State::Call Plan::State::alone(std::size_t number) const {
  const GraphCall& call = graph.calls[number];
  Call out{.op = call.op, .attrs = &call.attrs, .time = {.call = number}};
  for (const ValueId id : call.inputs) out.inputs.push_back(value(id));
  for (const ValueId id : call.outputs) out.outputs.push_back(value(id));
  return out;
}

Plan::State::Call Plan::State::fused(std::size_t first, std::size_t count) const {
  Call out{.op = graph.calls[first].op, .time = {.call = first, .calls = count}};
  out.operands.resize(count);  // which then stay where they are
  for (std::size_t i = 0; i < count; ++i) {
    const GraphCall& call = graph.calls[first + i];
    FusedCall one{.op = call.op, .attrs = &call.attrs, .output = &value(call.outputs[0])};
    for (std::size_t k = 0; k < call.inputs.size(); ++k) {
      out.operands[i].push_back(value(call.inputs[k]));
      for (std::size_t earlier = 0; earlier < i; ++earlier) {
        if (graph.calls[first + earlier].outputs[0] == call.inputs[k])
          one.made_by[k] = static_cast<int>(earlier);
      }
    }
    one.inputs = out.operands[i];
    one.kept = lifetime(call.outputs[0]).home != Home::block;
    out.together.push_back(one);
  }
  return out;
}

// The slot's own memory, where the op that makes the new value may write into it and nobody reads it later.
ValueId Plan::State::writable(const GraphWrite& write) const {
  ValueId old = -1;
  for (const GraphInput& input : graph.inputs) {
    if (input.kind == GraphInput::Kind::slot && input.index == write.slot) old = input.value;
  }
  if (old < 0 || lifetime(write.value).home != Home::own) return -1;
  for (const GraphWrite& other : graph.writes) {
    if (other.slot != write.slot && other.value == write.value) return -1;
  }
  for (const ValueId id : graph.outputs) {
    if (lifetime(id).base == write.value || lifetime(id).base == old) return -1;
  }
  const int number = lifetime(write.value).first;
  const GraphCall& call = graph.calls[static_cast<std::size_t>(number)];
  for (std::size_t i = 0; i < call.outputs.size() && i < std::size(call.op->reuses); ++i) {
    const int from = call.op->reuses[i];
    if (call.outputs[i] != write.value || from < 0) continue;
    // Once: the op may read its other operands when some of the result is written already.
    const auto readers = std::count_if(call.inputs.begin(), call.inputs.end(),
                                       [&](ValueId id) { return lifetime(id).base == old; });
    const bool fits = call.inputs[static_cast<std::size_t>(from)] == old && readers == 1 &&
                      lifetime(old).last == number && values[static_cast<std::size_t>(old)].is_contiguous() &&
                      values[static_cast<std::size_t>(write.value)].is_contiguous();
    return fits ? old : -1;
  }
  return -1;
}

void Plan::State::bind(ValueId id, const Ref<Storage>& storage, Index offset) {
  const auto set = [&](TensorImpl& to, Index behind) {
    to.storage = storage;
    to.offset = offset + behind;
    to.elements = true;
  };
  set(impl(id), 0);
  for (const ValueId view : views[static_cast<std::size_t>(id)]) set(impl(view), lifetime(view).offset);
}

void Plan::State::release() {
  const auto clear = [&](ValueId id) {
    impl(id).storage.reset();
    impl(id).elements = false;
  };
  const auto clear_all = [&](ValueId id) {
    clear(id);
    for (const ValueId view : views[static_cast<std::size_t>(id)]) clear(view);
  };
  for (const ValueId id : borrowed) clear_all(id);
  if (memory.planned < kSharedBytes) return;
  for (const auto& [id, offset] : in_block) clear_all(id);
  block.reset();
}

void Plan::State::take_block() {
  block = Storage::allocate(memory.planned);
  for (const auto& [id, offset] : in_block) bind(id, block, offset);
}

void Plan::State::bind_argument(const GraphInput& input, std::span<const Tensor> arguments) {
  const Tensor& argument = arguments[static_cast<std::size_t>(input.index)];
  const GraphValue& wanted = graph.values[static_cast<std::size_t>(input.value)];
  require<ValueError>(argument.defined(), "plan", "argument ", input.index, " is an undefined tensor");
  require(argument.shape() == wanted.shape, "plan", "argument ", input.index, " is ", argument.shape(),
          ", the plan was made for ", wanted.shape);
  require<DTypeError>(argument.dtype() == wanted.dtype, "plan", "argument ", input.index, " is ",
                      argument.dtype(), ", the plan was made for ", wanted.dtype);
  require(argument.strides() == wanted.strides, "plan", "argument ", input.index,
          " has its elements in another order than the plan was made for");
  bind(input.value, argument.impl()->storage, argument.impl()->offset);
}

void Plan::State::bind_slots() {
  if (const int changed = graph.slot_tensors.changed(graph.slots); changed >= 0) {
    fail<ValueError>("plan", "since this plan was made it has changed whether ",
                     graph.slots[static_cast<std::size_t>(changed)].name(),
                     " holds anything, or the tensor of an earlier slot; make another plan");
  }
  // First who may be written into: a bound value holds the memory too.
  for (const Write& write : writes) {
    if (write.in_place >= 0 && graph.slots[static_cast<std::size_t>(write.slot)].value().owns_storage()) {
      const TensorImpl& old = *graph.slots[static_cast<std::size_t>(write.slot)].value().impl();
      bind(write.value, old.storage, old.offset);
    }
  }
  for (const GraphInput& input : graph.inputs) {
    if (input.kind != GraphInput::Kind::slot) continue;
    const Slot& slot = graph.slots[static_cast<std::size_t>(input.index)];
    const GraphValue& wanted = graph.values[static_cast<std::size_t>(input.value)];
    const Tensor& now = slot.value();
    require(now.defined() && now.shape() == wanted.shape && now.dtype() == wanted.dtype &&
                now.strides() == wanted.strides,
            "plan", slot.name(), " is not what it was when the plan was made, ", wanted.dtype, wanted.shape);
    bind(input.value, now.impl()->storage, now.impl()->offset);
  }
  for (const ValueId id : borrowed) {
    if (lifetime(id).home == Home::own && !impl(id).elements) provide(id);
  }
}

void Plan::State::write_key(const GraphInput& input, std::uint64_t counter) {
  const std::uint64_t parts[] = {input.key.seed, input.key.stream,
                                 input.key.counter + (input.follows ? counter : 0)};
  std::memcpy(impl(input.value).storage->data(), parts, sizeof parts);
}

void Plan::State::Call::run() {
  if (!together.empty()) {
    const bool reduces = together.back().op->elementwise == nullptr;
    return reduces ? run_with_reduction(prepared, together) : prepared.run(together);
  }
  if (op->view != nullptr) {
    copy_dense(inputs[0], inputs[0].dtype(), const_cast<void*>(outputs[0].raw()));
    return;
  }
  const KernelArgs args(*op, {inputs.data(), inputs.size()}, {outputs.data(), outputs.size()}, *attrs);
  op->kernel(args);
}

void Plan::State::compute() {
  if (!takes_times) {
    for (Call& call : calls) call.run();
    return;
  }
  using Clock = std::chrono::steady_clock;
  for (Call& call : calls) {
    const Clock::time_point begin = Clock::now();
    call.run();
    call.time.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    ++call.time.runs;
  }
}

void Plan::State::write_slots() {
  for (Write& write : writes) {
    Slot& slot = graph.slots[static_cast<std::size_t>(write.slot)];
    if (write.same >= 0) {
      slot.set(graph.slots[static_cast<std::size_t>(write.same)].value());
      continue;
    }
    const Tensor& now = slot.value();
    const bool done = now.defined() && now.impl()->storage == impl(write.value).storage &&
                      now.impl()->offset == impl(write.value).offset;
    if (done) {
      slot.touch();
    } else {
      Tensor next = std::move(write.spare);
      point(next, write.value);
      write.spare = now;
      slot.set(std::move(next));
    }
  }
  for (Write& write : writes) keep_spare(write.spare);
}

// What has gone from its slot, without its elements. Where somebody holds it another one takes its place.
void Plan::State::keep_spare(Tensor& x) {
  if (!x.defined() || !x.impl()->unique()) {
    x = Tensor::without_elements({}, kFloat32);
  } else {
    x.impl()->storage.reset();
  }
}

void Plan::State::point(Tensor& x, ValueId id) {
  const TensorImpl& from = impl(id);
  TensorImpl& to = *x.impl();
  to.storage = from.storage;
  to.shape = from.shape;
  to.strides = from.strides;
  to.offset = from.offset;
  to.dtype = from.dtype;
  to.contiguous = from.contiguous;
  to.elements = true;
  to.wrapped = false;
  to.node.reset();
  to.output = 0;
}

void Plan::State::take_back() {
  for (Tensor& x : given) {
    if (x.impl()->unique()) x.impl()->storage.reset();
  }
}

TensorList Plan::State::results() {
  given.resize(graph.outputs.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!given[i].defined() || !given[i].impl()->unique()) given[i] = Tensor::without_elements({}, kFloat32);
    point(given[i], graph.outputs[i]);
  }
  return given;
}

// Of the largest argument: the others are labels and the like.
FetchAhead Plan::State::fetching(std::span<const Tensor> arguments, std::span<const Tensor> next) const {
  const auto bytes = [](const Tensor& x) {
    const bool known = x.defined() && x.has_elements() && x.is_contiguous();
    return known ? static_cast<std::size_t>(x.numel()) * x.dtype().size() : 0;
  };
  const Tensor* largest = nullptr;
  std::size_t most = 0;
  for (std::size_t i = 0; i < std::min(arguments.size(), next.size()); ++i) {
    if (const std::size_t size = std::min(bytes(arguments[i]), bytes(next[i])); size > most) {
      most = size;
      largest = &arguments[i];
    }
  }
  if (largest == nullptr || touched + most > kStaysInCache) return {};
  return {largest->raw(), next[static_cast<std::size_t>(largest - arguments.data())].raw(), most};
}

Plan::Plan(Graph graph) : state_(std::make_unique<State>(std::move(graph))) {}
Plan::~Plan() = default;
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;

TensorList Plan::run(std::span<const Tensor> arguments, std::uint64_t counter, std::span<const Tensor> next) {
  State& s = *state_;
  struct Release {
    State& state;
    ~Release() { state.release(); }
  } const release{s};
  std::size_t taken = 0;
  for (const GraphInput& input : s.graph.inputs) {
    if (input.kind == GraphInput::Kind::argument) ++taken;
  }
  require<ValueError>(taken == arguments.size(), "plan", "takes ", taken, " arguments, got ",
                      arguments.size());
  for (const GraphInput& input : s.graph.inputs) {
    if (input.kind == GraphInput::Kind::argument) s.bind_argument(input, arguments);
    if (input.kind == GraphInput::Kind::key) s.write_key(input, counter);
  }
  s.take_back();
  if (!s.block) s.take_block();
  s.bind_slots();
  {
    const FetchAhead fetch = s.fetching(arguments, next);
    s.compute();
  }
  TensorList results = s.results();
  s.write_slots();
  return results;
}

void Plan::take_times(bool on) { state_->takes_times = on; }
std::vector<CallTime> Plan::times() const {
  std::vector<CallTime> out;
  for (const State::Call& call : state_->calls) out.push_back(call.time);
  return out;
}

const Graph& Plan::graph() const { return state_->graph; }
PlanMemory Plan::memory() const { return state_->memory; }

}  // namespace splot
