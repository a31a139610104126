#include "splot/data/mnist.h"

#include <cstdlib>
#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

#include "splot/data/idx.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

// Sets an environment variable (nullptr: removes it) until the test ends.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Variable() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

void write_set(const std::string& folder, Index train, Index test, std::uint8_t label = 3) {
  std::filesystem::create_directories(folder);
  const auto images = [](Index n) {
    return Tensor::from(std::vector<std::uint8_t>(static_cast<std::size_t>(n * 784), 51), {n, 28, 28});
  };
  const auto labels = [&](Index n) {
    return Tensor::from(std::vector<std::uint8_t>(static_cast<std::size_t>(n), label), {n});
  };
  write_idx(folder + "/train-images-idx3-ubyte", images(train));
  write_idx(folder + "/train-labels-idx1-ubyte", labels(train));
  write_idx(folder + "/t10k-images-idx3-ubyte", images(test));
  write_idx(folder + "/t10k-labels-idx1-ubyte", labels(test));
}

TEST(Mnist, LooksInSplotDataThenInTheCache) {
  const Variable home("HOME", "/home/nobody");
  {
    const Variable data("SPLOT_DATA", "/data");
    const Variable cache("XDG_CACHE_HOME", "/cache");
    EXPECT_EQ(data_folders(), (std::vector<std::string>{"/data", "/cache/splot"}));
  }
  const Variable data("SPLOT_DATA", nullptr);
  const Variable cache("XDG_CACHE_HOME", "relative");
  EXPECT_EQ(data_folders(), (std::vector<std::string>{"/home/nobody/.cache/splot"}));
}

TEST(Mnist, ReadsAndSplits) {
  const test::TempFolder folder;
  const Variable data("SPLOT_DATA", nullptr);
  const Variable cache("XDG_CACHE_HOME", folder.path().c_str());
  write_set(folder.file("splot/mnist"), 5, 2);
  const DataSplits mnist = load_mnist({.validation = 2});
  EXPECT_EQ(mnist.train.size(), 3);
  EXPECT_EQ(mnist.validation.size(), 2);
  EXPECT_EQ(mnist.test.size(), 2);
  EXPECT_EQ(mnist.train.sample_shape(), Shape({1, 28, 28}));
  EXPECT_EQ(mnist.train.inputs().dtype(), kUInt8);
  EXPECT_EQ(mnist.train.batch(0, 1).inputs.to_vector<float>()[0], 51.0f / 255.0f);
  EXPECT_EQ(mnist.train.batch(0, 1).targets.to_vector<int>()[0], 3);
  EXPECT_EQ(mnist.train.classes().size(), 10u);
  EXPECT_ERROR(ValueError, load_mnist({.validation = 6}),
               "[mnist] validation asks for 6 of 5 training examples");
}

TEST(Mnist, SaysWhereItLookedAndWhatToDo) {
  const test::TempFolder folder;
  const Variable data("SPLOT_DATA", folder.path().c_str());
  const Variable cache("XDG_CACHE_HOME", "/no/cache");
  EXPECT_ERROR(
      IoError, load_fashion_mnist(),
      "[fashion-mnist] not found: looked in \"" + folder.path() +
          "/fashion-mnist\" or \"/no/cache/splot/fashion-mnist\"; splot data fetch fashion-mnist downloads "
          "it, or "
          "put train-images-idx3-ubyte.gz, "
          "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz there, or set "
          "SPLOT_DATA to the folder that holds fashion-mnist/");
}

TEST(Mnist, RefusesFilesThatDoNotFitTogether) {
  const test::TempFolder folder;
  const std::string path = folder.path();
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_ERROR(
      IoError, load_mnist_folder(path, "set", names),
      "[set] there is neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte in \"" + path + "\"");
  write_set(path, 5, 2);
  EXPECT_ERROR(FormatError, load_mnist_folder(path, "set", names),
               "[set] \"" + path + "/train-labels-idx1-ubyte\": label 0 is 3, the largest is 2");
  write_idx(path + "/train-labels-idx1-ubyte", tensor<std::uint8_t>({1, 2}));
  EXPECT_ERROR(FormatError, load_mnist_folder(path, "set", names),
               "[set] \"" + path + "/train-images-idx3-ubyte\" has 5 images, \"" + path +
                   "/train-labels-idx1-ubyte\" 2 labels");
  write_idx(path + "/train-labels-idx1-ubyte", tensor({1, 2, 1, 1, 1}));
  EXPECT_ERROR(FormatError, load_mnist_folder(path, "set", names),
               "[set] \"" + path + "/train-labels-idx1-ubyte\" needs uint8 labels [n], got int32 [5]");
  write_idx(path + "/train-images-idx3-ubyte", tensor<std::uint8_t>({{1, 2}}));
  EXPECT_ERROR(
      FormatError, load_mnist_folder(path, "set", names),
      "[set] \"" + path + "/train-images-idx3-ubyte\" needs uint8 images [n, 28, 28], got uint8 [1, 2]");
}

// Facts about the real sets, where they are installed.
void check_real(const char* set, DataSplits (*load)(const MnistOptions&), double mean, Index first_label) {
  const char* root = std::getenv("SPLOT_DATA");
  if (root == nullptr || !std::filesystem::exists(std::string(root) + "/" + set)) {
    GTEST_SKIP() << set << " is not in SPLOT_DATA";
  }
  const DataSplits data = load({});
  EXPECT_EQ(data.train.size(), 50000);
  EXPECT_EQ(data.validation.size(), 10000);
  EXPECT_EQ(data.test.size(), 10000);
  double sum = 0.0;
  for (const Dataset* part : {&data.train, &data.validation}) {
    for (Index i = 0; i < part->inputs().numel(); ++i) sum += part->inputs().data<std::uint8_t>()[i];
  }
  EXPECT_NEAR(sum / (60000.0 * 784.0 * 255.0), mean, 5e-5);
  EXPECT_EQ(data.train.targets().data<std::int64_t>()[0], first_label);
}

TEST(Mnist, TheRealOneHasItsKnownMean) { check_real("mnist", load_mnist, 0.1307, 5); }
TEST(Mnist, TheRealFashionOneHasItsKnownMean) { check_real("fashion-mnist", load_fashion_mnist, 0.2860, 9); }

}  // namespace
}  // namespace splot
