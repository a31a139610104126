#include "splot/nn/registry.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>

#include <cxxabi.h>

#include "splot/nn/internal/builtin_layers.h"

namespace splot {
namespace {

const char* kind_name(const AttrValue& value) {
  constexpr const char* names[] = {"a bool",  "an integer",         "a number",
                                   "a dtype", "a list of integers", "a text"};
  return names[value.index()];
}

[[noreturn]] void wrong_kind(std::string_view name, const char* needed, const AttrValue& got) {
  fail<ValueError>("layer", "the argument \"", name, "\" must be ", needed, ", got ", kind_name(got));
}

struct LayerType {
  LayerFactory make;
  bool container = false;
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, LayerType, std::less<>> types;
  std::map<std::type_index, std::string> names;

  void add(const std::string& name, const std::type_info& type, LayerFactory make, bool container) {
    require<ValueError>(names.find(type) == names.end() && types.find(name) == types.end(), "register_layer",
                        '"', name, "\" or its C++ type is registered already");
    types.emplace(name, LayerType{std::move(make), container});
    names.emplace(type, name);
  }
};

Registry& registry() {
  static Registry instance;
  static const bool filled = [] {
    for_each_builtin_layer([](const char* name, const std::type_info& type, LayerFactory make,
                              bool container) { instance.add(name, type, std::move(make), container); });
    return true;
  }();
  static_cast<void>(filled);
  return instance;
}

std::string cpp_name(const std::type_info& type) {
  int status = 0;
  char* readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string out = status == 0 ? readable : type.name();
  std::free(readable);
  return out;
}

const std::string* registered_name(const Layer& layer) {
  Registry& all = registry();
  const auto found = all.names.find(typeid(layer));
  return found == all.names.end() ? nullptr : &found->second;
}

class Describer final : public Visitor {
 public:
  explicit Describer(LayerDescription& out, bool with_children) : out_(out), with_children_(with_children) {}
  void argument(std::string_view name, const AttrValue& value) override { out_.arguments.set(name, value); }
  void child(std::string_view name, Layer& layer) override {
    if (!with_children_) return;
    out_.children.push_back(describe(layer));
    out_.children.back().name = name;
  }
  void inputs(std::span<const std::string> names) override {
    if (with_children_) out_.children.back().inputs.assign(names.begin(), names.end());
  }

 private:
  LayerDescription& out_;
  bool with_children_;
};

LayerPtr build_at(const LayerDescription& description, const std::string& path) {
  const auto located = [&](const std::string& text) { return path.empty() ? text : join(path, ": ", text); };
  LayerType type;
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    const auto found = all.types.find(description.type);
    if (found == all.types.end()) {
      throw ValueError(located(join("[layer] the type \"", description.type,
                                    "\" is not registered: register_layer() it, or make the layer in C++ and "
                                    "load its weights by name")));
    }
    type = found->second;
  }
  require<ValueError>(type.container || description.children.empty(), "layer",
                      located(join('"', description.type, "\" cannot hold other layers")));
  std::vector<NamedLayer> children;
  for (const LayerDescription& child : description.children) {
    const std::string name = child.name.empty() ? std::to_string(children.size()) : child.name;
    children.push_back({name, build_at(child, path.empty() ? name : join(path, '.', name)), child.inputs});
  }
  try {
    const Arguments arguments = description.arguments;
    LayerPtr layer = type.make(arguments, std::move(children));
    for (const auto& entry : arguments.values()) {
      const std::vector<std::string>& known = arguments.asked();
      if (std::find(known.begin(), known.end(), entry.first) != known.end()) continue;
      std::string list;
      for (const std::string& name : known) list += join(list.empty() ? "" : ", ", name);
      fail<ValueError>("layer", '"', description.type, "\" has no argument \"", entry.first, '"',
                       list.empty() ? std::string("; it takes none") : join("; it takes ", list));
    }
    return layer;
  } catch (const ValueError& error) {
    throw ValueError(located(error.what()));
  }
}

}  // namespace

// --- Arguments

void Arguments::set(std::string_view name, AttrValue value) {
  for (auto& entry : values_) {
    if (entry.first == name) {
      entry.second = std::move(value);
      return;
    }
  }
  values_.emplace_back(name, std::move(value));
}

