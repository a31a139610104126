#include "splot/compiler/c/c_program.h"

#include <algorithm>
#include <limits>
#include <set>

#include "splot/compiler/c/internal/c_files.h"
#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/ops/ops.h"

namespace splot {
namespace compiler {
namespace {

constexpr Index kFloatBytes = 4;

// Where a value lies, as an argument: "buffer + 4704".
std::string address(const CLowered& lowered, ValueId id) {
  const Lifetime& value = lowered.lifetimes[static_cast<std::size_t>(id)];
  Index offset = value.offset;
  std::string base = "buffer";
  if (value.base == lowered.input) {
    base = "input";
  } else if (value.base == lowered.output) {
    base = "output";
  } else {
    offset += static_cast<Index>(lowered.arena.offsets[static_cast<std::size_t>(value.base)]) / kFloatBytes;
  }
  return offset == 0 ? base : join(base, " + ", offset);
}

}  // namespace

std::string unique_name(std::set<std::string>& taken, const std::string& what) {
  const std::string wanted = "run_" + c_name(what);
  std::string name = wanted;
  for (int i = 2; !taken.insert(name).second; ++i) name = join(wanted, '_', i);
  return name;
}

namespace {

std::string list_of(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string comment_of(const CLowered& lowered, const CStep& step, const StepWriter& w) {
  std::vector<std::string> ops;
  for (const GraphCall& call : step.calls) ops.push_back(call.op->name);
  std::string shapes;
  for (const auto& [id, name] : w.parameters()) {
    shapes += join(shapes.empty() ? "" : ", ", name, ' ',
                   example_shape(lowered.graph.values[static_cast<std::size_t>(id)].shape));
  }
  std::string out = c_comment((step.layers.empty() ? "" : list_of(step.layers) + ": ") + list_of(ops));
  out += "\n *   " + shapes + " -> y " + example_shape(w.out_shape());
  for (const std::string& note : w.notes) out += "\n *   " + c_comment(note);
  if (w.weights() > 0 || w.multiply_adds > 0) {
    out += join("\n *   ", grouped(w.weights()), " weights, ", grouped(w.multiply_adds), " multiply-adds");
  }
  return out;
}

}  // namespace

CFunction function_of(const CLowered& lowered, const CStep& step, CConstants& constants,
                      std::set<std::string>& names, Index& multiply_adds) {
  const GraphCall& root = step.calls.front();
  const CWriter writer = c_writer(*root.op);
  StepWriter w(lowered, step, constants);
  if (step.calls.size() == 1) {
    const std::size_t kept =
        lowered.graph.calls[static_cast<std::size_t>(&step - lowered.steps.data())].outputs.size();
    if (kept != 1) w.refuse(join(kept, " of its results are used; C is written for one"));
  }
  writer(w);
  multiply_adds += w.multiply_adds;
  CFunction out;
  out.name = unique_name(names, step.layers.empty() ? root.op->name : step.layers[0]);
  out.comment = comment_of(lowered, step, w);
  out.body = w.code.text();
  std::string given;
  for (const auto& [id, name] : w.parameters()) {
    out.head += "const float* " + name + ", ";
    given += address(lowered, id) + ", ";
  }
  out.head = "static void " + out.name + '(' + out.head + "float* y)";
  out.invocation = out.name + '(' + given + address(lowered, step.calls.back().outputs[0]) + ");";
  return out;
}

namespace {

// Examples [n, ...] of so many numbers each.
void check_examples(const CDescription& d, const CParts& parts) {
  const bool both =
      d.stored.defined() && d.expected.defined() && d.stored.rank() >= 1 && d.expected.rank() >= 1;
  require(both, "export", "needs examples to test with: stored inputs and what the network answers");
  const Index n = d.stored.shape()[0];
  require(n >= 1 && d.expected.shape()[0] == n, "export", n, " examples come with ", d.expected.shape()[0],
          " outputs");
  require(d.stored.numel() == n * parts.input.numel(), "export", "examples ", d.stored.shape(),
          " do not fit the input ", parts.input);
  require(d.expected.numel() == n * parts.output.numel(), "export", "outputs ", d.expected.shape(),
          " do not fit those of the network, ", parts.output);
  const bool finite = all(isfinite(d.expected)).item<bool>();
  require<ValueError>(finite, "export", "the network answers with numbers that are not finite");
}

}  // namespace

void check_description(const CDescription& d, const CParts& parts) {
  require<ValueError>(d.classes.empty() || static_cast<Index>(d.classes.size()) == parts.output.numel(),
                      "export", "there are ", d.classes.size(), " class names for ", parts.output.numel(),
                      " outputs");
  for (const std::string& name : d.classes) {
    // More than C99 asks a compiler to take as one string.
    require<ValueError>(name.size() <= 1000, "export", "a class name has ", name.size(),
                        " bytes; C takes 1000");
  }
  if (d.preparation) {
    const CPreparation& p = *d.preparation;
    const auto groups = static_cast<Index>(p.means.size());
    require(p.means.size() == p.deviations.size() && groups >= 1 &&
                (groups == 1 || groups * p.shared == parts.input.numel()),
            "export", groups, " means, each for ", p.shared, " numbers, do not fit the input ", parts.input);
  }
  check_examples(d, parts);
}

std::string example_shape(const Shape& shape) {
  if (shape.rank() < 2 || shape[0] != 1) return shape.to_string();
  return Shape(std::span<const Index>(shape.begin() + 1, shape.end())).to_string();
}

}  // namespace compiler

CProgram write_c(const Graph& graph, const CDescription& description) {
  using namespace compiler;
  const CLowered lowered = lower_for_c(graph);
  const auto shape_of = [&](ValueId id) { return lowered.graph.values[static_cast<std::size_t>(id)].shape; };
  CParts parts{.description = description,
               .functions = {},
               .constants = {},
               .input = shape_of(lowered.input),
               .output = shape_of(lowered.output),
               .buffer = static_cast<Index>(lowered.arena.bytes) / kFloatBytes,
               .sizes = {}};
  for (const CStep& step : lowered.steps) {
    const GraphCall& root = step.calls.front();
    require<ValueError>(c_writer(*root.op) != nullptr, "export", where_in(step, root),
                        " cannot be written as C");
  }
  check_description(description, parts);
  CConstants constants;
  std::set<std::string> names;
  for (const CStep& step : lowered.steps) {
    if (is_view(lowered, lowered.graph.calls[static_cast<std::size_t>(&step - lowered.steps.data())]))
      continue;
    parts.functions.push_back(function_of(lowered, step, constants, names, parts.sizes.multiply_adds));
  }
  parts.constants = constants.all();
  for (const CConstant& c : parts.constants) parts.sizes.weight_bytes += c.value.numel() * kFloatBytes;
  parts.sizes.buffer_bytes = parts.buffer * kFloatBytes;
  parts.sizes.input_bytes = parts.input.numel() * kFloatBytes;
  parts.sizes.output_bytes = parts.output.numel() * kFloatBytes;
  const Index most = std::max({parts.sizes.weight_bytes, parts.sizes.buffer_bytes, parts.sizes.input_bytes});
  require<ValueError>(most <= std::numeric_limits<std::int32_t>::max(), "export", "the network takes ", most,
                      " bytes in one piece; C can count to 2147483647 there");
  return {.files = {{"model.h", model_header(parts)},
                    {"model.c", model_source(parts)},
                    {"model_weights.c", weights_source(parts)},
                    {"model_test.c", test_source(parts)},
                    {"Makefile", makefile(parts)}},
          .sizes = parts.sizes};
}

}  // namespace splot
