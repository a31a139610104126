// splot predict: what a trained network sees in pictures.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/data/image.h"
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

int run_predict(const PredictOptions& options) {
  const ModelFile file = find_model(options.model);
  if (!(file.info.sample == Shape{1, 28, 28}) || file.info.classes.empty()) {
    throw UsageError(say(Message::predict_not_digits, options.model, file.info.sample.to_string()));
  }
  const NoGrad off;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const std::string& picture : options.pictures) {
    const Tensor digit = prepare_digit(read_image(picture));
    const Dataset one("picture", reshape(digit, {1, 1, 28, 28}),
                      Tensor::from(std::vector<std::int64_t>{0}, {1}), {}, file.info.preprocessing);
    const std::vector<Guess> all_guesses =
        guesses(file, (*file.model)(cast(one.batch(0, 1).inputs, file.dtype)));
    const auto top = std::min<std::size_t>(3, all_guesses.size());
    nlohmann::ordered_json top_json = nlohmann::ordered_json::array();
    std::string top_text;
    for (std::size_t i = 0; i < top; ++i) {
      top_json.push_back({{"label", all_guesses[i].label}, {"confidence", all_guesses[i].confidence}});
      top_text += fmt::format("{}{} {}", i == 0 ? "" : ", ", all_guesses[i].label,
                              percent(all_guesses[i].confidence));
    }
    all.push_back({{"picture", picture},
                   {"label", all_guesses[0].label},
                   {"confidence", all_guesses[0].confidence},
                   {"top", top_json}});
    if (options.json) continue;
    print(drawing(digit, true));
    print(say(Message::predict_result, picture, all_guesses[0].label, percent(all_guesses[0].confidence),
              top_text) +
          '\n');
  }
  if (options.json) print(all.dump(2) + '\n');
  return kOk;
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
