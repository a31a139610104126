// splot ops: the table of operations, and the C text of one.
#include <array>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/ops/op_records.h"
#include "splot/ops/op_table.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

struct OpsOptions {
  std::string name;
  std::string attrs;
  bool markdown = false;
  bool c = false;
  bool json = false;
};

std::string_view kind_name(AttrKind kind) {
  constexpr std::array names = {"bool", "int", "float", "dtype", "ints", "text"};
  return names[static_cast<std::size_t>(kind)];
}

std::string attributes(const OpDef& op) {
  std::string out;
  for (std::size_t i = 0; i < op.attrs.size(); ++i) {
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", op.attrs[i].name, kind_name(op.attrs[i].kind));
  }
  return out;
}

// What a record has, one word each; what is missing is a gap.
struct Columns {
  std::string inputs, attrs, cpu, gradient, composed, c, onnx;
};

Columns columns(const OpDef& op) {
  const auto mark = [](bool there) { return std::string(there ? "yes" : ""); };
  return {op.inputs < 0 ? "any" : std::to_string(op.inputs),
          attributes(op),
          op.view != nullptr          ? "view"
          : op.elementwise != nullptr ? "simd"
          : op.kernel != nullptr      ? "yes"
                                      : "",
          mark(op.vjp != nullptr),
          mark(op.composed != nullptr),
          mark(op.elementwise != nullptr && op.elementwise->text != nullptr),
          op.onnx != nullptr ? op.onnx : ""};
}

void print_json() {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const OpDef* op : all_ops()) {
    const Columns c = columns(*op);
    all.push_back({{"name", op->name},
                   {"inputs", op->inputs},
                   {"outputs", op->outputs},
                   {"attributes", c.attrs},
                   {"cpu", c.cpu},
                   {"gradient", op->vjp != nullptr},
                   {"composed", op->composed != nullptr},
                   {"c", !c.c.empty()},
                   {"onnx", c.onnx}});
  }
  print(all.dump(2) + '\n');
}

void print_table() {
  constexpr std::string_view kLine = "{:<28}{:>6}  {:<6}{:<10}{:<10}{:<5}{:<18}{}\n";
  std::string out = fmt::format(fmt::runtime(kLine), "op", "inputs", "cpu", "gradient", "composed", "C",
                                "ONNX", "attributes");
  for (const OpDef* op : all_ops()) {
    const Columns c = columns(*op);
    out += fmt::format(fmt::runtime(kLine), op->name, c.inputs, c.cpu, c.gradient, c.composed, c.c, c.onnx,
                       c.attrs);
  }
  print(out);
}

const OpDef& find(const std::string& name) {
  const OpDef* op = find_op(name);
  if (op == nullptr) throw UsageError(say(Message::no_op, name));
  return *op;
}

// A C function of one element.
void print_c(const OpsOptions& options) {
  const OpDef& op = find(options.name);
  if (op.elementwise == nullptr) throw UsageError(say(Message::no_c_text, options.name));
  if (op.attrs.size() > 0 && options.attrs.empty()) {
    throw UsageError(say(Message::attrs_needed, options.name, attributes(op)));
  }
  const Attrs attrs = op.attrs.size() > 0 ? Attrs::parse(op.attrs, options.attrs) : Attrs();
  std::vector<std::string> names = {"x"};
  if (op.elementwise->arity > 1) names = {"a", "b", "c", "d"};
  names.resize(static_cast<std::size_t>(op.elementwise->arity));
  std::string parameters;
  for (const std::string& name : names) parameters += (parameters.empty() ? "float " : ", float ") + name;
  print(fmt::format("float {}({}) {{ return {}; }}\n", op.name, parameters,
                    op.elementwise->text(names, attrs, Dialect::c)));
}

int run_ops(const OpsOptions& options) {
  if (options.c) {
    if (options.name.empty()) throw UsageError(say(Message::c_needs_op));
    print_c(options);
  } else if (!options.name.empty()) {
    const OpDef& op = find(options.name);
    const Columns c = columns(op);
    print(say(Message::ops_one, op.name, c.inputs, c.attrs, c.cpu, c.gradient, c.composed, c.c, c.onnx));
  } else if (options.markdown) {
    print(op_table_markdown());
  } else if (options.json) {
    print_json();
  } else {
    print_table();
  }
  return kOk;
}

}  // namespace

void add_ops(Command root) {
  Command command = root.add("ops", Message::ops_help, Message::ops_example);
  const auto options = std::make_shared<OpsOptions>();
  command.option("name", options->name, Message::ops_name, "NAME");
  command.flag("--markdown", options->markdown, Message::ops_markdown);
  command.flag("--c", options->c, Message::ops_c);
  command.option("--attrs", options->attrs, Message::ops_attrs, "TEXT");
  command.add_json(options->json);
  command.runs([options] { return run_ops(*options); });
}

}  // namespace splot::cli
