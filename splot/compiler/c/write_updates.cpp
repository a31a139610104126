// What an optimiser does to a weight: one function of an element for each kind of update, called where its
// gradient is made.
#include "splot/compiler/c/internal/step_writer.h"
#include "splot/core/error.h"
#include "splot/ops/op_records.h"

namespace splot::compiler {
namespace {

// One kind of update while it is written: a function of g, the weight *w and its state.
struct Update {
  const Attrs& attrs;
  std::string name;
  std::size_t states;
  Code code = Code();
  std::string about = {};     // for the comment
  std::string values = {};    // declarations of what holds for a whole step
  std::string settings = {};  // lines that compute them

  std::string number(const char* attr) const { return c_float(static_cast<float>(attrs.number(attr))); }
  std::string rest(const char* attr) const { return c_float(static_cast<float>(1.0 - attrs.number(attr))); }
  // As the compiler of the C reads it: in double.
  std::string wide(const char* attr) const { return c_double(attrs.number(attr)); }
  // A number that is the same for all weights in a step.
  std::string per_step(const std::string& what, const std::string& formula) {
    const std::string full = name + '_' + what;
    values += "static float " + full + ";\n";
    settings += "  " + full + " = (float)(" + formula + ");\n";
    return full;
  }
  void add_penalties() {
    if (attrs.number("weight_decay") != 0.0) code.line("g += " + number("weight_decay") + " * *w;");
    if (attrs.number("l1") != 0.0) {
      const std::string l1 = number("l1");
      code.line("g += *w > 0.0f ? " + l1 + " : *w < 0.0f ? -" + l1 + " : 0.0f;");
    }
  }
};

void write_sgd(Update& u) {
  const bool nesterov = u.attrs.flag("nesterov");
  u.about = "stochastic gradient descent";
  u.add_penalties();
  if (u.states == 0) {
    u.code.line("*w -= model_learning_rate * g;");
    return;
  }
  const std::string momentum = u.number("momentum");
  u.about += " with momentum " + momentum + (nesterov ? " after Nesterov" : "");
  if (u.attrs.flag("increment")) {
    u.code.line("const float step = -model_learning_rate * g;");
    u.code.line("*s1 = " + momentum + " * *s1 + step;");
    u.code.line("*w += " + (nesterov ? momentum + " * *s1 + step;" : "*s1;"));
    return;
  }
  u.code.line("*s1 = " + momentum + " * *s1 + g;");
  u.code.line("*w -= model_learning_rate * " + (nesterov ? "(" + momentum + " * *s1 + g);" : "*s1;"));
}

void write_adam(Update& u) {
  const bool decoupled = u.attrs.number("decoupled_decay") != 0.0;
  u.about =
      join(decoupled ? "AdamW" : "Adam", "; s1 and s2 are the running mean and mean square of the gradient");
  u.add_penalties();
  const std::string steps = "(double)(model_steps + 1)";
  const std::string size =
      u.per_step("size", "(double)model_learning_rate / (1.0 - pow(" + u.wide("beta1") + ", " + steps + "))");
  const std::string root =
      u.per_step("root", "1.0 / sqrt(1.0 - pow(" + u.wide("beta2") + ", " + steps + "))");
  std::string kept = "*w";
  if (decoupled) {
    kept = u.per_step("keep", "1.0 - (double)model_learning_rate * " + u.wide("decoupled_decay")) + " * *w";
  }
  u.code.line("*s1 = " + u.number("beta1") + " * *s1 + " + u.rest("beta1") + " * g;");
  u.code.line("*s2 = " + u.number("beta2") + " * *s2 + " + u.rest("beta2") + " * g * g;");
  u.code.line("*w = " + kept + " - " + size + " * (*s1 / (sqrtf(*s2) * " + root + " + " + u.number("eps") +
              "));");
}

void write_rmsprop(Update& u) {
  const bool centered = u.attrs.flag("centered");
  u.about = "RMSprop; s1 is the running mean square of the gradient";
  u.add_penalties();
  u.code.line("*s1 = " + u.number("alpha") + " * *s1 + " + u.rest("alpha") + " * g * g;");
  std::string spread = "*s1";
  if (centered) {
    u.code.line("*s2 = " + u.number("alpha") + " * *s2 + " + u.rest("alpha") + " * g;");
    spread = "fmaxf(*s1 - *s2 * *s2, 0.0f)";  // rounding can make it negative
  }
  u.code.line("float step = g / (sqrtf(" + spread + ") + " + u.number("eps") + ");");
  if (u.attrs.number("momentum") != 0.0) {
    const std::string v = centered ? "*s3" : "*s2";
    u.code.line("step = " + u.number("momentum") + " * " + v + " + step;");
    u.code.line(v + " = step;");
  }
  u.code.line("*w -= model_learning_rate * step;");
}

void write_adagrad(Update& u) {
  u.about = "Adagrad; s1 is the sum of the squares of all gradients";
  u.add_penalties();
  std::string rate = "model_learning_rate";
  if (u.attrs.number("lr_decay") != 0.0) {
    rate = u.per_step(
        "rate", "(double)model_learning_rate / (1.0 + (double)model_steps * " + u.wide("lr_decay") + ')');
  }
  u.code.line("*s1 += g * g;");
  u.code.line("*w -= " + rate + " * (g / (sqrtf(*s1) + " + u.number("eps") + "));");
}

// w, g, the state, then lr and for some the number of the step.
std::size_t states_of(const GraphCall& update) { return update.outputs.size() - 1; }

CHelper helper_of(const GraphCall& call, const std::string& name) {
  Update u{.attrs = call.attrs, .name = name, .states = states_of(call)};
  if (call.op == &sgd_step_op) write_sgd(u);
  if (call.op == &adam_step_op) write_adam(u);
  if (call.op == &rmsprop_step_op) write_rmsprop(u);
  if (call.op == &adagrad_step_op) write_adagrad(u);
  std::string head = "static void " + name + "(float g, float* w";
  for (std::size_t i = 1; i <= u.states; ++i) head += join(", float* s", i);
  std::string text = u.values;
  if (!u.settings.empty()) text += "static void begin_" + name + "(void) {\n" + u.settings + "}\n\n";
  text += "/* " + u.about + ": g is the gradient of *w. */\n" + head + ") {\n" + u.code.text() + "}\n";
  return {name, text, u.settings.empty() ? "" : "begin_" + name + "();"};
}

}  // namespace

bool is_update(const OpDef& op) {
  return &op == &sgd_step_op || &op == &adam_step_op || &op == &rmsprop_step_op || &op == &adagrad_step_op;
}

void write_update_of(StepWriter& w, const GraphCall& update, std::span<const std::string> indices,
                     const std::string& g) {
  const std::string key = join(update.op->name, ' ', update.attrs.to_string(), ' ', update.outputs.size());
  const CHelper& helper =
      w.helper(key, update.op->name, [&](const std::string& name) { return helper_of(update, name); });
  std::string line = helper.name + '(' + g;
  for (std::size_t i = 0; i <= states_of(update); ++i)
    line += ", &" + w.operand(update, i == 0 ? 0 : i + 1)[indices];
  w.code.line(line + ");");
}

// Where the gradient is read by others too, or is a view.
void write_update(StepWriter& w) {
  const CArray g = w.input(1, "gradient", "g");
  const std::vector<std::string> at = w.element_loops();
  write_update_of(w, w.call(), at, g[at]);
  w.code.close_to(1);
}

}  // namespace splot::compiler
