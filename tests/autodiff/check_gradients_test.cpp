// The checker must be seen to fail: each wrong derivative here is rejected.
#include "splot/autodiff/check_gradients.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/core/random.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using Scalars = Tensor (*)(In);

// The value of one function with the derivatives, of every order, of another.
Tensor with_derivative_of(const Tensor& value, const Tensor& impostor) {
  return value.detach() + (impostor - impostor.detach());
}

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  RandomStream random({.seed = seed});
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& value : values) value = random.uniform(0.25, 1.5);
  return Tensor::from(values, shape);
}

Tensor inverted_softmax(In in) {
  const Tensor e = exp(in[0]);
  return e / sum(e, {-1}, true);
}

// Row i of the product is row i - 1 of x.
Tensor shifted(const Tensor& x, bool by_one) {
  const Tensor move = by_one ? tensor({{0.0, 0.0, 1.0}, {1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}})
                             : tensor({{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}});
  return matmul(move, x);
}

struct Wrong {
  const char* name;
  Scalars value;
  Scalars impostor;  // whose derivative is claimed
  int order = 1;     // at which it shows
  TensorList inputs = {};
};

Tensor cube(In in) { return in[0] * in[0] * in[0]; }
Tensor product(In in) { return in[0] * in[1]; }

const Wrong kWrong[] = {
    {"zero", cube, [](In in) { return 0.0 * in[0]; }},
    {"twice too large", cube, [](In in) { return 2.0 * cube(in); }},
    {"too large by a ten thousandth", cube, [](In in) { return 1.0001 * cube(in); }},
    {"wrong sign", cube, [](In in) { return -cube(in); }},
    {"wrong axis", [](In in) { return in[0] * sum(in[0], {0}, true); },
     [](In in) { return in[0] * sum(in[0], {1}, true); }},
    {"missing sum over the stretched axis", [](In in) { return in[0] + sum(in[1], {0}, true); },
     [](In in) {
       return in[0] + in[1] * tensor({{1.0}, {0.0}, {0.0}});
     }},
    {"inputs swapped", product, [](In in) { return 0.5 * (in[0] * in[0] + in[1] * in[1]); }},
    {"a term deleted", [](In in) { return in[0] * exp(in[0]); },
     [](In in) { return in[0] * stop_gradient(exp(in[0])); }},
    {"the other term deleted", [](In in) { return in[0] * exp(in[0]); },
     [](In in) { return stop_gradient(in[0]) * exp(in[0]); }},
    {"wrong constant", [](In in) { return gelu(in[0], Gelu::tanh); },
     [](In in) { return gelu(in[0], Gelu::erf); }},
    {"second factor dropped", product, [](In in) { return in[0] + 0.0 * in[1]; }},
    {"transposed", [](In in) { return matmul(in[0], in[1]); },
     [](In in) { return matmul(in[0], matrix_transpose(in[1])); }},
    {"off by one row", [](In in) { return shifted(in[0], false); },
     [](In in) { return shifted(in[0], true); }},
    {"inner derivative forgotten", [](In in) { return sin(3.0 * in[0]); },
     [](In in) { return sin(3.0 * in[0]) / 3.0; }},
    {"divided by the count", [](In in) { return sum(in[0], {0}); },
     [](In in) { return sum(in[0], {0}) / 3.0; }},
    {"mask inverted", [](In in) { return where(in[0] > 0.75, in[0], 0.0); },
     [](In in) { return where(in[0] > 0.75, 0.0, in[0]); }},
    {"quotient rule without its minus", [](In in) { return in[0] / in[1]; },
     [](In in) { return stop_gradient(1.0 / in[1]) * in[0] - stop_gradient(in[0]) / in[1]; }},
    {"one element of nine", cube,
     [](In in) {
       return cube(in) * tensor({{1.0, 1.0, 1.0}, {1.0, 1.0, 0.5}, {1.0, 1.0, 1.0}});
     }},
    {"not a number", cube, [](In in) { return sqrt(0.0 * in[0]); }},
    {"zero where cotangents of ones give zero", inverted_softmax, [](In in) { return 0.0 * in[0]; }},
    {"no history", cube, [](In in) { return stop_gradient(cube(in)); }},
    {"second derivative zero", cube, [](In in) { return 3.0 * stop_gradient(in[0] * in[0]) * in[0]; }, 2},
    {"second derivative halved", cube, [](In in) { return 1.5 * stop_gradient(in[0]) * in[0] * in[0]; }, 2},
    {"mixed second derivative missing", product,
     [](In in) { return stop_gradient(in[1]) * in[0] + stop_gradient(in[0]) * in[1]; }, 2},
};

