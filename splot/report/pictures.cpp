#include "splot/report/pictures.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/data/resize.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/ops/ops.h"
#include "splot/report/examine.h"

namespace splot {
namespace {

constexpr Index kMapSide = 32;

// The arguments that say how a layer moves over its input.
class Window final : public Visitor {
 public:
  void argument(std::string_view name, const AttrValue& value) override {
    if (name == "kernel") kernel = pair(value);
    if (name == "stride") stride = pair(value);
    if (name == "dilation") dilation = pair(value);
    if (name == "align_corners") interpolates = true;
    if (name == "mode") nearest = value == AttrValue(std::string("nearest"));
  }
  void child(std::string_view, Layer&) override { holds_others = true; }

  std::optional<std::pair<Index, Index>> kernel;
  std::optional<std::pair<Index, Index>> stride;
  std::optional<std::pair<Index, Index>> dilation;
  bool interpolates = false;
  bool nearest = false;
  bool holds_others = false;

 private:
  static std::optional<std::pair<Index, Index>> pair(const AttrValue& value) {
    if (const Index* one = std::get_if<Index>(&value)) return std::pair(*one, *one);
    const Ints* many = std::get_if<Ints>(&value);
    if (many == nullptr || many->empty()) return std::nullopt;
    return std::pair((*many)[0], many->size() > 1 ? (*many)[1] : (*many)[0]);
  }
};

// Of one number along one axis.
struct Reach {
  double pixels = 1.0;
  double step = 1.0;  // how far apart in the picture what its neighbours see is
};
struct Field {
  Reach down, across;
  bool whole = false;
};

void widen(Reach& reach, Index kernel, Index stride, Index dilation, bool grows) {
  if (grows) {  // a transposed convolution: several outputs share the inputs that reach them
    const double inputs =
        std::ceil(static_cast<double>((kernel - 1) * dilation + 1) / static_cast<double>(stride));
    reach.pixels += (inputs - 1.0) * reach.step;
    reach.step /= static_cast<double>(stride);
    return;
  }
  reach.pixels += static_cast<double>((kernel - 1) * dilation) * reach.step;
  reach.step *= static_cast<double>(stride);
}

// An interpolated number lies between two of the input's, or is one of them.
void interpolate(Reach& reach, Index from, Index to, bool nearest) {
  if (from == to) return;
  if (!nearest) reach.pixels += reach.step;
  reach.step *= static_cast<double>(from) / static_cast<double>(to);
}

Field field_after(Layer& layer, const Tensor& x, const Tensor& y, Field field) {
  // What has lost an axis, or comes down to one number at once, has seen everything.
  if (y.rank() != 4 || x.rank() != 4) field.whole = true;
  if (field.whole) return field;
  Window window;
  layer.visit(window);
  if (window.interpolates) {
    interpolate(field.down, x.shape()[2], y.shape()[2], window.nearest);
    interpolate(field.across, x.shape()[3], y.shape()[3], window.nearest);
    return field;
  }
  if (!window.kernel && !window.stride) {
    const bool shrinks = y.shape()[2] < x.shape()[2] || y.shape()[3] < x.shape()[3];
    field.whole = shrinks;
    return field;
  }
  const std::pair<Index, Index> one(1, 1);
  const auto kernel = window.kernel.value_or(one);
  const auto stride = window.stride.value_or(one);
  const auto dilation = window.dilation.value_or(one);
  const bool grows = y.shape()[2] > x.shape()[2] && stride.first > 1;
  widen(field.down, kernel.first, stride.first, dilation.first, grows);
  widen(field.across, kernel.second, stride.second, dilation.second, grows);
  return field;
}

Image map_picture(const Tensor& map) {
  const std::vector<double> values = map.to_vector<double>();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  Image out{map.shape()[1], map.shape()[0], 1, {}};
  const double scale = *high > *low ? 255.0 / (*high - *low) : 0.0;
  for (const double value : values) {
    const double level = (value - *low) * scale;
    out.pixels.push_back(level >= 0.0 && level <= 255.0 ? static_cast<std::uint8_t>(std::lround(level)) : 0);
  }
  return out;
}

DType model_dtype(Layer& model) {
  const NamedParameters parameters = named_parameters(model);
  return parameters.empty() ? kFloat32 : parameters.front().parameter.dtype();
}

// From what a network sees back to bytes.
Tensor stored_again(const Tensor& seen, const Preprocessing& p) {
  std::vector<double> values = seen.to_vector<double>();
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double byte = (values[i] * p.deviation_of(i) + p.mean_of(i)) * p.divisor;
    bytes.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(byte, 0.0, 255.0))));
  }
  return Tensor::from(bytes, seen.shape());
}

