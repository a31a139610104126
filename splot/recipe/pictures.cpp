#include "splot/recipe/pictures.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "splot/core/sha256.h"
#include "splot/data/image_folder.h"
#include "splot/data/image_sets.h"

namespace splot {
namespace {

// How many letters of all names are the folders they share: a matter of where the pictures were packed.
std::size_t shared_folders(const std::vector<std::string>& names) {
  std::string_view shared = names.front();
  for (const std::string& name : names) {
    const auto end = std::mismatch(shared.begin(), shared.end(), name.begin(), name.end()).first;
    shared = shared.substr(0, static_cast<std::size_t>(end - shared.begin()));
  }
  return shared.rfind('/') + 1;  // npos + 1 is 0
}

}  // namespace

bool has_picture_files(const DataRecipe& data) { return data.name == "images" || data.name == "eurosat"; }

std::string picture_listing(const DataRecipe& data) {
  if (!has_picture_files(data)) return {};
  const std::string path = data.name == "images" ? data.folder : find_image_set(data.name);
  if (path.empty()) return {};
  const ImageFolder pictures(path);
  const std::size_t skip = shared_folders(pictures.names());
  Sha256 hash;
  for (const std::string& name : pictures.names()) {
    hash.add(std::string_view(name).substr(skip));
    hash.add(std::string_view("\0", 1));
  }
  return hash.hex();
}

std::optional<PictureOrigin> picture_origin(const DataRecipe& data) {
  if (!has_picture_files(data)) return std::nullopt;
  return PictureOrigin{.folder = data.folder,
                       .fit = data.fit,
                       .test = data.test,
                       .split_seed = data.split_seed,
                       .listing = picture_listing(data)};
}

DataRecipe data_of_model(const ModelInfo& info) {
  DataRecipe out;
  out.name = info.data;
  const Shape& read = info.uncut ? *info.uncut : info.sample;
  if (read.rank() == 3 && read[1] == read[2] && (read[0] == 1 || read[0] == 3)) {
    out.channels = read[0];
    out.size = read[1];
    if (info.uncut && info.sample[1] == info.sample[2]) out.crop = info.sample[1];
  }
  if (!info.pictures) return out;
  out.folder = info.pictures->folder;
  out.fit = info.pictures->fit;
  out.test = info.pictures->test;
  out.split_seed = info.pictures->split_seed;
  return out;
}

}  // namespace splot
