// The files of a program, each from what is known of it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "splot/compiler/c/c_program.h"
#include "splot/compiler/c/internal/step_writer.h"

namespace splot::compiler {

/// A function of model.c.
struct CFunction {
  std::string name;     ///< "run_conv1"
  std::string comment;  ///< what it computes, of which shapes, in lines
  std::string head;     ///< "static void run_conv1(const float* x, float* y)"
  std::string body;
  std::string invocation;  ///< "run_conv1(input, buffer);"
  std::string parameters;  ///< "const float* x, float* y"
  std::string arguments;   ///< "input, buffer"
};

/// How functions and what they are given are called.
struct CNaming {
  std::set<std::string>& taken;  ///< by other functions
  std::string begin;             ///< of each name: "run_"
  std::function<std::string(ValueId)> address;
};
/// The function of a step. Adds its multiply-adds.
CFunction function_of(const CLowered& lowered, const CStep& step, CConstants& constants,
                      const CNaming& naming, Index& multiply_adds);

struct CLearning;  // learning_files.h

/// All there is to write.
struct CParts {
  const CDescription& description;
  std::vector<CFunction> functions;
  std::vector<CConstant> constants;
  Shape input, output;
  Index buffer = 0;  ///< floats
  CSizes sizes;
  const CLearning* learning = nullptr;  ///< null: the network is used alone
};

inline constexpr Index kFloatBytes = 4;

/// Where a value lies, as an argument: "buffer + 4704"; `outside` names what is not in the buffer.
std::string address(const CLowered& lowered, CConstants& constants, ValueId id,
                    const std::map<ValueId, std::string>& outside);
/// The inference: its functions, with what they read in `constants` and what they are called in `names`.
/// Throws ValueError and ShapeError for a description that does not fit.
CParts parts_of(const CLowered& lowered, const CDescription& description, CConstants& constants,
                std::set<std::string>& names);
/// Of weights, buffer, input and output. Throws ValueError when one is more than C counts.
void count_bytes(CParts& parts);

std::string model_header(const CParts& parts);
std::string model_source(const CParts& parts);
std::string weights_source(const CParts& parts);
std::string test_source(const CParts& parts);
std::string makefile(const CParts& parts);

/// The first words of each file: "/* Made by Splot 0.1.0: lenet5, trained on mnist".
std::string made_by(const CParts& parts);
/// "unsigned char" or "float": inputs as they are stored.
const char* stored_type(const CParts& parts);
/// Values [n, ...] as n rows in braces.
std::string rows(const Tensor& values, Index n, DType dtype);

/// "[1, 28, 28]" of [1, 1, 28, 28]: there is one example.
std::string example_shape(const Shape& shape);

}  // namespace splot::compiler
