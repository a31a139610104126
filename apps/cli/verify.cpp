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

#include "apps/cli/command.h"
#include "apps/cli/subprocess.h"

namespace splot::cli {
namespace {

struct VerifyOptions {
  std::string folder;
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

int run_verify(const VerifyOptions& options) {
  std::vector<std::string> sources;
  for (const char* name : {"model.c", "model_weights.c", "model_test.c"}) {
    sources.push_back((std::filesystem::path(options.folder) / name).string());
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(sources.back(), ignored))
      throw UsageError(say(Message::verify_no_export, options.folder, name, options.folder));
  }
  const std::vector<std::string> cc = compiler();
  const BuildFolder folder;
  const std::string program = folder.file("model_test");
  std::vector<std::string> build = cc;
  for (const char* flag : {"-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic", "-ffp-contract=off", "-o"})
    build.emplace_back(flag);
  build.push_back(program);
  build.insert(build.end(), sources.begin(), sources.end());
  build.emplace_back("-lm");
  const ProgramOutcome built = run_program(build);
  if (built.status != 0)
    throw Error(say(Message::verify_not_built, list_of(cc, " "), beginning(built.output)));
  const ProgramOutcome ran = run_program({program});
  const std::optional<Comparison> found = comparison_in(ran.output);
  if (!found) throw Error(say(Message::verify_no_result, options.folder, ran.status, beginning(ran.output)));
  const bool agrees = found->different == 0 && ran.status == 0;
  if (options.json) {
    const nlohmann::ordered_json out = {
        {"folder", options.folder},    {"compiler", list_of(cc, " ")},
        {"examples", found->examples}, {"largest_difference", found->difference},
        {"bound", found->bound},       {"agrees", agrees}};
    print(out.dump(2) + '\n');
  } else {
    const std::string words = list_of(cc, " "), difference = fmt::format("{:.3g}", found->difference),
                      bound = fmt::format("{:.3g}", found->bound);
    print((agrees ? say(Message::verify_agrees, options.folder, words, found->examples, difference, bound)
                  : say(Message::verify_differs, options.folder, words, found->examples, difference, bound,
                        found->different)) +
          '\n');
  }
  return agrees ? kOk : kFailed;
}

}  // namespace

void add_verify(Command root) {
  Command command = root.add("verify", Message::verify_help, Message::verify_example);
  const auto options = std::make_shared<VerifyOptions>();
  command.option("folder", options->folder, Message::verify_folder, "FOLDER").required();
  command.add_json(options->json);
  command.runs([options] { return run_verify(*options); });
}

}  // namespace splot::cli
