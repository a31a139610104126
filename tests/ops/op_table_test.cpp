// docs/ops.md says what the records say. ./dev docs writes it.
#include "splot/ops/op_table.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "splot/ops/op_records.h"

#include "tests/support/check_op.h"

namespace splot::test {
namespace {

std::string generated() {
  std::set<std::string> checked;
  for (const RegisteredCase& c : op_cases()) {
    for (const GradientCheck& check : check_derivatives(c)) {
      if (check.comparisons_of_order[1] > 0) checked.insert(c.op_case.op);
    }
  }
  return op_table_markdown([&](const OpDef& op) { return checked.contains(op.name); });
}

TEST(OpTable, TheDocumentIsTheGeneratedOne) {
  const auto path = std::filesystem::path(SPLOT_TESTS_DIR).parent_path() / "docs" / "ops.md";
  const std::string expected = generated();
  if (std::getenv("SPLOT_WRITE_DOCS") != nullptr) {
    std::ofstream(path) << expected;
  }
  std::stringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_TRUE(found.str() == expected) << path << " is out of date; ./dev docs writes it anew";
}

TEST(OpTable, LeavesOutWhatOnlyTestsKnow) {
  EXPECT_EQ(op_table_markdown().find("order 2"), std::string::npos);
  EXPECT_NE(op_table_markdown().find("| `relu` | 1 | | simd | yes | | | yes | Relu |\n"), std::string::npos);
}

TEST(OpTable, AnOpWithoutADerivativeToHaveHasNone) {
  for (const OpDef* op : all_ops()) {
    EXPECT_TRUE(op->differentiable || op->vjp == nullptr) << op->name;
  }
}

}  // namespace
}  // namespace splot::test
