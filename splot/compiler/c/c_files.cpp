#include "splot/compiler/c/internal/c_files.h"

#include <algorithm>
#include <cmath>

#include "splot/compiler/c/internal/learning_files.h"
#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/core/version.h"
#include "splot/ops/ops.h"

namespace splot::compiler {

std::string made_by(const CParts& parts) {
  std::string title = c_comment(parts.description.title);
  return join(kCMarker, ' ', SPLOT_VERSION, title.empty() ? "" : ": ", title);
}

namespace {

const CPreparation* preparation(const CParts& parts) {
  return parts.description.preparation ? &*parts.description.preparation : nullptr;
}

}  // namespace

const char* stored_type(const CParts& parts) {
  const CPreparation* p = preparation(parts);
  return p != nullptr && p->bytes ? "unsigned char" : "float";
}

std::string size_definitions(const CParts& parts, Index most) {
  const CSizes& s = parts.sizes;
  std::string out = join("#if INT_MAX < ", most,
                         "\n#error \"int is too small to number the elements of this network\"\n#endif\n\n");
  out += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  out += join("#define MODEL_INPUT_SIZE ", parts.input.numel(), "  /* ", example_shape(parts.input),
              ", row by row */\n#define MODEL_OUTPUT_SIZE ", parts.output.numel(), "  /* ",
              example_shape(parts.output), " */\n");
  return out + join("#define MODEL_BUFFER_BYTES ", s.buffer_bytes, "\n#define MODEL_WEIGHT_BYTES ",
                    s.weight_bytes, "\n#define MODEL_MULTIPLY_ADDS ", s.multiply_adds, "\n\n");
}

std::string model_header(const CParts& parts) {
  const CSizes& s = parts.sizes;
  const CPreparation* p = preparation(parts);
  std::string out = made_by(parts) + "\n *\n";
  if (p != nullptr) out += join(" *   ", stored_type(parts), " stored[MODEL_INPUT_SIZE];\n");
  out += " *   float input[MODEL_INPUT_SIZE], output[MODEL_OUTPUT_SIZE];\n";
  if (p != nullptr) out += " *   model_prepare(stored, input);\n";
  out += " *   model_run(input, output);\n *\n";
  if (parts.learning != nullptr)
    out += learning_comment(parts);
  else
    out += join(" * It allocates nothing and needs libm alone. Weights and tables: ", grouped(s.weight_bytes),
                " bytes of constants.\n * Static memory: ", grouped(s.buffer_bytes),
                " bytes; model_run() is for one thread at a time. One run: ", grouped(s.multiply_adds),
                "\n * multiply-adds. */\n");
  out += "#ifndef MODEL_H\n#define MODEL_H\n\n#include <limits.h>\n\n";
  const Index most = std::max({s.weight_bytes, s.buffer_bytes, s.input_bytes, s.output_bytes}) / 4;
  out += size_definitions(parts, most);
  if (parts.learning != nullptr) out += learning_sizes(parts);
  if (p != nullptr) {
    out += join("/* From inputs as they are stored to those the network sees. */\nvoid model_prepare(const ",
                stored_type(parts), "* stored, float* input);\n");
  }
  out +=
      "/* What the network answers; input and output must not overlap. */\n"
      "void model_run(const float* input, float* output);\n";
  if (!parts.description.classes.empty()) {
    out +=
        "\n/* What each output stands for. */\nextern const char* const model_classes[MODEL_OUTPUT_SIZE];\n";
  }
  if (parts.learning != nullptr) out += learning_functions(parts);
  if (!parts.constants.empty()) out += "\n/* The weights, in model_weights.c. */\n";
  for (const CConstant& c : parts.constants) {
    out += join("extern ", c.changes ? "" : "const ", c.value.dtype() == kFloat32 ? "float " : "int ", c.name,
                '[', c.value.numel(), "];\n");
  }
  return out + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

namespace {

std::string float_array(const std::string& name, const std::vector<double>& values) {
  const Tensor numbers = cast(Tensor::from(values, {static_cast<Index>(values.size())}), kFloat32);
  return join("static const float ", name, '[', values.size(), "] = {\n", c_elements(numbers, "  "), "};\n");
}

// What is lost of a number that is kept as a float, measured by what it is subtracted from.
std::vector<double> rests(const CPreparation& p) {
  std::vector<double> out;
  for (std::size_t i = 0; i < p.means.size(); ++i) {
    const double rest = p.means[i] - static_cast<double>(static_cast<float>(p.means[i]));
    out.push_back(std::abs(rest) > 1e-7 * std::abs(p.deviations[i]) ? rest : 0.0);
  }
  return out;
}

bool all_are(const std::vector<double>& values, double wanted) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == wanted; });
}

}  // namespace

