#include "splot/ops/internal/images_last.h"

#include "splot/backend/cpu/conv.h"
#include "splot/core/node.h"
#include "splot/core/strided.h"
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

}  // namespace

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
  const Tensor dense = contiguous(x);
  const Tensor out = Tensor::empty(x.shape(), x.dtype(), images_last(x.shape()));
  const Index images = x.shape()[0];
  const Index numbers = x.numel() / images;
  visit_floats(x.dtype(), "images_last", [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::transpose(images, numbers, dense.data<T>(), numbers, const_cast<T*>(out.data<T>()), images);
  });
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
