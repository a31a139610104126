#include "splot/report/examine.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "splot/core/error.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/report/markup.h"
#include "splot/train/outputs.h"

namespace splot {
namespace {

struct PictureShape {
  Index channels, height, width;
};

std::optional<PictureShape> picture_shape(const Shape& shape) {
  PictureShape out{1, 0, 0};
  if (shape.rank() == 2) {
    out = {1, shape[0], shape[1]};
  } else if (shape.rank() == 3) {
    out = {shape[0], shape[1], shape[2]};
  }
  const bool fits = (out.channels == 1 || out.channels == 3) && out.height >= 4 && out.width >= 4 &&
                    out.height <= 512 && out.width <= 512;
  return fits ? std::optional(out) : std::nullopt;
}

// From channels one after the other to channels together, as Image has them.
Image interleaved(const PictureShape& shape, const std::vector<std::uint8_t>& planes) {
  Image out{shape.width, shape.height, shape.channels, std::vector<std::uint8_t>(planes.size())};
  const auto channels = static_cast<std::size_t>(shape.channels);
  const std::size_t plane = planes.size() / channels;
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < channels; ++c) out.pixels[i * channels + c] = planes[c * plane + i];
  }
  return out;
}

// The surest mistakes so far; of equally sure ones the first.
void keep_worst(std::vector<SeenExample>& worst, const SeenExample& candidate, std::size_t most) {
  const auto place = std::upper_bound(
      worst.begin(), worst.end(), candidate,
      [](const SeenExample& a, const SeenExample& b) { return a.confidence > b.confidence; });
  if (static_cast<std::size_t>(place - worst.begin()) >= most) return;
  worst.insert(place, candidate);
  if (worst.size() > most) worst.pop_back();
}

// Examples by class, and by class and answer.
struct Gathered {
  Gathered(std::size_t number, const ExamineOptions& options)
      : classes(number),
        of_class(
            std::min(options.by_class, std::max<std::size_t>(2, 100 / std::max<std::size_t>(1, number)))),
        by_class(number),
        cells(number <= options.cells_classes ? number * number : 0) {}

  void add(const SeenExample& example) {
    const auto row = static_cast<std::size_t>(example.target);
    if (by_class[row].size() < of_class) by_class[row].push_back(example);
    if (cells.empty()) return;
    std::optional<SeenExample>& cell = cells[row * classes + static_cast<std::size_t>(example.predicted)];
    if (!cell || example.confidence > cell->confidence) cell = example;
  }

  std::size_t classes;
  std::size_t of_class;
  std::vector<std::vector<SeenExample>> by_class;
  std::vector<std::optional<SeenExample>> cells;
};

void see_classes(Examination& seen, const Tensor& output, const Tensor& target, Index first,
                 const std::string& loss, const ExamineOptions& options, Gathered& gathered) {
  const auto classes = static_cast<Index>(seen.classes.size());
  require(output.rank() == 2 && output.shape()[1] == classes, "examine", "output", output, " does not fit ",
          classes, " classes");
  seen.matrix->add(output, target);
  const std::vector<double> y = output.to_vector<double>();
  const std::vector<double> p = confidences(output, loss).to_vector<double>();
  const std::vector<std::int64_t> wanted = target.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto outputs = y.begin() + static_cast<Index>(i) * classes;
    const Index predicted = std::max_element(outputs, outputs + classes) - outputs;
    const auto row = p.begin() + static_cast<Index>(i) * classes;
    // Losses that compare numbers leave outputs that are no shares.
    const auto share = [&](Index c) { return std::clamp(row[c], 0.0, 1.0); };
    const SeenExample example{
        first + static_cast<Index>(i), wanted[i], predicted, share(predicted), share(wanted[i]), {}};
    if (seen.samples.size() < options.samples) seen.samples.push_back(example);
    if (predicted != wanted[i]) keep_worst(seen.worst, example, options.worst);
    gathered.add(example);
  }
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0.0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

// White in the middle, red above, blue below; equal steps look about equally far apart.
void diverging(double value, std::uint8_t* rgb) {
  constexpr double kEnds[2][3] = {{33, 80, 170}, {178, 24, 43}};
  const double share = std::isfinite(value) ? std::min(1.0, std::abs(value)) : 0.0;
  for (int c = 0; c < 3; ++c) {
    const double color = 248.0 + (kEnds[value > 0.0 ? 1 : 0][c] - 248.0) * share;
    rgb[c] = static_cast<std::uint8_t>(std::lround(color));
  }
}

}  // namespace

std::optional<Image> picture_of(const Tensor& sample) {
  const std::optional<PictureShape> shape = picture_shape(sample.shape());
  if (!shape) return std::nullopt;
  if (sample.dtype() == kUInt8) return interleaved(*shape, sample.to_vector<std::uint8_t>());
  const std::vector<double> values = sample.to_vector<double>();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double scale = *high > *low ? 255.0 / (*high - *low) : 0.0;
  std::vector<std::uint8_t> bytes(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double byte = (values[i] - *low) * scale;
    bytes[i] = byte >= 0.0 && byte <= 255.0 ? static_cast<std::uint8_t>(std::lround(byte)) : 0;
  }
  return interleaved(*shape, bytes);
}

