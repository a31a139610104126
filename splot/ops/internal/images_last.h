// Batches of images [N, C, H, W] whose memory is [C][H][W][N]: what the kernels of images read and write.
#pragma once

#include "splot/core/op.h"

namespace splot {

/// The strides of such a batch: 1, H W N, W N, N.
Strides images_last(const Shape& shape);

/// x[N, C, H, W] with that order of memory: x itself where it has it already.
Tensor in_images_last(const Tensor& x);

/// An output of a kernel that writes [C][H][W][N], whatever order the output has.
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
