#include "splot/optim/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "splot/ops/ops.h"

namespace splot {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// a += factor b
void add(Vector& a, double factor, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

Vector scaled(const Vector& a, double factor) {
  Vector out(a);
  for (double& x : out) x *= factor;
  return out;
}

double largest(const Vector& a) {
  double out = 0.0;
  for (const double x : a) out = std::max(out, std::abs(x));
  return out;
}

// An end of an interval in which a minimum is looked for.
struct End {
  double t, loss, slope;
};

// Where the cubic through two points with these slopes has its minimum (Nocedal and Wright 3.59), held
// between low and high; the middle of them where it has none.
double cubic_minimum(const End& a, const End& b, double low, double high) {
  const End& left = a.t <= b.t ? a : b;
  const End& right = a.t <= b.t ? b : a;
  const double d1 = left.slope + right.slope - 3.0 * (left.loss - right.loss) / (left.t - right.t);
  const double squared = d1 * d1 - left.slope * right.slope;
  if (!(squared >= 0.0)) return 0.5 * (low + high);
  const double d2 = std::sqrt(squared);
  const double at =
      right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2.0 * d2));
  return std::isfinite(at) ? std::clamp(at, low, high) : 0.5 * (low + high);
}

}  // namespace

LBFGS::LBFGS(const NamedParameters& parameters, const LBFGSOptions& options)
    : Optimizer("lbfgs"), options_(options) {
  if (options_.max_eval == 0) options_.max_eval = options_.max_iter * 5 / 4;
  require<ValueError>(options_.max_iter > 0 && options_.max_eval > 0 && options_.history > 0, "lbfgs",
                      "max_iter, max_eval and history must be positive, got ", options_.max_iter, ", ",
                      options_.max_eval, " and ", options_.history);
  require<ValueError>(options_.tolerance_grad >= 0.0 && options_.tolerance_change >= 0.0, "lbfgs",
                      "tolerances must be 0 or more, got ", options_.tolerance_grad, " and ",
                      options_.tolerance_change);
  add_members(parameters, options_.lr);
}

void LBFGS::step() {
  fail<ValueError>("lbfgs", "looks at the loss several times in a step: call step(closure)");
}

// --- parameters as one vector

Index LBFGS::size() const {
  Index n = 0;
  for (const Member& member : members())
    n += member.parameter.frozen() ? 0 : member.parameter.shape().numel();
  return n;
}

LBFGS::Vector LBFGS::flat_gradient() const {
  const std::vector<Tensor> all = gradients();
  Vector out(static_cast<std::size_t>(size()), 0.0);
  std::size_t at = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (members()[i].parameter.frozen()) continue;
    const auto n = static_cast<std::size_t>(members()[i].parameter.shape().numel());
    if (all[i].defined()) cast(all[i], kFloat64).copy_to(std::span<double>(out).subspan(at, n));
    at += n;
  }
  return out;
}

LBFGS::Vector LBFGS::flat_weights() const {
  Vector out(static_cast<std::size_t>(size()));
  std::size_t at = 0;
  for (const Member& member : members()) {
    if (member.parameter.frozen()) continue;
    const auto n = static_cast<std::size_t>(member.parameter.shape().numel());
    cast(member.parameter.value().detach(), kFloat64).copy_to(std::span<double>(out).subspan(at, n));
    at += n;
  }
  return out;
}

void LBFGS::set_weights(const Vector& from, double t, const Vector& direction) {
  Vector moved(from);
  if (t != 0.0) add(moved, t, direction);
  std::size_t at = 0;
  for (std::size_t i = 0; i < members().size(); ++i) {
    Parameter& p = parameter(i);
    if (p.frozen()) continue;
    const auto n = static_cast<std::size_t>(p.shape().numel());
    p.assign(cast(Tensor::from(std::span<const double>(moved).subspan(at, n), p.shape()), p.dtype()));
    at += n;
  }
}

// --- the line search

// Looks along a direction for a point where the loss is lower and its slope flatter: the strong Wolfe
// conditions with c1 = 1e-4, c2 = 0.9.
class LBFGS::Search {
 public:
  Search(std::function<Point(double)> look, Point start, double reach, double tolerance)
      : look_(std::move(look)), start_(std::move(start)), reach_(reach), tolerance_(tolerance) {}

  Point run(double t) {
    Point low, high;
    const bool found = bracket(t, low, high);
    if (!found) zoom(low, high);
    return low;
  }
  Index looks() const { return looks_; }

 private:
  static constexpr Index kMost = 25;

