#include "splot/recipe/recipe.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "splot/core/error.h"
#include "splot/recipe/build.h"
#include "splot/recipe/internal/layer_types.h"
#include "splot/recipe/internal/recipe_keys.h"

namespace splot {
namespace {

using namespace recipe_detail;  // NOLINT(google-build-using-namespace): a source file's own helpers

constexpr std::string_view kLayers = "model.layers";
constexpr std::string_view kParts = "schedule.parts";
constexpr std::string_view kTransforms = "data.transforms";
constexpr std::size_t kMostTables = 1000;  // in a list of them

[[noreturn]] void refuse_unknown(std::string_view name, const toml::node& node, const Source& source) {
  source.refuse(node,
                join("there is no key ", name, "; did you mean ", nearest_key(name, recipe_keys()), '?'));
}

template <typename T>
AttrValue read_as(T value, const Reading& from) {
  read(value, from);
  return value;
}

// The value in the type of the standard one: 1 is a number where 0.5 is the standard.
AttrValue read_argument(const AttrValue& standard, const Reading& from) {
  if (std::holds_alternative<bool>(standard)) return read_as(false, from);
  if (std::holds_alternative<double>(standard)) return read_as(0.0, from);
  if (std::holds_alternative<std::string>(standard)) return read_as(std::string(), from);
  if (std::holds_alternative<DType>(standard)) return read_as(kFloat32, from);
  if (std::holds_alternative<Index>(standard)) {
    Index value = 0;
    read(value, from, -kWidest, kWidest);
    return value;
  }
  if (from.node.is_integer()) {  // one number for all axes
    Index value = 0;
    read(value, from, -kWidest, kWidest);
    return Ints{value};
  }
  std::vector<Index> values;
  read(values, from, -kWidest, kWidest);
  if (values.size() > kMaxRank) from.refuse(join("has more than ", kMaxRank, " elements"));
  return Ints(std::span<const Index>(values));
}

// Builds the layer alone, so that a value no layer takes is refused where it is written.
void check_arguments(const LayerRecipe& layer, const Reading& from) {
  const auto is_size = [](const std::string& name) {
    return name == "in" || name == "out" || name == "channels";
  };
  LayerDescription alone;
  alone.type = layer.type;
  const Arguments standard = standard_arguments(layer.type);
  alone.arguments = standard;
  for (const auto& [name, value] : layer.arguments.values()) {
    if (!is_size(name)) alone.arguments.set(name, value);
    if (name != "groups") continue;  // whatever the channels are, they are known to be divisible later
    for (const auto& [usual, one] : standard.values()) {
      if (is_size(usual)) alone.arguments.set(usual, value);
    }
  }
  try {
    build(alone);
  } catch (const Error& error) {
    from.refuse(error.what());
  }
}

void read_layer(LayerRecipe& layer, const toml::table& fields, const Source& source) {
  const auto type = fields.find("type");
  if (type == fields.end()) Reading{fields, "a layer", source}.refuse("needs a type");
  find(layer_table(), "type")->read_into(layer, {type->second, join(kLayers, ".type"), source});
  const Arguments standard = standard_arguments(layer.type);
  for (const auto& [name, value] : fields) {
    const std::string full = join(kLayers, '.', name.str());
    const Reading from{value, full, source};
    if (const Key<LayerRecipe>* known = find(layer_table(), name.str())) {
      known->read_into(layer, from);
      continue;
    }
    bool found = false;
    for (const auto& [argument, usual] : standard.values()) {
      if (argument != name.str() || argument == "dtype") continue;
      layer.arguments.set(argument, read_argument(usual, from));
      check_arguments(layer, from);
      found = true;
    }
    if (found) continue;
    std::vector<std::string> candidates;
    for (const Key<LayerRecipe>& key : layer_table()) candidates.push_back(key.name);
    for (const auto& entry : standard.values()) candidates.push_back(entry.first);
    source.refuse(value, join("a ", layer.type, " layer has no ", name.str(), "; did you mean ",
                              nearest_key(name.str(), candidates), '?'));
  }
}

// The keys of a table in a list: `list` names it.
template <typename T>
auto reader_of(std::string_view list, const std::vector<Key<T>>& keys) {
  return [list, &keys](T& out, const toml::table& fields, const Source& source) {
    for (const auto& [name, value] : fields) {
      const std::string full = join(list, '.', name.str());
      const Key<T>* known = find(keys, name.str());
      if (known == nullptr) refuse_unknown(full, value, source);
      known->read_into(out, {value, full, source});
    }
  };
}

// Calls read_one(the new element of out, its fields) for each of a list of tables.
template <typename T, typename F>
void read_tables(std::vector<T>& out, const Reading& from, std::string_view expected, F&& read_one) {
  const toml::array* list = from.node.as_array();
  if (list == nullptr) from.wrong_type(expected);
  if (list->size() > kMostTables) from.refuse(join("has ", list->size(), " entries; at most ", kMostTables));
  out.clear();
  for (const toml::node& entry : *list) {
    const toml::table* fields = entry.as_table();
    if (fields == nullptr) from.element(entry).wrong_type(expected);
    read_one(out.emplace_back(), *fields, from.source);
  }
}

// A key that is a list of tables; false when it is none.
bool read_list(Recipe& out, const Reading& from) {
  if (from.key == kLayers) {
    read_tables(out.model.layers, from, "a list of layers", read_layer);
  } else if (from.key == kParts) {
    read_tables(out.schedule.parts, from, "a list of schedules", reader_of(kParts, part_table()));
  } else if (from.key == kTransforms) {
    read_tables(out.data.transforms, from, "a list of transforms", reader_of(kTransforms, transform_table()));
  } else {
    return false;
  }
  return true;
}

std::string write_argument(const AttrValue& value) {
  if (const Ints* ints = std::get_if<Ints>(&value))
    return write(std::vector<Index>(ints->begin(), ints->end()));
  return std::visit(
      [](const auto& x) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(x)>, Ints>) {
          return std::string();
        } else {
          return write(x);
        }
      },
      value);
}

