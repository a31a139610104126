// What the command line consists of, read from CLI11: completion and manual pages are made from it.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace splot::cli {

struct OptionInfo {
  std::vector<std::string> names;  ///< "-o", "--output"; of an argument, its name alone
  std::string value;               ///< "FOLDER"; empty for a flag
  std::string help;
  bool positional = false;
  bool required = false;
  bool several = false;  ///< takes more than one value
};

struct CommandInfo {
  std::string name;  ///< empty for splot itself
  std::string help;
  std::string example;  ///< lines, indented as in the help
  std::vector<OptionInfo> options;
  std::vector<CommandInfo> commands;
};

CommandInfo describe_command(const CLI::App& app);

}  // namespace splot::cli
