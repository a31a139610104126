// Optimizer: changes parameters along their gradients.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "splot/core/attributes.h"
#include "splot/core/export.h"
#include "splot/core/op.h"
#include "splot/core/parameter.h"

namespace splot {

/// What all optimisers share: parameters in groups with options of their own, learning rates, checks.
///
///   SGD optimizer(named_parameters(net), {.lr = 0.1});
///   for (...) {
///     optimizer.zero_grad();
///     backward(mse_loss(net(x, context), y));
///     optimizer.step();
///   }
///
/// Frozen parameters are left alone. Not to be copied: two would fight over the parameters. Not safe to use
/// from several threads at once.
///
/// Threads: one at a time; so for every optimiser.
class SPLOT_API Optimizer {
 public:
  /// Computes the loss anew with its gradients, and returns it: zero_grad(), forward, backward().
  using Closure = std::function<double()>;

  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter from its gradient. Throws GradientError, and updates nothing, when gradients
  /// have not reached all of them; it names those. With allow_missing they are skipped. Throws ValueError
  /// where needs_closure().
  virtual void step() = 0;
  /// Calls the closure, then step(); LBFGS calls it several times. Returns the loss of the first call.
  ///
  ///   optimizer.step([&] {
  ///     optimizer.zero_grad();
  ///     const Tensor loss = mse_loss(net(x), y);
  ///     backward(loss);
  ///     return loss.item<double>();
  ///   });
  virtual double step(const Closure& closure);
  /// Whether one step looks at the loss more than once.
  virtual bool needs_closure() const { return false; }
  /// Whether step() can be part of a traced function (graph/trace.h): it decides nothing by values, and
  /// visit_state() names every tensor that it reads or writes beside the parameters.
  virtual bool can_be_traced() const { return false; }
  /// Forgets the gradients.
  void zero_grad();

  /// Of the first group.
  double lr() const;
  double lr(std::size_t group) const;
  /// Of all groups.
  void set_lr(double lr);
  void set_lr(std::size_t group, double lr);
  std::size_t group_count() const { return rates_.size(); }

  /// A missing gradient is no error but leaves the parameter as it is, as in PyTorch.
  void set_allow_missing(bool allow) { allow_missing_ = allow; }
  /// Climbs instead of descending: the gradient is negated before anything else, as PyTorch's maximize does.
  void set_maximize(bool maximize) { maximize_ = maximize; }

  /// All that a checkpoint needs beside the parameters: "lr.0" for each group and, for each parameter that
  /// has had a step, "step.0.weight" and its moments under PyTorch's names, "exp_avg.0.weight".
  virtual NamedTensors state_dict() const = 0;
  /// Continues from state_dict() of an optimiser of the same kind for the same parameters. Throws ValueError,
  /// and changes nothing, for a name that is missing or does not belong here or a shape that does not fit.
  virtual void load_state_dict(std::span<const NamedTensor> state) = 0;
  /// How often a state has been loaded: with that, what visit_state() has shown is gone.
  std::uint64_t loads() const { return loads_; }
  /// Every tensor that steps read or write beside the parameters, under its name in state_dict(). What is
  /// made by the first step is made now.
  virtual void visit_state(const std::function<void(const std::string& name, Tensor& state)>& visit);

 protected:
  struct Member {
    std::string name;
    Parameter parameter;
    std::size_t group = 0;
  };

  explicit Optimizer(std::string name);
  /// Adds a group. Throws ValueError for a parameter that is in one already.
  void add_members(const NamedParameters& parameters, double lr);
  /// One for each member; undefined where the member is to be left alone. Throws what step() throws.
  std::vector<Tensor> gradients() const;

  const std::string& name() const { return name_; }
  const std::vector<Member>& members() const { return members_; }
  Parameter& parameter(std::size_t i) { return members_[i].parameter; }
  const Tensor& rate(std::size_t group) const { return rates_[group]; }
  /// 0-d float64, looked at before. For load_state_dict() alone.
  void set_rates(std::vector<Tensor> rates) {
    rates_ = std::move(rates);
    ++loads_;
  }

  /// A state on its way in: tensors are taken out by name.
  class SPLOT_API Incoming {
   public:
    /// Throws ValueError for undefined tensors and names that are there twice.
    Incoming(const std::string& optimizer, std::span<const NamedTensor> state);
    /// Undefined when there is none. Throws ValueError for another shape or dtype.
    Tensor take(const std::string& name, const Shape& shape, DType dtype);
    /// The rates "lr.0", ... of so many groups. Throws ValueError when one is missing.
    std::vector<Tensor> rates(std::size_t groups);
    /// Throws ValueError when anything is left.
    void finish() const;

   private:
    const std::string& optimizer_;
    std::vector<std::pair<std::string, Tensor>> given_;  // in the order of the file
  };

