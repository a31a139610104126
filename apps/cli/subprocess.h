// Other programs, run and waited for.
#pragma once

#include <string>
#include <vector>

namespace splot::cli {

struct ProgramOutcome {
  int status = 0;      ///< as shells report it: 128 and the signal's number for a program that was killed
  std::string output;  ///< what it wrote to stdout and stderr
};

/// Runs the program that the first word names, by its path or as one in PATH, without a shell. Throws IoError
/// when it cannot be started.
ProgramOutcome run_program(const std::vector<std::string>& words);

/// Whether the word names a program: a path of one, or the name of one in PATH.
bool is_program(const std::string& word);

}  // namespace splot::cli
