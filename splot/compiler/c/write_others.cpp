// Softmax, sums over axes, normalisation by a batch's own statistics, and ops that move elements.
#include <algorithm>
#include <utility>
#include <vector>

#include "splot/compiler/c/internal/step_writer.h"
#include "splot/core/error.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

using Places = std::vector<std::string>;

void write_elementwise(StepWriter& w) {
  const Places at = w.element_loops();
  w.finish(at, w.text_of(w.call(), at, -1, {}), "v");
  w.code.close_to(1);
}

void write_copy(StepWriter& w) {
  // The elements in row-major order, whatever axes they come from.
  const CArray x = w.input(0);
  if (x.shape == w.out_shape()) {
    const Places at = w.loops(x.shape);
    w.finish(at, x[at], "v");
  } else {
    w.code.line("int at = 0;");
    const Places from = w.loops(x.shape);
    Places to(static_cast<std::size_t>(w.out_shape().rank()), "0");
    to.back() = "at";
    w.finish(to, x[from], "v");
    w.code.line("++at;");
  }
  w.code.close_to(1);
}

// --- softmax

void write_softmax(StepWriter& w) {
  const CArray x = w.input(0);
  const auto axis = static_cast<std::size_t>(w.attrs().integer("axis"));
  const Shape& shape = w.out_shape();
  Places at = w.loops(shape.with(static_cast<int>(axis), 1));
  Code& code = w.code;
  const Index size = shape[static_cast<int>(axis)];
  const auto over_axis = [&](auto&& body) {
    code.open(join("for (int k = 0; k < ", size, "; ++k)"));
    at[axis] = "k";
    body();
    code.close();
  };
  at[axis] = "0";
  code.line("float largest = " + x[at] + ';');
  over_axis([&] { code.line("if (" + x[at] + " > largest) largest = " + x[at] + ';'); });
  code.line("float sum = 0.0f;");
  over_axis([&] { code.line("sum += expf(" + x[at] + " - largest);"); });
  const bool logarithm = w.call().op == &log_softmax_op;
  if (logarithm) code.line("sum = logf(sum);");
  over_axis([&] {
    w.finish(at, logarithm ? x[at] + " - largest - sum" : "expf(" + x[at] + " - largest) / sum", "v");
  });
  code.close_to(1);
}

// --- sum, mean, max, min

void write_reduction(StepWriter& w) {
  const CArray x = w.input(0);
  const Axes& axes = w.attrs().ints("axes");
  const bool kept = w.attrs().flag("keepdim");
  Shape outer = x.shape;
  Index count = 1;
  for (const Index axis : axes) {
    count *= x.shape[static_cast<int>(axis)];
    outer = outer.with(static_cast<int>(axis), 1);
  }
  Code& code = w.code;
  Places from = w.loops(outer);
  Places to;
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    if (kept || !axes.contains(axis)) to.push_back(from[static_cast<std::size_t>(axis)]);
  }
  const OpDef* op = w.call().op;
  const bool adds = op == &sum_op || op == &mean_op;
  const std::string name = adds ? "sum" : op == &max_op ? "largest" : "smallest";
  code.line("float " + name + " = " + (adds ? "0.0f" : op == &max_op ? "-INFINITY" : "INFINITY") + ';');
  const int depth = code.depth();
  // Each axis by itself in a training step: added up one after the other, so many numbers would lose the last
  // digits.
  const bool in_parts = adds && w.learns();
  std::vector<std::pair<std::string, int>> sums = {{name, depth}};  // and where each is complete
  int number = 0;
  for (const Index axis : axes) {
    const Index size = x.shape[static_cast<int>(axis)];
    if (in_parts && code.depth() > depth && size > 1) {
      sums.emplace_back("part" + std::to_string(number), code.depth());
      code.line("float " + sums.back().first + " = 0.0f;");
    }
    from[static_cast<std::size_t>(axis)] = code.loop("k" + std::to_string(number++), size);
  }
  if (adds) {
    code.line(sums.back().first + " += " + x[from] + ';');
  } else {
    code.line("if (" + x[from] + (op == &max_op ? " > " : " < ") + name + ") " + name + " = " + x[from] +
              ';');
  }
  for (std::size_t i = sums.size(); i-- > 1;) {
    code.close_to(sums[i].second);
    code.line(sums[i - 1].first + " += " + sums[i].first + ';');
  }
  code.close_to(depth);
  if (op == &mean_op) code.line("sum /= " + c_float(static_cast<float>(count)) + ';');
  w.finish(to, name, name);
  code.close_to(1);
}

// --- batch_norm: channels on axis 1 by their own mean and variance, as layer and group norm do it

