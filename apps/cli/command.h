// What the commands of `splot` share: how they are added, how they print, and how they fail.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "splot/core/messages.h"

namespace splot::cli {

/// Exit statuses.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

/// The command was called in a way that cannot work: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A subcommand with its help and, at the foot of it, an example.
CLI::App* add_command(CLI::App& app, const std::string& name, Message help, Message example);
void add_json(CLI::App& command, bool& json);
/// --set KEY=VALUE, as often as wanted.
void add_set(CLI::App& command, std::vector<std::string>& assignments);
/// --threads, taking effect before the command runs.
void add_threads(CLI::App& command);

/// Results go to stdout, everything about how it goes to stderr.
void print(std::string_view text);
void print_progress(std::string_view text);

/// "a, b, c"
std::string list_of(const std::vector<std::string>& words);

/// Whether standard error or output is a terminal that understands escape sequences; colours need
/// NO_COLOR to be unset too.
bool is_terminal(int descriptor);
bool use_color();

/// True once Ctrl-C was pressed or SIGTERM came. The first call installs the handler; a second signal ends
/// the program at once.
bool interrupted();
/// The exit status of a command that was interrupted: 128 and the signal's number, as shells report it.
int interrupted_status();

void add_train(CLI::App& app, int& status);
void add_eval(CLI::App& app, int& status);
void add_predict(CLI::App& app, int& status);
void add_summary(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
void add_data(CLI::App& app, int& status);
void add_ops(CLI::App& app, int& status);
void add_recipes(CLI::App& app, int& status);
void add_report(CLI::App& app, int& status);
void add_reproduce(CLI::App& app, int& status);
void add_lr_find(CLI::App& app, int& status);
void add_doctor(CLI::App& app, int& status);
void add_completion(CLI::App& app, int& status);
void add_man(CLI::App& app, int& status);

}  // namespace splot::cli
