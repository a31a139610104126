// What each pass for networks that only answer does to a small graph, before and after.
#include <gtest/gtest.h>

#include "splot/compiler/passes.h"
#include "splot/core/node.h"
#include "splot/graph/trace.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

struct FrozenGraph {
  std::string before, after;
  std::size_t places = 0;
};

// Of a function of one argument and constants; one pass alone, once.
FrozenGraph shown(const char* pass, const Shape& x, const TensorList& weights,
                  const std::function<Tensor(const Tensor& x, In weights)>& function) {
  std::vector<Tensor> held(weights.begin(), weights.end());
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < held.size(); ++i) slots.emplace_back("w" + std::to_string(i), &held[i]);
  const Tensor argument = Tensor::without_elements(x, kFloat32);
  Graph graph = trace([&](In in, std::uint64_t) { return TensorList{function(in[0], held)}; }, {&argument, 1},
                      {.slots = slots});
  find_pass("freeze")->run(graph);
  FrozenGraph out{graph.to_string(), {}, 0};
  out.places = find_pass(pass)->run(graph);
  find_pass("dead-code")->run(graph);
  out.after = graph.to_string();
  return out;
}

TEST(Freeze, MakesSlotsConstants) {
  Parameter read(full({2}, 3.0, kFloat32), "read"), written(ones({2}), "written");
  const std::vector<Slot> slots = {Slot("read", read), Slot("written", written)};
  const Tensor argument = Tensor::without_elements({2}, kFloat32);
  const auto traced = [&](bool writes) {
    return trace(
        [&](In in, std::uint64_t) {
          if (writes) written.assign(written.value() + in[0]);
          return TensorList{in[0] * read.value()};
        },
        {&argument, 1}, {.slots = slots});
  };
  Graph graph = traced(true);
  EXPECT_EQ(find_pass("freeze")->run(graph), 1u);
  EXPECT_EQ(graph.to_string(),
            "%0 = argument 0: float32[2]\n"
            "%1 = constant: float32[2]\n"
            "%2 = slot written: float32[2]\n"
            "%3 = add(%2, %0): float32[2]\n"
            "%4 = mul(%0, %1): float32[2]\n"
            "written := %3\n"
            "return %4\n");
  EXPECT_EQ(graph.slots.size(), 2u);
  graph = traced(false);
  find_pass("freeze")->run(graph);
  EXPECT_TRUE(graph.slots.empty());
}

TEST(Freeze, RunsOnlyWhereItIsAskedFor) {
  Parameter w(ones({2}), "w");
  const Tensor argument = Tensor::without_elements({2}, kFloat32);
  const Graph graph = trace([&](In in, std::uint64_t) { return TensorList{in[0] * exp(w.value())}; },
                            {&argument, 1}, {.slots = {Slot("w", w)}});
  EXPECT_NE(optimize(graph).graph.to_string().find("slot w"), std::string::npos);
  EXPECT_EQ(optimize(graph, {.frozen = true}).graph.to_string(),
            "%0 = argument 0: float32[2]\n"
            "%1 = constant: float32[2]\n"
            "%2 = mul(%0, %1): float32[2]\n"
            "return %2\n");
}

TEST(FoldBatchNorm, IntoAConvolution) {
  const FrozenGraph text =
      shown("fold-batch-norm", {1, 3, 5, 5}, {ones({4, 3, 2, 2}), ones({4, 1, 1}), ones({4, 1, 1})},
            [](const Tensor& x, In w) { return scale_shift(conv2d(x, w[0], {.stride = {2}}), w[1], w[2]); });
  EXPECT_EQ(text.places, 1u);
  EXPECT_EQ(text.before,
            "%0 = argument 0: float32[1, 3, 5, 5]\n"
            "%1 = constant: float32[4, 3, 2, 2]\n"
            "%2 = constant: float32[4, 1, 1]\n"
            "%3 = constant: float32[4, 1, 1]\n"
            "%4 = conv2d(%0, %1, stride=[2, 2], padding=[0, 0, 0, 0], dilation=[1, 1], groups=1): float32[1, "
            "4, 2, 2]\n"
            "%5 = scale_shift(%4, %2, %3): float32[1, 4, 2, 2]\n"
            "return %5\n");
  EXPECT_EQ(text.after,
            "%0 = argument 0: float32[1, 3, 5, 5]\n"
            "%1 = constant: float32[4, 3, 2, 2]\n"
            "%2 = constant: float32[4]\n"
            "%3 = conv2d_fused(%0, %1, %2, stride=[2, 2], padding=[0, 0, 0, 0], dilation=[1, 1], groups=1, "
            "relu=false): float32[1, 4, 2, 2]\n"
            "return %3\n");
}

