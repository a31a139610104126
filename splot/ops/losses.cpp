// Cross-entropies with one-pass gradients.
#include "splot/ops/losses.h"

#include <string>

#include "splot/backend/cpu/elementwise.h"
#include "splot/backend/cpu/reduce.h"
#include "splot/backend/cpu/softmax.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// --- softmax_cross_entropy

std::string name_of(Reduction reduction) {
  switch (reduction) {
    case Reduction::none:
      return "none";
    case Reduction::mean:
      return "mean";
    case Reduction::sum:
      break;
  }
  return "sum";
}

Reduction reduction_of(const Attrs& attrs) {
  const std::string& name = attrs.text("reduction");
  return name == "none" ? Reduction::none : name == "mean" ? Reduction::mean : Reduction::sum;
}

Shape without_last(const Shape& shape) {
  return Shape(std::span<const Index>(shape.begin(), shape.end() - 1));
}

Shape loss_shape(const Shape& logits, const Attrs& attrs) {
  return reduction_of(attrs) == Reduction::none ? without_last(logits) : Shape{};
}

void check_logits_and_target(const RuleArgs& r, std::size_t logits, std::size_t target) {
  const Shape& x = r.shape(logits);
  const std::string& name = r.attrs.text("reduction");
  require<ValueError>(name == "none" || name == "mean" || name == "sum", r.op(), "reduction is ", name,
                      "; it can be none, mean or sum");
  require<DTypeError>(r.dtype(logits) == kFloat32 || r.dtype(logits) == kFloat64, r.op(),
                      "needs float32 or float64 logits, got ", r.dtype(logits));
  require(x.rank() >= 1, r.op(), "needs an axis of classes, got logits", x);
  if (r.dtype(target) == kInt64) {
    require(r.shape(target) == without_last(x), r.op(), "logits", x, " need class numbers of shape ",
            without_last(x), ", got target", r.shape(target));
  } else {
    require<DTypeError>(r.dtype(target) == r.dtype(logits), r.op(), "logits are ", r.dtype(logits),
                        ", the target's probabilities are ", r.dtype(target));
    require(r.shape(target) == x, r.op(), "logits", x, " need probabilities of the same shape, got target",
            r.shape(target));
  }
}

void cross_entropy_rule(RuleArgs& r) {
  check_logits_and_target(r, 0, 1);
  r.output(loss_shape(r.shape(0), r.attrs), r.dtype(0));
}

void cross_entropy_grad_rule(RuleArgs& r) {
  check_logits_and_target(r, 1, 2);
  require<DTypeError>(r.dtype(0) == r.dtype(1), r.op(), "dy is ", r.dtype(0), ", logits are ", r.dtype(1));
  require(r.shape(0) == loss_shape(r.shape(1), r.attrs), r.op(), "dy", r.shape(0),
          " does not have the shape of the loss, ", loss_shape(r.shape(1), r.attrs));
  r.output(r.shape(1), r.dtype(1));
}

// The operands as dense rows; the tensors keep them alive.
template <typename T>
struct DenseRows {
  Tensor logits, target;
  cpu::CrossEntropy<T> args;

  DenseRows(const Tensor& x, const Tensor& t, const char* op) : logits(contiguous(x)), target(contiguous(t)) {
    args.x = logits.data<T>();
    args.n = x.shape()[-1];
    args.rows = without_last(x.shape()).numel();
    if (t.dtype() != kInt64) {
      args.probabilities = target.data<T>();
      return;
    }
    args.classes = target.data<std::int64_t>();
    for (Index i = 0; i < args.rows; ++i) {
      if (args.classes[i] < 0 || args.classes[i] >= args.n) [[unlikely]] {
        fail<IndexError>(op, "there is no class ", args.classes[i], " among ", args.n,
                         ": the target's element ", i, " is out of range");
      }
    }
  }
};

void cross_entropy_kernel(const KernelArgs& k) {
  visit_floats(k.outputs[0].dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const DenseRows<T> rows(k.inputs[0], k.inputs[1], k.op.name);
    const Reduction reduction = reduction_of(k.attrs);
    if (reduction == Reduction::none) return cpu::cross_entropy_rows(rows.args, k.out<T>());
    const Ref<Storage> losses = Storage::allocate(static_cast<std::size_t>(rows.args.rows) * sizeof(T));
    auto* each = static_cast<T*>(losses->data());
    cpu::cross_entropy_rows(rows.args, each);
    cpu::reduce<T>(cpu::Reduce::sum, each, {1, rows.args.rows, 1}, nullptr, k.out<T>());
    if (reduction == Reduction::mean) *k.out<T>() /= static_cast<T>(rows.args.rows);
  });
}

void cross_entropy_grad_kernel(const KernelArgs& k) {
  visit_floats(k.outputs[0].dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const DenseRows<T> rows(k.inputs[1], k.inputs[2], k.op.name);
    const Reduction reduction = reduction_of(k.attrs);
    const Tensor dy = contiguous(k.inputs[0]);
    const T scale = reduction == Reduction::mean ? T(1) / static_cast<T>(rows.args.rows) : T(1);
    cpu::cross_entropy_grad_rows(rows.args, dy.data<T>(), reduction == Reduction::none ? 1 : 0, scale,
                                 k.out<T>());
  });
}

