// Recorder: sees calls of ops in place of their kernels. What a trace is made with.
#pragma once

#include <span>
#include <string>

#include "splot/core/export.h"
#include "splot/core/op.h"
#include "splot/core/random.h"
#include "splot/core/tensor.h"

namespace splot {

/// While one is set for a thread, ops check their inputs and say what shape their results have, but compute
/// nothing: results have no elements (Tensor::has_elements()), and whoever reads some gets a TraceError.
///
/// Threads: of the thread it is set for.
class SPLOT_API Recorder {
 public:
  virtual ~Recorder() = default;
  /// A call that has passed its rule.
  virtual void call(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs,
                    std::span<const Tensor> outputs) = 0;
  /// x without elements, dense and in row-major order.
  virtual Tensor dense(const Tensor& x) = 0;
  /// The key of a random op: int64 {seed, stream, counter}.
  virtual Tensor key(const RandomKey& key) = 0;
  /// A tensor with elements that was made since the recorder was set.
  virtual void made(const Tensor& x) = 0;
  /// What a tensor without elements is: "the result of relu".
  virtual std::string describe(const Tensor& x) const = 0;
};

/// Of this thread; null when nothing is recorded.
SPLOT_API Recorder* recorder();

/// Sets a recorder for this thread while it lives.
///
/// Threads: of the thread that made it alone.
class SPLOT_API Recording {
 public:
  /// Throws TraceError when one is set already.
  explicit Recording(Recorder& recorder);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
};

}  // namespace splot
