// ImageFolder: pictures in folders, one folder for each class.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/data/image.h"
#include "splot/data/split.h"

namespace splot {

/// How a picture of another shape gets the size asked for.
enum class ImageFit {
  crop,     ///< cut to the shape around its middle, then resized: nothing is stretched, edges may be lost
  stretch,  ///< resized as it is
};

/// A picture as an example of a data set of such pictures: [channels, height, width] bytes, with the channels
/// that it has. Throws ValueError for sizes and pictures that resized() does not take.
///
///   Tensor x = picture_tensor(read_image("cat.jpg", {.channels = 3}), 64, 64);
SPLOT_API Tensor picture_tensor(const Image& picture, Index height, Index width,
                                ImageFit fit = ImageFit::crop);

struct ImageFolderOptions {
  Index channels = 3;  ///< 3: red, green, blue; 1: grey
  /// The size all pictures are brought to (resized(), antialiased). 0 and 0: they stay as they are and must
  /// all have the same size.
  Index height = 0;
  Index width = 0;
  ImageFit fit = ImageFit::crop;
  /// When the decoded pictures of a data set take no more bytes than this, it is decoded at once and held in
  /// memory. Otherwise pictures are decoded when a batch asks for them, and so many of them are kept as fit.
  /// Beside that a packed archive, unpacked, takes at most as much (or TarOptions::unpacked_limit when that
  /// is more), and pictures that are being decoded at most 256 MiB.
  std::uint64_t memory_limit = std::uint64_t{1} << 30;
  int threads = 0;  ///< that decode; 0: as many as the machine runs at once. The result is the same for any.
  std::string name = {};  ///< of the data sets; empty: the path
};

/// The pictures (PNG, JPEG) of a folder, or of a .tar or .tar.gz read in place, whose folders are the
/// classes.
///
/// Leading folders that all pictures share are passed over, as long as a folder is left: both "cat/1.jpg" and
/// "animals/cat/1.jpg" are of class "cat". Pictures in deeper folders belong to the class they are under.
/// Classes are in the order of their bytes and so numbered; pictures are in the order of their classes, then
/// in natural order (2.jpg before 10.jpg). Files with other endings and hidden ones are passed over.
/// Transparency is ignored, as in PIL's convert("RGB").
///
///   ImageFolder flowers("flowers", {.height = 64, .width = 64});
///   DataSplits parts = flowers.split({.test = 0.2, .seed = 1});
///
/// Threads: several may read one object.
class SPLOT_API ImageFolder {
 public:
  /// Lists the files; none is decoded. Throws IoError when path cannot be read, FormatError for a hostile
  /// archive (TarArchive), ValueError when there is no picture, a picture is in no folder, or the options are
  /// out of range.
  explicit ImageFolder(std::string path, const ImageFolderOptions& options = {});

  Index size() const;
  const std::vector<std::string>& classes() const;
  /// The class of each picture.
  const std::vector<Index>& labels() const;
  /// The name of each picture below `path`: "animals/cat/1.jpg".
  const std::vector<std::string>& names() const;

  /// One picture as it is in its file, with options.channels but of any size. Throws IndexError when there is
  /// none, IoError and FormatError as decode_image().
  Image picture(Index number) const;

  /// All pictures: inputs [n, channels, height, width] uint8, preprocessed by dividing by 255; targets class
  /// numbers. In memory or on demand as options.memory_limit says; on demand, a picture's errors come when
  /// it is read. Throws FormatError naming the file for one that is no sound picture, ValueError for one of
  /// another size where no size was asked for.
  Dataset dataset() const;
  /// The named pictures, in that order.
  Dataset dataset(std::span<const Index> pictures) const;
  /// Whether the folders above the classes are parts: "train" and beside it "test", "val", "valid" or
  /// "validation", or some of them.
  bool has_parts() const;
  /// Which pictures split() puts where; none is decoded.
  SplitIndices parts(const SplitOptions& options = {}) const;
  /// Training, validation and test part. Where the folders are parts, those; of a test or validation part
  /// that has no folder, the share is taken from the training part. By split_indices(): in random order.
  DataSplits split(const SplitOptions& options = {}) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace splot
