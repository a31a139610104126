// TrainingState: everything a training has to remember to go on as if nothing had happened, and its form as a
// checkpoint file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "splot/core/parameter.h"
#include "splot/io/safetensors.h"
#include "splot/train/records.h"

namespace splot::train_detail {

/// What must be the same for the steps to be the same ones.
struct TrainingSetup {
  std::uint64_t seed = 1;
  Index batch_size = 0;
  Index accumulate = 1;
  bool shuffle = true;
  Index examples = 0;
  std::string watch;
  std::vector<std::string> metrics;
  std::string average = "none";
  std::size_t callbacks = 0;
};

struct TrainingState {
  TrainingSetup setup;
  // Where it is: `step` steps of `epoch` (from 1) are done.
  Index epoch = 1;
  Index step = 0;
  double epoch_seconds = 0.0;
  double seconds = 0.0;
  std::vector<double> tally;  // of the epoch that runs

  TrainingResult result;
  std::vector<TrainingWarning> pending;  // warnings that belong to no finished epoch yet
  std::vector<Metric> best_metrics;
  double reference = 0.0;
  Index waited = 0;

  std::vector<double> base_lrs;  // of the groups, before the schedule
  NamedTensors model, best, average, optimizer;
  std::vector<NamedTensors> callbacks;

  std::string instruction_set;
  std::string mode;
};

/// Writes the checkpoint; `notes` are kept beside it. Throws IoError.
void save_state(const std::string& path, const TrainingState& state, const Metadata& notes);

/// Throws IoError, and FormatError when it is damaged or not the checkpoint of a training.
TrainingState load_state(const std::string& path);

/// Throws ValueError naming what differs.
void check_same_setup(const TrainingSetup& saved, const TrainingSetup& now);

}  // namespace splot::train_detail
