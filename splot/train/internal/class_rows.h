// Which class a row of outputs stands for: one rule for every figure that counts classes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "splot/core/error.h"
#include "splot/core/tensor.h"

namespace splot::train_detail {

/// Whether output `a` is larger than `b`: NaN is the largest, as in PyTorch.
template <typename T>
bool is_larger(T a, T b) {
  return a > b || (std::isnan(a) && !std::isnan(b));
}

/// The first of the largest. Nothing is jumped over: which class wins is what a processor cannot guess.
template <typename T>
Index largest(const T* row, Index n) {
  Index best = 0;
  T top = row[0];
  bool numbers = top == top;
  for (Index i = 1; i < n; ++i) {
    const T value = row[i];
    const bool larger = value > top;
    best = larger ? i : best;
    top = larger ? value : top;
    numbers &= value == value;
  }
  if (numbers) [[likely]] {
    return best;
  }
  return std::find_if(row, row + n, [](T value) { return std::isnan(value); }) - row;
}

/// The largest of each row of shares[n, classes].
inline std::vector<std::int64_t> largest_of_rows(const Tensor& shares) {
  const Index n = shares.shape()[0];
  const Index classes = shares.shape()[1];
  std::vector<std::int64_t> out(static_cast<std::size_t>(n));
  const auto fill = [&](const auto* row) {
    for (std::int64_t& c : out) c = largest(std::exchange(row, row + classes), classes);
  };
  // What data sets hold is looked at where it lies.
  if (shares.dtype() == kFloat32 && shares.is_contiguous()) {
    fill(shares.data<float>());
  } else {
    fill(shares.to_vector<double>().data());
  }
  return out;
}

/// Calls visit(row, classes, wanted) for every example, row pointing to its `classes` outputs. Throws as
/// ConfusionMatrix::add() says, in the name of `where`.
template <typename Visit>
void for_each_row(const char* where, const Tensor& output, const Tensor& target, const Visit& visit) {
  const bool numbers = target.defined() && target.rank() == 1;
  require(output.defined() && target.defined() && output.rank() == 2 && output.shape()[1] > 0 &&
              (numbers ? target.shape()[0] == output.shape()[0] : target.shape() == output.shape()),
          where, "needs output[n, classes] and target[n] or target[n, classes], got output", output,
          " and target", target);
  require<DTypeError>(numbers ? target.dtype().is_integral() : target.dtype().is_floating(), where,
                      numbers ? "needs integer class numbers" : "needs floating shares of the classes",
                      ", got ", target.dtype());
  const Index n = output.shape()[0];
  const Index classes = output.shape()[1];
  // Class numbers of a data set are dense int64 already: a training step copies nothing here.
  const bool ready = numbers && target.dtype() == kInt64 && target.is_contiguous();
  std::vector<std::int64_t> copied;
  if (numbers && !ready) copied = target.to_vector<std::int64_t>();
  if (!numbers) copied = largest_of_rows(target);
  const std::int64_t* wanted = ready ? target.data<std::int64_t>() : copied.data();
  const Tensor dense = contiguous(output);
  visit_floats(output.dtype(), where, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* row = dense.data<T>();
    for (Index i = 0; i < n; ++i, row += classes) {
      const Index c = wanted[i];
      require<IndexError>(c >= 0 && c < classes, where, "there is no class ", c, " among ", classes,
                          " outputs");
      visit(row, classes, c);
    }
  });
}

}  // namespace splot::train_detail
