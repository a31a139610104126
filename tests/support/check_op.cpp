#include "tests/support/check_op.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/core/node.h"
#include "splot/core/random.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/golden.h"

namespace splot::test {
namespace {

std::vector<RegisteredCase>& registry() {
  static std::vector<RegisteredCase> cases;
  return cases;
}

class OnInstructionSet {
 public:
  explicit OnInstructionSet(cpu::InstructionSet set) : before_(cpu::instruction_set()) {
    cpu::set_instruction_set(set);
  }
  ~OnInstructionSet() { cpu::set_instruction_set(before_); }

 private:
  cpu::InstructionSet before_;
};

const Tolerance& value_tolerance(const OpCase& c, DType dtype) {
  static const Tolerance exact{0, 0, "exact"};
  if (c.exact || !dtype.is_floating()) return exact;
  return dtype == kFloat64 ? c.float64 : c.float32;
}

TensorList as_variables(std::span<const Tensor> inputs) {
  TensorList out;
  for (const Tensor& x : inputs) out.push_back(x.dtype().is_floating() ? x.variable() : x);
  return out;
}

void check_values(const OpCase& c, std::span<const Tensor> inputs, std::span<const Tensor> expected,
                  const std::string& where) {
  const TensorList got = c.run(inputs);
  ASSERT_EQ(got.size(), expected.size()) << where;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(difference_between(got[i], expected[i], value_tolerance(c, expected[i].dtype())), "")
        << where << ", output " << i;
  }
}

void check_golden_gradients(const OpCase& c, const GoldenSample& sample, const std::string& where) {
  const TensorList variables = as_variables(sample.inputs);
  const TensorList outputs = c.run(variables);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!sample.cotangents[i].defined()) continue;
    // Not through a product with the cotangents: its own derivative would turn infinite values into NaN.
    ASSERT_TRUE(outputs[i].requires_grad()) << where << ": output " << i << " has no history";
    for (std::size_t k = 0; k < variables.size(); ++k) {
      if (!sample.gradients[k].defined()) continue;
      ASSERT_EQ(outputs.size(), 1u) << "golden gradients are for ops with one output";
      const Tensor got =
          grad(outputs[i], {variables[k]},
               {.cotangent = sample.cotangents[i], .retain_graph = true, .allow_unused = true})[0];
      const Tolerance& tolerance = got.dtype() == kFloat64 ? c.gradient64 : c.gradient32;
      EXPECT_EQ(difference_between(got, sample.gradients[k], tolerance), "")
          << where << ", the gradient of input " << k;
    }
  }
}

void check_sample(const OpCase& c, const GoldenSample& sample, const std::string& where) {
  check_values(c, sample.inputs, sample.outputs, where);
  TensorList odd;
  for (const Tensor& x : sample.inputs) odd.push_back(with_odd_strides(x));
  check_values(c, odd, sample.outputs, where + ", inputs with odd strides");
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    const OnInstructionSet on(set);
    const std::string here = join(where, " on ", cpu::name_of(set));
    check_values(c, sample.inputs, sample.outputs, here);
    if (!sample.gradients.empty()) check_golden_gradients(c, sample, here);
  }
}

Tensor uniform_between(const Tensor& like, Index n, RandomStream& random) {
  const std::vector<double> values = like.to_vector<double>();
  double low = 0, high = 1;
  if (!values.empty()) {
    low = *std::min_element(values.begin(), values.end());
    high = *std::max_element(values.begin(), values.end());
  }
  std::vector<double> out(static_cast<std::size_t>(n));
  for (double& value : out) {
    value = random.uniform(low, high);
    if (like.dtype().is_integral()) value = std::floor(random.uniform(low, high + 1));
    if (like.dtype() == kFloat32) value = static_cast<double>(static_cast<float>(value));
  }
  return cast(Tensor::from(out, {n}), like.dtype());
}