std::string prepare_function(const CParts& parts) {
  if (preparation(parts) == nullptr) return {};
  const CPreparation& p = *preparation(parts);
  const bool one = p.means.size() == 1;
  std::string out = "/* (x / divisor - mean) / deviation";
  out += one ? ""
             : join(", with one mean and deviation for every ", p.shared,
                    p.shared == 1 ? " number" : " numbers");
  out += " */\n";
  const std::vector<double> rest = rests(p);
  const auto part = [&](const std::string& name, const std::vector<double>& values, double neutral,
                        const std::string& sign) -> std::string {
    if (all_are(values, neutral)) return {};
    if (!one) out += float_array(name, values);
    const float number = static_cast<float>(values[0]);
    const std::string text = number < 0 ? '(' + c_float(number) + ')' : c_float(number);
    return sign + (one ? text : name + (p.shared == 1 ? "[i]" : join("[i / ", p.shared, ']')));
  };
  const std::string minus = part("means", p.means, 0.0, " - ");
  const std::string minus_rest = part("rests_of_means", rest, 0.0, " - ");
  const std::string over = part("deviations", p.deviations, 1.0, " / ");
  std::string value = p.bytes ? "(float)stored[i]" : "stored[i]";
  if (p.divisor != 1.0) value += " / " + c_float(static_cast<float>(p.divisor));
  value += minus + minus_rest;
  if (!over.empty()) value = (minus.empty() ? value : '(' + value + ')') + over;
  return out + join("void model_prepare(const ", stored_type(parts), "* stored, float* input) {\n",
                    "  for (int i = 0; i < MODEL_INPUT_SIZE; ++i) input[i] = ", value, ";\n}\n\n");
}

Tensor prepared_in_c(const CPreparation& p, const Tensor& stored) {
  const std::vector<double> rest = rests(p);
  const std::vector<float> from = stored.to_vector<float>();
  const std::size_t each = p.means.size() == 1 ? from.size() : static_cast<std::size_t>(p.shared);
  const auto divisor = static_cast<float>(p.divisor);
  return Tensor::build<float>(stored.shape(), [&](std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t group = i / each % p.means.size();
      const float centred =
          from[i] / divisor - static_cast<float>(p.means[group]) - static_cast<float>(rest[group]);
      out[i] = centred / static_cast<float>(p.deviations[group]);
    }
  });
}

std::string class_names(const CParts& parts) {
  if (parts.description.classes.empty()) return {};
  std::string out = "const char* const model_classes[MODEL_OUTPUT_SIZE] = {\n";
  for (const std::string& name : parts.description.classes) out += "  " + c_string(name) + ",\n";
  return out + "};\n\n";
}

std::string model_source(const CParts& parts) {
  std::string out = made_by(parts) + " */\n#include \"model.h\"\n\n#include <math.h>\n";
  out += parts.learning != nullptr ? "#include <stdint.h>\n\n" : "\n";
  out += class_names(parts) + prepare_function(parts);
  for (const CFunction& f : parts.functions)
    out += "/* " + f.comment + " */\n" + f.head + " {\n" + f.body + "}\n\n";
  if (parts.buffer > 0) {
    out += join("/* What the layers hand to each other. */\nstatic float buffer[", parts.buffer, "];\n\n");
  }
  out += "void model_run(const float* input, float* output) {\n";
  for (const CFunction& f : parts.functions) out += "  " + f.invocation + '\n';
  out += "}\n";
  if (parts.learning != nullptr) out += learning_source(parts);
  return out;
}

std::string weights_source(const CParts& parts) {
  std::string out = made_by(parts) + " */\n#include \"model.h\"\n";
  for (const CConstant& c : parts.constants) {
    out += join("\n/* ", c.comment, " */\n", c.changes ? "" : "const ",
                c.value.dtype() == kFloat32 ? "float " : "int ", c.name, '[', c.value.numel(), ']');
    out += starts_at_zero(c) ? ";\n" : " = {\n" + c_elements(c.value, "  ") + "};\n";
  }
  return out;
}

