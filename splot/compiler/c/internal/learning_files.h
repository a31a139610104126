// What the files of a program have more where it learns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "splot/compiler/c/c_training.h"
#include "splot/compiler/c/internal/c_files.h"

namespace splot::compiler {

/// All there is to write of learning.
struct CLearning {
  const CLearningDescription& description;
  std::vector<CFunction> functions;      ///< of a step, in order
  std::vector<std::string> invocations;  ///< of these, or of functions that answers share
  std::vector<CHelper> helpers;
  Index batch = 1;
  Index target_size = 1;  ///< numbers for an example
  bool class_numbers = false;
  std::optional<Index> classes = {};
  double learning_rate = 0.0;
  CLearningSizes sizes;
};

/// An array that learning changes and that needs no first values in the program.
bool starts_at_zero(const CConstant& constant);

std::string learning_comment(const CParts& parts);    ///< of model.h: what it takes
std::string learning_sizes(const CParts& parts);      ///< its #defines
std::string learning_functions(const CParts& parts);  ///< its declarations
std::string learning_source(const CParts& parts);     ///< of model.c
std::string learning_test(const CParts& parts);       ///< of model_test.c: test_learning()

}  // namespace splot::compiler
