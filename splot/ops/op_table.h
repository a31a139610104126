// The table of all ops in words: what docs/ops.md shows.
#pragma once

#include <functional>
#include <string>

#include "splot/core/op.h"

namespace splot {

/// Every op as a row of a Markdown table, with a heading and an explanation: which inputs and attributes it
/// takes, and what it supports. Whether second derivatives were compared with difference quotients only tests
/// can know; without that function the column is left out.
SPLOT_API std::string op_table_markdown(const std::function<bool(const OpDef&)>& second_order_checked = {});

}  // namespace splot
