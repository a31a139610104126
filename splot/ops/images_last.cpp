#include "splot/ops/internal/images_last.h"

#include <cstring>

#include "splot/backend/cpu/conv.h"
#include "splot/core/node.h"
#include "splot/core/strided.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

bool is_images_last(const Tensor& x) {
  if (x.numel() == 0) return true;
  const Strides wanted = images_last(x.shape());
  for (int i = 0; i < x.rank(); ++i) {
    if (x.shape()[i] != 1 && x.strides()[i] != wanted[i]) return false;
  }
  return true;
}

// From [N, C, ...] to [C, ..., N] and back.
Tensor first_axis_last(const Tensor& x) {
  Axes order;
  for (int i = 1; i < x.rank(); ++i) order.push_back(i);
  order.push_back(0);
  return permute(x, order);
}
Tensor last_axis_first(const Tensor& x) {
  Axes order = {x.rank() - 1};
  for (int i = 0; i + 1 < x.rank(); ++i) order.push_back(i);
  return permute(x, order);
}

// To the elements of a tensor of that order.
void write_images_last(const Tensor& x, const Tensor& to) {
  const Tensor dense = contiguous(x);
  const Index images = x.shape()[0];
  const Index numbers = x.numel() / images;
  visit_floats(x.dtype(), "images_last", [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::transpose(images, numbers, dense.data<T>(), numbers, const_cast<T*>(to.data<T>()), images);
  });
}

// --- the record

void to_images_last_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) == kFloat32 || r.dtype(0) == kFloat64, r.op(),
                      "needs float32 or float64, got ", r.dtype(0));
  require(r.shape(0).rank() == 4, r.op(), "needs images [N, C, H, W], got ", r.shape(0));
  output_images(r, r.shape(0), r.dtype(0));
}

void to_images_last_kernel(const KernelArgs& k) {
  const Tensor& x = k.inputs[0];
  if (x.numel() == 0) return;
  if (!is_images_last(x)) return write_images_last(x, k.outputs[0]);
  std::memcpy(k.raw_out(), x.raw(), static_cast<std::size_t>(x.numel()) * x.dtype().size());
}

// The numbers are the same, whatever their order in memory.
TensorList to_images_last_vjp(const VjpArgs& v) { return {v.dy()}; }
TensorList to_images_last_composed(std::span<const Tensor> in, const Attrs&) { return {in[0]}; }

}  // namespace

extern constinit const OpDef to_images_last_op = {
    .name = "to_images_last",
    .rule = to_images_last_rule,
    .kernel = to_images_last_kernel,
    .vjp = to_images_last_vjp,
    .composed = to_images_last_composed,
    .onnx = "Identity",
};

Tensor to_images_last(const Tensor& x) { return apply(to_images_last_op, {x}); }

Strides images_last(const Shape& shape) {
  Strides out(shape.rank(), 1);
  Index step = shape[0];
  for (int i = shape.rank() - 1; i >= 1; --i) {
    out[i] = step;
    step *= shape[i];
  }
  return out;
}

void output_images(RuleArgs& r, const Shape& shape, DType dtype) {
  shape.rank() == 4 ? r.output(shape, dtype, images_last(shape)) : r.output(shape, dtype);
}

Tensor in_images_last(const Tensor& x) {
  if (is_images_last(x)) return x;
  const NoGrad off;
  if (!x.dtype().is_floating() || x.dtype().size() < 4)
    return last_axis_first(contiguous(first_axis_last(x)));
  const Tensor out = Tensor::empty(x.shape(), x.dtype(), images_last(x.shape()));
  write_images_last(x, out);
  return out;
}

ImagesLastOutput::ImagesLastOutput(const KernelArgs& k, std::size_t i)
    : k_(k), i_(i), written_(k.outputs[i]) {
  if (is_images_last(written_)) return;
  Ints sizes;
  for (int axis = 1; axis < written_.rank(); ++axis) sizes.push_back(written_.shape()[axis]);
  sizes.push_back(written_.shape()[0]);
  const NoGrad off;
  written_ = last_axis_first(Tensor::empty(Shape(sizes), written_.dtype()));
}

void ImagesLastOutput::finish() const {
  if (written_.raw() != k_.outputs[i_].raw()) copy_dense(written_, written_.dtype(), k_.raw_out(i_));
}

}  // namespace splot
