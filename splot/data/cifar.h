// CIFAR-10 in its binary format.
#pragma once

#include <cstdint>
#include <string>

#include "splot/core/export.h"
#include "splot/data/dataset.h"

namespace splot {

/// A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009: inputs [n, 3, 32, 32] uint8,
/// preprocessed by dividing by 255; data_batch_1.bin, data_batch_2.bin, ... are the training part,
/// test_batch.bin the test part, and the validation part is empty. Class names come from batches.meta.txt.
/// `path` is the folder that holds these files, or a .tar or .tar.gz with them in one folder. A record is a
/// byte for the class and 3,072 for the pixels; how many there are, the size of the file says.
///
/// Throws IoError when files are missing or cannot be read, FormatError naming the file for one that is not
/// made of whole records or has a class without a name. A batch may have 1 GiB, the names of classes 64 KiB.
///
///   DataSplits cifar = load_cifar10_binary("cifar-10-binary.tar.gz");   // 50,000 / 0 / 10,000
SPLOT_API DataSplits load_cifar10_binary(const std::string& path);

}  // namespace splot
