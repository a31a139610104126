#include "splot/compiler/c/internal/lowered_step.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "splot/compiler/c/internal/step_writer.h"
#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/core/strided.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

std::size_t place_of(ValueId id) { return static_cast<std::size_t>(id); }

// Whether all elements are the same: then they are written as one number.
bool is_one_number(const Tensor& x) {
  if (!x.dtype().is_floating() || x.numel() < 2) return false;
  const std::vector<double> elements = x.to_vector<double>();
  return std::all_of(elements.begin(), elements.end(), [&](double v) { return v == elements[0]; });
}

/// Does the work of lower_step_for_c() in its order.
class StepLowering {
 public:
  explicit StepLowering(const Graph& traced) : traced_(traced) {
    lowered().graph.values = traced.values;
    lowered().known.resize(traced.values.size());
    made_by_.assign(traced.values.size(), -1);
    for (std::size_t i = 0; i < traced.calls.size(); ++i) {
      for (const ValueId id : traced.calls[i].outputs) made_by_[place_of(id)] = static_cast<int>(i);
    }
  }

  CLoweredStep run() {
    require<ValueError>(traced_.outputs.size() == 1, "export",
                        "a training step has one result, the loss; this has ", traced_.outputs.size());
    find_changing();
    read_inputs();
    compute_constants();
    leave_out_unread();
    for (const Piece& piece : calls_) check(piece.call);
    join();
    update_early();
    finish();
    return std::move(out_);
  }

 private:
  struct Piece {
    GraphCall call;
    int number;  // in the traced graph
  };
  struct Joined {
    CStep step;
    int number;  // of its last call
  };

  CLowered& lowered() { return out_.lowered; }
  CKnown& known(ValueId id) { return lowered().known[place_of(id)]; }
  bool is_constant(ValueId id) { return known(id).value.defined() && !known(id).changes; }
  const Slot& slot(int index) const { return traced_.slots[static_cast<std::size_t>(index)]; }

  static bool counts_steps(const std::string& name) { return name.starts_with("step."); }
  static bool is_rate(const std::string& name) { return name.starts_with("lr."); }

  // Every write has to be what an update makes of the slot itself: in C it is made where the slot lies.
  void find_changing() {
    for (const GraphWrite& write : traced_.writes) {
      const std::string& name = slot(write.slot).name();
      const int number = made_by_[place_of(write.value)];
      const GraphCall* call = number < 0 ? nullptr : &traced_.calls[static_cast<std::size_t>(number)];
      if (counts_steps(name) && call != nullptr && call->op == &add_op) continue;  // model_steps counts
      require<ValueError>(
          call != nullptr && is_update(*call->op), "export", name, " is changed by ",
          call == nullptr ? "nothing that is computed" : call->op->name,
          ": learning in C is for linear layers, convolutions, pooling, activations, flatten and "
          "dropout, with sgd, adam, adamw, rmsprop or adagrad");
      const auto result = static_cast<std::size_t>(
          std::find(call->outputs.begin(), call->outputs.end(), write.value) - call->outputs.begin());
      const auto old = static_cast<std::size_t>(call->op->reuses[result]);
      const ValueId before = call->inputs[old];
      const bool in_place =
          std::any_of(traced_.inputs.begin(), traced_.inputs.end(), [&](const GraphInput& input) {
            return input.kind == GraphInput::Kind::slot && input.value == before && input.index == write.slot;
          });
      require<ValueError>(in_place, "export", name, " gets what ", call->op->name,
                          " makes of something else");
      out_.changing.insert(name);
    }
    require<ValueError>(!out_.changing.empty(), "export", "the step changes no weights");
  }

