// SPDX-License-Identifier: Apache-2.0
#include "cli/files.hpp"

#include "core/file.hpp"
#include "core/path.hpp"
#include "core/real_name.hpp"
#include "core/text.hpp"

#include <signctl/claims.hpp>
#include <signctl/format.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

namespace signctl::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxListBytes = 16U << 20U;
constexpr plan::NothingFound kNoFile{"there", "name the folder that is released"};

/// Whether a file found in a folder is of a type we know, and one that is signed without being
/// named. One that cannot be read, or is not of the type that its name says, is kept, so that it is
/// an error and not silently left out: a download that broke off is a release file all the same.
bool recognised(const std::string& path) {
  const Format* const claimed = claimed_format(path);
  const bool is_claimed = claimed != nullptr && claimed->capabilities().sign;
  const auto source = FileSource::open(path);
  if (!source || (*source)->size() == 0) {
    return !source || is_claimed;
  }
  const auto format = find_format(**source, path);
  if (!format) {
    return true;
  }
  // An archive carries no signature itself; who wants what is inside signed names it.
  if (*format == nullptr || !(*format)->capabilities().sign) {
    return is_claimed;
  }
  return (*format)->is_meant_unnamed(extension_of(path));
}

/// The lines of a list file: one path or pattern each, `#` begins a comment line.
Result<std::vector<std::string>> read_list(const std::string& path) {
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kMaxListBytes), "reading the list " + path);
  std::vector<std::string> lines;
  const std::string_view text = as_text(bytes);
  std::size_t begin = text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    std::string line(text.substr(begin, end - begin));
    begin = end + 1;
    if (!line.empty() && line.back() == '\r') {
      line.pop_back();
    }
    if (!line.empty() && line.front() != '#') {
      lines.push_back(std::move(line));
    }
  }
  if (lines.empty()) {
    return Error{ErrorKind::input, "the list " + path + " names no file"};
  }
  return lines;
}

Result<std::vector<plan::Selection>> select_arguments(const std::vector<std::string>& arguments) {
  plan::Selection selection;
  for (const std::string& argument : arguments) {
    if (argument.empty()) {
      return Error{ErrorKind::usage, "a file is named by an empty text", "is a variable not set?"};
    }
    if (argument.size() < 2 || argument.front() != '@') {
      selection.include.push_back(argument);
      continue;
    }
    SIGNCTL_TRY(const auto lines, read_list(argument.substr(1)), "");
    selection.include.insert(selection.include.end(), lines.begin(), lines.end());
  }
  return std::vector<plan::Selection>{std::move(selection)};
}

Result<std::vector<plan::Selection>> select_steps(const config::Config& config,
                                                  const std::string& only) {
  if (config.file.empty()) {
    return Error{ErrorKind::usage,
                 "no files are named, and no signctl.yaml was found",
                 "name files, or write a config with signctl init"};
  }
  std::vector<plan::Selection> selections;
  std::vector<std::string> names;
  for (const config::Step& step : config.steps) {
    names.push_back(step.name);
    if (only.empty() || step.name == only) {
      selections.push_back({step.name, config.folder, step.files, step.exclude, step.allow_empty});
    }
  }
  if (names.empty()) {
    return Error{ErrorKind::usage,
                 "no files are named, and " + config.file + " has no steps",
                 "name files, or add steps: to the config"};
  }
  if (selections.empty()) {
    const auto near = did_you_mean(only, names);
    return Error{ErrorKind::usage,
                 "there is no step \"" + only + "\" in " + config.file,
                 near ? "did you mean \"" + *near + "\"?" : "it has " + join(names, ", ")};
  }
  return selections;
}

