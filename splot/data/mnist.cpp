#include "splot/data/mnist.h"

#include <array>
#include <cstdlib>
#include <utility>

#include <sys/stat.h>

#include "splot/data/idx.h"

namespace splot {
namespace {

constexpr std::array kFiles = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                               "t10k-labels-idx1-ubyte"};

bool exists(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0;
}

// The packed or the unpacked file; empty when there is neither.
std::string find_file(const std::string& folder, const char* name) {
  for (const char* ending : {".gz", ""}) {
    std::string path = join(folder, '/', name, ending);
    if (exists(path)) return path;
  }
  return {};
}

bool complete(const std::string& folder) {
  for (const char* name : kFiles) {
    if (find_file(folder, name).empty()) return false;
  }
  return true;
}

DataSplits load(std::string_view set, std::vector<std::string> classes, const MnistOptions& options) {
  std::string looked;
  for (const std::string& root : data_folders()) {
    const std::string folder = join(root, '/', set);
    if (complete(folder)) return load_mnist_folder(folder, std::string(set), std::move(classes), options);
    looked += join(looked.empty() ? "\"" : " or \"", folder, '"');
  }
  fail<IoError>(set, "not found: ", looked.empty() ? "neither SPLOT_DATA nor HOME is set" : "looked in ",
                looked, "; splot data fetch ", set, " downloads it, or put ", kFiles[0], ".gz, ", kFiles[1],
                ".gz, ", kFiles[2], ".gz and ", kFiles[3],
                ".gz there, or set SPLOT_DATA to the folder that holds ", set, "/");
}

Dataset load_part(const std::string& folder, const char* images_name, const char* labels_name,
                  const std::string& name, const std::vector<std::string>& classes) {
  const auto path_of = [&](const char* file) {
    std::string path = find_file(folder, file);
    require<IoError>(!path.empty(), name, "there is neither ", file, ".gz nor ", file, " in \"", folder, '"');
    return path;
  };
  const std::string images_path = path_of(images_name);
  const std::string labels_path = path_of(labels_name);
  const Tensor images = read_idx(images_path);
  const Tensor labels = read_idx(labels_path);
  require<FormatError>(
      images.dtype() == kUInt8 && images.rank() == 3 && images.shape()[1] == 28 && images.shape()[2] == 28,
      name, '"', images_path, "\" needs uint8 images [n, 28, 28], got ", images.dtype(), ' ', images);
  require<FormatError>(labels.dtype() == kUInt8 && labels.rank() == 1, name, '"', labels_path,
                       "\" needs uint8 labels [n], got ", labels.dtype(), ' ', labels);
  require<FormatError>(images.shape()[0] == labels.shape()[0], name, '"', images_path, "\" has ",
                       images.shape()[0], " images, \"", labels_path, "\" ", labels.shape()[0], " labels");
  for (Index i = 0; i < labels.numel(); ++i) {
    const std::uint8_t label = labels.data<std::uint8_t>()[i];
    require<FormatError>(label < classes.size(), name, '"', labels_path, "\": label ", i, " is ", label,
                         ", the largest is ", classes.size() - 1);
  }
  return Dataset(name, images, labels, classes, {.divisor = 255.0}).with_sample_shape({1, 28, 28});
}

}  // namespace

std::vector<std::string> data_folders() {
  std::vector<std::string> folders;
  const auto value = [](const char* variable) -> std::string {
    const char* text = std::getenv(variable);
    return text == nullptr ? "" : text;
  };
  const std::string data = value("SPLOT_DATA");
  const std::string cache = value("XDG_CACHE_HOME");
  const std::string home = value("HOME");
  if (!data.empty()) folders.push_back(data);
  if (cache.starts_with('/')) {  // the XDG rules say that a relative path is to be ignored
    folders.push_back(cache + "/splot");
  } else if (!home.empty()) {
    folders.push_back(home + "/.cache/splot");
  }
  return folders;
}

DataSplits load_mnist_folder(const std::string& folder, std::string name, std::vector<std::string> classes,
                             const MnistOptions& options) {
  const Dataset train = load_part(folder, kFiles[0], kFiles[1], name, classes);
  const Dataset test = load_part(folder, kFiles[2], kFiles[3], name, classes);
  require<ValueError>(options.validation >= 0 && options.validation <= train.size(), name,
                      "validation asks for ", options.validation, " of ", train.size(), " training examples");
  const Index kept = train.size() - options.validation;
  return {train.slice(0, kept), train.slice(kept, options.validation), test};
}

DataSplits load_mnist(const MnistOptions& options) {
  return load("mnist", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, options);
}

DataSplits load_fashion_mnist(const MnistOptions& options) {
  return load("fashion-mnist",
              {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
               "Ankle boot"},
              options);
}

}  // namespace splot
