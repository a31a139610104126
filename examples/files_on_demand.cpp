// Data read on demand: 600 pictures lie in a folder, one file each, and are opened when a batch asks for
// them. They never are in memory all at once, and what is learned is bit for bit the same as if they were.
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

std::string file_of(const std::string& folder, Index number, std::int64_t label) {
  return folder + "/" + std::to_string(number) + "-" + std::to_string(label) + ".png";
}

// Every PNG of a folder; its class stands behind the hyphen in its name.
class Pictures final : public BatchSource {
 public:
  explicit Pictures(const std::string& folder) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().stem().string();
      const auto number = static_cast<std::size_t>(std::stoul(name));
      if (number >= files_.size()) files_.resize(number + 1);  // a folder has no order of its own
      files_[number] = {entry.path().string(), std::stoll(name.substr(name.find('-') + 1))};
    }
  }

  Index size() const override { return static_cast<Index>(files_.size()); }

  Batch read(std::span<const Index> indices) override {
    std::vector<std::uint8_t> pixels;
    std::vector<std::int64_t> labels;
    for (const Index i : indices) {
      const File& file = files_.at(static_cast<std::size_t>(i));
      const Image picture = read_image(file.path);
      pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
      labels.push_back(file.label);
      ++opened;
    }
    const auto n = static_cast<Index>(indices.size());
    return {Tensor::from(pixels, {n, 1, 28, 28}), Tensor::from(labels, {n})};
  }

  std::atomic<int> opened = 0;

 private:
  struct File {
    std::string path;
    std::int64_t label = 0;
  };
  std::vector<File> files_;
};

Tensor loss(const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }

// The hash of the weights after three epochs.
std::string learn(const Dataset& train, const Dataset& validation) {
  Sequential net(Flatten(), Linear(784, 32), ReLU(), Linear(32, 10));
  initialize(net, 1);
  Adam optimizer(named_parameters(net), {.lr = 0.005});
  Trainer trainer(net, loss, optimizer, {.epochs = 3, .batch_size = 20, .metrics = {metrics::accuracy()}});
  const TrainingResult result = trainer.fit(train, &validation);
  std::printf("%s: %.1f %% of %d\n", train.name().c_str(),
              100.0 * metric(result.history.back().metrics, "val_accuracy"),
              static_cast<int>(validation.size()));
  return weights_sha256(net);
}

}  // namespace

int main() {
  const Dataset digits = make_digits({.train = 600, .validation = 0, .test = 10}).train;
  const std::vector<std::int64_t> labels = digits.targets().to_vector<std::int64_t>();
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("splot-pictures-" + std::to_string(std::random_device{}()));
  std::filesystem::create_directories(folder);
  for (Index i = 0; i < digits.size(); ++i) {
    const std::vector<std::uint8_t> pixels = digits.slice(i, 1).inputs().to_vector<std::uint8_t>();
    write_png(file_of(folder.string(), i, labels[static_cast<std::size_t>(i)]),
              {.width = 28, .height = 28, .channels = 1, .pixels = pixels});
  }

  const auto source = std::make_shared<Pictures>(folder.string());
  const Dataset pictures("files", source, digits.classes(), {.divisor = 255.0});
  expect(source->opened == 1, "the first file alone is opened, to see what they are like");
  const std::vector<Dataset> parts = pictures.split({500, 100});
  const std::string from_files = learn(parts[0], parts[1]);
  // 500 + 100 in each of three epochs; the files of batches that are prepared ahead count once.
  expect(source->opened == 1 + 3 * 600, "every file is opened once for each time it is looked at");

  const std::vector<Dataset> in_memory = digits.split({500, 100});
  expect(learn(in_memory[0], in_memory[1]) == from_files, "where the pictures come from changes no bit");
  std::filesystem::remove_all(folder);
}
