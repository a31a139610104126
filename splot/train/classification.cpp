#include "splot/train/classification.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "splot/core/error.h"
#include "splot/train/internal/class_rows.h"
#include "splot/train/outputs.h"

namespace splot {
namespace {

double share(Index part, Index whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Interval wilson_interval(Index right, Index total, double z) {
  require<ValueError>(right >= 0 && right <= total, "wilson_interval", "there cannot be ", right,
                      " right of ", total);
  require<ValueError>(z > 0.0, "wilson_interval", "z must be positive, got ", z);
  if (total == 0) return {0.0, 1.0};
  const auto n = static_cast<double>(total);
  const double p = share(right, total);
  const double middle = p + z * z / (2.0 * n);
  const double reach = z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
  const double scale = 1.0 + z * z / n;
  return {std::max(0.0, (middle - reach) / scale), std::min(1.0, (middle + reach) / scale)};
}

ConfusionMatrix::ConfusionMatrix(Index classes) : classes_(classes) {
  // The bound keeps a wrong number from asking for terabytes; 30,000 classes squared are 7 GB already.
  require<ValueError>(classes > 0 && classes <= 30'000, "ConfusionMatrix", "needs 1 to 30000 classes, got ",
                      classes);
  counts_.assign(static_cast<std::size_t>(classes * classes), 0);
}

void ConfusionMatrix::check(Index target, Index predicted) const {
  for (const Index c : {target, predicted}) {
    require<IndexError>(c >= 0 && c < classes_, "ConfusionMatrix", "there is no class ", c, " of ", classes_);
  }
}

void ConfusionMatrix::add(Index target, Index predicted, Index times) {
  check(target, predicted);
  require<ValueError>(times >= 0, "ConfusionMatrix", "cannot count ", times, " examples");
  counts_[static_cast<std::size_t>(target * classes_ + predicted)] += times;
  total_ += times;
  right_ += target == predicted ? times : 0;
}

void ConfusionMatrix::add(const Tensor& output, const Tensor& target) {
  require(!output.defined() || output.rank() != 2 || output.shape()[1] == classes_, "ConfusionMatrix",
          "output", output, " is not for ", classes_, " classes");
  train_detail::for_each_row("ConfusionMatrix", output, target,
                             [&](const auto* row, Index classes, Index wanted) {
                               add(wanted, train_detail::largest(row, classes));
                             });
}

void ConfusionMatrix::add_binary(const Tensor& output, const Tensor& target, double threshold) {
  require<ValueError>(classes_ == 2, "ConfusionMatrix", "one number tells two classes apart, not ", classes_);
  require(output.defined() && target.defined() && output.rank() >= 1 && output.numel() == output.shape()[0] &&
              output.numel() == target.numel(),
          "ConfusionMatrix", "needs output and target [n] or [n, 1], got output", output, " and target",
          target);
  const std::vector<double> is = output.to_vector<double>();
  const std::vector<double> wanted = target.to_vector<double>();
  for (std::size_t i = 0; i < is.size(); ++i) add(wanted[i] > 0.5 ? 1 : 0, is[i] > threshold ? 1 : 0);
}

Index ConfusionMatrix::count(Index target, Index predicted) const {
  check(target, predicted);
  return counts_[static_cast<std::size_t>(target * classes_ + predicted)];
}

double ConfusionMatrix::accuracy() const { return share(right_, total_); }

std::vector<ClassScores> ConfusionMatrix::scores() const {
  std::vector<ClassScores> out(static_cast<std::size_t>(classes_));
  for (Index c = 0; c < classes_; ++c) {
    ClassScores& s = out[static_cast<std::size_t>(c)];
    Index taken = 0;
    for (Index other = 0; other < classes_; ++other) {
      s.support += count(c, other);
      taken += count(other, c);
    }
    s.precision = share(count(c, c), taken);
    s.recall = share(count(c, c), s.support);
    s.f1 = share(2 * count(c, c), taken + s.support);
  }
  return out;
}

template <typename Weight>
ClassScores ConfusionMatrix::average(Weight weight) const {
  ClassScores out;
  double weights = 0.0;
  for (const ClassScores& s : scores()) {
    const double w = weight(s);
    out.precision += w * s.precision;
    out.recall += w * s.recall;
    out.f1 += w * s.f1;
    weights += w;
  }
  if (weights > 0.0) {
    out.precision /= weights;
    out.recall /= weights;
    out.f1 /= weights;
  }
  out.support = total_;
  return out;
}

ClassScores ConfusionMatrix::macro_average() const {
  // A class that is taken for another one only, or the other way round, still has a precision or a recall.
  std::vector<bool> occurs(static_cast<std::size_t>(classes_));
  for (Index t = 0; t < classes_; ++t) {
    for (Index p = 0; p < classes_; ++p) {
      if (count(t, p) == 0) continue;
      occurs[static_cast<std::size_t>(t)] = true;
      occurs[static_cast<std::size_t>(p)] = true;
    }
  }
  std::size_t at = 0;
  return average([&](const ClassScores&) { return occurs[at++] ? 1.0 : 0.0; });
}

ClassScores ConfusionMatrix::weighted_average() const {
  return average([](const ClassScores& s) { return static_cast<double>(s.support); });
}

Index count_top_k(const Tensor& output, const Tensor& target, Index k) {
  require<ValueError>(!output.defined() || output.rank() != 2 || (k >= 1 && k <= output.shape()[1]),
                      "count_top_k", "k must be 1 to the number of classes, got ", k, " for output", output);
  Index found = 0;
  train_detail::for_each_row("count_top_k", output, target,
                             [&](const auto* row, Index classes, Index wanted) {
                               Index before = 0;
                               for (Index c = 0; c < classes; ++c) {
                                 const bool ahead = train_detail::is_larger(row[c], row[wanted]);
                                 const bool level = !ahead && !train_detail::is_larger(row[wanted], row[c]);
                                 before += ahead || (level && c < wanted) ? 1 : 0;
                               }
                               found += before < k ? 1 : 0;
                             });
  return found;
}

ConfusionMatrix confusion_matrix(Layer& model, const Dataset& data, Index batch_size) {
  std::optional<ConfusionMatrix> matrix;
  visit_outputs(
      model, data,
      [&](const Tensor& output, const Tensor& target) {
        if (!matrix) {
          require(output.rank() == 2, "confusion_matrix", "needs outputs [n, classes], got ", output);
          matrix.emplace(output.shape()[1]);
        }
        matrix->add(output, target);
      },
      batch_size);
  return *matrix;
}

}  // namespace splot
