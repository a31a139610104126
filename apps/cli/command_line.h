// The words of the command line: what commands, options and arguments there are, and what they mean.
// CLI11 does the work and is known to command_line.cpp alone: it takes seconds to compile in every file that
// sees it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "splot/core/messages.h"
#include "splot/core/shape.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace splot::cli {

/// What an option or argument looks like; completion and manual pages are made from it.
struct OptionInfo {
  std::vector<std::string> names;  ///< "-o", "--output"; of an argument, its name alone
  std::string value;               ///< "FOLDER"; empty for a flag
  std::string help;
  bool positional = false;
  bool required = false;
  bool several = false;  ///< takes more than one value
};

/// What a command looks like.
struct CommandInfo {
  std::string name;  ///< empty for splot itself
  std::string help;
  std::string example;  ///< lines, indented as in the help
  std::vector<OptionInfo> options;
  std::vector<CommandInfo> commands;
};

class CommandLine;

/// What an option or argument accepts. A handle, valid as long as its CommandLine.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& required();
  Option& one_of(const std::vector<std::string>& words);
  Option& between(Index low, Index high);
  Option& not_negative();
  Option& positive();

 private:
  CLI::Option* option_;
};

/// One command, `splot train` for example. A handle, valid as long as its CommandLine.
class Command {
 public:
  /// A command inside this one, with its help and, at the foot of it, an example.
  Command add(const std::string& name, Message help, Message example);
  /// This command does nothing by itself: one inside it must be named.
  void require_command();

  /// `names` is "-o,--output", or the name of an argument without dashes; `type` is what the help calls the
  /// value. The value keeps what it holds when the option is not given. T is std::string, a std::vector of
  /// them, int, Index, std::uint64_t, double or a std::optional of string or std::uint64_t.
  template <typename T>
  Option option(const std::string& names, T& value, Message help, const std::string& type);
  void flag(const std::string& names, bool& value, Message help);

  // Options that several commands have.
  void add_json(bool& json);
  /// --set KEY=VALUE, as often as wanted.
  void add_set(std::vector<std::string>& assignments);
  /// --threads, taking effect before the command runs.
  void add_threads();

  /// What the command does, once every word of the line is understood; it returns the exit status.
  void runs(std::function<int()> action);

 private:
  friend class CommandLine;
  Command(CLI::App* app, CommandLine* line) : app_(app), line_(line) {}

  CLI::App* app_;
  CommandLine* line_;
};

/// All of `splot`: add the commands, then run.
class CommandLine {
 public:
  CommandLine(const std::string& name, Message about, Message example);
  ~CommandLine();

  Command root();
  CommandInfo describe() const;
  /// Reads the words and runs the command they name; prints what --help and --version ask for. Returns the
  /// exit status, throws UsageError for words that make no sense, and whatever the command throws.
  int run(int argc, char** argv);

 private:
  friend class Command;
  std::unique_ptr<CLI::App> app_;
  int status_;
};

}  // namespace splot::cli
