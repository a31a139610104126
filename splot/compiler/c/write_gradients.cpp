// What a training step has beside a forward pass: losses of classes, gradients of pooling, dropout's mask.
#include <algorithm>

#include "splot/compiler/c/internal/step_writer.h"
#include "splot/core/error.h"
#include "splot/core/random.h"
#include "splot/ops/op_records.h"

namespace splot::compiler {

using Indices = std::vector<std::string>;

// --- softmax_cross_entropy: log(sum over j of exp(x[j])) - x[t], or with probabilities t[j]. With a class
// number the exponentials of the other classes are added up by themselves, as the library does: 1 - p keeps
// its digits.

namespace {

// The largest logit of a row as `largest`, the sum of exp(x - largest) as `sum`. With the class number
// `target` also the sum without it as `others`, and how far it is from the largest as `distance`.
void write_row_sums(Code& code, const CArray& x, Indices& at, const std::string& target) {
  const Index classes = x.shape[-1];
  const auto over_classes = [&](const std::string& body) {
    code.open(join("for (int k = 0; k < ", classes, "; ++k)"));
    code.line(body);
    code.close();
  };
  at.back() = "0";
  code.line("float largest = " + x[at] + ';');
  at.back() = "k";
  over_classes("if (" + x[at] + " > largest) largest = " + x[at] + ';');
  if (target.empty()) {
    code.line("float sum = 0.0f;");
    over_classes("sum += expf(" + x[at] + " - largest);");
    return;
  }
  code.line("float others = 0.0f;");
  over_classes("if (k != " + target + ") others += expf(" + x[at] + " - largest);");
  at.back() = target;
  code.line("const float distance = " + x[at] + " - largest;");
  code.line("const float sum = others + expf(distance);");
  at.back() = "k";
}

// Loops over the rows of logits.
Indices row_loops(StepWriter& w, const Shape& logits) { return w.loops(logits.with(logits.rank() - 1, 1)); }

Indices without_last(const Indices& at) { return {at.begin(), at.end() - 1}; }

}  // namespace

void write_softmax_cross_entropy(StepWriter& w) {
  const CArray x = w.input(0), t = w.input(1, "target", "t");
  const bool numbers = w.type_of(1) == CType::whole;
  const std::string& reduction = w.attrs().text("reduction");
  const Index rows = x.shape.numel() / x.shape[-1];
  Code& code = w.code;
  const bool reduces = reduction != "none";
  if (reduces) code.line("float loss = 0.0f;");
  Indices at = row_loops(w, x.shape);
  write_row_sums(code, x, at, numbers ? t[without_last(at)] : "");
  std::string value;
  if (numbers) {
    value = "distance == 0.0f ? log1pf(others) : logf(sum) - distance";
  } else {
    // The distance where its share is not 0: it may be infinite, and 0 times that is no number.
    code.line("float share = 0.0f, pulled = 0.0f;");
    code.open(join("for (int k = 0; k < ", x.shape[-1], "; ++k)"));
    code.line("share += " + t[at] + ';');
    code.line("if (" + t[at] + " != 0.0f) pulled += " + t[at] + " * (" + x[at] + " - largest);");
    code.close();
    value = "share * logf(sum) - pulled";
  }
  if (!reduces) {
    w.finish(without_last(at), value, "v");
    code.close_to(1);
    return;
  }
  code.line("loss += " + value + ';');
  code.close_to(1);
  if (reduction == "mean" && rows != 1) code.line("loss /= " + c_float(static_cast<float>(rows)) + ';');
  w.finish(Indices(), "loss", "loss");
}

void write_softmax_cross_entropy_grad(StepWriter& w) {
  const CArray x = w.input(1, "logits"), t = w.input(2, "target", "t"), dy = w.input(0, "gradient", "dy");
  const bool numbers = w.type_of(2) == CType::whole;
  const std::string& reduction = w.attrs().text("reduction");
  const Index rows = x.shape.numel() / x.shape[-1];
  Code& code = w.code;
  Indices at = row_loops(w, x.shape);
  const std::string target = numbers ? t[without_last(at)] : "";
  write_row_sums(code, x, at, target);
  const std::string of_row = reduction == "none" ? dy[without_last(at)] : dy[Indices()];
  const std::string share =
      reduction == "mean" && rows != 1 ? of_row + " / " + c_float(static_cast<float>(rows)) : of_row;
  code.line("const float g = " + share + ';');
  std::string factor = "g / sum";
  if (!numbers) {
    code.line("float share = 0.0f;");
    code.open(join("for (int k = 0; k < ", x.shape[-1], "; ++k)"));
    code.line("share += " + t[at] + ';');
    code.close();
    factor = "share * g / sum";
  }
  code.line("const float factor = " + factor + ';');
  code.open(join("for (int k = 0; k < ", x.shape[-1], "; ++k)"));
  w.finish(at,
           numbers ? "(k == " + target + " ? -others : expf(" + x[at] + " - largest)) * factor"
                   : "expf(" + x[at] + " - largest) * factor - " + t[at] + " * g",
           "v");
  code.close_to(1);
}

void write_one_hot(StepWriter& w) {
  const CArray t = w.input(0, "target", "t");
  const Indices at = w.loops(w.out_shape());
  const std::string& k = at.back();
  w.finish(at, '(' + t[without_last(at)] + " == " + k + ") ? 1.0f : 0.0f", "v");
  w.code.close_to(1);
}

// --- gradients of pooling: each element of the image collects from the windows it lies in

namespace {

struct Axis {
  Index size, windows, kernel, stride, padding, dilation;