// A value for each sample as a column beside its logits: dy, divided by the number of samples for mean.
Tensor column_of(const Tensor& dy, const Shape& logits, Reduction reduction) {
  Ints sizes = without_last(logits).ints();
  const auto samples = static_cast<double>(without_last(logits).numel());
  sizes.push_back(1);
  if (reduction == Reduction::none) return reshape(dy, sizes);
  return expand(reduction == Reduction::mean ? dy / samples : dy, Shape(sizes));
}

// dx = (sum(t) softmax(x) - t) dy       dt = -log_softmax(x) dy
TensorList cross_entropy_vjp(const VjpArgs& v) {
  const Reduction reduction = reduction_of(v.attrs());
  return {v.needs(0) ? softmax_cross_entropy_grad(v.dy(), v.input(0), v.input(1), reduction) : Tensor(),
          v.needs(1) ? -log_softmax(v.input(0)) * column_of(v.dy(), v.shape(0), reduction) : Tensor()};
}

// g = (s p - t) d with p = softmax(x), s = sum(t), d = the column of dy. For the cotangent c, with h = c d:
//   for dy:  c (s p - t), summed over whatever shares a dy
//   for x:   s p (h - sum(p h))
//   for t:   sum(p h) - h
TensorList cross_entropy_grad_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(1);
  const Tensor& t = v.input(2);
  const Reduction reduction = reduction_of(v.attrs());
  TensorList out(3);
  if (v.needs(0)) {
    const Tensor unit = softmax_cross_entropy_grad(ones(v.shape(0), v.dtype(0)), x, t, reduction);
    out[0] = reduction == Reduction::none ? sum(v.dy() * unit, {-1}) : sum(v.dy() * unit);
  }
  if (!v.needs(1) && !v.needs(2)) return out;
  const Tensor h = v.dy() * column_of(v.input(0), v.shape(1), reduction);
  const Tensor p = softmax(x);
  const Tensor weighted = p * h;
  const Tensor total = sum(weighted, {-1}, /*keepdim=*/true);
  if (v.needs(1)) {
    const Tensor dx = weighted - p * total;
    out[1] = t.dtype().is_integral() ? dx : dx * sum(t, {-1}, /*keepdim=*/true);
  }
  if (v.needs(2)) out[2] = total - h;
  return out;
}

Tensor probabilities_of(const Tensor& target, const Tensor& logits) {
  return target.dtype() == kInt64 ? one_hot(target, logits.shape()[-1], logits.dtype()) : target;
}

Tensor reduced(const Tensor& losses, Reduction reduction) {
  return reduction == Reduction::none ? losses : reduction == Reduction::mean ? mean(losses) : sum(losses);
}

TensorList cross_entropy_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor t = probabilities_of(in[1], in[0]);
  return {reduced(-sum(t * log_softmax(in[0]), {-1}), reduction_of(attrs))};
}

TensorList cross_entropy_grad_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor& x = in[1];
  const Tensor t = probabilities_of(in[2], x);
  return {(softmax(x) * sum(t, {-1}, /*keepdim=*/true) - t) *
          column_of(in[0], x.shape(), reduction_of(attrs))};
}

// --- sigmoid_cross_entropy

struct SigmoidCrossEntropy {
  SPLOT_FORMULA((V x, V t), { return max(x, V(0)) - x * t + log1p(exp(-abs(x))); })
};
struct SigmoidCrossEntropyGrad {
  SPLOT_FORMULA((V dy, V x, V t), { return (V(1) / (V(1) + exp(-x)) - t) * dy; })
};

// dx = (sigmoid(x) - t) dy       dt = -x dy
TensorList sigmoid_cross_entropy_vjp(const VjpArgs& v) {
  return {
      v.needs(0) ? sum_to(sigmoid_cross_entropy_grad(v.dy(), v.input(0), v.input(1)), v.shape(0)) : Tensor(),
      v.needs(1) ? sum_to(-v.input(0) * v.dy(), v.shape(1)) : Tensor()};
}

// g = (s - t) dy with s = sigmoid(x). For the cotangent c: c (s - t) for dy, c dy s (1 - s) for x, -c dy for
// t.
TensorList sigmoid_cross_entropy_grad_vjp(const VjpArgs& v) {
  const Tensor& dy = v.input(0);
  const Tensor& x = v.input(1);
  const Tensor& t = v.input(2);
  TensorList out(3);
  if (v.needs(0)) out[0] = sum_to(sigmoid_cross_entropy_grad(v.dy(), x, t), v.shape(0));
  if (v.needs(1)) {
    const Tensor s = sigmoid(x);
    out[1] = sum_to(v.dy() * dy * (s - s * s), v.shape(1));
  }
  if (v.needs(2)) out[2] = sum_to(-v.dy() * dy, v.shape(2));
  return out;
}