void read_table(Recipe& out, const toml::table& table, const std::string& prefix, const Source& source) {
  for (const auto& [name, value] : table) {
    const std::string full = prefix.empty() ? std::string(name.str()) : join(prefix, '.', name.str());
    if (read_list(out, {value, full, source})) continue;
    if (const Key<Recipe>* known = find(recipe_table(), full)) {
      known->read_into(out, {value, full, source});
    } else if (const toml::table* inner = value.as_table(); inner != nullptr && prefix.empty()) {
      bool section = false;
      for (const std::string& other : recipe_keys()) section = section || other.rfind(full + '.', 0) == 0;
      if (!section) refuse_unknown(full, value, source);
      read_table(out, *inner, full, source);
    } else {
      refuse_unknown(full, value, source);
    }
  }
}

// What is wrong with data.mean and data.std; empty: nothing.
std::string problem_of_given_moments(const Recipe& recipe) {
  const DataRecipe& data = recipe.data;
  if (data.mean.empty() && data.std.empty()) return {};
  if (data.mean.empty() || data.std.empty()) return "data.mean and data.std belong together; give both";
  if (data.name == "table") return "data.mean and data.std are of pictures; a table has none";
  if (data.normalise != "unit") {
    return join("data.normalise = \"", data.normalise,
                "\" says what data.mean and data.std say; leave it out or leave them out");
  }
  const auto channels = static_cast<std::size_t>(sample_shape(recipe)[0]);
  for (const auto& [key, values] : {std::pair{"data.mean", &data.mean}, {"data.std", &data.std}}) {
    if (values->size() == 1 || values->size() == channels) continue;
    return join(key, " has ", values->size(), " numbers; it takes one for all pixels",
                channels == 1 ? "" : join(", or ", channels, ", one for each channel"));
  }
  for (const double mean : data.mean) {
    if (!std::isfinite(mean)) return join("data.mean holds ", mean, "; means are finite");
  }
  for (const double deviation : data.std) {
    if (!(deviation > 0.0) || !std::isfinite(deviation)) {
      return join("data.std holds ", deviation, "; standard deviations are finite and above 0");
    }
  }
  return {};
}

template <typename T>
void write_changed(std::string& out, const Key<T>& entry, const T& value, const T& standard) {
  const std::string text = entry.write_from(value);
  if (text != entry.write_from(standard)) out += entry.name + " = " + text + '\n';
}

}  // namespace

Recipe parse_recipe(std::string_view text, std::string_view source) {
  const toml::table table = parse_toml(text, source);
  Recipe recipe;
  recipe.id = std::filesystem::path(source).stem().string();
  read_table(recipe, table, "", Source{source});
  check_recipe(recipe, source);
  return recipe;
}

