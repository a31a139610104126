#include "splot/compiler/c/internal/step_writer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/strided.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

// --- constants

const CConstant& CConstants::add(const Tensor& value, const std::string& name, const std::string& slot,
                                 bool changes) {
  if (const auto known = slots_.find(slot); !slot.empty() && known != slots_.end())
    return all_[known->second];
  const std::string wanted = "model_" + c_name(slot.empty() ? name : slot);
  const auto taken = [&](const std::string& candidate) {
    return std::any_of(all_.begin(), all_.end(), [&](const CConstant& c) { return c.name == candidate; });
  };
  std::string unique = wanted;
  for (int i = 2; taken(unique); ++i) unique = join(wanted, '_', i);
  const Tensor elements = contiguous(cast(value, value.dtype().is_integral() ? kInt32 : kFloat32));
  if (elements.dtype() == kFloat32) {
    for (const float x : elements.to_vector<float>()) {
      require<ValueError>(std::isfinite(x), "export", slot.empty() ? name : slot, " has elements that are ",
                          x, "; a network that computes nothing cannot be exported");
    }
  }
  if (!slot.empty()) slots_[slot] = all_.size();
  all_.push_back(
      {unique, join(c_comment(slot.empty() ? name : slot), ", ", value.shape()), elements, changes, slot});
  return all_.back();
}

const CHelper& CConstants::helper(const std::string& key, const std::string& name,
                                  const std::function<CHelper(const std::string& name)>& make) {
  if (const auto known = keys_.find(key); known != keys_.end()) return helpers_[known->second];
  const auto taken = [&](const std::string& candidate) {
    return std::any_of(helpers_.begin(), helpers_.end(),
                       [&](const CHelper& h) { return h.name == candidate; });
  };
  std::string unique = name;
  for (int i = 2; taken(unique); ++i) unique = join(name, '_', i);
  keys_[key] = helpers_.size();
  helpers_.push_back(make(unique));
  return helpers_.back();
}

std::string CArray::operator[](std::span<const std::string> indices) const {
  if (name.empty()) return number;
  std::vector<Term> terms;
  for (std::size_t i = 0; i < indices.size(); ++i)
    terms.push_back({indices[i], strides[static_cast<int>(i)]});
  return name + '[' + c_place(terms) + ']';
}

// --- the function

