// What a checkpoint of a training says about itself.
#pragma once

#include <cstdint>
#include <string>

#include "splot/core/export.h"
#include "splot/core/index.h"
#include "splot/io/safetensors.h"

namespace splot {

/// Where and when a Trainer writes checkpoints: files from which Trainer::resume() goes on bit for bit.
struct CheckpointOptions {
  std::string path = {};  ///< empty: none are written
  /// Steps between two; 0: after every epoch, but never so often that writing takes a noticeable part of the
  /// time (at most one a second, and a twentieth of the time). One is written before the first step, at the
  /// end, and when the training is stopped, in any case.
  Index every = 0;
  /// Kept in the file's metadata: whatever the caller needs to set up the same training again.
  Metadata notes = {};
};

/// What can be known of a checkpoint before a training is set up.
struct CheckpointInfo {
  std::uint64_t seed = 1;
  Index epoch = 1;              ///< the one that runs, from 1
  Index step = 0;               ///< steps of it that are done
  Index total_steps = 0;        ///< over all epochs
  std::string instruction_set;  ///< what it was calculated with: "avx2"
  std::string mode;             ///< "plan" or, without plans, "eager"
  Metadata notes;               ///< CheckpointOptions::notes
};

/// Throws IoError when the file cannot be read and FormatError when it is damaged or no checkpoint of a
/// training.
///
///   CheckpointInfo info = checkpoint_info("runs/first/checkpoint.safetensors");
SPLOT_API CheckpointInfo checkpoint_info(const std::string& path);

}  // namespace splot
