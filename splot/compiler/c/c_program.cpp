#include "splot/compiler/c/c_program.h"

#include <algorithm>
#include <limits>
#include <set>

#include "splot/compiler/c/internal/c_files.h"
#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace compiler {

std::string address(const CLowered& lowered, CConstants& constants, ValueId id,
                    const std::map<ValueId, std::string>& outside) {
  const Lifetime& value = lowered.lifetimes[static_cast<std::size_t>(id)];
  const CKnown& known = lowered.known[static_cast<std::size_t>(value.base)];
  Index offset = value.offset;
  std::string base = "buffer";
  if (const auto found = outside.find(value.base); found != outside.end()) {
    base = found->second;
  } else if (known.changes) {
    base = constants.add(known.value, {}, known.slot, /*changes=*/true).name;
  } else {
    offset += static_cast<Index>(lowered.arena.offsets[static_cast<std::size_t>(value.base)]) / kFloatBytes;
  }
  return offset == 0 ? base : join(base, " + ", offset);
}

namespace {

// Of a step that changes a weight, its name; else empty.
std::string changed_slot(const CLowered& lowered, const CStep& step) {
  const GraphCall& last = step.calls.back();
  return is_update(*last.op) ? lowered.known[static_cast<std::size_t>(last.inputs[0])].slot : std::string();
}

// What a function is named after: what it changes, or its layer, or its op.
std::string subject_of(const CLowered& lowered, const CStep& step) {
  const std::string changed = changed_slot(lowered, step);
  if (!changed.empty()) return changed;
  return step.layers.empty() ? std::string(step.calls.front().op->name) : step.layers[0];
}

}  // namespace

std::string unique_name(std::set<std::string>& taken, const std::string& begin, const std::string& subject) {
  const std::string wanted = begin + c_name(subject);
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
  const std::string changed = changed_slot(lowered, step);
  const std::string made_for = step.layers.empty() ? "" : list_of(step.layers) + ": ";
  std::string out = c_comment((changed.empty() ? made_for : "learning " + changed + ": ") + list_of(ops));
  out += "\n *   " + shapes + " -> " + (changed.empty() ? "y" : c_comment(changed)) + ' ' +
         example_shape(w.out_shape());
  for (const std::string& note : w.notes) out += "\n *   " + c_comment(note);
  if (w.weights() > 0 || w.multiply_adds > 0) {
    out += join("\n *   ", grouped(w.weights()), " weights, ", grouped(w.multiply_adds), " multiply-adds");
  }
  return out;
}

const char* type_name(CType type) {
  return type == CType::byte ? "unsigned char" : type == CType::whole ? "int" : "float";
}

}  // namespace

CFunction function_of(const CLowered& lowered, const CStep& step, CConstants& constants,
                      const CNaming& naming, Index& multiply_adds) {
  const GraphCall& root = step.calls.front();
  const CWriter writer = c_writer(*root.op);
  StepWriter w(lowered, step, constants);
  if (step.calls.size() == 1) {
    const std::size_t kept =
        lowered.graph.calls[static_cast<std::size_t>(&step - lowered.steps.data())].outputs.size();
    const bool whole = root.op == &max_pool2d_op || is_update(*root.op);
    if (kept != 1 && !whole) w.refuse(join(kept, " of its results are used; C is written for one"));
  }
  writer(w);
  multiply_adds += w.multiply_adds;
  CFunction out;
  out.name = unique_name(naming.taken, naming.begin, subject_of(lowered, step));
  out.comment = comment_of(lowered, step, w);
  out.body = w.code.text();
  std::string given;
  const auto add = [&](const std::string& type, const std::pair<ValueId, std::string>& operand) {
    out.head += (out.head.empty() ? "" : ", ") + type + "* " + operand.second;
    given += (given.empty() ? "" : ", ") + naming.address(operand.first);
  };
  for (const auto& p : w.parameters()) add(std::string("const ") + type_name(w.type_of_value(p.first)), p);
  for (const auto& p : w.results()) add(type_name(w.type_of_value(p.first)), p);
  out.parameters = out.head.empty() ? "void" : out.head;
  out.arguments = given;
  out.head = "static void " + out.name + '(' + out.parameters + ')';
  out.invocation = out.name + '(' + given + ");";
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

CNaming inference_naming(const CLowered& lowered, CConstants& constants, std::set<std::string>& names) {
  const std::map<ValueId, std::string> outside = {{lowered.input, "input"}, {lowered.output, "output"}};
  return {names, "run_",
          [&lowered, &constants, outside](ValueId id) { return address(lowered, constants, id, outside); }};
}

CParts parts_of(const CLowered& lowered, const CDescription& description, CConstants& constants,
                std::set<std::string>& names) {
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
  const CNaming naming = inference_naming(lowered, constants, names);
  for (const CStep& step : lowered.steps) {
    if (is_view(lowered, lowered.graph.calls[static_cast<std::size_t>(&step - lowered.steps.data())]))
      continue;
    parts.functions.push_back(function_of(lowered, step, constants, naming, parts.sizes.multiply_adds));
  }
  return parts;
}

void count_bytes(CParts& parts) {
  for (const CConstant& c : parts.constants) parts.sizes.weight_bytes += c.value.numel() * kFloatBytes;
  parts.sizes.buffer_bytes = parts.buffer * kFloatBytes;
  parts.sizes.input_bytes = parts.input.numel() * kFloatBytes;
  parts.sizes.output_bytes = parts.output.numel() * kFloatBytes;
  const Index most = std::max({parts.sizes.weight_bytes, parts.sizes.buffer_bytes, parts.sizes.input_bytes});
  require<ValueError>(most <= std::numeric_limits<std::int32_t>::max(), "export", "the network takes ", most,
                      " bytes in one piece; C can count to 2147483647 there");
}

}  // namespace compiler

CProgram write_c(const Graph& graph, const CDescription& description) {
  using namespace compiler;
  const CLowered lowered = lower_for_c(graph);
  CConstants constants;
  std::set<std::string> names;
  CParts parts = parts_of(lowered, description, constants, names);
  parts.constants = constants.all();
  count_bytes(parts);
  return {.files = {{"model.h", model_header(parts)},
                    {"model.c", model_source(parts)},
                    {"model_weights.c", weights_source(parts)},
                    {"model_test.c", test_source(parts)},
                    {"Makefile", makefile(parts)}},
          .sizes = parts.sizes};
}

}  // namespace splot
