// BatchSource: examples that are read when they are asked for.
#pragma once

#include <span>

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

/// Some examples, ready for a network.
struct Batch {
  Tensor inputs;   ///< [n, ...] float32, or the data set's own floating type
  Tensor targets;  ///< [n] int64 class numbers, or [n, ...] as the data set has them
};

/// Examples with numbers, read one batch at a time: files in a folder, rows of a database, what a formula
/// gives. What PyTorch calls a map-style data set. A Dataset made of one goes wherever a Dataset goes.
///
///   class Photos final : public BatchSource {
///     Index size() const override { return static_cast<Index>(paths_.size()); }
///     Batch read(std::span<const Index> indices) override { ... }   // uint8 [n, 1, 28, 28], int64 [n]
///   };
///   Dataset photos("photos", std::make_shared<Photos>(folder), {"cat", "dog"}, {.divisor = 255.0});
///
/// Threads: called by one at a time, though not always by the same: with prefetch a thread of the loader's
/// reads while the network calculates.
class SPLOT_API BatchSource {
 public:
  virtual ~BatchSource();

  /// How many examples there are; always the same.
  virtual Index size() const = 0;
  /// The named examples, each 0 .. size() - 1, in that order, as they are stored: inputs [n, ...] and targets
  /// [n] or [n, ...], always of the same dtypes and, but for n, shapes. The same example is the same every
  /// time, or a training is no function of its seed. What this throws ends the training and reaches its
  /// caller.
  virtual Batch read(std::span<const Index> indices) = 0;
};

}  // namespace splot
