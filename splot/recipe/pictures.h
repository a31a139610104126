// Pictures of a trained network: which it learned from, and how to read them, and others, the same way again.
#pragma once

#include <optional>
#include <string>

#include "splot/core/export.h"
#include "splot/recipe/recipe.h"
#include "splot/train/model_file.h"

namespace splot {

/// Whether the data are files of pictures, of any size: "images" and "eurosat".
SPLOT_API bool has_picture_files(const DataRecipe& data);

/// A hash of the names of the pictures that the data are made of: equal where the same pictures lie in
/// another place, or are packed; other when one was added, removed or renamed, which changes how all are
/// split. Empty for other data, and for a set with a name that is not there. Throws what ImageFolder throws.
SPLOT_API std::string picture_listing(const DataRecipe& data);

/// What a model file keeps of the pictures of a recipe; nothing for data of other kinds. Throws what
/// picture_listing() throws.
///
///   save_model(path, *run.model, {..., .pictures = picture_origin(run.recipe.data)});
SPLOT_API std::optional<PictureOrigin> picture_origin(const DataRecipe& data);

/// The data that a model file names, of the size and channels that the model takes, fitted and split as they
/// were when it was trained.
///
///   RecipeData data = load_data(data_of_model(load_model("model.safetensors").info));
SPLOT_API DataRecipe data_of_model(const ModelInfo& info);

}  // namespace splot
