// Forms that neither overflow nor cancel, for functions that are written as mathematics writes them, and for
// what their derivatives look like in a traced step.
#include <functional>
#include <optional>

#include "splot/compiler/internal/pass_list.h"
#include "splot/compiler/internal/rewrite.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

using In = std::span<const Tensor>;
using Found = std::optional<ValueId>;

// What the op is applied to, where it makes the value.
Found inside(const Rewriter& g, ValueId id, const OpDef& op) {
  const GraphCall* call = g.made_by(id, op);
  return call == nullptr ? Found() : call->inputs[0];
}

// x of 1 + x.
Found one_plus(const Rewriter& g, ValueId id) {
  const GraphCall* call = g.made_by(id, add_op);
  if (call == nullptr) return {};
  if (g.is_number(call->inputs[0], 1.0)) return call->inputs[1];
  return g.is_number(call->inputs[1], 1.0) ? Found(call->inputs[0]) : Found();
}

// x of 1 - x, also written 1 + -x.
Found one_minus(const Rewriter& g, ValueId id) {
  if (const Found negative = one_plus(g, id)) return inside(g, *negative, neg_op);
  const GraphCall* call = g.made_by(id, sub_op);
  return call != nullptr && g.is_number(call->inputs[0], 1.0) ? Found(call->inputs[1]) : Found();
}

// The sum over one axis that is kept, or over the only one: its axis. What a softmax divides by.
std::optional<Index> axis_of_total(const Rewriter& g, ValueId id, ValueId of) {
  const GraphCall* call = g.made_by(id, sum_op);
  if (call == nullptr || call->inputs[0] != of) return {};
  const Ints& axes = call->attrs.ints("axes");
  const bool stretches = call->attrs.flag("keepdim") || g.value(of).shape.rank() == 1;
  return axes.size() == 1 && stretches ? std::optional<Index>(axes[0]) : std::nullopt;
}

// The value itself, of a shape that it broadcasts to, in the order the op that is replaced would give it.
ValueId dense(Rewriter& g, ValueId id, ValueId like) {
  const GraphValue wanted = g.value(like);
  if (g.value(id).shape == wanted.shape && g.value(id).strides == wanted.strides) return id;
  return g.add({id}, [&](In in) { return contiguous(expand(in[0], wanted.shape)); });
}

// --- logarithms

ValueIds log_one_minus_sigmoid(Rewriter& g, ValueId x) {
  return {g.add({x}, [](In in) { return -softplus(in[0]); })};
}

ValueIds log_rule(Rewriter& g, const GraphCall& call) {
  const ValueId x = call.inputs[0];
  if (const GraphCall* p = g.made_by(x, softmax_op)) {
    return {g.add({p->inputs[0]}, [&](In in) { return log_softmax(in[0], p->attrs.integer("axis")); })};
  }
  if (const Found z = inside(g, x, sigmoid_op)) {
    return {g.add({*z}, [](In in) { return -softplus(-in[0]); })};
  }
  if (const Found rest = one_minus(g, x)) {
    if (const Found z = inside(g, *rest, sigmoid_op)) return log_one_minus_sigmoid(g, *z);
    return {g.add({*rest}, [](In in) { return log1p(-in[0]); })};
  }
  if (const Found rest = one_plus(g, x)) {
    if (const Found z = inside(g, *rest, exp_op)) return {g.add({*z}, [](In in) { return softplus(in[0]); })};
    return {g.add({*rest}, [](In in) { return log1p(in[0]); })};
  }
  if (const GraphCall* total = g.made_by(x, sum_op)) {
    const Found z = inside(g, total->inputs[0], exp_op);
    if (!z) return {};
    return {g.add({*z}, [&](In in) {
      return logsumexp(in[0], total->attrs.ints("axes"), total->attrs.flag("keepdim"));
    })};
  }
  const Found z = inside(g, x, exp_op);
  return z ? ValueIds{*z} : ValueIds();
}

