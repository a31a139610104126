// Elementwise ops that run together, block by block.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "splot/backend/cpu/reduce.h"
#include "splot/core/export.h"
#include "splot/core/op.h"

namespace splot::cpu {

/// The most operands of a formula.
inline constexpr std::size_t kFormulaInputs = 4;
/// So many calls can run together,
inline constexpr std::size_t kFusedSteps = 8;
/// and take so many blocks: one for each call, and one for each operand that is not dense in the order of the
/// output, or is a condition among numbers. With 512 elements of 4 bytes each they fit into a first cache.
inline constexpr std::size_t kFusedBuffers = 12;

/// One call of an elementwise op among others that run together.
struct FusedCall {
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::span<const Tensor> inputs = {};
  const Tensor* output = nullptr;
  /// The earlier call whose output each input is; -1: it is in memory.
  std::array<int, kFormulaInputs> made_by = {-1, -1, -1, -1};
  /// Whether the output is written to memory.
  bool kept = true;
};

/// Calls that are made again and again, be it one: how they go over their operands is found out the first
/// time. All calls are made on a block of elements, then on the next: what they hand to each other is not
/// written to memory, and operands are read once. To the bits of the calls one after the other.
///
/// Threads: of one at a time.
class SPLOT_API PreparedCalls {
 public:
  PreparedCalls();
  ~PreparedCalls();
  PreparedCalls(PreparedCalls&&) noexcept;
  PreparedCalls& operator=(PreparedCalls&&) noexcept;

  /// Outputs must have one shape and one order in memory; an output that is kept may be written over an
  /// input, in the order of the output, that no later call reads. Each time with the same calls, whose
  /// tensors may lie somewhere else: shapes, strides and dtypes stay.
  void run(std::span<const FusedCall> calls);
  /// Makes the calls, and the reduction of what one of them gives, `wanted`, seen as in reduce(): its
  /// elements are reduced run by run as they are made, and lie nowhere, nor need its output. To the bits of
  /// one after the other. reduces_in_runs(sizes) has to hold. T is float or double, that of the result.
  template <typename T>
  void reduce(std::span<const FusedCall> calls, std::size_t wanted, Reduce reduction,
              const ReduceSizes& sizes, T* out);

 private:
  struct Arranged;
  // How the calls go over their operands, as they lie now. None is `wanted`: calls.size().
  Arranged& arranged(std::span<const FusedCall> calls, std::size_t wanted);

  std::unique_ptr<Arranged> arranged_;
};

extern template SPLOT_API void PreparedCalls::reduce(std::span<const FusedCall>, std::size_t, Reduce,
                                                     const ReduceSizes&, float*);
extern template SPLOT_API void PreparedCalls::reduce(std::span<const FusedCall>, std::size_t, Reduce,
                                                     const ReduceSizes&, double*);

}  // namespace splot::cpu
