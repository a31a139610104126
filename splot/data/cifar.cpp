#include "splot/data/cifar.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/data/tar.h"

namespace splot {
namespace {

constexpr std::uint64_t kPixels = 3 * 32 * 32;
constexpr std::uint64_t kRecord = 1 + kPixels;
constexpr std::uint64_t kLargestBatch = std::uint64_t{1} << 30;
constexpr std::uint64_t kLargestNames = std::uint64_t{1} << 16;

// The files of a folder, or of the one folder in an archive.
class CifarFiles {
 public:
  explicit CifarFiles(const std::string& path) : path_(path) {
    std::error_code unknown;  // whatever the reason is, opening it says so
    if (std::filesystem::is_directory(path, unknown)) return;
    archive_ = std::make_unique<TarArchive>(path, TarOptions{.file_limit = kLargestBatch});
    for (const TarEntry& entry : archive_->entries()) {
      if (entry.name.ends_with(kNames)) prefix_ = entry.name.substr(0, entry.name.size() - kNames.size());
    }
  }

  static constexpr std::string_view kNames = "batches.meta.txt";

  std::string title(const std::string& name) const { return path_ + '/' + prefix_ + name; }
  bool has(const std::string& name) const {
    std::error_code unknown;
    return archive_ ? archive_->find(prefix_ + name) != nullptr
                    : std::filesystem::exists(title(name), unknown);
  }
  std::vector<std::uint8_t> read(const std::string& name, std::uint64_t limit) const {
    require<IoError>(has(name), "cifar-10", "there is no ", name, " in \"", path_, '"');
    if (!archive_) return read_file(title(name), limit);
    const TarEntry& entry = *archive_->find(prefix_ + name);
    require<FormatError>(entry.size <= limit, "cifar-10", '"', title(name), "\" has ", entry.size,
                         " bytes; the limit is ", limit);
    return archive_->read(entry);
  }

 private:
  std::string path_;
  std::string prefix_;
  std::unique_ptr<TarArchive> archive_;
};

// One name in a line; the file ends with an empty one.
std::vector<std::string> class_names(const CifarFiles& files) {
  const std::string name(CifarFiles::kNames);
  const std::vector<std::uint8_t> bytes = files.read(name, kLargestNames);
  std::vector<std::string> out(1);
  for (const std::uint8_t byte : bytes) {
    if (byte == '\n') {
      out.emplace_back();
    } else if (byte != '\r') {
      out.back() += static_cast<char>(byte);
    }
  }
  out.erase(std::remove(out.begin(), out.end(), ""), out.end());
  require<FormatError>(!out.empty() && out.size() <= 256, "cifar-10", '"', files.title(name), "\" has ",
                       out.size(), " names of classes");
  return out;
}

Dataset read_batches(const CifarFiles& files, const std::vector<std::string>& names,
                     const std::vector<std::string>& classes) {
  std::vector<std::vector<std::uint8_t>> batches;
  std::uint64_t records = 0;
  for (const std::string& name : names) {
    batches.push_back(files.read(name, kLargestBatch));
    const std::uint64_t size = batches.back().size();
    require<FormatError>(size % kRecord == 0, "cifar-10", '"', files.title(name), "\" has ", size,
                         " bytes, which is no multiple of ", kRecord, ", the size of a record");
    records += size / kRecord;
  }
  const auto n = static_cast<Index>(records);
  const Tensor inputs = Tensor::empty({n, 3, 32, 32}, kUInt8);
  auto* pixels = static_cast<std::uint8_t*>(inputs.impl()->storage->data());
  std::vector<std::int64_t> labels;
  for (std::size_t b = 0; b < batches.size(); ++b) {
    for (std::uint64_t at = 0; at < batches[b].size(); at += kRecord) {
      const std::uint8_t* record = batches[b].data() + at;
      require<FormatError>(*record < classes.size(), "cifar-10", '"', files.title(names[b]), "\" at byte ",
                           at, ": class ", *record, ", the largest is ", classes.size() - 1);
      labels.push_back(*record);
      pixels = std::copy_n(record + 1, kPixels, pixels);
    }
  }
  return Dataset("cifar-10", inputs, Tensor::from(labels, {n}), classes, {.divisor = 255.0});
}

}  // namespace

DataSplits load_cifar10_binary(const std::string& path) {
  const CifarFiles files(path);
  const std::vector<std::string> classes = class_names(files);
  std::vector<std::string> training;
  for (int i = 1; training.empty() || files.has(join("data_batch_", i, ".bin")); ++i) {
    training.push_back(join("data_batch_", i, ".bin"));
  }
  const Dataset train = read_batches(files, training, classes);
  return {train, train.slice(0, 0), read_batches(files, {"test_batch.bin"}, classes)};
}

}  // namespace splot
