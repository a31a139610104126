#include "splot/autodiff/autodiff.h"

#include <algorithm>
#include <vector>

#include "splot/ops/ops.h"

namespace splot {
namespace {

// The part of the history between the roots and the variables, latest call first.
struct Visit {
  Node* node = nullptr;
  TensorList cotangents;  // one for each output; undefined while nothing has flowed in
  bool wanted = false;    // leads to something whose gradient is asked for
};

// From a node to its place in the list of visits: open addressing over pointers. A step of a small network
// visits thirty nodes in a few microseconds, which std::unordered_map would spend on allocation alone.
class PlaceMap {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::size_t find(const Node* node) const {
    for (std::size_t i = slot_of(node);; i = (i + 1) & mask()) {
      if (slots_[i].node == node) return slots_[i].place;
      if (slots_[i].node == nullptr) return kNone;
    }
  }
  /// False when it was there already.
  bool insert(const Node* node, std::size_t place) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    for (std::size_t i = slot_of(node);; i = (i + 1) & mask()) {
      if (slots_[i].node == node) return false;
      if (slots_[i].node != nullptr) continue;
      slots_[i] = {node, place};
      ++count_;
      return true;
    }
  }
  void move(const Node* node, std::size_t place) {
    for (std::size_t i = slot_of(node);; i = (i + 1) & mask()) {
      if (slots_[i].node == node) {
        slots_[i].place = place;
        return;
      }
    }
  }

 private:
  struct Slot {
    const Node* node = nullptr;
    std::size_t place = 0;
  };
  std::size_t mask() const { return slots_.size() - 1; }
  // Fibonacci hashing: the golden ratio's fraction of 2^64 spreads neighbouring addresses.
  std::size_t slot_of(const Node* node) const {
    return (reinterpret_cast<std::uintptr_t>(node) * 0x9E3779B97F4A7C15u >> 32) & mask();
  }
  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    count_ = 0;
    for (const Slot& slot : old) {
      if (slot.node != nullptr) insert(slot.node, slot.place);
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(128);
  std::size_t count_ = 0;
};

class Sweep {
 public:
  Sweep(std::span<const Tensor> roots, std::span<const Tensor> cotangents) {
    std::vector<Node*> nodes;
    for (const Tensor& root : roots) {
      if (root.requires_grad()) collect(root.impl()->node.get(), nodes);
    }
    std::sort(nodes.begin(), nodes.end(),
              [](const Node* a, const Node* b) { return a->sequence > b->sequence; });
    visits_.resize(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      visits_[i].node = nodes[i];
      visits_[i].cotangents.resize(nodes[i]->outputs.size());
      place_.move(nodes[i], i);
    }
    for (std::size_t i = 0; i < roots.size(); ++i) {
      if (roots[i].requires_grad())
        receive(*find(roots[i].impl()->node.get()), roots[i].impl()->output, cotangents[i]);
    }
  }

  Visit* find(const Node* node) {
    const std::size_t place = place_.find(node);
    return place == PlaceMap::kNone ? nullptr : &visits_[place];
  }

  void want_all() {
    for (Visit& visit : visits_) visit.wanted = true;
  }
  // From the earliest call on: a call is wanted when one of its inputs is.
  void want(std::span<const Tensor> targets) {
    for (const Tensor& x : targets) {
      if (!x.requires_grad()) continue;
      if (Visit* visit = find(x.impl()->node.get())) visit->wanted = true;
    }
    for (std::size_t i = visits_.size(); i-- > 0;) {
      for (const Edge& edge : visits_[i].node->edges) {
        if (edge.node && find(edge.node.get())->wanted) visits_[i].wanted = true;
      }
    }
  }

  // Runs every derivative; `finished` sees each visit with its cotangents complete, before it is passed on.
  template <typename Finished>
  void run(bool release, Finished&& finished) {
    for (Visit& visit : visits_) {
      if (!visit.wanted) continue;
      finished(visit);
      if (!visit.node->is_variable()) pass_on(visit);
      if (release && !visit.node->is_variable()) visit.node->release_kept();
      visit.cotangents = TensorList();
    }
  }

