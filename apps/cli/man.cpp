// splot man: manual pages, made from the help.
#include "splot/core/version.h"
#include "splot/train/run_folder.h"

#include "apps/cli/command.h"
#include "apps/cli/command_line.h"

namespace splot::cli {
namespace {

// Text as troff takes it: a backslash and a leading point or quote mean something there, a bare - is a
// hyphen.
std::string troff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

std::string section(Message name) { return ".SH " + say(name) + '\n'; }

std::string full_name(const CommandInfo& command) {
  return command.name.empty() ? "splot" : "splot-" + command.name;
}

std::string names_of(const OptionInfo& option) {
  std::string out;
  for (const std::string& name : option.names) {
    out += (out.empty() ? "" : ", ") + std::string("\\fB") + troff(name) + "\\fR";
  }
  return option.value.empty() || option.positional ? out : out + " \\fI" + troff(option.value) + "\\fR";
}

std::string synopsis(const CommandInfo& command) {
  std::string out = "\\fBsplot\\fR";
  if (command.name.empty()) return out + " \\fICOMMAND\\fR ...";
  out += " \\fB" + troff(command.name) + "\\fR [\\fIOPTIONS\\fR]";
  for (const OptionInfo& option : command.options) {
    if (!option.positional) continue;
    const std::string name = "\\fI" + troff(option.names.front()) + "\\fR" + (option.several ? " ..." : "");
    out += option.required ? ' ' + name : " [" + name + ']';
  }
  return out;
}

std::string entries(Message heading, const CommandInfo& command, bool positional) {
  std::string out;
  for (const OptionInfo& option : command.options) {
    if (option.positional != positional) continue;
    out += ".TP\n" + names_of(option) + '\n' + troff(option.help) + ".\n";
  }
  return out.empty() ? out : section(heading) + out;
}

std::string item(const std::string& name, Message text) {
  return ".TP\n\\fB" + name + "\\fR\n" + troff(say(text)) + '\n';
}

std::string page(const CommandInfo& command, const CommandInfo& root) {
  std::string out = fmt::format(".TH {} 1 \"\" \"splot {}\" \"Splot\"\n", full_name(command), version());
  out += section(Message::man_name) + full_name(command) + " \\- " + troff(command.help) + '\n';
  out += section(Message::man_synopsis) + synopsis(command) + '\n';
  out += entries(Message::man_arguments, command, true);
  out += entries(Message::man_options, command, false);
  if (!command.commands.empty()) {
    out += section(Message::man_commands);
    for (const CommandInfo& inner : command.commands) {
      out += ".TP\n\\fB" + troff(full_name(inner)) + "\\fR(1)\n" + troff(inner.help) + ".\n";
    }
  }
  if (!command.example.empty()) {
    out += section(Message::man_examples) + ".EX\n" + troff(command.example) + "\n.EE\n";
  }
  out += section(Message::man_exit) + item("0", Message::man_exit_0) + item("1", Message::man_exit_1) +
         item("2", Message::man_exit_2) + item("130", Message::man_exit_130);
  out += section(Message::man_environment) + item("SPLOT_DATA", Message::man_splot_data) +
         item("SPLOT_THREADS", Message::man_splot_threads) + item("SPLOT_ISA", Message::man_splot_isa) +
         item("NO_COLOR", Message::man_no_color);
  out += section(Message::man_see_also);
  if (!command.name.empty()) return out + ".BR splot (1)\n";
  std::string others;
  for (const CommandInfo& inner : root.commands) {
    if (!others.empty()) others += " ,\n";
    others += ".BR " + troff(full_name(inner)) + " (1)";
  }
  return out + others + '\n';
}

int write_pages(const CommandInfo& root, const std::string& folder) {
  const RunFolder pages(folder);
  pages.write("splot.1", page(root, root));
  for (const CommandInfo& command : root.commands)
    pages.write(full_name(command) + ".1", page(command, root));
  return kOk;
}

int print_page(const CommandInfo& root, const std::string& name) {
  if (name.empty()) {
    print(page(root, root));
    return kOk;
  }
  std::string names;
  for (const CommandInfo& command : root.commands) {
    if (command.name == name) {
      print(page(command, root));
      return kOk;
    }
    names += (names.empty() ? "" : ", ") + command.name;
  }
  throw UsageError(say(Message::no_command, name, names));
}

}  // namespace

void add_man(CommandLine& line) {
  Command command = line.root().add("man", Message::man_help, Message::man_example);
  const auto name = std::make_shared<std::string>();
  const auto folder = std::make_shared<std::string>();
  command.option("command", *name, Message::man_command, "COMMAND");
  command.option("-o,--output", *folder, Message::man_folder, "FOLDER");
  command.runs([&line, name, folder] {
    const CommandInfo root = line.describe();
    return folder->empty() ? print_page(root, *name) : write_pages(root, *folder);
  });
}

}  // namespace splot::cli
