// The passes themselves; passes.h says what each does. All return how many places they changed.
#pragma once

#include <cstddef>

#include "splot/graph/graph.h"

namespace splot::compiler {

std::size_t dead_code(Graph& graph);
std::size_t common_subexpressions(Graph& graph);
std::size_t constant_folding(Graph& graph);
std::size_t identities(Graph& graph);
std::size_t stable_numerics(Graph& graph);
std::size_t fuse_update(Graph& graph);
std::size_t layouts(Graph& graph);
std::size_t freeze(Graph& graph);
std::size_t fold_batch_norm(Graph& graph);
std::size_t fuse_epilogue(Graph& graph);
std::size_t pack_weights(Graph& graph);
std::size_t fuse_pooling(Graph& graph);
std::size_t early_update(Graph& graph);
std::size_t split_norm(Graph& graph);
std::size_t fuse_elementwise(Graph& graph);
std::size_t rematerialize(Graph& graph);

}  // namespace splot::compiler
