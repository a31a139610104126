#include "apps/cli/learning.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/core/grouped.h"
#include "splot/recipe/build.h"

#include "apps/cli/export.h"
#include "apps/cli/model_argument.h"
#include "apps/cli/recipes.h"
#include "apps/cli/subprocess.h"

namespace splot::cli {

void LearningOptions::add_to(Command& command) {
  command.flag("--train", train, Message::export_train);
  command.option("--batch", batch, Message::export_batch, "N").between(1, 65536);
  command.option("--recipe", recipe, Message::export_recipe, "RECIPE");
}

void LearningOptions::check() const {
  if (train) return;
  if (batch != 0) throw UsageError(say(Message::export_needs_train, "--batch"));
  if (!recipe.empty()) throw UsageError(say(Message::export_needs_train, "--recipe"));
}

namespace {

Recipe recipe_of_run(const std::string& model) {
  const std::filesystem::path path = std::filesystem::path(model) / "recipe.toml";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw UsageError(say(Message::export_no_recipe, model));
  return load_recipe(path.string());
}

}  // namespace

Learning find_learning(const std::string& model, const std::string& recipe) {
  Learning out;
  const bool trained = is_model_file(model);
  if (trained) {
    out.recipe = recipe.empty() ? recipe_of_run(model) : find_recipe(recipe, {});
    out.file = find_model(model);
  } else {
    out.file = find_subject(model, {}).file;  // says what a folder lacks
    out.recipe = find_recipe(model, {});
  }
  try {
    const Dataset train = load_data(out.recipe.data).train;
    if (!trained) {
      out.file.info.preprocessing = train.preprocessing();
      out.file.info.classes = train.classes();
    }
    out.data = train.with_preprocessing(out.file.info.preprocessing);
  } catch (const Error& error) {
    if (!trained) throw;
    out.reason = error.what();
  }
  return out;
}

namespace {

nlohmann::ordered_json learning_json(const LearningExport& asked, const CTrainingProgram& made,
                                     const Examples& examples, const Learning& learning, Index steps) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const TextFile& file : made.program.files) files.push_back(file.name);
  const CSizes& s = made.program.sizes;
  const CLearningSizes& l = made.learning;
  return {{"folder", asked.folder},
          {"files", files},
          {"flash_bytes", l.flash_bytes},
          {"weight_bytes", l.weight_bytes},
          {"state_bytes", l.state_bytes},
          {"buffer_bytes", s.buffer_bytes},
          {"static_bytes", l.weight_bytes + l.state_bytes + s.buffer_bytes},
          {"input_bytes", s.input_bytes},
          {"output_bytes", s.output_bytes},
          {"batch", made.batch},
          {"batch_bytes", l.batch_bytes},
          {"multiply_adds", s.multiply_adds},
          {"step_multiply_adds", l.multiply_adds},
          {"examples", asked.examples},
          {"examples_drawn", !examples.data},
          {"steps", steps},
          {"learning_drawn", !learning.data}};
}

std::string learning_text(const LearningExport& asked, const CTrainingProgram& made, const Examples& examples,
                          const Learning& learning, Index steps) {
  std::vector<std::string> files;
  for (const TextFile& file : made.program.files) files.push_back(file.name);
  const CSizes& s = made.program.sizes;
  const CLearningSizes& l = made.learning;
  return say(Message::export_learning, asked.folder, list_of(files), grouped(l.flash_bytes),
             grouped(l.weight_bytes + l.state_bytes + s.buffer_bytes), grouped(l.weight_bytes),
             grouped(l.state_bytes), learning.recipe.optimizer.name, grouped(s.buffer_bytes),
             grouped(l.batch_bytes), grouped(s.input_bytes + s.output_bytes), grouped(s.multiply_adds),
             grouped(l.multiply_adds), made.batch, asked.examples, examples.from, steps);
}

}  // namespace

int export_learning(const LearningOptions& options, const LearningExport& asked) {
  const Learning learning = find_learning(asked.model, options.recipe);
  const Examples examples = examples_for(asked.model, asked.data, learning.file);
  TrainingExportOptions what;
  what.answers.examples = asked.examples;
  if (examples.data) what.answers.data = examples.data->test;
  if (options.batch != 0) what.batch = options.batch;
  what.learned = learning.data;
  const CTrainingProgram made = export_training(learning.file, learning.recipe, what);
  write_c_folder(asked.folder, made.program);
  if (!examples.reason.empty())
    print_progress(say(Message::note, say(Message::export_no_data, examples.reason)) + '\n');
  if (!learning.reason.empty())
    print_progress(say(Message::note, say(Message::export_no_learning_data, learning.reason)) + '\n');
  print(asked.json ? learning_json(asked, made, examples, learning, what.steps).dump(2) + '\n'
                   : learning_text(asked, made, examples, learning, what.steps));
  return kOk;
}

namespace {

std::string bytes_of(const std::string& path) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 32;
  const std::vector<std::uint8_t> bytes = read_file(path, kMost);
  return {bytes.begin(), bytes.end()};
}

// MODEL_BATCH of an export's header; 0: it does not learn.
Index batch_in(const std::string& header) {
  const std::string define = "#define MODEL_BATCH ";
  const std::size_t at = header.find(define);
  return at == std::string::npos ? 0 : std::atoll(header.c_str() + at + define.size());
}

// The lines of a header that declare weights and state.
std::vector<std::string> declarations(const std::string& header) {
  std::vector<std::string> out;
  std::istringstream lines(header);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("extern float ")) out.push_back(line);
  }
  return out;
}

const std::string& header_of(const CTrainingProgram& program) {
  const std::vector<TextFile>& files = program.program.files;
  return std::find_if(files.begin(), files.end(), [](const TextFile& f) { return f.name == "model.h"; })
      ->text;
}

}  // namespace

CTrainingCheck check_learning(const std::string& folder, const std::string& model, Index steps,
                              const std::string& scratch,
                              const std::function<std::string(const std::string& driver)>& build) {
  const std::string header = bytes_of((std::filesystem::path(folder) / "model.h").string());
  const Index batch = batch_in(header);
  if (batch < 1) throw UsageError(say(Message::verify_not_learning, folder, model, folder));
  const Learning learning = find_learning(model, "");
  if (!learning.data) throw UsageError(learning.reason);
  TrainingExportOptions what;
  what.answers.examples = 1;
  what.batch = batch;
  what.steps = 1;
  const CTrainingProgram program = export_training(learning.file, learning.recipe, what);
  const std::vector<std::string> there = declarations(header);
  for (const std::string& line : declarations(header_of(program))) {
    if (std::find(there.begin(), there.end(), line) == there.end())
      throw UsageError(say(Message::verify_another_network, folder, model, line));
  }
  const std::string driver = build(step_driver(program));
  const std::string in = scratch + "/in", out = scratch + "/out";
  const auto run = [&](const std::string& input) {
    write_file(in, input);
    const ProgramOutcome ran = run_program({driver, in, out});
    if (ran.status != 0) throw Error(say(Message::verify_driver_failed, ran.status, ran.output));
    return bytes_of(out);
  };
  return check_c_training(learning.file, learning.recipe, program, *learning.data, run,
                          {.steps = steps, .stop = interrupted});
}

}  // namespace splot::cli