  static End end(const Point& p) { return {p.t, p.loss, p.slope}; }
  Point look(double t) {
    ++looks_;
    return look_(t);
  }
  // NaN counts as too high.
  bool too_high(const Point& p) const { return !(p.loss <= start_.loss + 1e-4 * p.t * start_.slope); }
  bool flat_enough(const Point& p) const { return std::abs(p.slope) <= -0.9 * start_.slope; }

  // Steps outwards until a minimum must lie between two points, `low` being the better one; true when a
  // point on the way is good enough, which is then `low`.
  bool bracket(double t, Point& low, Point& high) {
    Point before = start_, now = look(t);
    for (Index i = 0; i < kMost; ++i) {
      const bool beyond = too_high(now) || (i > 1 && now.loss >= before.loss);
      if (!beyond && flat_enough(now)) {
        low = std::move(now);
        return true;
      }
      if (beyond || now.slope >= 0.0) return sorted(std::move(before), std::move(now), low, high);
      const double next =
          cubic_minimum(end(before), end(now), now.t + 0.01 * (now.t - before.t), 10.0 * now.t);
      before = std::move(now);
      now = look(next);
      ++tried_;
    }
    return sorted(start_, std::move(now), low, high);
  }

  static bool sorted(Point a, Point b, Point& low, Point& high) {
    const bool first = !(a.loss > b.loss);
    low = first ? a : b;
    high = first ? std::move(b) : std::move(a);
    return false;
  }

  // Narrows the interval down to a point that is good enough, `low`.
  void zoom(Point& low, Point& high) {
    bool slow = false;
    while (tried_ < kMost) {
      const double left = std::min(low.t, high.t), right = std::max(low.t, high.t);
      if ((right - left) * reach_ < tolerance_) return;
      double t = cubic_minimum(end(low), end(high), left, right);
      // Twice close to an end, or on it: a tenth of the interval away from it, or it would not shrink.
      const double margin = 0.1 * (right - left);
      if (std::min(right - t, t - left) < margin) {
        if (slow || t >= right || t <= left) {
          t = std::abs(t - right) < std::abs(t - left) ? right - margin : left + margin;
          slow = false;
        } else {
          slow = true;
        }
      } else {
        slow = false;
      }
      Point now = look(t);
      ++tried_;
      if (too_high(now) || now.loss >= low.loss) {
        high = std::move(now);
        if (high.loss < low.loss) std::swap(low, high);
        continue;
      }
      const bool done = flat_enough(now);
      if (!done && now.slope * (high.t - low.t) >= 0.0) high = low;
      low = std::move(now);
      if (done) return;
    }
  }

  std::function<Point(double)> look_;
  Point start_;
  double reach_;  // of the direction's largest element
  double tolerance_;
  Index looks_ = 0;
  Index tried_ = 0;
};

// --- the method

void LBFGS::extend_history(const Vector& gradient) {
  Pair pair{gradient, scaled(direction_, length_), 0.0};
  add(pair.y, -1.0, previous_gradient_);
  const double ys = dot(pair.y, pair.s);
  if (!(ys > 1e-10)) return;  // curved the wrong way: the Hessian would not stay positive
  pair.rho = 1.0 / ys;
  scale_ = ys / dot(pair.y, pair.y);
  if (static_cast<Index>(pairs_.size()) == options_.history) pairs_.pop_front();
  pairs_.push_back(std::move(pair));
}

// -H g by two loops over the history, without H.
LBFGS::Vector LBFGS::direction_for(const Vector& gradient) const {
  Vector out = scaled(gradient, -1.0);
  Vector alpha(pairs_.size());
  for (std::size_t i = pairs_.size(); i-- > 0;) {
    alpha[i] = pairs_[i].rho * dot(pairs_[i].s, out);
    add(out, -alpha[i], pairs_[i].y);
  }
  for (double& x : out) x *= scale_;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    add(out, alpha[i] - pairs_[i].rho * dot(pairs_[i].y, out), pairs_[i].s);
  }
  return out;
}

