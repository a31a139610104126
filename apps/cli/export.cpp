// splot export: a trained network as source for small devices.
#include "apps/cli/export.h"

#include <optional>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/grouped.h"
#include "splot/train/export_c.h"
#include "splot/train/export_int8.h"

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
  bool int8 = false;
  Index calibrate = 0;  // as the library has it
  bool json = false;
  LearningOptions learning = {};
};

}  // namespace

Examples examples_for(const std::string& model, const std::string& data, const ModelFile& file) {
  if (!data.empty()) {
    const TestPart part = find_test_part(model, file, data);
    return {part, say(Message::export_from, part.data), ""};
  }
  std::string reason;
  try {
    const TestPart part = find_test_part(model, file, "");
    return {part, say(Message::export_from, part.data), ""};
  } catch (const UsageError& error) {
    reason = error.what();
  } catch (const Error& error) {
    reason = error.what();
  }
  return {std::nullopt, say(Message::export_drawn), reason};
}

namespace {

// The program, and what 8 bits cost.
struct Exported {
  CProgram program;
  std::optional<Int8Figures> int8;
};

Exported exported(const ExportOptions& options, const ModelFile& file, const Examples& examples) {
  if (!options.int8) {
    CExportOptions in_floats{.examples = options.examples};
    if (examples.data) in_floats.data = examples.data->test;
    return {export_c(file, in_floats), std::nullopt};
  }
  if (!examples.data) throw UsageError(say(Message::export_int8_no_data, examples.reason));
  Int8ExportOptions in_bytes{.examples = options.examples};
  if (options.calibrate > 0) in_bytes.calibrated_on = options.calibrate;
  Int8Export out = export_int8(file, examples.data->train, examples.data->test, in_bytes);
  return {std::move(out.program), out.figures};
}

nlohmann::ordered_json int8_json(const Int8Figures& f) {
  nlohmann::ordered_json out = {{"calibrated_on", f.calibrated_on},
                                {"examples", f.examples},
                                {"float_accuracy", nullptr},
                                {"int8_accuracy", nullptr},
                                {"difference", f.difference}};
  if (f.float_accuracy) out["float_accuracy"] = *f.float_accuracy;
  if (f.int8_accuracy) out["int8_accuracy"] = *f.int8_accuracy;
  return out;
}

std::string int8_text(const Int8Figures& f, const std::string& data) {
  std::string out = say(Message::export_int8_difference, grouped(f.calibrated_on), percent(f.difference));
  if (f.float_accuracy)
    out += say(Message::export_int8_accuracy, percent(*f.float_accuracy), percent(*f.int8_accuracy),
               grouped(f.examples), data);
  return out;
}

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
  if (options.calibrate > 0 && !options.int8) throw UsageError(say(Message::export_calibrate_alone));
  options.learning.check();
  if (options.learning.train) {
    if (options.int8) throw UsageError(say(Message::export_train_in_floats));
    return export_learning(options.learning, {.model = options.model,
                                              .folder = options.folder,
                                              .data = options.data,
                                              .examples = options.examples,
                                              .json = options.json});
  }
  const ModelFile file = find_model(options.model);
  const Examples examples = examples_for(options.model, options.data, file);
  const Exported made = exported(options, file, examples);
  write_c_folder(options.folder, made.program);
  if (!examples.reason.empty())
    print_progress(say(Message::note, say(Message::export_no_data, examples.reason)) + '\n');
  if (options.json) {
    nlohmann::ordered_json out = export_json(options, made.program, examples);
    if (made.int8) out["int8"] = int8_json(*made.int8);
    print(out.dump(2) + '\n');
  } else {
    print(export_text(options, made.program, examples) +
          (made.int8 ? int8_text(*made.int8, examples.data->data) : ""));
  }
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
  command.flag("--int8", options->int8, Message::export_int8);
  command.option("--calibrate", options->calibrate, Message::export_calibrate, "N").between(1, 1000000);
  options->learning.add_to(command);
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_export(*options); });
}

}  // namespace splot::cli
