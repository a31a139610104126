#include <algorithm>
#include <utility>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/error.h"
#include "splot/data/digits.h"
#include "splot/data/displaced.h"
#include "splot/data/image_sets.h"
#include "splot/data/mnist.h"
#include "splot/recipe/build.h"
#include "splot/recipe/pictures.h"

namespace splot {
namespace {

Tensor rows_tensor(const std::vector<std::vector<double>>& rows) {
  std::vector<double> values;
  for (const std::vector<double>& row : rows) values.insert(values.end(), row.begin(), row.end());
  return Tensor::from(values, {static_cast<Index>(rows.size()), static_cast<Index>(rows.front().size())});
}

Index side_of(const DataRecipe& data) { return data.size == 0 ? 64 : data.size; }

ImageFolderOptions folder_options(const DataRecipe& data) {
  return {.channels = data.channels,
          .height = side_of(data),
          .width = side_of(data),
          .fit = data.fit == "crop" ? ImageFit::crop : ImageFit::stretch,
          .memory_limit = static_cast<std::uint64_t>(data.memory) << 20,
          .threads = cpu::num_threads()};
}

// The validation part of sets that have none comes from the back of the training part.
DataSplits with_validation(DataSplits parts, Index count) {
  if (parts.validation.size() > 0 || count == 0) return parts;
  const Index size = parts.train.size();
  require<ValueError>(count < size, "recipe", "data.validation asks for ", count, " of the ", size,
                      " training examples of ", parts.train.name());
  parts.validation = parts.train.slice(size - count, count);
  parts.train = parts.train.slice(0, size - count);
  return parts;
}

DataSplits load_images(const DataRecipe& data) {
  if (data.name == "mnist") return load_mnist({.validation = data.validation});
  if (data.name == "fashion-mnist") return load_fashion_mnist({.validation = data.validation});
  if (data.name == "cifar-10") return with_validation(load_cifar10(cpu::num_threads()), data.validation);
  if (!has_picture_files(data)) return make_digits({.validation = data.validation});
  const SplitOptions split{.test = data.test, .seed = static_cast<std::uint64_t>(data.split_seed)};
  if (data.name == "eurosat")
    return with_validation(load_eurosat(folder_options(data), split), data.validation);
  return with_validation(ImageFolder(data.folder, folder_options(data)).split(split), data.validation);
}

Dataset first_examples(const Dataset& all, Index count) {
  if (count == 0) return all;
  require<ValueError>(count <= all.size(), "recipe", "data.train asks for ", count, " examples of ",
                      all.name(), "; there are ", all.size(), " beside the validation set");
  return all.slice(0, count);
}

void set_preprocessing(RecipeData& data, const Preprocessing& p) {
  data.train = data.train.with_preprocessing(p);
  if (data.validation) data.validation = data.validation->with_preprocessing(p);
  if (data.test) data.test = data.test->with_preprocessing(p);
}

// One number stands for all channels where the other list has one for each.
double of_channel(const std::vector<double>& given, std::size_t channel) {
  return given.size() == 1 ? given.front() : given[channel];
}

Preprocessing given_preprocessing(const DataRecipe& recipe, const Dataset& train) {
  const double divisor = train.preprocessing().divisor;
  const std::size_t count = std::max(recipe.mean.size(), recipe.std.size());
  if (count == 1) return {.divisor = divisor, .mean = recipe.mean.front(), .deviation = recipe.std.front()};
  Preprocessing out{.divisor = divisor};
  const Shape sample = train.sample_shape();
  out.shared = static_cast<std::size_t>(sample[1] * sample[2]);
  for (std::size_t channel = 0; channel < count; ++channel) {
    out.means.push_back(of_channel(recipe.mean, channel));
    out.deviations.push_back(of_channel(recipe.std, channel));
  }
  return out;
}

// All parts see what is learned from the training part, or given.
RecipeData normalised(RecipeData data, const DataRecipe& recipe) {
  if (recipe.divisor > 0.0) set_preprocessing(data, {.divisor = recipe.divisor});
  const std::string& how = recipe.normalise;
  if (how == "symmetric") {
    set_preprocessing(data, {.divisor = data.train.preprocessing().divisor, .mean = 0.5, .deviation = 0.5});
  }
  if (how == "standard") set_preprocessing(data, standardised(data.train));
  if (how == "channels") set_preprocessing(data, standardised_by_channel(data.train));
  if (how == "features") set_preprocessing(data, standardised_by_feature(data.train));
  if (!recipe.mean.empty()) set_preprocessing(data, given_preprocessing(recipe, data.train));
  if (how == "none" && recipe.divisor == 0.0) set_preprocessing(data, {});
  return data;
}

Shape stored_shape(const DataRecipe& data) {
  if (data.name == "table") return {static_cast<Index>(data.inputs.front().size())};
  if (data.name == "cifar-10") return {3, 32, 32};
  if (has_picture_files(data)) return {data.channels, side_of(data), side_of(data)};
  return {1, 28, 28};
}

Dataset cropped(const Dataset& data, const DataRecipe& recipe) {
  return recipe.crop == 0 ? data : data.with_crop(recipe.crop, recipe.crop);
}

}  // namespace

Shape sample_shape(const Recipe& recipe) {
  const Shape stored = stored_shape(recipe.data);
  return recipe.data.crop == 0 ? stored : Shape{stored[0], recipe.data.crop, recipe.data.crop};
}

std::optional<Shape> uncut_shape(const Recipe& recipe) {
  if (recipe.data.crop == 0) return std::nullopt;
  return stored_shape(recipe.data);
}

RecipeData load_data(const DataRecipe& data) {
  if (data.name == "table") {
    const Dataset table("table", rows_tensor(data.inputs), rows_tensor(data.targets));
    return normalised({first_examples(table, data.train), std::nullopt, std::nullopt}, data);
  }
  DataSplits parts = load_images(data);
  const Dataset train = first_examples(parts.train, data.train);
  RecipeData out{cropped(train, data), std::nullopt, std::nullopt};
  if (parts.validation.size() > 0) out.validation = cropped(parts.validation, data);
  if (parts.test.size() > 0) out.test = cropped(parts.test, data);
  out = normalised(std::move(out), data);
  if (data.displaced > 0) {
    out.train =
        cropped(with_displaced(train, data.displaced), data).with_preprocessing(out.train.preprocessing());
  }
  out.train = out.train.with_transforms(data.transforms, cpu::num_threads());
  return out;
}

const std::vector<std::string>& data_names() {
  static const std::vector<std::string> names = {"mnist",    "fashion-mnist", "digits", "eurosat",
                                                 "cifar-10", "images",        "table"};
  return names;
}

}  // namespace splot
