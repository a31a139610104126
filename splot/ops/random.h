// Random tensors: pure functions of a key. The same key, shape and dtype give the same elements on any number
// of threads and any instruction set (normal: to the last bits of logarithm and sine); other keys, streams or
// counters give numbers that have nothing to do with them. No gradient flows through them.
#pragma once

#include "splot/core/random.h"
#include "splot/core/tensor.h"

namespace splot {

/// A key as ops take it: int64 [3], {seed, stream, counter}. A training step makes it a tensor so that a
/// trace can be fed another counter each time.
SPLOT_API Tensor key_tensor(const RandomKey& key);

/// The key of a random op: a RandomKey, or a tensor like key_tensor()'s.
///
/// Threads: a value; many may read one object, or one change it.
class RandomKeyTensor {
 public:
  RandomKeyTensor(const RandomKey& key) : tensor(key_tensor(key)) {}
  RandomKeyTensor(const Tensor& key) : tensor(key) {}

  Tensor tensor;
};

struct UniformOptions {
  double low = 0.0;
  double high = 1.0;
  DType dtype = kFloat32;  ///< float32 or float64
};
/// Every number in [low, high) equally likely. Throws ValueError unless low <= high and both are finite.
///
///   uniform({2, 3}, RandomKey{.seed = 1}, {.low = -1.0})
SPLOT_API Tensor uniform(const Shape& shape, const RandomKeyTensor& key, const UniformOptions& options = {});

struct NormalOptions {
  double mean = 0.0;
  double deviation = 1.0;
  DType dtype = kFloat32;  ///< float32 or float64
};
/// Normally distributed. Throws ValueError for a negative deviation.
SPLOT_API Tensor normal(const Shape& shape, const RandomKeyTensor& key, const NormalOptions& options = {});

/// 1 with probability p, else 0, in any dtype. Throws ValueError unless 0 <= p <= 1.
SPLOT_API Tensor bernoulli(const Shape& shape, double p, const RandomKeyTensor& key, DType dtype = kFloat32);

/// 0 .. n-1 in random order, int64 [n].
SPLOT_API Tensor randperm(Index n, const RandomKeyTensor& key);

/// Each element is dropped (0) with probability p, the others are divided by 1 - p so that the expected value
/// stays: what a Dropout layer does while training. Throws ValueError unless 0 <= p <= 1.
///
///   y = dropout(x, 0.5, key);   // x[64, 784] -> [64, 784]
SPLOT_API Tensor dropout(const Tensor& x, double p, const RandomKeyTensor& key);

}  // namespace splot
