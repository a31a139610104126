// splot: the command. Each subcommand is a file of its own beside this one.
#include <new>

#include "splot/core/error.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

int complain(std::string_view reason, int status) {
  print_progress(say(Message::complaint, reason) + '\n');
  return status;
}

int run(int argc, char** argv) {
  CommandLine line("splot", Message::about, Message::main_example);
  add_train(line.root());
  add_reproduce(line.root());
  add_lr_find(line.root());
  add_eval(line.root());
  add_predict(line.root());
  add_export(line.root());
  add_verify(line.root());
  add_summary(line.root());
  add_graph(line.root());
  add_bench(line.root());
  add_check(line.root());
  add_data(line.root());
  add_ops(line.root());
  add_recipes(line.root());
  add_report(line.root());
  add_doctor(line.root());
  add_completion(line);
  add_man(line);
  return line.run(argc, argv);
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
