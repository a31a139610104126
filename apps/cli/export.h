// What the ways to export a network share.
#pragma once

#include <optional>
#include <string>

#include "splot/train/model_file.h"

#include "apps/cli/test_part.h"

namespace splot::cli {

struct Examples {
  std::optional<TestPart> data;
  std::string from;    ///< "of the test part of mnist"
  std::string reason;  ///< why there are no data; empty: there are
};

/// Of the test part of the data that the model was trained on, or of those asked for by name or folder.
/// Without data that are asked for the network is still worth having: it is tested with other inputs.
Examples examples_for(const std::string& model, const std::string& data, const ModelFile& file);

}  // namespace splot::cli