TEST(FoldBatchNorm, IntoTheWeightsOfOneThatIsFusedAndOfALinearLayer) {
  const FrozenGraph fused =
      shown("fold-batch-norm", {1, 3, 5, 5}, {ones({4, 3, 1, 1}), ones({4}), ones({4})},
            [](const Tensor& x, In w) { return conv2d_fused(x, w[0], w[1], w[2], true); });
  EXPECT_EQ(fused.places, 1u);
  EXPECT_NE(fused.after.find("conv2d_fused(%0, %2, %1, "), std::string::npos) << fused.after;
  const FrozenGraph linear_layer =
      shown("fold-batch-norm", {2, 3}, {ones({4, 3}), ones({4}), ones({4}), ones({4})},
            [](const Tensor& x, In w) { return scale_shift(linear(x, w[0], w[1]), w[2], w[3]); });
  EXPECT_EQ(linear_layer.after,
            "%0 = argument 0: float32[2, 3]\n"
            "%1 = constant: float32[4, 3]\n"
            "%2 = constant: float32[4]\n"
            "%3 = linear(%0, %1, %2): float32[2, 4]\n"
            "return %3\n");
}

TEST(FoldBatchNorm, LeavesWhatItMustNotTouch) {
  const TensorList weights = {ones({4, 3, 1, 1}), ones({4, 1, 1}), ones({1, 1, 4}), ones({4})};
  const auto places = [&](const std::function<Tensor(const Tensor&, In)>& function) {
    return shown("fold-batch-norm", {1, 3, 4, 4}, weights, function).places;
  };
  // The convolution is read twice; it has a relu; the scale is one for each column, not for each channel; it
  // is no constant.
  EXPECT_EQ(places([](const Tensor& x, In w) {
              const Tensor y = conv2d(x, w[0]);
              return scale_shift(y, w[1], w[1]) + y;
            }),
            0u);
  EXPECT_EQ(places([](const Tensor& x, In w) {
              return scale_shift(conv2d_fused(x, w[0], w[3], Tensor(), true), w[1], w[1]);
            }),
            0u);
  EXPECT_EQ(places([](const Tensor& x, In w) { return scale_shift(conv2d(x, w[0]), w[2], w[2]); }), 0u);
  EXPECT_EQ(places([](const Tensor& x, In w) { return scale_shift(conv2d(x, w[0]), mean(x), w[1]); }), 0u);
}

TEST(FuseEpilogue, ReluOfAConvolution) {
  const FrozenGraph text = shown("fuse-epilogue", {1, 3, 4, 4}, {ones({4, 3, 1, 1})},
                                 [](const Tensor& x, In w) { return relu(conv2d(x, w[0])); });
  EXPECT_EQ(text.places, 1u);
  EXPECT_EQ(text.after,
            "%0 = argument 0: float32[1, 3, 4, 4]\n"
            "%1 = constant: float32[4, 3, 1, 1]\n"
            "%2 = constant: float32[4]\n"
            "%3 = conv2d_fused(%0, %1, %2, stride=[1, 1], padding=[0, 0, 0, 0], dilation=[1, 1], groups=1, "
            "relu=true): float32[1, 4, 4, 4]\n"
            "return %3\n");
}

TEST(FuseEpilogue, ShortcutAndReluBehindAPackedConvolution) {
  const TensorList weights = {winograd_weights(ones({3, 3, 3, 3})), ones({3})};
  const auto block = [](const Tensor& x, In w) {
    return conv2d_winograd(x, w[0], w[1], Tensor(), {1, 1, 1, 1}) + x;
  };
  const FrozenGraph sum = shown("fuse-epilogue", {2, 3, 4, 4}, weights, block);
  EXPECT_EQ(sum.after,
            "%0 = argument 0: float32[2, 3, 4, 4]\n"
            "%1 = constant: float32[4, 4, 3, 3]\n"
            "%2 = constant: float32[3]\n"
            "%3 = conv2d_winograd(%0, %1, %2, %0, padding=[1, 1, 1, 1], relu=false, pool=false): float32[2, "
            "3, 4, 4]\n"
            "return %3\n");
  const Tensor argument = Tensor::without_elements({2, 3, 4, 4}, kFloat32);
  std::vector<Tensor> held(weights.begin(), weights.end());
  const Graph graph = trace([&](In in, std::uint64_t) { return TensorList{relu(block(in[0], held))}; },
                            {&argument, 1}, {.slots = {Slot("u", &held[0]), Slot("b", &held[1])}});
  EXPECT_NE(optimize(graph, {.frozen = true})
                .graph.to_string()
                .find("%2, %0, padding=[1, 1, 1, 1], relu=true, pool=false)"),
            std::string::npos);
}

