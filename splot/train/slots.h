// What a traced training step may read and write: the slots of a network and of its optimiser.
#pragma once

#include <vector>

#include "splot/core/export.h"
#include "splot/graph/graph.h"
#include "splot/nn/layer.h"
#include "splot/optim/optimizer.h"

namespace splot {

/// Parameters and buffers, under their names in state_dict(); the layer has to outlive them. Tied parameters
/// come once.
SPLOT_API std::vector<Slot> slots_of(Layer& layer);
/// The state of an optimiser; it has to outlive them, and they are over when a state is loaded
/// (Optimizer::loads()) or a parameter is frozen or no longer frozen.
SPLOT_API std::vector<Slot> slots_of(Optimizer& optimizer);
/// Both.
SPLOT_API std::vector<Slot> slots_of(Layer& layer, Optimizer& optimizer);

}  // namespace splot
