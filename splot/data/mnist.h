// MNIST and Fashion-MNIST from the user's disk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"

namespace splot {

/// Where data sets are looked for, in this order: $SPLOT_DATA; $XDG_CACHE_HOME/splot or, without it,
/// ~/.cache/splot. Each holds one folder for each data set.
SPLOT_API std::vector<std::string> data_folders();

struct MnistOptions {
  /// So many of the last training examples become the validation set. 10,000 of 60,000 is M. Nielsen's split
  /// ("Neural Networks and Deep Learning", 2015).
  Index validation = 10000;
};

/// 28 x 28 grey images [n, 1, 28, 28] uint8 (0 background, 255 ink), preprocessed by dividing by 255; classes
/// "0" to "9". Four files are needed in `mnist/` of one of the data_folders(), packed (.gz) or not:
/// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.
///
/// Throws IoError naming the folders looked at when they are not there, FormatError when they are damaged and
/// ValueError when `validation` exceeds the training set.
///
///   DataSplits mnist = load_mnist();            // 50,000 / 10,000 / 10,000
///   Dataset flat = mnist.train.with_sample_shape({784});
SPLOT_API DataSplits load_mnist(const MnistOptions& options = {});
/// The same in `fashion-mnist/`; classes "T-shirt/top" to "Ankle boot".
SPLOT_API DataSplits load_fashion_mnist(const MnistOptions& options = {});
/// The same in a folder of the caller's.
SPLOT_API DataSplits load_mnist_folder(const std::string& folder, std::string name,
                                       std::vector<std::string> classes, const MnistOptions& options = {});

}  // namespace splot
