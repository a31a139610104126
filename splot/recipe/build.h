// From a recipe to the things it describes: data, model, loss, optimiser, schedule.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/nn/layer.h"
#include "splot/optim/optimizer.h"
#include "splot/optim/schedule.h"
#include "splot/recipe/recipe.h"
#include "splot/train/trainer.h"

namespace splot {

/// The shape of one example of the recipe's data, known without reading it: [1, 28, 28].
SPLOT_API Shape sample_shape(const Recipe& recipe);
/// The same of the pictures of which data.crop cuts a piece; none where nothing is cut.
SPLOT_API std::optional<Shape> uncut_shape(const Recipe& recipe);

/// The layers of the recipe one by one: model.dense written out, every name and every number of inputs filled
/// in. Throws ShapeError when a layer does not fit the shape that arrives, ValueError when it takes a layer
/// that is not before it.
SPLOT_API std::vector<LayerRecipe> resolve_layers(const ModelRecipe& model, const Shape& sample);

/// The network of resolved layers, with its first values: a function of the seed. A Sequential, or a
/// LayerGraph where layers have inputs. Values given in the layers are assigned and parameters named frozen
/// are frozen.
SPLOT_API LayerPtr build_model(const std::vector<LayerRecipe>& layers, DType dtype, std::uint64_t seed);
/// The network of the recipe for examples of this shape, with its first values. Throws what resolve_layers()
/// throws, and ValueError when what the model is asked for does not fit it or the sample.
SPLOT_API LayerPtr build_model(const ModelRecipe& model, const Shape& sample, DType dtype,
                               std::uint64_t seed);

struct RecipeData {
  Dataset train;
  std::optional<Dataset> validation;
  std::optional<Dataset> test;
};
/// Reads the data. Throws IoError when it is not there, ValueError when there is less than the recipe asks
/// for.
SPLOT_API RecipeData load_data(const DataRecipe& data);

/// How many examples there are to learn from. The data are looked at only where penalties are divided by the
/// number and the recipe takes all there are; else it may be 0 for all.
SPLOT_API Index examples_to_learn_from(const Recipe& recipe);

/// Losses that compare numbers take class numbers too, as one-hot rows. Without the penalties: those are the
/// optimiser's.
SPLOT_API LossFunction build_loss(const LossRecipe& recipe);
/// By name alone, with the standard options.
SPLOT_API LossFunction build_loss(const std::string& name);
/// What to watch (train.metrics). Metrics of numbers take class numbers as one-hot rows, like the losses.
SPLOT_API std::vector<MetricFunction> build_metrics(const Recipe& recipe, bool classes);
/// With the penalties of the loss, for so many examples to learn from. Where penalties leave out biases, the
/// weights are the optimiser's first group.
SPLOT_API std::unique_ptr<Optimizer> build_optimizer(const Recipe& recipe, Layer& model, Index examples);
SPLOT_API Schedule build_schedule(const Recipe& recipe, Index steps_per_epoch);

}  // namespace splot
