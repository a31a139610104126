// Which layers a recipe may name, and with which arguments: what the registry knows.
#pragma once

#include <string>
#include <vector>

#include "splot/nn/registry.h"

namespace splot::recipe_detail {

/// All registered types but containers.
std::vector<std::string> recipe_layer_types();
/// Those that need no argument and keep the shape: what can follow a layer of model.dense.
std::vector<std::string> activation_types();
/// The arguments of a type with their standard values; sizes without one are 1.
Arguments standard_arguments(const std::string& type);

}  // namespace splot::recipe_detail
