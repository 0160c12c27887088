// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

#include "cli/choices.hpp"
#include "cli/command.hpp"
#include "cli/help.hpp"
#include "core/text.hpp"

#include <signctl/provider.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace signctl::cli {

namespace {

bool takes_path(const FlagInfo& flag) {
  return flag.meta == "FILE" || flag.meta == "DIR";
}

/// What a flag's value can be, where that is known.
std::vector<std::string> choices_for(const FlagInfo& flag) {
  if (std::ranges::find(flag.names, "--provider") == flag.names.end()) {
    return choices_of(flag.meta);
  }
  std::vector<std::string> names;
  for (const Provider* provider : builtin_providers()) {
    names.emplace_back(provider->name());
  }
  return names;
}

/// Names before the first blank: "config" for "config show".
std::string first_word(std::string_view name) {
  return std::string(name.substr(0, name.find(' ')));
}

std::vector<const Command*> visible() {
  std::vector<const Command*> list;
  std::ranges::copy_if(commands(), std::back_inserter(list), [](const Command* command) {
    return !command->section.empty();
  });
  return list;
}

std::vector<std::string> first_words() {
  std::vector<std::string> words{"help"};
  for (const Command* command : visible()) {
    const std::string word = first_word(command->name);
    if (std::ranges::find(words, word) == words.end()) {
      words.push_back(word);
    }
  }
  return words;
}

/// The second words of commands that begin with `word`; empty for ordinary ones.
std::vector<std::string> second_words(const std::string& word) {
  std::vector<std::string> words;
  for (const Command* command : visible()) {
    if (command->name.substr(0, word.size() + 1) == word + " ") {
      words.emplace_back(command->name.substr(word.size() + 1));
    }
  }
  return words;
}

std::string all_names(const std::vector<FlagInfo>& flags) {
  std::vector<std::string> names;
  for (const FlagInfo& flag : flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return join(names, " ");
}

/// The shells that need to be asked: completing `completion` itself.
constexpr const char* kShells = "bash zsh fish powershell";

// --- bash ---

std::string bash_values(const FlagInfo& flag) {
  const auto choices = choices_for(flag);
  std::string action = ":";
  if (!choices.empty()) {
    action = "_signctl_words -W '" + join(choices, " ") + "'";
  } else if (takes_path(flag)) {
    action = flag.meta == "DIR" ? "_signctl_paths -d" : "_signctl_paths -f";
  }
  return "        " + join(flag.names, "|") + ") " + action + "; return ;;\n";
}

std::string bash_command(const Command& command) {
  const auto flags = flags_of(command);
  std::string text = "    '" + std::string(command.name) + "')\n      case $prev in\n";
  for (const FlagInfo& flag : flags) {
    if (!flag.meta.empty()) {
      text += bash_values(flag);
    }
  }
  return text + "      esac\n      flags='" + all_names(flags) + "' ;;\n";
}

std::string bash() {
  std::string text =
      "# bash completion for signctl: source it, or put it into\n"
      "# /etc/bash_completion.d/signctl\n"
      "_signctl_words() {\n"
      "  # macOS still has bash 3.2, without mapfile.\n"
      "  local IFS=$' \\n'\n"
      "  COMPREPLY=($(compgen \"$@\" -- \"$cur\"))\n"
      "}\n"
      "_signctl_paths() {\n"
      "  local IFS=$'\\n'\n"
      "  COMPREPLY=($(compgen \"$@\" -- \"$cur\"))\n"
      "  compopt -o filenames 2>/dev/null\n"
      "}\n"
      "_signctl() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= flags=\n"
      "  local i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    if [[ ${COMP_WORDS[i]} != -* ]]; then\n"
      "      command=${COMP_WORDS[i]}\n"
      "      break\n"
      "    fi\n"
      "  done\n"
      "  if [[ -z $command || $command == help ]]; then\n"
      "    _signctl_words -W '" +
      join(first_words(), " ") +
      " --help --version'\n"
      "    return\n"
      "  fi\n"
      "  case $command in\n";
  for (const std::string& word : first_words()) {
    const auto seconds = second_words(word);
    if (seconds.empty()) {
      continue;
    }
    text += "    " + word +
            ")\n"
            "      if ((i + 1 >= COMP_CWORD)); then\n"
            "        _signctl_words -W '" +
            join(seconds, " ") +
            "'\n"
            "        return\n"
            "      fi\n"
            "      command+=\" ${COMP_WORDS[i+1]}\" ;;\n";
  }
  text += "    completion)\n      _signctl_words -W '" + std::string(kShells) +
          "'\n      return ;;\n  esac\n  case $command in\n";
  for (const Command* command : visible()) {
    text += bash_command(*command);
  }
  return text +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    _signctl_words -W \"$flags\"\n"
         "  else\n"
         "    _signctl_paths -f\n"
         "  fi\n"
         "}\n"
         "complete -F _signctl signctl\n";
}

// --- zsh ---

std::string zsh_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result;
}

std::string zsh_flag(const FlagInfo& flag) {
  std::string value;
  if (!flag.meta.empty()) {
    const auto choices = choices_for(flag);
    value = ":" + std::string(choices.empty() ? zsh_escaped(to_lower(flag.meta)) : "value") + ":";
    if (!choices.empty()) {
      value += "(" + join(choices, " ") + ")";
    } else if (takes_path(flag)) {
      value += flag.meta == "DIR" ? "_files -/" : "_files";
    }
  }
  std::string text;
  for (const std::string& name : flag.names) {
    text += " \\\n        '*" + name + "[" + zsh_escaped(flag.help) + "]" + value + "'";
  }
  return text;
}

std::string zsh() {
  std::string text =
      "#compdef signctl\n"
      "# zsh completion for signctl: save as _signctl in a folder of $fpath\n"
      "_signctl() {\n"
      "  local context state line\n"
      "  if ((CURRENT == 2)); then\n"
      "    local -a verbs=(\n";
  for (const std::string& word : first_words()) {
    std::string summary;
    for (const Command* command : visible()) {
      if (first_word(command->name) == word) {
        summary = std::string(command->summary);
        break;
      }
    }
    text += "      '" + word + ":" + zsh_escaped(summary) + "'\n";
  }
  text +=
      "    )\n"
      "    _describe command verbs\n"
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n";
  for (const std::string& word : first_words()) {
    const auto seconds = second_words(word);
    if (!seconds.empty()) {
      text += "  if [[ $command == " + word +
              " ]]; then\n"
              "    if ((CURRENT == 3)); then\n"
              "      compadd " +
              join(seconds, " ") +
              "\n"
              "      return\n"
              "    fi\n"
              "    command=\"$command $words[3]\"\n"
              "  fi\n";
    }
  }
  text += "  case $command in\n    completion) compadd " + std::string(kShells) + " ;;\n";
  for (const Command* command : visible()) {
    if (command->name == "completion") {
      continue;
    }
    text += "    '" + std::string(command->name) + "')\n      _arguments";
    for (const FlagInfo& flag : flags_of(*command)) {
      text += zsh_flag(flag);
    }
    text += " \\\n        '*:file:_files' ;;\n";
  }
  return text + "  esac\n}\n_signctl \"$@\"\n";
}

// --- fish ---

std::string fish_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result;
}

