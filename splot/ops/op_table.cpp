#include "splot/ops/op_table.h"

#include "splot/ops/op_records.h"

namespace splot {
namespace {

std::string attributes(const OpDef& op) {
  constexpr const char* kKinds[] = {"bool", "int", "float", "dtype", "ints", "text"};
  std::string out;
  for (std::size_t i = 0; i < op.attrs.size(); ++i) {
    if (i != 0) out += ", ";
    out += join(op.attrs[i].name, ": ", kKinds[static_cast<int>(op.attrs[i].kind)]);
  }
  return out;
}

const char* cpu(const OpDef& op) {
  if (op.view != nullptr) return "view";
  if (op.elementwise != nullptr) return "simd";
  return op.kernel != nullptr ? "yes" : "";
}

const char* derivative(const OpDef& op, bool there) { return there ? "yes" : op.differentiable ? "" : "-"; }

}  // namespace

std::string op_table_markdown(const std::function<bool(const OpDef&)>& second_order_checked) {
  const bool second = static_cast<bool>(second_order_checked);
  std::string out =
      "# Operations\n\n"
      "Every record of `splot/ops/op_list.inc`, in its order; other functions in `splot/ops/` are made of "
      "these. An\n"
      "empty cell is a gap, and a good first change.\n\n"
      "- *inputs*: how many tensors it takes.\n"
      "- *cpu*: `simd` is a formula compiled for every instruction set, `yes` a kernel of its own, `view` "
      "moves no "
      "element.\n"
      "- *vjp*: it has a derivative, made of these same ops; `-`: there is none to have.\n";
  if (second) out += "- *order 2*: tests compare its second derivatives with difference quotients.\n";
  out +=
      "- *composed*: it is also written with other ops, the reference for the fused kernel.\n"
      "- *cuda*: it has a CUDA kernel.\n"
      "- *C*: it prints itself as C.\n"
      "- *onnx*: the operator that means the same.\n\n";
  out += join("| op | inputs | attributes | cpu | vjp |", second ? " order 2 |" : "",
              " composed | cuda | C | onnx |\n", "| --- | ---: | --- | --- | --- |", second ? " --- |" : "",
              " --- | --- | --- | --- |\n");
  // The cells of a row, with the blanks that an empty one does without.
  const auto cell = [&](std::string_view text) { out += text.empty() ? " |" : join(' ', text, " |"); };
  for (const OpDef* op : all_ops()) {
    out += '|';
    cell(join('`', op->name, '`'));
    cell(op->inputs < 0 ? "any" : join(op->inputs));
    cell(attributes(*op));
    cell(cpu(*op));
    cell(derivative(*op, op->vjp != nullptr));
    if (second) cell(derivative(*op, second_order_checked(*op)));
    cell(op->composed != nullptr ? "yes" : "");
    cell("");
    cell(op->elementwise != nullptr && op->elementwise->text != nullptr ? "yes" : "");
    cell(op->onnx != nullptr ? op->onnx : "");
    out += '\n';
  }
  return out;
}

}  // namespace splot