  void read_inputs() {
    std::vector<double> rates;
    int arguments = 0;
    for (const GraphInput& input : traced_.inputs) {
      if (input.kind == GraphInput::Kind::slot) {
        read_slot(input, rates);
      } else if (input.kind == GraphInput::Kind::constant) {
        known(input.value) = {.value = input.constant, .one_number = is_one_number(input.constant)};
      } else if (input.kind == GraphInput::Kind::key) {
        lowered().keys.push_back(input);
      } else {
        ++arguments;
        (input.index == 0 ? lowered().input : out_.targets) = input.value;
      }
    }
    require<ValueError>(arguments == 2, "export", "a training step takes inputs and targets; this takes ",
                        arguments);
    for (const double rate : rates) {
      require<ValueError>(rate == rates[0], "export", "groups of parameters have the learning rates ",
                          rates[0], " and ", rate, "; C is written for one");
    }
    require<ValueError>(!rates.empty(), "export", "the optimiser has no learning rate");
    out_.learning_rate = rates[0];
  }

  void read_slot(const GraphInput& input, std::vector<double>& rates) {
    const Slot& of = slot(input.index);
    if (counts_steps(of.name())) return;
    if (is_rate(of.name())) {
      rates.push_back(of.value().item<double>());
      return;
    }
    const GraphValue& value = traced_.values[place_of(input.value)];
    require<ValueError>(is_row_major(value.shape, value.strides), "export", of.name(),
                        " does not lie row by row in memory");
    const bool changes = out_.changing.contains(of.name());
    const bool parameter = of.parameter() != nullptr;
    known(input.value) = {of.value().detach(), parameter ? layer_of(of.name()) : std::vector<std::string>(),
                          of.name(), changes, !parameter};
  }

  void compute_constants() {
    const NoGrad off;
    for (std::size_t i = 0; i < traced_.calls.size(); ++i) {
      const GraphCall& call = traced_.calls[i];
      TensorList inputs;
      std::vector<std::string> layers;
      for (const ValueId id : call.inputs) {
        add_layers(layers, known(id).layers);
        if (is_constant(id)) inputs.push_back(known(id).value);
      }
      if (inputs.size() < call.inputs.size()) {
        calls_.push_back({call, static_cast<int>(i)});
        // A weight seen another way is still that layer's.
        if (call.op->view != nullptr) known(call.outputs[0]).layers = layers;
        continue;
      }
      const TensorList results = apply_all(*call.op, inputs, call.attrs);
      for (std::size_t k = 0; k < results.size(); ++k) {
        known(call.outputs[k]) = {
            .value = results[k], .layers = layers, .one_number = is_one_number(results[k])};
      }
    }
    require<ValueError>(!is_constant(traced_.outputs[0]), "export", "the loss does not depend on the input");
  }

  // Of an update only the gradient is looked at here: the rest lies where it stays.
  std::vector<ValueId> operands(const GraphCall& call) const {
    return is_update(*call.op) ? std::vector<ValueId>{call.inputs[1]} : call.inputs;
  }

  void leave_out_unread() {
    reads_.assign(traced_.values.size(), 0);
    ++reads_[place_of(traced_.outputs[0])];
    std::vector<Piece> read;
    for (std::size_t i = calls_.size(); i-- > 0;) {
      Piece& piece = calls_[i];
      const bool used =
          is_update(*piece.call.op) || std::any_of(piece.call.outputs.begin(), piece.call.outputs.end(),
                                                   [&](ValueId id) { return reads_[place_of(id)] > 0; });
      if (!used) continue;
      for (const ValueId id : operands(piece.call)) ++reads_[place_of(id)];
      read.push_back(std::move(piece));
    }
    std::reverse(read.begin(), read.end());
    calls_ = std::move(read);
  }

  std::vector<std::string> layers_of(const GraphCall& call) {
    std::vector<std::string> out;
    for (const ValueId id : call.inputs) add_layers(out, known(id).layers);
    return out;
  }

