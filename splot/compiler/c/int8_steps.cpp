// Which steps a network takes in 8 bits.
#include <algorithm>
#include <utility>

#include "splot/compiler/c/internal/int8_program.h"
#include "splot/compiler/c/internal/lowered.h"
#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

std::string where_in(const Int8Step& step) {
  const std::string op = step.ops.empty() ? "network" : step.ops.front();
  return step.layers.empty() ? op : join(step.layers.front(), " (", op, ')');
}

namespace {

std::size_t place_of(ValueId id) { return static_cast<std::size_t>(id); }

// The windows of avg_pool2d along one axis. Behind the padding at the end there is nothing more that counts.
std::vector<Int8Span> spans_of_windows(const Attrs& attrs, int axis, Index size, Index windows) {
  const Index kernel = attrs.ints("kernel")[axis], stride = attrs.ints("stride")[axis],
              padding = attrs.ints("padding")[axis];
  std::vector<Int8Span> out;
  for (Index i = 0; i < windows; ++i) {
    const Index from = i * stride - padding, to = std::min(from + kernel, size + padding);
    Int8Span span{.begin = std::max<Index>(from, 0), .end = std::min(to, size), .count = to - from};
    if (!attrs.flag("include_pad")) span.count = span.end - span.begin;
    out.push_back(span);
  }
  return out;
}

std::vector<Int8Span> spans_of_parts(Index size, Index parts) {
  std::vector<Int8Span> out;
  for (Index i = 0; i < parts; ++i) {
    const Index from = i * size / parts, to = ((i + 1) * size + parts - 1) / parts;
    out.push_back({from, to, to - from});
  }
  return out;
}

}  // namespace

bool Int8Mean::is_uniform() const {
  const auto alike = [](const std::vector<Int8Span>& spans) {
    return std::all_of(spans.begin(), spans.end(),
                       [&](const Int8Span& s) { return s.count == spans[0].count; });
  };
  return divisor != 0 || (alike(rows) && alike(columns));
}

bool Int8Mean::takes_pixels() const {
  const auto pixels = [](const std::vector<Int8Span>& spans) {
    return std::all_of(spans.begin(), spans.end(),
                       [](const Int8Span& s) { return s.count == 1 && s.end - s.begin == 1; });
  };
  return divisor <= 1 && pixels(rows) && pixels(columns);
}

namespace {

bool is_product(const OpDef* op) { return op == &linear_op || op == &conv2d_op || op == &conv2d_fused_op; }

/// Does the work of int8_steps() in its order.
class Int8Lowering {
 public:
  explicit Int8Lowering(const Graph& traced) : traced_(traced), lowered_(lower_for_c(traced)) {
    for (const CStep& step : lowered_.steps) {
      for (const GraphCall& call : step.calls) {
        // A copy to the caller's memory is no op of the network.
        if (place_of(call.outputs[0]) < traced.values.size()) calls_.push_back(call);
      }
    }
    readers_.resize(traced.values.size());
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      for (const ValueId id : calls_[i].inputs) readers_[place_of(id)].push_back(i);
    }
    done_.resize(calls_.size());
    value_of_.assign(traced.values.size(), -1);
  }

