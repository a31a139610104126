// Optimiser updates. What may change between steps - learning rate, number of the step - is a tensor, never
// an attribute: a traced step must not freeze it.
#include "splot/ops/update.h"

#include <cmath>

#include "splot/backend/cpu/update.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/internal/update.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {

void check_update(const RuleArgs& r, std::size_t weight, std::size_t end) {
  if (r.dtype(weight) != kFloat32 && r.dtype(weight) != kFloat64) {
    fail<DTypeError>(r.op(), "updates float32 and float64, got ", r.dtype(weight));
  }
  for (std::size_t i = weight + 1; i < end; ++i) {
    if (r.shape(i) != r.shape(weight)) {
      fail(r.op(), "input ", i, " has shape ", r.shape(i), ", the weight ", r.shape(weight));
    }
    if (r.dtype(i) != r.dtype(weight)) {
      fail<DTypeError>(r.op(), "input ", i, " is ", r.dtype(i), ", the weight ", r.dtype(weight));
    }
  }
  for (std::size_t i = end; i < r.inputs.size(); ++i) {
    if (r.shape(i).rank() != 0 || !r.dtype(i).is_floating()) {
      fail(r.op(), "input ", i, " must be a 0-d floating tensor, got ", r.dtype(i), r.shape(i));
    }
  }
}

namespace {

// The first `like` inputs through a kernel that writes all outputs.
template <typename Update>
void run_update(const KernelArgs& k, const Update& update) {
  const std::span<const Tensor> like = k.inputs.first(k.outputs.size() + 1);
  TensorList copies;  // of what is not row-major
  visit_floats(like[0].dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::UpdateOperands<T> all;
    for (const Tensor& x : like) {
      if (!x.is_contiguous()) copies.push_back(contiguous(x));
      all.in[all.inputs++] = (x.is_contiguous() ? x : copies.back()).template data<T>();
    }
    for (int i = 0; i < all.outputs(); ++i) all.out[i] = k.out<T>(static_cast<std::size_t>(i));
    cpu::update(update, all, like[0].numel());
  });
}

Tensor penalized(std::span<const Tensor> in, const Attrs& attrs) {
  return in[1] + attrs.number("weight_decay") * in[0] + attrs.number("l1") * sign(in[0]);
}

// sgd_step: w, g, lr -> w'   or   w, g, v, lr -> w', v'
void sgd_rule(RuleArgs& r) {
  require<ValueError>(r.inputs.size() == 3 || r.inputs.size() == 4, r.op(),
                      "takes w, g, perhaps a velocity, and lr, got ", r.inputs.size(), " tensors");
  check_update(r, 0, r.inputs.size() - 1);
  for (std::size_t i = 2; i < r.inputs.size(); ++i) r.output(r.shape(0), r.dtype(0));
}

void sgd_kernel(const KernelArgs& k) {
  run_update(k, cpu::SgdUpdate{.lr = k.inputs.back().item<double>(),
                               .momentum = k.attrs.number("momentum"),
                               .weight_decay = k.attrs.number("weight_decay"),
                               .l1 = k.attrs.number("l1"),
                               .nesterov = k.attrs.flag("nesterov"),
                               .increment = k.attrs.flag("increment")});
}

TensorList sgd_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor& w = in[0];
  const Tensor lr = cast(in.back(), w.dtype());
  const Tensor g = penalized(in, attrs);
  if (in.size() == 3) return {w - lr * g};
  const double momentum = attrs.number("momentum");
  const bool nesterov = attrs.flag("nesterov");
  if (attrs.flag("increment")) {
    const Tensor v = momentum * in[2] - lr * g;
    return {w + (nesterov ? momentum * v - lr * g : v), v};
  }
  const Tensor v = momentum * in[2] + g;
  return {w - lr * (nesterov ? g + momentum * v : v), v};
}

// adam_step: w, g, m, v, lr, step -> w', m', v'
void adam_rule(RuleArgs& r) {
  check_update(r, 0, 4);
  for (int i = 0; i < 3; ++i) r.output(r.shape(0), r.dtype(0));
}

void adam_kernel(const KernelArgs& k) {
  const double lr = k.inputs[4].item<double>();
  const double step = k.inputs[5].item<double>();
  const double beta1 = k.attrs.number("beta1");
  const double beta2 = k.attrs.number("beta2");
  run_update(k, cpu::AdamUpdate{.beta1 = beta1,
                                .beta2 = beta2,
                                .eps = k.attrs.number("eps"),
                                .weight_decay = k.attrs.number("weight_decay"),
                                .l1 = k.attrs.number("l1"),
                                .keep = 1.0 - lr * k.attrs.number("decoupled_decay"),
                                .step_size = lr / (1.0 - std::pow(beta1, step)),
                                .inverse_root = 1.0 / std::sqrt(1.0 - std::pow(beta2, step))});
}

