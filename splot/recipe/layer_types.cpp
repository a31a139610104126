#include "splot/recipe/internal/layer_types.h"

#include "splot/core/error.h"

namespace splot::recipe_detail {
namespace {

constexpr const char* kNotActivations[] = {"sequential",
                                           "graph",
                                           "add",
                                           "concat",
                                           "pad_shortcut",
                                           "linear",
                                           "conv1d",
                                           "conv2d",
                                           "conv_transpose2d",
                                           "flatten",
                                           "dropout",
                                           "softmax",
                                           "log_softmax",
                                           "max_pool1d",
                                           "max_pool2d",
                                           "avg_pool1d",
                                           "avg_pool2d",
                                           "adaptive_avg_pool2d",
                                           "adaptive_max_pool2d",
                                           "adaptive_avg_pool1d",
                                           "adaptive_max_pool1d",
                                           "global_avg_pool",
                                           "global_max_pool",
                                           "pad2d",
                                           "resize",
                                           "upsample",
                                           "batch_norm1d",
                                           "batch_norm2d",
                                           "layer_norm",
                                           "group_norm"};

bool is_one_of(const std::string& type, std::span<const char* const> names) {
  for (const char* name : names) {
    if (type == name) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> recipe_layer_types() {
  std::vector<std::string> out;
  for (const std::string& type : layer_types()) {
    if (type != "sequential" && type != "graph") out.push_back(type);
  }
  return out;
}

std::vector<std::string> activation_types() {
  std::vector<std::string> out;
  for (const std::string& type : layer_types()) {
    if (!is_one_of(type, kNotActivations)) out.push_back(type);
  }
  return out;
}

Arguments standard_arguments(const std::string& type) {
  LayerDescription layer;
  layer.type = type;
  const bool convolves = type.starts_with("conv");
  if (type == "linear" || convolves) {
    layer.arguments.set("in", Index{1});
    layer.arguments.set("out", Index{1});
  }
  if (type == "conv1d") {
    layer.arguments.set("kernel", Index{1});
  } else if (convolves) {
    layer.arguments.set("kernel", Ints{1});
  }
  if (type == "max_pool1d" || type == "avg_pool1d") layer.arguments.set("kernel", Index{1});
  if (type == "max_pool2d" || type == "avg_pool2d") layer.arguments.set("kernel", Ints{1});
  if (type == "adaptive_avg_pool2d" || type == "adaptive_max_pool2d") layer.arguments.set("size", Ints{1});
  if (type == "adaptive_avg_pool1d" || type == "adaptive_max_pool1d") {
    layer.arguments.set("size", Index{1});
  }
  if (type == "pad2d") layer.arguments.set("padding", Ints{0});
  if (type == "resize") layer.arguments.set("size", Ints{1});
  if (type == "upsample") layer.arguments.set("scale", Ints{1});
  if (type == "batch_norm1d" || type == "batch_norm2d") layer.arguments.set("channels", Index{1});
  if (type == "layer_norm") layer.arguments.set("sizes", Ints{1});
  if (type == "group_norm") {
    layer.arguments.set("groups", Index{1});
    layer.arguments.set("channels", Index{1});
  }
  return describe(*build(layer)).arguments;
}

}  // namespace splot::recipe_detail
