// Sequences of numbers: arange and linspace.
#include <cmath>

#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void arange_rule(RuleArgs& r) {
  const double start = r.attrs.number("start"), stop = r.attrs.number("stop"), step = r.attrs.number("step");
  require<ValueError>(std::isfinite(start) && std::isfinite(stop) && std::isfinite(step), r.op(),
                      "needs finite numbers, got start ", start, ", stop ", stop, ", step ", step);
  require<ValueError>(step != 0.0, r.op(), "the step is 0");
  require<ValueError>(start == stop || (step > 0) == (stop > start), r.op(), "a step of ", step,
                      " does not lead from ", start, " to ", stop);
  const double size = std::ceil((stop - start) / step);
  // 2^62 elements are more than any memory, and still convert to Index exactly.
  require<ValueError>(size < 0x1p62, r.op(), "from ", start, " to ", stop, " by ", step,
                      " are more elements than a tensor can have");
  r.output(Shape({static_cast<Index>(size)}), r.attrs.dtype("dtype"));
}

void arange_kernel(const KernelArgs& k) {
  const double start = k.attrs.number("start"), step = k.attrs.number("step");
  visit_any(k.outputs[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = k.out<T>();
    for (Index i = 0; i < k.outputs[0].numel(); ++i) {
      out[i] = convert<T>(start + static_cast<double>(i) * step);
    }
  });
}

void linspace_rule(RuleArgs& r) {
  const Index n = r.attrs.integer("n");
  require<ValueError>(n >= 0, r.op(), "cannot make ", n, " numbers");
  r.output(Shape({n}), r.attrs.dtype("dtype"));
}

void linspace_kernel(const KernelArgs& k) {
  const double start = k.attrs.number("start"), stop = k.attrs.number("stop");
  const Index n = k.attrs.integer("n");
  const double step = n > 1 ? (stop - start) / static_cast<double>(n - 1) : 0.0;
  visit_any(k.outputs[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = k.out<T>();
    // Each half is counted from its own end, so that both ends are exact and the halves mirror each other.
    for (Index i = 0; i < n; ++i) {
      const bool left = i < (n + 1) / 2;
      out[i] = convert<T>(left ? start + static_cast<double>(i) * step
                               : stop - static_cast<double>(n - 1 - i) * step);
    }
  });
}

}  // namespace

extern constinit const OpDef arange_op = {
    .name = "arange",
    .attrs = {{"start", AttrKind::number},
              {"stop", AttrKind::number},
              {"step", AttrKind::number},
              {"dtype", AttrKind::dtype}},
    .inputs = 0,
    .rule = arange_rule,
    .kernel = arange_kernel,
    .differentiable = false,
    .onnx = "Range",
};

extern constinit const OpDef linspace_op = {
    .name = "linspace",
    .attrs = {{"start", AttrKind::number},
              {"stop", AttrKind::number},
              {"n", AttrKind::integer},
              {"dtype", AttrKind::dtype}},
    .inputs = 0,
    .rule = linspace_rule,
    .kernel = linspace_kernel,
    .differentiable = false,
};

Tensor arange(double start, double stop, double step, DType dtype) {
  return apply(arange_op, std::span<const Tensor>(), {arange_op.attrs, {start, stop, step, dtype}});
}

Tensor linspace(double start, double stop, Index n, DType dtype) {
  return apply(linspace_op, std::span<const Tensor>(), {linspace_op.attrs, {start, stop, n, dtype}});
}

}  // namespace splot
