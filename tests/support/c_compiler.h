// The C compilers of this machine, to build what the library writes as C.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/wait.h>

#include "splot/core/folder.h"

namespace splot::test {

/// More than exported C has to pass.
inline const std::string kStrictC99 =
    "-std=c99 -Wall -Wextra -pedantic -Werror -Wconversion -Wshadow -Wdouble-promotion -ffp-contract=off";
inline const std::string kSanitizersC = " -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all";

inline bool has_compiler(const std::string& cc) {
  return std::system((cc + " --version > /dev/null 2>&1").c_str()) == 0;
}

struct BuiltProgram {
  int build_status = -1;
  int status = -1;
  std::string output;  ///< of the compiler, or of the program
};

/// Builds the .c files in the folder and runs the program.
inline BuiltProgram build_and_run(const std::string& cc, const std::string& flags,
                                  const std::string& folder) {
  const auto run = [&](const std::string& command) {
    const int status = std::system(("cd '" + folder + "' && { " + command + "; } > out.txt 2>&1").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  };
  const auto output = [&] {
    std::ifstream file(folder + "/out.txt");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  BuiltProgram out;
  out.build_status = run(cc + ' ' + flags + " -o program model.c model_weights.c model_test.c -lm");
  if (out.build_status == 0) out.status = run("./program");
  out.output = output();
  return out;
}

}  // namespace splot::test
