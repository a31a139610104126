#include "splot/compiler/c/c_training.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "splot/compiler/c/internal/learning_files.h"
#include "splot/compiler/c/internal/lowered_step.h"
#include "splot/compiler/passes.h"
#include "splot/core/error.h"
#include "splot/ops/ops.h"

namespace splot {
namespace compiler {
namespace {

// Those of the step, with what they read in `constants`. With a batch of one a forward pass is that of an
// answer: the function is written once.
void add_functions(const CLoweredStep& step, const CParts& parts, CConstants& constants,
                   std::set<std::string>& names, CLearning& learning) {
  const CLowered& lowered = step.lowered;
  const std::map<ValueId, std::string> outside = {
      {lowered.input, "inputs"}, {step.targets, "targets"}, {lowered.output, "&loss"}};
  const auto at = [&](ValueId id) {
    const std::string there = address(lowered, constants, id, outside);
    return lowered.type_of(id) == CType::byte ? "(unsigned char*)(" + there + ')' : there;
  };
  for (std::size_t i = 0; i < lowered.steps.size(); ++i) {
    const CStep& one = lowered.steps[i];
    if (one.calls.front().op->view != nullptr && is_view(lowered, lowered.graph.calls[i])) continue;
    const bool updates = is_update(*one.calls.back().op);
    const char* begin = updates ? "learn_" : step.backward[i] ? "backward_" : "forward_";
    const std::set<std::string> before = names;
    CFunction f = function_of(lowered, one, constants, {names, begin, at}, learning.sizes.multiply_adds);
    const auto same = std::find_if(
        parts.functions.begin(), parts.functions.end(),
        [&](const CFunction& other) { return other.parameters == f.parameters && other.body == f.body; });
    if (same != parts.functions.end()) {
      names = before;
      learning.invocations.push_back(same->name + '(' + f.arguments + ");");
      continue;
    }
    learning.invocations.push_back(f.invocation);
    learning.functions.push_back(std::move(f));
  }
}

void check_learning(const CLearning& learning, const CParts& parts) {
  const CLearningDescription& d = learning.description;
  const bool both =
      d.stored.defined() && d.targets.defined() && d.stored.rank() >= 1 && d.targets.rank() >= 1;
  require(both, "export", "needs examples to learn from: stored inputs and targets");
  const Index n = d.stored.shape()[0];
  require(n >= 1 && d.targets.shape()[0] == n, "export", n, " examples come with ", d.targets.shape()[0],
          " targets");
  require(d.stored.numel() == n * parts.input.numel(), "export", "examples ", d.stored.shape(),
          " do not fit the input ", parts.input);
  require(d.targets.numel() == n * learning.target_size, "export", "targets ", d.targets.shape(),
          " do not fit: a step takes ", learning.target_size, " numbers for an example");
  require<ValueError>(!d.losses.empty(), "export", "needs the losses of at least one step");
  for (const double loss : d.losses) {
    require<ValueError>(std::isfinite(loss), "export", "the network learns with a loss that is ", loss);
  }
}

void count_learning(const CLoweredStep& step, const CParts& parts, CLearning& learning) {
  for (const CConstant& c : parts.constants) {
    const Index bytes = c.value.numel() * kFloatBytes;
    if (!starts_at_zero(c)) learning.sizes.flash_bytes += bytes;
  }
  for (const CKnown& known : step.lowered.known) {
    if (!known.changes) continue;
    const Index bytes = known.value.numel() * kFloatBytes;
    (known.state ? learning.sizes.state_bytes : learning.sizes.weight_bytes) += bytes;
  }
  learning.sizes.batch_bytes = learning.batch * (parts.input.numel() + learning.target_size) * kFloatBytes;
}

}  // namespace
}  // namespace compiler

CTrainingProgram write_c_training(const Graph& inference, const Graph& step, const CDescription& description,
                                  const CLearningDescription& learned) {
  using namespace compiler;
  const CLoweredStep lowered_step = lower_step_for_c(step);
  const CLowered lowered = lower_for_c(inference, lowered_step.changing);
  CConstants constants;
  std::set<std::string> names;
  CParts parts = parts_of(lowered, description, constants, names);
  const auto value_of = [&](ValueId id) {
    return lowered_step.lowered.graph.values[static_cast<std::size_t>(id)];
  };
  const GraphValue inputs = value_of(lowered_step.lowered.input), targets = value_of(lowered_step.targets);
  CLearning learning{.description = learned,
                     .functions = {},
                     .invocations = {},
                     .helpers = {},
                     .batch = inputs.shape[0],
                     .target_size = targets.shape.numel() / inputs.shape[0],
                     .class_numbers = lowered_step.lowered.type_of(lowered_step.targets) == CType::whole,
                     .classes = lowered_step.classes,
                     .learning_rate = lowered_step.learning_rate,
                     .sizes = {}};
  check_learning(learning, parts);
  add_functions(lowered_step, parts, constants, names, learning);
  learning.helpers = constants.helpers();
  parts.learning = &learning;
  parts.constants = constants.all();
  parts.buffer = std::max(parts.buffer, static_cast<Index>(lowered_step.lowered.arena.bytes) / kFloatBytes);
  count_bytes(parts);
  count_learning(lowered_step, parts, learning);
  parts.sizes.weight_bytes = learning.sizes.flash_bytes;
  CTrainingProgram out{.program = {.files = {{"model.h", model_header(parts)},
                                             {"model.c", model_source(parts)},
                                             {"model_weights.c", weights_source(parts)},
                                             {"model_test.c", test_source(parts)},
                                             {"Makefile", makefile(parts)}},
                                   .sizes = parts.sizes},
                       .learning = learning.sizes,
                       .batch = learning.batch,
                       .input_size = parts.input.numel(),
                       .target_size = learning.target_size,
                       .class_numbers = learning.class_numbers,
                       .state = {}};
  for (const CConstant& c : parts.constants) {
    if (c.changes) out.state.push_back({c.name, c.slot, c.value.numel()});
  }
  return out;
}

Graph training_graph(Graph traced) {
  constexpr const char* kPasses[] = {"dead-code", "common-subexpressions", "constant-folding", "identities",
                                     "stable-numerics"};
  PassOptions options;
  for (const GraphPass& pass : all_passes()) {
    const bool wanted = std::any_of(std::begin(kPasses), std::end(kPasses),
                                    [&](const char* name) { return pass.name == std::string(name); });
    if (!wanted) options.without.emplace_back(pass.name);
  }
  return optimize(std::move(traced), options).graph;
}

}  // namespace splot
