// What a network answers to a data set, batch by batch.
#pragma once

#include <functional>
#include <string_view>

#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/data/dataset.h"
#include "splot/nn/layer.h"

namespace splot {

/// Calls visit(output, target) for the examples in their order, batch_size at a time, as in use: no dropout,
/// no history; 0: 1000, fewer where examples have more numbers than pictures of 28 x 28. Floating inputs and
/// targets come in the network's own dtype. Throws ValueError for a data set without examples or a negative
/// batch_size.
///
///   visit_outputs(net, data.test, [&](const Tensor& y, const Tensor& t) { tally.add(y, t); });
SPLOT_API void visit_outputs(Layer& model, const Dataset& data,
                             const std::function<void(const Tensor& output, const Tensor& target)>& visit,
                             Index batch_size = 0);

/// Outputs [n, classes] as what the loss they were trained with takes them for: "cross_entropy" the softmax
/// of them, "binary_cross_entropy" the logistic function, "nll" the exponential, "categorical_cross_entropy"
/// their shares of the sum, "categorical_cross_entropy_from_sigmoid" the softmax of the logits behind them;
/// for any other loss, which compares numbers, they are what they are, and may lie outside 0 .. 1. Each row's
/// largest stays its largest.
///
///   confidences(net(x), "cross_entropy")    // each row sums to 1
SPLOT_API Tensor confidences(const Tensor& output, std::string_view loss);

}  // namespace splot
