#include "splot/compiler/internal/rewrite.h"

#include <cstring>
#include <numeric>
#include <utility>

#include "splot/graph/trace.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

Rewriter::Rewriter(Graph& graph) : graph_(graph), makers_(graph.values.size(), nullptr) {}

const GraphCall* Rewriter::made_by(ValueId id, const OpDef& op) const {
  const GraphCall* call = maker(id);
  return call != nullptr && call->op == &op ? call : nullptr;
}

const Tensor* Rewriter::constant(ValueId id) const {
  for (const GraphInput& input : graph_.inputs) {
    if (input.value == id) return input.kind == GraphInput::Kind::constant ? &input.constant : nullptr;
  }
  return nullptr;
}

bool Rewriter::is_number(ValueId id, double number) const {
  while (maker(id) != nullptr && maker(id)->op->view != nullptr && maker(id)->inputs.size() == 1) {
    id = maker(id)->inputs[0];
  }
  const Tensor* x = constant(id);
  if (x == nullptr || x->numel() == 0) return false;
  const Tensor dense = contiguous(*x);
  const Tensor wanted = full({}, number, x->dtype());
  const auto* at = static_cast<const std::byte*>(dense.raw());
  const std::size_t size = x->dtype().size();
  for (Index i = 0; i < dense.numel(); ++i, at += size) {
    if (std::memcmp(at, wanted.raw(), size) != 0) return false;
  }
  return true;
}

ValueId Rewriter::add_constant(const Tensor& x) {
  const ValueId id = graph_.add_value(x);
  makers_.push_back(nullptr);
  GraphInput input;
  input.kind = GraphInput::Kind::constant;
  input.value = id;
  input.constant = x;
  graph_.inputs.push_back(std::move(input));
  return id;
}

void Rewriter::keep(GraphCall call) {
  calls_.push_back(std::move(call));
  for (const ValueId id : calls_.back().outputs) makers_[static_cast<std::size_t>(id)] = &calls_.back();
}

ValueId Rewriter::add(const ValueIds& from, const std::function<Tensor(std::span<const Tensor>)>& function) {
  return add_all(from, [&](std::span<const Tensor> in) { return TensorList{function(in)}; })[0];
}

ValueIds Rewriter::add_all(const ValueIds& from,
                           const std::function<TensorList(std::span<const Tensor>)>& function) {
  TensorList arguments;
  for (const ValueId id : from) {
    const GraphValue& like = value(id);
    arguments.push_back(Tensor::without_elements(like.shape, like.dtype, like.strides));
  }
  Graph made = trace([&](std::span<const Tensor> in, std::uint64_t) { return function(in); },
                     {arguments.data(), arguments.size()});
  ValueIds names(made.values.size());
  for (const GraphInput& input : made.inputs) {
    names[static_cast<std::size_t>(input.value)] = input.kind == GraphInput::Kind::argument
                                                       ? from[static_cast<std::size_t>(input.index)]
                                                       : add_constant(input.constant);
  }
  for (GraphCall& call : made.calls) {
    for (ValueId& id : call.inputs) id = names[static_cast<std::size_t>(id)];
    for (ValueId& id : call.outputs) {
      graph_.values.push_back(made.values[static_cast<std::size_t>(id)]);
      makers_.push_back(nullptr);
      id = names[static_cast<std::size_t>(id)] = static_cast<ValueId>(graph_.values.size()) - 1;
    }
    keep(std::move(call));
  }
  ValueIds out;
  for (const ValueId id : made.outputs) out.push_back(names[static_cast<std::size_t>(id)]);
  return out;
}

namespace {

// Whether elements lie in the same places: how far apart those of an axis of one element are means nothing.
bool same_places(const GraphValue& a, const GraphValue& b) {
  if (!(a.shape == b.shape)) return false;
  for (int i = 0; i < a.shape.rank(); ++i) {
    if (a.shape[i] != 1 && a.strides[i] != b.strides[i]) return false;
  }
  return true;
}

}  // namespace

bool Rewriter::fits(const ValueIds& replacement, const GraphCall& call) const {
  if (replacement.size() != call.outputs.size()) return false;
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const GraphValue& now = value(replacement[i]);
    const GraphValue& before = value(call.outputs[i]);
    if (now.dtype != before.dtype || !same_places(now, before)) return false;
  }
  return true;
}

std::size_t rewrite(Graph& graph, const Rule& rule) {
  std::size_t replaced = 0;
  ValueIds names(graph.values.size());
  std::iota(names.begin(), names.end(), 0);
  Rewriter rewriter(graph);
  for (GraphCall& call : graph.calls) {
    for (ValueId& id : call.inputs) id = names[static_cast<std::size_t>(id)];
    const std::size_t calls = rewriter.calls_.size(), inputs = graph.inputs.size(),
                      values = graph.values.size();
    const ValueIds now = rule(rewriter, call);
    if (now.empty() || !rewriter.fits(now, call)) {
      rewriter.calls_.resize(calls);
      graph.inputs.resize(inputs);
      graph.values.erase(graph.values.begin() + static_cast<std::ptrdiff_t>(values), graph.values.end());
      rewriter.makers_.resize(values);
      rewriter.keep(std::move(call));
      continue;
    }
    ++replaced;
    for (std::size_t i = 0; i < now.size(); ++i) names[static_cast<std::size_t>(call.outputs[i])] = now[i];
  }
  graph.calls.assign(std::make_move_iterator(rewriter.calls_.begin()),
                     std::make_move_iterator(rewriter.calls_.end()));
  while (names.size() < graph.values.size()) names.push_back(static_cast<ValueId>(names.size()));
  rename(graph, names);
  number_anew(graph);
  return replaced;
}

ReadCounts::ReadCounts(const Graph& graph) : counts_(graph.values.size()) {
  for (const GraphCall& call : graph.calls) {
    for (const ValueId id : call.inputs) ++counts_[static_cast<std::size_t>(id)];
  }
  for (const ValueId id : graph.outputs) ++counts_[static_cast<std::size_t>(id)];
  for (const GraphWrite& write : graph.writes) ++counts_[static_cast<std::size_t>(write.value)];
}

void rename(Graph& graph, const ValueIds& names) {
  const auto follow = [&](ValueId& id) { id = names[static_cast<std::size_t>(id)]; };
  for (GraphCall& call : graph.calls) {
    for (ValueId& id : call.inputs) follow(id);
  }
  for (ValueId& id : graph.outputs) follow(id);
  for (GraphWrite& write : graph.writes) follow(write.value);
}

void number_anew(Graph& graph) {
  ValueIds names(graph.values.size(), -1);
  std::vector<GraphValue> kept;
  const auto take = [&](ValueId& id) {
    kept.push_back(graph.values[static_cast<std::size_t>(id)]);
    id = names[static_cast<std::size_t>(id)] = static_cast<ValueId>(kept.size()) - 1;
  };
  for (GraphInput& input : graph.inputs) take(input.value);
  for (GraphCall& call : graph.calls) {
    for (ValueId& id : call.outputs) take(id);
  }
  graph.values = std::move(kept);
  rename(graph, names);
}

}  // namespace splot::compiler
