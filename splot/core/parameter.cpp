#include "splot/core/parameter.h"

#include "splot/core/node.h"

namespace splot {

Parameter::Parameter(const Tensor& value, std::string name) : slot_(std::make_shared<Slot>()) {
  require<ValueError>(value.defined(), "parameter", "needs a value");
  slot_->name = name;
  slot_->value = value.variable(std::move(name));
  slot_->node = slot_->value.impl()->node;
}

void Parameter::attach(const Tensor& value) {
  // A window of its own, because the history is written into it; the elements are shared until somebody
  // writes.
  Ref<TensorImpl> impl = value.impl()->window();
  if (!slot_->frozen) impl->node = slot_->node;
  slot_->value = Tensor(std::move(impl));
}

void Parameter::assign(const Tensor& value) {
  const TensorSpec& now = slot_->node->outputs[0];
  require(value.shape() == now.shape, "assign", slot_->name, now.shape, " cannot take a value of shape ",
          value.shape());
  require<DTypeError>(value.dtype() == now.dtype, "assign", slot_->name, " is ", now.dtype, ", the value is ",
                      value.dtype());
  attach(contiguous(value));
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

Tensor Parameter::grad() const {
  const std::lock_guard lock(slot_->node->grad_mutex);
  return slot_->node->grad;
}

void Parameter::zero_grad() {
  const std::lock_guard lock(slot_->node->grad_mutex);
  slot_->node->grad = Tensor();
}

void Parameter::set_frozen(bool frozen) {
  if (slot_->frozen == frozen) return;
  slot_->frozen = frozen;
  attach(slot_->value);
}

}  // namespace splot
