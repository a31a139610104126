// fuse-update: a matrix product that is the gradient of one weight, and the update of the weight, become one
// call where the product was. The gradient is then never in memory.
#include <algorithm>
#include <utility>

#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/compiler/lifetimes.h"
#include "splot/ops/op_records.h"

namespace splot::compiler {
namespace {

// Inputs of sgd_step without a velocity.
constexpr std::size_t kWeight = 0, kGradient = 1, kRate = 2;

bool is_plain_sgd(const GraphCall& call) { return call.op == &sgd_step_op && call.outputs.size() == 1; }

class Fusion {
 public:
  explicit Fusion(Graph& graph) : graph_(graph), lifetimes_(lifetimes_of(graph)) {}

  // Whether the update, and what has to come before it, can be made where the product is.
  bool find(std::size_t update) {
    update_ = update;
    const GraphCall& call = graph_.calls[update];
    const ValueId gradient = call.inputs[kGradient];
    const auto maker = std::find_if(graph_.calls.begin(), graph_.calls.end(), [&](const GraphCall& c) {
      return c.op == &matmul_op && c.outputs[0] == gradient;
    });
    if (maker == graph_.calls.end() || value(gradient).shape.rank() != 2) return false;
    product_ = static_cast<std::size_t>(maker - graph_.calls.begin());
    return readers(gradient) == 1 && old_weight_is_not_needed() && find_earlier();
  }

  void apply() {
    std::vector<GraphCall> calls;
    const auto is_earlier = [&](std::size_t i) {
      return std::find(earlier_.begin(), earlier_.end(), i) != earlier_.end();
    };
    const GraphCall& product = graph_.calls[product_];
    const GraphCall& update = graph_.calls[update_];
    GraphCall fused;
    fused.op = &matmul_sgd_step_op;
    fused.attrs = Attrs(fused.op->attrs, {update.attrs.number("weight_decay"), update.attrs.number("l1")});
    fused.inputs = {product.inputs[0], product.inputs[1], update.inputs[kWeight], update.inputs[kRate]};
    fused.outputs = update.outputs;
    for (std::size_t i = 0; i < graph_.calls.size(); ++i) {
      if (i == update_ || is_earlier(i)) continue;
      if (i != product_) {
        calls.push_back(std::move(graph_.calls[i]));
        continue;
      }
      for (const std::size_t k : earlier_) calls.push_back(std::move(graph_.calls[k]));
      calls.push_back(std::move(fused));
    }
    graph_.calls = std::move(calls);
    number_anew(graph_);
  }

 private:
  const GraphValue& value(ValueId id) const { return graph_.values[static_cast<std::size_t>(id)]; }
  ValueId base(ValueId id) const { return lifetimes_[static_cast<std::size_t>(id)].base; }

  std::size_t readers(ValueId id) const {
    std::size_t out = 0;
    for (const GraphCall& call : graph_.calls) {
      out += static_cast<std::size_t>(std::count(call.inputs.begin(), call.inputs.end(), id));
    }
    for (const ValueId given : graph_.outputs) out += given == id ? 1 : 0;
    for (const GraphWrite& write : graph_.writes) out += write.value == id ? 1 : 0;
    return out;
  }

  // Where somebody reads the old weight between the product and the update, the new one could not be written
  // over it any more.
  bool old_weight_is_not_needed() const {
    const ValueId weight = base(graph_.calls[update_].inputs[kWeight]);
    for (std::size_t i = product_ + 1; i < update_; ++i) {
      for (const ValueId read : graph_.calls[i].inputs) {
        if (base(read) == weight) return false;
      }
    }
    return true;
  }

  // The calls between the product and the update that the update needs; of single numbers, such as that of
  // the step, and in no need of others that come after the product.
  bool find_earlier() {
    earlier_.clear();
    std::vector<ValueId> needed = graph_.calls[update_].inputs;
    needed.erase(needed.begin() + static_cast<std::ptrdiff_t>(kGradient));
    for (std::size_t i = update_; i-- > product_ + 1;) {
      const GraphCall& call = graph_.calls[i];
      const auto is_needed = [&](ValueId id) {
        return std::find(needed.begin(), needed.end(), id) != needed.end();
      };
      if (std::none_of(call.outputs.begin(), call.outputs.end(), is_needed)) continue;
      for (const ValueId id : call.outputs) {
        if (value(id).shape.numel() > 1) return false;
      }
      needed.insert(needed.end(), call.inputs.begin(), call.inputs.end());
      earlier_.insert(earlier_.begin(), i);
    }
    return std::find(needed.begin(), needed.end(), graph_.calls[product_].outputs[0]) == needed.end();
  }

  Graph& graph_;
  std::vector<Lifetime> lifetimes_;
  std::size_t product_ = 0;
  std::size_t update_ = 0;
  std::vector<std::size_t> earlier_;  // in order
};

}  // namespace

std::size_t fuse_update(Graph& graph) {
  std::size_t fused = 0;
  for (std::size_t i = 0; i < graph.calls.size();) {
    if (is_plain_sgd(graph.calls[i])) {
      Fusion fusion(graph);
      if (fusion.find(i)) {
        fusion.apply();
        ++fused;
        continue;  // the call that came behind the update stands where it was
      }
    }
    ++i;
  }
  return fused;
}

}  // namespace splot::compiler