// In float64, like the kernel.
Tensor power(double base, const Tensor& exponent) { return pow(scalar(base), cast(exponent, kFloat64)); }

TensorList adam_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor& w = in[0];
  const double beta1 = attrs.number("beta1");
  const double beta2 = attrs.number("beta2");
  const Tensor lr = cast(in[4], kFloat64);
  const Tensor one = scalar(1.0);
  const Tensor g = penalized(in, attrs);
  const Tensor m = beta1 * in[2] + (1.0 - beta1) * g;
  const Tensor v = beta2 * in[3] + (1.0 - beta2) * (g * g);
  const Tensor keep = cast(one - lr * attrs.number("decoupled_decay"), w.dtype());
  const Tensor step_size = cast(lr / (one - power(beta1, in[5])), w.dtype());
  const Tensor root = sqrt(v / cast(one - power(beta2, in[5]), w.dtype()));
  return {keep * w - step_size * m / (root + attrs.number("eps")), m, v};
}

// rmsprop_step: w, g, s, [m], [v], lr -> w', s', [m'], [v']
void rmsprop_rule(RuleArgs& r) {
  const std::size_t state =
      1 + (r.attrs.flag("centered") ? 1 : 0) + (r.attrs.number("momentum") != 0.0 ? 1 : 0);
  require<ValueError>(r.inputs.size() == state + 3, r.op(), "takes w, g, ", state, " of state and lr, got ",
                      r.inputs.size(), " tensors");
  check_update(r, 0, r.inputs.size() - 1);
  for (std::size_t i = 0; i <= state; ++i) r.output(r.shape(0), r.dtype(0));
}

void rmsprop_kernel(const KernelArgs& k) {
  run_update(k, cpu::RmspropUpdate{.lr = k.inputs.back().item<double>(),
                                   .alpha = k.attrs.number("alpha"),
                                   .eps = k.attrs.number("eps"),
                                   .weight_decay = k.attrs.number("weight_decay"),
                                   .l1 = k.attrs.number("l1"),
                                   .momentum = k.attrs.number("momentum"),
                                   .centered = k.attrs.flag("centered")});
}

TensorList rmsprop_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor& w = in[0];
  const double alpha = attrs.number("alpha");
  const double momentum = attrs.number("momentum");
  const Tensor lr = cast(in.back(), w.dtype());
  const Tensor g = penalized(in, attrs);
  TensorList out = {Tensor(), alpha * in[2] + (1.0 - alpha) * (g * g)};
  Tensor spread = out[1];
  if (attrs.flag("centered")) {
    out.push_back(alpha * in[3] + (1.0 - alpha) * g);
    spread = clamp(spread - out[2] * out[2], 0.0);
  }
  Tensor step = g / (sqrt(spread) + attrs.number("eps"));
  if (momentum != 0.0) {
    step = momentum * in[in.size() - 2] + step;
    out.push_back(step);
  }
  out[0] = w - lr * step;
  return out;
}

// adagrad_step: w, g, s, lr, step -> w', s'
void adagrad_rule(RuleArgs& r) {
  check_update(r, 0, 3);
  for (int i = 0; i < 2; ++i) r.output(r.shape(0), r.dtype(0));
}

void adagrad_kernel(const KernelArgs& k) {
  const double step = k.inputs[4].item<double>();
  run_update(k, cpu::AdagradUpdate{
                    .lr = k.inputs[3].item<double>() / (1.0 + (step - 1.0) * k.attrs.number("lr_decay")),
                    .eps = k.attrs.number("eps"),
                    .weight_decay = k.attrs.number("weight_decay"),
                    .l1 = k.attrs.number("l1")});
}

TensorList adagrad_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor& w = in[0];
  const Tensor g = penalized(in, attrs);
  const Tensor s = in[2] + g * g;
  const Tensor decay = 1.0 + (cast(in[4], kFloat64) - 1.0) * attrs.number("lr_decay");
  const Tensor lr = cast(cast(in[3], kFloat64) / decay, w.dtype());
  return {w - lr * g / (sqrt(s) + attrs.number("eps")), s};
}

}  // namespace

