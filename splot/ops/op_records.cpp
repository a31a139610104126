#include "splot/ops/op_records.h"

namespace splot {
namespace {

#define SPLOT_OP(name) &name##_op,
constexpr const OpDef* kAllOps[] = {
#include "splot/ops/op_list.inc"
};
#undef SPLOT_OP

}  // namespace

std::span<const OpDef* const> all_ops() { return kAllOps; }

const OpDef* find_op(std::string_view name) {
  for (const OpDef* op : kAllOps) {
    if (op->name == name) return op;
  }
  return nullptr;
}

}  // namespace splot