TEST(FuseEpilogue, LeavesWhatSomebodyElseReads) {
  const TensorList weights = {ones({4, 3, 1, 1}), ones({4})};
  const FrozenGraph text = shown("fuse-epilogue", {1, 3, 4, 4}, weights, [](const Tensor& x, In w) {
    const Tensor y = conv2d(x, w[0], w[1]);
    return relu(y) * y;
  });
  EXPECT_EQ(text.places, 0u);
}

TEST(PackWeights, OfALinearLayerWithFewRows) {
  const TensorList weights = {ones({10, 20}), ones({10})};
  const auto layer = [](const Tensor& x, In w) { return linear(x, w[0], w[1]); };
  EXPECT_EQ(shown("pack-weights", {3, 20}, weights, layer).after,
            "%0 = argument 0: float32[3, 20]\n"
            "%1 = constant: float32[10]\n"
            "%2 = constant: float32[2, 2, 8, 16]\n"
            "%3 = linear_packed(%0, %2, %1, relu=false): float32[3, 10]\n"
            "return %3\n");
  EXPECT_EQ(shown("pack-weights", {65, 20}, weights, layer).places, 0u);
}

TEST(PackWeights, OfConvolutionsAsTheyAreComputed) {
  const TensorList weights = {ones({16, 16, 3, 3}), ones({16})};
  const auto conv = [](Index stride) {
    return [stride](const Tensor& x, In w) {
      return conv2d_fused(x, w[0], w[1], Tensor(), true, {.stride = {stride}, .padding = {1}});
    };
  };
  EXPECT_EQ(shown("pack-weights", {1, 16, 32, 32}, weights, conv(1)).after,
            "%0 = argument 0: float32[1, 16, 32, 32]\n"
            "%1 = constant: float32[16]\n"
            "%2 = constant: float32[4, 4, 16, 16]\n"
            "%3 = conv2d_winograd(%0, %2, %1, padding=[1, 1, 1, 1], relu=true, pool=false): "
            "float32[1, 16, 32, 32]\n"
            "return %3\n");
  EXPECT_EQ(shown("pack-weights", {1, 16, 32, 32}, weights, conv(2)).after,
            "%0 = argument 0: float32[1, 16, 32, 32]\n"
            "%1 = constant: float32[16]\n"
            "%2 = constant: float32[16, 3, 3, 16]\n"
            "%3 = conv2d_patches(%0, %2, %1, stride=[2, 2], padding=[1, 1, 1, 1], dilation=[1, 1], "
            "relu=true): float32[1, 16, 16, 16]\n"
            "return %3\n");
  EXPECT_EQ(shown("pack-weights", {2, 16, 32, 32}, weights, conv(2)).places, 0u);
}

TEST(FusePooling, OfConvolutionsOfOneImageAndByWinogradsWay) {
  const TensorList weights = {ones({4, 3, 3, 3}), ones({4}), winograd_weights(ones({4, 3, 3, 3}))};
  EXPECT_EQ(shown("fuse-pooling", {1, 3, 8, 8}, weights,
                  [](const Tensor& x, In w) {
                    return max_pool2d(conv2d_fused(x, w[0], w[1], Tensor(), true), {.kernel = {2}});
                  })
                .after,
            "%0 = argument 0: float32[1, 3, 8, 8]\n"
            "%1 = constant: float32[4, 3, 3, 3]\n"
            "%2 = constant: float32[4]\n"
            "%3 = conv2d_pooled(%0, %1, %2, stride=[1, 1], padding=[0, 0, 0, 0], dilation=[1, 1], groups=1, "
            "relu=true): float32[1, 4, 3, 3]\n"
            "return %3\n");
  EXPECT_EQ(
      shown("fuse-pooling", {2, 3, 8, 8}, weights,
            [](const Tensor& x, In w) {
              return max_pool2d(conv2d_winograd(x, w[2], w[1], Tensor(), {0, 0, 0, 0}), {.kernel = {2}});
            })
          .after,
      "%0 = argument 0: float32[2, 3, 8, 8]\n"
      "%1 = constant: float32[4]\n"
      "%2 = constant: float32[4, 4, 3, 4]\n"
      "%3 = conv2d_winograd(%0, %2, %1, padding=[0, 0, 0, 0], relu=false, pool=true): "
      "float32[2, 4, 3, 3]\n"
      "return %3\n");
}

