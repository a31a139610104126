#include <cmath>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/random.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

// Sums of a few numbers are exact here: the samples are multiples of 1/256.
CHECK_OP(gather, {.run = [](In in) { return gather(in[0], 1, in[1]); }, .exact = true});
CHECK_OP(gather_first, {.run = [](In in) { return gather(in[0], 0, in[1]); }, .op = "gather", .exact = true});
CHECK_OP(scatter_add, {.run = [](In in) { return scatter_add(in[0], 1, in[1], in[2]); }, .exact = true});
CHECK_OP(scatter_add_part, {.run = [](In in) { return scatter_add(in[0], 0, in[1], in[2]); },
                            .op = "scatter_add",
                            .exact = true});
CHECK_OP(scatter_add_first, {.run = [](In in) { return scatter_add(in[0], 0, in[1], in[2]); },
                             .op = "scatter_add",
                             .exact = true});
CHECK_OP(index_select, {.run = [](In in) { return index_select(in[0], 0, in[1]); }, .exact = true});
CHECK_OP(index_select_inner,
         {.run = [](In in) { return index_select(in[0], 1, in[1]); }, .op = "index_select", .exact = true});
CHECK_OP(index_add, {.run = [](In in) { return index_add(in[0], 0, in[1], in[2]); }, .exact = true});
CHECK_OP(index_add_inner,
         {.run = [](In in) { return index_add(in[0], 1, in[1], in[2]); }, .op = "index_add", .exact = true});
CHECK_OP(one_hot, {.run = [](In in) { return one_hot(in[0], 5); }, .orders = 0, .exact = true});

TensorList both(const Ordered& o) { return {o.values, o.indices}; }

CHECK_OP(sort, {.run = [](In in) { return both(sort(in[0])); }, .orders = 0, .exact = true});
CHECK_OP(sort_descending,
         {.run = [](In in) { return both(sort(in[0], 0, true)); }, .op = "sort", .orders = 0, .exact = true});
CHECK_OP(sort_values, {.run = [](In in) { return sort(in[0], 0).values; }, .op = "sort", .exact = true});
CHECK_OP(argsort, {.run = [](In in) { return argsort(in[0], 1); }, .op = "sort", .orders = 0, .exact = true});
CHECK_OP(topk, {.run = [](In in) { return both(topk(in[0], 2)); }, .exact = true});
CHECK_OP(topk_values, {.run = [](In in) { return topk(in[0], 2).values; }, .op = "topk", .exact = true});
CHECK_OP(topk_smallest,
         {.run = [](In in) { return topk(in[0], 2, 0, false).values; }, .op = "topk", .exact = true});
CHECK_OP(topk_unusual,
         {.run = [](In in) { return topk(in[0], 4).values; }, .op = "topk", .orders = 0, .exact = true});

std::vector<Index> random_indices(Index n, Index below, std::uint64_t seed) {
  RandomStream random({.seed = seed, .stream = 1});
  std::vector<Index> out(static_cast<std::size_t>(n));
  for (Index& i : out) i = static_cast<Index>(random.uniform(0, static_cast<double>(below)));
  return out;
}

// Large enough for several chunks and threads; whole numbers, so that sums are exact.
TEST(Indexing, LargeCallsAgreeWithPlainLoops) {
  constexpr Index kRows = 300, kColumns = 301;
  const std::vector<Index> at = random_indices(kRows * kColumns, kRows, 3);
  const Tensor index = Tensor::from(at, {kRows, kColumns});
  const Tensor x = cast(reshape(arange(kRows * kColumns), {kRows, kColumns}), kFloat64);
  const std::vector<double> values = x.to_vector<double>();
  std::vector<double> first(values.size()), last(values.size()), added = values, rows = values;
  for (Index i = 0; i < kRows; ++i) {
    for (Index j = 0; j < kColumns; ++j) {
      const auto here = static_cast<std::size_t>(i * kColumns + j);
      first[here] = values[static_cast<std::size_t>(at[here] * kColumns + j)];
      last[here] = values[static_cast<std::size_t>(i * kColumns + at[here])];
      added[static_cast<std::size_t>(at[here] * kColumns + j)] += values[here];
      rows[static_cast<std::size_t>(i * kColumns + at[here])] += values[here];
    }
  }
  const int threads = cpu::num_threads();
  for (const int count : {1, 3}) {
    cpu::set_num_threads(count);
    EXPECT_EQ(gather(x, 0, index).to_vector<double>(), first);
    EXPECT_EQ(gather(x, 1, index).to_vector<double>(), last);
    EXPECT_EQ(scatter_add(x, 0, index, x).to_vector<double>(), added);
    EXPECT_EQ(scatter_add(x, 1, index, x).to_vector<double>(), rows);
    const Tensor some = Tensor::from(random_indices(1000, kRows, 4), {1000});
    EXPECT_EQ(index_select(x, 0, some).to_vector<double>(),
              gather(x, 0, expand(unsqueeze(some, 1), {1000, kColumns})).to_vector<double>());
    const Tensor v = index_select(x, 0, some);
    EXPECT_EQ(index_add(x, 0, some, v).to_vector<double>(),
              scatter_add(x, 0, expand(unsqueeze(some, 1), {1000, kColumns}), v).to_vector<double>());
    EXPECT_EQ(index_add(matrix_transpose(x), 1, some, matrix_transpose(v)).to_vector<double>(),
              matrix_transpose(index_add(x, 0, some, v)).to_vector<double>());
  }
  cpu::set_num_threads(threads);
}

