// A callback of one's own watches a training, adds a figure to every epoch, and may end it: here when the
// loss of the training set falls under a goal.
#include <cstdio>

#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

class UntilLossIsBelow final : public Callback {
 public:
  explicit UntilLossIsBelow(double goal) : goal_(goal) {}

  // It looks at epochs only, so steps may be whole plans, which leave no gradients.
  bool needs_gradients(const TrainingView&) const override { return false; }

  void on_epoch_end(TrainingView& view, EpochRecord& record) override {
    const double loss = metric(record.metrics, "loss");
    record.metrics.push_back({"above_goal", loss - goal_});  // shown, written and kept like the others
    if (loss < goal_) view.request_stop("the loss has reached its goal");
  }

 private:
  double goal_;
};

}  // namespace

int main() {
  const Dataset data("xor", tensor({{0.0f, 0.0f}, {0.0f, 1.0f}, {1.0f, 0.0f}, {1.0f, 1.0f}}),
                     tensor({{0.0f}, {1.0f}, {1.0f}, {0.0f}}));
  Sequential net(Linear(2, 8), Tanh(), Linear(8, 1));
  initialize(net, 1);
  Adam optimizer(named_parameters(net), {.lr = 0.05});
  Trainer trainer(
      net, [](const Tensor& y, const Tensor& t) { return binary_cross_entropy_with_logits(y, t); }, optimizer,
      {.epochs = 1000, .batch_size = 4, .callbacks = {std::make_shared<UntilLossIsBelow>(0.01)}});
  const TrainingResult result = trainer.fit(data);

  const EpochRecord& last = result.history.back();
  std::printf("ended after epoch %lld of 1000: loss %.4f\n", static_cast<long long>(last.epoch),
              metric(last.metrics, "loss"));
  expect(last.epoch < 1000 && metric(last.metrics, "loss") < 0.01,
         "the callback ends the training at the goal");
  expect(metric(last.metrics, "above_goal") < 0.0, "its figure is part of the history");
}