ValueIds log1p_rule(Rewriter& g, const GraphCall& call) {
  if (const Found z = inside(g, call.inputs[0], exp_op)) {
    return {g.add({*z}, [](In in) { return softplus(in[0]); })};
  }
  const Found negative = inside(g, call.inputs[0], neg_op);
  const Found z = negative ? inside(g, *negative, sigmoid_op) : Found();
  return z ? log_one_minus_sigmoid(g, *z) : ValueIds();
}

// --- differences

// The mean of what, and of it alone: null for anything else.
const GraphCall* mean_of(const Rewriter& g, ValueId id, ValueId x) {
  const GraphCall* call = g.made_by(id, mean_op);
  return call != nullptr && call->inputs[0] == x ? call : nullptr;
}

// x of x x.
Found squared(const Rewriter& g, ValueId id) {
  const GraphCall* call = g.made_by(id, mul_op);
  return call != nullptr && call->inputs[0] == call->inputs[1] ? Found(call->inputs[0]) : Found();
}

ValueIds sub_rule(Rewriter& g, const GraphCall& call) {
  if (g.is_number(call.inputs[1], 1.0)) {
    const Found z = inside(g, call.inputs[0], exp_op);
    return z ? ValueIds{g.add({*z}, [](In in) { return expm1(in[0]); })} : ValueIds();
  }
  const Found square = inside(g, call.inputs[0], mean_op);
  const Found x = square ? squared(g, *square) : Found();
  const Found centre = squared(g, call.inputs[1]);
  if (!x || !centre) return {};
  const GraphCall* mean = mean_of(g, *centre, *x);
  if (mean == nullptr || !(mean->attrs == g.maker(call.inputs[0])->attrs)) return {};
  return {g.add({*x}, [&](In in) {
    return var(in[0], mean->attrs.ints("axes"), mean->attrs.flag("keepdim"), /*correction=*/0);
  })};
}

// --- softmax written out, and sums of probabilities times log_softmax

ValueIds div_rule(Rewriter& g, const GraphCall& call) {
  const Found z = inside(g, call.inputs[0], exp_op);
  const auto axis = axis_of_total(g, call.inputs[1], call.inputs[0]);
  if (!z || !axis) return {};
  return {g.add({*z}, [&](In in) { return softmax(in[0], *axis); })};
}

// sum t log_softmax(x) over the classes: 0 of the target times -infinity would be NaN.
ValueIds sum_rule(Rewriter& g, const GraphCall& call) {
  const GraphCall* product = g.made_by(call.inputs[0], mul_op);
  if (product == nullptr || call.attrs.ints("axes").size() != 1 || call.attrs.flag("keepdim")) return {};
  for (const std::size_t side : {0u, 1u}) {
    const GraphCall* logs = g.made_by(product->inputs[side], log_softmax_op);
    if (logs == nullptr) continue;
    const ValueId x = logs->inputs[0], target = product->inputs[1 - side];
    const Index last = g.value(x).shape.rank() - 1;
    if (logs->attrs.integer("axis") != last || call.attrs.ints("axes")[0] != last) continue;
    if (g.value(target).shape != g.value(x).shape) continue;
    return {g.add({x, target}, [](In in) { return -softmax_cross_entropy(in[0], in[1], Reduction::none); })};
  }
  return {};
}

// --- derivatives

// log p and then softmax or sigmoid p: (dy / p) p, where p may be 0. And of log exp x.
bool is_positive(const Rewriter& g, ValueId id) {
  const GraphCall* call = g.maker(id);
  return call != nullptr && (call->op == &softmax_op || call->op == &sigmoid_op || call->op == &exp_op);
}

// With s = sum e, e = exp(x), over one axis: values that were divided by s, as they would be if they were
// not. How a derivative gets from dy / s to a factor of e, through sums over that axis and back to its size.
class Undivided {
 public:
  Undivided(Rewriter& g, ValueId e) : g_(g), e_(e), shape_(g.value(e).shape) {}

