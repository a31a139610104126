// splot predict: what a trained network sees in pictures.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/data/image.h"
#include "splot/data/image_folder.h"
#include "splot/ops/ops.h"
#include "splot/train/outputs.h"

#include "apps/cli/command.h"
#include "apps/cli/model_argument.h"
#include "apps/cli/picture.h"

namespace splot::cli {
namespace {

struct PredictOptions {
  std::string model;
  std::vector<std::string> pictures;
  bool json = false;
};

struct Guess {
  std::string label;
  double confidence = 0.0;
};

// Probabilities from what the loss says the outputs are, highest first.
std::vector<Guess> guesses(const ModelFile& file, const Tensor& output) {
  const std::vector<double> p = confidences(output, file.info.loss).to_vector<double>();
  if (p.size() != file.info.classes.size()) {
    throw FormatError(say(Message::predict_outputs, p.size(), file.info.classes.size()));
  }
  std::vector<Guess> out(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) out[i] = {file.info.classes[i], p[i]};
  std::stable_sort(out.begin(), out.end(),
                   [](const Guess& a, const Guess& b) { return a.confidence > b.confidence; });
  // Losses that compare numbers leave outputs that are no shares.
  for (Guess& guess : out) guess.confidence = std::clamp(guess.confidence, 0.0, 1.0);
  return out;
}

// Of a picture as it is read, before its middle is cut out.
const Shape& read_shape(const ModelInfo& info) { return info.uncut ? *info.uncut : info.sample; }

// Drawn digits come in any place and size, dark on light too; a network that knows digits has seen them in
// the middle, light on dark.
bool knows_digits(const ModelInfo& info) {
  if (!(read_shape(info) == Shape{1, 28, 28}) || info.pictures || info.classes.size() != 10) return false;
  for (std::size_t i = 0; i < info.classes.size(); ++i) {
    if (info.classes[i] != std::to_string(i)) return false;
  }
  return true;
}

// The picture as bytes, as the training data were read.
Tensor pixels_of(const ModelInfo& info, const std::string& path) {
  if (knows_digits(info)) return reshape(prepare_digit(read_image(path)), {1, 28, 28});
  const Shape& shape = read_shape(info);
  const Image picture = read_image(path, {.channels = shape[0], .transparency = Transparency::ignored});
  const bool stretch = info.pictures && info.pictures->fit == "stretch";
  return picture_tensor(picture, shape[1], shape[2], stretch ? ImageFit::stretch : ImageFit::crop);
}

void check_takes_pictures(const std::string& name, const ModelInfo& info) {
  const Shape& sample = info.sample;
  if (sample.rank() != 3 || (sample[0] != 1 && sample[0] != 3)) {
    throw UsageError(say(Message::predict_no_pictures, name, sample.to_string()));
  }
  if (info.classes.empty()) throw UsageError(say(Message::predict_no_classes, name));
}

// Prints what is seen unless the answer is for JSON.
nlohmann::ordered_json look_at(const ModelFile& file, const std::string& path, bool json) {
  const Dataset one = prepared(file.info, unsqueeze(pixels_of(file.info, path), 0));
  const std::vector<Guess> all = guesses(file, (*file.model)(cast(one.batch(0, 1).inputs, file.dtype)));
  nlohmann::ordered_json top = nlohmann::ordered_json::array();
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, all.size()); ++i) {
    top.push_back({{"label", all[i].label}, {"confidence", all[i].confidence}});
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", all[i].label, percent(all[i].confidence));
  }
  if (!json) {
    if (knows_digits(file.info)) print(drawing(select(select(one.stored(0, 1).inputs, 0, 0), 0, 0), true));
    print(say(Message::predict_result, path, all[0].label, percent(all[0].confidence), text) + '\n');
  }
  return {{"picture", path}, {"label", all[0].label}, {"confidence", all[0].confidence}, {"top", top}};
}

// One that cannot be read does not keep the others from being seen.
int run_predict(const PredictOptions& options) {
  const ModelFile file = find_model(options.model);
  check_takes_pictures(options.model, file.info);
  const NoGrad off;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  int status = kOk;
  for (const std::string& path : options.pictures) {
    try {
      all.push_back(look_at(file, path, options.json));
    } catch (const Error& error) {
      print_progress(say(Message::complaint, error.what()) + '\n');
      all.push_back({{"picture", path}, {"error", error.what()}});
      status = kFailed;
    }
  }
  if (options.json) print(all.dump(2) + '\n');
  return status;
}

}  // namespace

void add_predict(Command root) {
  Command command = root.add("predict", Message::predict_help, Message::predict_example);
  const auto options = std::make_shared<PredictOptions>();
  command.option("model", options->model, Message::model_argument, "MODEL").required();
  command.option("pictures", options->pictures, Message::predict_pictures, "PICTURE").required();
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_predict(*options); });
}

}  // namespace splot::cli
