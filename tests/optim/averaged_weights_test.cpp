#include "splot/optim/averaged_weights.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

double average_of(AveragedWeights& average, const Parameter& w) {
  average.swap();
  const auto out = w.value().item<double>();
  average.swap();
  return out;
}

TEST(AveragedWeights, AreThoseOfPyTorch) {
  std::ifstream stream(SPLOT_TESTS_DIR "/golden/lbfgs.json");
  const nlohmann::json file = nlohmann::json::parse(stream);
  for (const auto& [name, options] :
       {std::pair<std::string, AveragedWeightsOptions>{"equal", {.averaging = Averaging::equal}},
        {"exponential", {.decay = 0.75}}}) {
    Parameter w(tensor({0.0}), "w");
    AveragedWeights average({{"w", w}}, options);
    for (std::size_t i = 0; i < file["values"].size(); ++i) {
      const double value = file["values"][i].get<double>();
      w.assign(tensor({value}));
      average.update();
      EXPECT_NEAR(average_of(average, w), file[name][i].get<double>(), 1e-15) << name << ", " << i;
      EXPECT_EQ(w.value().item<double>(), value);
    }
    EXPECT_EQ(average.count(), static_cast<Index>(file["values"].size()));
  }
}

TEST(AveragedWeights, ContinueBitForBit) {
  Parameter w(tensor({1.0f, 2.0f}), "w");
  AveragedWeights whole({{"w", w}}, {.decay = 0.9});
  AveragedWeights first({{"w", w}}, {.decay = 0.9});
  const auto update = [&](AveragedWeights& average, int i) {
    w.assign(tensor({1.0f / static_cast<float>(i), 3.0f * static_cast<float>(i)}));
    average.update();
  };
  for (int i = 1; i <= 5; ++i) update(whole, i);
  for (int i = 1; i <= 3; ++i) update(first, i);
  AveragedWeights second({{"w", w}}, {.decay = 0.9});
  second.load_state_dict(first.state_dict());
  EXPECT_EQ(second.count(), 3);
  for (int i = 4; i <= 5; ++i) update(second, i);
  EXPECT_EQ(second.state_dict()[1].value.to_vector<float>(), whole.state_dict()[1].value.to_vector<float>());
  AveragedWeights fresh({{"w", w}});
  second.load_state_dict(fresh.state_dict());
  EXPECT_EQ(second.count(), 0);
}

TEST(AveragedWeights, RefuseWhatMakesNoSense) {
  Parameter w(tensor({1.0, 2.0}), "w");
  AveragedWeights average({{"w", w}});
  EXPECT_ERROR(ValueError, average.swap(),
               "[AveragedWeights] nothing has been averaged yet: call update() first");
  EXPECT_ERROR(ValueError, AveragedWeights({{"w", w}}, {.decay = 1.0}),
               "[AveragedWeights] decay must be in [0, 1), got 1");
  average.update();
  NamedTensors state = average.state_dict();
  state[1].value = zeros({3}, kFloat64);
  EXPECT_ERROR(ValueError, average.load_state_dict(state),
               "[AveragedWeights] average.w is float64[2], the given value is float64[3]");
  state.pop_back();
  EXPECT_ERROR(ValueError, average.load_state_dict(state), "[AveragedWeights] missing: average.w");
  state = average.state_dict();
  state.push_back({"average.x", scalar(1.0)});
  EXPECT_ERROR(ValueError, average.load_state_dict(state),
               "[AveragedWeights] the state has 3 tensors, 2 belong to it");
}

}  // namespace
}  // namespace splot
