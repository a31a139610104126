// splot doctor: what this machine has, and whether Splot works on it.
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "splot/autodiff/check_gradients.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/core/version.h"
#include "splot/data/download.h"
#include "splot/data/mnist.h"
#include "splot/ops/ops.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

enum class State { good, note, bad };

struct Finding {
  Message name;
  State state;
  std::string text;
};

Finding instructions() {
  std::vector<std::string> names;
  for (const cpu::InstructionSet set : cpu::available_instruction_sets())
    names.emplace_back(cpu::name_of(set));
  return {Message::doctor_instructions, State::good,
          say(Message::doctor_instructions_line, cpu::name_of(cpu::instruction_set()), list_of(names))};
}

// In KiB, from a line "MemTotal:  16316412 kB"; 0 where the system does not say.
std::uint64_t memory_line(const std::string& wanted) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::uint64_t size = 0;
  std::string unit;
  while (file >> name >> size) {
    std::getline(file, unit);
    if (name == wanted) return size;
  }
  return 0;
}

Finding memory() {
  constexpr std::uint64_t kLeast = 256 * 1024;  // less than training on MNIST takes
  const std::uint64_t free = memory_line("MemAvailable:");
  const std::uint64_t all = memory_line("MemTotal:");
  if (all == 0) return {Message::doctor_memory, State::note, say(Message::doctor_no_memory)};
  return {Message::doctor_memory, free < kLeast ? State::bad : State::good,
          say(Message::doctor_memory_line, free / 1024, all / 1024)};
}

// A kernel that is wrong on this processor shows here, whichever instruction set it is for.
Finding calculation() {
  const cpu::InstructionSet before = cpu::instruction_set();
  std::string wrong;
  for (const cpu::InstructionSet set : cpu::available_instruction_sets()) {
    cpu::set_instruction_set(set);
    const Tensor x = cast(reshape(arange(35), {5, 7}), kFloat64) * 0.05 - 0.8;
    const Tensor w = cast(reshape(arange(28), {7, 4}), kFloat64) * 0.03 - 0.4;
    const GradientCheck check = check_gradients(
        [](std::span<const Tensor> in) { return TensorList{sigmoid(matmul(in[0], in[1]))}; }, {x, w});
    if (!check.passed && wrong.empty()) {
      wrong = say(Message::doctor_calculation_wrong, cpu::name_of(set), check.to_string());
    }
  }
  cpu::set_instruction_set(before);
  if (!wrong.empty()) return {Message::doctor_calculation, State::bad, wrong};
  return {Message::doctor_calculation, State::good, say(Message::doctor_calculation_good)};
}

Finding locale() {
  const char* name = std::setlocale(LC_CTYPE, "");
  const Finding out{Message::doctor_locale, State::note, name == nullptr ? "-" : name};
  std::setlocale(LC_CTYPE, "C");
  return out;
}

Finding terminal() {
  if (!is_terminal(STDOUT_FILENO)) {
    return {Message::doctor_terminal, State::note, say(Message::doctor_no_terminal)};
  }
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return {Message::doctor_terminal, State::note,
          say(Message::doctor_terminal_line, std::getenv("TERM"), known ? std::to_string(size.ws_col) : "?",
              say(use_color() ? Message::doctor_on : Message::doctor_off))};
}

// A file is really written: permissions, a full disk and a read-only system all show.
Finding runs() {
  std::error_code ignored;
  const std::filesystem::path here = std::filesystem::current_path(ignored);
  const bool there = std::filesystem::exists(here / "runs", ignored);  // a file of that name is in the way
  const std::filesystem::path probe = (there ? here / "runs" : here) / ".splot-doctor";
  try {
    write_file(probe.string(), std::string_view("splot doctor\n"));
    std::filesystem::remove(probe, ignored);
  } catch (const Error& error) {
    return {Message::doctor_runs, State::bad, error.what()};
  }
  return {Message::doctor_runs, State::good, say(Message::doctor_runs_good, (here / "runs").string())};
}

std::uintmax_t bytes_in(const std::filesystem::path& folder) {
  std::uintmax_t out = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) out += entry.file_size(ignored);
  }
  return out;
}

// How many of the files in the folder are as they were published; those that are unpacked cannot be told.
std::string hashes(const KnownData& known, const std::filesystem::path& folder) {
  std::size_t right = 0;
  for (const PinnedFile& file : known.files) {
    std::error_code ignored;
    const std::string path = (folder / file.name).string();
    if (!std::filesystem::exists(path, ignored)) continue;
    if (!is_pinned_file(path, file)) {
      throw FormatError(say(Message::doctor_data_wrong, known.name, path, known.name));
    }
    ++right;
  }
  return right == known.files.size() ? say(Message::doctor_data_hashes, right)
                                     : say(Message::doctor_data_unpacked, right, known.files.size() - right);
}

// A set that is not there is no fault; one that is damaged is.
Finding data(const KnownData& known) {
  const std::string& name = known.name;
  for (const std::string& folder : data_folders()) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) continue;
    try {
      const std::string checked = hashes(known, path);
      const auto load = name == "mnist" ? load_mnist : load_fashion_mnist;
      const DataSplits parts = load({.validation = 0});
      return {Message::doctor_data, State::good,
              say(Message::doctor_data_good, name, parts.train.size(), parts.test.size(), path.string(),
                  static_cast<std::uint64_t>(bytes_in(path)), checked)};
    } catch (const Error& error) {
      return {Message::doctor_data, State::bad, error.what()};
    }
  }
  return {Message::doctor_data, State::note,
          say(Message::doctor_data_missing, name, list_of(data_folders()), name)};
}

std::vector<Finding> look() {
  std::vector<Finding> out;
  out.push_back({Message::doctor_version, State::good, version()});
#ifdef __clang__
  const std::string compiler = __VERSION__;
#else
  const std::string compiler = join("GCC ", __VERSION__);
#endif
  out.push_back({Message::doctor_compiler, State::good, compiler});
  out.push_back(instructions());
  out.push_back({Message::doctor_threads, State::good,
                 say(Message::doctor_threads_line, cpu::num_threads(), std::thread::hardware_concurrency())});
  out.push_back(memory());
  out.push_back(calculation());
  out.push_back(locale());
  out.push_back(terminal());
  out.push_back(runs());
  for (const KnownData& known : known_data()) out.push_back(data(known));
  return out;
}

int run_doctor(bool json) {
  bool good = true;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string text;
  for (const Finding& finding : look()) {
    const bool bad = finding.state == State::bad;
    good = good && !bad;
    const Message mark = bad                            ? Message::doctor_bad
                         : finding.state == State::note ? Message::doctor_note
                                                        : Message::doctor_ok;
    list.push_back({{"about", say(finding.name)},
                    {"state", bad                            ? "bad"
                              : finding.state == State::note ? "note"
                                                             : "ok"},
                    {"text", finding.text}});
    text += fmt::format("{:<4}{:<14}{}\n", say(mark), say(finding.name), finding.text);
  }
  text += say(good ? Message::doctor_all_good : Message::doctor_something) + '\n';
  print(json ? nlohmann::ordered_json{{"ok", good}, {"findings", list}}.dump(2) + '\n' : text);
  return good ? kOk : kFailed;
}

}  // namespace

void add_doctor(Command root) {
  Command command = root.add("doctor", Message::doctor_help, Message::doctor_example);
  const auto json = std::make_shared<bool>(false);
  command.add_threads();
  command.add_json(*json);
  command.runs([json] { return run_doctor(*json); });
}

}  // namespace splot::cli
