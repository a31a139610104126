// CHECK_OP: one case tests an op everywhere.
//
//   CHECK_OP(softplus, {
//       .run = [](std::span<const Tensor> in) { return softplus(in[0]); },
//       .float32 = {.relative = 2e-6, .why = "one exp and one log1p"},
//   });
//
// runs softplus on every sample of the golden case "softplus" (tests/golden/ops, made by scripts/golden) and
// checks
//   - values, shapes and dtypes against PyTorch, on every instruction set and for inputs with odd strides;
//   - gradients against PyTorch, kinks and special values included, where the sample has them;
//   - derivatives of order 1 and 2 against central differences in float64, for smooth float64 samples;
//   - an elementwise op against its formula in double over longer inputs, on every instruction set, and for
//     inputs without elements;
//   - a fused op against its `composed` twin;
//   - the C text of an elementwise op, compiled by the C compiler (tests/ops/c_text_test.cpp).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "splot/autodiff/check_gradients.h"
#include "splot/core/op.h"
#include "splot/core/tensor.h"

namespace splot::test {

/// |got - expected| <= relative |expected| + absolute.
struct Tolerance {
  double relative = 0;
  double absolute = 0;
  const char* why = "";
};

/// A function of tensors that answers one Tensor or a TensorList.
class Run {
 public:
  template <typename F>
  requires std::is_invocable_v<const F&, std::span<const Tensor>> Run(F f)
      : call_([f = std::move(f)](std::span<const Tensor> in) -> TensorList {
          if constexpr (std::is_same_v<decltype(f(in)), TensorList>) {
            return f(in);
          } else {
            return {f(in)};
          }
        }) {}
  TensorList operator()(std::span<const Tensor> in) const { return call_(in); }

 private:
  std::function<TensorList(std::span<const Tensor>)> call_;
};

struct OpCase {
  Run run;
  std::string op = {};      ///< the record it covers; by default the name of the case
  std::string golden = {};  ///< the golden case; by default the name of the case
  /// Inputs for the derivative checks beside the smooth float64 samples; for ops that PyTorch lacks, the only
  /// ones.
  std::vector<TensorList> inputs = {};
  int orders = 2;      ///< of derivatives; 0: not differentiable
  bool exact = false;  ///< values must be equal to PyTorch's to the last bit
  Tolerance float32 = {2e-6, 1e-30,
                       "Highway's functions and PyTorch's each err by a few units of the last place"};
  Tolerance float64 = {4e-15, 1e-290, "the same"};
  Tolerance gradient32 = {2e-5, 1e-6, "PyTorch rounds in other places"};
  Tolerance gradient64 = {1e-12, 1e-14, "PyTorch rounds in other places"};
  double step = 1e-3;  ///< of the difference quotients
  /// For which an elementwise op is tried against its formula; by default those between the samples'
  /// extremes.
  bool long_inputs = true;
};

/// Registered with CHECK_OP.
struct RegisteredCase {
  std::string name;
  OpCase op_case;
};
const std::vector<RegisteredCase>& op_cases();

/// Runs all checks of a case; failures are reported through GoogleTest.
void check_op(const RegisteredCase& registered);
/// The derivative checks alone: one result for each smooth sample.
std::vector<GradientCheck> check_derivatives(const RegisteredCase& registered);
/// The float64 inputs derivatives are checked at.
std::vector<TensorList> smooth_inputs(const RegisteredCase& registered);
/// The record and the attributes a case calls it with; null when the case's op is no record.
struct CalledRecord {
  const OpDef* op = nullptr;
  Attrs attrs;
  TensorList inputs;  // what the record itself was called with
};
CalledRecord called_record(const RegisteredCase& registered, std::span<const Tensor> inputs);

/// The same values, dense no more: axes stored in reverse order, two elements apart, the last axis backwards.
Tensor with_odd_strides(const Tensor& x);
/// Empty when `got` is `expected` within the tolerance (equal dtype and shape, NaN equals NaN), else the
/// reason.
std::string difference_between(const Tensor& got, const Tensor& expected, const Tolerance& tolerance);

int register_case(std::string name, OpCase op_case);
const RegisteredCase& find_case(const std::string& name);

}  // namespace splot::test

#define CHECK_OP(name, ...)                                                                             \
  const int registered_##name = ::splot::test::register_case(#name, ::splot::test::OpCase __VA_ARGS__); \
  TEST(Ops, name) { ::splot::test::check_op(::splot::test::find_case(#name)); }                         \
  static_assert(true, "needs a semicolon")