TEST(Indexing, AddsIntoTheMemoryOfAnRvalueThatNobodyElseSees) {
  Tensor x = zeros({4, 2});
  const void* memory = x.raw();
  x = index_add(std::move(x), 0, tensor({3, 3}), ones({2, 2}));
  x = scatter_add(std::move(x), 1, tensor({{1}}), full({1, 1}, 5));
  EXPECT_EQ(x.raw(), memory);
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{0, 5, 0, 0, 0, 0, 2, 2}));
  // A refused call changes nothing.
  const Tensor y = zeros({2});
  EXPECT_THROW(scatter_add(y, 0, tensor({0, 2}), ones({2})), IndexError);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 0}));
}

TEST(Indexing, OneHotOfAnyDtype) {
  EXPECT_EQ(one_hot(tensor({2, 0}), 3, kFloat32).to_vector<float>(), (std::vector<float>{0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(one_hot(zeros({0}, kInt64), 3).shape(), Shape({0, 3}));
}

TEST(Sort, IsStableAndOrdersManyElements) {
  const std::vector<Index> values = random_indices(200'000, 50, 9);
  const Ordered up = sort(Tensor::from(values, {200'000}));
  const std::vector<Index> sorted = up.values.to_vector<Index>(), from = up.indices.to_vector<Index>();
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    ASSERT_LE(sorted[i - 1], sorted[i]);
    ASSERT_TRUE(sorted[i - 1] < sorted[i] || from[i - 1] < from[i]);
    ASSERT_EQ(values[static_cast<std::size_t>(from[i])], sorted[i]);
  }
}

TEST(Sort, OfNothingAndOfOneNumber) {
  EXPECT_EQ(topk(zeros({2, 3}), 0).values.shape(), Shape({2, 0}));
  EXPECT_EQ(topk(scalar(3.0f), 1).values.item<float>(), 3.0f);
  EXPECT_EQ(topk(scalar(3.0f), 0).values.shape(), Shape({0}));
  const Tensor x = scalar(3.0f).variable();
  EXPECT_EQ(grad(topk(x, 1).values, {x})[0].item<float>(), 1.0f);
}

TEST(Indexing, SaysWhatDoesNotFit) {
  const Tensor x = zeros({2, 3});
  EXPECT_ERROR(IndexError, index_select(x, 1, tensor({0, 3})),
               "[index_select] index 3 is outside an axis of size 3");
  EXPECT_ERROR(IndexError, gather(x, 0, tensor({{-1}})), "[gather] index -1 is outside an axis of size 2");
  EXPECT_ERROR(IndexError, scatter_add(x, 0, tensor({{2}}), x),
               "[scatter_add] index 2 is outside an axis of size 2");
  EXPECT_ERROR(IndexError, index_add(x, 0, tensor({5}), zeros({1, 3})),
               "[index_add] index 5 is outside an axis of size 2");
  EXPECT_ERROR(IndexError, one_hot(tensor({3}), 3), "[one_hot] index 3 is outside an axis of size 3");
  EXPECT_ERROR(DTypeError, index_select(x, 0, tensor({0.0f})),
               "[index_select] indices must be int64 or int32, got float32");
  EXPECT_ERROR(ShapeError, index_select(x, 0, tensor({{0}})),
               "[index_select] the index must have one axis, got [1, 1]");
  EXPECT_ERROR(ShapeError, gather(x, 0, tensor({0})), "[gather] index[1] must have as many axes as x[2, 3]");
  EXPECT_ERROR(ShapeError, gather(x, 0, zeros({2, 4}, kInt64)),
               "[gather] index[2, 4] is longer than x[2, 3] on axis 1");
  EXPECT_ERROR(ShapeError, scatter_add(x, 0, zeros({2, 3}, kInt64), zeros({1, 3})),
               "[scatter_add] index[2, 3] is longer than v[1, 3] on axis 0");
  EXPECT_ERROR(ShapeError, scatter_add(x, 0, zeros({2, 3}, kInt64), zeros({3})),
               "[scatter_add] v[3] must have as many axes as index[2, 3]");
  EXPECT_ERROR(ShapeError, index_add(x, 1, tensor({0}), zeros({2, 2})),
               "[index_add] v[2, 2] must have the shape [2, 1] for x[2, 3] and index[1] on axis 1");
  EXPECT_ERROR(ValueError, one_hot(tensor({0}), 0), "[one_hot] needs at least one class, got 0");
  EXPECT_ERROR(ValueError, topk(x, 4), "[topk] cannot take 4 of the 3 elements on axis 1 of x[2, 3]");
  EXPECT_ERROR(ShapeError, sort(x, 2), "[sort] there is no axis 2 in [2, 3]: it has axes -2 to 1");
  EXPECT_ERROR(DTypeError, sort(cast(x, kBFloat16)),
               "[sort] bfloat16 can only be cast, copied and stored; cast to float32 first");
}

}  // namespace
}  // namespace splot
