// The C of a network in 8 bits: its functions and constants, and the files they go into.
#pragma once

#include <string>
#include <vector>

#include "splot/compiler/c/internal/c_files.h"
#include "splot/compiler/c/internal/int8_program.h"

namespace splot::compiler {

/// Weights and tables, as an array in flash.
struct Int8Constant {
  std::string name;     ///< "model_conv1_weight"
  std::string comment;  ///< "conv1.weight, [6, 1, 5, 5]"
  std::string type;     ///< "int8_t", "int16_t", "int32_t", "float" or "int"
  Tensor value;         ///< int32 or float32, contiguous

  Index bytes() const { return value.numel() * (type == "int8_t" ? 1 : type == "int16_t" ? 2 : 4); }
};

/// All there is to write beside what every program has (CParts).
struct Int8Parts {
  std::vector<CFunction> functions;
  std::vector<CFunction> tail;  ///< in floats
  std::vector<Int8Constant> constants;
  std::string input;      ///< where the input lies in 8 bits: "bytes"
  Index bytes = 0;        ///< of the static block in 8 bits
  Index made = 0;         ///< floats that the tail takes; 0: there is no tail
  Index tail_buffer = 0;  ///< floats that its functions hand to each other
  Index multiply_adds = 0;
  Index stored_groups = 0;  ///< tables from stored bytes to 8 bits; 0: there are none
  Index stored_shared = 1;  ///< numbers of an example that share one
};

/// The functions of the program, with their constants.
Int8Parts int8_functions(const Int8Program& program);

std::vector<TextFile> int8_files(const CParts& parts, const Int8Parts& own);

}  // namespace splot::compiler
