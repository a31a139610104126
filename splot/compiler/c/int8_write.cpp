// The steps of a network in 8 bits as functions of C.
#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "splot/compiler/c/internal/int8_files.h"
#include "splot/compiler/c/internal/windows.h"
#include "splot/compiler/lifetimes.h"
#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

// " + 3", " - 128", or nothing.
std::string plus(Index number) {
  return number == 0 ? "" : join(number < 0 ? " - " : " + ", number < 0 ? -number : number);
}

std::string in_words(const Quantisation& q) {
  const auto scale = static_cast<float>(q.scale);  // in fewer digits
  return q.zero == 0 ? join(scale, " q") : join(scale, " (q", plus(-q.zero), ')');
}

std::string with_commas(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// Writes one step.
class Int8Writer {
 public:
  Int8Writer(const Int8Program& program, const Int8Step& step, std::string name,
             std::vector<Int8Constant>& constants)
      : program_(program), step_(step), name_(std::move(name)), constants_(constants) {
    std::visit([this](const auto& kind) { write(kind); }, step.kind);
    code_.close_to(1);
  }

  const Code& code() const { return code_; }
  Index multiply_adds() const { return multiply_adds_; }

  std::string comment() const {
    std::string out =
        c_comment((step_.layers.empty() ? "" : with_commas(step_.layers) + ": ") + with_commas(step_.ops));
    const Shape& made = step_.output == -1 ? program_.made : value(step_.output).shape;
    std::string shapes, scales;
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      const Int8Value& x = value(step_.inputs[i]);
      shapes += join(i == 0 ? "" : ", ", operand(i), ' ', example_shape(x.shape));
      scales += join(operand(i), " = ", in_words(x.q), ", ");
    }
    if (step_.inputs.empty()) shapes = "x " + example_shape(program_.input);
    out += "\n *   " + shapes + " -> y " + example_shape(made);
    for (const std::string& note : notes_) out += "\n *   " + c_comment(note);
    out += "\n *   " + scales + "y = " + (step_.output == -1 ? "floats" : in_words(q(step_.output)));
    if (multiply_adds_ > 0)
      out += join("\n *   ", grouped(weights_), " weights, ", grouped(multiply_adds_), " multiply-adds");
    return out;
  }

  std::string parameters() const {
    std::string out = step_.inputs.empty() ? "const float* x, " : "";
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) out += "const int8_t* " + operand(i) + ", ";
    return out + (step_.output == -1 ? "float* y" : "int8_t* y");
  }

 private:
  const Int8Value& value(int id) const { return program_.values[static_cast<std::size_t>(id)]; }
  const Quantisation& q(int id) const { return value(id).q; }
  static std::string operand(std::size_t i) { return i == 0 ? "x" : "x" + std::to_string(i + 1); }

  // An array of the step's own, and its name.
  std::string constant(const std::string& role, const std::string& type, const Tensor& values) {
    const std::string layer = step_.layers.empty() ? step_.ops[0] : step_.layers[0];
    constants_.push_back({"model_" + name_ + '_' + role,
                          join(c_comment(layer), '.', role, ", ", values.shape()), type, contiguous(values)});
    return constants_.back().name;
  }
  template <typename T>
  std::string constant(const std::string& role, const std::string& type, const std::vector<T>& values) {
    const std::vector<std::int32_t> wide(values.begin(), values.end());
    return constant(role, type, Tensor::from(wide, {static_cast<Index>(wide.size())}));
  }
  // Of several multipliers, at this place: "model_conv1_factor[o], model_conv1_shift[o]".
  std::string multiplier_at(const std::vector<Multiplier>& all, const std::string& place) {
    std::vector<std::int32_t> factors, shifts;
    for (const Multiplier& m : all) {
      factors.push_back(m.factor);
      shifts.push_back(m.shift);
    }
    const std::string factor = constant("factor", "int32_t", factors),
                      shift = constant("shift", "int8_t", shifts);
    return factor + '[' + place + "], " + shift + '[' + place + ']';
  }
  static std::string text_of(const Multiplier& m) { return join(m.factor, ", ", m.shift); }
  static std::string rescaled_text(const std::string& what, const std::string& multiplier) {
    return "rescaled(" + what + ", " + multiplier + ')';
  }
  static std::string saturated_text(const std::string& what, const Quantisation& to, bool relu = false) {
    return join("saturated(", what, plus(to.zero), ", ", relu ? to.zero : -128, ')');
  }

  void write(const Int8Input&) {
    const Quantisation& to = q(step_.output);
    const std::string i = code_.loop("i", program_.input.numel());
    code_.line("float v = rintf(x[" + i + "] * " + c_float(inverse_of(to)) + ");");
    const auto bound = [](int number) { return c_float(static_cast<float>(number)); };
    code_.line("if (!(v >= " + bound(-128 - to.zero) + ")) v = " + bound(-128 - to.zero) +
               "; /* also what is no number */");
    code_.line("if (v > " + bound(127 - to.zero) + ") v = " + bound(127 - to.zero) + ';');
    code_.line("y[" + i + "] = (int8_t)((int)v" + plus(to.zero) + ");");
  }

  void write(const Int8Output&) {
    const Quantisation& from = q(step_.inputs[0]);
    const std::string i = code_.loop("i", program_.made.numel());
    code_.line("y[" + i + "] = (float)(x[" + i + ']' + plus(-from.zero) + ") * " +
               c_float(static_cast<float>(from.scale)) + ';');
  }

  // --- products

  // With the zero of the inputs in it, where all of a row's weights meet an input.
  std::string bias_text(const Int8Product& p, bool with_zero, const std::string& o) {
    std::vector<std::int32_t> biases = p.biases;
    if (with_zero) {
      const std::vector<std::int32_t> weights = p.weights.to_vector<std::int32_t>();
      const auto terms = static_cast<std::size_t>(p.terms());
      for (std::size_t i = 0; i < weights.size(); ++i)
        biases[i / terms] -= weights[i] * q(step_.inputs[0]).zero;
      if (q(step_.inputs[0]).zero != 0) notes_.push_back("the zero of x is part of the bias");
    }
    return constant("bias", "int32_t", biases) + '[' + o + ']';
  }

  void store(const Int8Product& p, const std::string& place, const std::string& o) {
    if (step_.output == -1) {
      const Tensor scales = Tensor::from(p.scales, {p.channels()});
      code_.line("y[" + place + "] = (float)sum * " + constant("scale", "float", scales) + '[' + o + "];");
      return;
    }
    const std::string made =
        saturated_text(rescaled_text("sum", multiplier_at(p.multipliers, o)), p.q, p.relu);
    if (p.table.empty()) {
      code_.line("y[" + place + "] = " + made + ';');
    } else {
      notes_.push_back("sums are taken as " + in_words(p.q) + " to a table");
      code_.line("y[" + place + "] = " + constant("table", "int8_t", p.table) + '[' + made + " + 128];");
    }
  }

  void write(const Int8Product& p) {
    weights_ = p.weight.numel() + p.channels();
    multiply_adds_ = p.y.numel() * p.terms();
    if (p.linear) {
      write_rows(p);
    } else {
      write_windows(p);
    }
  }

  void write_rows(const Int8Product& p) {
    const std::string weight = constant("weight", "int8_t", p.weights);
    const std::string n = code_.loop("n", p.x[0]), o = code_.loop("o", p.channels());
    code_.line("int32_t sum = " + bias_text(p, true, o) + ';');
    const std::string k = code_.loop("k", p.x[1]);
    code_.line("sum += " + weight + '[' + c_place({{o, p.x[1]}, {k, 1}}) + "] * x[" +
               c_place({{n, p.x[1]}, {k, 1}}) + "];");
    if (p.x[1] != 1) code_.close();
    store(p, c_place({{n, p.channels()}, {o, 1}}), o);
  }

  void write_windows(const Int8Product& p) {
    const Shape &x = p.x, &w = p.weight.shape(), &y = p.y;
    const Axis rows = axis_of(p.attrs, 0, x, w, y), columns = axis_of(p.attrs, 1, x, w, y);
    const bool leaves = rows.leaves() || columns.leaves();
    notes_.push_back(geometry_text(p.attrs, w));
    const std::string weight = constant("weight", "int8_t", p.weights);
    const std::string n = code_.loop("n", y[0]), o = code_.loop("o", y[1]), i = code_.loop("i", y[2]),
                      j = code_.loop("j", y[3]);
    const int depth = code_.depth();
    code_.line("int32_t sum = " + bias_text(p, !leaves, o) + ';');
    const std::string c = code_.loop("c", w[1]);
    const std::string channel = group_channel(y[1], w[1], p.attrs.integer("groups"), o, c);
    const std::string ki = window_loop(code_, "ki", rows);
    const std::string row = window_position(code_, "row", rows, i, ki);
    const std::string kj = window_loop(code_, "kj", columns);
    const std::string column = window_position(code_, "column", columns, j, kj);
    const Strides from = x.row_major(), by = w.row_major(), to = y.row_major();
    std::string taken =
        "x[" + c_place({{n, from[0]}, {channel, from[1]}, {row, from[2]}, {column, from[3]}}) + ']';
    const int zero = q(step_.inputs[0]).zero;
    if (leaves && zero != 0) taken = '(' + taken + plus(-zero) + ')';
    code_.line("sum += " + weight + '[' + c_place({{o, by[0]}, {c, by[1]}, {ki, by[2]}, {kj, by[3]}}) +
               "] * " + taken + ';');
    code_.close_to(depth);
    store(p, c_place({{n, to[0]}, {o, to[1]}, {i, to[2]}, {j, to[3]}}), o);
  }

  // --- pooling

  void write(const Int8Largest& largest) {
    const Shape &x = value(step_.inputs[0]).shape, &y = value(step_.output).shape;
    const auto axis = [&](int a) {
      return Axis{.in = x[2 + a],
                  .out = y[2 + a],
                  .kernel = largest.attrs.ints("kernel")[a],
                  .stride = largest.attrs.ints("stride")[a],
                  .dilation = largest.attrs.ints("dilation")[a],
                  .pad = largest.attrs.ints("padding")[a]};
    };
    const Axis rows = axis(0), columns = axis(1);
    notes_.push_back(join("windows of ", rows.kernel, " x ", columns.kernel));
    const std::string c = code_.loop("c", x[0] * x[1]), i = code_.loop("i", y[2]), j = code_.loop("j", y[3]);
    const int depth = code_.depth();
    code_.line("int8_t largest = -128;");
    const std::string ki = window_loop(code_, "ki", rows), row = window_position(code_, "row", rows, i, ki);
    const std::string kj = window_loop(code_, "kj", columns),
                      column = window_position(code_, "column", columns, j, kj);
    code_.line("const int8_t v = x[" + c_place({{c, x[2] * x[3]}, {row, x[3]}, {column, 1}}) + "];");
    code_.line("if (v > largest) largest = v;");
    code_.close_to(depth);
    code_.line("y[" + c_place({{c, y[2] * y[3]}, {i, y[3]}, {j, 1}}) + "] = largest;");
  }

  // Opens the loop over a window, and says which element of the image it is at: windows in equal steps are
  // counted from their beginning, others stand in a table.
  std::string span_loop(const std::vector<Int8Span>& spans, const std::string& name, const std::string& i) {
    const Index size = spans[0].end - spans[0].begin,
                step = spans.size() > 1 ? spans[1].begin - spans[0].begin : 0;
    bool even = true;
    for (std::size_t k = 0; k < spans.size(); ++k) {
      even = even && spans[k].end - spans[k].begin == size &&
             spans[k].begin == spans[0].begin + static_cast<Index>(k) * step;
    }
    if (even) return c_position(i, step, code_.loop(name, size), 1, spans[0].begin);
    std::vector<Index> ends;
    for (const Int8Span& span : spans) ends.insert(ends.end(), {span.begin, span.end});
    const bool small = ends.back() <= std::numeric_limits<std::int16_t>::max();
    const std::string table = constant(name + 's', small ? "int16_t" : "int32_t", ends);
    code_.open("for (int " + name + " = " + table + '[' + c_place({{i, 2}}) + "]; " + name + " < " + table +
               '[' + c_position(i, 2, "0", 0, 1) + "]; ++" + name + ')');
    return name;
  }

  void write(const Int8Mean& m) {
    const Shape& x = value(step_.inputs[0]).shape;
    const auto height = static_cast<Index>(m.rows.size()), width = static_cast<Index>(m.columns.size());
    notes_.push_back(join("means over ", height, " x ", width, " windows of ", x[2], " x ", x[3]));
    const std::string c = code_.loop("c", x[0] * x[1]), i = code_.loop("i", height),
                      j = code_.loop("j", width);
    const int depth = code_.depth();
    code_.line("int32_t sum = 0;");
    const std::string row = span_loop(m.rows, "row", i), column = span_loop(m.columns, "column", j);
    code_.line("sum += x[" + c_place({{c, x[2] * x[3]}, {row, x[3]}, {column, 1}}) + ']' +
               plus(-q(step_.inputs[0]).zero) + ';');
    code_.close_to(depth);
    const std::string multiplier = m.is_uniform()
                                       ? text_of(m.multipliers[0])
                                       : multiplier_at(m.multipliers, c_place({{i, width}, {j, 1}}));
    code_.line("y[" + c_place({{c, height * width}, {i, width}, {j, 1}}) +
               "] = " + saturated_text(rescaled_text("sum", multiplier), q(step_.output)) + ';');
  }

  // --- one number after the other

  void write(const Int8Sum& s) {
    const std::string i = code_.loop("i", value(step_.output).shape.numel());
    const auto share = [&](std::size_t k, const Multiplier& m) {
      return rescaled_text(operand(k) + '[' + i + ']' + plus(-q(step_.inputs[k]).zero), text_of(m));
    };
    code_.line("const int32_t first = " + share(0, s.first) + ';');
    code_.line("const int32_t second = " + share(1, s.second) + ';');
    const std::string sum = std::string("first ") + (s.minus ? '-' : '+') + " second";
    code_.line("y[" + i + "] = " +
               saturated_text(rescaled_text(sum, text_of({1, kSumBits})), q(step_.output), s.relu) + ';');
  }

  void write(const Int8Lookup& lookup) {
    const std::string i = code_.loop("i", value(step_.output).shape.numel());
    code_.line("y[" + i + "] = " + constant("table", "int8_t", lookup.table) + "[x[" + i + "] + 128];");
  }

  void write(const Int8Copy& copy) {
    if (copy.fill) {
      const std::string i = code_.loop("i", value(step_.output).shape.numel());
      code_.line(join("y[", i, "] = ", int{copy.filled}, ';'));
      code_.close_to(1);
    }
    for (const Int8Move& move : copy.moves) {
      constexpr const char* kNames[] = {"g", "h", "l", "m", "n", "c", "i", "j"};
      std::vector<Term> from, to;
      for (int axis = 0; axis < move.shape.rank(); ++axis) {
        const std::string index = code_.loop(kNames[kMaxRank - move.shape.rank() + axis], move.shape[axis]);
        from.push_back({index, move.from[axis]});
        to.push_back({index, move.to[axis]});
      }
      const auto place = [](const std::vector<Term>& terms, Index offset) {
        const std::string text = c_place(terms);
        return offset == 0 ? text : text == "0" ? std::to_string(offset) : text + plus(offset);
      };
      const auto input = static_cast<std::size_t>(move.input);
      const std::string x = operand(input) + '[' + place(from, move.from_offset) + ']';
      const std::string moved = move.multiplier
                                    ? saturated_text(rescaled_text(x + plus(-q(step_.inputs[input]).zero),
                                                                   text_of(*move.multiplier)),
                                                     q(step_.output))
                                    : x;
      code_.line("y[" + place(to, move.to_offset) + "] = " + moved + ';');
      code_.close_to(1);
    }
  }

  const Int8Program& program_;
  const Int8Step& step_;
  std::string name_;
  std::vector<Int8Constant>& constants_;
  Code code_;
  std::vector<std::string> notes_;
  Index weights_ = 0, multiply_adds_ = 0;
};

