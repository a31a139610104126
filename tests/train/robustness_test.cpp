// Robustness against a network of which it is known what it makes of every moved picture.
#include "splot/train/robustness.h"

#include <gtest/gtest.h>

#include "splot/core/error.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

constexpr Index kSide = 9;

// Class 0 has a dot two pixels left of the middle, class 1 two pixels right of it.
Dataset dots() {
  std::vector<double> pixels(4 * kSide * kSide, 0.0);
  for (Index i = 0; i < 4; ++i) {
    pixels[static_cast<std::size_t>((i * kSide + 4) * kSide + (i % 2 == 0 ? 2 : 6))] = 255.0;
  }
  return Dataset("dots", cast(Tensor::from(pixels, {4, 1, kSide, kSide}), kUInt8), tensor({0, 1, 0, 1}),
                 {"left", "right"}, {.divisor = 255.0});
}

// Ink in the columns 0 to 3 against ink in the others. No ink at all is taken for class 0.
class Halves final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override {
    const Tensor ink = sum(x, {1, 2});  // [n, columns]
    const std::vector<Tensor> both = {sum(slice(ink, 1, 0, 4), {1}, true),
                                      sum(slice(ink, 1, 4, kSide), {1}, true)};
    return concat(both, 1);
  }
  void visit(Visitor&) override {}
};

TEST(Robustness, IsTheAccuracyUnderEachMotion) {
  Halves net;
  Index last = 0;
  const Robustness r = measure_robustness(
      net, dots(), {.scales = {1.0, 2.0}, .degrees = {0, 90, 180}, .progress = [&](Index done, Index of) {
                      EXPECT_EQ(done, last + 1);
                      EXPECT_EQ(of, 2 * 81 + 3);
                      last = done;
                    }});
  EXPECT_EQ(last, 2 * 81 + 3);
  EXPECT_EQ(r.examples, 4);
  EXPECT_EQ(r.step, 1.0);
  EXPECT_EQ(r.fill, 0);
  ASSERT_EQ(r.unscaled(), 0u);
  // To the left the second dot leaves its half; to the right the first one does, and then the second leaves
  // the frame.
  const double by_right[] = {0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0};
  for (Index down = -4; down <= 4; ++down) {
    for (Index right = -4; right <= 4; ++right) {
      EXPECT_EQ(r.at(0, right, down), by_right[right + 4]) << right << ", " << down;
    }
  }
  EXPECT_EQ(r.at(1, 0, 0), 1.0) << "twice as large they lie at the edge";
  EXPECT_EQ(r.worst(0, 0), 1.0);
  EXPECT_EQ(r.worst(0, 1), 1.0);
  EXPECT_EQ(r.worst(0, 2), 0.5);
  EXPECT_EQ(r.worst(0, 4), 0.0);
  EXPECT_EQ(r.turned, (std::vector<double>{1.0, 0.5, 0.0}));
  EXPECT_THROW((void)r.at(2, 0, 0), IndexError);
  EXPECT_THROW((void)r.at(0, 5, 0), IndexError);
}

TEST(Robustness, StepsGrowWithThePicture) {
  const Dataset large("large", cast(zeros({2, 1, 64, 96}), kUInt8), tensor({0, 1}), {"a", "b"});
  Halves net;
  const Robustness r = measure_robustness(net, large, {.shift = 1, .scales = {1.0}, .degrees = {}});
  EXPECT_EQ(r.step, 2.0);
  EXPECT_EQ(r.moved.size(), 9u);
}

TEST(Robustness, SaysWhatItNeeds) {
  Halves net;
  EXPECT_THROW(measure_robustness(net, dots(), {.scales = {0.5}}), ValueError);
  EXPECT_THROW(measure_robustness(net, dots(), {.shift = -1}), ValueError);
  EXPECT_THROW(measure_robustness(net, dots().with_sample_shape({81})), ShapeError);
}

}  // namespace
}  // namespace splot