/// The folder below which a pattern's matches differ: "publish" for "publish/**/*.exe".
fs::path base_of(const std::string& pattern, const fs::path& folder) {
  fs::path base = folder;
  std::error_code code;
  const fs::path whole = folder / to_path(pattern);
  if (fs::is_directory(whole, code)) {
    return whole.lexically_normal();
  }
  if (fs::exists(whole, code)) {
    return whole.parent_path().lexically_normal();
  }
  for (const fs::path& part : to_path(pattern)) {
    if (to_utf8(part).find_first_of("*?[{") != std::string::npos) {
      break;
    }
    base /= part;
  }
  return base.lexically_normal();
}

/// `path` below the deepest of `bases` that contains it; its file name when none does.
fs::path below(const fs::path& path, const std::vector<fs::path>& bases) {
  fs::path shortest = path.filename();
  bool found = false;
  for (const fs::path& base : bases) {
    const fs::path relative =
        path.lexically_normal().lexically_relative(base.empty() ? fs::path(".") : base);
    if (relative.empty() || *relative.begin() == "..") {
      continue;
    }
    if (!found || relative.native().size() < shortest.native().size()) {
      shortest = relative;
      found = true;
    }
  }
  return shortest;
}

}  // namespace

Result<FileSet> plan_files(const config::Config& config,
                           const FileFlags& flags,
                           FolderTakes takes) {
  if (!flags.files.empty() && !flags.step.empty()) {
    return Error{ErrorKind::usage, "--step and files on the command line exclude each other"};
  }
  FileSet set;
  SIGNCTL_TRY(
      set.selections,
      flags.files.empty() ? select_steps(config, flags.step) : select_arguments(flags.files),
      "");
  SIGNCTL_TRY(set.plan,
              plan::expand(set.selections,
                           takes == FolderTakes::all ? plan::Recognise() : recognised,
                           takes == FolderTakes::all ? kNoFile : plan::NothingFound{}),
              "");
  return set;
}

std::vector<std::string> paths_of(const plan::FilePlan& plan) {
  std::vector<std::string> paths;
  for (const plan::PlannedFile& file : plan.files) {
    paths.push_back(file.path);
  }
  return paths;
}

Result<std::vector<std::string>> signable_files_below(const std::vector<std::string>& folders) {
  plan::Selection selection;
  selection.allow_empty = true;
  for (const std::string& folder : folders) {
    std::error_code code;
    if (fs::is_directory(to_path(folder.empty() ? "." : folder), code)) {
      // The name of a folder may begin like an exclude or a list.
      const bool is_mark = folder.starts_with('!') || folder.starts_with('@');
      selection.include.push_back(folder.empty() ? "." : is_mark ? "./" + folder : folder);
    }
  }
  SIGNCTL_TRY(const auto plan, plan::expand({selection}, recognised), "");
  return paths_of(plan);
}

Result<std::vector<std::string>> outputs_of(const FileSet& files, const TargetFlags& flags) {
  const auto& planned = files.plan.files;
  if (!flags.output.empty() && !flags.output_dir.empty()) {
    return Error{ErrorKind::usage, "--output and --output-dir exclude each other"};
  }
  if (!flags.output.empty() && planned.size() != 1) {
    return Error{ErrorKind::usage,
                 "--output takes one file, and " + std::to_string(planned.size()) + " are selected",
                 "use --output-dir"};
  }
  std::vector<fs::path> bases;
  for (const auto& selection : files.selections) {
    for (const std::string& pattern : selection.include) {
      bases.push_back(base_of(pattern, to_path(selection.folder)));
    }
  }
  std::vector<std::string> outputs;
  std::map<std::string, std::string> taken;
  for (const auto& file : planned) {
    std::string output = flags.output.empty() ? file.path : flags.output;
    if (!flags.output_dir.empty()) {
      output = to_utf8(to_path(flags.output_dir) / below(to_path(file.path), bases));
    }
    const auto [earlier, fresh] = taken.emplace(output, file.path);
    if (!fresh) {
      return Error{ErrorKind::usage,
                   earlier->second + " and " + file.path + " would both be written to " + output,
                   "give a folder or a glob, whose structure is kept, or use two runs"};
    }
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace signctl::cli
