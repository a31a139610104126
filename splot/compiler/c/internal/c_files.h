// The files of a program, each from what is known of it.
#pragma once

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
};

/// All there is to write.
struct CParts {
  const CDescription& description;
  std::vector<CFunction> functions;
  std::vector<CConstant> constants;
  Shape input, output;
  Index buffer = 0;  ///< floats
  CSizes sizes;
  double tolerance = kCTolerance;  ///< of model_test, times the largest output
  bool runs_stored = false;        ///< there is a model_run_stored() to test too
};

/// The function of a step; its arguments lie in `input`, `output` and `buffer`.
CFunction function_of(const CLowered& lowered, const CStep& step, CConstants& constants,
                      std::set<std::string>& names, Index& multiply_adds);
/// "run_conv1" of its layer, or its op; a number behind it where there are several.
std::string unique_name(std::set<std::string>& taken, const std::string& what);
/// Throws ValueError and ShapeError for what does not fit the network.
void check_description(const CDescription& d, const CParts& parts);

/// The first words of every file: a comment, left open.
std::string made_by(const CParts& parts);
/// "unsigned char" or "float".
const char* stored_type(const CParts& parts);
/// model_classes and model_prepare(), where there are such.
std::string class_names(const CParts& parts);
std::string prepare_function(const CParts& parts);
/// What model_prepare() makes of stored inputs, float32 of the same shape: the same floats, for it takes the
/// same steps.
Tensor prepared_in_c(const CPreparation& p, const Tensor& stored);

std::string model_header(const CParts& parts);
std::string model_source(const CParts& parts);
std::string weights_source(const CParts& parts);
std::string test_source(const CParts& parts);
std::string makefile(const CParts& parts);

/// "[1, 28, 28]" of [1, 1, 28, 28]: there is one example.
std::string example_shape(const Shape& shape);

}  // namespace splot::compiler
