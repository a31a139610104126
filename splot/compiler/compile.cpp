#include "splot/compiler/compile.h"

#include <algorithm>
#include <utility>

#include "splot/core/error.h"

namespace splot {
namespace {

bool fits(const std::vector<GraphValue>& wanted, std::span<const Tensor> given) {
  return std::equal(wanted.begin(), wanted.end(), given.begin(), given.end(),
                    [](const GraphValue& value, const Tensor& x) {
                      return x.defined() && value.shape == x.shape() && value.dtype == x.dtype() &&
                             value.strides == x.strides();
                    });
}

}  // namespace

Compiled::Compiled(TracedFunction function, CompileOptions options)
    : function_(std::move(function)), options_(std::move(options)) {
  require<ValueError>(options_.plans >= 1, "compile", "needs room for one plan");
}

Plan& Compiled::plan_for(std::span<const Tensor> arguments) {
  const auto is_frozen = [&](std::size_t i) {
    const Parameter* parameter = options_.slots[i].parameter();
    return parameter != nullptr && parameter->frozen();
  };
  const auto same_slots = [&](const Entry& entry) {
    if (entry.plan->graph().slot_tensors.changed(options_.slots) >= 0) return false;
    for (std::size_t i = 0; i < options_.slots.size(); ++i) {
      if (entry.frozen[i] != is_frozen(i)) return false;
    }
    return true;
  };
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return fits(entry.arguments, arguments) && same_slots(entry);
  });
  if (found != entries_.end()) {
    std::rotate(entries_.begin(), found, found + 1);
    return *entries_.front().plan;
  }
  Entry made;
  Graph graph = trace(function_, arguments, {.slots = options_.slots});
  made.plan = std::make_unique<Plan>(optimize(std::move(graph), options_.passes).graph);
  for (const Tensor& x : arguments) made.arguments.push_back({x.shape(), x.dtype(), x.strides()});
  for (std::size_t i = 0; i < options_.slots.size(); ++i) made.frozen.push_back(is_frozen(i));
  if (entries_.size() == options_.plans) entries_.pop_back();
  entries_.insert(entries_.begin(), std::move(made));
  ++made_;
  return *entries_.front().plan;
}

TensorList Compiled::operator()(std::span<const Tensor> arguments, std::uint64_t counter,
                                std::span<const Tensor> next) {
  return plan_for(arguments).run(arguments, counter, next);
}

}  // namespace splot
