#include "splot/core/parameter.h"

#include "splot/core/node.h"
#include "splot/core/strided.h"

namespace splot {
namespace {

Ref<Node> variable_node(const Shape& shape, DType dtype, const std::string& name) {
  Ref<Node> node(new Node);
  node->name = name;
  node->outputs.push_back({shape, dtype});
  return node;
}

}  // namespace

Parameter::Parameter(const Shape& shape, DType dtype, std::string name) : slot_(std::make_shared<Slot>()) {
  require<DTypeError>(dtype.is_floating(), "parameter", "only floating tensors have gradients, got ", dtype);
  slot_->shape = shape;
  slot_->dtype = dtype;
  slot_->node = variable_node(shape, dtype, name);
  slot_->name = std::move(name);
}

Parameter::Parameter(const Tensor& value, std::string name) {
  require<ValueError>(value.defined(), "parameter", "needs a value");
  *this = Parameter(value.shape(), value.dtype(), std::move(name));
  assign(value);
}

void Parameter::fail_without_value() const {
  fail<ValueError>("parameter", slot_->name.empty() ? "a parameter" : slot_->name, slot_->shape,
                   " has no value yet: call initialize() on the layer, or load or assign one");
}

void Parameter::check(const char* where, const Tensor& value) const {
  require<ValueError>(value.defined(), where, slot_->name, " needs a value");
  if (value.shape() != slot_->shape) {
    fail(where, slot_->name, slot_->shape, " cannot take a value of shape ", value.shape());
  }
  if (value.dtype() != slot_->dtype) {
    fail<DTypeError>(where, slot_->name, " is ", slot_->dtype, ", the value is ", value.dtype());
  }
}

// The history is written into the tensor, so it must be nobody else's; the elements are shared until somebody
// writes.
void Parameter::attach(Tensor value) {
  Ref<TensorImpl> impl = value.impl()->unique() ? value.impl() : value.impl()->window();
  impl->node = slot_->frozen ? Ref<Node>() : slot_->node;
  impl->output = 0;
  impl->wrapped = false;
  slot_->value = Tensor(std::move(impl));
  ++slot_->version;
}

void Parameter::assign(const Tensor& value) {
  check("assign", value);
  attach(contiguous(value));
}

void Parameter::assign(Tensor&& value) {
  check("assign", value);
  attach(value.is_contiguous() ? std::move(value) : contiguous(value));
}

Tensor Parameter::take() {
  Tensor out = std::move(slot_->value);
  slot_->value = Tensor();
  if (out.impl()->unique()) {
    out.impl()->node.reset();
    return out;
  }
  return out.detach();
}

void Parameter::convert(DType dtype) {
  if (dtype == slot_->dtype) return;
  require<DTypeError>(dtype.is_floating(), "parameter", slot_->name, " cannot become ", dtype,
                      ": only floating tensors have gradients");
  Tensor value;
  if (has_value()) {
    value = Tensor::empty(slot_->shape, dtype);
    copy_dense(slot_->value, dtype, value.impl()->storage->data());
  }
  slot_->dtype = dtype;
  slot_->node = variable_node(slot_->shape, dtype, slot_->name);
  if (value.defined()) attach(std::move(value));
}

Tensor Parameter::grad() const {
  const std::lock_guard lock(slot_->node->grad_mutex);
  return slot_->node->grad;
}

void Parameter::zero_grad() {
  const std::lock_guard lock(slot_->node->grad_mutex);
  slot_->node->grad = Tensor();
}

void Parameter::set_grad(const Tensor& gradient) {
  check("set_grad", gradient);
  const std::lock_guard lock(slot_->node->grad_mutex);
  slot_->node->grad = gradient.detach();
}

void Parameter::set_frozen(bool frozen) {
  if (slot_->frozen == frozen) return;
  slot_->frozen = frozen;
  if (has_value()) attach(slot_->value);
}

}  // namespace splot
