#include "splot/train/progress.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace splot {
namespace {

// Four decimals, and powers of ten where they would show nothing but zeros.
std::string short_number(double value) {
  const double size = std::abs(value);
  return size == 0.0 || (size >= 1e-3 && size < 1e5) ? fmt::format("{:.4f}", value)
                                                     : fmt::format("{:.4e}", value);
}

}  // namespace

double metric(const std::vector<Metric>& metrics, std::string_view name) {
  for (const Metric& entry : metrics) {
    if (entry.name == name) return entry.value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::string ProgressLine::line(const Progress& progress, int bar) {
  const double share =
      progress.steps > 0 ? static_cast<double>(progress.step) / static_cast<double>(progress.steps) : 1.0;
  const int filled = static_cast<int>(share * bar);
  std::string drawn(static_cast<std::size_t>(filled), '=');
  if (filled < bar) drawn += '>' + std::string(static_cast<std::size_t>(bar - filled - 1), ' ');
  std::string out = fmt::format("Epoch {}/{} {}/{} [{}] {:.1f}s", progress.epoch, progress.epochs,
                                progress.step, progress.steps, drawn, progress.seconds);
  for (const Metric& entry : progress.metrics)
    out += fmt::format(" - {}: {}", entry.name, short_number(entry.value));
  return out;
}

void ProgressLine::operator()(const Progress& progress) {
  if (!options_.live) {
    const bool due = progress.epochs <= 100 || progress.epoch == progress.epochs ||
                     progress.epoch * 20 / progress.epochs != (progress.epoch - 1) * 20 / progress.epochs;
    if (progress.epoch_over && due) write_(line(progress, options_.bar) + '\n');
    return;
  }
  const bool due = progress.epoch != shown_epoch_ || progress.seconds - shown_at_ >= 0.1;
  if (!due && !progress.epoch_over) return;
  std::string text = line(progress, options_.bar);
  const std::size_t width = text.size();
  // Spaces over what a longer line before this one has left.
  text.append(width < width_ ? width_ - width : 0, ' ');
  write_('\r' + text + (progress.epoch_over ? "\n" : ""));
  width_ = progress.epoch_over ? 0 : width;
  shown_epoch_ = progress.epoch;
  shown_at_ = progress.seconds;
}

}  // namespace splot
