// RunRecord: what the text files of a run's folder say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "splot/core/export.h"
#include "splot/train/records.h"

namespace splot {

/// The figures of one part of the data, measured with the weights the run ended with.
struct RunPart {
  std::string name;  ///< "train", "validation", "test"; "before": the training part with the first weights
  std::vector<Metric> metrics;
};

struct RunRecord {
  std::string folder;
  std::vector<EpochRecord> history;  ///< metrics.jsonl
  std::string recipe;                ///< the rest from run.json, as far as it says so: the recipe's id
  std::vector<RunPart> parts;
  Index best_epoch = 0;  ///< 0: none was chosen
  std::string seed;
  std::string weights_sha256;
  Index steps = 0;
  double seconds = 0.0;
  bool stopped = false;
  std::string stop_reason;
  std::string diverged;  ///< where NaN or infinity ended it; empty when they did not
  std::vector<TrainingWarning> warnings;
  int threads = 0;  ///< 0: unknown
  std::string instruction_set;
  std::uint64_t peak_memory = 0;  ///< bytes of tensors; 0: unknown
};

/// Reads metrics.jsonl and, when it is there, run.json. A metric that is null was not finite. Throws IoError
/// when there are no metrics to read, FormatError "runs/a/metrics.jsonl:3: ..." for what is not as it should
/// be.
///
///   RunRecord run = read_run("runs/mnist-1");
SPLOT_API RunRecord read_run(const std::string& folder);

/// "val" or "test": the set whose figures stand beside those of the training part; empty when there is none.
SPLOT_API std::string watched_set(const std::vector<EpochRecord>& history);

/// The epoch after which the network overfits: that of the lowest loss on the watched set, when at least two
/// epochs follow it, none of them with a loss as low, and the training loss of the last epoch is below that
/// of this one. 0 when that is not so, or nothing was watched.
SPLOT_API Index overfitting_after(const std::vector<EpochRecord>& history);

}  // namespace splot