 private:
  std::string name_;
  bool allow_missing_ = false;
  bool maximize_ = false;
  std::uint64_t loads_ = 0;
  std::vector<Tensor> rates_;  // of each group, 0-d float64
  std::vector<Member> members_;
};

/// One whose step is the same op for every parameter: w, g, then the moments, lr and, with counts_steps, the
/// number of the step; it gives the new w and the new moments.
class SPLOT_API ElementwiseOptimizer : public Optimizer {
 public:
  using Optimizer::step;
  void step() override;
  bool can_be_traced() const override { return true; }
  NamedTensors state_dict() const override;
  void load_state_dict(std::span<const NamedTensor> state) override;
  void visit_state(const std::function<void(const std::string& name, Tensor& state)>& visit) override;

 protected:
  ElementwiseOptimizer(std::string name, const OpDef& op, bool counts_steps);
  /// `moments` are the names of the state, which starts as `initial`.
  void add_group(const NamedParameters& parameters, double lr, Attrs attrs, std::vector<std::string> moments,
                 double initial = 0.0);

 private:
  struct Group {
    Attrs attrs;
    std::vector<std::string> moments;
    double initial = 0.0;
  };
  struct State {
    TensorList moments;  // empty before the first step
    Tensor step;         // 0-d float64, the number of steps so far; undefined before the first
  };

  void begin(State& state, std::size_t i);
  void update(std::size_t i, const Tensor& gradient, const Tensor& step);

  const OpDef& op_;
  bool counts_steps_;
  std::vector<Group> groups_;
  std::vector<State> states_;  // of each member
};

// Options that all share: weight_decay adds weight_decay w to the gradient and l1 adds l1 sign(w), the
// gradients of the penalties weight_decay / 2 sum w^2 and l1 sum |w| (splot/nn/losses.h). Negative options
// throw ValueError.

/// Two ways to write momentum, which differ as soon as the learning rate changes.
enum class MomentumForm {
  velocity,   ///< PyTorch's: v = momentum v + g;  w -= lr v. A new rate counts for all of v at once
  increment,  ///< lectures' and Keras's: dw = momentum dw - lr g;  w += dw, dw being the previous increment
};

struct SGDOptions {
  double lr = 0.001;
  double momentum = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
  MomentumForm form = MomentumForm::velocity;
  double l1 = 0.0;
};

/// Stochastic gradient descent, step for step PyTorch's: w -= lr g, with momentum as its form says, with
/// nesterov w -= lr (g + momentum v).
class SPLOT_API SGD final : public ElementwiseOptimizer {
 public:
  /// Throws ValueError for a negative option, or nesterov without momentum.
  explicit SGD(const NamedParameters& parameters, const SGDOptions& options = {});
  /// More parameters, with other options.
  void add(const NamedParameters& parameters, const SGDOptions& options);
};

struct AdamOptions {
  double lr = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double l1 = 0.0;
};

/// Adam (Kingma and Ba 2015), step for step PyTorch's; weight_decay is added to the gradient.
class SPLOT_API Adam final : public ElementwiseOptimizer {
 public:
  explicit Adam(const NamedParameters& parameters, const AdamOptions& options = {});
  void add(const NamedParameters& parameters, const AdamOptions& options);
};

struct AdamWOptions {
  double lr = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;  ///< decoupled: w is first multiplied by 1 - lr weight_decay
  double l1 = 0.0;
  double l2 = 0.0;  ///< the penalty that is weight_decay in the others
};

/// AdamW (Loshchilov and Hutter 2019), step for step PyTorch's; weight_decay shrinks the weight itself.
class SPLOT_API AdamW final : public ElementwiseOptimizer {
 public:
  explicit AdamW(const NamedParameters& parameters, const AdamWOptions& options = {});
  void add(const NamedParameters& parameters, const AdamWOptions& options);
};

struct RMSpropOptions {
  double lr = 0.01;
  double alpha = 0.99;  ///< how much of the mean square a step keeps
  double eps = 1e-8;
  double weight_decay = 0.0;
  double momentum = 0.0;
  bool centered = false;  ///< divides by the standard deviation instead of the root of the mean square
  double l1 = 0.0;
};

/// RMSprop (Hinton's lecture 6e, 2012; centered: Graves 2013), step for step PyTorch's: eps is added to the
/// root, not under it as in TensorFlow.
class SPLOT_API RMSprop final : public ElementwiseOptimizer {
 public:
  explicit RMSprop(const NamedParameters& parameters, const RMSpropOptions& options = {});
  void add(const NamedParameters& parameters, const RMSpropOptions& options);
};

struct AdagradOptions {
  double lr = 0.01;
  double lr_decay = 0.0;  ///< the rate of step t is lr / (1 + (t - 1) lr_decay)
  double eps = 1e-10;
  double weight_decay = 0.0;
  double initial = 0.0;  ///< what the sum of squares starts from; Keras: 0.1
  double l1 = 0.0;
};

/// Adagrad (Duchi, Hazan and Singer 2011), step for step PyTorch's.
class SPLOT_API Adagrad final : public ElementwiseOptimizer {
 public:
  explicit Adagrad(const NamedParameters& parameters, const AdagradOptions& options = {});
  void add(const NamedParameters& parameters, const AdagradOptions& options);
};

}  // namespace splot
