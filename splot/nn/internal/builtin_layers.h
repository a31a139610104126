// The layer types the library registers itself.
#pragma once

#include <functional>
#include <typeinfo>

#include "splot/nn/registry.h"

namespace splot {

using RegisterLayer =
    std::function<void(const char* name, const std::type_info& type, LayerFactory make, bool container)>;

void for_each_builtin_layer(const RegisterLayer& add);

}  // namespace splot