extern constinit const OpDef sgd_step_op = {
    .name = "sgd_step",
    .attrs = {{"momentum", AttrKind::number},
              {"weight_decay", AttrKind::number},
              {"nesterov", AttrKind::boolean},
              {"l1", AttrKind::number},
              {"increment", AttrKind::boolean}},
    .inputs = -1,
    .outputs = -1,
    .rule = sgd_rule,
    .kernel = sgd_kernel,
    .composed = sgd_composed,
    .reuses = {0, 2, -1, -1},
};

extern constinit const OpDef adam_step_op = {
    .name = "adam_step",
    .attrs = {{"beta1", AttrKind::number},
              {"beta2", AttrKind::number},
              {"eps", AttrKind::number},
              {"weight_decay", AttrKind::number},
              {"decoupled_decay", AttrKind::number},
              {"l1", AttrKind::number}},
    .inputs = 6,
    .outputs = 3,
    .rule = adam_rule,
    .kernel = adam_kernel,
    .composed = adam_composed,
    .reuses = {0, 2, 3, -1},
};

extern constinit const OpDef rmsprop_step_op = {
    .name = "rmsprop_step",
    .attrs = {{"alpha", AttrKind::number},
              {"eps", AttrKind::number},
              {"weight_decay", AttrKind::number},
              {"momentum", AttrKind::number},
              {"centered", AttrKind::boolean},
              {"l1", AttrKind::number}},
    .inputs = -1,
    .outputs = -1,
    .rule = rmsprop_rule,
    .kernel = rmsprop_kernel,
    .composed = rmsprop_composed,
    .reuses = {0, 2, 3, 4},
};

extern constinit const OpDef adagrad_step_op = {
    .name = "adagrad_step",
    .attrs = {{"lr_decay", AttrKind::number},
              {"eps", AttrKind::number},
              {"weight_decay", AttrKind::number},
              {"l1", AttrKind::number}},
    .inputs = 5,
    .outputs = 2,
    .rule = adagrad_rule,
    .kernel = adagrad_kernel,
    .composed = adagrad_composed,
    .reuses = {0, 2, -1, -1},
};

namespace {

// w and the state are moved, so that nobody else holds them when the op looks.
TensorList inputs_of(Tensor& w, const Tensor& g, std::initializer_list<Tensor*> state,
                     std::initializer_list<const Tensor*> scalars) {
  TensorList in;
  in.reserve(2 + state.size() + scalars.size());
  in.push_back(std::move(w));
  in.push_back(g);
  for (Tensor* x : state) {
    if (x->defined()) in.push_back(std::move(*x));
  }
  for (const Tensor* x : scalars) in.push_back(*x);
  return in;
}

}  // namespace

TensorList sgd_step(Tensor w, const Tensor& g, Tensor v, const Tensor& lr, const SgdStepOptions& options) {
  return apply_consuming(
      sgd_step_op, inputs_of(w, g, {&v}, {&lr}),
      {sgd_step_op.attrs,
       {options.momentum, options.weight_decay, options.nesterov, options.l1, options.increment}});
}

TensorList adam_step(Tensor w, const Tensor& g, Tensor m, Tensor v, const Tensor& lr, const Tensor& step,
                     const AdamStepOptions& options) {
  return apply_consuming(adam_step_op, inputs_of(w, g, {&m, &v}, {&lr, &step}),
                         {adam_step_op.attrs,
                          {options.beta1, options.beta2, options.eps, options.weight_decay,
                           options.decoupled_decay, options.l1}});
}

TensorList rmsprop_step(Tensor w, const Tensor& g, TensorList state, const Tensor& lr,
                        const RmspropStepOptions& options) {
  TensorList in = inputs_of(w, g, {}, {});
  for (Tensor& x : state) in.push_back(std::move(x));
  in.push_back(lr);
  return apply_consuming(
      rmsprop_step_op, std::move(in),
      {rmsprop_step_op.attrs,
       {options.alpha, options.eps, options.weight_decay, options.momentum, options.centered, options.l1}});
}

TensorList adagrad_step(Tensor w, const Tensor& g, Tensor s, const Tensor& lr, const Tensor& step,
                        const AdagradStepOptions& options) {
  return apply_consuming(
      adagrad_step_op, inputs_of(w, g, {&s}, {&lr, &step}),
      {adagrad_step_op.attrs, {options.lr_decay, options.eps, options.weight_decay, options.l1}});
}

}  // namespace splot