// Long enough for whole vectors, a tail, several blocks and several chunks of the elementwise loop.
void check_against_formula(const RegisteredCase& registered, std::span<const Tensor> like) {
  const CalledRecord called = called_record(registered, like);
  if (called.op == nullptr || called.op->elementwise == nullptr) return;
  RandomStream random({.seed = 7, .stream = stream_of(registered.name)});
  for (const Index n : {1, 3, 517, 40'003}) {
    TensorList inputs;
    for (const Tensor& x : called.inputs) inputs.push_back(uniform_between(x, n, random));
    std::vector<std::vector<double>> columns;
    for (const Tensor& x : inputs) columns.push_back(x.to_vector<double>());
    std::vector<double> expected(static_cast<std::size_t>(n)), row(inputs.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      for (std::size_t k = 0; k < row.size(); ++k) row[k] = columns[k][i];
      expected[i] = called.op->elementwise->reference(row, called.attrs);
    }
    for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
      const OnInstructionSet on(set);
      Tensor got;
      try {
        got = apply(*called.op, inputs, called.attrs);
      } catch (const DTypeError&) {
        return;  // the function converts its inputs, or does without the record
      }
      EXPECT_EQ(difference_between(got, cast(Tensor::from(expected, {n}), got.dtype()),
                                   value_tolerance(registered.op_case, got.dtype())),
                "")
          << registered.name << " against its formula in double, " << n << " elements of "
          << got.dtype().name() << " on " << cpu::name_of(set);
    }
  }
  TensorList none;
  for (const Tensor& x : called.inputs) none.push_back(Tensor::empty({0, 3}, x.dtype()));
  EXPECT_EQ(apply(*called.op, none, called.attrs).shape(), Shape({0, 3})) << "inputs without elements";
}

void check_against_composed(const RegisteredCase& registered, std::span<const Tensor> inputs) {
  const CalledRecord called = called_record(registered, inputs);
  if (called.op == nullptr || called.op->composed == nullptr) return;
  const TensorList fused = apply_all(*called.op, called.inputs, called.attrs);
  const TensorList composed = called.op->composed(called.inputs, called.attrs);
  ASSERT_EQ(fused.size(), composed.size());
  for (std::size_t i = 0; i < fused.size(); ++i) {
    const Tolerance& own = value_tolerance(registered.op_case, fused[i].dtype());
    EXPECT_EQ(difference_between(fused[i], composed[i], {4 * own.relative + 1e-14, own.absolute + 1e-14}), "")
        << registered.name << " against its composed twin, output " << i;
  }
}

std::string element_text(double value) { return join(value); }

}  // namespace

int register_case(std::string name, OpCase op_case) {
  if (op_case.op.empty()) op_case.op = name;
  if (op_case.golden.empty()) op_case.golden = name;
  registry().push_back({std::move(name), std::move(op_case)});
  return 0;
}

const std::vector<RegisteredCase>& op_cases() { return registry(); }

const RegisteredCase& find_case(const std::string& name) {
  for (const RegisteredCase& found : registry()) {
    if (found.name == name) return found;
  }
  fail<ValueError>("check_op", "no case ", name);
}

CalledRecord called_record(const RegisteredCase& registered, std::span<const Tensor> inputs) {
  CalledRecord out;
  const OpDef* op = find_op(registered.op_case.op);
  if (op == nullptr) return out;
  TensorList variables = as_variables(inputs);
  const TensorList results = registered.op_case.run(variables);
  // The call itself is in the history; an op without a derivative has none, but also no attributes to find
  // out.
  for (const Tensor& y : results) {
    if (!y.requires_grad() || y.impl()->node->op != op) continue;
    const Node& node = *y.impl()->node;
    out.attrs = node.attrs;
    if (node.inputs.size() != inputs.size()) return out;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!(node.inputs[i].shape == inputs[i].shape()) || node.inputs[i].dtype != inputs[i].dtype())
        return out;
    }
    break;
  }
  if (op->inputs >= 0 && static_cast<std::size_t>(op->inputs) != inputs.size()) return out;
  if (out.attrs.size() != op->attrs.size()) return out;
  // Integers were converted on the way: the record saw something else.
  if (inputs.empty() || (inputs[0].dtype().is_integral() && results[0].dtype().is_floating())) return out;
  out.op = op;
  for (const Tensor& x : inputs) out.inputs.push_back(x);
  return out;
}

