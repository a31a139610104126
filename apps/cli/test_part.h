// The pictures or rows that a trained network is judged on.
#pragma once

#include <string>

#include "splot/data/dataset.h"
#include "splot/train/model_file.h"

namespace splot::cli {

struct TestPart {
  std::string data;  ///< its name, or the folder
  Dataset test;      ///< as the network has learned to see it
  Dataset train;     ///< the training part of the same data, likewise
};

/// The test part of the data that the model was trained on, or of those asked for by name or folder unless
/// `asked` is empty. Which pictures of a folder are for testing follows from the names of all of them: if the
/// network has learned from them, they are cut as they were then. Says on stderr what has to be known of the
/// figures. Throws UsageError where there is no such part, or it is not for this network.
TestPart find_test_part(const std::string& model_name, const ModelFile& model, const std::string& asked);

}  // namespace splot::cli