// Places in the static block, in bytes.
Arena place_bytes(const Int8Program& program) {
  std::vector<Lifetime> lifetimes(program.values.size());
  for (std::size_t i = 0; i < lifetimes.size(); ++i) {
    const Int8Value& value = program.values[i];
    lifetimes[i].base = value.memory;
    if (value.memory != static_cast<int>(i)) lifetimes[i].home = Home::view;
    lifetimes[i].bytes = static_cast<std::size_t>(value.shape.numel());
  }
  const auto base = [&](int id) -> Lifetime& {
    return lifetimes[static_cast<std::size_t>(program.values[static_cast<std::size_t>(id)].memory)];
  };
  int number = 0;
  for (const Int8Step& step : program.steps) {
    for (const int id : step.inputs) base(id).last = number;
    if (step.output != -1) base(step.output).first = base(step.output).last = number;
    ++number;
  }
  return place(lifetimes);
}

void write_tail(const Int8Program& program, Int8Parts& parts, std::set<std::string>& names) {
  const CLowered lowered = lower_for_c(*program.tail);
  CConstants constants;
  const CNaming naming = inference_naming(lowered, constants, names);
  for (std::size_t i = 0; i < lowered.steps.size(); ++i) {
    if (is_view(lowered, lowered.graph.calls[i])) continue;
    parts.tail.push_back(function_of(lowered, lowered.steps[i], constants, naming, parts.multiply_adds));
  }
  for (const CConstant& c : constants.all())
    parts.constants.push_back({c.name, c.comment, c.value.dtype() == kFloat32 ? "float" : "int", c.value});
  parts.made = program.made.numel();
  parts.tail_buffer = static_cast<Index>(lowered.arena.bytes) / 4;
}

}  // namespace

