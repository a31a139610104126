#include "splot/train/internal/options.h"

#include "splot/core/error.h"

namespace splot::train_detail {

void check_metric(const MetricFunction& metric, const char* who) {
  require<ValueError>(metric.sum || (metric.add && metric.figure), who, "metric ", metric.name,
                      " needs sum, or add and figure");
}

void check_options(const TrainerOptions& options, bool needs_closure) {
  const auto at_least = [](Index least, const char* name, auto value) {
    require<ValueError>(value >= least, "Trainer", name, " must be ", least, " or more, got ", value);
  };
  require<ValueError>(options.batch_size > 0, "Trainer", "batch_size must be positive, got ",
                      options.batch_size);
  at_least(0, "epochs", options.epochs);
  at_least(1, "accumulate", options.accumulate);
  at_least(0, "patience", options.patience);
  at_least(0, "min_delta", options.min_delta);
  at_least(0, "clip_norm", options.clip_norm);
  at_least(0, "clip_value", options.clip_value);
  at_least(0, "checkpoint.every", options.checkpoint.every);
  at_least(1, "average_start", options.average_start);
  if (options.average) {
    AveragedWeights({}, *options.average);  // looks at its options
    require<ValueError>(options.average_start <= options.epochs || options.epochs == 0, "Trainer",
                        "average_start is ", options.average_start, ", after the last epoch, ",
                        options.epochs);
  }
  require<ValueError>(options.watch == "val" || options.watch == "test", "Trainer",
                      "watch must be \"val\" or \"test\", got \"", options.watch, '"');
  require<ValueError>(!needs_closure || (options.clip_norm == 0.0 && options.clip_value == 0.0), "Trainer",
                      "gradients cannot be clipped for an optimiser that looks at the loss itself");
  for (const std::shared_ptr<Callback>& callback : options.callbacks) {
    require<ValueError>(callback != nullptr, "Trainer", "a callback is null");
  }
  for (const MetricFunction& m : options.metrics) check_metric(m, "Trainer");
}

}  // namespace splot::train_detail