Recipe load_recipe(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  require<IoError>(file.is_open() && !std::filesystem::is_directory(path), "recipe", "cannot open ", path);
  // One byte more than is allowed, so that a text too long is seen to be so and never read whole.
  std::string text(kMaxTomlBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  require<IoError>(!file.bad(), "recipe", "cannot read ", path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_recipe(text, path);
}

void set_value(Recipe& recipe, std::string_view assignment) {
  const std::string where = join("--set ", assignment);
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw ValueError(join(where, ": write KEY=VALUE, for example optimizer.lr=0.5"));
  }
  const auto trimmed = [](std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return std::string();
    return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
  };
  const std::string name = trimmed(assignment.substr(0, equals));
  const std::string value = trimmed(assignment.substr(equals + 1));
  const Source source{where, false};
  toml::table parsed;
  try {
    parsed = parse_toml(join("value = ", value), "--set");
  } catch (const FormatError&) {
    // Not a TOML value: a word, which needs no quotes on the command line.
    parsed.insert("value", value);
  }
  const toml::node& node = *parsed.get("value");
  if (read_list(recipe, {node, name, source})) return;
  if (const Key<Recipe>* known = find(recipe_table(), name)) {
    known->read_into(recipe, {node, name, source});
  } else {
    refuse_unknown(name, node, source);
  }
}

void check_recipe(const Recipe& recipe, std::string_view source) {
  const auto check = [&](bool holds, std::string_view reason) {
    if (!holds) throw FormatError(join(source, ": ", reason));
  };
  check(!recipe.data.name.empty(),
        "data.name is missing: mnist, fashion-mnist, digits, eurosat, cifar-10, images or table");
  check(recipe.data.name != "images" || !recipe.data.folder.empty(),
        "data.name = \"images\" needs data.folder, where the pictures are");
  check(recipe.data.name == "images" || recipe.data.folder.empty(),
        join("data.folder belongs to data.name = \"images\", not \"", recipe.data.name, '"'));
  check(recipe.data.channels != 2, "data.channels is 2; pictures have 1 (grey) or 3 (colour)");
  check(recipe.data.name != "table" || recipe.data.normalise != "channels",
        "data.normalise = \"channels\" needs pictures; the columns of a table are \"features\"");
  const ModelRecipe& model = recipe.model;
  check(!model.layers.empty() + !model.dense.empty() + !model.name.empty() <= 1,
        "model.layers, model.dense and model.name are ways to say the same; give one of them");
  check(!model.layers.empty() || !model.name.empty() || model.dense.size() >= 2,
        "there is no model: give model.dense = [inputs, ..., outputs], model.name or [[model.layers]]");
  const PublishedRecipe& published = recipe.published;
  check(published.source.empty() || (!published.bounds.empty() && !published.reason.empty()),
        "published.source needs published.bounds, what has to hold of the runs, and published.reason, why");
  check(!published.source.empty() || published.bounds.empty(),
        "published.bounds needs published.source: who published what is compared with, where");
  check(published.norms.empty() || published.norms.size() + 2 <= recipe.model.dense.size(),
        "published.norms has more rows than model.dense has hidden layers");
  for (std::size_t i = 0; i < published.norms.size(); ++i) {
    check(published.norms[i].empty() || published.norms[i].size() == i + 1,
          join("row ", i + 1, " of published.norms needs ", i + 1,
               " numbers or none, one for each hidden layer"));
  }
  for (const double weight : recipe.loss.class_weights) {
    check(weight >= 0.0, join("loss.class_weights holds ", weight, "; weights are at least 0"));
  }
  check(!recipe.optimizer.nesterov || recipe.optimizer.momentum > 0.0,
        "optimizer.nesterov needs optimizer.momentum");
  const TrainRecipe& train = recipe.train;
  check(train.average == "none" || train.average_start <= train.epochs || train.epochs == 0,
        join("train.average_start is ", train.average_start,
             ", after the last epoch, train.epochs = ", train.epochs));
  const std::vector<SchedulePart>& parts = recipe.schedule.parts;
  check(parts.empty() || recipe.schedule.name == "constant",
        "schedule.name and schedule.parts are two ways to say it; give one of them");
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    check(
        parts[i].epochs + parts[i].steps > 0,
        join("part ", i + 1, " of schedule.parts needs epochs or steps; only the last may go on to the end"));
  }
  const bool penalized = recipe.loss.l1 > 0.0 || recipe.loss.l2 > 0.0 || recipe.optimizer.weight_decay > 0.0;
  check(recipe.optimizer.name != "lbfgs" || !penalized,
        "lbfgs looks at the loss itself and cannot take loss.l1, loss.l2 or optimizer.weight_decay");
  const DataRecipe& data = recipe.data;
  const bool table = data.name == "table";
  check(!table || data.transforms.empty(), "data.transforms change pictures; a table has none");
  check(!table || data.displaced == 0, "data.displaced moves pictures; a table has none");
  for (std::size_t i = 0; i < data.transforms.size(); ++i) {
    const Transform& t = data.transforms[i];
    const std::string problem = t.name.empty() ? "needs a name" : problem_of(t);
    check(problem.empty(), join("transform ", i + 1, " of data.transforms: ", problem));
  }
  check(!table || data.crop == 0, "data.crop cuts pictures; a table has none");
  if (const std::optional<Shape> uncut = table ? std::nullopt : uncut_shape(recipe)) {
    check(data.crop > 0 && data.crop <= (*uncut)[1],
          join("data.crop is ", data.crop, "; the pictures are ", (*uncut)[2], " x ", (*uncut)[1]));
  }
  const std::string moments = problem_of_given_moments(recipe);
  check(moments.empty(), moments);
  check(table || (data.inputs.empty() && data.targets.empty()),
        join("data.inputs and data.targets belong to data.name = \"table\", not \"", data.name, '"'));
  if (!table) return;
  for (const std::string& name : recipe.train.metrics) {
    check(!name.starts_with("top_"), join("train.metrics: ", name, " needs classes; a table has targets"));
  }
  check(recipe.train.watch == "val", "train.watch = \"test\" needs data with a test part; a table has none");
  check(!data.inputs.empty() && !data.inputs.front().empty(), "data.inputs is missing");
  check(data.inputs.size() == data.targets.size(),
        join("data.inputs has ", data.inputs.size(), " rows and data.targets has ", data.targets.size()));
  check(recipe.loss.name != "cross_entropy" && recipe.loss.name != "nll",
        "a table has targets, not classes: use loss.name = \"mse\", \"half_squared_error\", "
        "\"quadratic_cost\" or \"binary_cross_entropy\"");
}

