// splot: the command. Each subcommand is a file of its own beside this one.
#include <new>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "splot/core/error.h"
#include "splot/core/version.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

int complain(std::string_view reason, int status) {
  print_progress(say(Message::complaint, reason) + '\n');
  return status;
}

// CLI11 alone would say that a command is missing.
void refuse_unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::string names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (command->get_name() == argv[1]) return;
    names += join(names.empty() ? "" : ", ", command->get_name());
  }
  throw UsageError(say(Message::no_command, argv[1], names));
}

int run(int argc, char** argv) {
  CLI::App app(say(Message::about), "splot");
  app.set_version_flag("--version", join("splot ", version()), say(Message::version_option));
  app.set_help_flag("-h,--help", say(Message::help_option));
  app.require_subcommand(1);
  app.footer(say(Message::example_heading) + '\n' + say(Message::main_example));
  int status = kOk;
  add_train(app, status);
  add_reproduce(app, status);
  add_lr_find(app, status);
  add_eval(app, status);
  add_predict(app, status);
  add_summary(app, status);
  add_check(app, status);
  add_data(app, status);
  add_ops(app, status);
  add_recipes(app, status);
  add_report(app, status);
  add_doctor(app, status);
  add_completion(app, status);
  add_man(app, status);
  refuse_unknown_command(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // help or version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return complain(say(Message::wrong_usage, error.what()), kWrongUsage);
  }
  return status;
}

// Every failure is one line on stderr.
int run_and_report(int argc, char** argv) try { return run(argc, argv); } catch (const UsageError& error) {
  return complain(error.what(), kWrongUsage);
} catch (const std::bad_alloc&) {
  return complain(say(Message::out_of_memory), kFailed);
} catch (const std::exception& error) {
  return complain(error.what(), kFailed);
}

}  // namespace
}  // namespace splot::cli

int main(int argc, char** argv) { return splot::cli::run_and_report(argc, argv); }
