// Pooling and resizing of images [N, C, H, W].
#include <algorithm>
#include <cmath>

#include "splot/compiler/c/internal/step_writer.h"
#include "splot/core/error.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

// The windows along one axis.
struct Windows {
  Index size, count, kernel, stride, padding, dilation;

  Index last() const { return (count - 1) * stride + (kernel - 1) * dilation - padding; }
  bool stays_inside() const { return padding == 0 && last() < size; }
};

Windows windows_of(const Attrs& attrs, int axis, const Shape& x, const Shape& y, bool dilated) {
  return {.size = x[2 + axis],
          .count = y[2 + axis],
          .kernel = attrs.ints("kernel")[axis],
          .stride = attrs.ints("stride")[axis],
          .padding = attrs.ints("padding")[axis],
          .dilation = dilated ? attrs.ints("dilation")[axis] : 1};
}

std::string windows_note(const Windows& h, const Windows& v) {
  std::string out = join("windows of ", h.kernel, " x ", v.kernel, ", stride ", h.stride, " x ", v.stride);
  if (h.padding + v.padding > 0) out += join(", padding ", h.padding, " x ", v.padding);
  if (h.dilation * v.dilation > 1) out += join(", dilation ", h.dilation, " x ", v.dilation);
  return out;
}

std::string element_position(Code& code, const std::string& name, const Windows& windows,
                             const std::string& i, const std::string& k) {
  const std::string position = c_position(i, windows.stride, k, windows.dilation, -windows.padding);
  code.line("const int " + name + " = " + position + ';');
  if (!windows.stays_inside())
    code.line(join("if (", name, " < 0 || ", name, " >= ", windows.size, ") continue;"));
  return name;
}

}  // namespace

void write_max_pool2d(StepWriter& w) {
  const Windows rows = windows_of(w.attrs(), 0, w.shape(0), w.out_shape(), true);
  const Windows columns = windows_of(w.attrs(), 1, w.shape(0), w.out_shape(), true);
  w.notes.push_back(windows_note(rows, columns));
  const CArray x = w.input(0);
  const bool keeps_winners = w.keeps_second();
  const CArray winners = keeps_winners ? w.second("winners") : CArray();
  Code& code = w.code;
  const ImageLoops p = open_image(w, "i", "j");
  const int depth = code.depth();
  code.line("float largest = -INFINITY;");
  if (keeps_winners) code.line("int winner = 0;");
  code.open(join("for (int ki = 0; ki < ", rows.kernel, "; ++ki)"));
  const std::string row = element_position(code, "row", rows, p.row, "ki");
  code.open(join("for (int kj = 0; kj < ", columns.kernel, "; ++kj)"));
  const std::string column = element_position(code, "column", columns, p.column, "kj");
  code.line("const float v = " + x[{p.n, p.c, row, column}] + ';');
  if (keeps_winners) {
    code.open("if (v > largest)");
    code.line("largest = v;");
    code.line("winner = " + c_place({{"ki", columns.kernel}, {"kj", 1}}) + ';');
    code.close();
  } else {
    code.line("if (v > largest) largest = v;");
  }
  code.close_to(depth);
  if (keeps_winners) {
    const bool byte = w.second_type() == CType::byte;
    code.line(winners[{p.n, p.c, p.row, p.column}] +
              (byte ? " = (unsigned char)winner;" : " = (float)winner;"));
  }
  w.finish({p.n, p.c, p.row, p.column}, "largest", "largest");
  code.close_to(1);
}

