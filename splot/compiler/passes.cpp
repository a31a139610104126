#include "splot/compiler/passes.h"

#include <algorithm>
#include <utility>

#include "splot/compiler/internal/pass_list.h"
#include "splot/core/error.h"
#include "splot/core/messages.h"

namespace splot {
namespace {

constexpr GraphPass kPasses[] = {
    {"freeze", Message::pass_freeze, true, compiler::freeze, /*frozen=*/true},
    {"dead-code", Message::pass_dead_code, true, compiler::dead_code},
    {"common-subexpressions", Message::pass_common_subexpressions, true, compiler::common_subexpressions},
    {"constant-folding", Message::pass_constant_folding, true, compiler::constant_folding},
    {"identities", Message::pass_identities, true, compiler::identities},
    {"stable-numerics", Message::pass_stable_numerics, false, compiler::stable_numerics},
    {"fuse-update", Message::pass_fuse_update, true, compiler::fuse_update},
    {"layouts", Message::pass_layouts, true, compiler::layouts},
    {"fold-batch-norm", Message::pass_fold_batch_norm, false, compiler::fold_batch_norm, /*frozen=*/true},
    {"fuse-epilogue", Message::pass_fuse_epilogue, true, compiler::fuse_epilogue, /*frozen=*/true},
    {"pack-weights", Message::pass_pack_weights, false, compiler::pack_weights, /*frozen=*/true},
    {"fuse-pooling", Message::pass_fuse_pooling, true, compiler::fuse_pooling},
    {"early-update", Message::pass_early_update, true, compiler::early_update, false, /*last=*/true},
    {"split-norm", Message::pass_split_norm, true, compiler::split_norm, false, true},
    {"fuse-elementwise", Message::pass_fuse_elementwise, true, compiler::fuse_elementwise, false, true},
    {"rematerialize", Message::pass_rematerialize, true, compiler::rematerialize, false, true},
};

// Each round makes the graph smaller or more stable; a bound all the same, should two rules ever undo each
// other's work.
constexpr int kRounds = 20;

}  // namespace

std::span<const GraphPass> all_passes() { return kPasses; }

const GraphPass* find_pass(std::string_view name) {
  const auto found = std::find_if(std::begin(kPasses), std::end(kPasses),
                                  [&](const GraphPass& pass) { return pass.name == name; });
  return found == std::end(kPasses) ? nullptr : found;
}

OptimizedGraph optimize(Graph graph, const PassOptions& options) {
  for (const std::string& name : options.without) {
    std::string names;
    for (const GraphPass& pass : kPasses) names += join(names.empty() ? "" : ", ", pass.name);
    require<ValueError>(find_pass(name) != nullptr, "optimize", "there is no pass \"", name, "\"; there are ",
                        names);
  }
  OptimizedGraph out{std::move(graph), {}};
  const auto run = [&](const GraphPass& pass) {
    if (pass.frozen && !options.frozen) return false;
    if (std::find(options.without.begin(), options.without.end(), pass.name) != options.without.end()) {
      return false;
    }
    const std::size_t before = out.graph.calls.size();
    Graph old;
    if (options.watch) old = out.graph;
    const std::size_t places = pass.run(out.graph);
    if (places == 0) return false;
    out.steps.push_back({&pass, places, before, out.graph.calls.size()});
    if (options.watch) options.watch(pass, old, out.graph);
    return true;
  };
  bool changed = true;
  for (int round = 0; changed && round < kRounds; ++round) {
    changed = false;
    for (const GraphPass& pass : kPasses) changed = (!pass.last && run(pass)) || changed;
  }
  for (const GraphPass& pass : kPasses) {
    if (pass.last) run(pass);
  }
  return out;
}

}  // namespace splot