void put(const Image& picture, Image& sheet, Index left, Index top) {
  for (Index y = 0; y < picture.height; ++y) {
    for (Index x = 0; x < picture.width; ++x) {
      for (Index c = 0; c < sheet.channels; ++c) {
        const Index from = (y * picture.width + x) * picture.channels + std::min(c, picture.channels - 1);
        const Index to = ((top + y) * sheet.width + left + x) * sheet.channels + c;
        sheet.pixels[static_cast<std::size_t>(to)] = picture.pixels[static_cast<std::size_t>(from)];
      }
    }
  }
}

}  // namespace

std::vector<ReceptiveField> receptive_fields(Layer& model, const Shape& sample) {
  std::vector<ReceptiveField> out;
  if (sample.rank() != 3) return out;
  // By the tensors that layers hand on, which are kept: a new one could take the place of an old one.
  std::map<const void*, Field> known;
  std::vector<Tensor> kept;
  Field widest;
  Context context;
  context.observer = [&](std::string_view path, Layer& layer, const Tensor& x, const Tensor& y) {
    kept.push_back(x);
    kept.push_back(y);
    Window window;
    layer.visit(window);
    const auto same = known.find(y.impl().get());
    // A container hands on what its last layer gave.
    if (same != known.end() && window.holds_others) return;
    const auto before = known.find(x.impl().get());
    const std::string type = type_name(layer);
    const bool joins = type == "add" || type == "concat";
    Field field = joins || before == known.end() ? widest : before->second;
    if (same != known.end()) {  // dropout in use: what came
      field = same->second;
    } else if (!window.holds_others) {
      field = field_after(layer, x, y, field);
    }
    known[y.impl().get()] = field;
    if (field.whole || field.down.pixels + field.across.pixels >= widest.down.pixels + widest.across.pixels)
      widest = field;
    const auto within = [](double pixels, Index most) {
      return std::min(most, static_cast<Index>(std::lround(pixels)));
    };
    ReceptiveField row{std::string(path), within(field.down.pixels, sample[1]),
                       within(field.across.pixels, sample[2]), field.whole};
    row.whole = row.whole || (row.height == sample[1] && row.width == sample[2]);
    out.push_back(std::move(row));
  };
  const NoGrad off;
  const Tensor x = Tensor::empty({0, sample[0], sample[1], sample[2]}, model_dtype(model));
  known[x.impl().get()] = {};
  model(x, context);
  return out;
}

std::vector<FeatureMaps> feature_maps(Layer& model, const Dataset& data, Index sample, std::size_t most) {
  std::vector<FeatureMaps> out;
  std::vector<std::pair<Index, Index>> sizes;
  Context context;
  context.observer = [&](std::string_view path, Layer&, const Tensor&, const Tensor& y) {
    if (y.rank() != 4 || y.shape()[2] * y.shape()[3] < 4) return;
    const std::pair size(y.shape()[2], y.shape()[3]);
    if (sizes.empty() || sizes.back() != size) {
      // Pooling alone brings no new maps, but what follows at its size does.
      sizes.push_back(size);
      out.emplace_back();
    }
    FeatureMaps& maps = out.back();
    maps = {std::string(path), {}, y.shape()[1]};
    for (Index c = 0; c < std::min<Index>(maps.filters, static_cast<Index>(most)); ++c) {
      maps.maps.push_back(thumbnail(map_picture(select(select(y, 0, 0), 0, c)), kMapSide));
    }
  };
  const NoGrad off;
  model(cast(data.batch(sample, 1).inputs, model_dtype(model)), context);
  return out;
}

