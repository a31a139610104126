#include "splot/graph/graph.h"

#include <unordered_map>

#include "splot/core/error.h"

namespace splot {

const Tensor& Slot::value() const {
  static const Tensor none;
  if (tensor_ != nullptr) return *tensor_;
  return parameter_.has_value() ? parameter_.value() : none;
}

void Slot::set(Tensor value) {
  if (tensor_ != nullptr) {
    *tensor_ = std::move(value);
  } else {
    parameter_.assign(std::move(value));
  }
}

void Slot::touch() {
  if (tensor_ == nullptr) parameter_.touch();
}

ValueId Graph::add_value(const Tensor& like) {
  values.push_back({like.shape(), like.dtype(), like.strides()});
  return static_cast<ValueId>(values.size()) - 1;
}

namespace {

std::string list_of(const std::vector<ValueId>& ids) {
  std::string out;
  for (const ValueId id : ids) out += join(out.empty() ? "%" : ", %", id);
  return out;
}

// " 0.5": of a constant with one element.
std::string value_of(const Tensor& x) {
  if (x.numel() != 1) return {};
  return join(' ', x.item<double>());
}

std::string origin(const Graph& graph, const GraphInput& input) {
  switch (input.kind) {
    case GraphInput::Kind::argument:
      return join("argument ", input.index);
    case GraphInput::Kind::slot:
      return "slot " + graph.slots[static_cast<std::size_t>(input.index)].name();
    case GraphInput::Kind::key:
      return join("key ", input.key.seed, ", ", input.key.stream, ", ", input.key.counter,
                  input.follows ? " + counter" : "");
    case GraphInput::Kind::constant:
      return "constant" + value_of(input.constant);
  }
  return {};
}

// "sum(%2, axes=[0], keepdim=true)"
std::string arguments(const GraphCall& call) {
  std::string out = list_of(call.inputs);
  const std::string attrs = call.attrs.to_string();
  return out.empty() || attrs.empty() ? out + attrs : out + ", " + attrs;
}

}  // namespace

SlotTensors::SlotTensors(const std::vector<Slot>& slots) {
  std::unordered_map<const TensorImpl*, int> known;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const TensorImpl* const held = slots[i].value().impl().get();
    first_.push_back(held == nullptr ? -1 : known.emplace(held, static_cast<int>(i)).first->second);
  }
}

int SlotTensors::changed(const std::vector<Slot>& slots) const {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const TensorImpl* const held = slots[i].value().impl().get();
    const int first = first_[i];
    const bool same =
        first < 0 ? held == nullptr
                  : held != nullptr && (static_cast<std::size_t>(first) == i ||
                                        held == slots[static_cast<std::size_t>(first)].value().impl().get());
    if (!same) return static_cast<int>(i);
  }
  return -1;
}

std::string Graph::to_string() const {
  std::string out;
  const auto type = [&](ValueId id) {
    const GraphValue& value = values[static_cast<std::size_t>(id)];
    return join(": ", value.dtype, value.shape);
  };
  for (const GraphInput& input : inputs) {
    out += join('%', input.value, " = ", origin(*this, input), type(input.value), '\n');
  }
  for (const GraphCall& call : calls) {
    out += join(list_of(call.outputs), " = ", call.op->name, '(', arguments(call), ')');
    for (const ValueId id : call.outputs) out += type(id);
    out += call.fused == 0 ? "\n" : join(" | fused ", call.fused, '\n');
  }
  for (const GraphWrite& write : writes) {
    out += join(slots[static_cast<std::size_t>(write.slot)].name(), " := %", write.value, '\n');
  }
  out += "return " + list_of(outputs) + '\n';
  return out;
}

}  // namespace splot
