// Functions of one tensor and some weights, as networks are exported, and those that C in floats and in 8
// bits are both tried on.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "splot/graph/graph.h"

namespace splot::test {

struct ExportCase {
  std::string name;
  Shape input;
  std::vector<Shape> weights;
  std::function<Tensor(const Tensor& x, std::span<const Tensor> weights)> run;
  double within = 0.02;  ///< in 8 bits: of the outputs' root mean square
};

/// Those that both are tried on, "linear" first, and more.
std::vector<ExportCase> export_cases_and(const std::vector<ExportCase>& more);

/// From -1 to 1.
Tensor drawn(const Shape& shape, std::uint64_t stream);
std::vector<Tensor> weights_of(const ExportCase& c);
/// The weights are slots, layer0.weight, layer1.bias, layer2.bias ..., and have to stay where they are.
Graph graph_of(const ExportCase& c, std::vector<Tensor>& weights, DType dtype = kFloat32);

/// The name as GoogleTest takes it.
std::string parameter_name(const ExportCase& c);

}  // namespace splot::test
