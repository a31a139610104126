#include "splot/compiler/c/internal/learning_files.h"

#include <algorithm>

#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

bool starts_at_zero(const CConstant& constant) {
  if (!constant.changes) return false;
  const std::vector<float> elements = constant.value.to_vector<float>();
  return std::all_of(elements.begin(), elements.end(), [](float v) { return v == 0.0f; });
}

namespace {

const char* target_type(const CLearning& learning) { return learning.class_numbers ? "int" : "float"; }

Index static_bytes(const CParts& parts) {
  const CLearningSizes& s = parts.learning->sizes;
  return s.weight_bytes + s.state_bytes + parts.sizes.buffer_bytes;
}

}  // namespace

std::string learning_comment(const CParts& parts) {
  const CLearning& l = *parts.learning;
  return join(
      " *   float inputs[MODEL_BATCH * MODEL_INPUT_SIZE];\n *   ", target_type(l),
      " targets[MODEL_BATCH * MODEL_TARGET_SIZE];\n *   float loss = model_train(inputs, targets);\n *\n",
      " * It allocates nothing and needs libm alone. Constants and first weights: ",
      grouped(l.sizes.flash_bytes), " bytes.\n * Static memory: ", grouped(static_bytes(parts)), " bytes, ",
      grouped(l.sizes.weight_bytes), " of them weights, ", grouped(l.sizes.state_bytes), " the state of ",
      c_comment(l.description.optimizer), ", ", grouped(parts.sizes.buffer_bytes),
      " what\n * layers hand to each other. A batch takes ", grouped(l.sizes.batch_bytes),
      " bytes of the caller's. One thread at a time.\n * One run: ", grouped(parts.sizes.multiply_adds),
      " multiply-adds; one step: ", grouped(l.sizes.multiply_adds), ". */\n");
}

std::string learning_sizes(const CParts& parts) {
  const CLearning& l = *parts.learning;
  return join("#define MODEL_BATCH ", l.batch, "  /* examples that a step learns from */\n",
              "#define MODEL_TARGET_SIZE ", l.target_size,
              l.class_numbers && l.target_size == 1 ? "  /* the number of a class */\n"
                                                    : "  /* numbers for an example */\n",
              "#define MODEL_STATIC_BYTES ", static_bytes(parts), "\n#define MODEL_STEP_MULTIPLY_ADDS ",
              l.sizes.multiply_adds, "\n\n");
}

std::string learning_functions(const CParts& parts) {
  const CLearning& l = *parts.learning;
  std::string out = "\n/* May be changed between steps. */\nextern float model_learning_rate;\n";
  out += "/* How many steps were made; what is kept of weights and state belongs to this number. */\n";
  out += "extern unsigned long model_steps;\n\n";
  out += "/* Changes the weights by one step of " + c_comment(l.description.optimizer) +
         " for MODEL_BATCH examples, one after the other.\n"
         " * Returns their loss before the step";
  if (l.classes) out += join("; NaN, and nothing is changed, for a class outside 0 .. ", *l.classes - 1);
  return out + join(". */\nfloat model_train(const float* inputs, const ", target_type(l), "* targets);\n");
}

std::string learning_source(const CParts& parts) {
  const CLearning& l = *parts.learning;
  std::string out =
      "\n/* --- learning */\n\nfloat model_learning_rate = " + c_float(static_cast<float>(l.learning_rate)) +
      ";\nunsigned long model_steps = 0;\n\n";
  for (const CHelper& helper : l.helpers) out += helper.text + '\n';
  for (const CFunction& f : l.functions)
    out += "/* " + f.comment + " */\n" + f.head + " {\n" + f.body + "}\n\n";
  Code code;
  code.line("float loss;");
  if (l.classes) {
    code.open("for (int n = 0; n < MODEL_BATCH * MODEL_TARGET_SIZE; ++n)");
    code.line(join("if (targets[n] < 0 || targets[n] >= ", *l.classes, ") return NAN;"));
    code.close();
  }
  for (const CHelper& helper : l.helpers) {
    if (!helper.begin.empty()) code.line(helper.begin);
  }
  for (const std::string& invocation : l.invocations) code.line(invocation);
  code.line("++model_steps;");
  code.line("return loss;");
  return out + join("float model_train(const float* inputs, const ", target_type(l), "* targets) {\n",
                    code.text(), "}\n");
}

