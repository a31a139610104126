// splot completion: what bash and zsh need to complete the command line, made from the command itself.
#include "apps/cli/command.h"
#include "apps/cli/command_line.h"
#include "apps/cli/recipes.h"

namespace splot::cli {
namespace {

std::vector<std::string> recipe_ids() {
  std::vector<std::string> out;
  for (const BuiltinRecipe& recipe : builtin_recipes()) out.emplace_back(recipe.id);
  return out;
}

bool takes_recipes(const CommandInfo& command) {
  for (const OptionInfo& option : command.options) {
    if (option.positional && (option.value.find("RECIPE") != std::string::npos || option.value == "ID"))
      return true;
  }
  return false;
}

std::vector<std::string> option_names(const CommandInfo& command, bool with_value_only = false) {
  std::vector<std::string> out;
  for (const OptionInfo& option : command.options) {
    if (option.positional || (with_value_only && option.value.empty())) continue;
    out.insert(out.end(), option.names.begin(), option.names.end());
  }
  return out;
}

// Words in front of the cursor: the command is the first that is no option. Files complete everywhere else.
std::string bash(const CommandInfo& root) {
  std::vector<std::string> names;
  std::string cases;
  for (const CommandInfo& command : root.commands) {
    names.push_back(command.name);
    cases += fmt::format("    {}) options=\"{}\"; words=\"{}\" ;;\n", command.name,
                         list_of(option_names(command), " "),
                         takes_recipes(command) ? list_of(recipe_ids(), " ") : "");
  }
  return fmt::format(R"(# bash completion for splot, made by `splot completion bash`
_splot() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} command= options= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${{COMP_WORDS[i]}} != -* ]]; then
      command=${{COMP_WORDS[i]}}
      break
    fi
  done
  case $command in
    '') options="{}"; words="{}" ;;
{}  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _splot splot
)",
                     list_of(option_names(root), " "), list_of(names, " "), cases);
}

// In single quotes, with what _arguments gives a meaning to escaped.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string zsh_option(const OptionInfo& option, const std::string& name) {
  const bool folder_or_file = option.value == "FOLDER" || option.value == "FILE";
  const std::string value =
      option.value.empty() ? "" : fmt::format(":{}:{}", option.value, folder_or_file ? "_files" : "");
  return fmt::format("'{}{}[{}]{}'", option.value.empty() ? "" : "*", name, zsh_text(option.help), value);
}

std::string zsh(const CommandInfo& root) {
  std::string commands;
  std::string cases;
  for (const CommandInfo& command : root.commands) {
    commands += fmt::format("    '{}:{}'\n", command.name, zsh_text(command.help));
    cases += fmt::format("    {})\n      _arguments \\\n", command.name);
    for (const OptionInfo& option : command.options) {
      if (option.positional) continue;
      for (const std::string& name : option.names) cases += "        " + zsh_option(option, name) + " \\\n";
    }
    cases +=
        takes_recipes(command)
            ? fmt::format("        '*:recipe:_alternative \"recipes:recipe:({})\" \"files:file:_files\"'\n",
                          list_of(recipe_ids(), " "))
            : "        '*:file:_files'\n";
    cases += "      ;;\n";
  }
  return fmt::format(R"(#compdef splot
# zsh completion for splot, made by `splot completion zsh`
_splot() {{
  local -a commands
  commands=(
{}  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
{}  esac
}}
# Autoloaded, the file is the body of the function; sourced, it registers it.
if [[ $funcstack[1] == _splot ]]; then
  _splot "$@"
else
  compdef _splot splot
fi
)",
                     commands, cases);
}

}  // namespace

void add_completion(CommandLine& line) {
  Command command = line.root().add("completion", Message::completion_help, Message::completion_example);
  const auto shell = std::make_shared<std::string>();
  command.option("shell", *shell, Message::completion_shell, "SHELL").required().one_of({"bash", "zsh"});
  command.runs([&line, shell] {
    const CommandInfo root = line.describe();
    print(*shell == "bash" ? bash(root) : zsh(root));
    return kOk;
  });
}

}  // namespace splot::cli
