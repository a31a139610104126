// Matrix products and convolutions.
#include "splot/compiler/c/internal/step_writer.h"
#include "splot/compiler/c/internal/windows.h"
#include "splot/core/error.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

// --- linear: y[..., o] = b[o] + sum over k of x[..., k] w[o, k]

void write_linear(StepWriter& w) {
  const CArray x = w.input(0), weight = w.input(1, "weight");
  const CArray bias = w.input_count() > 2 ? w.input(2, "bias") : CArray();
  const Shape& shape = w.out_shape();
  std::vector<std::string> at;
  for (int axis = 0; axis + 1 < shape.rank(); ++axis)
    at.push_back(w.code.loop("n" + std::to_string(axis), shape[axis]));
  const Index columns = weight.shape[1];
  w.multiply_adds = shape.numel() * columns;
  std::vector<std::string> to = at, from = at;
  to.push_back(w.code.loop("o", shape[-1]));
  w.code.line("float sum = " + (w.input_count() > 2 ? bias[{to.back()}] : "0.0f") + ';');
  from.push_back(w.code.loop("k", columns));
  w.code.line("sum += " + weight[{to.back(), from.back()}] + " * " + x[from] + ';');
  if (columns != 1) w.code.close();
  w.finish(to, "sum", "sum");
  w.code.close_to(1);
}

// --- matmul: y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]

namespace {

// Of the leading axes of an operand, which may be stretched.
std::vector<std::string> leading(const CArray& x, std::span<const std::string> indices) {
  std::vector<std::string> out;
  const int own = x.shape.rank() - 2;
  for (int axis = 0; axis < own; ++axis) {
    const auto place = indices.size() - 2 - static_cast<std::size_t>(own - axis);
    out.push_back(x.shape[axis] == 1 ? "0" : indices[place]);
  }
  return out;
}

}  // namespace

void write_matmul(StepWriter& w) {
  const CArray a = w.input(0, "left"), b = w.input(1, "right");
  const std::vector<std::string> to = w.loops(w.out_shape());
  const Index inner = a.shape[-1];
  w.multiply_adds = w.out_shape().numel() * inner;
  std::vector<std::string> from_a = leading(a, to), from_b = leading(b, to);
  w.code.line("float sum = 0.0f;");
  const std::string k = w.code.loop("k", inner);
  from_a.insert(from_a.end(), {to[to.size() - 2], k});
  from_b.insert(from_b.end(), {k, to.back()});
  w.code.line("sum += " + a[from_a] + " * " + b[from_b] + ';');
  if (inner != 1) w.code.close();
  w.finish(to, "sum", "sum");
  w.code.close_to(1);
}

// --- conv2d

Axis axis_of(const Attrs& attrs, int axis, const Shape& x, const Shape& weight, const Shape& y) {
  return {.in = x[2 + axis],
          .out = y[2 + axis],
          .kernel = weight[2 + axis],
          .stride = attrs.ints("stride")[axis],
          .dilation = attrs.ints("dilation")[axis],
          .pad = attrs.ints("padding")[2 * axis]};
}

std::string window_position(Code& code, const std::string& name, const Axis& a, const std::string& i,
                            const std::string& k) {
  const std::string position = c_position(i, a.stride, k, a.dilation, -a.pad);
  if (position == "0") return position;
  code.line("const int " + name + " = " + position + ';');
  if (a.leaves()) code.line(join("if (", name, " < 0 || ", name, " >= ", a.in, ") continue;"));
  return name;
}

std::string group_channel(Index out_channels, Index each, Index groups, const std::string& o,
                          const std::string& c) {
  if (groups == 1) return c;
  const Index outs = out_channels / groups;
  const std::string group = outs == 1 ? o : join('(', o, " / ", outs, ')');
  return each == 1 ? group : join('(', group, " * ", each, c == "0" ? "" : " + " + c, ')');
}

