// Random tensors, and dropout.
#include "splot/backend/cpu/random.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "splot/core/recorder.h"
#include "splot/core/strided.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void check_key(const RuleArgs& r) {
  require<DTypeError>(r.dtype(0) == kInt64, r.op(), "the key is int64 {seed, stream, counter}, got ",
                      r.dtype(0));
  require(r.shape(0) == Shape{3}, r.op(), "the key is int64 {seed, stream, counter}, got a tensor of shape ",
          r.shape(0));
}

RandomKey key_of(const KernelArgs& k) {
  const Tensor key = contiguous(k.inputs[0]);
  const std::int64_t* parts = key.data<std::int64_t>();
  return {static_cast<std::uint64_t>(parts[0]), static_cast<std::uint64_t>(parts[1]),
          static_cast<std::uint64_t>(parts[2])};
}

void floating_rule(RuleArgs& r) {
  check_key(r);
  const DType dtype = r.attrs.dtype("dtype");
  require<DTypeError>(dtype == kFloat32 || dtype == kFloat64, r.op(), "makes float32 or float64, not ",
                      dtype);
  r.output(Shape(r.attrs.ints("shape")), dtype);
}

void uniform_rule(RuleArgs& r) {
  const double low = r.attrs.number("low"), high = r.attrs.number("high");
  require<ValueError>(std::isfinite(low) && std::isfinite(high) && low <= high, r.op(),
                      "there is nothing between low = ", low, " and high = ", high);
  floating_rule(r);
}

void normal_rule(RuleArgs& r) {
  require<ValueError>(r.attrs.number("deviation") >= 0.0, r.op(), "the deviation ",
                      r.attrs.number("deviation"), " is negative");
  floating_rule(r);
}

void bernoulli_rule(RuleArgs& r) {
  check_key(r);
  const double p = r.attrs.number("p");
  require<ValueError>(p >= 0.0 && p <= 1.0, r.op(), "p = ", p, " is not a probability");
  r.output(Shape(r.attrs.ints("shape")), r.attrs.dtype("dtype"));
}

void randperm_rule(RuleArgs& r) {
  check_key(r);
  require<ValueError>(r.attrs.integer("n") >= 0, r.op(), "n = ", r.attrs.integer("n"), " is negative");
  r.output({r.attrs.integer("n")}, kInt64);
}

void uniform_kernel(const KernelArgs& k) {
  visit_floats(k.outputs[0].dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::fill_uniform<T>(key_of(k), k.attrs.number("low"), k.attrs.number("high"), k.outputs[0].numel(),
                         k.out<T>());
  });
}

void normal_kernel(const KernelArgs& k) {
  visit_floats(k.outputs[0].dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::fill_normal<T>(key_of(k), k.attrs.number("mean"), k.attrs.number("deviation"), k.outputs[0].numel(),
                        k.out<T>());
  });
}

void bernoulli_kernel(const KernelArgs& k) {
  const Tensor& y = k.outputs[0];
  const double p = k.attrs.number("p"), value = k.attrs.number("value");
  if (y.dtype() == kFloat32) {
    cpu::fill_bernoulli<float>(key_of(k), p, value, y.numel(), k.out<float>());
  } else if (y.dtype() == kFloat64) {
    cpu::fill_bernoulli<double>(key_of(k), p, value, y.numel(), k.out<double>());
  } else {
    Tensor floats = Tensor::empty(y.shape(), kFloat32);
    auto* numbers = static_cast<float*>(const_cast<void*>(floats.raw()));
    cpu::fill_bernoulli<float>(key_of(k), p, value, y.numel(), numbers);
    copy_dense(floats, y.dtype(), k.raw_out());
  }
}

// Fisher and Yates's shuffle.
void randperm_kernel(const KernelArgs& k) {
  const Index n = k.outputs[0].numel();
  auto* out = k.out<std::int64_t>();
  std::iota(out, out + n, std::int64_t{0});
  RandomStream random(key_of(k));
  for (Index i = n - 1; i > 0; --i) {
    std::swap(out[i], out[static_cast<Index>(random.below(static_cast<std::uint64_t>(i) + 1))]);
  }
}

}  // namespace

extern constinit const OpDef uniform_op = {
    .name = "uniform",
    .attrs = {{"shape", AttrKind::ints},
              {"low", AttrKind::number},
              {"high", AttrKind::number},
              {"dtype", AttrKind::dtype}},
    .rule = uniform_rule,
    .kernel = uniform_kernel,
    .differentiable = false,
};

extern constinit const OpDef normal_op = {
    .name = "normal",
    .attrs = {{"shape", AttrKind::ints},
              {"mean", AttrKind::number},
              {"deviation", AttrKind::number},
              {"dtype", AttrKind::dtype}},
    .rule = normal_rule,
    .kernel = normal_kernel,
    .differentiable = false,
};

// `value` in place of 1 spares dropout a pass over its mask.
extern constinit const OpDef bernoulli_op = {
    .name = "bernoulli",
    .attrs = {{"shape", AttrKind::ints},
              {"p", AttrKind::number},
              {"value", AttrKind::number},
              {"dtype", AttrKind::dtype}},
    .rule = bernoulli_rule,
    .kernel = bernoulli_kernel,
    .differentiable = false,
};

extern constinit const OpDef randperm_op = {
    .name = "randperm",
    .attrs = {{"n", AttrKind::integer}},
    .rule = randperm_rule,
    .kernel = randperm_kernel,
    .differentiable = false,
};

Tensor key_tensor(const RandomKey& key) {
  if (Recorder* const recording = recorder()) return recording->key(key);
  const std::int64_t parts[] = {static_cast<std::int64_t>(key.seed), static_cast<std::int64_t>(key.stream),
                                static_cast<std::int64_t>(key.counter)};
  return Tensor::from(std::span<const std::int64_t>(parts), {3});
}

Tensor uniform(const Shape& shape, const RandomKeyTensor& key, const UniformOptions& options) {
  return apply(uniform_op, {key.tensor},
               {uniform_op.attrs, {shape.ints(), options.low, options.high, options.dtype}});
}

Tensor normal(const Shape& shape, const RandomKeyTensor& key, const NormalOptions& options) {
  return apply(normal_op, {key.tensor},
               {normal_op.attrs, {shape.ints(), options.mean, options.deviation, options.dtype}});
}

Tensor bernoulli(const Shape& shape, double p, const RandomKeyTensor& key, DType dtype) {
  return apply(bernoulli_op, {key.tensor}, {bernoulli_op.attrs, {shape.ints(), p, 1.0, dtype}});
}

Tensor randperm(Index n, const RandomKeyTensor& key) {
  return apply(randperm_op, {key.tensor}, {randperm_op.attrs, {n}});
}

Tensor dropout(const Tensor& x, double p, const RandomKeyTensor& key) {
  require<ValueError>(p >= 0.0 && p <= 1.0, "dropout", "p = ", p, " is not a probability");
  const Tensor floating = as_floating(x);
  const double kept = 1.0 - p;
  // With p = 1 nothing is kept, and 1 / 0 must not meet the zeros.
  const double value = kept > 0.0 ? 1.0 / kept : 0.0;
  const Tensor mask = apply(bernoulli_op, {key.tensor},
                            {bernoulli_op.attrs, {floating.shape().ints(), kept, value, floating.dtype()}});
  return floating * mask;
}

}  // namespace splot
