// Layer types by name, and architectures as data: what a model file, a recipe or the studio holds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

#include "splot/core/attributes.h"
#include "splot/core/export.h"
#include "splot/nn/layer.h"
#include "splot/nn/sequential.h"

namespace splot {

/// Constructor arguments of a layer by name, as they come from a file. A getter with a fallback answers it
/// when the argument is absent, one without throws ValueError; so does a value of the wrong type.
///
/// Threads: one at a time; reading notes what was asked for.
class SPLOT_API Arguments {
 public:
  Arguments() = default;
  Arguments(std::initializer_list<std::pair<std::string, AttrValue>> values) : values_(values) {}

  /// Replaces a value of the same name.
  void set(std::string_view name, AttrValue value);
  const std::vector<std::pair<std::string, AttrValue>>& values() const { return values_; }

  Index integer(std::string_view name, std::optional<Index> fallback = {}) const;
  double number(std::string_view name, std::optional<double> fallback = {}) const;  ///< integers too
  bool flag(std::string_view name, std::optional<bool> fallback = {}) const;
  std::string text(std::string_view name, std::optional<std::string> fallback = {}) const;
  Ints ints(std::string_view name, std::optional<Ints> fallback = {}) const;  ///< an integer is a list of one
  DType dtype(std::string_view name, std::optional<DType> fallback = {}) const;  ///< "float64" too
  Initializer initializer(std::string_view name, const Initializer& fallback) const;

  /// The names that getters have asked for so far.
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  const AttrValue* find(std::string_view name, bool needed) const;

  std::vector<std::pair<std::string, AttrValue>> values_;
  mutable std::vector<std::string> asked_;
};

/// One layer of an architecture.
struct LayerDescription {
  std::string type;  ///< as registered; for other C++ layers the C++ name
  std::string name = {};
  Arguments arguments = {};
  std::vector<LayerDescription> children = {};  ///< of containers such as sequential
  bool registered = true;
  std::vector<std::string> inputs = {};  ///< inside a graph: the names of layers before it
};

/// Makes a layer of a type; `children` has none for layers that are no containers.
using LayerFactory = std::function<LayerPtr(const Arguments& arguments, std::vector<NamedLayer> children)>;

/// Registers a type, so that models with such layers can be loaded without their C++ code being called:
///
///   register_layer("scale", typeid(Scale),
///                  [](const Arguments& a, auto) { return std::make_shared<Scale>(a.integer("size")); });
///
/// The names are those that visit() gives its arguments. A layer whose constructor makes the layers inside
/// is no container: they are not stored. Throws ValueError when the name or the type is registered already.
SPLOT_API void register_layer(const std::string& name, const std::type_info& type, LayerFactory make,
                              bool container = false);
/// The registered types, sorted.
SPLOT_API std::vector<std::string> layer_types();
/// The registered name of the layer's type; the C++ name of a type that is not registered.
SPLOT_API std::string type_name(const Layer& layer);

/// What a layer is made of, without its weights.
SPLOT_API LayerDescription describe(Layer& layer);
/// Makes it anew. Throws ValueError, with the path in front, for a type that is not registered and for
/// arguments that are missing, unknown or unfit.
SPLOT_API LayerPtr build(const LayerDescription& description);

/// describe() as JSON text: {"version": 1, "model": {"type": ..., "arguments": {...}, "children": [...]}};
/// the children of a graph have "inputs" too.
SPLOT_API std::string to_json(Layer& layer);
SPLOT_API std::string to_json(const LayerDescription& description);
/// Throws FormatError for text that is no such JSON, or of a later version.
SPLOT_API LayerDescription description_from_json(std::string_view text);
/// build(description_from_json(text)). For a model with a layer that is not registered, make the layer in
/// C++ and load the weights by name.
SPLOT_API LayerPtr layer_from_json(std::string_view text);

}  // namespace splot
