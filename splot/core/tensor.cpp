#include "splot/core/tensor.h"

#include <cassert>
#include <cstring>

#include "splot/core/node.h"
#include "splot/core/recorder.h"
#include "splot/core/strided.h"

namespace splot {

TensorImpl::TensorImpl() = default;
TensorImpl::~TensorImpl() = default;

Ref<TensorImpl> TensorImpl::window() const {
  Ref<TensorImpl> copy(new TensorImpl);
  copy->storage = storage;
  copy->shape = shape;
  copy->strides = strides;
  copy->offset = offset;
  copy->dtype = dtype;
  copy->contiguous = contiguous;
  copy->elements = elements;
  return copy;
}

namespace {

Tensor wrapped_scalar(DType dtype, const void* value) {
  Tensor out = Tensor::empty({}, dtype);
  std::memcpy(out.impl()->storage->data(), value, dtype.size());
  out.impl()->wrapped = true;
  return out;
}

}  // namespace

Tensor::Tensor(bool value) : Tensor(wrapped_scalar(kBool, &value)) {}
Tensor Tensor::wrapped_integer(std::int64_t value) { return wrapped_scalar(kInt64, &value); }
Tensor Tensor::wrapped_double(double value) { return wrapped_scalar(kFloat64, &value); }

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  Ref<TensorImpl> impl(new TensorImpl);
  Index bytes = 0;
  require(!__builtin_mul_overflow(shape.numel(), static_cast<Index>(dtype.size()), &bytes), "empty", shape,
          " of ", dtype, " needs more bytes than a 64-bit integer can count");
  impl->storage = Storage::allocate(static_cast<std::size_t>(bytes));
  impl->shape = shape;
  impl->strides = shape.row_major();
  impl->dtype = dtype;
  Tensor out(std::move(impl));
  if (Recorder* const recording = recorder()) recording->made(out);
  return out;
}

Tensor Tensor::without_elements(const Shape& shape, DType dtype, const Strides& strides) {
  Ref<TensorImpl> impl(new TensorImpl);
  impl->storage = Storage::allocate(0);
  impl->elements = false;
  impl->shape = shape;
  impl->strides = strides.empty() ? shape.row_major() : strides;
  impl->contiguous = is_row_major(shape, impl->strides);
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

void Tensor::fail_without_elements() const {
  const Recorder* const recording = recorder();
  fail<TraceError>("trace", "elements are read of ",
                   recording == nullptr ? "a result that was only traced" : recording->describe(*this), ", ",
                   dtype(), shape(),
                   ": while a function is traced nothing is computed. Read it after the call, or leave the "
                   "decision to ops such as where()");
}

Tensor Tensor::empty(const Shape& shape, DType dtype, const Strides& strides) {
  Tensor out = empty(shape, dtype);
  if (is_row_major(shape, strides)) return out;
  assert(is_dense(shape, strides));
  out.impl_->strides = strides;
  out.impl_->contiguous = false;
  return out;
}

Tensor Tensor::from_bytes(const void* values, std::size_t count, DType dtype, const Shape& shape) {
  require(static_cast<Index>(count) == shape.numel(), "tensor", count, " elements do not fill ", shape,
          ", which has ", shape.numel());
  Tensor out = empty(shape, dtype);
  if (count != 0) std::memcpy(out.impl()->storage->data(), values, count * dtype.size());
  return out;
}

void Tensor::copy_to_bytes(void* out, std::size_t count, DType dtype) const {
  require(static_cast<Index>(count) == numel(), "copy_to", "a span of ", count, " elements cannot take the ",
          numel(), " of ", shape());
  copy_dense(*this, dtype, out);
}

Tensor Tensor::as(DType dtype) const {
  if (!has_elements()) [[unlikely]]
    fail_without_elements();
  Tensor out = empty(shape(), dtype);
  copy_dense(*this, dtype, out.impl()->storage->data());
  return out;
}

void Tensor::fail_of_dtype(DType asked) const {
  fail<DTypeError>("data", "the elements are ", dtype(), ", not ", asked);
}

const void* Tensor::only_element() const {
  require(numel() == 1, "item", "needs exactly one element, got ", shape());
  return raw();
}

Tensor Tensor::detach() const { return defined() && requires_grad() ? Tensor(impl_->window()) : *this; }

Tensor Tensor::variable(std::string name) const {
  require<DTypeError>(dtype().is_floating(), "variable", "only floating tensors have gradients, got ",
                      dtype());
  Tensor out(impl_->window());
  Ref<Node> node(new Node);
  node->name = std::move(name);
  node->outputs.push_back({shape(), dtype()});
  out.impl_->node = std::move(node);
  return out;
}

Tensor Tensor::grad() const {
  require<GradientError>(requires_grad() && impl_->node->is_variable(), "grad",
                         "only a variable collects gradients; make one with x.variable()");
  const std::lock_guard lock(impl_->node->grad_mutex);
  return impl_->node->grad;
}

Tensor contiguous(const Tensor& x) {
  if (x.is_contiguous()) return x;
  if (!x.has_elements()) [[unlikely]] {
    Recorder* const recording = recorder();
    return recording == nullptr ? Tensor::without_elements(x.shape(), x.dtype()) : recording->dense(x);
  }
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  copy_dense(x, x.dtype(), out.impl()->storage->data());
  out.impl()->node = x.impl()->node;
  out.impl()->output = x.impl()->output;
  return out;
}

}  // namespace splot
