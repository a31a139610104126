// OnDemand: a BatchSource whose answers are checked, asked by one thread at a time.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "splot/core/shape.h"
#include "splot/data/batch_source.h"

namespace splot::data_detail {

class OnDemand {
 public:
  /// Reads the first example, to know shapes and dtypes. Throws ValueError when there is none, and what
  /// reading throws.
  OnDemand(std::string name, std::shared_ptr<BatchSource> source);

  Index size() const { return size_; }
  /// No example, of the shape and dtypes that all have.
  const Batch& none() const { return none_; }
  /// Throws ShapeError or DTypeError when what comes is not like the first example.
  Batch read(std::span<const Index> indices);

 private:
  Batch ask(std::span<const Index> indices);

  std::string name_;
  std::shared_ptr<BatchSource> source_;
  Index size_ = 0;
  Batch none_;
  std::mutex mutex_;
};

/// Integers as int64, anything else as it is; dense and without history.
Tensor as_targets(const Tensor& targets);

}  // namespace splot::data_detail
