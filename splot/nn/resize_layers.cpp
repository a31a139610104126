#include "splot/nn/resize_layers.h"

#include <algorithm>

#include "splot/core/error.h"
#include "splot/nn/internal/mode_names.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void require_images(const Tensor& x, const char* layer) {
  require(x.rank() == 3 || x.rank() == 4, layer, "needs images [N, C, H, W] or [C, H, W], got x", x);
}

void check(const Ints& sizes, const ResizeOptions& options, const char* layer, const char* what) {
  require<ValueError>(sizes.size() == 1 || sizes.size() == 2, layer, "the ", what,
                      " is one number for both axes or two, got ", sizes);
  require<ValueError>(std::all_of(sizes.begin(), sizes.end(), [](Index size) { return size > 0; }), layer,
                      "the ", what, " must be positive, got ", sizes);
  require<ValueError>(options.mode == ResizeMode::bilinear || !options.align_corners, layer,
                      "align_corners is for bilinear alone");
}

void visit_options(Visitor& v, const ResizeOptions& options) {
  v.argument("mode", std::string(kResizeModeNames[static_cast<std::size_t>(options.mode)]));
  v.argument("align_corners", options.align_corners);
}

}  // namespace

Pad2d::Pad2d(const Ints& padding, const Pad2dOptions& options) : padding_(padding), options_(options) {
  require<ValueError>(padding.size() == 1 || padding.size() == 2 || padding.size() == 4, "pad2d",
                      "the padding is one number for all sides, two or {top, bottom, left, right}, got ",
                      padding);
  require<ValueError>(std::all_of(padding.begin(), padding.end(), [](Index size) { return size >= 0; }),
                      "pad2d", "the padding must be 0 or more, got ", padding);
  require<ValueError>(options.mode == PadMode::constant || options.value == 0.0, "pad2d",
                      "a value is for the mode constant alone");
}

Tensor Pad2d::forward(const Tensor& x, Context&) {
  require_images(x, "pad2d");
  const bool sides = padding_.size() == 4;
  const Index top = padding_[0], bottom = padding_[sides ? 1 : 0];
  const Index right = padding_[padding_.size() - 1], left = sides ? padding_[2] : right;
  Ints before(x.rank(), 0), after(x.rank(), 0);
  before[x.rank() - 2] = top;
  before[x.rank() - 1] = left;
  after[x.rank() - 2] = bottom;
  after[x.rank() - 1] = right;
  if (options_.mode == PadMode::constant) return pad(x, before, after, options_.value);
  return pad(x, before, after, options_.mode);
}

void Pad2d::visit(Visitor& v) {
  v.argument("padding", padding_);
  v.argument("mode", std::string(kPadModeNames[static_cast<std::size_t>(options_.mode)]));
  v.argument("value", options_.value);
}

Resize::Resize(const Ints& size, const ResizeOptions& options) : size_(size), options_(options) {
  check(size, options, "resize", "size");
}

Tensor Resize::forward(const Tensor& x, Context&) { return resize(x, size_, options_); }

void Resize::visit(Visitor& v) {
  v.argument("size", size_);
  visit_options(v, options_);
}

Upsample::Upsample(const Ints& scale, const ResizeOptions& options) : scale_(scale), options_(options) {
  check(scale, options, "upsample", "scale");
}

Tensor Upsample::forward(const Tensor& x, Context&) {
  require_images(x, "upsample");
  const auto scaled = [&](int axis, Index factor) {
    Index size = 0;
    require(!__builtin_mul_overflow(x.shape()[axis], factor, &size), "upsample", "x", x, " is too large for ",
            factor, " times its size");
    return size;
  };
  return resize(x, {scaled(-2, scale_[0]), scaled(-1, scale_[scale_.size() - 1])}, options_);
}

void Upsample::visit(Visitor& v) {
  v.argument("scale", scale_);
  visit_options(v, options_);
}

}  // namespace splot
