// What tells SGD, Adam, AdamW, RMSprop and Adagrad apart: options, and the op each of them is.
#include <initializer_list>

#include "splot/ops/op_records.h"
#include "splot/optim/optimizer.h"

namespace splot {
namespace {

struct Option {
  const char* name;
  double value;
};

void require_not_negative(const char* optimizer, std::initializer_list<Option> options) {
  for (const Option& option : options) {
    require<ValueError>(option.value >= 0.0, optimizer, option.name, " must be 0 or more, got ",
                        option.value);
  }
}

void require_shares(const char* optimizer, std::initializer_list<Option> options) {
  for (const Option& option : options) {
    require<ValueError>(option.value >= 0.0 && option.value < 1.0, optimizer, option.name,
                        " must be in [0, 1), got ", option.value);
  }
}

}  // namespace

SGD::SGD(const NamedParameters& parameters, const SGDOptions& options)
    : ElementwiseOptimizer("sgd", sgd_step_op, /*counts_steps=*/false) {
  add(parameters, options);
}

void SGD::add(const NamedParameters& parameters, const SGDOptions& o) {
  require_not_negative("sgd", {{"momentum", o.momentum}, {"weight_decay", o.weight_decay}, {"l1", o.l1}});
  require<ValueError>(!o.nesterov || o.momentum > 0.0, "sgd", "nesterov needs a momentum");
  const bool increment = o.form == MomentumForm::increment;
  std::vector<std::string> moments;
  if (o.momentum != 0.0) moments.push_back(increment ? "increment" : "momentum_buffer");
  add_group(parameters, o.lr,
            Attrs(sgd_step_op.attrs, {o.momentum, o.weight_decay, o.nesterov, o.l1, increment}),
            std::move(moments));
}

namespace {

// Shared by Adam and AdamW: l2 enters through the gradient, decay shrinks the weight itself.
template <typename Options>
Attrs adam_attrs(const char* name, const Options& o, double l2, double decay) {
  require_shares(name, {{"beta1", o.beta1}, {"beta2", o.beta2}});
  require_not_negative(name, {{"eps", o.eps}, {"weight_decay", o.weight_decay}, {"l1", o.l1}, {"l2", l2}});
  return Attrs(adam_step_op.attrs, {o.beta1, o.beta2, o.eps, l2, decay, o.l1});
}

const std::vector<std::string>& adam_moments() {
  static const std::vector<std::string> names = {"exp_avg", "exp_avg_sq"};
  return names;
}

}  // namespace

Adam::Adam(const NamedParameters& parameters, const AdamOptions& options)
    : ElementwiseOptimizer("adam", adam_step_op, /*counts_steps=*/true) {
  add(parameters, options);
}

void Adam::add(const NamedParameters& parameters, const AdamOptions& o) {
  add_group(parameters, o.lr, adam_attrs("adam", o, o.weight_decay, 0.0), adam_moments());
}

AdamW::AdamW(const NamedParameters& parameters, const AdamWOptions& options)
    : ElementwiseOptimizer("adamw", adam_step_op, /*counts_steps=*/true) {
  add(parameters, options);
}

void AdamW::add(const NamedParameters& parameters, const AdamWOptions& o) {
  add_group(parameters, o.lr, adam_attrs("adamw", o, o.l2, o.weight_decay), adam_moments());
}

RMSprop::RMSprop(const NamedParameters& parameters, const RMSpropOptions& options)
    : ElementwiseOptimizer("rmsprop", rmsprop_step_op, /*counts_steps=*/false) {
  add(parameters, options);
}

void RMSprop::add(const NamedParameters& parameters, const RMSpropOptions& o) {
  require_shares("rmsprop", {{"alpha", o.alpha}});
  require_not_negative(
      "rmsprop", {{"eps", o.eps}, {"weight_decay", o.weight_decay}, {"momentum", o.momentum}, {"l1", o.l1}});
  std::vector<std::string> moments = {"square_avg"};
  if (o.centered) moments.push_back("grad_avg");
  if (o.momentum != 0.0) moments.push_back("momentum_buffer");
  add_group(parameters, o.lr,
            Attrs(rmsprop_step_op.attrs, {o.alpha, o.eps, o.weight_decay, o.momentum, o.centered, o.l1}),
            std::move(moments));
}

Adagrad::Adagrad(const NamedParameters& parameters, const AdagradOptions& options)
    : ElementwiseOptimizer("adagrad", adagrad_step_op, /*counts_steps=*/true) {
  add(parameters, options);
}

void Adagrad::add(const NamedParameters& parameters, const AdagradOptions& o) {
  require_not_negative("adagrad", {{"lr_decay", o.lr_decay},
                                   {"eps", o.eps},
                                   {"weight_decay", o.weight_decay},
                                   {"initial", o.initial},
                                   {"l1", o.l1}});
  add_group(parameters, o.lr, Attrs(adagrad_step_op.attrs, {o.lr_decay, o.eps, o.weight_decay, o.l1}),
            {"sum"}, o.initial);
}

}  // namespace splot