  void check(const GraphCall& call) {
    const std::string name = where_in({{}, layers_of(call)}, call);
    require<ValueError>(c_writer(*call.op) != nullptr && call.op != &batch_norm_op, "export", name,
                        " is no part of a training step that can be written as C: those have linear layers, "
                        "convolutions, pooling, activations, flatten and dropout");
    for (const ValueId id : call.inputs) {
      const bool drawn = std::any_of(lowered().keys.begin(), lowered().keys.end(),
                                     [&](const GraphInput& key) { return key.value == id; });
      require<ValueError>(!drawn || call.op == &bernoulli_op, "export", name,
                          " draws random numbers; C is written for those of dropout alone");
    }
    if (is_update(*call.op)) {
      for (const ValueId id : call.outputs) {
        require<ValueError>(reads_[place_of(id)] == 0, "export", name,
                            " makes a weight that the same step reads");
      }
    }
    for (const ValueId id : call.outputs) {
      const DType dtype = traced_.values[place_of(id)].dtype;
      const bool winners = call.op == &max_pool2d_op && id == call.outputs[1];
      require<ValueError>(reads_[place_of(id)] == 0 || dtype.is_floating() || dtype == kBool || winners,
                          "export", name, " makes ", dtype, "; C is written for floating numbers alone");
    }
    find_classes(call);
  }