std::vector<ChangedPicture> changed_pictures(const Dataset& data, std::uint64_t seed, std::size_t pictures,
                                             std::size_t versions) {
  constexpr Index kMostSearched = 200;
  std::vector<ChangedPicture> out;
  if (!data.changes_by_chance()) return out;
  std::set<Index> classes;
  std::vector<Index> others;
  std::vector<Index> chosen;
  for (Index i = 0; i < std::min(data.size(), kMostSearched) && chosen.size() < pictures; ++i) {
    const Tensor target = data.stored(i, 1).targets;
    const bool first = target.rank() == 1 && classes.insert(target.to_vector<std::int64_t>()[0]).second;
    (first ? chosen : others).push_back(i);
  }
  for (std::size_t i = 0; i < others.size() && chosen.size() < pictures; ++i) chosen.push_back(others[i]);
  for (const Index number : chosen) {
    const std::optional<Image> before = picture_of(select(data.stored(number, 1).inputs, 0, 0));
    if (!before) return {};
    ChangedPicture& row = out.emplace_back(ChangedPicture{number, *before, {}});
    for (std::size_t epoch = 1; epoch <= versions; ++epoch) {
      const Batch batch = data.transformed(std::vector<Index>{number}, seed, epoch);
      row.after.push_back(*picture_of(stored_again(select(batch.inputs, 0, 0), data.preprocessing())));
    }
  }
  return out;
}

Image heat_picture(const Image& picture, const Tensor& heat) {
  require(heat.shape() == Shape({picture.height, picture.width}), "heat_picture", "a picture of ",
          picture.width, " x ", picture.height, " needs numbers [", picture.height, ", ", picture.width,
          "], got ", heat);
  constexpr double kEnds[2][3] = {{60, 120, 255}, {235, 45, 40}};
  const std::vector<double> values = heat.to_vector<double>();
  double largest = 0.0;
  for (const double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  Image out{picture.width, picture.height, 3, {}};
  const auto channels = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double grey = 0.0;
    for (std::size_t c = 0; c < channels; ++c)
      grey += picture.pixels[i * channels + c] / static_cast<double>(channels);
    const bool counts = largest > 0.0 && std::isfinite(values[i]);
    const double share = counts ? std::abs(values[i]) / largest : 0.0;
    for (const double end : kEnds[values[i] > 0.0 ? 1 : 0]) {
      // Half as bright below, so that the colours stand out.
      out.pixels.push_back(
          static_cast<std::uint8_t>(std::lround((1.0 - share) * (0.75 * grey) + share * end)));
    }
  }
  return out;
}

Image thumbnail(const Image& picture, Index most) {
  const Index longer = std::max(picture.width, picture.height);
  if (longer <= most) return picture;
  const auto side = [&](Index length) { return std::max<Index>(1, length * most / longer); };
  return resized(picture, side(picture.width), side(picture.height));
}

Image contact_sheet(const std::vector<Image>& pictures, std::size_t columns) {
  constexpr std::uint8_t kLine = 128;
  Index width = 1;
  Index height = 1;
  Index channels = 1;
  for (const Image& picture : pictures) {
    width = std::max(width, picture.width);
    height = std::max(height, picture.height);
    channels = std::max(channels, picture.channels);
  }
  const auto across =
      static_cast<Index>(std::clamp<std::size_t>(pictures.size(), 1, std::max<std::size_t>(columns, 1)));
  const Index down = std::max<Index>(1, (static_cast<Index>(pictures.size()) + across - 1) / across);
  Image out{across * (width + 1) - 1, down * (height + 1) - 1, channels, {}};
  out.pixels.assign(static_cast<std::size_t>(out.width * out.height * channels), kLine);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto at = static_cast<Index>(i);
    put(pictures[i], out, at % across * (width + 1), at / across * (height + 1));
  }
  return out;
}

}  // namespace splot
