#include "splot/train/classification.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/nn/linear.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/metrics.h"
#include "splot/train/outputs.h"
#include "splot/train/regression.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using Json = nlohmann::json;

// Made by scripts/golden/metrics.py.
const Json& golden() {
  static const Json json = [] {
    std::ifstream file(SPLOT_TESTS_DIR "/golden/train/metrics.json");
    return Json::parse(file);
  }();
  return json;
}

Tensor matrix_of(const Json& json, DType dtype = kFloat64) {
  std::vector<double> values;
  for (const Json& row : json) {
    for (const Json& value : row) values.push_back(value.get<double>());
  }
  return cast(Tensor::from(values, {static_cast<Index>(json.size()), static_cast<Index>(json[0].size())}),
              dtype);
}

Tensor classes_of(const Json& json) {
  return Tensor::from(json.get<std::vector<std::int64_t>>(), {static_cast<Index>(json.size())});
}

void expect_scores(const ClassScores& is, const Json& wanted) {
  EXPECT_NEAR(is.precision, wanted[0].get<double>(), 1e-15);
  EXPECT_NEAR(is.recall, wanted[1].get<double>(), 1e-15);
  EXPECT_NEAR(is.f1, wanted[2].get<double>(), 1e-15);
}

TEST(Classification, AgreesWithTheDefinitions) {
  ASSERT_EQ(golden()["classification"].size(), 4u);
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const Json& sample : golden()["classification"]) {
      const Tensor outputs = matrix_of(sample["outputs"], dtype);
      const Tensor targets = classes_of(sample["targets"]);
      ConfusionMatrix matrix(outputs.shape()[1]);
      matrix.add(outputs, targets);
      const Json& wanted = sample["matrix"];
      for (Index t = 0; t < matrix.classes(); ++t) {
        for (Index p = 0; p < matrix.classes(); ++p) {
          EXPECT_EQ(matrix.count(t, p), wanted[static_cast<std::size_t>(t)][static_cast<std::size_t>(p)]);
        }
      }
      EXPECT_DOUBLE_EQ(matrix.accuracy(), sample["accuracy"].get<double>());
      EXPECT_NEAR(matrix.accuracy_interval().low, sample["interval"][0].get<double>(), 1e-12);
      EXPECT_NEAR(matrix.accuracy_interval().high, sample["interval"][1].get<double>(), 1e-12);
      const std::vector<ClassScores> scores = matrix.scores();
      for (std::size_t c = 0; c < scores.size(); ++c) {
        expect_scores(scores[c], sample["scores"][c]);
        EXPECT_EQ(scores[c].support, sample["scores"][c][3]);
      }
      expect_scores(matrix.macro_average(), sample["macro"]);
      expect_scores(matrix.weighted_average(), sample["weighted"]);
      for (std::size_t k = 1; k <= scores.size(); ++k) {
        EXPECT_EQ(count_top_k(outputs, targets, static_cast<Index>(k)), sample["top_k"][k - 1]) << k;
      }
      EXPECT_EQ(metrics::accuracy().sum(outputs, targets), sample["top_k"][0]);
    }
  }
}

TEST(Classification, BatchesOneHotAndOtherIntegersCountTheSame) {
  const Json& sample = golden()["classification"][0];
  const Tensor outputs = matrix_of(sample["outputs"]);
  const Tensor targets = classes_of(sample["targets"]);
  ConfusionMatrix whole(4), parts(4), rows(4), small(4);
  whole.add(outputs, targets);
  for (Index first = 0; first < 40; first += 7) {
    const Index n = std::min<Index>(7, 40 - first);
    parts.add(slice(outputs, 0, first, first + n), slice(targets, 0, first, first + n));
  }
  rows.add(outputs, cast(one_hot(targets, 4), kFloat32) * 0.5f + 0.1f);
  small.add(outputs, cast(targets, kInt32));
  for (Index t = 0; t < 4; ++t) {
    for (Index p = 0; p < 4; ++p) {
      EXPECT_EQ(parts.count(t, p), whole.count(t, p));
      EXPECT_EQ(rows.count(t, p), whole.count(t, p));
      EXPECT_EQ(small.count(t, p), whole.count(t, p));
    }
  }
}