Examination examine(Layer& model, const Dataset& data, std::string part, const std::string& loss,
                    const ExamineOptions& options) {
  Examination seen;
  seen.part = std::move(part);
  seen.examples = data.size();
  seen.classes = data.classes();
  if (!seen.classes.empty()) seen.matrix.emplace(static_cast<Index>(seen.classes.size()));
  Gathered gathered(seen.classes.size(), options);
  RegressionTally tally;
  Index first = 0;
  const auto numbers = [](const Tensor& x, Index i) { return select(x, 0, i).to_vector<double>(); };
  visit_outputs(model, data, [&](const Tensor& output, const Tensor& target) {
    if (seen.matrix) {
      see_classes(seen, output, target, first, loss, options, gathered);
    } else {
      const Tensor answer = confidences(output, loss);
      tally.add(answer, target);
      for (Index i = 0; i < output.shape()[0] && seen.rows.size() < options.rows; ++i) {
        seen.rows.push_back(
            {numbers(data.stored(first + i, 1).inputs, 0), numbers(target, i), numbers(answer, i)});
      }
    }
    first += output.shape()[0];
  });
  if (!seen.matrix) seen.scores = tally.scores();
  if (picture_shape(data.sample_shape())) {
    for (const std::vector<SeenExample>& some : gathered.by_class)
      seen.by_class.insert(seen.by_class.end(), some.begin(), some.end());
    for (const std::optional<SeenExample>& cell : gathered.cells) {
      if (cell) seen.cells.push_back(*cell);
    }
  }
  for (std::vector<SeenExample>* list : {&seen.worst, &seen.samples, &seen.by_class, &seen.cells}) {
    for (SeenExample& example : *list) {
      example.picture = picture_of(select(data.stored(example.number, 1).inputs, 0, 0));
    }
  }
  return seen;
}

std::string to_csv(const WeightPictures& weights, std::size_t most) {
  std::string out = "unit";
  const std::size_t units = std::min({most, weights.values.size()});
  const std::size_t pixels = units == 0 ? 0 : weights.values.front().size();
  constexpr const char* kColours[] = {"red_", "green_", "blue_"};
  const std::size_t plane = weights.colour ? pixels / 3 : std::max<std::size_t>(pixels, 1);
  for (std::size_t i = 0; i < pixels; ++i) {
    out += join(",", weights.colour ? kColours[i / plane] : "", "y",
                i % plane / static_cast<std::size_t>(weights.width), "x",
                i % plane % static_cast<std::size_t>(weights.width));
  }
  out += '\n';
  for (std::size_t unit = 0; unit < units; ++unit) {
    out += std::to_string(unit);
    for (const double value : weights.values[unit]) {
      // The shortest digits that tell the number from its neighbours: a float needs half of a double's.
      const auto narrow = static_cast<float>(value);
      out += ',';
      out += static_cast<double>(narrow) == value ? fmt::format("{}", narrow) : exact_text(value);
    }
    out += '\n';
  }
  return out;
}

namespace {

// Full colour where a channel has its largest weight, black where its lowest, grey for 0.
std::uint8_t colour_level(double share) {
  return static_cast<std::uint8_t>(std::lround(127.5 + 127.5 * std::clamp(share, -1.0, 1.0)));
}

// `numbers`: channel after channel. Of colours that are no filter's, their mean: what the unit makes of a
// pixel's brightness.
Image weight_picture(const WeightPictures& all, const std::vector<double>& numbers) {
  const double scale = all.limit > 0.0 ? 1.0 / all.limit : 0.0;
  const auto plane = static_cast<std::size_t>(all.width * all.height);
  Image image{all.width, all.height, 3, std::vector<std::uint8_t>(3 * plane)};
  for (std::size_t i = 0; i < plane; ++i) {
    std::uint8_t* rgb = image.pixels.data() + 3 * i;
    if (!all.colour) {
      diverging(numbers[i] * scale, rgb);
      continue;
    }
    for (std::size_t c = 0; c < 3; ++c) rgb[c] = colour_level(numbers[c * plane + i] * scale);
  }
  return image;
}

}  // namespace

WeightPictures first_weights(Layer& model, const Shape& sample, std::size_t most) {
  WeightPictures out;
  const std::optional<PictureShape> shape = picture_shape(sample);
  const NamedParameters parameters = named_parameters(model);
  if (!shape || parameters.empty()) return out;
  const Tensor weight = parameters.front().parameter.value();
  out.filters = weight.rank() == 4 && weight.shape()[1] == shape->channels;
  const bool dense = weight.rank() == 2 && weight.shape()[1] == sample.numel();
  if (!out.filters && !dense) return out;
  out.parameter = parameters.front().name;
  out.units = weight.shape()[0];
  out.colour = out.filters && shape->channels == 3;
  out.height = out.filters ? weight.shape()[2] : shape->height;
  out.width = out.filters ? weight.shape()[3] : shape->width;
  const std::vector<double> values = weight.to_vector<double>();
  std::vector<double> sizes;
  for (const double value : values) {
    if (std::isfinite(value)) sizes.push_back(std::abs(value));
  }
  out.limit = quantile(std::move(sizes), 0.99);
  const auto plane = static_cast<std::size_t>(out.height * out.width);
  const auto channels = static_cast<std::size_t>(shape->channels);
  for (std::size_t unit = 0; unit < static_cast<std::size_t>(out.units); ++unit) {
    const double* row = values.data() + unit * plane * channels;
    std::vector<double>& numbers = out.values.emplace_back(out.colour ? channels * plane : plane);
    for (std::size_t i = 0; i < channels * plane; ++i) {
      if (out.colour) {
        numbers[i] = row[i];
      } else {
        numbers[i % plane] += row[i] / static_cast<double>(channels);
      }
    }
    if (unit < most) out.images.push_back(weight_picture(out, numbers));
  }
  return out;
}

}  // namespace splot
