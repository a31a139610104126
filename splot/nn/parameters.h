// What a layer holds, by path: parameters, buffers, layers inside.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "splot/core/export.h"
#include "splot/core/parameter.h"
#include "splot/nn/layer.h"

namespace splot {

/// Called while walking through a layer, in the order of visit(); what is empty is left out.
struct Walk {
  std::function<void(const std::string& path, Layer& layer)> layer = {};
  std::function<void(const std::string& path, Parameter& parameter, const Initializer& init)> parameter = {};
  std::function<void(const std::string& path, Tensor& buffer)> buffer = {};
};

/// Walks through the layer and all layers inside, the outer one first, under the path "".
SPLOT_API void walk(Layer& layer, const Walk& handlers);

/// The parameters with their paths, "0.weight" (PyTorch's keys), each once even when layers share it.
///
///   SGD optimizer(named_parameters(net), {.learning_rate = 0.1});
SPLOT_API NamedParameters named_parameters(Layer& layer);

/// Gives every parameter its first value: a function of the seed and the parameter's path, so that adding a
/// layer does not change the others.
SPLOT_API void initialize(Layer& layer, std::uint64_t seed);

/// The values of all parameters and buffers. They are constants and keep what they were.
SPLOT_API NamedTensors state_dict(Layer& layer);
/// Assigns every parameter and buffer. Throws ValueError, and assigns nothing, when a name is missing or
/// unexpected, or a shape or dtype differs; all of them are named.
SPLOT_API void load_state_dict(Layer& layer, std::span<const NamedTensor> state);

/// Makes the parameters constants that no optimiser changes, or trainable again.
SPLOT_API void freeze(Layer& layer, bool frozen = true);
SPLOT_API void zero_grad(Layer& layer);
/// Converts all parameters and floating buffers: convert(net, kFloat64). Optimisers are made afterwards.
SPLOT_API void convert(Layer& layer, DType dtype);
/// How many numbers the parameters hold, shared ones counted once.
SPLOT_API Index parameter_count(Layer& layer);

}  // namespace splot
