// Published sets of colour pictures, found on the user's disk.
#pragma once

#include <string>
#include <string_view>

#include "splot/core/export.h"
#include "splot/data/image_folder.h"

namespace splot {

/// Where load_eurosat() and load_cifar10() would read from: the first of the files or folders they know in
/// `eurosat/` or `cifar-10/` of the data_folders(). Empty when there is none, or for any other name.
SPLOT_API std::string find_image_set(std::string_view name);

/// EuroSAT (P. Helber and others, 2019): satellite pictures of 64 x 64, ten classes. In `eurosat/` of one of
/// the data_folders() lies the folder EuroSAT_RGB with a folder for each class, or a .tar, .tar.gz or .tgz of
/// it. There is no official split: a fifth of each class, chosen by `split`, is for testing.
///
/// Throws IoError naming the folders looked at, and what ImageFolder throws.
///
///   DataSplits eurosat = load_eurosat({.height = 32, .width = 32});   // train [2400, 3, 32, 32]
SPLOT_API DataSplits load_eurosat(const ImageFolderOptions& pictures = {}, const SplitOptions& split = {});

/// CIFAR-10: 32 x 32, ten classes. In `cifar-10/` of one of the data_folders() lies, in order of preference,
/// the original cifar-10-batches-bin (the folder), cifar-10-binary.tar.gz, cifar-10-jpeg.tar.gz (all pictures
/// as JPEG, train/CLASS and test/CLASS; some detail is lost), or cifar-10-binary-subset.tar.gz. Pictures that
/// come as JPEG files are put into random order, always the same, and decoded by `threads` (0: as many as the
/// machine runs at once). The validation part is empty.
SPLOT_API DataSplits load_cifar10(int threads = 0);

}  // namespace splot