namespace {

// The sum over rows first .. end - 1 and columns likewise, in the variable `sum`.
void add_up(Code& code, const CArray& x, const ImageLoops& p, const std::string& rows,
            const std::string& columns) {
  const int depth = code.depth();
  code.line("float sum = 0.0f;");
  code.open("for (" + rows + "; ++row)");
  code.open("for (" + columns + "; ++column)");
  code.line("sum += " + x[{p.n, p.c, "row", "column"}] + ';');
  code.close_to(depth);
}

// What a mean is over: all of a window with its padding, what of it lies in the image, or nobody asks.
enum class Counted { padded, inside, nothing };

// Where a window begins and ends, cut off at the edges of the image. Behind the padding on the right there is
// nothing more that counts.
struct Extent {
  std::string loop;   // "int row = top; row < bottom"
  std::string count;  // what the mean is over
};
Extent extent_of(Code& code, const Windows& windows, const std::string& i, const std::string& name,
                 const std::string& from, const std::string& to, Counted counted) {
  code.line("int " + from + " = " + c_position(i, windows.stride, "0", 0, -windows.padding) + ';');
  code.line(join("int ", to, " = ", from, " + ", windows.kernel, ';'));
  Extent out{"int " + name + " = " + from + "; " + name + " < " + to, std::to_string(windows.kernel)};
  if (windows.stays_inside()) return out;
  const std::string count = name + "s";
  const Index end = windows.size + windows.padding;
  code.line(join("if (", to, " > ", end, ") ", to, " = ", end, ';'));
  if (counted == Counted::padded) code.line("const int " + count + " = " + to + " - " + from + ';');
  code.line(join("if (", from, " < 0) ", from, " = 0;"));
  code.line(join("if (", to, " > ", windows.size, ") ", to, " = ", windows.size, ';'));
  if (counted == Counted::inside) code.line("const int " + count + " = " + to + " - " + from + ';');
  out.count = count;
  return out;
}

std::string product_of(const Extent& a, const Extent& b) {
  const auto is_number = [](const std::string& s) {
    return s.find_first_not_of("0123456789") == std::string::npos;
  };
  if (is_number(a.count) && is_number(b.count))
    return c_float(static_cast<float>(std::stoll(a.count) * std::stoll(b.count)));
  return "(float)(" + a.count + " * " + b.count + ')';
}

}  // namespace

void write_avg_pool2d(StepWriter& w) {
  const Windows rows = windows_of(w.attrs(), 0, w.shape(0), w.out_shape(), false);
  const Windows columns = windows_of(w.attrs(), 1, w.shape(0), w.out_shape(), false);
  const Index divisor = w.attrs().integer("divisor");
  const bool include_pad = w.attrs().flag("include_pad");
  w.notes.push_back(windows_note(rows, columns));
  const CArray x = w.input(0);
  Code& code = w.code;
  const ImageLoops p = open_image(w, "i", "j");
  if (rows.kernel * columns.kernel == 1 && rows.stays_inside() && columns.stays_inside() && divisor <= 1) {
    const std::string row = c_position(p.row, rows.stride, "0", 0, 0);
    const std::string column = c_position(p.column, columns.stride, "0", 0, 0);
    w.finish({p.n, p.c, p.row, p.column}, x[{p.n, p.c, row, column}], "v");
  } else {
    const Counted counted = divisor != 0 ? Counted::nothing : include_pad ? Counted::padded : Counted::inside;
    const Extent down = extent_of(code, rows, p.row, "row", "top", "bottom", counted);
    const Extent across = extent_of(code, columns, p.column, "column", "left", "right", counted);
    add_up(code, x, p, down.loop, across.loop);
    const std::string by = divisor != 0 ? c_float(static_cast<float>(divisor)) : product_of(down, across);
    code.line("sum /= " + by + ';');
    w.finish({p.n, p.c, p.row, p.column}, "sum", "sum");
  }
  code.close_to(1);
}