double LBFGS::step(const Closure& closure) {
  const double first = closure();
  ++evaluations_;
  Index evaluations = 1;
  Vector gradient = flat_gradient();
  double loss = first;
  if (largest(gradient) <= options_.tolerance_grad) return first;
  for (Index i = 1; i <= options_.max_iter; ++i) {
    ++iterations_;
    if (iterations_ == 1) {
      direction_ = scaled(gradient, -1.0);
    } else {
      extend_history(gradient);
      direction_ = direction_for(gradient);
    }
    previous_gradient_ = gradient;
    length_ = lr();
    if (iterations_ == 1) {
      double sum = 0.0;
      for (const double x : gradient) sum += std::abs(x);
      length_ *= std::min(1.0, 1.0 / sum);
    }
    const double slope = dot(gradient, direction_);
    if (slope > -options_.tolerance_change) break;
    const Vector origin = flat_weights();
    Search search(
        [&](double t) {
          set_weights(origin, t, direction_);
          Point point;
          point.t = t;
          point.loss = closure();
          point.gradient = flat_gradient();
          point.slope = dot(point.gradient, direction_);
          return point;
        },
        Point{0.0, loss, gradient, slope}, largest(direction_), 1e-9);
    Point found = search.run(length_);
    set_weights(origin, found.t, direction_);
    const double before = loss;
    length_ = found.t;
    loss = found.loss;
    gradient = std::move(found.gradient);
    evaluations += search.looks();
    evaluations_ += search.looks();
    const bool over = evaluations >= options_.max_eval || largest(gradient) <= options_.tolerance_grad ||
                      length_ * largest(direction_) <= options_.tolerance_change ||
                      std::abs(loss - before) < options_.tolerance_change;
    if (over) break;
  }
  return first;
}

// --- state

namespace {

Tensor row(const Vector& values) { return Tensor::from(values, {static_cast<Index>(values.size())}); }

}  // namespace

NamedTensors LBFGS::state_dict() const {
  NamedTensors out = {{"lr.0", rate(0)}};
  if (iterations_ == 0) return out;
  Vector y, s, rho;
  for (const Pair& pair : pairs_) {
    y.insert(y.end(), pair.y.begin(), pair.y.end());
    s.insert(s.end(), pair.s.begin(), pair.s.end());
    rho.push_back(pair.rho);
  }
  const Shape matrix{static_cast<Index>(pairs_.size()), size()};
  out.push_back({"lbfgs.counts", row({static_cast<double>(iterations_), static_cast<double>(evaluations_),
                                      static_cast<double>(pairs_.size())})});
  out.push_back({"lbfgs.scalars", row({length_, scale_})});
  out.push_back({"lbfgs.direction", row(direction_)});
  out.push_back({"lbfgs.previous_gradient", row(previous_gradient_)});
  out.push_back({"lbfgs.y", Tensor::from(y, matrix)});
  out.push_back({"lbfgs.s", Tensor::from(s, matrix)});
  out.push_back({"lbfgs.rho", row(rho)});
  return out;
}

void LBFGS::load_state_dict(std::span<const NamedTensor> state) {
  Incoming incoming(name(), state);
  std::vector<Tensor> rates = incoming.rates(1);
  const Tensor counts = incoming.take("lbfgs.counts", {3}, kFloat64);
  if (!counts.defined()) {
    incoming.finish();
    set_rates(std::move(rates));
    iterations_ = evaluations_ = 0;
    pairs_.clear();
    scale_ = 1.0;
    return;
  }
  const auto vector = [&](const char* part, const Shape& shape) {
    const Tensor value = incoming.take(join("lbfgs.", part), shape, kFloat64);
    require<ValueError>(value.defined(), name(), "missing: lbfgs.", part);
    return value.to_vector<double>();
  };
  const Vector numbers = counts.to_vector<double>();
  for (const double number : numbers) {
    require<ValueError>(number >= 0.0 && number < 1e15 && number == std::floor(number), name(),
                        "lbfgs.counts holds ", number, ", which counts nothing");
  }
  const auto kept = static_cast<Index>(numbers[2]);
  require<ValueError>(kept <= options_.history, name(), "the state has ", kept, " pairs, the history holds ",
                      options_.history);
  const Vector scalars = vector("scalars", {2});
  Vector direction = vector("direction", {size()});
  Vector previous = vector("previous_gradient", {size()});
  const Vector y = vector("y", {kept, size()}), s = vector("s", {kept, size()}), rho = vector("rho", {kept});
  incoming.finish();
  set_rates(std::move(rates));
  iterations_ = static_cast<Index>(numbers[0]);
  evaluations_ = static_cast<Index>(numbers[1]);
  length_ = scalars[0];
  scale_ = scalars[1];
  direction_ = std::move(direction);
  previous_gradient_ = std::move(previous);
  pairs_.clear();
  for (Index i = 0; i < kept; ++i) {
    const auto part = [&](const Vector& all) {
      return Vector(all.begin() + i * size(), all.begin() + (i + 1) * size());
    };
    pairs_.push_back({part(y), part(s), rho[static_cast<std::size_t>(i)]});
  }
}

}  // namespace splot
