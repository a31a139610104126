// Pooling as layers. What they compute is in splot/ops/pooling.h.
#pragma once

#include "splot/nn/layer.h"
#include "splot/ops/pooling.h"

namespace splot {

/// The largest element of each window: x[N, C, H, W] -> [N, C, H', W'].
///
///   MaxPool2d({2})   MaxPool2d({3}, {.stride = {2}, .padding = {1}})
class SPLOT_API MaxPool2d final : public Layer {
 public:
  explicit MaxPool2d(const Ints& kernel, const MaxPoolOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Ints kernel_;
  MaxPoolOptions options_;
};

/// The same along one axis: x[N, C, L] -> [N, C, L'].
class SPLOT_API MaxPool1d final : public Layer {
 public:
  explicit MaxPool1d(Index kernel, const MaxPoolOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Index kernel_;
  MaxPoolOptions options_;
};

/// The mean of each window: x[N, C, H, W] -> [N, C, H', W'].
class SPLOT_API AvgPool2d final : public Layer {
 public:
  explicit AvgPool2d(const Ints& kernel, const AvgPoolOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Ints kernel_;
  AvgPoolOptions options_;
};

/// The same along one axis: x[N, C, L] -> [N, C, L'].
class SPLOT_API AvgPool1d final : public Layer {
 public:
  explicit AvgPool1d(Index kernel, const AvgPoolOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Index kernel_;
  AvgPoolOptions options_;
};

/// Means over as many windows as are asked for: x[N, C, H, W] -> [N, C, size...].
///
///   AdaptiveAvgPool2d({1})   one number for each channel
class SPLOT_API AdaptiveAvgPool2d final : public Layer {
 public:
  explicit AdaptiveAvgPool2d(const Ints& size);
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Ints size_;
};

/// The largest elements of as many windows as are asked for: x[N, C, H, W] -> [N, C, size...].
class SPLOT_API AdaptiveMaxPool2d final : public Layer {
 public:
  explicit AdaptiveMaxPool2d(const Ints& size);
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Ints size_;
};

/// Means over as many windows along one axis: x[N, C, L] -> [N, C, size].
class SPLOT_API AdaptiveAvgPool1d final : public Layer {
 public:
  explicit AdaptiveAvgPool1d(Index size);
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Index size_;
};

/// The largest elements of as many windows along one axis: x[N, C, L] -> [N, C, size].
class SPLOT_API AdaptiveMaxPool1d final : public Layer {
 public:
  explicit AdaptiveMaxPool1d(Index size);
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Index size_;
};

/// The mean of each channel: x[N, C, H, W] -> [N, C].
class SPLOT_API GlobalAvgPool final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// The largest element of each channel: x[N, C, H, W] -> [N, C].
class SPLOT_API GlobalMaxPool final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

}  // namespace splot
