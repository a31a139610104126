// What every export of a network as C begins with.
#pragma once

#include "splot/compiler/c/c_program.h"
#include "splot/data/dataset.h"
#include "splot/graph/graph.h"
#include "splot/train/model_file.h"

namespace splot::train_detail {

/// As many examples as are asked for, from all over the set.
Dataset spread(const Dataset& data, Index count);
/// Examples of the set as they are stored: bytes, or float32. ShapeError when they do not fit the network.
Tensor stored_in_c(const ModelInfo& info, const Dataset& data);
/// Title, classes and preprocessing of the model, with these examples as they are stored, and no answers.
CDescription described(const ModelInfo& info, const Tensor& stored);
/// The network in use, for one example at a time.
Graph trace_inference(const ModelFile& file);

}  // namespace splot::train_detail