 private:
  void collect(Node* root, std::vector<Node*>& nodes) {
    std::vector<Node*> stack{root};
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      if (!place_.insert(node, 0)) continue;
      nodes.push_back(node);
      for (const Edge& edge : node->edges) {
        if (edge.node) stack.push_back(edge.node.get());
      }
    }
  }

  static void receive(Visit& visit, int output, const Tensor& cotangent) {
    Tensor& sum = visit.cotangents[static_cast<std::size_t>(output)];
    sum = sum.defined() ? sum + cotangent : cotangent;
  }

  void pass_on(Visit& visit) {
    const Node& node = *visit.node;
    bool any = false;
    for (const Tensor& dy : visit.cotangents) any = any || dy.defined();
    if (!any) return;
    require<GradientError>(node.op->vjp != nullptr, node.op->name, "has no derivative");
    require<GradientError>(!node.released, node.op->name,
                           "what its derivative needs was freed by an earlier backward pass; keep it with "
                           "{.retain_graph = true}");
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!visit.cotangents[i].defined())
        visit.cotangents[i] = zeros(node.outputs[i].shape, node.outputs[i].dtype);
    }
    TensorList outputs = node.kept_outputs;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].defined() && outputs[i].dtype().is_floating() && grad_enabled())
        outputs[i] = with_history(outputs[i], visit.node, static_cast<int>(i));
    }
    bool needs[32] = {};
    std::vector<char> many;
    bool* wants = needs;
    const std::size_t inputs = node.edges.size();
    if (inputs > std::size(needs)) {
      many.resize(inputs);
      wants = reinterpret_cast<bool*>(many.data());
    }
    for (std::size_t i = 0; i < inputs; ++i)
      wants[i] = node.edges[i].node && find(node.edges[i].node.get())->wanted;
    const TensorList gradients = node.op->vjp(VjpArgs(node, visit.cotangents, outputs, {wants, inputs}));
    for (std::size_t i = 0; i < inputs; ++i) {
      if (!wants[i]) continue;
      require<GradientError>(i < gradients.size() && gradients[i].defined(), node.op->name,
                             "its derivative gives nothing for input ", i);
      require<GradientError>(gradients[i].shape() == node.inputs[i].shape, node.op->name,
                             "its derivative gives ", gradients[i].shape(), " for input ", i, " of shape ",
                             node.inputs[i].shape);
      receive(*find(node.edges[i].node.get()), node.edges[i].output, gradients[i]);
    }
  }

  // A kept output has no history of its own; for a derivative of the derivative it gets it back.
  static Tensor with_history(const Tensor& kept, Node* node, int output) {
    Ref<TensorImpl> impl = kept.impl()->window();
    impl->node = Ref<Node>(node);
    impl->output = output;
    return Tensor(std::move(impl));
  }

  std::vector<Visit> visits_;
  PlaceMap place_;
};

Tensor cotangent_for(const Tensor& y, const Tensor& given, const char* where) {
  require<GradientError>(y.requires_grad(), where, "the tensor ", y,
                         " has no history: it does not depend on a variable, or was computed under NoGrad");
  if (!given.defined()) {
    require(y.numel() == 1, where, "a tensor of shape ", y,
            " needs a cotangent; only one-element tensors have a default");
    return ones(y.shape(), y.dtype());
  }
  require(given.shape() == y.shape(), where, "the cotangent has shape ", given, ", the tensor ", y);
  return given;
}

TensorList differentiate(std::span<const Tensor> ys, std::span<const Tensor> cotangents,
                         std::span<const Tensor> xs, const GradOptions& options) {
  for (const Tensor& x : xs) {
    require<GradientError>(x.requires_grad() || options.allow_unused, "grad", "a tensor of shape ", x,
                           " is a constant; make it a variable with x.variable()");
  }
  const NoGrad off(!options.create_graph);
  Sweep sweep(ys, cotangents);
  sweep.want(xs);
  TensorList out(xs.size());
  sweep.run(!options.create_graph && !options.retain_graph, [&](const Visit& visit) {
    for (std::size_t i = 0; i < xs.size(); ++i) {
      const TensorImpl& x = *xs[i].impl();
      if (x.node && x.node.get() == visit.node) out[i] = visit.cotangents[static_cast<std::size_t>(x.output)];
    }
  });
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (out[i].defined()) continue;
    require<GradientError>(options.allow_unused, "grad", "the result does not depend on input ", i,
                           " of shape ", xs[i]);
    out[i] = zeros(xs[i].shape(), xs[i].dtype());
  }
  return out;
}

