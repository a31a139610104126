#include "apps/cli/command_line.h"

#include <cstdint>
#include <optional>
#include <utility>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/version.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

std::string foot(Message example) { return say(Message::example_heading) + '\n' + say(example); }

OptionInfo describe_option(const CLI::Option& option) {
  OptionInfo out;
  for (const std::string& name : option.get_snames()) out.names.push_back('-' + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  out.positional = option.get_positional();
  if (out.positional) out.names = {option.get_name()};
  if (option.get_items_expected_max() > 0) out.value = option.get_type_name();
  // CLI11 adds what a validator accepts: "N:INT in [1 - 1024]".
  out.value = out.value.substr(0, out.value.find(':'));
  out.help = option.get_description();
  out.required = option.get_required();
  out.several = option.get_items_expected_max() > 1;
  return out;
}

CommandInfo describe_command(const CLI::App& app) {
  CommandInfo out;
  out.name = app.get_parent() == nullptr ? "" : app.get_name();
  out.help = app.get_description();
  // The foot of the help is the heading of the example and its lines.
  const std::string heading = say(Message::example_heading) + '\n';
  const std::string text = app.get_footer();
  out.example = text.rfind(heading, 0) == 0 ? text.substr(heading.size()) : text;
  for (const CLI::Option* option : app.get_options()) out.options.push_back(describe_option(*option));
  for (const CLI::App* command : app.get_subcommands(nullptr))
    out.commands.push_back(describe_command(*command));
  return out;
}

// CLI11 alone would say that a command is missing.
void refuse_unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::string names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (command->get_name() == argv[1]) return;
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  throw UsageError(say(Message::no_command, argv[1], names));
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Option& Option::between(Index low, Index high) {
  option_->check(CLI::Range(low, high));
  return *this;
}

Option& Option::not_negative() {
  option_->check(CLI::NonNegativeNumber);
  return *this;
}

Option& Option::positive() {
  option_->check(CLI::Validator(
      [](std::string& word) {
        double value = 0.0;
        const bool fits = CLI::detail::lexical_cast(word, value) && value > 0.0;
        return fits ? std::string() : say(Message::not_positive, word);
      },
      ""));
  return *this;
}

Command Command::add(const std::string& name, Message help, Message example) {
  CLI::App* command = app_->add_subcommand(name, say(help));
  command->footer(foot(example));
  return {command, line_};
}

void Command::require_command() { app_->require_subcommand(1); }

template <typename T>
Option Command::option(const std::string& names, T& value, Message help, const std::string& type) {
  return Option(app_->add_option(names, value, say(help))->type_name(type));
}
template Option Command::option(const std::string&, std::string&, Message, const std::string&);
template Option Command::option(const std::string&, std::vector<std::string>&, Message, const std::string&);
template Option Command::option(const std::string&, int&, Message, const std::string&);
template Option Command::option(const std::string&, Index&, Message, const std::string&);
template Option Command::option(const std::string&, std::uint64_t&, Message, const std::string&);
template Option Command::option(const std::string&, double&, Message, const std::string&);
template Option Command::option(const std::string&, std::optional<std::string>&, Message, const std::string&);
template Option Command::option(const std::string&, std::optional<std::uint64_t>&, Message,
                                const std::string&);

void Command::flag(const std::string& names, bool& value, Message help) {
  app_->add_flag(names, value, say(help));
}

void Command::add_json(bool& json) { flag("--json", json, Message::json_option); }

void Command::add_set(std::vector<std::string>& assignments) {
  app_->add_option("--set", assignments, say(Message::set_option))
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void Command::add_threads() {
  app_->add_option_function<int>(
          "--threads", [](int threads) { cpu::set_num_threads(threads); }, say(Message::threads_option))
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
}

void Command::runs(std::function<int()> action) {
  app_->callback([line = line_, action = std::move(action)] { line->status_ = action(); });
}

CommandLine::CommandLine(const std::string& name, Message about, Message example)
    : app_(std::make_unique<CLI::App>(say(about), name)), status_(kOk) {
  app_->set_version_flag("--version", name + ' ' + version(), say(Message::version_option));
  app_->set_help_flag("-h,--help", say(Message::help_option));
  app_->require_subcommand(1);
  app_->footer(foot(example));
}

CommandLine::~CommandLine() = default;

Command CommandLine::root() { return {app_.get(), this}; }

CommandInfo CommandLine::describe() const { return describe_command(*app_); }

int CommandLine::run(int argc, char** argv) {
  refuse_unknown_command(*app_, argc, argv);
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& asked) {  // help or version
    return app_->exit(asked);
  } catch (const CLI::ParseError& error) {
    throw UsageError(say(Message::wrong_usage, error.what()));
  }
  return status_;
}

}  // namespace splot::cli
