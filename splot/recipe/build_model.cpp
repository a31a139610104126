#include <algorithm>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/models/lecture_networks.h"
#include "splot/models/network3.h"
#include "splot/models/resnet.h"
#include "splot/nn/layer_graph.h"
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

Tensor without_samples(const Shape& shape) {
  Ints sizes = {0};
  for (const Index size : shape) sizes.push_back(size);
  return Tensor::empty(Shape(sizes), kFloat32);
}

// Found by running the layer on a batch without samples.
Shape shape_after(const LayerRecipe& layer, const std::vector<Shape>& arriving) {
  const Shape& first = arriving.front();
  // Not built only for this: its first values would be drawn twice.
  if (layer.type == "linear") return first.with(first.rank() - 1, layer.arguments.integer("out"));
  std::vector<Tensor> inputs;
  std::string shapes;
  for (const Shape& shape : arriving) {
    inputs.push_back(without_samples(shape));
    shapes += join(shapes.empty() ? "" : " and ", shape);
  }
  try {
    const NoGrad off;
    Context context;
    const Tensor y = (*make_layer(layer, kFloat32))(inputs, context);
    return Shape(std::span<const Index>(y.shape().begin() + 1, y.shape().end()));
  } catch (const ShapeError& error) {
    fail<ShapeError>("recipe", "layer ", layer.name, " (", layer.type, ") does not fit what arrives, ",
                     shapes, ": ", error.what());
  }
}

// The shapes of what layer i takes; shapes[0] is the sample's, shapes[j + 1] that after layer j.
std::vector<Shape> arriving_at(const std::vector<LayerRecipe>& layers, std::size_t i,
                               const std::vector<Shape>& shapes) {
  const LayerRecipe& layer = layers[i];
  if (layer.inputs.empty()) return {shapes.back()};
  std::vector<Shape> out;
  for (const std::string& input : layer.inputs) {
    const auto before = layers.begin() + static_cast<std::ptrdiff_t>(i);
    const auto found =
        std::find_if(layers.begin(), before, [&](const LayerRecipe& other) { return other.name == input; });
    require<ValueError>(found != before || input == "input", "recipe", "layer ", layer.name, " (", layer.type,
                        ") takes \"", input, "\", which is no layer before it and not \"input\"");
    out.push_back(found == before ? shapes[0] : shapes[static_cast<std::size_t>(found - layers.begin()) + 1]);
  }
  return out;
}

template <typename Container>
LayerPtr owned(Container net) {
  return std::make_shared<Container>(std::move(net));
}

struct NamedModel {
  const char* name;
  LayerPtr (*make)(const ModelRecipe& model, const models::ImageModelOptions& options, Index size);
};

template <models::Network3 kind>
LayerPtr make_network3(const ModelRecipe& model, const models::ImageModelOptions& options, Index size) {
  require(options.channels == 1 && size == 28, "recipe", "model.name = \"", model.name,
          "\" is for pictures of 1 x 28 x 28, the examples are ", Shape({options.channels, size, size}));
  require<ValueError>(options.classes == 10, "recipe", "model.name = \"", model.name,
                      "\" tells 10 classes, model.classes is ", options.classes);
  return owned(models::network3(kind, options.dtype));
}

template <models::LectureNetwork kind>
LayerPtr make_lecture_network(const ModelRecipe&, const models::ImageModelOptions& options, Index size) {
  return owned(models::lecture_network(kind, size, options));
}

