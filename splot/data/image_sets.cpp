#include "splot/data/image_sets.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "splot/core/error.h"
#include "splot/data/cifar.h"
#include "splot/data/mnist.h"

namespace splot {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCifarBinary[] = {"cifar-10-batches-bin", "cifar-10-binary.tar.gz"};
constexpr std::string_view kCifarJpeg = "cifar-10-jpeg.tar.gz";
constexpr std::string_view kCifarSubset = "cifar-10-binary-subset.tar.gz";

// The first that is there; empty: none.
std::string first_there(const fs::path& folder, const std::vector<std::string>& names) {
  std::error_code ignored;
  for (const std::string& name : names) {
    if (fs::exists(folder / name, ignored)) return (folder / name).string();
  }
  return {};
}

// Archives have many names; the first by its bytes is taken.
std::vector<std::string> archives_in(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz")) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string find_in(const fs::path& folder, std::string_view name) {
  if (name == "eurosat") {
    std::vector<std::string> names = archives_in(folder);
    names.insert(names.begin(), "EuroSAT_RGB");
    return first_there(folder, names);
  }
  if (name != "cifar-10") return {};
  std::vector<std::string> names(std::begin(kCifarBinary), std::end(kCifarBinary));
  names.emplace_back(kCifarJpeg);
  names.emplace_back(kCifarSubset);
  return first_there(folder, names);
}

std::string found_or_fail(std::string_view name, std::string_view wanted) {
  std::string path = find_image_set(name);
  if (!path.empty()) return path;
  std::string looked;
  for (const std::string& root : data_folders())
    looked += join(looked.empty() ? "" : " or ", '"', root, '/', name, '"');
  fail<IoError>(name, "not found: ", looked.empty() ? "neither SPLOT_DATA nor HOME is set" : "looked in ",
                looked, "; put ", wanted, " there, or set SPLOT_DATA to the folder that holds ", name, '/');
}

}  // namespace

std::string find_image_set(std::string_view name) {
  for (const std::string& root : data_folders()) {
    std::string found = find_in(fs::path(root) / name, name);
    if (!found.empty()) return found;
  }
  return {};
}

DataSplits load_eurosat(const ImageFolderOptions& pictures, const SplitOptions& split) {
  const std::string path = found_or_fail("eurosat", "the folder EuroSAT_RGB, or a .tar or .tar.gz of it,");
  ImageFolderOptions named = pictures;
  named.name = "eurosat";
  return ImageFolder(path, named).split(split);
}

DataSplits load_cifar10(int threads) {
  const std::string path = found_or_fail("cifar-10", "cifar-10-binary.tar.gz, or the folder in it,");
  if (!path.ends_with(kCifarJpeg)) return load_cifar10_binary(path);
  // Its folders are the parts.
  return ImageFolder(path, {.height = 32, .width = 32, .threads = threads, .name = "cifar-10"}).split();
}

}  // namespace splot
