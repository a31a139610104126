// What the next step will read: which part of it which kernel fetches. That it changes no result, the tests
// of plans show.
#include "splot/backend/cpu/fetch_ahead.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "splot/backend/cpu/matmul.h"
#include "splot/backend/cpu/update.h"

namespace splot::cpu {
namespace {

constexpr Index kRows = 64, kColumns = 784, kOutputs = 16;

struct Batches {
  std::vector<float> now = std::vector<float>(kRows * kColumns, 1.0f);
  std::vector<float> next = std::vector<float>(kRows * kColumns, 2.0f);
  std::size_t bytes() const { return now.size() * sizeof(float); }
};

// Counts the lines that are left, which are gone then.
Index lines_left() {
  Index lines = 0;
  for (; FetchAhead::wanted(); ++lines) FetchAhead::fetch(1);
  return lines;
}

TEST(FetchAhead, NothingIsFetchedWhereNothingIsKnown) {
  const Batches b;
  EXPECT_FALSE(FetchAhead::wanted());
  EXPECT_EQ(FetchAhead::place_of(b.now.data(), kColumns), nullptr);
  const FetchAhead nothing;
  EXPECT_FALSE(FetchAhead::wanted());
}

TEST(FetchAhead, PlacesAreThoseOfTheNextStep) {
  const Batches b;
  const FetchAhead ahead(b.now.data(), b.next.data(), b.bytes());
  EXPECT_TRUE(FetchAhead::wanted());
  EXPECT_EQ(FetchAhead::place_of(&b.now[100], kColumns), &b.next[100]);
  EXPECT_EQ(FetchAhead::place_of(b.next.data() + b.next.size(), kColumns), nullptr);
  std::thread([&] {
    EXPECT_FALSE(FetchAhead::wanted());
    EXPECT_EQ(FetchAhead::place_of(b.now.data(), kColumns), nullptr);
  }).join();
}

TEST(FetchAhead, NothingIsFetchedTwice) {
  const Batches b;
  constexpr Index kLines = kRows * kColumns / 16;
  {
    const FetchAhead ahead(b.now.data(), b.next.data(), b.bytes());
    EXPECT_EQ(lines_left(), kLines);
    EXPECT_FALSE(FetchAhead::wanted());
  }
  EXPECT_FALSE(FetchAhead::wanted());
  const FetchAhead ahead(b.now.data(), b.next.data(), b.bytes());
  FetchAhead::place_of(b.now.data(), 4 * kColumns);
  FetchAhead::place_of(&b.now[20 * kColumns], 4 * kColumns);  // not what comes next
  FetchAhead::fetch(10);
  EXPECT_EQ(lines_left(), kLines - 4 * kColumns / 16 - 10);
}

TEST(FetchAhead, WhatIsTakenIsLeftToTheTaker) {
  const Batches b;
  constexpr Index kLines = kRows * kColumns / 16;
  const FetchAhead ahead(b.now.data(), b.next.data(), b.bytes());
  Index lines = kLines - 2;
  EXPECT_EQ(FetchAhead::take(lines), reinterpret_cast<const char*>(b.next.data()));
  EXPECT_EQ(lines, kLines - 2);
  lines = 100;
  EXPECT_EQ(FetchAhead::take(lines), reinterpret_cast<const char*>(b.next.data()) + 64 * (kLines - 2));
  EXPECT_EQ(lines, 2) << "no more than there are";
  EXPECT_FALSE(FetchAhead::wanted());
  FetchAhead::take(lines);
  EXPECT_EQ(lines, 0);
}

// The kernels of a small network's step, one after the other.
TEST(FetchAhead, KernelsFetchOnTheWay) {
  const Batches b;
  const std::vector<float> w(kOutputs * kColumns, 0.5f), bias(kOutputs);
  std::vector<float> y(kRows * kOutputs), gradient(w.size()), state(3 * w.size());
  const auto left_after = [&](const auto& kernel) {
    const FetchAhead ahead(b.now.data(), b.next.data(), b.bytes());
    kernel();
    return lines_left();
  };
  const Index all = left_after([] {});
  const Index after_forward = left_after([&] {
    matmul<float>({.m = kRows,
                   .n = kOutputs,
                   .k = kColumns,
                   .a = {b.now.data(), kColumns, 1},
                   .b = {w.data(), 1, kColumns},
                   .c = y.data(),
                   .ldc = kOutputs});
  });
  EXPECT_LT(after_forward, all);
  const Index after_gradient = left_after([&] {
    matmul<float>({.m = kOutputs,
                   .n = kColumns,
                   .k = kRows,
                   .a = {y.data(), 1, kOutputs},
                   .b = {b.now.data(), kColumns, 1},
                   .c = gradient.data(),
                   .ldc = kColumns});
  });
  EXPECT_LT(after_gradient, all);
  const Index after_short_sums = left_after([&] {
    matmul<float>({.m = kOutputs,
                   .n = kColumns,
                   .k = 10,
                   .a = {y.data(), 1, kOutputs},
                   .b = {b.now.data(), kColumns, 1},
                   .c = gradient.data(),
                   .ldc = kColumns});
  });
  EXPECT_LT(after_short_sums, all);
  const Index n = static_cast<Index>(w.size());
  UpdateOperands<float> operands{.in = {w.data(), gradient.data(), state.data(), state.data() + n},
                                 .out = {state.data() + 2 * n, state.data(), state.data() + n},
                                 .inputs = 4};
  EXPECT_LT(left_after([&] { update(AdamUpdate{.eps = 1e-8}, operands, n); }), all);
}

}  // namespace
}  // namespace splot::cpu