Tensor with_odd_strides(const Tensor& x) {
  const int rank = x.rank();
  if (rank == 0) return x;
  Strides strides(rank, 1);
  Index step = 2;
  for (int i = 0; i < rank; ++i) {
    strides[i] = step;
    step *= std::max<Index>(x.shape()[i], 1);
  }
  const Index offset = x.numel() == 0 ? 0 : (x.shape()[-1] - 1) * strides[rank - 1] + 1;
  strides[rank - 1] = -strides[rank - 1];
  const Tensor room = Tensor::empty({step + 1}, x.dtype());
  std::memset(room.impl()->storage->data(), 0x01, static_cast<std::size_t>(step + 1) * x.dtype().size());
  Ref<TensorImpl> impl = room.impl()->window();
  impl->shape = x.shape();
  impl->strides = strides;
  impl->offset = offset;
  impl->contiguous = x.numel() == 0;
  const Tensor out(std::move(impl));
  const Tensor dense = contiguous(x);
  const std::size_t bytes = x.dtype().size();
  Ints position(rank, 0);
  for (Index n = 0; n < x.numel(); ++n) {
    Index at = offset;
    for (int i = 0; i < rank; ++i) at += position[i] * strides[i];
    std::memcpy(static_cast<std::byte*>(room.impl()->storage->data()) + static_cast<std::size_t>(at) * bytes,
                static_cast<const std::byte*>(dense.raw()) + static_cast<std::size_t>(n) * bytes, bytes);
    for (int i = rank - 1; i >= 0; --i) {
      if (++position[i] < x.shape()[i]) break;
      position[i] = 0;
    }
  }
  return out;
}

std::string difference_between(const Tensor& got, const Tensor& expected, const Tolerance& tolerance) {
  if (got.dtype() != expected.dtype()) return join("dtype ", got.dtype(), ", expected ", expected.dtype());
  if (!(got.shape() == expected.shape())) return join("shape ", got, ", expected ", expected);
  // int64 does not fit a double.
  if (got.dtype() == kInt64) {
    const auto a = got.to_vector<std::int64_t>(), b = expected.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] != b[i]) return join("element ", i, " is ", a[i], ", expected ", b[i]);
    }
    return "";
  }
  const auto a = got.to_vector<double>(), b = expected.to_vector<double>();
  double worst = 0;
  std::string reason;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double allowed = tolerance.relative * std::abs(b[i]) + tolerance.absolute;
    const double error = std::abs(a[i] - b[i]);
    if (std::isfinite(a[i]) && std::isfinite(b[i]) && error <= allowed) continue;
    const double excess =
        std::isfinite(error) && allowed > 0 ? error / allowed : std::numeric_limits<double>::max();
    if (excess <= worst) continue;
    worst = excess;
    reason = join("element ", i, " of ", got, " is ", element_text(a[i]), ", expected ", element_text(b[i]),
                  " (off by ", error, ", allowed ", allowed, ")");
  }
  return reason;
}

std::vector<TensorList> smooth_inputs(const RegisteredCase& registered) {
  std::vector<TensorList> out = registered.op_case.inputs;
  for (const GoldenSample& sample : golden_samples(registered.op_case.golden)) {
    bool double_only = false;
    for (const Tensor& x : sample.inputs) double_only = double_only || x.dtype() == kFloat64;
    if (sample.smooth && double_only) out.push_back(sample.inputs);
  }
  return out;
}

std::vector<GradientCheck> check_derivatives(const RegisteredCase& registered) {
  const OpCase& c = registered.op_case;
  std::vector<GradientCheck> out;
  if (c.orders == 0) return out;
  for (const TensorList& inputs : smooth_inputs(registered)) {
    out.push_back(check_gradients([&](std::span<const Tensor> in) { return c.run(in); }, inputs,
                                  {.orders = c.orders, .step = c.step}));
  }
  return out;
}

void check_op(const RegisteredCase& registered) {
  const OpCase& c = registered.op_case;
  const std::vector<GoldenSample>& samples = golden_samples(c.golden);
  ASSERT_FALSE(samples.empty() && c.inputs.empty())
      << "no golden case \"" << c.golden << "\": add one in scripts/golden, or inputs here";
  int number = 0;
  for (const GoldenSample& sample : samples) {
    check_sample(c, sample, join(registered.name, ", golden sample ", number++));
    if (sample.smooth && c.long_inputs) check_against_formula(registered, sample.inputs);
    if (sample.smooth) check_against_composed(registered, sample.inputs);
  }
  for (const TensorList& inputs : c.inputs) {
    if (c.long_inputs) check_against_formula(registered, inputs);
    check_against_composed(registered, inputs);
    TensorList odd;
    for (const Tensor& x : inputs) odd.push_back(with_odd_strides(x));
    check_values(c, odd, c.run(inputs), registered.name + ", inputs with odd strides");
  }
  const std::vector<GradientCheck> derivatives = check_derivatives(registered);
  EXPECT_FALSE(c.orders > 0 && derivatives.empty()) << registered.name << ": no smooth float64 sample";
  for (const GradientCheck& check : derivatives) EXPECT_TRUE(check.passed) << check.to_string();
}

}  // namespace splot::test