namespace {

Tensor numbers_of(const std::vector<double>& values) {
  return cast(Tensor::from(values, {static_cast<Index>(values.size())}), kFloat32);
}

std::string samples_of(const CParts& parts) {
  std::string arrays, table;
  int number = 0;
  for (const CTensorSample& sample : parts.learning->description.samples) {
    const auto found = std::find_if(parts.constants.begin(), parts.constants.end(),
                                    [&](const CConstant& c) { return c.changes && c.slot == sample.slot; });
    require<ValueError>(found != parts.constants.end(), "export", "there is no ", sample.slot,
                        " that learning changes");
    const auto count = static_cast<Index>(sample.places.size());
    const Tensor places = cast(Tensor::from(sample.places, {count}), kInt32);
    arrays += join("static const int places_", number, '[', count, "] = {\n", c_elements(places, "  "),
                   "};\n", "static const float values_", number, '[', count, "] = {\n",
                   c_elements(numbers_of(sample.values), "  "), "};\n");
    table += join("  {", found->name, ", ", found->value.numel(), ", ", count, ", places_", number,
                  ", values_", number, ",\n   ", c_double(sample.sum), ", ", c_double(sample.squares), ", ",
                  c_double(sample.sizes), ", ", c_double(sample.largest), "},\n");
    ++number;
  }
  return arrays +
         "struct sample {\n  const float* tensor;\n  int size, count;\n  const int* places;\n  const float* "
         "values;\n"
         "  double sum, squares, sizes, largest;\n};\n" +
         join("#define SAMPLES ", number, "\nstatic const struct sample samples[SAMPLES] = {\n", table,
              "};\n\n");
}

// What the library's tensors came to after the first step, and its losses in all of them.
constexpr const char* kTestLearning = R"(
/* The largest part of what is allowed that a number differs by. */
static double worst(double got, double wanted, double allowed) {
  const double d = fabs(got - wanted);
  if (d == 0.0) return 0.0;
  return allowed > 0.0 && d < HUGE_VAL ? d / allowed : HUGE_VAL; /* also where one is no number */
}

/* After the first step: some elements of each tensor that it changes, the sum of all, and that of their
 * squares. */
static double compare_tensors(void) {
  double out = 0.0;
  for (int t = 0; t < SAMPLES; ++t) {
    const struct sample* s = &samples[t];
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < s->size; ++i) {
      sum += (double)s->tensor[i];
      squares += (double)s->tensor[i] * (double)s->tensor[i];
    }
    out = fmax(out, worst(sum, s->sum, TENSOR_BOUND * s->sizes));
    out = fmax(out, worst(squares, s->squares, 2.0 * TENSOR_BOUND * s->squares));
    for (int i = 0; i < s->count; ++i) {
      const double got = (double)s->tensor[s->places[i]];
      if (!(got == got)) return HUGE_VAL;
      out = fmax(out, worst(got, (double)s->values[i], TENSOR_BOUND * s->largest));
    }
  }
  return out * TENSOR_BOUND;
}

static int test_learning(void) {
  double difference = 0.0, tensors = 0.0;
  int different = 0, next = 0;
  for (int step = 0; step < STEPS; ++step) {
    for (int n = 0; n < MODEL_BATCH; ++n) {
      PREPARE
      for (int i = 0; i < MODEL_TARGET_SIZE; ++i) batch_targets[n * MODEL_TARGET_SIZE + i] = learned_targets[next][i];
      next = (next + 1) % LEARNED;
    }
    const double loss = (double)model_train(batch, batch_targets), wanted = (double)losses[step];
    const double d = fabs(loss - wanted) / fmax(fabs(wanted), LEAST_LOSS);
    if (!(d <= LOSS_BOUND)) ++different; /* also where it is no number */
    if (isnan(d) || d > difference) difference = d; /* no number stays the largest */
    if (step == 0) tensors = compare_tensors();
  }
  if (!(tensors <= TENSOR_BOUND)) ++different;
  printf("steps %d\n", STEPS);
  printf("largest difference of a loss %.9g\n", difference);
  printf("bound of losses %.9g\n", LOSS_BOUND);
  printf("largest difference of a tensor %.9g\n", tensors);
  printf("bound of tensors %.9g\n", TENSOR_BOUND);
  printf("different %d\n", different);
  return different;
}

)";

}  // namespace

