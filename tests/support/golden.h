// Golden values: what PyTorch computed, from tests/golden/{ops,nn}/*.json (made by scripts/golden).
#pragma once

#include <string>
#include <vector>

#include "splot/core/tensor.h"

namespace splot::test {

/// One call of an op: inputs, outputs and, where there is a derivative, gradients for given cotangents.
struct GoldenSample {
  TensorList inputs;
  TensorList outputs;
  TensorList cotangents;  // one for each output; empty: no gradients
  TensorList gradients;   // one for each input; undefined where PyTorch has none
  bool smooth = true;     // far enough from kinks and poles for difference quotients
};

/// The samples of a case; empty when no file has it.
const std::vector<GoldenSample>& golden_samples(const std::string& name);
/// The names of all cases in the files of a folder.
std::vector<std::string> golden_names(const std::string& folder = "ops");

}  // namespace splot::test
