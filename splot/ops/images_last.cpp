#include "splot/ops/internal/images_last.h"

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

}  // namespace

Strides images_last(const Shape& shape) {
  const Index n = shape[0], w = shape[3];
  return {1, shape[2] * w * n, w * n, n};
}

Tensor in_images_last(const Tensor& x) {
  if (is_images_last(x)) return x;
  const NoGrad off;
  return permute(contiguous(permute(x, {1, 2, 3, 0})), {3, 0, 1, 2});
}

ImagesLastOutput::ImagesLastOutput(const KernelArgs& k, std::size_t i)
    : k_(k), i_(i), written_(k.outputs[i]) {
  if (is_images_last(written_)) return;
  const Shape& s = written_.shape();
  const NoGrad off;
  written_ = permute(Tensor::empty({s[1], s[2], s[3], s[0]}, written_.dtype()), {3, 0, 1, 2});
}

void ImagesLastOutput::finish() const {
  if (written_.raw() != k_.outputs[i_].raw()) copy_dense(written_, written_.dtype(), k_.raw_out(i_));
}

}  // namespace splot
