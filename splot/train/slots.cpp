#include "splot/train/slots.h"

#include <utility>

#include "splot/nn/parameters.h"

namespace splot {

std::vector<Slot> slots_of(Layer& layer) {
  std::vector<Slot> out;
  for (NamedParameter& entry : named_parameters(layer)) out.emplace_back(entry.name, entry.parameter);
  walk(layer, {.buffer = [&](const std::string& path, Tensor& buffer) { out.emplace_back(path, &buffer); }});
  return out;
}

std::vector<Slot> slots_of(Optimizer& optimizer) {
  std::vector<Slot> out;
  optimizer.visit_state([&](const std::string& name, Tensor& state) { out.emplace_back(name, &state); });
  return out;
}

std::vector<Slot> slots_of(Layer& layer, Optimizer& optimizer) {
  std::vector<Slot> out = slots_of(layer);
  for (Slot& slot : slots_of(optimizer)) out.push_back(std::move(slot));
  return out;
}

}  // namespace splot
