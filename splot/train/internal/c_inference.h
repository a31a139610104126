// What every export of a network as C has: its examples and its traced inference.
#pragma once

#include "splot/train/export_c.h"

namespace splot::train_detail {

/// Title, classes and preprocessing of the model file, with what the network answers to examples.
SPLOT_API CDescription describe_for_c(const ModelFile& file, const CExportOptions& options);
/// So many inputs as they are stored, drawn by chance in the range of what the preprocessing takes.
SPLOT_API Tensor drawn_inputs(const ModelInfo& info, Index count, std::uint64_t seed);
/// One example through the network in use.
SPLOT_API Graph trace_inference(const ModelFile& file);

}  // namespace splot::train_detail
