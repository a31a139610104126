#include "splot/ops/fused.h"

#include "splot/ops/internal/reduce.h"
#include "splot/ops/op_records.h"

namespace splot {

bool reduces_what_is_made(const OpDef& op, const Attrs& attrs, const Tensor& x) {
  if (&op != &sum_op && &op != &mean_op) return false;
  return reduces_in_runs(x, attrs.ints("axes"));
}

void run_with_reduction(PreparedCalls& prepared, std::span<const FusedCall> calls) {
  const FusedCall& last = calls.back();
  const Axes& axes = last.attrs->ints("axes");
  sum_fused(prepared, calls.first(calls.size() - 1), static_cast<std::size_t>(last.made_by[0]),
            last.inputs[0], axes, const_cast<void*>(last.output->raw()));
  if (last.op == &mean_op) {
    divide_all(*last.output, static_cast<double>(reduced_count(last.inputs[0].shape(), axes)));
  }
}

}  // namespace splot