Int8Parts int8_functions(const Int8Program& program) {
  Int8Parts out;
  const Arena arena = place_bytes(program);
  out.bytes = static_cast<Index>(arena.bytes);
  const auto address = [&](int id) {
    const int memory = program.values[static_cast<std::size_t>(id)].memory;
    const std::size_t offset = arena.offsets[static_cast<std::size_t>(memory)];
    return offset == 0 ? std::string("bytes") : join("bytes + ", offset);
  };
  out.input = address(program.steps[0].output);
  std::set<std::string> names;
  for (const Int8Step& step : program.steps) {
    const std::string name = unique_name(names, "run_", step.layers.empty() ? step.ops[0] : step.layers[0]);
    const Int8Writer writer(program, step, name.substr(std::string("run_").size()), out.constants);
    CFunction f{.name = name,
                .comment = writer.comment(),
                .head = "static void " + name + '(' + writer.parameters() + ')',
                .body = writer.code().text(),
                .invocation = name + '('};
    if (step.inputs.empty()) f.invocation += "input, ";
    for (const int id : step.inputs) f.invocation += address(id) + ", ";
    f.invocation += (step.output != -1 ? address(step.output) : program.tail ? "made" : "output") + ");";
    out.functions.push_back(std::move(f));
    out.multiply_adds += writer.multiply_adds();
  }
  if (program.tail) write_tail(program, out, names);
  return out;
}

}  // namespace splot::compiler
