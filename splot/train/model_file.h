// A trained network in one file: enough to predict with, on any machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/nn/layer.h"

namespace splot {

/// Which pictures a model learned from, and how they were made ready: without it nobody could find those
/// again that it has never seen.
struct PictureOrigin {
  std::string folder = {};   ///< or archive, as it was given; empty for a set that has a name
  std::string fit = "crop";  ///< how pictures got the size of an example: crop or stretch
  double test = 0.2;         ///< the share of each class that was kept for testing, where folders did not say
  Index split_seed = 1;      ///< chose which
  std::string listing = {};  ///< a hash of the names of all pictures: the split depends on them

  friend bool operator==(const PictureOrigin&, const PictureOrigin&) = default;
};

/// What a model file says beside architecture and weights.
struct ModelInfo {
  Shape sample;                                ///< of one example, as it is stored: [1, 28, 28]
  Preprocessing preprocessing = {};            ///< from stored inputs to what the network sees
  std::vector<std::string> classes = {};       ///< one name for each output; empty for regression
  std::string loss = {};                       ///< what it was trained with: says what the outputs mean
  std::string data = {};                       ///< the data it was trained on
  std::string recipe = {};                     ///< the recipe's id
  std::optional<PictureOrigin> pictures = {};  ///< of models that learned from picture files
  /// Of the pictures, [channels, height, width], of which `sample` is the piece in the middle
  /// (Dataset::with_crop); none where nothing is cut.
  std::optional<Shape> uncut = {};
};

struct ModelFile {
  LayerPtr model;
  ModelInfo info;
  DType dtype = kFloat32;
};

/// Writes a safetensors file: the weights under their paths; architecture and info as JSON in the metadata.
/// The file appears whole or not at all. Throws IoError.
///
///   save_model("model.safetensors", net, {.sample = {1, 28, 28}, .classes = {"cat", "dog"}});
SPLOT_API void save_model(const std::string& path, Layer& model, const ModelInfo& info);

/// Throws IoError when the file cannot be read, FormatError when it is damaged, is no model of Splot, or its
/// weights do not fit its architecture.
SPLOT_API ModelFile load_model(const std::string& path);

/// Examples as they are stored [n, ...], made ready as the data were that judged the network: the middle is
/// cut out where it sees that alone, then comes its preprocessing. A data set without answers: each is 0.
///
///   Tensor y = (*file.model)(prepared(file.info, pictures).batch(0, n).inputs);
SPLOT_API Dataset prepared(const ModelInfo& info, const Tensor& stored);

/// SHA-256 over names, types, shapes and elements of all weights, not over a file: equal for networks that
/// compute the same.
SPLOT_API std::string weights_sha256(Layer& model);

}  // namespace splot
