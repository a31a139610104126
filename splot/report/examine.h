// examine(): what a network makes of single examples - its mistakes, its answers, its first weights.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/data/image.h"
#include "splot/nn/layer.h"
#include "splot/train/classification.h"
#include "splot/train/regression.h"

namespace splot {

/// One example and the class the network takes it for.
struct SeenExample {
  Index number = 0;  ///< in the data set, from 0
  Index target = 0;
  Index predicted = 0;
  double confidence = 0.0;         ///< in the predicted class
  double target_confidence = 0.0;  ///< in the right one
  std::optional<Image> picture;    ///< when examples are pictures
};

/// One example of a regression.
struct SeenNumbers {
  std::vector<double> input, target, output;
};

struct Examination {
  std::string part;  ///< "test", "validation" or "train"
  Index examples = 0;
  std::vector<std::string> classes;       ///< empty for regression
  std::optional<ConfusionMatrix> matrix;  ///< with classes
  std::vector<SeenExample> worst;         ///< the mistakes it was surest of, surest first
  std::vector<SeenExample> samples;       ///< the first examples
  /// Of pictures: the first ones of each class, class by class.
  std::vector<SeenExample> by_class;
  /// Of pictures, unless there are very many classes: of each class that was taken for each, the one of which
  /// the network was surest. In the order of the matrix, row by row, without what did not occur.
  std::vector<SeenExample> cells;
  std::vector<SeenNumbers> rows;           ///< without classes: the first examples
  std::optional<RegressionScores> scores;  ///< without classes
};

struct ExamineOptions {
  std::size_t worst = 24;
  std::size_t samples = 24;
  std::size_t rows = 200;
  std::size_t by_class = 10;       ///< at most, and at most 100 of all classes
  std::size_t cells_classes = 20;  ///< with more classes, no cells
};

/// Runs the network once over the data, as in use. `loss` says what the outputs mean, as in confidences().
/// Throws what running throws, and ShapeError when classes and outputs do not match.
///
///   Examination seen = examine(net, data.test, "test", "cross_entropy");
SPLOT_API Examination examine(Layer& model, const Dataset& data, std::string part, const std::string& loss,
                              const ExamineOptions& options = {});

/// The example as a picture, no side longer than 512: [h, w], [1, h, w] or [3, h, w] with at least 4 x 4
/// pixels. Bytes are taken as they are, other numbers stretched from the smallest to the largest.
SPLOT_API std::optional<Image> picture_of(const Tensor& sample);

struct WeightPictures {
  std::string parameter;  ///< "0.weight"
  std::vector<Image>
      images;          ///< of the first units: red for weights above 0, blue for those below, white for 0
  double limit = 0.0;  ///< the weight shown in full red or, negative, in full blue
  Index units = 0;     ///< how many there are
  Index width = 0;     ///< of a picture, in pixels
  /// What the pictures show, of all units: one number for each pixel, row by row; of colours one channel
  /// after the other.
  std::vector<std::vector<double>> values = {};
  Index height = 0;      ///< of a picture
  bool colour = false;   ///< filters of a convolution over red, green and blue: shown as colours, grey for 0
  bool filters = false;  ///< of a convolution; else of units that look at the whole picture
};

/// One line for each of the first `most` units, one column for each pixel: "unit,y0x0,y0x1, ...", of colours
/// "unit,red_y0x0, ...".
SPLOT_API std::string to_csv(const WeightPictures& weights, std::size_t most = static_cast<std::size_t>(-1));

/// The weights of the first layer as pictures with the shape of an example, all on one scale, or the filters
/// of a convolution that comes first; without images when examples are no pictures or the first layer does
/// not look at them pixel by pixel. The limit is the 99th percentile of absolute values, so that a single
/// large weight does not make all others pale.
SPLOT_API WeightPictures first_weights(Layer& model, const Shape& sample, std::size_t most = 60);

}  // namespace splot
