// A folder of pictures, one folder for each class, becomes a convolutional network: read, split, changed by
// chance while it learns, judged, and asked about one picture from its file.
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <splot/splot.h>

#include "expect.h"

using namespace splot;

namespace {

// Digits as PNG files: FOLDER/0/17.png and so on.
void write_pictures(const std::string& folder, Index count) {
  const Dataset digits = make_digits({.train = count, .validation = 0, .test = 0}).train;
  const std::vector<std::int64_t> labels = digits.targets().to_vector<std::int64_t>();
  for (Index i = 0; i < count; ++i) {
    const std::string of_class = folder + "/" + std::to_string(labels[static_cast<std::size_t>(i)]);
    std::filesystem::create_directories(of_class);
    write_png(of_class + "/" + std::to_string(i) + ".png",
              {.width = 28,
               .height = 28,
               .channels = 1,
               .pixels = digits.slice(i, 1).inputs().to_vector<std::uint8_t>()});
  }
}

Tensor loss(const Tensor& y, const Tensor& t) { return cross_entropy(y, t); }

}  // namespace

int main() {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("splot-folder-" + std::to_string(std::random_device{}()));
  write_pictures(folder.string(), 1500);

  // Pictures of any size and colour are brought to one: here 20 x 20, grey.
  const ImageFolder pictures(folder.string(), {.channels = 1, .height = 20, .width = 20});
  expect(pictures.classes().size() == 10, "ten folders are ten classes");
  const DataSplits data = pictures.split({.validation = 0.1, .test = 0.2, .seed = 1});

  // Mean and deviation come from the training part alone; only what is learned from is moved and turned.
  const Preprocessing preprocessing = standardised_by_channel(data.train);
  const Dataset train =
      data.train.with_preprocessing(preprocessing)
          .with_transforms({{.name = "rotate", .degrees = 8}, {.name = "shift", .x = 1, .y = 1}});
  const Dataset validation = data.validation.with_preprocessing(preprocessing);
  const Dataset test = data.test.with_preprocessing(preprocessing);

  Sequential net(Conv2d(1, 16, {3}, {.padding = {1}}), BatchNorm2d(16), ReLU(), MaxPool2d({2}),
                 Conv2d(16, 32, {3}, {.padding = {1}}), BatchNorm2d(32), ReLU(), MaxPool2d({2}), Flatten(),
                 Dropout({.p = 0.3}), Linear(32 * 5 * 5, 10));
  initialize(net, 1);
  Adam optimizer(named_parameters(net), {.lr = 0.003});
  Trainer trainer(net, loss, optimizer, {.epochs = 6, .batch_size = 32, .metrics = {metrics::accuracy()}});
  trainer.fit(train, &validation);

  const double accuracy = metric(evaluate(net, loss, test, {metrics::accuracy()}), "accuracy");
  std::printf("%.1f %% of %d pictures it has never seen\n", 100.0 * accuracy, static_cast<int>(test.size()));
  expect(accuracy > 0.9, "nine of ten are told");

  // One picture, as a program meets it: from its file to the name of its class.
  const std::string path = (folder / pictures.names().front()).string();
  const Tensor pixels = picture_tensor(read_image(path, {.channels = 1}), 20, 20);
  const Dataset one(path, reshape(pixels, {1, 1, 20, 20}), zeros({1}, kInt64), pictures.classes(),
                    preprocessing);
  const NoGrad off;
  const Tensor scores = net(one.batch(0, 1).inputs);
  const auto answer = static_cast<std::size_t>(argmax(scores, 1).item<std::int64_t>());
  std::printf("%s: %s (%.1f %%)\n", pictures.names().front().c_str(), pictures.classes()[answer].c_str(),
              100.0 * max(softmax(scores, 1)).item<double>());
  std::filesystem::remove_all(folder);
}
