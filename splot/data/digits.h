// digits: handwritten-looking digits that Splot draws itself, for when there is no real data.
#pragma once

#include <cstdint>
#include <span>

#include "splot/core/export.h"
#include "splot/data/dataset.h"

namespace splot {

struct DigitsOptions {
  Index train = 60000;  ///< of these the last `validation` become the validation set
  Index validation = 10000;
  Index test = 10000;
  std::uint64_t seed = 1;
};

/// A data set of the same form as load_mnist(): grey images [n, 1, 28, 28] uint8, ink 255 on 0, in a box of
/// 20 x 20 with the centre of mass in the middle. Each digit is written with one of several pen strokes, and
/// bent, slanted, stretched and drawn with another pen each time. They are not MNIST: figures obtained on
/// them say nothing about it. Throws ValueError for negative numbers or more validation than training images.
///
///   DataSplits digits = make_digits();   // 50,000 / 10,000 / 10,000
SPLOT_API DataSplits make_digits(const DigitsOptions& options = {});

/// Images first .. first + n - 1 of the endless sequence that belongs to a seed, n = labels.size(), 784
/// pixels each. Image i depends on (seed, i) alone, so any number of threads may draw parts of the sequence.
/// Throws ShapeError unless pixels.size() is 784 n.
SPLOT_API void draw_digits(std::uint64_t seed, Index first, std::span<std::uint8_t> pixels,
                           std::span<std::uint8_t> labels);

}  // namespace splot
