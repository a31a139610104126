// The Python that tests of exchange with NumPy and PyTorch run.
#pragma once

#include <cstdlib>
#include <string>

namespace splot::test {

/// A Python that has `module`: $SPLOT_PYTHON, python3, or Debian's own, whose packages a python3 that
/// comes first in PATH may not see. Empty when there is none.
inline std::string python_with(const std::string& module) {
  const char* chosen = std::getenv("SPLOT_PYTHON");
  for (const std::string python : {chosen == nullptr ? "python3" : chosen, "python3", "/usr/bin/python3"}) {
    if (std::system(("'" + python + "' -c 'import " + module + "' >/dev/null 2>&1").c_str()) == 0)
      return python;
  }
  return {};
}

}  // namespace splot::test