TensorList sigmoid_cross_entropy_composed(std::span<const Tensor> in, const Attrs&) {
  const Tensor& x = in[0];
  return {relu(x) - x * in[1] + log1p(exp(-abs(x)))};
}

TensorList sigmoid_cross_entropy_grad_composed(std::span<const Tensor> in, const Attrs&) {
  return {(sigmoid(in[1]) - in[2]) * in[0]};
}

// --- probability_cross_entropy

// Written with select: max() would answer -100 for NaN.
struct ProbabilityCrossEntropy {
  SPLOT_FORMULA((V x, V t), {
    const V yes = log(x);
    const V no = log1p(-x);
    const V lowest = V(-100);
    return -(t * select(yes < lowest, lowest, yes)) - (V(1) - t) * select(no < lowest, lowest, no);
  })
};

Tensor bounded_log(const Tensor& logarithm) { return clamp(logarithm, -100.0); }

// dx = (x - t) / (x (1 - x)) dy, the divisor at least 1e-12      dt = (log(1 - x) - log(x)) dy
TensorList probability_cross_entropy_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(0);
  TensorList out(2);
  if (v.needs(0)) out[0] = unbroadcast(v, 0, v.dy() * (x - v.input(1)) / clamp(x * (1.0 - x), 1e-12));
  if (v.needs(1)) out[1] = unbroadcast(v, 1, v.dy() * (bounded_log(log1p(-x)) - bounded_log(log(x))));
  return out;
}

TensorList probability_cross_entropy_composed(std::span<const Tensor> in, const Attrs&) {
  const Tensor& x = in[0];
  const Tensor& t = in[1];
  return {-(t * bounded_log(log(x))) - (1.0 - t) * bounded_log(log1p(-x))};
}

}  // namespace

extern constinit const OpDef softmax_cross_entropy_op = {
    .name = "softmax_cross_entropy",
    .attrs = {{"reduction", AttrKind::text}},
    .inputs = 2,
    .rule = cross_entropy_rule,
    .kernel = cross_entropy_kernel,
    .vjp = cross_entropy_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .composed = cross_entropy_composed,
};

extern constinit const OpDef softmax_cross_entropy_grad_op = {
    .name = "softmax_cross_entropy_grad",
    .attrs = {{"reduction", AttrKind::text}},
    .inputs = 3,
    .rule = cross_entropy_grad_rule,
    .kernel = cross_entropy_grad_kernel,
    .vjp = cross_entropy_grad_vjp,
    .keeps = {.inputs = keep(0, 1, 2)},
    .composed = cross_entropy_grad_composed,
};

extern constinit const OpDef sigmoid_cross_entropy_op = {
    .name = "sigmoid_cross_entropy",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<SigmoidCrossEntropy>(),
    .vjp = sigmoid_cross_entropy_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .composed = sigmoid_cross_entropy_composed,
};

extern constinit const OpDef sigmoid_cross_entropy_grad_op = {
    .name = "sigmoid_cross_entropy_grad",
    .inputs = 3,
    .rule = broadcast_inputs,
    .elementwise = elementwise<SigmoidCrossEntropyGrad>(),
    .vjp = sigmoid_cross_entropy_grad_vjp,
    .keeps = {.inputs = keep(0, 1, 2)},
    .composed = sigmoid_cross_entropy_grad_composed,
};

extern constinit const OpDef probability_cross_entropy_op = {
    .name = "probability_cross_entropy",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<ProbabilityCrossEntropy>(),
    .vjp = probability_cross_entropy_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .composed = probability_cross_entropy_composed,
};

namespace {

Tensor as_target(const Tensor& target, const Tensor& logits) {
  return target.dtype().is_integral() ? cast(target, kInt64) : converted(target, logits.dtype());
}

}  // namespace

Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& target, Reduction reduction) {
  const Tensor x = as_floating(logits);
  return apply(softmax_cross_entropy_op, {x, as_target(target, x)},
               {softmax_cross_entropy_op.attrs, {name_of(reduction)}});
}

Tensor softmax_cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& target,
                                  Reduction reduction) {
  const Tensor x = as_floating(logits);
  return apply(softmax_cross_entropy_grad_op, {dy, x, as_target(target, x)},
               {softmax_cross_entropy_grad_op.attrs, {name_of(reduction)}});
}

Tensor sigmoid_cross_entropy(const Tensor& logits, const Tensor& target) {
  const Pair p = promoted_floating(logits, target);
  return apply(sigmoid_cross_entropy_op, {p.a, p.b});
}

Tensor sigmoid_cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& target) {
  return apply(sigmoid_cross_entropy_grad_op, {dy, logits, target});
}

Tensor probability_cross_entropy(const Tensor& probabilities, const Tensor& target) {
  const Pair p = promoted_floating(probabilities, target);
  return apply(probability_cross_entropy_op, {p.a, p.b});
}

}  // namespace splot
