#include "apps/cli/test_part.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "splot/recipe/build.h"
#include "splot/recipe/pictures.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

struct Found {
  DataRecipe recipe;
  std::string note;  // what has to be known of the figures; empty: nothing
};

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// The data asked for by name or folder, as pictures of the size that the network takes.
DataRecipe asked_for(const std::string& name, const DataRecipe& trained_on) {
  DataRecipe out;
  out.name = name;
  out.size = trained_on.size;
  out.channels = trained_on.channels;
  out.fit = trained_on.fit;
  out.crop = trained_on.crop;
  const std::vector<std::string>& names = data_names();
  if (out.name == "images" || std::find(names.begin(), names.end(), out.name) == names.end()) {
    if (!is_there(out.name)) throw UsageError(say(Message::data_unknown, out.name));
    out.folder = std::exchange(out.name, "images");
  }
  return out;
}

// Which pictures are for testing follows from the names of all: those that the network has learned from are
// cut as they were then, wherever they lie now; others in the standard way.
Found data_for(const std::string& model, const ModelFile& file, const std::string& asked_name) {
  const DataRecipe own = data_of_model(file.info);
  const std::optional<PictureOrigin>& origin = file.info.pictures;
  if (asked_name.empty()) {
    if (own.name == "table") throw UsageError(say(Message::eval_table));
    if (own.name == "images" && !origin) throw UsageError(say(Message::eval_needs_data, model));
    if (own.name == "images" && !is_there(own.folder)) {
      throw UsageError(say(Message::eval_gone, model, own.folder));
    }
  }
  DataRecipe asked = asked_name.empty() ? own : asked_for(asked_name, own);
  if (asked.name == "table") throw UsageError(say(Message::eval_table));
  if (!has_picture_files(asked) || !has_picture_files(own)) return {asked, ""};
  if (!origin) return {asked, say(Message::eval_split_unknown, model)};
  if (picture_listing(asked) == origin->listing) {
    asked.test = own.test;
    asked.split_seed = own.split_seed;
    return {asked, ""};
  }
  return {asked, say(asked_name.empty() ? Message::eval_changed : Message::eval_other_pictures,
                     asked.folder.empty() ? asked.name : asked.folder)};
}

}  // namespace

TestPart find_test_part(const std::string& model_name, const ModelFile& model, const std::string& asked) {
  const auto [recipe, note] = data_for(model_name, model, asked);
  const std::string& shown = recipe.folder.empty() ? recipe.name : recipe.folder;
  const RecipeData data = load_data(recipe);
  if (!data.test) throw UsageError(say(Message::data_no_part, shown, "test"));
  // A piece of another picture is as large, but shows more of it, or less.
  const Shape& taken = model.info.uncut ? *model.info.uncut : model.info.sample;
  if (!(data.test->uncut_shape() == taken && data.test->sample_shape() == model.info.sample)) {
    throw UsageError(
        say(Message::eval_shape, model_name, taken.to_string(), shown, data.test->uncut_shape().to_string()));
  }
  // As the network has learned to see them, whatever the data set's own way is.
  const Dataset test = data.test->with_preprocessing(model.info.preprocessing);
  if (!model.info.classes.empty() && model.info.classes != test.classes()) {
    throw UsageError(
        say(Message::eval_classes, model_name, list_of(model.info.classes), shown, list_of(test.classes())));
  }
  if (!note.empty()) print_progress(say(Message::note, note) + '\n');
  return {shown, test, data.train.with_preprocessing(model.info.preprocessing)};
}

}  // namespace splot::cli
