// Passes that look at how calls hang together, and not at what they compute: dead code, common
// subexpressions, constants.
#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/core/error.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

// A constant longer than that is neither made by folding nor compared with others.
constexpr std::size_t kLargestConstant = std::size_t{1} << 20;

std::size_t element_bytes(const GraphValue& value) {
  return static_cast<std::size_t>(value.shape.numel()) * value.dtype.size();
}

// Not a == b, for which 0 and -0 are the same number.
bool same_bits(const AttrValue& a, const AttrValue& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x == nullptr || y == nullptr) return a == b;
  return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
}

bool same_attrs(const Attrs& a, const Attrs& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return false;
  }
  return true;
}

// What two keys or two constants have in common when they are the same; empty for other inputs.
std::string identity_of(const Graph& graph, const GraphInput& input) {
  if (input.kind == GraphInput::Kind::key) {
    return join("key ", input.key.seed, ' ', input.key.stream, ' ', input.key.counter, ' ', input.follows);
  }
  const GraphValue& value = graph.values[static_cast<std::size_t>(input.value)];
  if (input.kind != GraphInput::Kind::constant || element_bytes(value) > kLargestConstant) return {};
  std::string out = join(value.dtype, ' ', value.shape, ' ', value.strides, ' ');
  const Tensor dense = contiguous(input.constant);
  out.append(static_cast<const char*>(dense.raw()), element_bytes(value));
  return out;
}

std::size_t merge_inputs(Graph& graph) {
  std::unordered_map<std::string, ValueId> known;
  ValueIds names(graph.values.size());
  std::iota(names.begin(), names.end(), 0);
  std::vector<GraphInput> kept;
  for (GraphInput& input : graph.inputs) {
    const std::string identity = identity_of(graph, input);
    if (!identity.empty()) {
      const auto [first, is_new] = known.emplace(identity, input.value);
      names[static_cast<std::size_t>(input.value)] = first->second;
      if (!is_new) continue;
    }
    kept.push_back(std::move(input));
  }
  const std::size_t merged = graph.inputs.size() - kept.size();
  graph.inputs = std::move(kept);
  rename(graph, names);
  return merged;
}

std::size_t hash_of(const GraphCall& call) {
  std::size_t hash = std::hash<const OpDef*>()(call.op);
  for (const ValueId id : call.inputs) hash = hash * 31 + static_cast<std::size_t>(id);
  return hash;
}

}  // namespace

std::size_t dead_code(Graph& graph) {
  std::vector<bool> read(graph.values.size());
  const auto mark = [&](ValueId id) { read[static_cast<std::size_t>(id)] = true; };
  const auto is_read = [&](ValueId id) { return bool{read[static_cast<std::size_t>(id)]}; };
  for (const ValueId id : graph.outputs) mark(id);
  for (const GraphWrite& write : graph.writes) mark(write.value);
  std::vector<GraphCall> kept;
  for (auto call = graph.calls.rbegin(); call != graph.calls.rend(); ++call) {
    if (std::none_of(call->outputs.begin(), call->outputs.end(), is_read)) continue;
    for (const ValueId id : call->inputs) mark(id);
    kept.push_back(std::move(*call));
  }
  const std::size_t dropped = graph.calls.size() - kept.size();
  graph.calls.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  const std::size_t inputs = graph.inputs.size();
  std::erase_if(graph.inputs, [&](const GraphInput& input) {
    return input.kind != GraphInput::Kind::argument && !is_read(input.value);
  });
  number_anew(graph);
  return dropped + (inputs - graph.inputs.size());
}

std::size_t common_subexpressions(Graph& graph) {
  const std::size_t merged = merge_inputs(graph);
  std::unordered_multimap<std::size_t, GraphCall> known;
  return merged + rewrite(graph, [&](Rewriter& g, const GraphCall& call) {
           const std::size_t hash = hash_of(call);
           const auto [first, last] = known.equal_range(hash);
           for (auto it = first; it != last; ++it) {
             const GraphCall& other = it->second;
             if (other.op != call.op || other.inputs != call.inputs || !same_attrs(other.attrs, call.attrs)) {
               continue;
             }
             // A cast to row-major order and one that keeps the order have the same attributes.
             if (g.value(other.outputs[0]).strides == g.value(call.outputs[0]).strides) return other.outputs;
           }
           known.emplace(hash, call);
           return ValueIds();
         });
}

std::size_t constant_folding(Graph& graph) {
  return rewrite(graph, [](Rewriter& g, const GraphCall& call) -> ValueIds {
    TensorList inputs, outputs;
    for (const ValueId id : call.inputs) {
      const Tensor* x = g.constant(id);
      if (x == nullptr) return {};
      inputs.push_back(*x);
    }
    std::size_t bytes = 0;
    for (const ValueId id : call.outputs) bytes += element_bytes(g.value(id));
    if (bytes > kLargestConstant) return {};
    try {
      if (call.op->view != nullptr) {
        outputs.push_back(call.op->view(inputs, call.attrs));
      } else {
        for (const ValueId id : call.outputs) {
          outputs.push_back(Tensor::empty(g.value(id).shape, g.value(id).dtype, g.value(id).strides));
        }
        const KernelArgs args(*call.op, inputs, {outputs.data(), outputs.size()}, call.attrs);
        (call.op->elementwise != nullptr ? call.op->elementwise->run : call.op->kernel)(args);
      }
    } catch (const Error&) {
      return {};  // it is said when the call is made
    }
    ValueIds ids;
    for (const Tensor& output : outputs) ids.push_back(g.add_constant(output));
    return ids;
  });
}

}  // namespace splot::compiler
