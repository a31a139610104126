// Optimiser updates. What may change between steps - learning rate, number of the step - is a tensor, never
// an attribute: a traced step must not freeze it.
#include "splot/ops/update.h"

#include <cmath>

#include "splot/backend/cpu/update.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// The first `like` inputs are alike; the others are 0-d.
void check_update(const RuleArgs& r, std::size_t like) {
  if (r.dtype(0) != kFloat32 && r.dtype(0) != kFloat64) {
    fail<DTypeError>(r.op(), "updates float32 and float64, got ", r.dtype(0));
  }
  for (std::size_t i = 1; i < like; ++i) {
    if (r.shape(i) != r.shape(0)) {
      fail(r.op(), "input ", i, " has shape ", r.shape(i), ", the weight ", r.shape(0));
    }
    if (r.dtype(i) != r.dtype(0)) {
      fail<DTypeError>(r.op(), "input ", i, " is ", r.dtype(i), ", the weight ", r.dtype(0));
    }
  }
  for (std::size_t i = like; i < r.inputs.size(); ++i) {
    if (r.shape(i).rank() != 0 || !r.dtype(i).is_floating()) {
      fail(r.op(), "input ", i, " must be a 0-d floating tensor, got ", r.dtype(i), r.shape(i));
    }
  }
}

// sgd_step: w, g, lr -> w'   or   w, g, v, lr -> w', v'
void sgd_rule(RuleArgs& r) {
  require<ValueError>(r.inputs.size() == 3 || r.inputs.size() == 4, r.op(),
                      "takes w, g, perhaps a velocity, and lr, got ", r.inputs.size(), " tensors");
  check_update(r, r.inputs.size() - 1);
  r.output(r.shape(0), r.dtype(0));
  if (r.inputs.size() == 4) r.output(r.shape(0), r.dtype(0));
}

void sgd_kernel(const KernelArgs& k) {
  const bool momentum = k.inputs.size() == 4;
  const Tensor w = contiguous(k.inputs[0]);
  const Tensor g = contiguous(k.inputs[1]);
  const Tensor v = momentum ? contiguous(k.inputs[2]) : Tensor();
  const cpu::SgdUpdate update = {.lr = k.inputs[momentum ? 3 : 2].item<double>(),
                                 .momentum = k.attrs.number("momentum"),
                                 .weight_decay = k.attrs.number("weight_decay"),
                                 .nesterov = k.attrs.flag("nesterov")};
  visit_floats(w.dtype(), "sgd_step", [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::sgd_update<T>(update, w.data<T>(), g.data<T>(), momentum ? v.data<T>() : nullptr, k.out<T>(0),
                       momentum ? k.out<T>(1) : nullptr, w.numel());
  });
}

TensorList sgd_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor& w = in[0];
  const Tensor lr = cast(in.back(), w.dtype());
  const Tensor g = in[1] + attrs.number("weight_decay") * w;
  if (in.size() == 3) return {w - lr * g};
  const double momentum = attrs.number("momentum");
  const Tensor v = momentum * in[2] + g;
  return {w - lr * (attrs.flag("nesterov") ? g + momentum * v : v), v};
}

// adam_step: w, g, m, v, lr, step -> w', m', v'
void adam_rule(RuleArgs& r) {
  check_update(r, 4);
  for (int i = 0; i < 3; ++i) r.output(r.shape(0), r.dtype(0));
}

void adam_kernel(const KernelArgs& k) {
  const Tensor w = contiguous(k.inputs[0]);
  const Tensor g = contiguous(k.inputs[1]);
  const Tensor m = contiguous(k.inputs[2]);
  const Tensor v = contiguous(k.inputs[3]);
  const double lr = k.inputs[4].item<double>();
  const double step = k.inputs[5].item<double>();
  const double beta1 = k.attrs.number("beta1");
  const double beta2 = k.attrs.number("beta2");
  const cpu::AdamUpdate update = {.beta1 = beta1,
                                  .beta2 = beta2,
                                  .eps = k.attrs.number("eps"),
                                  .weight_decay = k.attrs.number("weight_decay"),
                                  .keep = 1.0 - lr * k.attrs.number("decoupled_decay"),
                                  .step_size = lr / (1.0 - std::pow(beta1, step)),
                                  .inverse_root = 1.0 / std::sqrt(1.0 - std::pow(beta2, step))};
  visit_floats(w.dtype(), "adam_step", [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::adam_update<T>(update, w.data<T>(), g.data<T>(), m.data<T>(), v.data<T>(), k.out<T>(0), k.out<T>(1),
                        k.out<T>(2), w.numel());
  });
}

// In float64, like the kernel.
Tensor power(double base, const Tensor& exponent) { return pow(scalar(base), cast(exponent, kFloat64)); }

TensorList adam_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor& w = in[0];
  const double beta1 = attrs.number("beta1");
  const double beta2 = attrs.number("beta2");
  const Tensor lr = cast(in[4], kFloat64);
  const Tensor one = scalar(1.0);
  const Tensor g = in[1] + attrs.number("weight_decay") * w;
  const Tensor m = beta1 * in[2] + (1.0 - beta1) * g;
  const Tensor v = beta2 * in[3] + (1.0 - beta2) * (g * g);
  const Tensor keep = cast(one - lr * attrs.number("decoupled_decay"), w.dtype());
  const Tensor step_size = cast(lr / (one - power(beta1, in[5])), w.dtype());
  const Tensor root = sqrt(v / cast(one - power(beta2, in[5]), w.dtype()));
  return {keep * w - step_size * m / (root + attrs.number("eps")), m, v};
}

}  // namespace

extern constinit const OpDef sgd_step_op = {
    .name = "sgd_step",
    .attrs = {{"momentum", AttrKind::number},
              {"weight_decay", AttrKind::number},
              {"nesterov", AttrKind::boolean}},
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
              {"decoupled_decay", AttrKind::number}},
    .inputs = 6,
    .outputs = 3,
    .rule = adam_rule,
    .kernel = adam_kernel,
    .composed = adam_composed,
    .reuses = {0, 2, 3, -1},
};

TensorList sgd_step(Tensor w, const Tensor& g, Tensor v, const Tensor& lr, const SgdStepOptions& options) {
  TensorList in;
  in.push_back(std::move(w));
  in.push_back(g);
  if (v.defined()) in.push_back(std::move(v));
  in.push_back(lr);
  return apply_consuming(sgd_step_op, std::move(in),
                         {sgd_step_op.attrs, {options.momentum, options.weight_decay, options.nesterov}});
}

TensorList adam_step(Tensor w, const Tensor& g, Tensor m, Tensor v, const Tensor& lr, const Tensor& step,
                     const AdamStepOptions& options) {
  TensorList in;
  in.reserve(6);
  in.push_back(std::move(w));
  in.push_back(g);
  in.push_back(std::move(m));
  in.push_back(std::move(v));
  in.push_back(lr);
  in.push_back(step);
  return apply_consuming(
      adam_step_op, std::move(in),
      {adam_step_op.attrs,
       {options.beta1, options.beta2, options.eps, options.weight_decay, options.decoupled_decay}});
}

}  // namespace splot
