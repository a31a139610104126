// Batches whose images lie innermost in memory: x[N, C, H, W] stored as [C][H][W][N], x[N, C] as [C][N]. What
// the kernels of images read and write: vectors run over the images, and a channel is one run.
#pragma once

#include "splot/core/op.h"

namespace splot {

/// The strides of such a batch; of [N, C, H, W] they are 1, H W N, W N, N.
Strides images_last(const Shape& shape);

/// For rules: adds an output, in that order when it is a batch of images [N, C, H, W], else row-major.
void output_images(RuleArgs& r, const Shape& shape, DType dtype);

/// x with that order of memory: x itself where it has it already. Needs at least two axes.
Tensor in_images_last(const Tensor& x);

/// An output of a kernel that writes this order, whatever order the output has.
class ImagesLastOutput {
 public:
  ImagesLastOutput(const KernelArgs& k, std::size_t i);
  /// To be written: all elements.
  template <Element T>
  T* data() const {
    return const_cast<T*>(written_.data<T>());
  }
  /// Brings what was written to the output.
  void finish() const;

 private:
  const KernelArgs& k_;
  std::size_t i_;
  Tensor written_;
};

}  // namespace splot