constexpr NamedModel kModels[] = {
    {"our-mlp", [](const ModelRecipe&, const models::ImageModelOptions& o,
                   Index size) { return owned(models::our_multilayer_perceptron(size, o)); }},
    {"our-cnn",
     [](const ModelRecipe&, const models::ImageModelOptions& o, Index) { return owned(models::our_cnn(o)); }},
    {"lenet5",
     [](const ModelRecipe&, const models::ImageModelOptions& o, Index) { return owned(models::lenet5(o)); }},
    {"resnet",
     [](const ModelRecipe& m, const models::ImageModelOptions& o, Index) {
       return owned(models::resnet({.depth = m.depth == 0 ? models::ResNetOptions().depth : m.depth,
                                    .skip = m.skip,
                                    .channels = o.channels,
                                    .classes = o.classes,
                                    .dtype = o.dtype}));
     }},
    {"densenet",
     [](const ModelRecipe& m, const models::ImageModelOptions& o, Index) {
       return owned(models::densenet({.depth = m.depth == 0 ? models::DenseNetOptions().depth : m.depth,
                                      .growth = m.growth,
                                      .channels = o.channels,
                                      .classes = o.classes,
                                      .dtype = o.dtype}));
     }},
    {"network3-fc", make_network3<models::Network3::fc>},
    {"network3-conv", make_network3<models::Network3::conv>},
    {"network3-conv2", make_network3<models::Network3::conv2>},
    {"network3-relu", make_network3<models::Network3::relu>},
    {"network3-dropout", make_network3<models::Network3::dropout>},
    {"lecture-cnn", make_lecture_network<models::LectureNetwork::cnn>},
    {"lecture-dropout", make_lecture_network<models::LectureNetwork::dropout>},
    {"lecture-batch-norm", make_lecture_network<models::LectureNetwork::batch_norm>},
    {"lecture-vgg", make_lecture_network<models::LectureNetwork::vgg>},
    {"lecture-vgg-batch-norm", make_lecture_network<models::LectureNetwork::vgg_batch_norm>},
};

LayerPtr named_model(const ModelRecipe& model, const Shape& sample, DType dtype) {
  require(sample.rank() == 3 && sample[1] == sample[2], "recipe", "model.name = \"", model.name,
          "\" is for square pictures, the examples are ", sample);
  const auto found = std::find_if(std::begin(kModels), std::end(kModels),
                                  [&](const NamedModel& known) { return model.name == known.name; });
  require<ValueError>(found != std::end(kModels), "recipe", "there is no model called \"", model.name, '"');
  LayerPtr out =
      found->make(model, {.channels = sample[0], .classes = model.classes, .dtype = dtype}, sample[1]);
  const NoGrad off;
  (*out)(cast(without_samples(sample), dtype));  // says now what does not fit
  return out;
}

}  // namespace

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const NamedModel& known : kModels) out.emplace_back(known.name);
    return out;
  }();
  return names;
}

std::vector<LayerRecipe> resolve_layers(const ModelRecipe& model, const Shape& sample) {
  std::vector<LayerRecipe> layers = model.dense.empty() ? model.layers : write_out_dense(model, sample);
  std::vector<Shape> shapes = {sample};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerRecipe& layer = layers[i];
    if (layer.name.empty()) layer.name = std::to_string(i);
    const std::vector<Shape> arriving = arriving_at(layers, i, shapes);
    fill_in_size(layer, arriving.front());
    shapes.push_back(shape_after(layer, arriving));
  }
  return layers;
}

LayerPtr build_model(const ModelRecipe& model, const Shape& sample, DType dtype, std::uint64_t seed) {
  if (model.name.empty()) return build_model(resolve_layers(model, sample), dtype, seed);
  LayerPtr out = named_model(model, sample, dtype);
  initialize(*out, seed);
  return out;
}

LayerPtr build_model(const std::vector<LayerRecipe>& layers, DType dtype, std::uint64_t seed) {
  std::vector<NamedLayer> parts;
  bool chain = true;
  for (const LayerRecipe& layer : layers) {
    parts.push_back({layer.name, make_layer(layer, dtype), layer.inputs});
    chain = chain && layer.inputs.empty();
  }
  LayerPtr model = chain ? owned(Sequential(std::move(parts))) : owned(LayerGraph(std::move(parts)));
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
