#include "splot/nn/pooling_layers.h"

#include "splot/ops/ops.h"

namespace splot {
namespace {

// What an unset stride comes down to, so that a file says it.
Ints stride_or(const Ints& stride, const Ints& kernel) { return stride.empty() ? kernel : stride; }

void visit_windows(Visitor& v, const Ints& kernel, const MaxPoolOptions& o) {
  v.argument("stride", stride_or(o.stride, kernel));
  v.argument("padding", o.padding);
  v.argument("dilation", o.dilation);
  v.argument("ceil_mode", o.ceil_mode);
}

void visit_windows(Visitor& v, const Ints& kernel, const AvgPoolOptions& o) {
  v.argument("stride", stride_or(o.stride, kernel));
  v.argument("padding", o.padding);
  v.argument("ceil_mode", o.ceil_mode);
  v.argument("count_include_pad", o.count_include_pad);
  v.argument("divisor", o.divisor);
}

}  // namespace

MaxPool2d::MaxPool2d(const Ints& kernel, const MaxPoolOptions& options)
    : kernel_(kernel), options_(options) {}
Tensor MaxPool2d::forward(const Tensor& x, Context&) { return max_pool2d(x, kernel_, options_); }
void MaxPool2d::visit(Visitor& v) {
  v.argument("kernel", kernel_);
  visit_windows(v, kernel_, options_);
}

MaxPool1d::MaxPool1d(Index kernel, const MaxPoolOptions& options) : kernel_(kernel), options_(options) {}
Tensor MaxPool1d::forward(const Tensor& x, Context&) { return max_pool1d(x, kernel_, options_); }
void MaxPool1d::visit(Visitor& v) {
  v.argument("kernel", kernel_);
  visit_windows(v, {kernel_}, options_);
}

AvgPool2d::AvgPool2d(const Ints& kernel, const AvgPoolOptions& options)
    : kernel_(kernel), options_(options) {}
Tensor AvgPool2d::forward(const Tensor& x, Context&) { return avg_pool2d(x, kernel_, options_); }
void AvgPool2d::visit(Visitor& v) {
  v.argument("kernel", kernel_);
  visit_windows(v, kernel_, options_);
}

AvgPool1d::AvgPool1d(Index kernel, const AvgPoolOptions& options) : kernel_(kernel), options_(options) {}
Tensor AvgPool1d::forward(const Tensor& x, Context&) { return avg_pool1d(x, kernel_, options_); }
void AvgPool1d::visit(Visitor& v) {
  v.argument("kernel", kernel_);
  visit_windows(v, {kernel_}, options_);
}

AdaptiveAvgPool2d::AdaptiveAvgPool2d(const Ints& size) : size_(size) {}
Tensor AdaptiveAvgPool2d::forward(const Tensor& x, Context&) { return adaptive_avg_pool2d(x, size_); }
void AdaptiveAvgPool2d::visit(Visitor& v) { v.argument("size", size_); }

AdaptiveMaxPool2d::AdaptiveMaxPool2d(const Ints& size) : size_(size) {}
Tensor AdaptiveMaxPool2d::forward(const Tensor& x, Context&) { return adaptive_max_pool2d(x, size_); }
void AdaptiveMaxPool2d::visit(Visitor& v) { v.argument("size", size_); }

AdaptiveAvgPool1d::AdaptiveAvgPool1d(Index size) : size_(size) {}
Tensor AdaptiveAvgPool1d::forward(const Tensor& x, Context&) { return adaptive_avg_pool1d(x, size_); }
void AdaptiveAvgPool1d::visit(Visitor& v) { v.argument("size", size_); }

AdaptiveMaxPool1d::AdaptiveMaxPool1d(Index size) : size_(size) {}
Tensor AdaptiveMaxPool1d::forward(const Tensor& x, Context&) { return adaptive_max_pool1d(x, size_); }
void AdaptiveMaxPool1d::visit(Visitor& v) { v.argument("size", size_); }

Tensor GlobalAvgPool::forward(const Tensor& x, Context&) { return global_avg_pool2d(x); }
Tensor GlobalMaxPool::forward(const Tensor& x, Context&) { return global_max_pool2d(x); }

}  // namespace splot
