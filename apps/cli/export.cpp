// splot export: a trained network as source for small devices.
#include "apps/cli/export.h"

#include <optional>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/train/export_c.h"

#include "apps/cli/command.h"
#include "apps/cli/learning.h"
#include "apps/cli/model_argument.h"
#include "apps/cli/test_part.h"

namespace splot::cli {
namespace {

struct ExportOptions {
  std::string model;
  std::string folder;
  std::string data;
  Index examples = 8;
  bool json = false;
  LearningOptions learning = {};
};

}  // namespace

Examples examples_for(const std::string& model, const std::string& data, const ModelFile& file) {
  if (!data.empty()) {
    const TestPart part = find_test_part(model, file, data);
    return {part.test, say(Message::export_from, part.data), ""};
  }
  std::string reason;
  try {
    const TestPart part = find_test_part(model, file, "");
    return {part.test, say(Message::export_from, part.data), ""};
  } catch (const UsageError& error) {
    reason = error.what();
  } catch (const Error& error) {
    reason = error.what();
  }
  return {std::nullopt, say(Message::export_drawn), reason};
}

namespace {

nlohmann::ordered_json export_json(const ExportOptions& options, const CProgram& program,
                                   const Examples& examples) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const TextFile& file : program.files) files.push_back(file.name);
  const CSizes& s = program.sizes;
  return {{"folder", options.folder},         {"files", files},
          {"weight_bytes", s.weight_bytes},   {"buffer_bytes", s.buffer_bytes},
          {"input_bytes", s.input_bytes},     {"output_bytes", s.output_bytes},
          {"multiply_adds", s.multiply_adds}, {"examples", options.examples},
          {"examples_drawn", !examples.data}};
}

std::string export_text(const ExportOptions& options, const CProgram& program, const Examples& examples) {
  std::vector<std::string> files;
  for (const TextFile& file : program.files) files.push_back(file.name);
  const CSizes& s = program.sizes;
  return say(Message::export_written, options.folder, list_of(files), grouped(s.weight_bytes),
             grouped(s.buffer_bytes), grouped(s.input_bytes), grouped(s.output_bytes),
             grouped(s.multiply_adds), options.examples, examples.from);
}

int run_export(const ExportOptions& options) {
  if (options.folder.empty()) throw UsageError(say(Message::export_what));
  options.learning.check();
  if (options.learning.train) {
    return export_learning(options.learning, {.model = options.model,
                                              .folder = options.folder,
                                              .data = options.data,
                                              .examples = options.examples,
                                              .json = options.json});
  }
  const ModelFile file = find_model(options.model);
  const Examples examples = examples_for(options.model, options.data, file);
  const CProgram program = export_c(file, {.examples = options.examples, .data = examples.data});
  write_c_folder(options.folder, program);
  if (!examples.reason.empty())
    print_progress(say(Message::note, say(Message::export_no_data, examples.reason)) + '\n');
  print(options.json ? export_json(options, program, examples).dump(2) + '\n'
                     : export_text(options, program, examples));
  return kOk;
}

}  // namespace

void add_export(Command root) {
  Command command = root.add("export", Message::export_help, Message::export_example);
  const auto options = std::make_shared<ExportOptions>();
  command.option("model", options->model, Message::model_argument, "MODEL").required();
  command.option("--c", options->folder, Message::export_c, "FOLDER");
  command.option("--data", options->data, Message::export_data, "DATA");
  command.option("--examples", options->examples, Message::export_examples, "N").between(1, 1000);
  options->learning.add_to(command);
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_export(*options); });
}

}  // namespace splot::cli
