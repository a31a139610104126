#include "splot/recipe/recipe.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include "splot/core/error.h"
#include "splot/nn/init.h"
#include "splot/recipe/internal/layer_types.h"
#include "splot/recipe/internal/toml_values.h"

namespace splot {
namespace {

using namespace recipe_detail;  // NOLINT(google-build-using-namespace): a source file's own helpers

constexpr Index kMostExamples = 1'000'000'000;
constexpr Index kWidest = 1'000'000;
constexpr std::size_t kMostLayers = 1000;

// One key: how it is read into a T and written back. The tables below are the only list of keys: reading,
// --set, writing, and the words of an error about an unknown key are all made from them.
template <typename T>
struct Key {
  std::string name;
  std::function<void(T&, const Reading&)> read_into;
  std::function<std::string(const T&)> write_from;
};

// member(T&) -> the value; further arguments are the limits read() takes.
template <typename T, typename Member, typename... Limits>
Key<T> key(std::string name, Member member, Limits... limits) {
  return {std::move(name), [=](T& out, const Reading& from) { read(member(out), from, limits...); },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

template <typename T, typename Member>
Key<T> word(std::string name, Member member, std::vector<std::string> choices) {
  return {std::move(name), [=](T& out, const Reading& from) { read_choice(member(out), from, choices); },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

// "he_uniform", "normal(0, 0.1)"; empty: the layer's own way.
template <typename T, typename Member>
Key<T> initialiser(std::string name, Member member) {
  return {std::move(name),
          [=](T& out, const Reading& from) {
            read(member(out), from);
            if (member(out).empty()) return;
            try {
              Initializer::parse(member(out));
            } catch (const Error& error) {
              from.refuse(join("is not an initialiser: ", error.what()));
            }
          },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

// Each text is a Bound.
template <typename T, typename Member>
Key<T> bounds(std::string name, Member member) {
  return {std::move(name),
          [=](T& out, const Reading& from) {
            read(member(out), from);
            try {
              for (const std::string& text : member(out)) Bound::parse(text);
            } catch (const Error& error) {
              from.refuse(join("is no list of bounds: ", error.what()));
            }
          },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

// Rows of any lengths.
template <typename T, typename Member>
Key<T> ragged_rows(std::string name, Member member) {
  return {std::move(name), [=](T& out, const Reading& from) { read_ragged(member(out), from); },
          [=](const T& in) { return write(member(const_cast<T&>(in))); }};
}

#define SPLOT_MEMBER(path) \
  [](auto& r) -> auto& { return r.path; }

const std::vector<Key<Recipe>>& recipe_table() {
  using R = Recipe;
  static const std::vector<Key<R>> table = {
      key<R>("title", SPLOT_MEMBER(title)),
      key<R>("seeds", SPLOT_MEMBER(seeds), Index{1}, Index{1000}),
      word<R>("data.name", SPLOT_MEMBER(data.name), {"mnist", "fashion-mnist", "digits", "table"}),
      key<R>("data.train", SPLOT_MEMBER(data.train), Index{0}, kMostExamples),
      key<R>("data.validation", SPLOT_MEMBER(data.validation), Index{0}, kMostExamples),
      word<R>("data.normalise", SPLOT_MEMBER(data.normalise), {"unit", "standard", "features", "none"}),
      key<R>("data.inputs", SPLOT_MEMBER(data.inputs)),
      key<R>("data.targets", SPLOT_MEMBER(data.targets)),
      key<R>("model.dense", SPLOT_MEMBER(model.dense), Index{1}, kWidest),
      word<R>("model.activation", SPLOT_MEMBER(model.activation), activation_types()),
      word<R>("model.output", SPLOT_MEMBER(model.output), activation_types()),
      initialiser<R>("model.init", SPLOT_MEMBER(model.init)),
      initialiser<R>("model.bias_init", SPLOT_MEMBER(model.bias_init)),
      key<R>("model.dropout", SPLOT_MEMBER(model.dropout), kShare),
      word<R>("loss.name", SPLOT_MEMBER(loss.name), loss_names()),
      key<R>("loss.label_smoothing", SPLOT_MEMBER(loss.label_smoothing), Range{0.0, 1.0}),
      key<R>("loss.class_weights", SPLOT_MEMBER(loss.class_weights)),
      key<R>("loss.delta", SPLOT_MEMBER(loss.delta), kPositive),
      key<R>("loss.l1", SPLOT_MEMBER(loss.l1), kNotNegative),
      key<R>("loss.l2", SPLOT_MEMBER(loss.l2), kNotNegative),
      key<R>("loss.penalize_biases", SPLOT_MEMBER(loss.penalize_biases)),
      key<R>("loss.penalty_over_n", SPLOT_MEMBER(loss.penalty_over_n)),
      word<R>("optimizer.name", SPLOT_MEMBER(optimizer.name), optimizer_names()),
      key<R>("optimizer.lr", SPLOT_MEMBER(optimizer.lr), kPositive),
      key<R>("optimizer.momentum", SPLOT_MEMBER(optimizer.momentum), kShare),
      key<R>("optimizer.nesterov", SPLOT_MEMBER(optimizer.nesterov)),
      word<R>("optimizer.momentum_form", SPLOT_MEMBER(optimizer.momentum_form), {"velocity", "increment"}),
      key<R>("optimizer.beta1", SPLOT_MEMBER(optimizer.beta1), kShare),
      key<R>("optimizer.beta2", SPLOT_MEMBER(optimizer.beta2), kShare),
      key<R>("optimizer.alpha", SPLOT_MEMBER(optimizer.alpha), kShare),
      key<R>("optimizer.centered", SPLOT_MEMBER(optimizer.centered)),
      key<R>("optimizer.lr_decay", SPLOT_MEMBER(optimizer.lr_decay), kNotNegative),
      key<R>("optimizer.initial", SPLOT_MEMBER(optimizer.initial), kNotNegative),
      key<R>("optimizer.history", SPLOT_MEMBER(optimizer.history), Index{1}, Index{10'000}),
      key<R>("optimizer.max_iter", SPLOT_MEMBER(optimizer.max_iter), Index{1}, Index{1'000'000}),
      key<R>("optimizer.eps", SPLOT_MEMBER(optimizer.eps), kPositive),
      key<R>("optimizer.weight_decay", SPLOT_MEMBER(optimizer.weight_decay), kNotNegative),
      key<R>("optimizer.maximize", SPLOT_MEMBER(optimizer.maximize)),
      word<R>("schedule.name", SPLOT_MEMBER(schedule.name),
              {"constant", "step", "exponential", "cosine", "linear", "cyclic", "one_cycle"}),
      key<R>("schedule.warmup", SPLOT_MEMBER(schedule.warmup), Index{0}, kMostExamples),
      key<R>("schedule.every", SPLOT_MEMBER(schedule.every), Index{1}, kMostExamples),
      key<R>("schedule.factor", SPLOT_MEMBER(schedule.factor), kPositive),
      key<R>("schedule.start", SPLOT_MEMBER(schedule.start), kNotNegative),
      key<R>("schedule.final", SPLOT_MEMBER(schedule.final), Range{0.0, 1.0}),
      key<R>("schedule.rise", SPLOT_MEMBER(schedule.rise), Range{0.0, 1.0, true, true}),
      key<R>("schedule.up", SPLOT_MEMBER(schedule.up), Index{1}, kMostExamples),
      key<R>("schedule.down", SPLOT_MEMBER(schedule.down), Index{0}, kMostExamples),
      word<R>("schedule.mode", SPLOT_MEMBER(schedule.mode), {"triangular", "triangular2", "exp_range"}),
      key<R>("schedule.gamma", SPLOT_MEMBER(schedule.gamma), kPositive),
      key<R>("train.epochs", SPLOT_MEMBER(train.epochs), Index{1}, Index{10'000'000}),
      key<R>("train.batch", SPLOT_MEMBER(train.batch), Index{0}, kMostExamples),
      key<R>("train.shuffle", SPLOT_MEMBER(train.shuffle)),
      word<R>("train.keep", SPLOT_MEMBER(train.keep), {"best", "last"}),
      word<R>("train.watch", SPLOT_MEMBER(train.watch), {"val", "test"}),
      key<R>("train.monitor", SPLOT_MEMBER(train.monitor)),
      key<R>("train.patience", SPLOT_MEMBER(train.patience), Index{0}, Index{10'000'000}),
      key<R>("train.min_delta", SPLOT_MEMBER(train.min_delta), kNotNegative),
      key<R>("train.accumulate", SPLOT_MEMBER(train.accumulate), Index{1}, kMostExamples),
      key<R>("train.clip_norm", SPLOT_MEMBER(train.clip_norm), kNotNegative),
      key<R>("train.clip_value", SPLOT_MEMBER(train.clip_value), kNotNegative),
      key<R>("train.checkpoint_every", SPLOT_MEMBER(train.checkpoint_every), Index{0}, kMostExamples),
      key<R>("train.dtype", SPLOT_MEMBER(train.dtype)),
      key<R>("published.source", SPLOT_MEMBER(published.source)),
      key<R>("published.value", SPLOT_MEMBER(published.value)),
      key<R>("published.metric", SPLOT_MEMBER(published.metric)),
      word<R>("published.epoch", SPLOT_MEMBER(published.epoch), {"best", "last", "kept"}),
      word<R>("published.statistic", SPLOT_MEMBER(published.statistic), {"mean", "median", "min", "max"}),
      key<R>("published.stuck", SPLOT_MEMBER(published.stuck)),
      key<R>("published.leave_out_stuck", SPLOT_MEMBER(published.leave_out_stuck)),
      bounds<R>("published.bounds", SPLOT_MEMBER(published.bounds)),
      key<R>("published.reason", SPLOT_MEMBER(published.reason)),
      ragged_rows<R>("published.norms", SPLOT_MEMBER(published.norms)),
  };
  return table;
}

const std::vector<Key<LayerRecipe>>& layer_table() {
  using L = LayerRecipe;
  static const std::vector<Key<L>> table = {
      word<L>("type", SPLOT_MEMBER(type), recipe_layer_types()),
      key<L>("name", SPLOT_MEMBER(name)),
      key<L>("weight_values", SPLOT_MEMBER(weight_values)),
      key<L>("bias_values", SPLOT_MEMBER(bias_values)),
      key<L>("frozen", SPLOT_MEMBER(frozen)),
  };
  return table;
}

#undef SPLOT_MEMBER

constexpr std::string_view kLayers = "model.layers";

template <typename T>
const Key<T>* find(const std::vector<Key<T>>& table, std::string_view name) {
  for (const Key<T>& entry : table) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

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
  std::vector<Index> values;
  read(values, from, -kWidest, kWidest);
  if (values.size() > kMaxRank) from.refuse(join("has more than ", kMaxRank, " elements"));
  return Ints(std::span<const Index>(values));
}

// Builds the layer alone, so that a value no layer takes is refused where it is written.
void check_arguments(const LayerRecipe& layer, const Reading& from) {
  LayerDescription alone;
  alone.type = layer.type;
  alone.arguments = standard_arguments(layer.type);
  for (const auto& [name, value] : layer.arguments.values()) {
    if (name != "in" && name != "out") alone.arguments.set(name, value);
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

void read_layers(Recipe& out, const toml::node& node, const Source& source) {
  const toml::array* layers = node.as_array();
  if (layers == nullptr) Reading{node, kLayers, source}.wrong_type("a list of layers");
  if (layers->size() > kMostLayers) {
    Reading{node, kLayers, source}.refuse(join("has ", layers->size(), " entries; at most ", kMostLayers));
  }
  out.model.layers.clear();
  for (const toml::node& entry : *layers) {
    const toml::table* fields = entry.as_table();
    if (fields == nullptr) Reading{entry, kLayers, source}.wrong_type("a list of layers");
    read_layer(out.model.layers.emplace_back(), *fields, source);
  }
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
    if (full == kLayers) {
      read_layers(out, value, source);
    } else if (const Key<Recipe>* known = find(recipe_table(), full)) {
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
  if (name == kLayers) {
    read_layers(recipe, node, source);
  } else if (const Key<Recipe>* known = find(recipe_table(), name)) {
    known->read_into(recipe, {node, name, source});
  } else {
    refuse_unknown(name, node, source);
  }
}

void check_recipe(const Recipe& recipe, std::string_view source) {
  const auto check = [&](bool holds, std::string_view reason) {
    if (!holds) throw FormatError(join(source, ": ", reason));
  };
  check(!recipe.data.name.empty(), "data.name is missing: mnist, fashion-mnist, digits or table");
  check(recipe.model.layers.empty() || recipe.model.dense.empty(),
        "model.layers and model.dense are two ways to say the same; give one of them");
  check(!recipe.model.layers.empty() || recipe.model.dense.size() >= 2,
        "there is no model: give model.dense = [inputs, ..., outputs] or [[model.layers]]");
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
  const bool penalized = recipe.loss.l1 > 0.0 || recipe.loss.l2 > 0.0 || recipe.optimizer.weight_decay > 0.0;
  check(recipe.optimizer.name != "lbfgs" || !penalized,
        "lbfgs looks at the loss itself and cannot take loss.l1, loss.l2 or optimizer.weight_decay");
  const DataRecipe& data = recipe.data;
  const bool table = data.name == "table";
  check(table || (data.inputs.empty() && data.targets.empty()),
        join("data.inputs and data.targets belong to data.name = \"table\", not \"", data.name, '"'));
  if (!table) return;
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
    if (text != "[]") out += entry.name.substr(dot + 1) + " = " + text + '\n';
  }
  for (const LayerRecipe& layer : recipe.model.layers) {
    out += "\n[[model.layers]]\n";
    for (const Key<LayerRecipe>& entry : layer_table()) write_changed(out, entry, layer, LayerRecipe());
    for (const auto& [name, value] : layer.arguments.values())
      out += name + " = " + write_argument(value) + '\n';
  }
  return out;
}

const std::vector<std::string>& loss_names() {
  static const std::vector<std::string> names = {"cross_entropy",
                                                 "nll",
                                                 "binary_cross_entropy",
                                                 "binary_cross_entropy_of_probabilities",
                                                 "categorical_cross_entropy",
                                                 "categorical_cross_entropy_from_sigmoid",
                                                 "mse",
                                                 "mae",
                                                 "rmse",
                                                 "huber",
                                                 "smooth_l1",
                                                 "half_squared_error",
                                                 "cross_entropy_cost",
                                                 "quadratic_cost"};
  return names;
}

const std::vector<std::string>& optimizer_names() {
  static const std::vector<std::string> names = {"sgd", "adam", "adamw", "rmsprop", "adagrad", "lbfgs"};
  return names;
}

std::vector<std::pair<std::string, std::string>> recipe_values(const Recipe& recipe) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto add = [&](const std::string& name, const std::string& text) {
    if (text != "[]" && text != "\"\"") out.emplace_back(name, text);
  };
  for (const Key<Recipe>& entry : recipe_table()) add(entry.name, entry.write_from(recipe));
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
  for (const Key<LayerRecipe>& entry : layer_table()) out.push_back(join(kLayers, '.', entry.name));
  return out;
}

}  // namespace splot
