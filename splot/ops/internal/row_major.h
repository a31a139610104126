// RowMajor: a tensor as kernels take it that go over its elements in order.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// The tensor itself where it is row-major or undefined, else a copy that is. The tensor has to outlive this:
/// it is not counted, which would be a good part of what a small call takes.
///
///   const RowMajor w(k.inputs[1]);
///   w->data<float>()
///
/// Threads: of the one that made it; read only.
class RowMajor {
 public:
  explicit RowMajor(const Tensor& x)
      : copy_(!x.defined() || x.is_contiguous() ? Tensor() : contiguous(x)),
        tensor_(copy_.defined() ? &copy_ : &x) {}
  RowMajor(const RowMajor&) = delete;
  RowMajor& operator=(const RowMajor&) = delete;

  const Tensor& operator*() const { return *tensor_; }
  const Tensor* operator->() const { return tensor_; }

 private:
  const Tensor copy_;
  const Tensor* const tensor_;
};

}  // namespace splot
