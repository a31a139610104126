#include "splot/compiler/lifetimes.h"

#include <algorithm>

#include "splot/core/storage.h"

namespace splot::compiler {

namespace {

Tensor like(const GraphValue& value) {
  return Tensor::without_elements(value.shape, value.dtype, value.strides);
}

std::size_t bytes_of(const GraphValue& value) {
  const std::size_t bytes = static_cast<std::size_t>(value.shape.numel()) * value.dtype.size();
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

std::vector<Lifetime> lifetimes_of(const Graph& graph) {
  std::vector<Lifetime> out(graph.values.size());
  const auto at = [&](ValueId id) -> Lifetime& { return out[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].base = static_cast<ValueId>(i);
    out[i].bytes = bytes_of(graph.values[i]);
  }
  for (const GraphInput& input : graph.inputs) at(input.value).home = Home::outside;
  int number = 0;
  for (const GraphCall& call : graph.calls) {
    for (const ValueId id : call.inputs) at(at(id).base).last = number;
    for (const ValueId id : call.outputs) at(id).first = at(id).last = number;
    if (call.op->view != nullptr) {
      const TensorList x = {like(graph.values[static_cast<std::size_t>(call.inputs[0])])};
      const Tensor seen = call.op->view(x, call.attrs);
      if (seen.impl()->storage == x[0].impl()->storage) {  // else it had to be copied
        const Lifetime& from = at(call.inputs[0]);
        Lifetime& to = at(call.outputs[0]);
        to.home = Home::view;
        to.base = from.base;
        to.offset = from.offset + seen.impl()->offset;
      }
    }
    ++number;
  }
  const auto keep = [&](ValueId id) {
    Lifetime& base = at(at(id).base);
    if (base.home == Home::arena) base.home = Home::own;
    base.last = number;
  };
  for (const ValueId id : graph.outputs) keep(id);
  for (const GraphWrite& write : graph.writes) keep(write.value);
  return out;
}

Arena place(const std::vector<Lifetime>& lifetimes) {
  Arena out{.offsets = std::vector<std::size_t>(lifetimes.size()), .bytes = 0, .lower_bound = 0};
  std::vector<std::size_t> order;
  int calls = 0;
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    if (lifetimes[i].home != Home::arena) continue;
    order.push_back(i);
    calls = std::max(calls, lifetimes[i].last + 1);
  }
  std::vector<std::size_t> alive(static_cast<std::size_t>(calls));
  for (const std::size_t i : order) {
    for (int call = lifetimes[i].first; call <= lifetimes[i].last; ++call) {
      alive[static_cast<std::size_t>(call)] += lifetimes[i].bytes;
    }
  }
  for (const std::size_t bytes : alive) out.lower_bound = std::max(out.lower_bound, bytes);

  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  std::vector<std::size_t> placed;  // by their places
  for (const std::size_t i : order) {
    const Lifetime& value = lifetimes[i];
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together = lifetimes[other].first <= value.last && value.first <= lifetimes[other].last;
      if (!together) continue;
      if (offset + value.bytes <= out.offsets[other]) break;
      offset = std::max(offset, out.offsets[other] + lifetimes[other].bytes);
    }
    out.offsets[i] = offset;
    out.bytes = std::max(out.bytes, offset + value.bytes);
    const auto where = std::upper_bound(placed.begin(), placed.end(), offset,
                                        [&](std::size_t o, std::size_t p) { return o < out.offsets[p]; });
    placed.insert(where, i);
  }
  return out;
}

}  // namespace splot::compiler