  // Of how many classes the targets are numbers.
  void find_classes(const GraphCall& call) {
    if (traced_.values[place_of(out_.targets)].dtype.is_floating()) return;
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
      if (call.inputs[i] != out_.targets) continue;
      Index count = 0;
      if (call.op == &one_hot_op) count = call.attrs.integer("classes");
      if (call.op == &softmax_cross_entropy_op) count = traced_.values[place_of(call.inputs[0])].shape[-1];
      if (call.op == &softmax_cross_entropy_grad_op)
        count = traced_.values[place_of(call.inputs[1])].shape[-1];
      require<ValueError>(count > 0, "export", call.op->name,
                          " looks at class numbers; C is written for losses that take them whole");
      out_.classes = std::min(count, out_.classes.value_or(count));
    }
  }

  // The step whose result the op can take as it is made: one that nobody else reads, of the same shape.
  std::size_t taken_by(const GraphCall& call) {
    if (call.op->elementwise == nullptr && call.op != &cast_op && !is_update(*call.op)) return steps_.size();
    std::size_t found = steps_.size();
    for (const ValueId id : operands(call)) {
      if (reads_[place_of(id)] != 1 ||
          !(traced_.values[place_of(id)].shape == traced_.values[place_of(call.outputs[0])].shape))
        continue;
      for (std::size_t i = 0; i < steps_.size(); ++i) {
        const CStep& step = steps_[i].step;
        const bool makes = step.calls.back().outputs[0] == id && step.calls.front().op->view == nullptr &&
                           step.calls.front().op != &bernoulli_op;
        if (makes && (found == steps_.size() || i > found)) found = i;
      }
    }
    return found;
  }

  // A step comes where its last op stood: all that its ops read is there by then.
  void join() {
    for (Piece& piece : calls_) {
      Joined joined{{}, piece.number};
      const std::size_t taken = taken_by(piece.call);
      if (taken < steps_.size()) {
        joined.step = std::move(steps_[taken].step);
        steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(taken));
      }
      add_layers(joined.step.layers, layers_of(piece.call));
      joined.step.calls.push_back(std::move(piece.call));
      steps_.push_back(std::move(joined));
    }
  }

  // The value that this one is a view of, or itself.
  ValueId base_of(ValueId id) const {
    for (int made = made_by_[place_of(id)]; made >= 0; made = made_by_[place_of(id)]) {
      const GraphCall& call = traced_.calls[static_cast<std::size_t>(made)];
      if (call.op->view == nullptr) break;
      id = call.inputs[0];
    }
    return id;
  }

  // As soon as nobody reads the old weight any more: what a gradient is made of is then free sooner.
  void update_early() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const CStep& step = steps_[i].step;
      if (!is_update(*step.calls.back().op)) continue;
      const ValueId weight = step.calls.back().inputs[0];
      std::size_t to = i;
      while (to > 0 && !comes_before(steps_[to - 1].step, step, weight)) --to;
      std::rotate(steps_.begin() + static_cast<std::ptrdiff_t>(to),
                  steps_.begin() + static_cast<std::ptrdiff_t>(i),
                  steps_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }

  bool comes_before(const CStep& earlier, const CStep& update, ValueId weight) const {
    for (const GraphCall& call : earlier.calls) {
      for (const ValueId id : call.inputs) {
        if (base_of(id) == weight) return true;
      }
      for (const ValueId made : call.outputs) {
        for (const GraphCall& reader : update.calls) {
          const auto& inputs = reader.inputs;
          if (std::find(inputs.begin(), inputs.end(), made) != inputs.end()) return true;
        }
      }
    }
    return false;
  }

  // What is not in memory while the program runs takes none of it.
  void finish() {
    std::vector<bool> in_memory(traced_.values.size(), false);
    in_memory[place_of(lowered().input)] = in_memory[place_of(out_.targets)] = true;
    Graph& graph = lowered().graph;
    for (const GraphInput& input : traced_.inputs) {
      if (input.kind == GraphInput::Kind::argument) graph.inputs.push_back(input);
    }
    const int loss = made_by_[place_of(traced_.outputs[0])];
    for (Joined& joined : steps_) {
      GraphCall call = call_of(joined.step);
      for (const ValueId id : call.outputs) in_memory[place_of(id)] = true;
      graph.calls.push_back(std::move(call));
      lowered().steps.push_back(std::move(joined.step));
      out_.backward.push_back(joined.number > loss);
    }
    for (std::size_t i = 0; i < traced_.values.size(); ++i) as_c(static_cast<ValueId>(i), in_memory[i]);
    graph.outputs = traced_.outputs;
    lowered().output = traced_.outputs[0];
    lowered().lifetimes = lifetimes_of(graph);
    lowered().arena = place(lowered().lifetimes);
  }

  // One call for the step, with all that it reads and makes.
  GraphCall call_of(const CStep& step) {
    GraphCall out = step.calls.front();
    out.inputs.clear();
    std::vector<ValueId> inside;
    for (const GraphCall& call : step.calls) {
      for (const ValueId id : call.inputs) {
        if (std::find(inside.begin(), inside.end(), id) == inside.end()) out.inputs.push_back(id);
      }
      inside.push_back(call.outputs[0]);
    }
    out.outputs.clear();
    const GraphCall& last = step.calls.back();
    if (is_update(*last.op)) {
      weights_.push_back(last.outputs[0]);
    } else {
      out.outputs.push_back(last.outputs[0]);
    }
    const GraphCall& first = step.calls.front();
    for (std::size_t i = 1; i < first.outputs.size() && &first != &last; ++i)
      add_if_read(out, first.outputs[i]);
    for (std::size_t i = 1; i < last.outputs.size() && !is_update(*last.op); ++i)
      add_if_read(out, last.outputs[i]);
    return out;
  }

  void add_if_read(GraphCall& call, ValueId id) const {
    if (reads_[place_of(id)] > 0) call.outputs.push_back(id);
  }

  void as_c(ValueId id, bool in_memory) {
    GraphValue& value = lowered().graph.values[place_of(id)];
    const bool byte = value.dtype == kUInt8;
    const bool whole = id == out_.targets && !value.dtype.is_floating();
    lowered().condition.push_back(value.dtype == kBool);
    lowered().types.push_back(byte ? CType::byte : whole ? CType::whole : CType::number);
    value.dtype = byte ? kUInt8 : kFloat32;
    const bool updated = std::find(weights_.begin(), weights_.end(), id) != weights_.end();
    if (known(id).value.defined() || updated) {
      lowered().graph.inputs.push_back({.kind = GraphInput::Kind::constant, .value = id});
    } else if (!in_memory) {
      value = {Shape({0}), kFloat32, {1}};
    }
  }

  const Graph& traced_;
  CLoweredStep out_;
  std::vector<int> made_by_;  // the traced call that makes a value
  std::vector<Piece> calls_;
  std::vector<Joined> steps_;
  std::vector<int> reads_;
  std::vector<ValueId> weights_;  // what updates make of weights
};

}  // namespace

CLoweredStep lower_step_for_c(const Graph& traced) { return StepLowering(traced).run(); }

}  // namespace splot::compiler