std::string learning_test(const CParts& parts) {
  const CLearning& l = *parts.learning;
  const CLearningDescription& d = l.description;
  const Index n = d.stored.shape()[0], steps = static_cast<Index>(d.losses.size());
  const bool prepares = parts.description.preparation.has_value();
  const bool bytes = std::string(stored_type(parts)) == "unsigned char";
  std::string out =
      join("/* --- learning: ", steps, " steps from the weights of the export */\n\n#define STEPS ", steps,
           "\n#define LEARNED ", n, "\n#define LEAST_LOSS ", c_double(kCLeastLoss), "\n#define LOSS_BOUND ",
           c_double(kCFreeLossTolerance), "\n#define TENSOR_BOUND ", c_double(kCTensorTolerance), "\n\n");
  out +=
      join("static const ", stored_type(parts), " learned[LEARNED][MODEL_INPUT_SIZE] = {\n",
           rows(d.stored, n, bytes ? kUInt8 : kFloat32), "};\n\nstatic const ", target_type(l),
           " learned_targets[LEARNED][MODEL_TARGET_SIZE] = {\n",
           rows(d.targets, n, l.class_numbers ? kInt32 : kFloat32),
           "};\n\nstatic const float losses[STEPS] = {\n", c_elements(numbers_of(d.losses), "  "), "};\n\n");
  out += samples_of(parts);
  out += join("static float batch[MODEL_BATCH * MODEL_INPUT_SIZE];\nstatic ", target_type(l),
              " batch_targets[MODEL_BATCH * MODEL_TARGET_SIZE];\n");
  std::string test = kTestLearning;
  const std::string prepare =
      prepares
          ? "model_prepare(learned[next], batch + n * MODEL_INPUT_SIZE);"
          : "for (int i = 0; i < MODEL_INPUT_SIZE; ++i) batch[n * MODEL_INPUT_SIZE + i] = learned[next][i];";
  return out + test.replace(test.find("PREPARE"), 7, prepare);
}

}  // namespace splot::compiler

namespace splot {

std::string step_driver(const CTrainingProgram& training) {
  using compiler::Code;
  const char* target = training.class_numbers ? "int32_t" : "float";
  std::string out =
      "/* Reads a state and batches, makes steps, and writes losses and the state. */\n"
      "#include <stdint.h>\n#include <stdio.h>\n\n#include \"model.h\"\n\n"
      "static int read_floats(FILE* from, float* to, size_t count) { return fread(to, sizeof(float), count, "
      "from) == count; }\n\n";
  out += "static float inputs[MODEL_BATCH * MODEL_INPUT_SIZE];\n";
  out += join("static ", target, " raw_targets[MODEL_BATCH * MODEL_TARGET_SIZE];\n", "static ",
              training.class_numbers ? "int" : "float", " targets[MODEL_BATCH * MODEL_TARGET_SIZE];\n\n");
  // The program has to be the one that the state is of.
  for (const CStateArray& array : training.state) {
    out += join("typedef char size_of_", array.name, "[sizeof(", array.name, ") == ", array.size,
                " * sizeof(float) ? 1 : -1];\n");
  }
  out += join("typedef char size_of_batch[MODEL_BATCH == ", training.batch,
              " && MODEL_INPUT_SIZE == ", training.input_size,
              " && MODEL_TARGET_SIZE == ", training.target_size, " ? 1 : -1];\n\n");
  out +=
      "int main(int argc, char** argv) {\n"
      "  FILE* in = argc == 3 ? fopen(argv[1], \"rb\") : NULL;\n"
      "  FILE* out = argc == 3 ? fopen(argv[2], \"wb\") : NULL;\n"
      "  uint32_t steps = 0, before = 0;\n"
      "  int ok = in != NULL && out != NULL;\n"
      "  ok = ok && fread(&steps, 4, 1, in) == 1 && fread(&before, 4, 1, in) == 1;\n";
  for (const CStateArray& array : training.state)
    out += join("  ok = ok && read_floats(in, ", array.name, ", ", array.size, ");\n");
  out +=
      "  model_steps = before;\n"
      "  for (uint32_t step = 0; ok && step < steps; ++step) {\n"
      "    const size_t numbers = sizeof(targets) / sizeof(targets[0]);\n"
      "    ok = read_floats(in, &model_learning_rate, 1) && read_floats(in, inputs, sizeof(inputs) / "
      "sizeof(float)) &&\n"
      "         fread(raw_targets, 4, numbers, in) == numbers;\n"
      "    for (size_t i = 0; i < numbers; ++i) targets[i] = raw_targets[i];\n"
      "    const float loss = model_train(inputs, targets);\n"
      "    ok = ok && fwrite(&loss, sizeof(float), 1, out) == 1;\n"
      "  }\n";
  for (const CStateArray& array : training.state) {
    out += join("  ok = ok && fwrite(", array.name, ", sizeof(float), ", array.size, ", out) == ", array.size,
                ";\n");
  }
  return out +
         "  if (out != NULL && fclose(out) != 0) ok = 0;\n"
         "  if (in != NULL) fclose(in);\n"
         "  if (!ok) fputs(\"the state or a batch cannot be read or written\\n\", stderr);\n"
         "  return ok ? 0 : 1;\n}\n";
}

}  // namespace splot