  /// Nothing where the value is no such thing.
  Found find(ValueId id) {
    const GraphCall* call = g_.maker(id);
    if (call == nullptr) return {};
    if (call->op == &div_op) return quotient(*call);
    if (call->op == &mul_op) {
      for (const std::size_t side : {0u, 1u}) {
        const ValueId other = call->inputs[1 - side];
        if (const Found part = find_like(call->inputs[side], id)) {
          return g_.add({*part, other}, [](In in) { return in[0] * in[1]; });
        }
      }
      return {};
    }
    if (call->op != &neg_op && call->op != &sum_op && call->op != &reshape_op && call->op != &expand_op)
      return {};
    const Found part = find(call->inputs[0]);
    if (!part || !keeps_rows(*call)) return {};
    return g_.add({*part}, [&](In in) { return apply(*call->op, {in[0]}, call->attrs); });
  }
  Index axis() const { return *axis_; }

 private:
  int rank_of(ValueId id) const { return g_.value(id).shape.rank(); }

  // The same for an operand that is not stretched by the other.
  Found find_like(ValueId id, ValueId out) {
    return g_.value(id).shape.rank() == rank_of(out) ? find(id) : Found();
  }

  Found quotient(const GraphCall& call) {
    const GraphCall* total = g_.made_by(call.inputs[1], sum_op);
    if (total == nullptr || total->inputs[0] != e_ || total->attrs.ints("axes").size() != 1) return {};
    const Index axis = total->attrs.ints("axes")[0];
    if (axis_ && *axis_ != axis) return {};
    // A total without its axis must not be stretched along another one.
    const bool same_axes =
        total->attrs.flag("keepdim") || shape_.rank() == 1 || rank_of(call.outputs[0]) == shape_.rank() - 1;
    if (!same_axes) return {};
    axis_ = axis;
    const Shape shape = g_.value(call.outputs[0]).shape;
    return g_.add({call.inputs[0]}, [&](In in) { return expand(in[0], shape); });
  }

  // Whether each row that was divided by one total is one row still.
  bool keeps_rows(const GraphCall& call) const {
    const Shape &from = g_.value(call.inputs[0]).shape, &to = g_.value(call.outputs[0]).shape;
    if (call.op == &neg_op) return true;
    if (call.op == &sum_op) return from.rank() == shape_.rank() && call.attrs.ints("axes") == Ints{*axis_};
    if (call.op == &expand_op) return from.rank() == shape_.rank() && to.rank() == shape_.rank();
    return is_total(from) && is_total(to);
  }

  // The shape of a sum over the axis, which is kept or not.
  bool is_total(const Shape& shape) const {
    Ints kept = shape_.ints(), left_out;
    kept[static_cast<int>(*axis_)] = 1;
    for (int i = 0; i < shape_.rank(); ++i) {
      if (i != *axis_) left_out.push_back(shape_[i]);
    }
    return shape.ints() == kept || shape.ints() == left_out;
  }

  Rewriter& g_;
  ValueId e_;
  Shape shape_;
  std::optional<Index> axis_;
};

// What reaches x of log(sum e), of e / sum e and of functions of them, with e = exp(x): (dy / sum e) e is
// dy softmax(x), and likewise for each part of a sum.
ValueIds total_derivative(Rewriter& g, ValueId gradient, ValueId e, ValueId out) {
  if (g.value(e).shape != g.value(out).shape) return {};
  const ValueId x = *inside(g, e, exp_op);
  Undivided undivided(g, e);
  ValueIds parts = {gradient};
  if (const GraphCall* both = g.made_by(gradient, add_op)) parts = both->inputs;
  for (ValueId& part : parts) {
    const Found found = undivided.find(part);
    if (!found) return {};
    part = *found;
  }
  return {g.add({x, parts.front(), parts.back()}, [&](In in) {
    const Tensor p = softmax(in[0], undivided.axis());
    return parts.size() == 1 ? in[1] * p : in[1] * p + in[2] * p;
  })};
}

