#include "splot/compiler/c/internal/lowered.h"

#include <algorithm>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/core/strided.h"
#include "splot/ops/op_records.h"

namespace splot::compiler {

std::string where_in(const CStep& step, const GraphCall& call) {
  return step.layers.empty() ? call.op->name : join(step.layers[0], " (", call.op->name, ')');
}

void add_layers(std::vector<std::string>& to, const std::vector<std::string>& more) {
  for (const std::string& layer : more) {
    if (std::find(to.begin(), to.end(), layer) == to.end()) to.push_back(layer);
  }
}

std::vector<std::string> layer_of(const std::string& slot) {
  const std::size_t dot = slot.rfind('.');
  return dot == std::string::npos ? std::vector<std::string>()
                                  : std::vector<std::string>{slot.substr(0, dot)};
}

namespace {

std::size_t at(ValueId id) { return static_cast<std::size_t>(id); }

/// Does the work of lower_for_c() in its order.
class Lowering {
 public:
  Lowering(const Graph& traced, const std::set<std::string>& changing)
      : traced_(traced), changing_(changing) {
    out_.graph.values = traced.values;
    out_.known.resize(traced.values.size());
  }

  CLowered run() {
    require<ValueError>(traced_.outputs.size() == 1, "export", "the network has ", traced_.outputs.size(),
                        " results; one can be exported");
    require<ValueError>(traced_.writes.empty(), "export", "the network changes ",
                        traced_.writes.empty() ? "" : traced_.slots[at(traced_.writes[0].slot)].name(),
                        ": only what computes a result can be exported, not learning");
    read_inputs();
    compute_constants();
    leave_out_unread();
    join_elementwise();
    own_output();
    as_floats();
    out_.lifetimes = lifetimes_of(out_.graph);
    out_.arena = place(out_.lifetimes);
    return std::move(out_);
  }

 private:
  bool is_known(ValueId id) const { return out_.known[at(id)].value.defined(); }

  void read_inputs() {
    int arguments = 0;
    for (const GraphInput& input : traced_.inputs) {
      CKnown& known = out_.known[at(input.value)];
      if (input.kind == GraphInput::Kind::slot) {
        const Slot& slot = traced_.slots[at(input.index)];
        known = {slot.value().detach(), layer_of(slot.name()), slot.name(), changing_.contains(slot.name())};
      } else if (input.kind == GraphInput::Kind::constant) {
        known.value = input.constant;
      } else if (input.kind == GraphInput::Kind::argument) {
        ++arguments;
        out_.input = input.value;
        out_.graph.inputs.push_back(input);
      }
    }
    require<ValueError>(arguments == 1, "export", "the network takes ", arguments,
                        " inputs; one can be exported");
  }

  void compute_constants() {
    const NoGrad off;
    for (const GraphCall& call : traced_.calls) {
      const bool constant = std::all_of(call.inputs.begin(), call.inputs.end(), [&](ValueId id) {
        return is_known(id) && !out_.known[at(id)].changes;
      });
      if (!constant) {
        calls_.push_back(call);
        continue;
      }
      TensorList inputs;
      std::vector<std::string> layers;
      for (const ValueId id : call.inputs) {
        inputs.push_back(out_.known[at(id)].value);
        add_layers(layers, out_.known[at(id)].layers);
      }
      const TensorList results = apply_all(*call.op, inputs, call.attrs);
      for (std::size_t i = 0; i < results.size(); ++i)
        out_.known[at(call.outputs[i])] = {results[i], layers, {}};
    }
    require<ValueError>(!is_known(traced_.outputs[0]), "export", "the result does not depend on the input");
  }

  void leave_out_unread() {
    reads_.assign(traced_.values.size(), 0);
    ++reads_[at(traced_.outputs[0])];
    std::vector<GraphCall> read;
    for (std::size_t i = calls_.size(); i-- > 0;) {
      GraphCall& call = calls_[i];
      const bool used = std::any_of(call.outputs.begin(), call.outputs.end(),
                                    [&](ValueId id) { return reads_[at(id)] > 0; });
      if (!used) continue;
      for (const ValueId id : call.inputs) ++reads_[at(id)];
      read.push_back(std::move(call));
    }
    std::reverse(read.begin(), read.end());
    calls_ = std::move(read);
    for (const GraphCall& call : calls_) check(call);
  }

  void check(const GraphCall& call) const {
    const std::string name = where_in({{}, layers_of(call)}, call);
    for (const ValueId id : call.inputs) {
      for (const GraphInput& input : traced_.inputs) {
        require<ValueError>(input.value != id || input.kind != GraphInput::Kind::key, "export", name,
                            " draws random numbers, as in training; C has none");
      }
    }
    for (const ValueId id : call.outputs) {
      const DType dtype = traced_.values[at(id)].dtype;
      require<ValueError>(reads_[at(id)] == 0 || dtype.is_floating() || dtype == kBool, "export", name,
                          " makes ", dtype, "; C is written for floating numbers alone");
    }
  }

