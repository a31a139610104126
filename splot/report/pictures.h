// What can be seen of a network of pictures: what its filters make of one, how far each layer looks, and what
// chance makes of the pictures it learns from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/data/image.h"
#include "splot/nn/layer.h"

namespace splot {

/// How many pixels of the picture, across and down, one number of a layer's output depends on.
struct ReceptiveField {
  std::string layer;  ///< its path
  Index height = 0;
  Index width = 0;
  bool whole = false;  ///< all of the picture
};

/// One for each layer, in the order they run, for pictures of this shape; empty for samples of other shapes.
/// Runs the network once, on a batch without samples. A layer with `kernel`, `stride` and `dilation` widens
/// the field by (kernel - 1) dilation steps of the distance that its input's neighbours have in the picture,
/// and its stride multiplies that distance; what has lost height and width sees everything, and what works
/// element by element as far as its input. Where branches meet, the widest counts.
///
///   receptive_fields(net, {3, 64, 64})   // "conv1": 3 x 3, "pool1": 4 x 4, "conv2": 8 x 8
SPLOT_API std::vector<ReceptiveField> receptive_fields(Layer& model, const Shape& sample);

/// What one layer makes of one picture.
struct FeatureMaps {
  std::string layer;
  std::vector<Image> maps;  ///< grey, each from its lowest number, black, to its highest, white
  Index filters = 0;        ///< how many maps there are; the first ones are shown
};

/// The maps of a sample as it is stored, [channels, height, width]: the last ones of each size the network
/// brings pictures to, as in use. Empty where a network has none.
SPLOT_API std::vector<FeatureMaps> feature_maps(Layer& model, const Dataset& data, Index sample,
                                                std::size_t most = 8);

/// A picture, and what a Loader with this seed makes of it in the epochs 1, 2, 3, ...
struct ChangedPicture {
  Index number = 0;
  Image before;
  std::vector<Image> after;
};

/// Of the first examples of `data`, each of a class of its own as long as there are any. Empty where nothing
/// is changed by chance.
SPLOT_API std::vector<ChangedPicture> changed_pictures(const Dataset& data, std::uint64_t seed,
                                                       std::size_t pictures = 4, std::size_t versions = 8);

/// The picture in grey under the numbers [height, width] of its pixels: red where they are above 0, blue
/// where they are below, strongest at the largest absolute one. ShapeError when they are not as many as
/// pixels.
///
///   Image seen = heat_picture(picture, occlusion(net, x, answer));
SPLOT_API Image heat_picture(const Image& picture, const Tensor& heat);

/// No side longer than `most`; smaller ones stay as they are.
SPLOT_API Image thumbnail(const Image& picture, Index most);

/// Pictures side by side in rows of `columns`, each in a cell as large as the largest, with a grey line
/// between; all grey, or some in colour and then all. No pictures give one pixel.
SPLOT_API Image contact_sheet(const std::vector<Image>& pictures, std::size_t columns);

}  // namespace splot
