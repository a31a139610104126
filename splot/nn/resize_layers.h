// Images of another size: put into a frame, or interpolated.
#pragma once

#include "splot/nn/layer.h"
#include "splot/ops/resize.h"
#include "splot/ops/shape.h"

namespace splot {

struct Pad2dOptions {
  PadMode mode = PadMode::constant;
  double value = 0.0;  ///< what `constant` puts there
};

/// Rows and columns around images: x[N, C, H, W] -> [N, C, top + H + bottom, left + W + right], or x without
/// N. The padding is one number for all sides, {top and bottom, left and right} or {top, bottom, left,
/// right}. Throws ValueError for any other, for negative numbers and for a value in another mode; running it
/// throws ShapeError where there is too little to mirror or repeat.
///
///   Pad2d({2})   Pad2d({0, 1, 0, 1}, {.mode = PadMode::reflect})
class SPLOT_API Pad2d final : public Layer {
 public:
  explicit Pad2d(const Ints& padding, const Pad2dOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Ints padding_;
  Pad2dOptions options_;
};

/// Images interpolated at this size, {H', W'} or one number for both: x[N, C, H, W] -> [N, C, H', W'], or x
/// without N. Throws ValueError unless the size is positive; resize() (splot/ops/resize.h) has the formulas.
///
///   Resize({32})   Resize({24, 32}, {.mode = ResizeMode::nearest})
class SPLOT_API Resize final : public Layer {
 public:
  explicit Resize(const Ints& size, const ResizeOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Ints size_;
  ResizeOptions options_;
};

/// Images so many times as high and as wide, {a, b} or one number for both: x[N, C, H, W] -> [N, C, a H, b
/// W], or x without N. Throws ValueError unless the scale is positive.
///
///   Upsample({2}, {.mode = ResizeMode::nearest})   // every pixel becomes 2 x 2
class SPLOT_API Upsample final : public Layer {
 public:
  explicit Upsample(const Ints& scale, const ResizeOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Ints scale_;
  ResizeOptions options_;
};

}  // namespace splot