std::string fish_flag(const FlagInfo& flag, const std::string& condition) {
  std::string text = "complete -c signctl -n '" + condition + "'";
  for (const std::string& name : flag.names) {
    const bool is_long = name.substr(0, 2) == "--";
    text += is_long ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!flag.meta.empty()) {
    const auto choices = choices_for(flag);
    text += takes_path(flag) ? " -r -F" : " -x";
    text += choices.empty() ? "" : " -a '" + join(choices, " ") + "'";
  }
  return text + " -d '" + fish_escaped(flag.help) + "'\n";
}

std::string fish() {
  std::string text =
      "# fish completion for signctl: save as ~/.config/fish/completions/signctl.fish\n";
  for (const std::string& word : first_words()) {
    text += "complete -c signctl -f -n __fish_use_subcommand -a " + word + "\n";
    const auto seconds = second_words(word);
    if (!seconds.empty()) {
      text += "complete -c signctl -f -n '__fish_seen_subcommand_from " + word +
              "; and not __fish_seen_subcommand_from " + join(seconds, " ") + "' -a '" +
              join(seconds, " ") + "'\n";
    }
  }
  text += "complete -c signctl -f -n '__fish_seen_subcommand_from completion' -a '" +
          std::string(kShells) + "'\n";
  for (const Command* command : visible()) {
    const std::string name(command->name);
    const auto space = name.find(' ');
    std::string condition = "__fish_seen_subcommand_from " + name.substr(0, space);
    if (space != std::string::npos) {
      condition += "; and __fish_seen_subcommand_from " + name.substr(space + 1);
    }
    for (const FlagInfo& flag : flags_of(*command)) {
      text += fish_flag(flag, condition);
    }
  }
  return text;
}

