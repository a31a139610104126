// Optimizer: changes parameters along their gradients.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "splot/core/attributes.h"
#include "splot/core/export.h"
#include "splot/core/op.h"
#include "splot/core/parameter.h"

namespace splot {

/// The common part of SGD, Adam and AdamW: parameters in groups with options of their own, and the state that
/// belongs to each parameter.
///
///   SGD optimizer(named_parameters(net), {.lr = 0.1});
///   for (...) {
///     optimizer.zero_grad();
///     backward(mse_loss(net(x, context), y));
///     optimizer.step();
///   }
///
/// Frozen parameters are left alone. Not to be copied: two would fight over the parameters.
class SPLOT_API Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter from its gradient. Throws GradientError, and updates nothing, when gradients
  /// have not reached all of them; it names those. With allow_missing they are skipped.
  void step();
  /// Forgets the gradients.
  void zero_grad();

  /// Of the first group.
  double lr() const;
  double lr(std::size_t group) const;
  /// Of all groups.
  void set_lr(double lr);
  void set_lr(std::size_t group, double lr);
  std::size_t group_count() const { return groups_.size(); }

  /// A missing gradient is no error but leaves the parameter as it is, as in PyTorch.
  void set_allow_missing(bool allow) { allow_missing_ = allow; }

  /// All that a checkpoint needs beside the parameters: "lr.0" for each group and, for each parameter that
  /// has had a step, "step.0.weight" and its moments under PyTorch's names, "exp_avg.0.weight".
  NamedTensors state_dict() const;
  /// Continues from state_dict() of an optimiser of the same kind for the same parameters. Throws ValueError,
  /// and changes nothing, for a name that is missing or does not belong here or a shape that does not fit.
  void load_state_dict(std::span<const NamedTensor> state);

 protected:
  /// op takes w, g, then one tensor for each name in `moments`, lr and, with counts_steps, the number of the
  /// step; it gives the new w and the new moments.
  Optimizer(std::string name, const OpDef& op, std::vector<std::string> moments, bool counts_steps);
  /// Throws ValueError for a parameter that is in another group already.
  void add_group(const NamedParameters& parameters, double lr, Attrs attrs, bool has_moments = true);

 private:
  struct Group {
    Tensor lr;  // 0-d float64
    Attrs attrs;
    bool has_moments = true;
  };
  struct Slot {
    std::string name;
    Parameter parameter;
    std::size_t group = 0;
    TensorList moments;  // empty before the first step
    Tensor step;         // 0-d float64, the number of steps so far; undefined before the first
  };

  void update(Slot& slot, const Tensor& gradient, const Tensor& step);

  std::string name_;
  const OpDef& op_;
  std::vector<std::string> moments_;
  bool counts_steps_;
  bool allow_missing_ = false;
  std::vector<Group> groups_;
  std::vector<Slot> slots_;
};

struct SGDOptions {
  double lr = 0.001;
  double momentum = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
};

/// Stochastic gradient descent, step for step PyTorch's: w -= lr g, with momentum w -= lr v, v = momentum v +
/// g.
class SPLOT_API SGD final : public Optimizer {
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
};

/// Adam (Kingma and Ba 2015), step for step PyTorch's; weight_decay is added to the gradient.
class SPLOT_API Adam final : public Optimizer {
 public:
  explicit Adam(const NamedParameters& parameters, const AdamOptions& options = {});
  void add(const NamedParameters& parameters, const AdamOptions& options);
};

struct AdamWOptions {
  double lr = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
};

/// AdamW (Loshchilov and Hutter 2019), step for step PyTorch's; weight_decay shrinks the weight itself.
class SPLOT_API AdamW final : public Optimizer {
 public:
  explicit AdamW(const NamedParameters& parameters, const AdamWOptions& options = {});
  void add(const NamedParameters& parameters, const AdamWOptions& options);
};

}  // namespace splot
