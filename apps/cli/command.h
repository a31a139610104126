// What the commands of `splot` share: how they print, how they are interrupted, and how they fail.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "splot/core/messages.h"

#include "apps/cli/command_line.h"

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

/// "a, b, c".
std::string list_of(const std::vector<std::string>& words, std::string_view separator = ", ");

/// "512 B", "23.5 kB", "98.6 MB": in powers of a thousand.
std::string bytes_text(std::size_t bytes);

/// Results go to stdout, everything about how it goes to stderr.
void print(std::string_view text);
void print_progress(std::string_view text);

/// Whether standard error or output is a terminal that understands escape sequences; colours need
/// NO_COLOR to be unset too.
bool is_terminal(int descriptor);
bool use_color();

/// True once Ctrl-C was pressed or SIGTERM came. The first call installs the handler; a second signal ends
/// the program at once.
bool interrupted();
/// The exit status of a command that was interrupted: 128 and the signal's number, as shells report it.
int interrupted_status();

/// Each adds one command; the two that write about all of them ask the whole command line.
void add_train(Command root);
void add_eval(Command root);
void add_predict(Command root);
void add_export(Command root);
void add_verify(Command root);
void add_summary(Command root);
void add_check(Command root);
void add_data(Command root);
void add_ops(Command root);
void add_recipes(Command root);
void add_report(Command root);
void add_reproduce(Command root);
void add_lr_find(Command root);
void add_graph(Command root);
void add_bench(Command root);
void add_doctor(Command root);
void add_completion(CommandLine& line);
void add_man(CommandLine& line);

}  // namespace splot::cli