TEST(FusePooling, LeavesWhatItMustNotTouch) {
  const TensorList weights = {ones({4, 3, 3, 3}), ones({4})};
  const auto places = [&](Index images, const std::function<Tensor(const Tensor& y)>& pooled) {
    return shown("fuse-pooling", {images, 3, 9, 9}, weights,
                 [&](const Tensor& x, In w) { return pooled(conv2d(x, w[0], w[1])); })
        .places;
  };
  EXPECT_EQ(places(1, [](const Tensor& y) { return max_pool2d(y, {.kernel = {2}}); }), 1u);
  // Several images; windows that overlap, reach over the edge or are larger; what somebody else reads.
  EXPECT_EQ(places(2, [](const Tensor& y) { return max_pool2d(y, {.kernel = {2}}); }), 0u);
  EXPECT_EQ(places(1, [](const Tensor& y) { return max_pool2d(y, {.kernel = {2}, .stride = {1}}); }), 0u);
  EXPECT_EQ(places(1, [](const Tensor& y) { return max_pool2d(y, {.kernel = {2}, .padding = {1}}); }), 0u);
  EXPECT_EQ(places(1, [](const Tensor& y) { return max_pool2d(y, {.kernel = {3}}); }), 0u);
  EXPECT_EQ(places(1, [](const Tensor& y) { return max_pool2d(y, {.kernel = {2}}) + mean(y); }), 0u);
}

// The winners, which derivatives ask for, come out of the registers by Winograd's way alone.
TEST(FusePooling, WithTheWinnersWhereTheyAreRead) {
  const auto pooled = [](const Tensor& x, In w) {
    const TensorList both =
        apply_all(max_pool2d_op, TensorList{conv2d_fused(x, w[0], w[1], Tensor(), true)},
                  {max_pool2d_op.attrs, {Ints{2, 2}, Ints{2, 2}, Ints{0, 0}, Ints{1, 1}, false}});
    return both[0] * cast(both[1], kFloat32);
  };
  const TensorList weights = {ones({32, 32, 3, 3}), ones({32})};
  const bool fused =
      conv2d_pools_with_winners({64, 32, 12, 12}, {32, 32, 3, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1);
  const FrozenGraph many = shown("fuse-pooling", {64, 32, 12, 12}, weights, pooled);
  EXPECT_EQ(many.places, fused ? 1u : 0u);
  EXPECT_EQ(many.after.find("%3, %4 = conv2d_max_pool(%0, %1, %2, ") != std::string::npos, fused)
      << many.after;
  EXPECT_EQ(shown("fuse-pooling", {1, 32, 12, 12}, weights, pooled).places, 0u);
}

TEST(FusePooling, ReluBehindThePoolingGoesBeforeIt) {
  const Tensor argument = Tensor::without_elements({1, 3, 8, 8}, kFloat32);
  std::vector<Tensor> held = {ones({4, 3, 3, 3}), ones({4})};
  const Graph graph = trace(
      [&](In in, std::uint64_t) {
        return TensorList{relu(max_pool2d(conv2d(in[0], held[0], held[1]), {.kernel = {2}}))};
      },
      {&argument, 1}, {.slots = {Slot("w", &held[0]), Slot("b", &held[1])}});
  const Graph frozen = optimize(graph, {.without = {"pack-weights"}, .frozen = true}).graph;
  ASSERT_EQ(frozen.calls.size(), 1u) << frozen.to_string();
  EXPECT_EQ(frozen.calls[0].op, &conv2d_pooled_op);
  EXPECT_TRUE(frozen.calls[0].attrs.flag("relu"));
}

TEST(FrozenPasses, MakeOneCallOfALinearLayerWithBatchNormAndRelu) {
  std::vector<Tensor> held = {ones({8, 20}), ones({8}), ones({8}), ones({8}), ones({8})};
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < held.size(); ++i) slots.emplace_back("w" + std::to_string(i), &held[i]);
  const Tensor argument = Tensor::without_elements({1, 20}, kFloat32);
  const Graph graph = trace(
      [&](In in, std::uint64_t) {
        const NoGrad off;
        return TensorList{relu(batch_norm(linear(in[0], held[0]), held[1], held[2], held[3], held[4], 1e-5))};
      },
      {&argument, 1}, {.slots = slots});
  EXPECT_EQ(optimize(graph, {.frozen = true}).graph.to_string(),
            "%0 = argument 0: float32[1, 20]\n"
            "%1 = constant: float32[8]\n"
            "%2 = constant: float32[1, 2, 8, 16]\n"
            "%3 = linear_packed(%0, %2, %1, relu=true): float32[1, 8]\n"
            "return %3\n");
}

}  // namespace
}  // namespace splot
