#include "splot/graph/graph.h"

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
  if (tensor_ == nullptr) parameter_.assign(parameter_.take());
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

std::string origin(const Graph& graph, const GraphInput& input) {
  switch (input.kind) {
    case GraphInput::Kind::argument:
      return join("argument ", input.index);
    case GraphInput::Kind::slot:
      return "slot " + graph.slots[static_cast<std::size_t>(input.index)].name();
    case GraphInput::Kind::key:
      return join("key of stream ", input.key.stream);
    case GraphInput::Kind::constant:
      return "constant";
  }
  return {};
}

}  // namespace

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
    out += join(list_of(call.outputs), " = ", call.op->name, '(', list_of(call.inputs), ')');
    for (const ValueId id : call.outputs) out += type(id);
    out += '\n';
  }
  for (const GraphWrite& write : writes) {
    out += join(slots[static_cast<std::size_t>(write.slot)].name(), " := %", write.value, '\n');
  }
  out += "return " + list_of(outputs) + '\n';
  return out;
}

}  // namespace splot