TensorList inputs_of_wrong() { return {random_tensor({3, 3}, 1), random_tensor({3, 3}, 2)}; }

TEST(CheckGradients, AcceptsWhatIsRight) {
  for (const Wrong& wrong : kWrong) {
    const GradientCheck check =
        check_gradients([&](In in) { return TensorList{wrong.value(in)}; }, inputs_of_wrong());
    EXPECT_TRUE(check.passed) << wrong.name << ": " << check.to_string();
  }
}

TEST(CheckGradients, RejectsEachWrongDerivative) {
  int rejected = 0;
  for (const Wrong& wrong : kWrong) {
    const auto f = [&](In in) { return TensorList{with_derivative_of(wrong.value(in), wrong.impostor(in))}; };
    const GradientCheck check = check_gradients(f, inputs_of_wrong());
    EXPECT_FALSE(check.passed) << wrong.name;
    EXPECT_EQ(check_gradients(f, inputs_of_wrong(), {.orders = 1}).passed, wrong.order == 2) << wrong.name;
    rejected += check.passed ? 0 : 1;
  }
  EXPECT_GE(rejected, 24);
}

// y = a b, whose derivative forgets a factor when only one input is asked for.
void two_rule(RuleArgs& r) { r.output(r.shape(0), r.dtype(0)); }
void two_kernel(const KernelArgs& k) {
  const NoGrad off;
  (k.inputs[0] * k.inputs[1])
      .copy_to(std::span<double>(k.out<double>(), static_cast<std::size_t>(k.inputs[0].numel())));
}
TensorList two_vjp(const VjpArgs& v) {
  const bool both = v.needs(0) && v.needs(1);
  return {both ? v.dy() * v.input(1) : v.dy(), both ? v.dy() * v.input(0) : v.dy()};
}
constinit const OpDef two_op = {.name = "two",
                                .inputs = 2,
                                .rule = two_rule,
                                .kernel = two_kernel,
                                .vjp = two_vjp,
                                .keeps = {.inputs = keep(0, 1)}};

TEST(CheckGradients, AsksForEachGradientAloneToo) {
  const auto f = [](In in) { return TensorList{apply(two_op, {in[0], in[1]})}; };
  EXPECT_FALSE(check_gradients(f, inputs_of_wrong(), {.orders = 1}).passed);
}

TEST(CheckGradients, ThirdOrder) {
  const GradientCheck check =
      check_gradients([](In in) { return TensorList{sin(in[0]) * in[1]}; }, inputs_of_wrong(), {.orders = 3});
  EXPECT_TRUE(check.passed) << check.to_string();
  EXPECT_GT(check.comparisons_of_order[2], 0);
  EXPECT_LT(check.worst_error[2], 1e-7);
}

TEST(CheckGradients, SaysWhereItFailed) {
  const auto f = [](In in) { return TensorList{with_derivative_of(in[0] * 2.0, in[0])}; };
  const GradientCheck check = check_gradients(f, {tensor({1.0})}, {.orders = 1, .directions = 1});
  EXPECT_EQ(check.worst.order, 1);
  EXPECT_EQ(check.worst.input, 0);
  EXPECT_NEAR(check.worst.error, 0.5, 1e-9);
  EXPECT_NEAR(check.worst.numeric, 2 * check.worst.analytic, 1e-9);
  EXPECT_EQ(check.to_string(),
            join("order 1, input 0: the derivative is ", check.worst.analytic, ", differences give ",
                 check.worst.numeric, " (relative error ", check.worst.error, ")"));
}

TEST(CheckGradients, SeveralOutputsAndOtherDtypes) {
  const auto f = [](In in) {
    return TensorList{sum(in[0]), in[0] > 0.0, where(in[1], in[0], in[0] * in[0])};
  };
  const GradientCheck check = check_gradients(f, {tensor({0.5f, 2.0f}), tensor({true, false})});
  EXPECT_TRUE(check.passed) << check.to_string();
}

TEST(CheckGradients, Errors) {
  const auto f = [](In in) { return TensorList{in[0] * 1.0}; };
  EXPECT_ERROR(ValueError, check_gradients(f, {tensor({1.0})}, {.orders = 4}),
               "[check_gradients] orders is 1, 2 or 3, got 4");
  EXPECT_ERROR(ValueError, check_gradients(f, {tensor({1, 2})}),
               "[check_gradients] none of the inputs it is to differentiate by is floating");
}

}  // namespace
}  // namespace splot
