#include <algorithm>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/ops/ops.h"
#include "splot/recipe/build.h"
#include "splot/recipe/internal/layer_types.h"

namespace splot {
namespace {

LayerPtr make_layer(const LayerRecipe& layer, DType dtype) {
  LayerDescription description;
  description.type = layer.type;
  description.arguments = layer.arguments;
  const Arguments standard = recipe_detail::standard_arguments(layer.type);
  for (const auto& entry : standard.values()) {
    if (entry.first == "dtype") description.arguments.set("dtype", dtype);
  }
  return build(description);
}

std::vector<LayerRecipe> write_out_dense(const ModelRecipe& model, const Shape& sample) {
  std::vector<LayerRecipe> layers;
  const auto add = [&](const std::string& type) -> LayerRecipe& {
    LayerRecipe& layer = layers.emplace_back();
    layer.type = type;
    return layer;
  };
  if (sample.rank() != 1) add("flatten");
  for (std::size_t i = 1; i < model.dense.size(); ++i) {
    LayerRecipe& linear = add("linear");
    linear.arguments.set("in", model.dense[i - 1]);
    linear.arguments.set("out", model.dense[i]);
    if (!model.init.empty()) {
      linear.arguments.set("weight_init", model.init);
      linear.arguments.set("bias_init", init::zeros().to_string());
    }
    if (!model.bias_init.empty()) linear.arguments.set("bias_init", model.bias_init);
    const bool last = i + 1 == model.dense.size();
    const std::string& activation = last ? model.output : model.activation;
    if (activation != "identity") add(activation);
    if (!last && model.dropout > 0.0) add("dropout").arguments.set("p", model.dropout);
  }
  return layers;
}

Tensor as_tensor(const std::vector<std::vector<double>>& rows) {
  std::vector<double> values;
  for (const std::vector<double>& row : rows) values.insert(values.end(), row.begin(), row.end());
  const auto columns = static_cast<Index>(rows.empty() ? 0 : rows.front().size());
  return Tensor::from(values, {static_cast<Index>(rows.size()), columns});
}

void assign_values(const NamedParameters& parameters, const std::string& name, const Tensor& values) {
  for (const NamedParameter& entry : parameters) {
    if (entry.name != name) continue;
    require(entry.parameter.shape() == values.shape(), "recipe", "the values given for ", name,
            " have shape ", values.shape(), ", it is ", entry.parameter.shape());
    Parameter(entry.parameter).assign(cast(values, entry.parameter.dtype()));
    return;
  }
  fail<ValueError>("recipe", "there is no parameter ", name, " to give values to");
}

void freeze_named(const NamedParameters& parameters, const std::string& name) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const NamedParameter& entry) { return entry.name == name; });
  require<ValueError>(found != parameters.end(), "recipe", "there is no parameter ", name, " to freeze");
  Parameter(found->parameter).set_frozen(true);
}

// The argument of a layer that is the size of an axis of what arrives; null for a layer without one.
struct ArrivingSize {
  const char* argument = nullptr;
  int axis = 0;
};
ArrivingSize arriving_size(const std::string& type) {
  if (type == "linear") return {"in", -1};
  if (type.starts_with("conv")) return {"in", 0};
  if (type.starts_with("batch_norm") || type == "group_norm") return {"channels", 0};
  return {};
}

void fill_in_size(LayerRecipe& layer, const Shape& shape) {
  const ArrivingSize wanted = arriving_size(layer.type);
  if (layer.type == "layer_norm" && shape.rank() >= 1) {
    layer.arguments.set("sizes", layer.arguments.ints("sizes", Ints{shape[-1]}));
  }
  if (wanted.argument == nullptr) return;
  require(shape.rank() >= 1, "recipe", "layer ", layer.name, " (", layer.type,
          ") gets single numbers; it needs lists");
  const Index arriving = shape[wanted.axis];
  const Index given = layer.arguments.integer(wanted.argument, arriving);
  require(given == arriving, "recipe", "layer ", layer.name, " (", layer.type, ") takes ", given,
          wanted.axis == 0 ? " channels" : " inputs", ", but what arrives has shape ", shape);
  layer.arguments.set(wanted.argument, given);
}

// Found by running the layer on a batch without samples.
Shape shape_after(const LayerRecipe& layer, const Shape& shape) {
  // Not built only for this: its first values would be drawn twice.
  if (layer.type == "linear") return shape.with(shape.rank() - 1, layer.arguments.integer("out"));
  Ints sizes = {0};
  for (const Index size : shape) sizes.push_back(size);
  try {
    const NoGrad off;
    const Tensor y = (*make_layer(layer, kFloat32))(Tensor::empty(Shape(sizes), kFloat32));
    return Shape(std::span<const Index>(y.shape().begin() + 1, y.shape().end()));
  } catch (const ShapeError& error) {
    fail<ShapeError>("recipe", "layer ", layer.name, " (", layer.type, ") does not fit what arrives, ", shape,
                     ": ", error.what());
  }
}

}  // namespace

std::vector<LayerRecipe> resolve_layers(const ModelRecipe& model, const Shape& sample) {
  std::vector<LayerRecipe> layers = model.dense.empty() ? model.layers : write_out_dense(model, sample);
  Shape shape = sample;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerRecipe& layer = layers[i];
    if (layer.name.empty()) layer.name = std::to_string(i);
    fill_in_size(layer, shape);
    shape = shape_after(layer, shape);
  }
  return layers;
}

std::shared_ptr<Sequential> build_model(const std::vector<LayerRecipe>& layers, DType dtype,
                                        std::uint64_t seed) {
  auto model = std::make_shared<Sequential>();
  for (const LayerRecipe& layer : layers) model->add(layer.name, make_layer(layer, dtype));
  initialize(*model, seed);
  const NamedParameters parameters = named_parameters(*model);
  for (const LayerRecipe& layer : layers) {
    if (!layer.weight_values.empty()) {
      assign_values(parameters, layer.name + ".weight", as_tensor(layer.weight_values));
    }
    if (!layer.bias_values.empty()) {
      assign_values(parameters, layer.name + ".bias",
                    Tensor::from(layer.bias_values, {static_cast<Index>(layer.bias_values.size())}));
    }
    for (const std::string& name : layer.frozen) freeze_named(parameters, layer.name + '.' + name);
  }
  return model;
}

}  // namespace splot