TensorList as_variables(std::span<const Tensor> inputs) {
  TensorList out;
  for (const Tensor& x : inputs) out.push_back(x.dtype().is_floating() ? x.variable() : x);
  return out;
}

// Zero cotangents for what may be differentiated once more.
TensorList zero_variables(std::span<const Tensor> like) {
  TensorList out;
  for (const Tensor& x : like) out.push_back(zeros(x.shape(), x.dtype()).variable());
  return out;
}

}  // namespace

void backward(const Tensor& y, const BackwardOptions& options) {
  const Tensor cotangent = cotangent_for(y, options.cotangent, "backward");
  const NoGrad off;
  Sweep sweep({&y, 1}, {&cotangent, 1});
  sweep.want_all();
  sweep.run(!options.retain_graph, [](Visit& visit) {
    if (!visit.node->is_variable() || !visit.cotangents[0].defined()) return;
    Node& variable = *visit.node;
    const std::lock_guard lock(variable.grad_mutex);
    variable.grad = variable.grad.defined() ? variable.grad + visit.cotangents[0] : visit.cotangents[0];
  });
}

TensorList grad(const Tensor& y, std::span<const Tensor> xs, const GradOptions& options) {
  const Tensor cotangent = cotangent_for(y, options.cotangent, "grad");
  return differentiate({&y, 1}, {&cotangent, 1}, xs, options);
}

TensorList grad(const Tensor& y, std::initializer_list<Tensor> xs, const GradOptions& options) {
  return grad(y, std::span<const Tensor>(xs.begin(), xs.size()), options);
}

Vjp vjp(const Function& f, std::span<const Tensor> inputs) {
  const TensorList variables = as_variables(inputs);
  const TensorList values = f(variables);
  Vjp out;
  for (const Tensor& value : values) out.values.push_back(value.detach());
  out.pullback = [variables, values](std::span<const Tensor> cotangents) {
    require(cotangents.size() == values.size(), "vjp", "the function has ", values.size(), " outputs, got ",
            cotangents.size(), " cotangents");
    return differentiate(values, cotangents, variables, {.retain_graph = true, .allow_unused = true});
  };
  return out;
}

Jvp jvp(const Function& f, std::span<const Tensor> inputs, std::span<const Tensor> tangents) {
  require(tangents.size() == inputs.size(), "jvp", "the function has ", inputs.size(), " inputs, got ",
          tangents.size(), " tangents");
  const TensorList variables = as_variables(inputs);
  const TensorList values = f(variables);
  // The pullback u -> J^T u is linear in u, so the derivative of (J^T u) . t with respect to u is J t.
  const TensorList u = zero_variables(values);
  const TensorList pulled = differentiate(values, u, variables, {.create_graph = true, .allow_unused = true});
  Jvp out;
  for (const Tensor& value : values) out.values.push_back(value.detach());
  TensorList roots, seeds;
  for (std::size_t i = 0; i < pulled.size(); ++i) {
    roots.push_back(pulled[i]);
    seeds.push_back(tangents[i]);
  }
  out.tangents = differentiate(roots, seeds, u, {.allow_unused = true});
  return out;
}

TensorList hvp(const Function& f, std::span<const Tensor> inputs, std::span<const Tensor> v) {
  require(v.size() == inputs.size(), "hvp", "the function has ", inputs.size(), " inputs, got ", v.size(),
          " vectors");
  const TensorList variables = as_variables(inputs);
  const TensorList values = f(variables);
  require(values.size() == 1 && values[0].numel() == 1, "hvp",
          "the function must give one tensor with one element");
  const TensorList gradients = grad(values[0], variables, {.create_graph = true, .allow_unused = true});
  return differentiate(gradients, v, variables, {.allow_unused = true});
}

}  // namespace splot
