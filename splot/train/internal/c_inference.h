// What every export of a network as C has: its examples and its traced inference.
#pragma once

#include "splot/train/export_c.h"

namespace splot::train_detail {

/// As many examples as are asked for, from all over the set.
Dataset spread(const Dataset& data, Index count);
/// Examples of the set as they are stored: bytes, or float32. ShapeError when they do not fit the network.
SPLOT_API Tensor stored_in_c(const ModelInfo& info, const Dataset& data);
/// Title, classes and preprocessing of the model, with these examples as they are stored, and no answers.
CDescription described(const ModelInfo& info, const Tensor& stored);
/// The same with what the network answers to them.
SPLOT_API CDescription describe_for_c(const ModelFile& file, const CExportOptions& options);
/// So many inputs as they are stored, drawn by chance in the range of what the preprocessing takes.
SPLOT_API Tensor drawn_inputs(const ModelInfo& info, Index count, std::uint64_t seed);
/// One example through the network in use.
SPLOT_API Graph trace_inference(const ModelFile& file);

}  // namespace splot::train_detail