  // One window for each element, and no padding: which one, a division says.
  bool divides() const { return kernel == stride && dilation == 1 && padding == 0; }
};

Axis axis_of_pool(StepWriter& w, int axis, bool dilated) {
  return {.size = w.out_shape()[2 + axis],
          .windows = w.shape(0)[2 + axis],
          .kernel = w.attrs().ints("kernel")[axis],
          .stride = w.attrs().ints("stride")[axis],
          .padding = w.attrs().ints("padding")[axis],
          .dilation = dilated ? w.attrs().ints("dilation")[axis] : 1};
}

std::string part(const std::string& name, const char* operation, Index by) {
  return name == "0" ? name : join(name, ' ', operation, ' ', by);
}

// Where elements behind the last window have none.
std::string inside(const Axis& a, const std::string& at) {
  return a.windows * a.kernel >= a.size ? "" : join(at, " < ", a.windows * a.kernel);
}

// `value`, or 0 behind the last windows.
std::string where_inside(const Axis& rows, const Axis& columns, const ImageLoops& p,
                         const std::string& value) {
  const std::string a = inside(rows, p.row), b = inside(columns, p.column);
  if (a.empty() && b.empty()) return value;
  const std::string both = a.empty() ? b : b.empty() ? a : a + " && " + b;
  return both + " ? " + value + " : 0.0f";
}

// What is added up over the windows that meet the element, in `sum`: term(i, j) is called inside the loops.
template <typename Term>
void add_windows(Code& code, const Axis& rows, const Axis& columns, const ImageLoops& p, const Term& term) {
  const int depth = code.depth();
  code.line("float sum = 0.0f;");
  code.open(join("for (int ki = 0; ki < ", rows.kernel, "; ++ki)"));
  const std::string i =
      met_window(code, "row", p.row, "ki", rows.windows, rows.stride, rows.dilation, rows.padding);
  code.open(join("for (int kj = 0; kj < ", columns.kernel, "; ++kj)"));
  const std::string j = met_window(code, "column", p.column, "kj", columns.windows, columns.stride,
                                   columns.dilation, columns.padding);
  term(i, j);
  code.close_to(depth);
}

}  // namespace

void write_max_pool2d_grad(StepWriter& w) {
  const Axis rows = axis_of_pool(w, 0, true), columns = axis_of_pool(w, 1, true);
  w.notes.push_back("to the element of each window that was the largest");
  const CArray dy = w.input(0, "gradient", "dy"), winners = w.input(1, "winners", "winners");
  Code& code = w.code;
  const ImageLoops p = open_image(w, "row", "column");
  if (rows.divides() && columns.divides()) {
    const Indices from = {p.n, p.c, part(p.row, "/", rows.kernel), part(p.column, "/", columns.kernel)};
    const std::string number =
        c_place({{part(p.row, "%", rows.kernel), columns.kernel}, {part(p.column, "%", columns.kernel), 1}});
    const std::string a = inside(rows, p.row), b = inside(columns, p.column);
    std::string condition = (a.empty() ? "" : a + " && ") + (b.empty() ? "" : b + " && ");
    condition += winners[from] + " == " + number;
    w.finish({p.n, p.c, p.row, p.column}, '(' + condition + ") ? " + dy[from] + " : 0.0f", "v");
  } else {
    add_windows(code, rows, columns, p, [&](const std::string& i, const std::string& j) {
      const std::string number = c_place({{"ki", columns.kernel}, {"kj", 1}});
      code.line("if (" + winners[{p.n, p.c, i, j}] + " == " + number + ") sum += " + dy[{p.n, p.c, i, j}] +
                ';');
    });
    w.finish({p.n, p.c, p.row, p.column}, "sum", "sum");
  }
  code.close_to(1);
}

namespace {

// How many elements each window is the mean of.
std::vector<float> counts_of(const Axis& a, bool include_pad) {
  std::vector<float> out;
  for (Index i = 0; i < a.windows; ++i) {
    const Index first = i * a.stride - a.padding;
    const Index padded_end = std::min(first + a.kernel, a.size + a.padding);
    const Index count =
        include_pad ? padded_end - first : std::min(padded_end, a.size) - std::max<Index>(first, 0);
    out.push_back(static_cast<float>(count));
  }
  return out;
}

bool all_alike(const std::vector<float>& values) {
  for (const float v : values) {
    if (v != values[0]) return false;
  }
  return true;
}

}  // namespace

void write_avg_pool2d_grad(StepWriter& w) {
  const Axis rows = axis_of_pool(w, 0, false), columns = axis_of_pool(w, 1, false);
  const Index divisor = w.attrs().integer("divisor");
  const bool include_pad = w.attrs().flag("include_pad");
  w.notes.push_back("to each element its share of the windows it lies in");
  const CArray dy = w.input(0, "gradient", "dy");
  const std::vector<float> down = counts_of(rows, include_pad), across = counts_of(columns, include_pad);
  const bool alike = divisor != 0 || (all_alike(down) && all_alike(across));
  const std::string by = c_float(divisor != 0 ? static_cast<float>(divisor)
                                 : alike      ? down[0] * across[0]
                                              : 1.0F);
  Code& code = w.code;
  CArray row_counts, column_counts;
  if (!alike) {
    row_counts = w.constant(Tensor::from(down, {rows.windows}), "rows_of_windows");
    column_counts = w.constant(Tensor::from(across, {columns.windows}), "columns_of_windows");
  }
  const ImageLoops p = open_image(w, "row", "column");
  if (alike && rows.divides() && columns.divides()) {
    const Indices from = {p.n, p.c, part(p.row, "/", rows.kernel), part(p.column, "/", columns.kernel)};
    w.finish({p.n, p.c, p.row, p.column}, where_inside(rows, columns, p, dy[from] + " / " + by), "v");
  } else {
    add_windows(code, rows, columns, p, [&](const std::string& i, const std::string& j) {
      const std::string share = alike ? "" : " / (" + row_counts[{i}] + " * " + column_counts[{j}] + ')';
      code.line("sum += " + dy[{p.n, p.c, i, j}] + share + ';');
    });
    if (alike) code.line("sum /= " + by + ';');
    w.finish({p.n, p.c, p.row, p.column}, "sum", "sum");
  }
  code.close_to(1);
}

void write_adaptive_avg_pool2d_grad(StepWriter& w) {
  const Shape &small = w.shape(0), &large = w.out_shape();
  w.notes.push_back("to each element its share of the parts it lies in");
  const CArray dy = w.input(0, "gradient", "dy");
  Code& code = w.code;
  const ImageLoops p = open_image(w, "row", "column");
  if (large[2] % small[2] == 0 && large[3] % small[3] == 0) {
    const Index h = large[2] / small[2], v = large[3] / small[3];
    const auto place = [&](const std::string& at, Index size, Index parts) {
      return parts == 1 ? std::string("0") : part(at, "/", size);
    };
    const std::string from = dy[{p.n, p.c, place(p.row, h, small[2]), place(p.column, v, small[3])}];
    w.finish({p.n, p.c, p.row, p.column}, from + " / " + c_float(static_cast<float>(h * v)), "v");
    code.close_to(1);
    return;
  }
  const int depth = code.depth();
  code.line("float sum = 0.0f;");
  const auto open_parts = [&](const std::string& i, const std::string& at, Index size, Index parts,
                              const std::string& from, const std::string& to) {
    code.open(join("for (int ", i, " = 0; ", i, " < ", parts, "; ++", i, ")"));
    code.line(join("const int ", from, " = ", i, " * ", size, " / ", parts, ';'));
    code.line(join("const int ", to, " = ((", i, " + 1) * ", size, " + ", parts - 1, ") / ", parts, ';'));
    code.line("if (" + at + " < " + from + " || " + at + " >= " + to + ") continue;");
  };
  open_parts("i", p.row, large[2], small[2], "top", "bottom");
  open_parts("j", p.column, large[3], small[3], "left", "right");
  code.line("sum += " + dy[{p.n, p.c, "i", "j"}] + " / (float)((bottom - top) * (right - left));");
  code.close_to(depth);
  w.finish({p.n, p.c, p.row, p.column}, "sum", "sum");
  code.close_to(1);
}

// --- bernoulli: dropout's mask, from the same random numbers as the library's

namespace {

// random.h in C.
CHelper philox_helper(const std::string& name) {
  return {name,
          "/* Four random numbers of a key: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, SC 2011. */\n"
          "static void " +
              name +
              "(uint32_t block, unsigned long counter, uint32_t key0, uint32_t key1, uint32_t* out) {\n"
              "  uint32_t c0 = block, c1 = 0, c2 = (uint32_t)(counter & 0xffffffffu);\n"
              "  uint32_t c3 = (uint32_t)((uint64_t)counter >> 32);\n"
              "  for (int round = 0; round < 10; ++round) {\n"
              "    const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;\n"
              "    c0 = (uint32_t)(b >> 32) ^ c1 ^ key0;\n"
              "    c1 = (uint32_t)b;\n"
              "    c2 = (uint32_t)(a >> 32) ^ c3 ^ key1;\n"
              "    c3 = (uint32_t)a;\n"
              "    key0 += 0x9E3779B9u;\n"
              "    key1 += 0xBB67AE85u;\n"
              "  }\n"
              "  out[0] = c0;\n  out[1] = c1;\n  out[2] = c2;\n  out[3] = c3;\n}\n"};
}

}  // namespace

void write_bernoulli(StepWriter& w) {
  const GraphInput& key = w.key();
  const auto [key0, key1] = philox_key(key.key);
  const Index n = w.out_shape().numel();
  const auto p = static_cast<float>(w.attrs().number("p"));
  const auto value = static_cast<float>(w.attrs().number("value"));
  const std::string philox = w.helper("philox", "philox", philox_helper).name;
  w.notes.push_back(join(c_float(value), " with probability ", c_float(p), ", else 0"));
  const std::string first = std::to_string(key.key.counter) + "ul";
  const std::string counter = !key.follows           ? first
                              : key.key.counter == 0 ? "model_steps"
                                                     : first + " + model_steps";
  Code& code = w.code;
  constexpr Index kWords =
      32;  // numbers are made in tiles of eight blocks, the first halves of all before the others
  code.open(join("for (int block = 0; block < ", (n + kWords - 1) / kWords * (kWords / 4), "; ++block)"));
  code.line("uint32_t words[4];");
  code.line(join(philox, "((uint32_t)block, ", counter, ", ", key0, "u, ", key1, "u, words);"));
  code.open("for (int k = 0; k < 4; ++k)");
  code.line("const int at = block / 8 * 32 + block % 8 * 2 + k / 2 * 16 + k % 2;");
  if (n % kWords != 0) code.line(join("if (at >= ", n, ") continue;"));
  Indices to(static_cast<std::size_t>(w.out_shape().rank()), "0");
  to.back() = "at";
  w.finish(to, "(float)(words[k] >> 8) * 5.9604645e-8f < " + c_float(p) + " ? " + c_float(value) + " : 0.0f",
           "v");
  code.close_to(1);
}

}  // namespace splot::compiler