TEST(Classification, WilsonsIntervalSolvesItsEquation) {
  for (const Json& sample : golden()["intervals"]) {
    const Interval is = wilson_interval(sample[0].get<Index>(), sample[1].get<Index>());
    EXPECT_NEAR(is.low, sample[2].get<double>(), 1e-9) << sample;
    EXPECT_NEAR(is.high, sample[3].get<double>(), 1e-9) << sample;
    EXPECT_GE(is.low, 0.0);
    EXPECT_LE(is.high, 1.0);
  }
  const Interval nothing = wilson_interval(0, 0);
  EXPECT_EQ(nothing.low, 0.0);
  EXPECT_EQ(nothing.high, 1.0);
  EXPECT_ERROR(ValueError, wilson_interval(3, 2), "[wilson_interval] there cannot be 3 right of 2");
  EXPECT_ERROR(ValueError, wilson_interval(1, 2, 0.0), "[wilson_interval] z must be positive, got 0");
}

TEST(Classification, OneNumberTellsTwoClassesApart) {
  ConfusionMatrix matrix(2);
  matrix.add_binary(tensor({{0.5f}, {-1.0f}, {2.0f}, {-3.0f}}), tensor({{1.0f}, {1.0f}, {0.0f}, {0.0f}}),
                    0.0);
  EXPECT_EQ(matrix.count(1, 1), 1);
  EXPECT_EQ(matrix.count(1, 0), 1);
  EXPECT_EQ(matrix.count(0, 1), 1);
  EXPECT_EQ(matrix.count(0, 0), 1);
  EXPECT_ERROR(ValueError, ConfusionMatrix(3).add_binary(zeros({1}), zeros({1}), 0.0),
               "[ConfusionMatrix] one number tells two classes apart, not 3");
  EXPECT_ERROR(ShapeError, matrix.add_binary(zeros({2, 2}), zeros({2, 2}), 0.0),
               "[ConfusionMatrix] needs output and target [n] or [n, 1], got output[2, 2] and target[2, 2]");
}

TEST(Classification, NaNCountsAsTheLargest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  ConfusionMatrix matrix(3);
  matrix.add(tensor({{9.0f, nan, nan}}), tensor({0}));
  EXPECT_EQ(matrix.count(0, 1), 1);
  EXPECT_EQ(count_top_k(tensor({{9.0f, nan, nan}}), tensor({0}), 2), 0);
  EXPECT_EQ(count_top_k(tensor({{9.0f, nan, nan}}), tensor({0}), 3), 1);
  matrix.add(tensor({{nan, 9.0f, nan}}), tensor({2}));
  EXPECT_EQ(matrix.count(2, 0), 1);
}

TEST(Classification, TheFirstOfEqualOnesCounts) {
  ConfusionMatrix matrix(3);
  matrix.add(tensor({{1.0f, 2.0f, 2.0f}, {0.0f, 0.0f, 0.0f}, {-2.0f, -2.0f, -1.0f}}), tensor({2, 1, 0}));
  EXPECT_EQ(matrix.count(2, 1), 1);
  EXPECT_EQ(matrix.count(1, 0), 1);
  EXPECT_EQ(matrix.count(0, 2), 1);
}

TEST(Classification, SharesOfTheClassesNeedNotBeDenseFloats) {
  const Tensor outputs = tensor({{0.0f, 1.0f, 2.0f}, {5.0f, 1.0f, 2.0f}});
  const Tensor shares = tensor({{0.1f, 0.2f, 0.7f}, {0.3f, 0.5f, 0.2f}});
  const Tensor columns = transpose(contiguous(transpose(shares, 0, 1)), 0, 1);
  for (const Tensor& target : {shares, cast(shares, kFloat64), columns}) {
    ConfusionMatrix matrix(3);
    matrix.add(outputs, target);
    EXPECT_EQ(matrix.count(2, 2), 1);
    EXPECT_EQ(matrix.count(1, 0), 1);
  }
}