void write_adaptive_avg_pool2d(StepWriter& w) {
  const Shape &x_shape = w.shape(0), &y = w.out_shape();
  w.notes.push_back(join("means over ", y[2], " x ", y[3], " parts of ", x_shape[2], " x ", x_shape[3]));
  const CArray x = w.input(0);
  Code& code = w.code;
  const ImageLoops p = open_image(w, "i", "j");
  const auto part = [&](const std::string& i, Index size, Index parts, const std::string& name,
                        const std::string& from, const std::string& to) {
    if (parts == 1) {
      return Extent{join("int ", name, " = 0; ", name, " < ", size), std::to_string(size)};
    }
    code.line(join("const int ", from, " = ", i, " * ", size, " / ", parts, ';'));
    code.line(join("const int ", to, " = ((", i, " + 1) * ", size, " + ", parts - 1, ") / ", parts, ';'));
    return Extent{join("int ", name, " = ", from, "; ", name, " < ", to),
                  size % parts == 0 ? std::to_string(size / parts) : join('(', to, " - ", from, ')')};
  };
  const Extent down = part(p.row, x_shape[2], y[2], "row", "top", "bottom");
  const Extent across = part(p.column, x_shape[3], y[3], "column", "left", "right");
  add_up(code, x, p, down.loop, across.loop);
  code.line("sum /= " + product_of(down, across) + ';');
  w.finish({p.n, p.c, p.row, p.column}, "sum", "sum");
  code.close_to(1);
}

// --- resize

namespace {

// Where the op looks, as a table: what it makes of a row of 0, 1, 2, ... is the place of each new pixel.
Tensor places(const Attrs& attrs, Index from, Index to) {
  const Tensor line = reshape(cast(arange(from), kFloat64), {1, 1, 1, from});
  const Attrs one_row(resize_op.attrs, {Ints{1, to}, attrs.text("mode"), attrs.flag("align_corners")});
  return reshape(apply(resize_op, {line}, one_row), {to});
}

struct Taps {
  CArray at;     // the pixel, or the first of two
  CArray share;  // of the second one
  Index last = 0;
};
Taps taps_of(StepWriter& w, Index from, Index to, const std::string& name) {
  const Tensor place = places(w.attrs(), from, to);
  const Tensor first = floor(place);
  return {w.constant(cast(first, kInt32), name), w.constant(cast(place - first, kFloat32), name + "_share"),
          from - 1};
}

}  // namespace

void write_resize(StepWriter& w) {
  const Shape &x_shape = w.shape(0), &y = w.out_shape();
  const bool nearest = w.attrs().text("mode") == "nearest";
  w.notes.push_back(w.attrs().text("mode"));
  const CArray x = w.input(0);
  Code& code = w.code;
  const auto table = [&](Index from, Index to, const char* name) {
    return w.constant(cast(places(w.attrs(), from, to), kInt32), name);
  };
  if (nearest) {
    const CArray rows = table(x_shape[2], y[2], "rows"), columns = table(x_shape[3], y[3], "columns");
    const ImageLoops p = open_image(w, "i", "j");
    w.finish({p.n, p.c, p.row, p.column}, x[{p.n, p.c, rows[{p.row}], columns[{p.column}]}], "v");
    code.close_to(1);
    return;
  }
  const Taps rows = taps_of(w, x_shape[2], y[2], "rows"), columns = taps_of(w, x_shape[3], y[3], "columns");
  const ImageLoops p = open_image(w, "i", "j");
  const auto both = [&](const std::string& name, const Taps& taps, const std::string& i) {
    code.line("const int " + name + " = " + taps.at[{i}] + ';');
    code.line(
        join("const int next_", name, " = ", name, " < ", taps.last, " ? ", name, " + 1 : ", name, ';'));
  };
  both("row", rows, p.row);
  both("column", columns, p.column);
  const auto line = [&](const std::string& name, const std::string& row) {
    code.line("const float " + name + " = " + x[{p.n, p.c, row, "column"}] + " * (1.0f - " +
              columns.share[{p.column}] + ") + " + x[{p.n, p.c, row, "next_column"}] + " * " +
              columns.share[{p.column}] + ';');
  };
  line("upper", "row");
  line("lower", "next_row");
  w.finish({p.n, p.c, p.row, p.column},
           "upper * (1.0f - " + rows.share[{p.row}] + ") + lower * " + rows.share[{p.row}], "v");
  code.close_to(1);
}

}  // namespace splot::compiler
