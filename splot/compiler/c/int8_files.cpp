// model.h, model.c and model_weights.c of a network in 8 bits.
#include "splot/compiler/c/internal/int8_files.h"

#include <algorithm>

#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/ops/ops.h"

namespace splot::compiler {
namespace {

constexpr const char* kRescaled =
    "/* value * factor / 2^shift, rounded to the nearest integer, halves away from zero. The same on every\n"
    " * machine: no number below 0 is shifted, and the product of 32 bits by 31 holds in 64. */\n"
    "static int32_t rescaled(int32_t value, int32_t factor, int shift) {\n"
    "  const int64_t product = (int64_t)value * factor;\n"
    "  const int64_t size = ((product < 0 ? -product : product) + ((int64_t)1 << (shift - 1))) >> shift;\n"
    "  const int32_t kept = size < 1073741823 ? (int32_t)size : 1073741823;\n"
    "  return product < 0 ? -kept : kept;\n"
    "}\n\n";
static_assert(kMostRescaled == 1073741823, "as rescaled() of C has it");

constexpr const char* kSaturated =
    "/* The nearest number of low .. 127. */\n"
    "static int8_t saturated(int32_t value, int32_t low) {\n"
    "  return (int8_t)(value < low ? low : value > 127 ? 127 : value);\n"
    "}\n\n";

std::string header_text(const CParts& parts, const Int8Parts& own) {
  const CSizes& s = parts.sizes;
  const bool prepares = parts.description.preparation.has_value();
  std::string out = made_by(parts) + "\n *\n";
  if (prepares) out += join(" *   ", stored_type(parts), " stored[MODEL_INPUT_SIZE];\n");
  out += " *   float input[MODEL_INPUT_SIZE], output[MODEL_OUTPUT_SIZE];\n";
  if (prepares) out += " *   model_prepare(stored, input);\n";
  out += " *   model_run(input, output);\n";
  if (parts.runs_stored) {
    out +=
        " *\n * or, with the same outputs and without the input as floats,\n *\n"
        " *   model_run_stored(stored, output);\n";
  }
  out += join(
      " *\n * Weights and what the layers hand to each other have 8 bits, sums 32: a number q stands for\n"
      " * scale (q - zero). All of it is integer arithmetic, the same on every machine. It allocates "
      "nothing\n"
      " * and needs libm alone. Weights and tables: ",
      grouped(s.weight_bytes), " bytes of constants.\n * Static memory: ", grouped(s.buffer_bytes),
      " bytes; a run is for one thread at a time. One run: ", grouped(s.multiply_adds),
      "\n * multiply-adds of 8 bits. */\n");
  out += "#ifndef MODEL_H\n#define MODEL_H\n\n#include <limits.h>\n#include <stdint.h>\n\n";
  const Index most = std::max({s.weight_bytes, s.buffer_bytes, s.input_bytes / 4, s.output_bytes / 4});
  out += size_definitions(parts, most);
  if (prepares) {
    out += join("/* From inputs as they are stored to those the network sees. */\nvoid model_prepare(const ",
                stored_type(parts), "* stored, float* input);\n");
  }
  out +=
      "/* What the network answers; input and output must not overlap. */\n"
      "void model_run(const float* input, float* output);\n";
  if (parts.runs_stored) {
    out +=
        "/* The same, from inputs as they are stored. */\n"
        "void model_run_stored(const unsigned char* stored, float* output);\n";
  }
  if (!parts.description.classes.empty()) {
    out +=
        "\n/* What each output stands for. */\nextern const char* const model_classes[MODEL_OUTPUT_SIZE];\n";
  }
  if (!own.constants.empty()) out += "\n/* The weights, in model_weights.c. */\n";
  for (const Int8Constant& c : own.constants)
    out += join("extern const ", c.type, ' ', c.name, '[', c.value.numel(), "];\n");
  return out + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

std::string weights_text(const CParts& parts, const Int8Parts& own) {
  std::string out = made_by(parts) + " */\n#include \"model.h\"\n";
  for (const Int8Constant& c : own.constants) {
    out += join("\n/* ", c.comment, " */\nconst ", c.type, ' ', c.name, '[', c.value.numel(), "] = {\n",
                c_elements(c.value, "  "), "};\n");
  }
  return out;
}

std::string definition(const CFunction& f) {
  return "/* " + f.comment + " */\n" + f.head + " {\n" + f.body + "}\n\n";
}

std::string run_functions(const CParts& parts, const Int8Parts& own) {
  std::string layers;
  for (std::size_t i = 1; i < own.functions.size(); ++i) layers += "  " + own.functions[i].invocation + '\n';
  if (own.made > 0) layers += "  run_in_floats(made, output);\n";
  const std::string begin =
      "void model_run(const float* input, float* output) {\n  " + own.functions[0].invocation + '\n';
  if (!parts.runs_stored) return begin + layers + "}\n";
  const std::string group = own.stored_groups == 1   ? ""
                            : own.stored_shared == 1 ? "i * 256 + "
                                                     : join("i / ", own.stored_shared, " * 256 + ");
  return "/* From the input in 8 bits to the output. */\nstatic void run_layers(float* output) {\n" + layers +
         "}\n\n" + begin + "  run_layers(output);\n}\n\n" +
         "void model_run_stored(const unsigned char* stored, float* output) {\n"
         "  int8_t* const input = " +
         own.input +
         ";\n"
         "  for (int i = 0; i < MODEL_INPUT_SIZE; ++i) input[i] = model_stored_table[" +
         group + "stored[i]];\n  run_layers(output);\n}\n";
}

std::string source_text(const CParts& parts, const Int8Parts& own) {
  std::string functions;
  for (const CFunction& f : own.functions) functions += definition(f);
  for (const CFunction& f : own.tail) functions += definition(f);
  std::string out = made_by(parts) + " */\n#include \"model.h\"\n\n#include <math.h>\n\n" +
                    class_names(parts) + prepare_function(parts);
  if (functions.find("rescaled(") != std::string::npos) out += kRescaled;
  if (functions.find("saturated(") != std::string::npos) out += kSaturated;
  out += functions;
  out += join("/* What the layers hand to each other. */\nstatic int8_t bytes[", own.bytes, "];\n\n");
  if (own.made > 0) {
    out += join("/* What comes after the layers is computed in floats, of these. */\nstatic float made[",
                own.made, "];\n");
    if (own.tail_buffer > 0) out += join("static float buffer[", own.tail_buffer, "];\n");
    out += "\nstatic void run_in_floats(const float* input, float* output) {\n";
    for (const CFunction& f : own.tail) out += "  " + f.invocation + '\n';
    out += "}\n\n";
  }
  return out + run_functions(parts, own);
}

}  // namespace

std::vector<TextFile> int8_files(const CParts& parts, const Int8Parts& own) {
  return {{"model.h", header_text(parts, own)},
          {"model.c", source_text(parts, own)},
          {"model_weights.c", weights_text(parts, own)},
          {"model_test.c", test_source(parts)},
          {"Makefile", makefile(parts)}};
}

}  // namespace splot::compiler