TEST(Classification, RefusesWhatDoesNotFit) {
  ConfusionMatrix matrix(3);
  EXPECT_ERROR(ValueError, ConfusionMatrix(0), "[ConfusionMatrix] needs 1 to 30000 classes, got 0");
  EXPECT_ERROR(ShapeError, matrix.add(zeros({2, 4}), tensor({0, 1})),
               "[ConfusionMatrix] output[2, 4] is not for 3 classes");
  EXPECT_ERROR(ShapeError, matrix.add(zeros({2, 3}), tensor({0})),
               "[ConfusionMatrix] needs output[n, classes] and target[n] or target[n, classes], got "
               "output[2, 3] and target[1]");
  EXPECT_ERROR(DTypeError, matrix.add(zeros({1, 3}), tensor({0.5f})),
               "[ConfusionMatrix] needs integer class numbers, got float32");
  EXPECT_ERROR(IndexError, matrix.add(zeros({1, 3}), tensor({3})),
               "[ConfusionMatrix] there is no class 3 among 3 outputs");
  EXPECT_ERROR(IndexError, matrix.add(0, 3), "[ConfusionMatrix] there is no class 3 of 3");
  EXPECT_ERROR(IndexError, matrix.count(-1, 0), "[ConfusionMatrix] there is no class -1 of 3");
  EXPECT_EQ(matrix.total(), 0);
  EXPECT_EQ(matrix.accuracy(), 0.0);
  EXPECT_EQ(matrix.macro_average().f1, 0.0);
  EXPECT_ERROR(ValueError, count_top_k(zeros({1, 3}), tensor({0}), 4),
               "[count_top_k] k must be 1 to the number of classes, got 4 for output[1, 3]");
  EXPECT_ERROR(ValueError, metrics::top_k_accuracy(0), "[top_k_accuracy] k must be at least 1, got 0");
}

TEST(Classification, AskedOfANetworkAndItsData) {
  Sequential net(Linear(2, 2));
  NamedParameters parameters = named_parameters(net);
  parameters[0].parameter.assign(tensor({{1.0f, 0.0f}, {0.0f, 1.0f}}));
  parameters[1].parameter.assign(zeros({2}));
  const Dataset data("points", tensor({{2.0, 1.0}, {0.0, 1.0}, {5.0, 1.0}}), tensor({0, 1, 1}), {"a", "b"});
  for (const Index batch : {1, 2, 1000}) {
    const ConfusionMatrix matrix = confusion_matrix(net, data, batch);
    EXPECT_EQ(matrix.count(0, 0), 1);
    EXPECT_EQ(matrix.count(1, 1), 1);
    EXPECT_EQ(matrix.count(1, 0), 1);
    EXPECT_EQ(matrix.total(), 3);
  }
  EXPECT_ERROR(ValueError, confusion_matrix(net, data.slice(0, 0)), "[visit_outputs] points has no examples");
  EXPECT_ERROR(ValueError, confusion_matrix(net, data, -1),
               "[visit_outputs] batch_size must not be negative, got -1");
}

TEST(Regression, AgreesWithTheDefinitions) {
  ASSERT_EQ(golden()["regression"].size(), 3u);
  for (const Json& sample : golden()["regression"]) {
    const Tensor outputs = matrix_of(sample["outputs"]);
    const Tensor targets = matrix_of(sample["targets"]);
    RegressionTally whole, parts;
    whole.add(outputs, targets);
    const Index n = outputs.shape()[0];
    parts.add(slice(outputs, 0, 0, 1), slice(targets, 0, 0, 1));
    parts.add(slice(outputs, 0, 1, n), slice(targets, 0, 1, n));
    for (const RegressionScores& is : {whole.scores(), parts.scores()}) {
      EXPECT_EQ(is.examples, n);
      EXPECT_NEAR(is.mae, sample["mae"].get<double>(), 1e-12);
      EXPECT_NEAR(is.rmse, sample["rmse"].get<double>(), 1e-12);
      EXPECT_NEAR(is.r2, sample["r2"].get<double>(), 1e-9);
    }
    EXPECT_EQ(whole.scores().r2, parts.scores().r2);
    EXPECT_NEAR(metrics::mae().sum(outputs, targets) / static_cast<double>(n), sample["mae"].get<double>(),
                1e-12);
  }
}

TEST(Regression, ConstantTargetsAndFewExamples) {
  RegressionTally met, missed, one;
  met.add(tensor({{3.0}, {3.0}}), tensor({{3.0}, {3.0}}));
  missed.add(tensor({{3.0}, {4.0}}), tensor({{3.0}, {3.0}}));
  one.add(tensor({{3.0}}), tensor({{4.0}}));
  EXPECT_EQ(met.scores().r2, 1.0);
  EXPECT_EQ(missed.scores().r2, 0.0);
  EXPECT_TRUE(std::isnan(one.scores().r2));
  EXPECT_EQ(one.scores().mae, 1.0);
  EXPECT_TRUE(std::isnan(RegressionTally().scores().r2));
  EXPECT_ERROR(ShapeError, met.add(zeros({2}), zeros({2, 1})),
               "[RegressionTally] output[2] and target[2, 1] need the same shape [n, ...]");
  EXPECT_ERROR(ShapeError, met.add(zeros({1, 2}), zeros({1, 2})),
               "[RegressionTally] output[1, 2] has 2 numbers for each example, those before had 1");
}

}  // namespace
}  // namespace splot
