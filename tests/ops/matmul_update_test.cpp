// SGD with a product as the gradient against the product and the update one after the other.
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

#include "tests/support/bytes.h"
#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using test::bytes_of;

Attrs attrs_of(double weight_decay, double l1 = 0.0) {
  return {matmul_sgd_step_op.attrs, {weight_decay, l1}};
}

CHECK_OP(matmul_sgd_step,
         {.run = [](std::span<const Tensor> in) { return apply(matmul_sgd_step_op, in, attrs_of(0.125)); },
          .orders = 0,
          .float32 = {2e-6, 2e-6, "sums of products cancel"},
          .float64 = {4e-15, 4e-15, "sums of products cancel"},
          .long_inputs = false});

struct Sizes {
  Index m, n, k;
};

Tensor random(const Shape& shape, std::uint64_t counter, DType dtype) {
  return cast(normal(shape, RandomKey{.seed = 9, .stream = 1, .counter = counter}), dtype);
}

// a and b as they are or as views of their transposes.
TensorList operands(const Sizes& s, int layout, DType dtype) {
  const Tensor a =
      layout % 2 == 0 ? random({s.m, s.k}, 1, dtype) : matrix_transpose(random({s.k, s.m}, 1, dtype));
  const Tensor b =
      layout / 2 == 0 ? random({s.k, s.n}, 2, dtype) : matrix_transpose(random({s.n, s.k}, 2, dtype));
  return {a, b, random({s.m, s.n}, 3, dtype)};
}

void expect_bits_of_both(double weight_decay, double l1, const TensorList& in, const std::string& when) {
  const Tensor expected =
      sgd_step(in[2], matmul(in[0], in[1]), Tensor(), in[3], {.weight_decay = weight_decay, .l1 = l1})[0];
  ASSERT_EQ(bytes_of(apply(matmul_sgd_step_op, in, attrs_of(weight_decay, l1))), bytes_of(expected)) << when;
}

// Both kinds of kernels, packed and not, one piece and many, sums in one part and in several.
const Sizes kSizes[] = {{30, 784, 10}, {10, 30, 10},   {1, 1, 1},     {7, 129, 3},    {16, 784, 64},
                        {300, 40, 5},  {520, 260, 33}, {40, 40, 700}, {5, 300, 2100}, {3, 5, 0}};

class MatmulUpdate : public ::testing::Test {
 public:
  ~MatmulUpdate() override {
    cpu::set_instruction_set(set_);
    cpu::set_num_threads(threads_);
  }

 private:
  cpu::InstructionSet set_ = cpu::instruction_set();
  int threads_ = cpu::num_threads();
};

TEST_F(MatmulUpdate, HasTheBitsOfTheProductAndTheUpdate) {
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    for (const DType dtype : {kFloat32, kFloat64}) {
      for (const Sizes& s : kSizes) {
        for (int layout = 0; layout < 4; ++layout) {
          const std::string when = join("instruction set ", static_cast<int>(set), ", ", dtype, ' ', s.m, 'x',
                                        s.n, 'x', s.k, ", layout ", layout);
          TensorList in = operands(s, layout, dtype);
          in.push_back(scalar(0.25));
          expect_bits_of_both(0.0, 0.0, in, when);
          expect_bits_of_both(0.125, 0.0625, in, when);
        }
      }
    }
  }
}

TEST_F(MatmulUpdate, HasTheSameBitsOnAnyNumberOfThreads) {
  for (const Sizes& s : {Sizes{512, 784, 128}, Sizes{600, 500, 600}}) {
    TensorList in = operands(s, 1, kFloat32);
    in.push_back(scalar(0.25));
    cpu::set_num_threads(1);
    const std::vector<std::uint8_t> one = bytes_of(apply(matmul_sgd_step_op, in, attrs_of(0.0)));
    for (const int threads : {2, 3, 7}) {
      cpu::set_num_threads(threads);
      EXPECT_EQ(bytes_of(apply(matmul_sgd_step_op, in, attrs_of(0.0))), one) << threads << " threads";
    }
  }
}

// Subnormal products are summed as they are, and only then, as in the update by a gradient, taken as zero.
TEST_F(MatmulUpdate, TreatsSubnormalNumbersAsTheTwoDo) {
  const Sizes s{20, 200, 4};
  TensorList in = operands(s, 0, kFloat32);
  in[0] = in[0] * 1e-25;
  in[1] = in[1] * 1e-14;
  in[2] = in[2] * 1e-38;
  in.push_back(scalar(0.25));
  expect_bits_of_both(0.0, 0.0, in, "subnormal");
}

TEST_F(MatmulUpdate, WritesIntoTheMemoryItTakesOver) {
  TensorList in = operands({30, 784, 10}, 0, kFloat32);
  const void* const memory = in[2].raw();
  in.push_back(scalar(0.25));
  const TensorList out = apply_consuming(matmul_sgd_step_op, std::move(in), attrs_of(0.0));
  EXPECT_EQ(out[0].raw(), memory);
}

TEST_F(MatmulUpdate, NamesWhatDoesNotFit) {
  const Attrs attrs = attrs_of(0.0);
  const Tensor lr = scalar(0.1);
  EXPECT_ERROR(ShapeError,
               apply(matmul_sgd_step_op, {zeros({2, 3}), zeros({4, 5}), zeros({2, 5}), lr}, attrs),
               "[matmul_sgd_step] needs matrices a[m, k] and b[k, n], got [2, 3] and [4, 5]");
  EXPECT_ERROR(ShapeError,
               apply(matmul_sgd_step_op, {zeros({2, 3}), zeros({3, 5}), zeros({5, 2}), lr}, attrs),
               "[matmul_sgd_step] a[2, 3] and b[3, 5] make [2, 5], the weight is [5, 2]");
  EXPECT_ERROR(DTypeError,
               apply(matmul_sgd_step_op, {zeros({2, 3}), zeros({3, 5}, kFloat64), zeros({2, 5}), lr}, attrs),
               "[matmul_sgd_step] a is float32 and b float64, the weight float32");
  EXPECT_ERROR(ShapeError,
               apply(matmul_sgd_step_op, {zeros({2, 3}), zeros({3, 5}), zeros({2, 5}), zeros({2})}, attrs),
               "[matmul_sgd_step] input 3 must be a 0-d floating tensor, got float32[2]");
  EXPECT_ERROR(ValueError, apply(matmul_sgd_step_op, {zeros({2, 3}), zeros({3, 5}), zeros({2, 5})}, attrs),
               "[matmul_sgd_step] takes 4 tensors, got 3");
}

}  // namespace
}  // namespace splot