namespace {

// Without the outer parentheses of a formula, where they belong together.
std::string without_parentheses(const std::string& text) {
  int depth = 0;
  bool outer = text.size() > 1 && text.front() == '(' && text.back() == ')';
  for (std::size_t i = 0; outer && i + 1 < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    outer = depth > 0;
  }
  return outer ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

StepWriter::StepWriter(const CLowered& lowered, const CStep& step, CConstants& constants)
    : lowered_(lowered), step_(step), constants_(constants) {
  const GraphCall& last = step.calls.back();
  const GraphValue& y = lowered.graph.values[static_cast<std::size_t>(last.outputs[0])];
  y_ = {"y", {}, y.shape, y.strides, {}};
  if (!is_update(*last.op)) results_.emplace_back(last.outputs[0], "y");
}

bool StepWriter::keeps_second() const {
  const auto& outputs =
      lowered_.graph.calls[static_cast<std::size_t>(&step_ - lowered_.steps.data())].outputs;
  return call().outputs.size() > 1 &&
         std::find(outputs.begin(), outputs.end(), call().outputs[1]) != outputs.end();
}

CArray StepWriter::second(const std::string& name) {
  const ValueId id = call().outputs[1];
  const GraphValue& value = lowered_.graph.values[static_cast<std::size_t>(id)];
  results_.emplace_back(id, name);
  return {name, {}, value.shape, value.strides, {}};
}

const GraphInput& StepWriter::key() const {
  const auto found = std::find_if(lowered_.keys.begin(), lowered_.keys.end(),
                                  [&](const GraphInput& key) { return key.value == call().inputs[0]; });
  if (found == lowered_.keys.end()) refuse("it draws random numbers by a key that is computed");
  return *found;
}

void StepWriter::refuse(const std::string& why) const {
  fail<ValueError>("export", where_in(step_, call()), ": ", why);
}

const Shape& StepWriter::shape(std::size_t i) const {
  return lowered_.graph.values[static_cast<std::size_t>(call().inputs[i])].shape;
}

Tensor StepWriter::known(std::size_t i) const {
  const CKnown& known = lowered_.known[static_cast<std::size_t>(call().inputs[i])];
  return known.value.defined() && !known.changes ? contiguous(cast(known.value, kFloat64)) : Tensor();
}

CArray StepWriter::constant(const Tensor& value, const std::string& role) {
  const std::string layer = step_.layers.empty() ? call().op->name : step_.layers[0];
  const CConstant& c = constants_.add(value, layer + '.' + role);
  weights_ += value.numel();
  return {c.name, {}, value.shape(), value.shape().row_major(), value};
}

CArray StepWriter::array(ValueId id, const std::string& role, const std::string& name) {
  const CKnown& known = lowered_.known[static_cast<std::size_t>(id)];
  if (known.changes) {
    const CConstant& c = constants_.add(known.value, {}, known.slot, /*changes=*/true);
    if (!known.state && !std::exchange(counted_[c.name], true)) weights_ += c.value.numel();
    return {c.name, {}, known.value.shape(), known.value.shape().row_major(), {}};
  }
  if (known.value.defined()) {
    const Shape& shape = known.value.shape();
    if ((known.value.numel() == 1 || known.one_number) && !known.value.dtype().is_integral()) {
      const auto number = known.value.to_vector<float>()[0];
      if (!std::isfinite(number)) {
        // Of a step they are limits that are none, and the losses of what is no probability.
        if (lowered_.types.empty()) refuse(join("a constant is ", number));
        const char* text = std::isnan(number) ? "NAN" : number < 0 ? "(-INFINITY)" : "INFINITY";
        return {{}, text, shape, shape.row_major(), known.value};
      }
      if (!known.slot.empty() && !std::exchange(counted_[known.slot], true)) ++weights_;
      return {{},
              number < 0 ? '(' + c_float(number) + ')' : c_float(number),
              shape,
              shape.row_major(),
              known.value};
    }
    const std::string layer = known.layers.empty() ? step_.layers.empty() ? call().op->name : step_.layers[0]
                              : step_.layers.empty() ? known.layers[0]
                                                     : step_.layers[0];
    const CConstant& c = constants_.add(known.value, layer + '.' + role, known.slot);
    if (!std::exchange(counted_[c.name], true)) weights_ += c.value.numel();
    return {c.name, {}, shape, shape.row_major(), known.value};
  }
  const GraphValue& value = lowered_.graph.values[static_cast<std::size_t>(id)];
  for (const auto& [other, given] : parameters_) {
    if (other == id) return {given, {}, value.shape, value.strides, {}};
  }
  std::string unique = name;
  const auto taken = [&] {
    return std::any_of(parameters_.begin(), parameters_.end(),
                       [&](const auto& p) { return p.second == unique; });
  };
  for (int i = 2; taken(); ++i) unique = name + std::to_string(i);
  parameters_.emplace_back(id, unique);
  return {unique, {}, value.shape, value.strides, {}};
}

CArray StepWriter::input(std::size_t i, const std::string& role, const std::string& name) {
  return array(call().inputs[i], role, name);
}

std::string StepWriter::text_of(const GraphCall& call, std::span<const std::string> indices, int taken,
                                const std::string& value) {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    if (static_cast<int>(i) == taken) {
      inputs.push_back(value);
      continue;
    }
    constexpr const char* kScaleShift[] = {"constant", "scale", "shift"};
    const std::string role = call.op == &scale_shift_op ? kScaleShift[i] : "constant";
    const CArray other = array(call.inputs[i], role, taken < 0 ? "x" : "r");
    std::vector<std::string>
        own;  // broadcasting: the last axes, and the first element of one that is stretched
    const auto axes = static_cast<std::size_t>(other.shape.rank());
    for (std::size_t axis = 0; axis < axes; ++axis) {
      const std::string& index = indices[indices.size() - axes + axis];
      // Of an axis that has one element in both, a flat index may stand there.
      const int in_result = y_.shape.rank() - static_cast<int>(axes - axis);
      own.push_back(other.shape[static_cast<int>(axis)] == 1 && y_.shape[in_result] != 1 ? "0" : index);
    }
    inputs.push_back(other[own]);
  }
  // Not fmaf, which is a slow function where the processor has no such instruction.
  if (call.op == &scale_shift_op) return inputs[0] + " * " + inputs[1] + " + " + inputs[2];
  if (call.op == &cast_op) {
    const bool to_bool = call.attrs.dtype("dtype") == kBool;
    return to_bool ? inputs[0] + " != 0.0f ? 1.0f : 0.0f" : inputs[0];
  }
  std::string text = call.op->elementwise->text(inputs, call.attrs, Dialect::c);
  const bool condition = lowered_.condition[static_cast<std::size_t>(call.outputs[0])];
  if (condition) return text + " ? 1.0f : 0.0f";
  return without_parentheses(text);
}

std::vector<std::string> StepWriter::loops(const Shape& shape) {
  constexpr const char* kNames[] = {"g", "h", "l", "m", "n", "c", "i", "j"};
  static_assert(std::size(kNames) == kMaxRank);
  std::vector<std::string> out;
  for (int axis = 0; axis < shape.rank(); ++axis)
    out.push_back(code.loop(kNames[kMaxRank - shape.rank() + axis], shape[axis]));
  return out;
}

std::vector<std::string> StepWriter::element_loops() {
  if (!is_flat()) return loops(y_.shape);
  std::vector<std::string> out(static_cast<std::size_t>(y_.shape.rank()), "0");
  out.back() = code.loop("i", y_.shape.numel());
  return out;
}

bool StepWriter::is_flat() const {
  const auto dense = [](const Shape& shape, const Strides& strides) {
    return shape.rank() > 0 && is_row_major(shape, strides) && strides[strides.size() - 1] == 1;
  };
  if (!dense(y_.shape, y_.strides)) return false;
  for (const GraphCall& call : step_.calls) {
    if (is_update(*call.op) && &call != &step_.calls.front()) continue;  // weights are dense
    for (const ValueId id : call.inputs) {
      const CKnown& known = lowered_.known[static_cast<std::size_t>(id)];
      const GraphValue& value = lowered_.graph.values[static_cast<std::size_t>(id)];
      const bool inside = !known.value.defined() && value.shape == Shape({0});  // of an op before it
      const bool alike =
          inside || (known.value.defined() ? known.value.numel() == 1 || known.one_number ||
                                                 (known.changes && known.value.shape() == y_.shape)
                                           : value.shape == y_.shape && dense(value.shape, value.strides));
      if (!alike) return false;
    }
  }
  return true;
}

void StepWriter::finish(std::span<const std::string> indices, const std::string& value,
                        const std::string& variable) {
  std::vector<std::function<std::string(const std::string&)>> rest;
  for (const OpDef* op : before_) {
    rest.push_back([op](const std::string& v) {
      return without_parentheses(op->elementwise->text({&v, 1}, {}, Dialect::c));
    });
  }
  for (std::size_t i = 1; i < step_.calls.size(); ++i) {
    const GraphCall& next = step_.calls[i];
    if (is_update(*next.op)) break;  // it is the last one
    const ValueId made = step_.calls[i - 1].outputs[0];
    const auto taken =
        static_cast<int>(std::find(next.inputs.begin(), next.inputs.end(), made) - next.inputs.begin());
    rest.push_back(
        [this, &next, indices, taken](const std::string& v) { return text_of(next, indices, taken, v); });
  }
  if (step_.calls.size() > 1 && is_update(*step_.calls.back().op)) {
    if (rest.empty()) return write_update_of(*this, step_.calls.back(), indices, value);
    if (value != variable) code.line("float " + variable + " = " + value + ';');
    for (const auto& next : rest) code.line(variable + " = " + next(variable) + ';');
    return write_update_of(*this, step_.calls.back(), indices, variable);
  }
  const std::string to = y_[indices] + " = ";
  if (rest.empty()) {
    code.line(to + value + ';');
    return;
  }
  if (value != variable) code.line("float " + variable + " = " + value + ';');
  for (std::size_t i = 0; i + 1 < rest.size(); ++i) code.line(variable + " = " + rest[i](variable) + ';');
  code.line(to + rest.back()(variable) + ';');
}

ImageLoops open_image(StepWriter& w, const char* row, const char* column) {
  const Shape& y = w.out_shape();
  ImageLoops out;
  out.n = w.code.loop("n", y[0]);
  out.c = w.code.loop("c", y[1]);
  out.row = w.code.loop(row, y[2]);
  out.column = w.code.loop(column, y[3]);
  return out;
}

}  // namespace splot::compiler