namespace {

std::string numbers(const Ints& values) {
  bool same = true;
  for (const Index v : values) same = same && v == values[0];
  return same ? std::to_string(values[0]) : values.to_string();
}

}  // namespace

std::string geometry_text(const Attrs& a, const Shape& weight) {
  std::string note = join(weight[0], " windows of ", weight[1], " x ", weight[2], " x ", weight[3],
                          ", stride ", numbers(a.ints("stride")), ", padding ", numbers(a.ints("padding")));
  if (numbers(a.ints("dilation")) != "1") note += ", dilation " + numbers(a.ints("dilation"));
  if (a.integer("groups") != 1) note += join(", ", a.integer("groups"), " groups");
  return note;
}

std::string window_loop(Code& code, const std::string& name, const Axis& a) {
  if (a.kernel > 1 || !a.leaves()) return code.loop(name, a.kernel);
  code.open("for (int " + name + " = 0; " + name + " < 1; ++" + name + ")");
  return name;
}

namespace {

void note_geometry(StepWriter& w, const Shape& weight) {
  w.notes.push_back(geometry_text(w.attrs(), weight));
}

}  // namespace

void write_conv2d(StepWriter& w) {
  const Shape &x_shape = w.shape(0), &weight_shape = w.shape(1), &y = w.out_shape();
  const bool has_bias = w.input_count() > 2;
  const Tensor scale = w.input_count() > 3 ? w.known(3) : Tensor();
  const CArray x = w.input(0);
  const bool folded = scale.defined() && w.known(1).defined();  // batch norm: w' = w scale
  const CArray weight = folded ? w.constant(w.known(1) * reshape(scale, {scale.numel(), 1, 1, 1}), "weight")
                               : w.input(1, "weight");
  const CArray bias = has_bias ? w.input(2, "bias") : CArray();
  const bool scales = w.input_count() > 3 && !folded;
  const Axis rows = axis_of(w.attrs(), 0, x_shape, weight_shape, y);
  const Axis columns = axis_of(w.attrs(), 1, x_shape, weight_shape, y);
  note_geometry(w, weight_shape);
  if (folded) w.notes.push_back("batch norm is part of weights and bias");
  w.multiply_adds = y.numel() * weight_shape.numel() / weight_shape[0];
  if (w.call().op == &conv2d_fused_op && w.attrs().flag("relu")) w.prepend(relu_op);

  Code& code = w.code;
  const std::string n = code.loop("n", y[0]), o = code.loop("o", y[1]), i = code.loop("i", rows.out),
                    j = code.loop("j", columns.out);
  const int depth = code.depth();
  code.line("float sum = " + (has_bias && !scales ? bias[{o}] : "0.0f") + ';');
  const std::string c = code.loop("c", weight_shape[1]);
  const std::string channel = group_channel(y[1], weight_shape[1], w.attrs().integer("groups"), o, c);
  const std::string ki = window_loop(code, "ki", rows);
  const std::string row = window_position(code, "row", rows, i, ki);
  const std::string kj = window_loop(code, "kj", columns);
  const std::string column = window_position(code, "column", columns, j, kj);
  code.line("sum += " + weight[{o, c, ki, kj}] + " * " + x[{n, channel, row, column}] + ';');
  code.close_to(depth);
  if (scales) code.line("sum = sum * " + w.input(3, "scale")[{o}] + " + " + bias[{o}] + ';');
  w.finish({n, o, i, j}, "sum", "sum");
  code.close_to(1);
}

// --- conv2d_weight_grad: y[o, c, ki, kj] = sum over n, i, j of dy[n, o, i, j] x[n, c, row, column]