ValueIds mul_rule(Rewriter& g, const GraphCall& call) {
  const ValueId out = call.outputs[0];
  for (const std::size_t side : {0u, 1u}) {
    const ValueId factor = call.inputs[side], gradient = call.inputs[1 - side];
    const GraphCall* ratio = g.made_by(gradient, div_op);
    if (ratio != nullptr && ratio->inputs[1] == factor && is_positive(g, factor)) {
      return {dense(g, ratio->inputs[0], out)};
    }
    const Found negative = inside(g, gradient, neg_op);
    const GraphCall* opposite = negative ? g.made_by(*negative, div_op) : nullptr;
    if (opposite != nullptr && opposite->inputs[1] == factor && is_positive(g, factor)) {
      return {g.add({dense(g, opposite->inputs[0], out)}, [](In in) { return -in[0]; })};
    }
    const Found x = inside(g, factor, exp_op);
    if (!x) continue;
    if (ratio != nullptr && one_plus(g, ratio->inputs[1]) == Found(factor)) {
      return {g.add({dense(g, ratio->inputs[0], out), dense(g, *x, out)},
                    [](In in) { return softplus_grad(in[0], in[1]); })};
    }
    const ValueIds found = total_derivative(g, gradient, factor, out);
    if (!found.empty()) return found;
  }
  return {};
}

// With y = sigmoid(x), what a gradient of log y or log(1 - y) becomes on its way through the sigmoid.
struct SigmoidPart {
  ValueId dy;
  bool of_rest;  ///< -dy / (1 - y); else dy / y
};

std::optional<SigmoidPart> sigmoid_part(const Rewriter& g, ValueId gradient, ValueId y) {
  const Found negative = inside(g, gradient, neg_op);
  const GraphCall* ratio = g.made_by(negative.value_or(gradient), div_op);
  if (ratio == nullptr) return {};
  if (!negative && ratio->inputs[1] == y) return SigmoidPart{ratio->inputs[0], false};
  if (negative && one_minus(g, ratio->inputs[1]) == Found(y)) return SigmoidPart{ratio->inputs[0], true};
  return {};
}

ValueIds sigmoid_grad_rule(Rewriter& g, const GraphCall& call) {
  const ValueId gradient = call.inputs[0], y = call.inputs[1], out = call.outputs[0];
  const Found x = inside(g, y, sigmoid_op);
  if (!x) return {};
  // (dy / y) y (1 - y) = dy sigmoid(-x)        -dy / (1 - y) y (1 - y) = -dy y
  const auto through = [&](const SigmoidPart& part) {
    const ValueId dy = dense(g, part.dy, out);
    if (part.of_rest) return g.add({dy, y}, [](In in) { return -(in[0] * in[1]); });
    return g.add({dy, *x}, [](In in) { return softplus_grad(in[0], -in[1]); });
  };
  if (const auto part = sigmoid_part(g, gradient, y)) return {through(*part)};
  const GraphCall* both = g.made_by(gradient, add_op);
  if (both == nullptr) return {};
  const auto first = sigmoid_part(g, both->inputs[0], y), second = sigmoid_part(g, both->inputs[1], y);
  if (!first || !second) return {};
  return {g.add({through(*first), through(*second)}, [](In in) { return in[0] + in[1]; })};
}

}  // namespace

std::size_t stable_numerics(Graph& graph) {
  return rewrite(graph, [](Rewriter& g, const GraphCall& call) -> ValueIds {
    if (call.op == &log_op) return log_rule(g, call);
    if (call.op == &log1p_op) return log1p_rule(g, call);
    if (call.op == &sub_op) return sub_rule(g, call);
    if (call.op == &div_op) return div_rule(g, call);
    if (call.op == &sum_op) return sum_rule(g, call);
    if (call.op == &mul_op) return mul_rule(g, call);
    if (call.op == &sigmoid_grad_op) return sigmoid_grad_rule(g, call);
    return {};
  });
}

}  // namespace splot::compiler
