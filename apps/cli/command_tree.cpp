#include "apps/cli/command_tree.h"

#include "splot/core/messages.h"

namespace splot::cli {
namespace {

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

}  // namespace

CommandInfo describe_command(const CLI::App& app) {
  CommandInfo out;
  out.name = app.get_parent() == nullptr ? "" : app.get_name();
  out.help = app.get_description();
  // The foot of the help is the heading of the example and its lines.
  const std::string heading = text_of(Message::example_heading).data() + std::string("\n");
  const std::string foot = app.get_footer();
  out.example = foot.rfind(heading, 0) == 0 ? foot.substr(heading.size()) : foot;
  for (const CLI::Option* option : app.get_options()) out.options.push_back(describe_option(*option));
  for (const CLI::App* command : app.get_subcommands(nullptr))
    out.commands.push_back(describe_command(*command));
  return out;
}

}  // namespace splot::cli
