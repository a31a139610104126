#include "splot/core/node.h"
#include "splot/core/op.h"
#include "splot/core/recorder.h"
#include "splot/core/strided.h"

namespace splot {

std::string_view RuleArgs::op() const { return op_.name; }

const Tensor& VjpArgs::input(std::size_t i) const { return node_.kept_inputs[i]; }
const Shape& VjpArgs::shape(std::size_t i) const { return node_.inputs[i].shape; }
DType VjpArgs::dtype(std::size_t i) const { return node_.inputs[i].dtype; }
std::size_t VjpArgs::input_count() const { return node_.inputs.size(); }
const Attrs& VjpArgs::attrs() const { return node_.attrs; }

namespace {

bool keeps(std::uint32_t mask, std::size_t i) { return (mask >> std::min<std::size_t>(i, 31) & 1u) != 0; }

void check_inputs(const OpDef& op, std::span<const Tensor> inputs) {
  require<ValueError>(op.inputs < 0 || inputs.size() == static_cast<std::size_t>(op.inputs), op.name,
                      "takes ", op.inputs, " tensors, got ", inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    require<ValueError>(inputs[i].defined(), op.name, "input ", i, " is an undefined tensor");
  }
}

// All inputs, and of those kept the tensors themselves, are remembered; outputs are kept without their
// history, because an output that pointed back to its node would keep both alive for ever.
void record(const OpDef& op, std::span<const Tensor> inputs, TensorList& outputs, const Attrs& attrs) {
  Ref<Node> node(new Node);
  node->op = &op;
  node->attrs = attrs;
  node->edges.resize(inputs.size());
  node->inputs.resize(inputs.size());
  node->kept_inputs.resize(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    node->edges[i] = {inputs[i].impl()->node, inputs[i].impl()->output};
    node->inputs[i] = {inputs[i].shape(), inputs[i].dtype()};
    if (keeps(op.keeps.inputs, i)) node->kept_inputs[i] = inputs[i];
  }
  node->outputs.resize(outputs.size());
  node->kept_outputs.resize(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    TensorImpl& impl = *outputs[i].impl();
    node->outputs[i] = {impl.shape, impl.dtype};
    if (keeps(op.keeps.outputs, i)) node->kept_outputs[i] = Tensor(impl.window());
    if (impl.dtype.is_floating()) {
      impl.node = node;
      impl.output = static_cast<int>(i);
    }
  }
}

bool any_floating(std::span<const Tensor> outputs) {
  for (const Tensor& output : outputs) {
    if (output.dtype().is_floating()) return true;
  }
  return false;
}

// In the order of its first input of the same shape, so that a chain of elementwise ops never rearranges
// memory.
const Strides* elementwise_strides(std::span<const Tensor> inputs, const Shape& shape) {
  for (const Tensor& input : inputs) {
    if (input.shape() != shape) continue;
    return input.is_contiguous() || !is_dense(shape, input.strides()) ? nullptr : &input.strides();
  }
  return nullptr;
}

// Null: row-major.
const Strides* output_strides(const OpDef& op, const RuleArgs& rule, std::size_t i) {
  return op.elementwise != nullptr ? elementwise_strides(rule.inputs, rule.output_shape(i))
                                   : rule.output_strides(i);
}

Tensor new_output(const OpDef& op, const RuleArgs& rule, std::size_t i) {
  const Shape& shape = rule.output_shape(i);
  const DType dtype = rule.output_dtype(i);
  const Strides* strides = output_strides(op, rule, i);
  return strides == nullptr ? Tensor::empty(shape, dtype) : Tensor::empty(shape, dtype, *strides);
}

// What a recorder gets to see of a call; nothing is computed.
TensorList recorded_call(Recorder& recording, const OpDef& op, std::span<const Tensor> inputs,
                         const Attrs& attrs, const RuleArgs& rule) {
  TensorList outputs;
  for (std::size_t i = 0; i < rule.output_count(); ++i) {
    const Strides* strides = output_strides(op, rule, i);
    outputs.push_back(Tensor::without_elements(rule.output_shape(i), rule.output_dtype(i),
                                               strides == nullptr ? Strides() : *strides));
  }
  if (op.view != nullptr) {
    const Tensor& x = inputs[0];
    const TensorList only_shapes = {Tensor::without_elements(x.shape(), x.dtype(), x.strides())};
    const Tensor seen = op.view(only_shapes, attrs);
    outputs[0] = Tensor::without_elements(seen.shape(), seen.dtype(), seen.strides());
  }
  recording.call(op, inputs, attrs, outputs);
  return outputs;
}

bool any_history(std::span<const Tensor> inputs) {
  for (const Tensor& input : inputs) {
    if (input.requires_grad()) return true;
  }
  return false;
}

}  // namespace

TensorList apply_all(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs) {
  check_inputs(op, inputs);
  RuleArgs rule(op, inputs, attrs);
  op.rule(rule);
  TensorList outputs;
  if (Recorder* const recording = recorder()) {
    outputs = recorded_call(*recording, op, inputs, attrs, rule);
  } else if (op.view != nullptr) {
    outputs.push_back(op.view(inputs, attrs));
  } else {
    for (std::size_t i = 0; i < rule.output_count(); ++i) {
      outputs.push_back(new_output(op, rule, i));
    }
    const KernelArgs args(op, inputs, {outputs.data(), outputs.size()}, attrs);
    (op.elementwise != nullptr ? op.elementwise->run : op.kernel)(args);
  }
  if (grad_enabled() && any_floating(outputs) && any_history(inputs)) record(op, inputs, outputs, attrs);
  return outputs;
}

TensorList apply_consuming(const OpDef& op, TensorList inputs, const Attrs& attrs) {
  if ((grad_enabled() && any_history(inputs)) || recorder() != nullptr) return apply_all(op, inputs, attrs);
  check_inputs(op, inputs);
  RuleArgs rule(op, inputs, attrs);
  op.rule(rule);
  TensorList outputs;
  for (std::size_t i = 0; i < rule.output_count(); ++i) {
    const int from = i < std::size(op.reuses) ? op.reuses[i] : -1;
    const Tensor* input = from >= 0 ? &inputs[static_cast<std::size_t>(from)] : nullptr;
    const bool reuse = input != nullptr && input->is_contiguous() && rule.output_strides(i) == nullptr &&
                       input->owns_storage() && input->shape() == rule.output_shape(i) &&
                       input->dtype() == rule.output_dtype(i);
    outputs.push_back(reuse ? *input : new_output(op, rule, i));
    if (reuse) {
      // What the input was is over: its history (it may have been a variable) and its weak dtype.
      TensorImpl& impl = *outputs.back().impl();
      impl.node.reset();
      impl.output = 0;
      impl.wrapped = false;
    }
  }
  const KernelArgs args(op, inputs, {outputs.data(), outputs.size()}, attrs);
  (op.elementwise != nullptr ? op.elementwise->run : op.kernel)(args);
  return outputs;
}

Tensor apply(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs) {
  return std::move(apply_all(op, inputs, attrs)[0]);
}

Tensor apply(const OpDef& op, std::initializer_list<BorrowedTensor> inputs, const Attrs& attrs) {
  return apply(op, BorrowedTensor::all(inputs), attrs);
}

}  // namespace splot
