// The op records, declared from op_list.inc, and the table of them all.
#pragma once

#include <span>
#include <string_view>

#include "splot/core/op.h"

namespace splot {

#define SPLOT_OP(name) SPLOT_API extern const OpDef name##_op;
#include "splot/ops/op_list.inc"
#undef SPLOT_OP

/// Every op of the library, in the order of op_list.inc.
SPLOT_API std::span<const OpDef* const> all_ops();
/// The record with that name, or null.
SPLOT_API const OpDef* find_op(std::string_view name);

}  // namespace splot
