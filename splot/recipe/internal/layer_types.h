// Which layers a recipe may name.
#pragma once

#include <string>
#include <vector>

namespace splot::recipe_detail {

/// Those that change neither the shape nor hold parameters: identity, sigmoid, relu...
std::vector<std::string> activation_types();

}  // namespace splot::recipe_detail