void write_conv2d_weight_grad(StepWriter& w) {
  const Shape &x_shape = w.shape(0), &dy_shape = w.shape(1), &weight = w.out_shape();
  const CArray x = w.input(0), dy = w.input(1, "gradient", "dy");
  const Axis rows = axis_of(w.attrs(), 0, x_shape, weight, dy_shape);
  const Axis columns = axis_of(w.attrs(), 1, x_shape, weight, dy_shape);
  note_geometry(w, weight);
  w.multiply_adds = dy_shape.numel() * weight.numel() / weight[0];

  Code& code = w.code;
  const std::string o = code.loop("o", weight[0]), c = code.loop("c", weight[1]),
                    ki = code.loop("ki", rows.kernel), kj = code.loop("kj", columns.kernel);
  const std::string channel = group_channel(weight[0], weight[1], w.attrs().integer("groups"), o, c);
  const int depth = code.depth();
  // By images and rows: added up one after the other, so many numbers would lose the last digits.
  code.line("float sum = 0.0f;");
  const std::string n = code.loop("n", dy_shape[0]);
  code.line("float of_image = 0.0f;");
  const int image = code.depth();
  code.open(join("for (int i = 0; i < ", rows.out, "; ++i)"));  // for `continue`, also of one turn
  const std::string row = window_position(code, "row", rows, "i", ki);
  code.line("float of_row = 0.0f;");
  const int line = code.depth();
  code.open(join("for (int j = 0; j < ", columns.out, "; ++j)"));
  const std::string column = window_position(code, "column", columns, "j", kj);
  code.line("of_row += " + dy[{n, o, "i", "j"}] + " * " + x[{n, channel, row, column}] + ';');
  code.close_to(line);
  code.line("of_image += of_row;");
  code.close_to(image);
  code.line("sum += of_image;");
  code.close_to(depth);
  w.finish({o, c, ki, kj}, "sum", "sum");
  code.close_to(1);
}

// --- conv2d_input_grad, which is what a transposed convolution computes:
//   y[c, row, column] = sum over o, ki, kj of x[o, i, j] w[o, c, ki, kj]  where i stride + ki dilation - pad
//   = row

void write_conv2d_input_grad(StepWriter& w) {
  const Shape &x_shape = w.shape(0), &weight_shape = w.shape(1), &y = w.out_shape();
  const CArray x = w.input(0), weight = w.input(1, "weight");
  // As of the convolution that leads back: its input is y here.
  const Axis rows = axis_of(w.attrs(), 0, y, weight_shape, x_shape);
  const Axis columns = axis_of(w.attrs(), 1, y, weight_shape, x_shape);
  const Index groups = w.attrs().integer("groups"), each = weight_shape[1], outs = weight_shape[0] / groups;
  note_geometry(w, weight_shape);
  w.multiply_adds = x_shape.numel() * weight_shape.numel() / weight_shape[0];

  Code& code = w.code;
  const std::string n = code.loop("n", y[0]), c = code.loop("c", y[1]), row = code.loop("row", y[2]),
                    column = code.loop("column", y[3]);
  const int depth = code.depth();
  code.line("float sum = 0.0f;");
  const std::string o = code.loop("o", outs);
  const std::string group = each == 1 ? c : join('(', c, " / ", each, ')');
  const std::string from = groups == 1 ? o
                           : outs == 1 ? group
                                       : join('(', group, " * ", outs, o == "0" ? "" : " + " + o, ')');
  const std::string inside = groups == 1 ? c : each == 1 ? "0" : join('(', c, " % ", each, ')');
  code.open(join("for (int ki = 0; ki < ", rows.kernel, "; ++ki)"));
  const std::string i = met_window(code, "row", row, "ki", rows.out, rows.stride, rows.dilation, rows.pad);
  code.open(join("for (int kj = 0; kj < ", columns.kernel, "; ++kj)"));
  const std::string j =
      met_window(code, "column", column, "kj", columns.out, columns.stride, columns.dilation, columns.pad);
  code.line("sum += " + weight[{from, inside, "ki", "kj"}] + " * " + x[{n, from, i, j}] + ';');
  code.close_to(depth);
  w.finish({n, c, row, column}, "sum", "sum");
  code.close_to(1);
}

}  // namespace splot::compiler
