#include "splot/train/trainer.h"

#include <utility>

#include "splot/core/error.h"
#include "splot/train/internal/options.h"
#include "splot/train/internal/tally.h"
#include "splot/train/internal/training_run.h"
#include "splot/train/outputs.h"

namespace splot {

using namespace train_detail;  // NOLINT(google-build-using-namespace): a source file's own helpers

std::vector<Metric> evaluate(Layer& model, const LossFunction& loss, const Dataset& data,
                             const std::vector<MetricFunction>& metrics, Index batch_size) {
  require<ValueError>(data.size() > 0, "evaluate", data.name(), " has no examples");
  for (const MetricFunction& m : metrics) check_metric(m, "evaluate");
  Tally tally(metrics);
  visit_outputs(
      model, data,
      [&](const Tensor& output, const Tensor& target) {
        tally.add(loss(output, target).item<double>(), output, target);
      },
      batch_size);
  return tally.means();
}

Trainer::Trainer(Layer& model, LossFunction loss, Optimizer& optimizer, TrainerOptions options)
    : model_(model), loss_(std::move(loss)), optimizer_(optimizer), options_(std::move(options)) {
  check_options(options_, optimizer_.needs_closure());
}

TrainingResult Trainer::run(const std::string& checkpoint, const Dataset& train, const Dataset* validation) {
  require<ValueError>(train.size() > 0, "Trainer", train.name(), " has no examples to learn from");
  if (validation != nullptr && validation->size() == 0) validation = nullptr;
  Run run(*this, train, validation);
  if (!checkpoint.empty()) run.load(checkpoint);
  return run.go();
}

TrainingResult Trainer::fit(const Dataset& train, const Dataset* validation) {
  return run({}, train, validation);
}

TrainingResult Trainer::resume(const std::string& checkpoint, const Dataset& train,
                               const Dataset* validation) {
  require<ValueError>(!checkpoint.empty(), "Trainer", "resume() needs the name of a checkpoint");
  return run(checkpoint, train, validation);
}

}  // namespace splot
