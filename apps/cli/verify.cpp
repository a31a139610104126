// splot verify: whether exported source computes what the library does.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>

#include <nlohmann/json.hpp>
#include <stdlib.h>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/core/grouped.h"

#include "apps/cli/command.h"
#include "apps/cli/learning.h"
#include "apps/cli/subprocess.h"

namespace splot::cli {
namespace {

struct VerifyOptions {
  std::string folder;
  std::string model;
  Index steps = 0;
  bool json = false;
};

// The words of $CC, or the first of the usual ones that is there.
std::vector<std::string> compiler() {
  const char* chosen = std::getenv("CC");
  std::istringstream words(chosen == nullptr ? "" : chosen);
  std::vector<std::string> out;
  for (std::string word; words >> word;) out.push_back(word);
  if (!out.empty()) {
    if (!is_program(out[0])) throw Error(say(Message::verify_no_cc, out[0]));
    return out;
  }
  for (const char* usual : {"cc", "gcc", "clang"}) {
    if (is_program(usual)) return {usual};
  }
  throw Error(say(Message::verify_no_compiler));
}

// A folder of its own for what is built, gone at the end.
class BuildFolder {
 public:
  BuildFolder() {
    std::error_code ignored;
    const std::filesystem::path temporary = std::filesystem::temp_directory_path(ignored);
    std::string name =
        ((ignored ? std::filesystem::path("/tmp") : temporary) / "splot-verify-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw IoError(say(Message::verify_no_folder, name, std::strerror(errno)));
    path_ = name;
  }
  ~BuildFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  BuildFolder(const BuildFolder&) = delete;
  BuildFolder& operator=(const BuildFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + '/' + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a program said, short enough for a terminal.
std::string beginning(const std::string& output) {
  constexpr int kLines = 12;
  std::istringstream lines(output);
  std::string out;
  int count = 0;
  for (std::string line; count < kLines && std::getline(lines, line); ++count)
    out += (out.empty() ? "" : "\n") + line;
  return out;
}

struct Comparison {
  int examples = 0;
  double difference = 0.0, bound = 0.0;
  int different = 0;  // numbers that differ by more, or are none
};

std::optional<Comparison> comparison_in(const std::string& output) {
  Comparison out;
  const int read = std::sscanf(output.c_str(), "examples %d largest difference %lf bound %lf different %d",
                               &out.examples, &out.difference, &out.bound, &out.different);
  return read == 4 && out.examples > 0 ? std::optional(out) : std::nullopt;
}

// What the test of learning says, behind that of answers; none where nothing is learned.
struct LearningComparison {
  int steps = 0;
  double losses = 0.0, loss_bound = 0.0;
  double tensors = 0.0, tensor_bound = 0.0;
  int different = 0;
};

std::optional<LearningComparison> learning_in(const std::string& output) {
  const std::size_t at = output.find("\nsteps ");
  if (at == std::string::npos) return std::nullopt;
  LearningComparison out;
  const int read =
      std::sscanf(output.c_str() + at,
                  " steps %d largest difference of a loss %lf bound of losses %lf largest difference of "
                  "a tensor %lf bound of tensors %lf different %d",
                  &out.steps, &out.losses, &out.loss_bound, &out.tensors, &out.tensor_bound, &out.different);
  return read == 6 ? std::optional(out) : std::nullopt;
}

std::string shown(double number) { return fmt::format("{:.3g}", number); }

// The program of these sources, in C99; its path.
std::string build_program(const BuildFolder& folder, const std::vector<std::string>& cc,
                          const std::string& name, const std::vector<std::string>& words) {
  const std::string program = folder.file(name);
  std::vector<std::string> build = cc;
  for (const char* flag : {"-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic", "-ffp-contract=off", "-o"})
    build.emplace_back(flag);
  build.push_back(program);
  build.insert(build.end(), words.begin(), words.end());
  build.emplace_back("-lm");
  const ProgramOutcome built = run_program(build);
  if (built.status != 0)
    throw Error(say(Message::verify_not_built, list_of(cc, " "), beginning(built.output)));
  return program;
}

// The path of a file of an export, which has to be there.
std::string source_in(const std::string& folder, const char* name) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw UsageError(say(Message::verify_no_export, folder, name, folder));
  if (std::filesystem::is_empty(path, ignored)) throw UsageError(say(Message::verify_empty, path, folder));
  return path;
}

// Single steps from the library's states, where they were asked for.
std::optional<CTrainingCheck> checked_steps(const VerifyOptions& options, const BuildFolder& folder,
                                            const std::vector<std::string>& cc) {
  if (options.steps == 0) return std::nullopt;
  const auto build = [&](const std::string& driver) {
    write_file(folder.file("driver.c"), driver);
    return build_program(
        folder, cc, "driver",
        {"-I" + options.folder, folder.file("driver.c"), source_in(options.folder, "model.c"),
         source_in(options.folder, "model_weights.c")});
  };
  interrupted();  // from here on Ctrl-C is a request
  return check_learning(options.folder, options.model, options.steps, folder.path(), build);
}

nlohmann::ordered_json verified_json(const VerifyOptions& options, const std::string& cc,
                                     const Comparison& found,
                                     const std::optional<LearningComparison>& learned,
                                     const std::optional<CTrainingCheck>& steps, bool agrees) {
  nlohmann::ordered_json out = {{"folder", options.folder},   {"compiler", cc},
                                {"examples", found.examples}, {"largest_difference", found.difference},
                                {"bound", found.bound},       {"agrees", agrees}};
  if (learned) {
    out["learning"] = {{"steps", learned->steps},
                       {"loss", learned->losses},
                       {"loss_bound", learned->loss_bound},
                       {"tensors", learned->tensors},
                       {"tensor_bound", learned->tensor_bound},
                       {"agrees", learned->different == 0}};
  }
  if (steps) {
    out["steps"] = {{"steps", steps->steps},
                    {"loss", steps->loss},
                    {"loss_bound", kCLossTolerance},
                    {"tensors", steps->tensors},
                    {"tensor", steps->tensor},
                    {"tensor_bound", kCTensorTolerance},
                    {"numbers", steps->elements},
                    {"outside", steps->outside},
                    {"outside_of", steps->outside_of},
                    {"last_outside", steps->last_outside},
                    {"free_loss", steps->free_loss},
                    {"free_loss_bound", kCFreeLossTolerance},
                    {"agrees", steps->is_within_bounds()}};
  }
  return out;
}

std::string verified_text(const VerifyOptions& options, const std::string& cc, const Comparison& found,
                          const std::optional<LearningComparison>& learned,
                          const std::optional<CTrainingCheck>& steps) {
  const std::string difference = shown(found.difference), bound = shown(found.bound);
  std::string out = found.different == 0
                        ? say(Message::verify_agrees, options.folder, cc, found.examples, difference, bound)
                        : say(Message::verify_differs, options.folder, cc, found.examples, difference, bound,
                              found.different);
  if (learned) {
    out += '\n' + say(learned->different == 0 ? Message::verify_learns : Message::verify_learns_not,
                      options.folder, cc, learned->steps, shown(learned->losses), shown(learned->loss_bound),
                      shown(learned->tensors), shown(learned->tensor_bound));
  }
  if (steps) {
    const std::string tensor = steps->tensor.empty() ? "-" : steps->tensor;
    out += '\n' + say(steps->is_within_bounds() ? Message::verify_steps_agree : Message::verify_steps_differ,
                      steps->steps, shown(steps->loss), shown(kCLossTolerance), grouped(steps->elements),
                      shown(steps->tensors), shown(kCTensorTolerance), tensor, shown(steps->free_loss),
                      shown(kCFreeLossTolerance), grouped(steps->outside));
  }
  return out + '\n';
}

int run_verify(const VerifyOptions& options) {
  if ((options.steps == 0) != options.model.empty()) throw UsageError(say(Message::verify_steps_need));
  std::vector<std::string> sources;
  source_in(options.folder, "model.h");
  for (const char* name : {"model.c", "model_weights.c", "model_test.c"})
    sources.push_back(source_in(options.folder, name));
  const std::vector<std::string> cc = compiler();
  const BuildFolder folder;
  const ProgramOutcome ran = run_program({build_program(folder, cc, "model_test", sources)});
  const std::optional<Comparison> found = comparison_in(ran.output);
  if (!found) throw Error(say(Message::verify_no_result, options.folder, ran.status, beginning(ran.output)));
  const std::optional<LearningComparison> learned = learning_in(ran.output);
  const std::optional<CTrainingCheck> steps = checked_steps(options, folder, cc);
  const bool agrees = found->different == 0 && ran.status == 0 && (!steps || steps->is_within_bounds());
  const std::string words = list_of(cc, " ");
  print(options.json ? verified_json(options, words, *found, learned, steps, agrees).dump(2) + '\n'
                     : verified_text(options, words, *found, learned, steps));
  if (steps && interrupted()) return interrupted_status();
  return agrees ? kOk : kFailed;
}

}  // namespace

void add_verify(Command root) {
  Command command = root.add("verify", Message::verify_help, Message::verify_example);
  const auto options = std::make_shared<VerifyOptions>();
  command.option("folder", options->folder, Message::verify_folder, "FOLDER").required();
  command.option("--steps", options->steps, Message::verify_steps, "N").between(1, 100000);
  command.option("--model", options->model, Message::verify_model, "MODEL|RECIPE");
  command.add_threads();
  command.add_json(options->json);
  command.runs([options] { return run_verify(*options); });
}

}  // namespace splot::cli