std::string to_toml(const Recipe& recipe) {
  std::string out;
  std::string section;
  for (const Key<Recipe>& entry : recipe_table()) {
    const std::size_t dot = entry.name.find('.');
    const std::string table = dot == std::string::npos ? "" : entry.name.substr(0, dot);
    if (table != section) {
      out += "\n[" + table + "]\n";
      section = table;
    }
    const std::string text = entry.write_from(recipe);
    if (!text.empty() && text != "[]") out += entry.name.substr(dot + 1) + " = " + text + '\n';
  }
  for (const Transform& transform : recipe.data.transforms) {
    out += join("\n[[", kTransforms, "]]\n");
    for (const Key<Transform>& entry : transform_table()) write_changed(out, entry, transform, Transform());
  }
  for (const SchedulePart& part : recipe.schedule.parts) {
    out += join("\n[[", kParts, "]]\n");
    for (const Key<SchedulePart>& entry : part_table()) write_changed(out, entry, part, SchedulePart());
  }
  for (const LayerRecipe& layer : recipe.model.layers) {
    out += "\n[[model.layers]]\n";
    for (const Key<LayerRecipe>& entry : layer_table()) write_changed(out, entry, layer, LayerRecipe());
    for (const auto& [name, value] : layer.arguments.values())
      out += name + " = " + write_argument(value) + '\n';
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> recipe_values(const Recipe& recipe) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto add = [&](const std::string& name, const std::string& text) {
    if (!text.empty() && text != "[]" && text != "\"\"") out.emplace_back(name, text);
  };
  for (const Key<Recipe>& entry : recipe_table()) add(entry.name, entry.write_from(recipe));
  for (std::size_t i = 0; i < recipe.data.transforms.size(); ++i) {
    for (const Key<Transform>& entry : transform_table())
      add(join(kTransforms, '.', i, '.', entry.name), entry.write_from(recipe.data.transforms[i]));
  }
  for (std::size_t i = 0; i < recipe.schedule.parts.size(); ++i) {
    const SchedulePart& part = recipe.schedule.parts[i];
    for (const Key<SchedulePart>& entry : part_table())
      add(join(kParts, '.', i, '.', entry.name), entry.write_from(part));
  }
  for (std::size_t i = 0; i < recipe.model.layers.size(); ++i) {
    const LayerRecipe& layer = recipe.model.layers[i];
    for (const Key<LayerRecipe>& entry : layer_table())
      add(join(kLayers, '.', i, '.', entry.name), entry.write_from(layer));
    for (const auto& [name, value] : layer.arguments.values())
      add(join(kLayers, '.', i, '.', name), write_argument(value));
  }
  return out;
}

std::vector<std::string> recipe_keys() {
  std::vector<std::string> out;
  for (const Key<Recipe>& entry : recipe_table()) out.push_back(entry.name);
  for (const Key<Transform>& entry : transform_table()) out.push_back(join(kTransforms, '.', entry.name));
  for (const Key<SchedulePart>& entry : part_table()) out.push_back(join(kParts, '.', entry.name));
  for (const Key<LayerRecipe>& entry : layer_table()) out.push_back(join(kLayers, '.', entry.name));
  return out;
}

}  // namespace splot