void write_batch_norm(StepWriter& w) {
  const CArray x = w.input(0), weight = w.input(1, "weight"), bias = w.input(2, "bias");
  const Shape& shape = x.shape;
  Code& code = w.code;
  const std::string c = code.loop("c", shape[1]);
  const auto over_channel = [&](auto&& body) {
    const int depth = code.depth();
    Places at;
    for (int axis = 0; axis < shape.rank(); ++axis)
      at.push_back(axis == 1 ? c : code.loop("k" + std::to_string(axis), shape[axis]));
    body(at);
    code.close_to(depth);
  };
  const std::string count = c_float(static_cast<float>(shape.numel() / shape[1]));
  code.line("float mean = 0.0f, variance = 0.0f;");
  over_channel([&](const Places& at) { code.line("mean += " + x[at] + ';'); });
  code.line("mean /= " + count + ';');
  over_channel(
      [&](const Places& at) { code.line("variance += (" + x[at] + " - mean) * (" + x[at] + " - mean);"); });
  code.line("const float scale = " + weight[{c}] + " / sqrtf(variance / " + count + " + " +
            c_float(static_cast<float>(w.attrs().number("eps"))) + ");");
  over_channel([&](const Places& at) { w.finish(at, '(' + x[at] + " - mean) * scale + " + bias[{c}], "v"); });
  code.close_to(1);
}

// --- concat, pad, index_select

void write_concat(StepWriter& w) {
  const auto axis = static_cast<std::size_t>(w.attrs().integer("axis"));
  Index first = 0;
  for (std::size_t i = 0; i < w.input_count(); ++i) {
    const CArray x = w.input(i);
    const Places from = w.loops(x.shape);
    Places to = from;
    to[axis] = c_position(from[axis], 1, "0", 0, first);
    w.finish(to, x[from], "v");
    w.code.close_to(1);
    first += x.shape[static_cast<int>(axis)];
  }
}

void write_pad(StepWriter& w) {
  const CArray x = w.input(0);
  const Shape& shape = w.out_shape();
  const Ints &before = w.attrs().ints("before"), &after = w.attrs().ints("after");
  Places from, conditions;
  const Places to = w.loops(shape);
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const std::string& i = to[static_cast<std::size_t>(axis)];
    from.push_back(c_position(i, 1, "0", 0, -before[axis]));
    if (before[axis] > 0) conditions.push_back(join(i, " >= ", before[axis]));
    if (after[axis] > 0) conditions.push_back(join(i, " < ", before[axis] + x.shape[axis]));
  }
  const std::string value = c_float(static_cast<float>(w.attrs().number("value")));
  std::string inside;
  for (const std::string& condition : conditions) inside += (inside.empty() ? "" : " && ") + condition;
  w.finish(to, inside.empty() ? x[from] : inside + " ? " + x[from] + " : " + value, "v");
  w.code.close_to(1);
}

void write_index_select(StepWriter& w) {
  if (!w.known(1).defined()) w.refuse("the positions are computed; C is written for fixed ones");
  const CArray x = w.input(0), positions = w.constant(cast(w.known(1), kInt32), "positions");
  const auto axis = static_cast<std::size_t>(w.attrs().integer("axis"));
  const Places to = w.loops(w.out_shape());
  Places from = to;
  from[axis] = positions[{to[axis]}];
  w.finish(to, x[from], "v");
  w.code.close_to(1);
}

// --- which op is written by whom

CWriter c_writer(const OpDef& op) {
  const std::pair<const OpDef*, CWriter> writers[] = {
      {&linear_op, write_linear},
      {&matmul_op, write_matmul},
      {&conv2d_op, write_conv2d},
      {&conv2d_fused_op, write_conv2d},
      {&conv2d_input_grad_op, write_conv2d_input_grad},
      {&max_pool2d_op, write_max_pool2d},
      {&avg_pool2d_op, write_avg_pool2d},
      {&adaptive_avg_pool2d_op, write_adaptive_avg_pool2d},
      {&resize_op, write_resize},
      {&softmax_op, write_softmax},
      {&log_softmax_op, write_softmax},
      {&sum_op, write_reduction},
      {&mean_op, write_reduction},
      {&max_op, write_reduction},
      {&min_op, write_reduction},
      {&batch_norm_op, write_batch_norm},
      {&concat_op, write_concat},
      {&pad_op, write_pad},
      {&index_select_op, write_index_select},
      {&cast_op, write_elementwise},
      {&conv2d_weight_grad_op, write_conv2d_weight_grad},
      {&max_pool2d_grad_op, write_max_pool2d_grad},
      {&avg_pool2d_grad_op, write_avg_pool2d_grad},
      {&adaptive_avg_pool2d_grad_op, write_adaptive_avg_pool2d_grad},
      {&softmax_cross_entropy_op, write_softmax_cross_entropy},
      {&softmax_cross_entropy_grad_op, write_softmax_cross_entropy_grad},
      {&one_hot_op, write_one_hot},
      {&bernoulli_op, write_bernoulli},
      {&sgd_step_op, write_update},
      {&adam_step_op, write_update},
      {&rmsprop_step_op, write_update},
      {&adagrad_step_op, write_update},
  };
  for (const auto& [known, writer] : writers) {
    if (known == &op) return writer;
  }
  if (op.view != nullptr) return write_copy;
  return op.elementwise != nullptr ? write_elementwise : nullptr;
}

}  // namespace splot::compiler