  std::vector<std::string> layers_of(const GraphCall& call) const {
    std::vector<std::string> out;
    for (const ValueId id : call.inputs) {
      if (is_known(id)) add_layers(out, out_.known[at(id)].layers);
    }
    return out;
  }

  // The step whose result the op can take as it is made: one that nobody else reads, of the same shape.
  std::size_t taken_by(const GraphCall& call) const {
    if (call.op->elementwise == nullptr && call.op != &cast_op) return steps_.size();
    std::size_t found = steps_.size();
    for (const ValueId id : call.inputs) {
      if (reads_[at(id)] != 1 || !(traced_.values[at(id)].shape == traced_.values[at(call.outputs[0])].shape))
        continue;
      for (std::size_t i = 0; i < steps_.size(); ++i) {
        const CStep& step = steps_[i];
        const bool makes = step.calls.back().outputs[0] == id && step.calls.front().op->view == nullptr;
        if (makes && (found == steps_.size() || i > found)) found = i;
      }
    }
    return found;
  }

  // A step comes where its last op stood: all that its ops read is there by then.
  void join_elementwise() {
    for (GraphCall& call : calls_) {
      CStep step;
      const std::size_t taken = taken_by(call);
      if (taken < steps_.size()) {
        step = std::move(steps_[taken]);
        steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(taken));
      }
      add_layers(step.layers, layers_of(call));
      step.calls.push_back(std::move(call));
      steps_.push_back(std::move(step));
    }
    for (CStep& step : steps_) {
      GraphCall joined = step.calls.front();
      // What max_pool2d says of winners, and batch_norm of statistics, is not kept where nobody reads it.
      std::erase_if(joined.outputs, [&](ValueId id) { return reads_[at(id)] == 0; });
      for (std::size_t i = 1; i < step.calls.size(); ++i) {
        for (const ValueId id : step.calls[i].inputs) {
          if (id != step.calls[i - 1].outputs[0]) joined.inputs.push_back(id);
        }
        joined.outputs = step.calls[i].outputs;
      }
      out_.graph.calls.push_back(std::move(joined));
      out_.steps.push_back(std::move(step));
    }
  }

  // The result is written where the caller wants it: by the step that makes it, or by a copy.
  void own_output() {
    ValueId output = traced_.outputs[0];
    out_.graph.outputs = {output};
    const std::vector<Lifetime> lifetimes = lifetimes_of(out_.graph);
    const Lifetime& lifetime = lifetimes[at(output)];
    const auto row_major = [&](ValueId id) {
      const GraphValue& value = out_.graph.values[at(id)];
      return is_row_major(value.shape, value.strides);
    };
    const GraphValue& base = out_.graph.values[at(lifetime.base)];
    const bool fits = lifetimes[at(lifetime.base)].home == Home::own && lifetime.offset == 0 &&
                      row_major(output) && row_major(lifetime.base) &&
                      base.shape.numel() == out_.graph.values[at(output)].shape.numel();
    if (fits) {
      out_.output = lifetime.base;
      return;
    }
    const GraphValue from = out_.graph.values[at(output)];
    out_.graph.values.push_back({from.shape, kFloat32, from.shape.row_major()});
    out_.known.emplace_back();
    out_.output = static_cast<ValueId>(out_.graph.values.size()) - 1;
    const GraphCall copy{&cast_op, Attrs(cast_op.attrs, {kFloat32}), {output}, {out_.output}};
    out_.graph.calls.push_back(copy);
    out_.steps.push_back({{copy}, {}});
    out_.graph.outputs = {out_.output};
  }

  // What is not in memory while the program runs takes none of it.
  void as_floats() {
    std::vector<bool> in_memory(out_.known.size(), false);
    in_memory[at(out_.input)] = true;
    for (const GraphCall& call : out_.graph.calls) {
      for (const ValueId id : call.outputs) in_memory[at(id)] = true;
    }
    for (std::size_t i = 0; i < out_.known.size(); ++i) {
      GraphValue& value = out_.graph.values[i];
      out_.condition.push_back(value.dtype == kBool);
      value.dtype = kFloat32;
      if (is_known(static_cast<ValueId>(i))) {
        out_.graph.inputs.push_back({.kind = GraphInput::Kind::constant, .value = static_cast<ValueId>(i)});
      } else if (!in_memory[i]) {
        value = {Shape({0}), kFloat32, {1}};
      }
    }
  }

  const Graph& traced_;
  const std::set<std::string>& changing_;
  CLowered out_;
  std::vector<GraphCall> calls_;
  std::vector<CStep> steps_;
  std::vector<int> reads_;
};

}  // namespace

CLowered lower_for_c(const Graph& traced, const std::set<std::string>& changing) {
  return Lowering(traced, changing).run();
}

}  // namespace splot::compiler