  Int8Program run() {
    const GraphValue& input = traced_.values[place_of(lowered_.input)];
    const GraphValue& output = traced_.values[place_of(traced_.outputs[0])];
    out_.input = input.shape;
    out_.output = output.shape;
    out_.dtype = input.dtype;
    for (const CKnown& known : lowered_.known) out_.known.push_back(known.value);
    cut_tail();
    Int8Step first{.kind = Int8Input{}, .inputs = {}, .output = -1, .layers = {}, .ops = {"input"}};
    first.output = add_value(lowered_.input);
    out_.steps.push_back(std::move(first));
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (!done_[i]) lower(i);
    }
    if (out_.steps.back().output != -1) {
      out_.steps.push_back(
          {.kind = Int8Output{}, .inputs = {value_of(cut_)}, .output = -1, .layers = {}, .ops = {"output"}});
    }
    return std::move(out_);
  }

 private:
  bool is_known(ValueId id) const { return lowered_.known[place_of(id)].value.defined(); }
  const Shape& shape_of(ValueId id) const { return traced_.values[place_of(id)].shape; }
  int value_of(ValueId id) const { return value_of_[place_of(id)]; }

  // The one input that is computed; -1: there are several, or none.
  ValueId computed_input(const GraphCall& call) const {
    ValueId found = -1;
    for (const ValueId id : call.inputs) {
      if (is_known(id)) continue;
      if (found != -1 && found != id) return -1;
      found = id;
    }
    return found;
  }

  // A function of one number: the same for each element.
  bool is_function(const GraphCall& call) const {
    if (call.op->elementwise == nullptr && call.op != &cast_op) return false;
    const ValueId x = computed_input(call);
    const bool numbers = std::all_of(call.inputs.begin(), call.inputs.end(), [&](ValueId id) {
      return !is_known(id) || lowered_.known[place_of(id)].value.numel() == 1;
    });
    return x != -1 && numbers && shape_of(x) == shape_of(call.outputs[0]);
  }

  bool is_reshape(const GraphCall& call) const {
    return call.op == &reshape_op ||
           (call.op == &cast_op && traced_.values[place_of(call.outputs[0])].dtype.is_floating());
  }

  // What comes after the last op that 8 bits help stays in floats: it takes few numbers, and they keep all
  // their digits.
  void cut_tail() {
    cut_ = traced_.outputs[0];
    std::vector<GraphCall> tail;
    bool only_reshapes = true;
    for (std::size_t i = calls_.size(); i-- > 0;) {
      const GraphCall& call = calls_[i];
      if (call.outputs[0] != cut_) continue;
      const bool of_one =
          is_reshape(call) || is_function(call) || call.op == &softmax_op || call.op == &log_softmax_op;
      const ValueId x = of_one ? computed_input(call) : -1;
      if (x == -1 || readers_[place_of(cut_)].size() > (tail.empty() ? 0u : 1u)) break;
      only_reshapes = only_reshapes && is_reshape(call);
      tail.push_back(call);
      done_[i] = true;
      cut_ = x;
    }
    out_.made = shape_of(cut_);
    if (!only_reshapes) out_.tail = tail_graph(tail);
  }

  Graph tail_graph(const std::vector<GraphCall>& backwards) const {
    Graph out = traced_;
    std::erase_if(out.inputs,
                  [](const GraphInput& input) { return input.kind == GraphInput::Kind::argument; });
    out.inputs.push_back({.kind = GraphInput::Kind::argument, .value = cut_});
    GraphValue& made = out.values[place_of(cut_)];
    made.strides = made.shape.row_major();
    std::erase_if(out.calls, [&](const GraphCall& call) { return !is_known(call.outputs[0]); });
    out.calls.insert(out.calls.end(), backwards.rbegin(), backwards.rend());
    return out;
  }

  int add_value(ValueId id) {
    const int number = static_cast<int>(out_.values.size());
    out_.values.push_back({id, shape_of(id), number, number, {}});
    value_of_[place_of(id)] = number;
    return number;
  }

  Int8Step step_of(const GraphCall& call) const {
    Int8Step out{.kind = Int8Lookup{}, .inputs = {}, .output = -1, .layers = {}, .ops = {call.op->name}};
    for (const ValueId id : call.inputs) {
      if (is_known(id)) {
        for (const std::string& layer : lowered_.known[place_of(id)].layers) add_layer(out, layer);
      } else {
        out.inputs.push_back(value_of(id));
      }
    }
    return out;
  }

  static void add_layer(Int8Step& step, const std::string& layer) {
    if (std::find(step.layers.begin(), step.layers.end(), layer) == step.layers.end())
      step.layers.push_back(layer);
  }

  [[noreturn]] void refuse(const GraphCall& call, const std::string& why) const {
    fail<ValueError>("export", where_in(step_of(call)), ' ', why,
                     "; without int8 the network can be exported in floats");
  }

  // The call that alone reads the value, in one of the ways asked for; null: there is none, or what it makes
  // is asked for itself.
  template <typename Wanted>
  const GraphCall* follower(ValueId id, Wanted&& wanted) {
    const std::vector<std::size_t>& readers = readers_[place_of(id)];
    if (id == cut_ || id == traced_.outputs[0] || readers.empty()) return nullptr;
    const std::size_t next = readers.front();
    const bool alone = std::all_of(readers.begin(), readers.end(), [&](std::size_t i) { return i == next; });
    if (!alone || done_[next] || !wanted(calls_[next])) return nullptr;
    done_[next] = true;
    return &calls_[next];
  }

  void join(Int8Step& step, const GraphCall& call) const {
    step.ops.emplace_back(call.op->name);
    for (const std::string& layer : step_of(call).layers) add_layer(step, layer);
  }

  ValueId take_relu(Int8Step& step, ValueId id, bool& relu) {
    const GraphCall* next = follower(id, [](const GraphCall& call) { return call.op == &relu_op; });
    if (next == nullptr) return id;
    relu = true;
    join(step, *next);
    return next->outputs[0];
  }

  ValueId take_functions(Int8Step& step, ValueId id, std::vector<GraphCall>& function) {
    while (const GraphCall* next =
               follower(id, [this](const GraphCall& call) { return is_function(call); })) {
      function.push_back(*next);
      join(step, *next);
      id = next->outputs[0];
    }
    return id;
  }

  void lower(std::size_t i) {
    done_[i] = true;
    const GraphCall& call = calls_[i];
    if (is_reshape(call)) return view(call);
    if (is_product(call.op)) return product(call);
    if (call.op == &scale_shift_op && !is_function(call)) return by_channel(call);
    if (is_function(call)) return lookup(call);
    if (call.op == &add_op || call.op == &sub_op) return sum(call);
    if (call.op == &max_pool2d_op) return largest(call);
    if (call.op == &avg_pool2d_op || call.op == &adaptive_avg_pool2d_op || call.op == &mean_op)
      return mean(call);
    if (call.op == &concat_op) return concat(call);
    if (call.op == &pad_op) return pad_with_number(call);
    if (call.op->view != nullptr) return strided(call);
    refuse(call, "has no form in 8 bits");
  }

  void finish(Int8Step step, ValueId id) {
    step.output = add_value(id);
    out_.steps.push_back(std::move(step));
  }
  // Numbers that are taken from the input keep its scale.
  void finish_alike(Int8Step step, ValueId id) {
    const int from = step.inputs[0];
    finish(std::move(step), id);
    out_.values.back().scaled_as = out_.values[static_cast<std::size_t>(from)].scaled_as;
  }

  void view(const GraphCall& call) {
    const int from = value_of(call.inputs[0]);
    const Int8Value& x = out_.values[static_cast<std::size_t>(from)];
    const int memory = x.memory, scaled_as = x.scaled_as;
    Int8Value& y = out_.values[static_cast<std::size_t>(add_value(call.outputs[0]))];
    y.memory = memory;
    y.scaled_as = scaled_as;
  }

  Tensor constant(const GraphCall& call, std::size_t i) const {
    const Tensor& value = lowered_.known[place_of(call.inputs[i])].value;
    if (!value.defined()) refuse(call, "takes weights that are computed: it has no form in 8 bits");
    return contiguous(cast(value, kFloat64));
  }

  void product(const GraphCall& call) {
    if (is_known(call.inputs[0])) refuse(call, "takes an input that is constant: it has no form in 8 bits");
    Int8Product p{.linear = call.op == &linear_op,
                  .x = {},
                  .y = {},
                  .attrs = {},
                  .weight = constant(call, 1),
                  .bias = {}};
    const Index channels = p.weight.shape()[0];
    p.bias = call.inputs.size() > 2 ? constant(call, 2) : zeros({channels}, kFloat64);
    const Shape &x = shape_of(call.inputs[0]), &y = shape_of(call.outputs[0]);
    if (p.linear) {
      p.x = Shape({x.numel() / x[-1], x[-1]});
      p.y = Shape({y.numel() / channels, channels});
    } else {
      p.x = x;
      p.y = y;
      p.attrs = Attrs(conv2d_op.attrs, {call.attrs.ints("stride"), call.attrs.ints("padding"),
                                        call.attrs.ints("dilation"), call.attrs.integer("groups")});
    }
    if (call.inputs.size() > 3) scale_rows(p, constant(call, 3), {});
    p.relu = call.op == &conv2d_fused_op && call.attrs.flag("relu");
    finish_product(call, std::move(p));
  }

  static void scale_rows(Int8Product& p, const Tensor& scale, const Tensor& shift) {
    Ints rows(p.weight.rank(), 1);
    rows[0] = p.channels();
    p.weight = contiguous(p.weight * reshape(scale, rows));
    if (shift.defined()) p.bias = p.bias * scale + shift;
  }

  // One factor and one number to add for each channel, on axis 1.
  bool is_by_channel(const GraphCall& call) const {
    const Shape& x = shape_of(call.outputs[0]);
    if (call.op != &scale_shift_op || is_known(call.inputs[0]) || x.rank() < 2 || x.rank() > 4) return false;
    return std::all_of(call.inputs.begin() + 1, call.inputs.end(), [&](ValueId id) {
      const Shape& c = shape_of(id);
      const bool first = c.rank() == x.rank() - 1 && c[0] == x[1];
      return is_known(id) && first && c.numel() == x[1] && shape_of(call.inputs[0]) == x;
    });
  }

  void by_channel(const GraphCall& call) {
    if (!is_by_channel(call)) refuse(call, "has no form in 8 bits");
    const Shape& x = shape_of(call.outputs[0]);
    const Index channels = x[1];
    Int8Product p{.linear = false, .x = {}, .y = {}, .attrs = {}, .weight = {}, .bias = {}};
    p.x = p.y = Shape({x[0], channels, x.rank() > 2 ? x[2] : 1, x.rank() > 3 ? x[3] : 1});
    p.attrs = Attrs(conv2d_op.attrs, {Ints{1, 1}, Ints{0, 0, 0, 0}, Ints{1, 1}, channels});
    p.weight = reshape(constant(call, 1), {channels, 1, 1, 1});
    p.bias = reshape(constant(call, 2), {channels});
    finish_product(call, std::move(p));
  }

  // What scales the rows becomes part of the weights; then a relu, or ops that a table holds.
  void finish_product(const GraphCall& call, Int8Product p) {
    Int8Step step = step_of(call);
    ValueId id = call.outputs[0];
    const bool rows_are_channels = !p.linear || p.x[0] == shape_of(id)[0];
    const auto scales = [&](const GraphCall& next) { return rows_are_channels && is_by_channel(next); };
    while (const GraphCall* next = p.relu ? nullptr : follower(id, scales)) {
      scale_rows(p, reshape(constant(*next, 1), {p.channels()}), reshape(constant(*next, 2), {p.channels()}));
      join(step, *next);
      id = next->outputs[0];
    }
    if (!p.relu) id = take_relu(step, id, p.relu);
    p.sums = id;
    if (!p.relu) id = take_functions(step, id, p.function);
    // Sums that are asked for as floats keep all their digits.
    const std::vector<std::size_t>& readers = readers_[place_of(id)];
    const bool read_as_floats =
        id == cut_ && std::all_of(readers.begin(), readers.end(), [&](std::size_t i) { return done_[i]; });
    const bool as_floats = read_as_floats && !p.relu && p.function.empty();
    step.kind = std::move(p);
    if (as_floats) {
      out_.steps.push_back(std::move(step));
    } else {
      finish(std::move(step), id);
    }
  }

  void lookup(const GraphCall& call) {
    Int8Step step = step_of(call);
    step.inputs = {value_of(computed_input(call))};
    Int8Lookup table{.function = {call}, .table = {}};
    const ValueId id = take_functions(step, call.outputs[0], table.function);
    step.kind = std::move(table);
    finish(std::move(step), id);
  }

  void sum(const GraphCall& call) {
    const bool alike = shape_of(call.inputs[0]) == shape_of(call.inputs[1]);
    if (!alike || is_known(call.inputs[0]) || is_known(call.inputs[1]))
      refuse(call, "of other things than two values of one shape has no form in 8 bits");
    Int8Step step = step_of(call);
    Int8Sum s{.minus = call.op == &sub_op, .relu = false, .first = {}, .second = {}};
    const ValueId id = take_relu(step, call.outputs[0], s.relu);
    step.kind = s;
    finish(std::move(step), id);
  }

  void largest(const GraphCall& call) {
    Int8Step step = step_of(call);
    step.kind = Int8Largest{call.attrs};
    finish_alike(std::move(step), call.outputs[0]);
  }

  void mean(const GraphCall& call) {
    const Shape &x = shape_of(call.inputs[0]), &y = shape_of(call.outputs[0]);
    Int8Mean m;
    if (call.op == &avg_pool2d_op) {
      m.rows = spans_of_windows(call.attrs, 0, x[2], y[2]);
      m.columns = spans_of_windows(call.attrs, 1, x[3], y[3]);
      m.divisor = call.attrs.integer("divisor");
      if (m.takes_pixels()) return pixels(call);
    } else if (call.op == &adaptive_avg_pool2d_op) {
      m.rows = spans_of_parts(x[2], y[2]);
      m.columns = spans_of_parts(x[3], y[3]);
    } else if (x.rank() == 4 && call.attrs.ints("axes") == Ints{2, 3}) {
      m.rows = spans_of_parts(x[2], 1);
      m.columns = spans_of_parts(x[3], 1);
    } else {
      refuse(call, "of other axes than the last two of images has no form in 8 bits");
    }
    Int8Step step = step_of(call);
    step.kind = std::move(m);
    finish(std::move(step), call.outputs[0]);
  }

  // Means over windows of one pixel: the pixels themselves.
  void pixels(const GraphCall& call) {
    const Shape &x = shape_of(call.inputs[0]), &y = shape_of(call.outputs[0]);
    Int8Move move{.input = 0, .shape = y, .from = x.row_major(), .to = y.row_major()};
    for (const int axis : {0, 1}) move.from[2 + axis] *= call.attrs.ints("stride")[axis];
    copy(call, {move});
  }

  void copy(const GraphCall& call, std::vector<Int8Move> moves, std::optional<double> fill = {}) {
    Int8Step step = step_of(call);
    step.kind = Int8Copy{std::move(moves), fill, 0};
    finish_alike(std::move(step), call.outputs[0]);
  }

  void strided(const GraphCall& call) {
    const Tensor x = Tensor::without_elements(shape_of(call.inputs[0]), kFloat32);
    const Tensor seen = call.op->view({&x, 1}, call.attrs);
    copy(call, {{.input = 0,
                 .shape = seen.shape(),
                 .from = seen.strides(),
                 .to = seen.shape().row_major(),
                 .from_offset = seen.impl()->offset}});
  }

  void concat(const GraphCall& call) {
    const auto axis = static_cast<int>(call.attrs.integer("axis"));
    const Strides to = shape_of(call.outputs[0]).row_major();
    Int8Copy parts;
    Index first = 0;
    for (const ValueId id : call.inputs) {
      if (is_known(id)) refuse(call, "with something constant has no form in 8 bits");
      const Shape& shape = shape_of(id);
      parts.moves.push_back({.input = static_cast<int>(parts.moves.size()),
                             .shape = shape,
                             .from = shape.row_major(),
                             .to = to,
                             .to_offset = first * to[axis]});
      first += shape[axis];
    }
    Int8Step step = step_of(call);
    step.kind = std::move(parts);
    finish(std::move(step), call.outputs[0]);
  }

  void pad_with_number(const GraphCall& call) {
    const Ints &before = call.attrs.ints("before"), &after = call.attrs.ints("after");
    Int8Move move{.input = 0, .shape = shape_of(call.inputs[0]), .from = {}, .to = {}};
    move.from = move.shape.row_major();
    move.to = shape_of(call.outputs[0]).row_major();
    for (int axis = 0; axis < before.size(); ++axis) {
      // Less than nothing is added where something is cut off.
      const Index cut_off = std::min<Index>(before[axis], 0) + std::min<Index>(after[axis], 0);
      move.shape = move.shape.with(axis, std::max<Index>(move.shape[axis] + cut_off, 0));
      move.from_offset += std::max<Index>(-before[axis], 0) * move.from[axis];
      move.to_offset += std::max<Index>(before[axis], 0) * move.to[axis];
    }
    const double value = call.attrs.number("value");
    copy(call, {move}, value);
    // Another number than 0 may lie outside the range of the input.
    if (value != 0.0) out_.values.back().scaled_as = static_cast<int>(out_.values.size()) - 1;
  }

  const Graph& traced_;
  CLowered lowered_;
  Int8Program out_;
  std::vector<GraphCall> calls_;
  std::vector<std::vector<std::size_t>> readers_;
  std::vector<bool> done_;
  std::vector<int> value_of_;
  ValueId cut_ = 0;
};

}  // namespace

Int8Program int8_steps(const Graph& traced) {
  const NoGrad off;
  return Int8Lowering(traced).run();
}

}  // namespace splot::compiler
