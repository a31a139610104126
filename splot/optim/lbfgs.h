// LBFGS: a quasi-Newton method for full batches.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/optim/optimizer.h"

namespace splot {

struct LBFGSOptions {
  double lr = 1.0;      ///< the first length tried; of the very first iteration lr min(1, 1 / |g|_1)
  Index max_iter = 20;  ///< iterations in one step()
  Index max_eval = 0;   ///< how often one step() may look at the loss before it ends; 0: 5/4 max_iter
  double tolerance_grad = 1e-7;    ///< ends when no element of the gradient is larger
  double tolerance_change = 1e-9;  ///< ends when neither loss nor weights change by more
  Index history = 100;             ///< how many pairs of differences stand for the Hessian
};

/// L-BFGS (Nocedal 1980; Liu and Nocedal 1989) with a line search that fulfils the strong Wolfe conditions
/// (Nocedal and Wright, "Numerical Optimization", 2nd ed., algorithms 7.4, 3.5 and 3.6), step for step
/// PyTorch's with line_search_fn = "strong_wolfe".
///
/// One step() is many iterations, each of which calls the closure at least once; the loss has to be the same
/// function each time: all examples, no dropout. Calculates in float64, whatever the parameters are. Missing
/// gradients count as zeros where they are allowed.
///
///   LBFGS optimizer(named_parameters(net));
///   optimizer.step([&] {
///     optimizer.zero_grad();
///     const Tensor loss = mse_loss(net(x), y);
///     backward(loss);
///     return loss.item<double>();
///   });
class SPLOT_API LBFGS final : public Optimizer {
 public:
  /// Throws ValueError for options that are not positive (the tolerances may be 0).
  explicit LBFGS(const NamedParameters& parameters, const LBFGSOptions& options = {});

  /// Throws ValueError: there has to be a closure.
  void step() override;
  /// Returns the loss before. The parameters end at the best point that was found; where the loss is not
  /// finite, a point is as bad as any.
  double step(const Closure& closure) override;
  bool needs_closure() const override { return true; }

  /// "lr.0" and, after the first step, the history under "lbfgs.": everything in float64.
  NamedTensors state_dict() const override;
  void load_state_dict(std::span<const NamedTensor> state) override;

 private:
  using Vector = std::vector<double>;

  struct Pair {
    Vector y;          // difference of two gradients
    Vector s;          // difference of their points
    double rho = 0.0;  // 1 / (y . s)
  };
  // Loss and gradient somewhere along a direction.
  struct Point {
    double t = 0.0;  // how far
    double loss = 0.0;
    Vector gradient;
    double slope = 0.0;  // along the direction
  };
  class Search;

  Index size() const;
  Vector flat_gradient() const;
  Vector flat_weights() const;
  void set_weights(const Vector& from, double t, const Vector& direction);
  void extend_history(const Vector& gradient);
  Vector direction_for(const Vector& gradient) const;

  LBFGSOptions options_;
  Index iterations_ = 0;
  Index evaluations_ = 0;
  Vector direction_;
  double length_ = 0.0;  // along direction_
  Vector previous_gradient_;
  double scale_ = 1.0;  // of the first guess at the inverse Hessian
  std::deque<Pair> pairs_;
};

}  // namespace splot