// --- PowerShell ---

std::string powershell_list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "'" : ", '") + word + "'";
  }
  return "@(" + text + ")";
}

std::string powershell() {
  std::string text =
      "# PowerShell completion for signctl: dot-source it from $PROFILE\n"
      "Register-ArgumentCompleter -Native -CommandName signctl -ScriptBlock {\n"
      "  param($wordToComplete, $commandAst, $cursorPosition)\n"
      "  $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })\n"
      "  if ($wordToComplete -and $words.Count -gt 1) { $words = @($words[0..($words.Count - 2)]) "
      "}\n"
      "  $flags = @{\n";
  for (const Command* command : visible()) {
    std::vector<std::string> names;
    for (const FlagInfo& flag : flags_of(*command)) {
      names.insert(names.end(), flag.names.begin(), flag.names.end());
    }
    text += "    '" + std::string(command->name) + "' = " + powershell_list(names) + "\n";
  }
  text += "  }\n  $values = @{\n";
  std::vector<std::string> seen;
  for (const Command* command : visible()) {
    for (const FlagInfo& flag : flags_of(*command)) {
      const auto choices = choices_for(flag);
      for (const std::string& name : flag.names) {
        const std::string key = std::string(command->name) + " " + name;
        if (!choices.empty()) {
          text += "    '" + key + "' = " + powershell_list(choices) + "\n";
        }
      }
    }
  }
  text += "  }\n  $second = @{\n";
  for (const std::string& word : first_words()) {
    const auto seconds = second_words(word);
    if (!seconds.empty()) {
      text += "    '" + word + "' = " + powershell_list(seconds) + "\n";
    }
  }
  return text + "    'completion' = " + powershell_list({"bash", "zsh", "fish", "powershell"}) +
         "\n  }\n"
         "  if ($words.Count -lt 2) {\n"
         "    $candidates = " +
         powershell_list(first_words()) +
         "\n"
         "  } elseif ($words.Count -eq 2 -and $second.ContainsKey($words[1])) {\n"
         "    $candidates = $second[$words[1]]\n"
         "  } else {\n"
         "    $command = $words[1]\n"
         "    if ($second.ContainsKey($command) -and $words.Count -gt 2) { $command += ' ' + "
         "$words[2] }\n"
         "    $candidates = $values[\"$command $($words[-1])\"]\n"
         "    if (-not $candidates) { $candidates = $flags[$command] }\n"
         "  }\n"
         "  $candidates | Where-Object { $_ -like \"$wordToComplete*\" } | ForEach-Object {\n"
         "    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)\n"
         "  }\n"
         "}\n";
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "bash") {
    return bash();
  }
  if (shell == "zsh") {
    return zsh();
  }
  if (shell == "fish") {
    return fish();
  }
  return shell == "powershell" ? powershell() : "";
}

}  // namespace signctl::cli
