// What holds for every op at once.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "splot/ops/op_records.h"

#include "tests/support/check_op.h"
#include "tests/support/golden.h"

namespace splot::test {
namespace {

TEST(AllOps, EveryOpHasACase) {
  std::set<std::string> covered;
  for (const RegisteredCase& c : op_cases()) covered.insert(c.op_case.op);
  for (const OpDef* op : all_ops())
    EXPECT_TRUE(covered.contains(op->name)) << "add CHECK_OP(" << op->name << ", ...)";
}

TEST(AllOps, EveryGoldenCaseIsUsed) {
  std::set<std::string> used;
  for (const RegisteredCase& c : op_cases()) used.insert(c.op_case.golden);
  for (const std::string& name : golden_names()) EXPECT_TRUE(used.contains(name)) << name;
}

TEST(AllOps, EveryDerivativeIsCheckedAtBothOrders) {
  std::set<std::string> checked;
  int first = 0, second = 0;
  double worst_first = 0, worst_second = 0;
  for (const RegisteredCase& c : op_cases()) {
    for (const GradientCheck& check : check_derivatives(c)) {
      EXPECT_TRUE(check.passed) << c.name << ": " << check.to_string();
      first += check.comparisons_of_order[0];
      second += check.comparisons_of_order[1];
      worst_first = std::max(worst_first, check.worst_error[0]);
      worst_second = std::max(worst_second, check.worst_error[1]);
      if (check.comparisons_of_order[1] > 0) checked.insert(c.op_case.op);
    }
  }
  for (const OpDef* op : all_ops()) {
    EXPECT_TRUE(op->vjp == nullptr || checked.contains(op->name))
        << op->name << ": its derivative is never checked";
  }
  RecordProperty("first_order", first);
  RecordProperty("second_order", second);
  std::printf("derivative checks: %d of order 1 (worst relative error %.2g), %d of order 2 (worst %.2g)\n",
              first, worst_first, second, worst_second);
}

}  // namespace
}  // namespace splot::test