std::string rows(const Tensor& values, Index n, DType dtype) {
  const Tensor flat = reshape(contiguous(cast(values, dtype)), {n, values.numel() / n});
  std::string out;
  for (Index i = 0; i < n; ++i) {
    const Tensor row = contiguous(select(flat, 0, i));
    out += "  {\n" + c_elements(row, "    ") + "  },\n";
  }
  return out;
}

std::string test_source(const CParts& parts) {
  std::string out = made_by(parts) +
                    "\n * Compares the network with what the library answered. */\n"
                    "#include <math.h>\n#include <stdio.h>\n\n#include \"model.h\"\n\n";
  const CDescription& d = parts.description;
  const Index n = d.stored.shape()[0];
  const CPreparation* p = preparation(parts);
  const bool bytes = p != nullptr && p->bytes;
  out += join("#define EXAMPLES ", n, "\n\nstatic const ", stored_type(parts),
              " stored[EXAMPLES][MODEL_INPUT_SIZE] = {\n", rows(d.stored, n, bytes ? kUInt8 : kFloat32),
              "};\n\nstatic const float expected[EXAMPLES][MODEL_OUTPUT_SIZE] = {\n",
              rows(d.expected, n, kFloat32), "};\n\n");
  if (p != nullptr) out += "static float input[MODEL_INPUT_SIZE];\n";
  if (parts.runs_stored) out += "static float from_stored[MODEL_OUTPUT_SIZE];\n";
  out += "static float output[MODEL_OUTPUT_SIZE];\n\n";
  if (parts.learning != nullptr) out += learning_test(parts);
  out +=
      "int main(void) {\n"
      "  float largest_output = 1.0f, difference = 0.0f;\n"
      "  int different = 0;\n"
      "  for (int n = 0; n < EXAMPLES; ++n) {\n"
      "    for (int i = 0; i < MODEL_OUTPUT_SIZE; ++i) {\n"
      "      if (fabsf(expected[n][i]) > largest_output) largest_output = fabsf(expected[n][i]);\n"
      "    }\n  }\n";
  out += "  const float bound = " + c_float(static_cast<float>(parts.tolerance)) + " * largest_output;\n";
  out += "  for (int n = 0; n < EXAMPLES; ++n) {\n";
  out += p != nullptr ? "    model_prepare(stored[n], input);\n    model_run(input, output);\n"
                      : "    model_run(stored[n], output);\n";
  out +=
      "    for (int i = 0; i < MODEL_OUTPUT_SIZE; ++i) {\n"
      "      const float d = fabsf(output[i] - expected[n][i]);\n"
      "      if (isnan(d) || d > difference) difference = d; /* no number stays the largest */\n"
      "      if (!(d <= bound)) ++different; /* also where one is no number */\n"
      "    }\n";
  if (parts.runs_stored) {
    out +=
        "    model_run_stored(stored[n], from_stored);\n"
        "    for (int i = 0; i < MODEL_OUTPUT_SIZE; ++i) {\n"
        "      if (!(from_stored[i] >= output[i] && from_stored[i] <= output[i])) ++different;\n"
        "    }\n";
  }
  out +=
      "  }\n"
      "  printf(\"examples %d\\n\", EXAMPLES);\n"
      "  printf(\"largest difference %.9g\\n\", (double)difference);\n"
      "  printf(\"bound %.9g\\n\", (double)bound);\n"
      "  printf(\"different %d\\n\", different);\n";
  if (parts.learning != nullptr) out += "  different += test_learning();\n";
  return out + "  return different == 0 ? 0 : 1;\n}\n";
}

std::string makefile(const CParts& parts) {
  return "# Made by Splot: " + c_comment(parts.description.title) +
         "\n#   make test    builds model_test and runs it\n"
         "CFLAGS ?= -O2\n"
         "C99 = -std=c99 -Wall -Wextra -pedantic -ffp-contract=off\n\n"
         "model_test: model.o model_weights.o model_test.o\n"
         "\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm\n\n"
         "%.o: %.c model.h\n"
         "\t$(CC) $(C99) $(CFLAGS) -c -o $@ $<\n\n"
         "test: model_test\n"
         "\t./model_test\n\n"
         "clean:\n"
         "\trm -f model_test model.o model_weights.o model_test.o\n\n"
         ".PHONY: test clean\n";
}

}  // namespace splot::compiler
