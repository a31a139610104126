// How training tells how far it is, and the line of text made from that.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot {

/// One figure with its name: {"val_accuracy", 0.9712}.
struct Metric {
  std::string name;
  double value = 0.0;
};

/// The value of a metric by name; NaN when it is not there.
SPLOT_API double metric(const std::vector<Metric>& metrics, std::string_view name);

/// Where training is. Epochs and steps count from 1.
struct Progress {
  Index epoch = 0;
  Index epochs = 0;
  Index step = 0;   ///< within the epoch
  Index steps = 0;  ///< in an epoch
  double seconds = 0.0;
  std::vector<Metric> metrics;  ///< means over the epoch so far; with validation once it is over
  bool epoch_over = false;
};

using ProgressSink = std::function<void(const Progress&)>;

struct ProgressLineOptions {
  bool live = false;  ///< a terminal: the line is drawn again and again over itself
  int bar = 20;       ///< characters between the brackets
};

/// Turns progress into a line, as Keras does, and hands the text to `write`:
///
///   Epoch 3/10 391/391 [====================] 1.2s - loss: 0.0841 - accuracy: 0.9745
///
/// Live, it writes at most ten times a second and begins each time with a carriage return; otherwise it
/// writes one line for each epoch.
///
/// Threads: one at a time.
class SPLOT_API ProgressLine {
 public:
  using Write = std::function<void(std::string_view)>;
  explicit ProgressLine(Write write, ProgressLineOptions options = {})
      : write_(std::move(write)), options_(options) {}

  void operator()(const Progress& progress);

  /// The line alone, without carriage return or line end.
  static std::string line(const Progress& progress, int bar = 20);

 private:
  Write write_;
  ProgressLineOptions options_;
  Index shown_epoch_ = 0;
  double shown_at_ = 0.0;
  std::size_t width_ = 0;
};

}  // namespace splot