const AttrValue* Arguments::find(std::string_view name, bool needed) const {
  if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) asked_.emplace_back(name);
  for (const auto& entry : values_) {
    if (entry.first == name) return &entry.second;
  }
  require<ValueError>(!needed, "layer", "the argument \"", name, "\" is missing");
  return nullptr;
}

Index Arguments::integer(std::string_view name, std::optional<Index> fallback) const {
  const AttrValue* value = find(name, !fallback);
  if (value == nullptr) return *fallback;
  if (const Index* found = std::get_if<Index>(value)) return *found;
  wrong_kind(name, "an integer", *value);
}

double Arguments::number(std::string_view name, std::optional<double> fallback) const {
  const AttrValue* value = find(name, !fallback);
  if (value == nullptr) return *fallback;
  if (const double* found = std::get_if<double>(value)) return *found;
  if (const Index* found = std::get_if<Index>(value)) return static_cast<double>(*found);
  wrong_kind(name, "a number", *value);
}

bool Arguments::flag(std::string_view name, std::optional<bool> fallback) const {
  const AttrValue* value = find(name, !fallback);
  if (value == nullptr) return *fallback;
  if (const bool* found = std::get_if<bool>(value)) return *found;
  wrong_kind(name, "true or false", *value);
}

std::string Arguments::text(std::string_view name, std::optional<std::string> fallback) const {
  const AttrValue* value = find(name, !fallback);
  if (value == nullptr) return *fallback;
  if (const std::string* found = std::get_if<std::string>(value)) return *found;
  wrong_kind(name, "a text", *value);
}

Ints Arguments::ints(std::string_view name, std::optional<Ints> fallback) const {
  const AttrValue* value = find(name, !fallback);
  if (value == nullptr) return *fallback;
  if (const Ints* found = std::get_if<Ints>(value)) return *found;
  if (const Index* found = std::get_if<Index>(value)) return {*found};
  wrong_kind(name, "a list of integers", *value);
}

DType Arguments::dtype(std::string_view name, std::optional<DType> fallback) const {
  const AttrValue* value = find(name, !fallback);
  if (value == nullptr) return *fallback;
  if (const DType* found = std::get_if<DType>(value)) return *found;
  if (const std::string* found = std::get_if<std::string>(value)) {
    const std::optional<DType> parsed = DType::parse(*found);
    require<ValueError>(parsed.has_value(), "layer", "the argument \"", name, "\" is \"", *found,
                        "\", which is no dtype");
    return *parsed;
  }
  wrong_kind(name, "a dtype", *value);
}

Initializer Arguments::initializer(std::string_view name, const Initializer& fallback) const {
  const AttrValue* value = find(name, false);
  if (value == nullptr) return fallback;
  if (const std::string* found = std::get_if<std::string>(value)) return Initializer::parse(*found);
  wrong_kind(name, "a text", *value);
}

// --- the registry

void register_layer(const std::string& name, const std::type_info& type, LayerFactory make, bool container) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.add(name, type, std::move(make), container);
}

std::vector<std::string> layer_types() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<std::string> out;
  for (const auto& entry : all.types) out.push_back(entry.first);
  return out;
}

std::string type_name(const Layer& layer) {
  const std::lock_guard lock(registry().mutex);
  const std::string* name = registered_name(layer);
  return name != nullptr ? *name : cpp_name(typeid(layer));
}

LayerDescription describe(Layer& layer) {
  LayerDescription out;
  bool with_children = true;  // of a type nobody knows, the layers inside are all there is to say
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    const std::string* name = registered_name(layer);
    out.registered = name != nullptr;
    out.type = name != nullptr ? *name : cpp_name(typeid(layer));
    if (name != nullptr) with_children = all.types.find(*name)->second.container;
  }
  Describer visitor(out, with_children);
  layer.visit(visitor);
  return out;
}

LayerPtr build(const LayerDescription& description) { return build_at(description, ""); }

LayerPtr layer_from_json(std::string_view text) { return build(description_from_json(text)); }

std::string to_json(Layer& layer) { return to_json(describe(layer)); }

}  // namespace splot
