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
  std::string invocation;       ///< "run_conv1(input, buffer);"
  std::string parameters = {};  ///< "const float* x, float* y"
  std::string arguments = {};   ///< "input, buffer"
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
  double tolerance = kCTolerance;       ///< of model_test, times the largest output
  bool runs_stored = false;             ///< there is a model_run_stored() to test too
  const CLearning* learning = nullptr;  ///< null: the network is used alone
};

inline constexpr Index kFloatBytes = 4;

/// The beginning and the subject as a name in C, "run_conv1"; a number behind it where there are several.
std::string unique_name(std::set<std::string>& taken, const std::string& begin, const std::string& subject);
/// Where a value lies, as an argument: "buffer + 4704"; `outside` names what is not in the buffer.
std::string address(const CLowered& lowered, CConstants& constants, ValueId id,
                    const std::map<ValueId, std::string>& outside);
/// Of an inference: functions are called run_..., what it is given `input` and `output`. All have to outlive
/// it.
CNaming inference_naming(const CLowered& lowered, CConstants& constants, std::set<std::string>& names);
/// The inference: its functions, with what they read in `constants` and what they are called in `names`.
/// Throws ValueError and ShapeError for a description that does not fit.
CParts parts_of(const CLowered& lowered, const CDescription& description, CConstants& constants,
                std::set<std::string>& names);
/// Of weights, buffer, input and output. Throws ValueError when one is more than C counts.
void count_bytes(CParts& parts);
/// Throws ValueError and ShapeError for what does not fit the network.
void check_description(const CDescription& d, const CParts& parts);

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

/// The first words of each file: "/* Made by Splot 0.1.0: lenet5, trained on mnist".
std::string made_by(const CParts& parts);
/// "unsigned char" or "float": inputs as they are stored.
const char* stored_type(const CParts& parts);
/// Values [n, ...] as n rows in braces.
std::string rows(const Tensor& values, Index n, DType dtype);

/// "[1, 28, 28]" of [1, 1, 28, 28]: there is one example.
std::string example_shape(const Shape& shape);

/// Of a header: that an int can number `most` elements, the opening for C++, and the sizes of the network.
std::string size_definitions(const CParts& parts, Index most);

}  // namespace splot::compiler
