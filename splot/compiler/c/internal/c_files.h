// The files of a program, each from what is known of it.
#pragma once

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
};

/// All there is to write.
struct CParts {
  const CDescription& description;
  std::vector<CFunction> functions;
  std::vector<CConstant> constants;
  Shape input, output;
  Index buffer = 0;  ///< floats
  CSizes sizes;
};

std::string model_header(const CParts& parts);
std::string model_source(const CParts& parts);
std::string weights_source(const CParts& parts);
std::string test_source(const CParts& parts);
std::string makefile(const CParts& parts);

/// "[1, 28, 28]" of [1, 1, 28, 28]: there is one example.
std::string example_shape(const Shape& shape);

}  // namespace splot::compiler
