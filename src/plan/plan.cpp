// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.hpp"

#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "plan/excludes.hpp"
#include "plan/glob.hpp"
#include "plan/other_case.hpp"
#include "plan/walk.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

namespace signctl::plan {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestList = std::size_t{16} << 20U;

/// One entry of an include list, and where it was written.
struct Entry {
  std::string text;
  std::string list;  ///< The `@` file it came from; empty for none.
};

/// The folder without links; empty where that cannot be told.
fs::path real_folder(const std::string& path) {
  std::error_code failure;
  const fs::path real = fs::canonical(to_path(path.empty() ? "." : path), failure);
  return failure ? fs::path() : real;
}

/// What several selections have in common.
struct Expanded {
  FilePlan plan{};
  std::set<fs::path> planned{};  ///< Without links.
  std::vector<OtherCase> left_out{};
};

/// Collects what one selection names.
class Expansion {
 public:
  Expansion(const Selection& selection,
            const Recognise& recognise,
            const NothingFound& nothing,
            Expanded& expanded)
      : selection_(selection),
        recognise_(recognise),
        nothing_(nothing),
        plan_(expanded.plan),
        planned_(expanded.planned),
        left_out_(expanded.left_out),
        excludes_(selection.folder),
        here_(real_folder(".")),
        base_(real_folder(selection.folder)) {}

  Result<void> run();

 private:
  Result<void> read_entries();
  Result<void> read_list(const std::string& name);
  Result<void> add_entry(Entry entry);
  Result<void> expand_entry(const Entry& entry);
  Result<std::size_t> expand_folder(const Entry& entry, const std::string& path);
  Result<void> expand_pattern(const Entry& entry);
  void note_other_case(const std::string& path, const Entry& entry);
  Result<void> take(const std::string& path, const std::string& because);
  [[nodiscard]] bool leads_elsewhere(const std::string& path, const fs::path& real) const;
  [[nodiscard]] std::optional<std::string> find_exclude(const std::string& path,
                                                        const fs::path& real) const;
  [[nodiscard]] Error unreachable(const std::string& path) const;
  [[nodiscard]] Error absent(const std::string& path) const;
  [[nodiscard]] Error matched_nothing(const Entry& entry, const std::string& similar) const;

  const Selection& selection_;
  const Recognise& recognise_;
  const NothingFound& nothing_;
  FilePlan& plan_;
  std::set<fs::path>& planned_;
  std::vector<OtherCase>& left_out_;
  Excludes excludes_;
  fs::path here_;  ///< The working directory without links.
  fs::path base_;  ///< The selection's folder without links.
  std::vector<Entry> entries_;
  std::set<std::string> excluded_;
  bool has_files_{false};  ///< Some file was not excluded, be it planned earlier already.
};

std::string from_list(const Entry& entry) {
  return entry.list.empty() ? "" : " (from @" + entry.list + ")";
}

/// A file's names in its folder, to find the one that was meant.
std::optional<std::string> similar_path(const std::string& path) {
  static constexpr int kMostNames = 2000;
  const fs::path wanted = to_path(path);
  const fs::path folder = wanted.parent_path();
  std::vector<std::string> names;
  std::error_code failure;
  fs::directory_iterator entry(folder.empty() ? fs::path(".") : folder, failure);
  for (int i = 0; i < kMostNames && !failure && entry != fs::directory_iterator(); ++i) {
    names.push_back(to_utf8(entry->path().filename()));
    entry.increment(failure);
  }
  std::sort(names.begin(), names.end());
  const auto name = did_you_mean(to_utf8(wanted.filename()), names);
  return name ? std::optional(to_utf8(folder / to_path(*name))) : std::nullopt;
}

/// Of what the system does not let us look at, it says why when it is opened.
Error Expansion::unreachable(const std::string& path) const {
  const auto opened = FileSource::open(path);
  return opened ? absent(path) : opened.error();
}

Error Expansion::absent(const std::string& path) const {
  std::error_code failure;
  if (fs::is_symlink(fs::symlink_status(to_path(path), failure))) {
    return {ErrorKind::input,
            printable(path) + " is a symbolic link that leads nowhere",
            "make what it points to, or name the file itself"};
  }
  const auto similar = similar_path(path);
  return {ErrorKind::input,
          printable(path) + " does not exist",
          similar ? "did you mean " + printable(*similar) + "?"
                  : "check the path, and that the build step made the file"};
}

Error Expansion::matched_nothing(const Entry& entry, const std::string& similar) const {
  const std::string what = "pattern '" + printable(entry.text) + "' matched nothing";
  if (!similar.empty()) {
    return {ErrorKind::input,
            what + "; " + printable(similar) + " is spelt with letters of the other case",
            "case counts in patterns, on every system: write it as the file is called"};
  }
  const std::string where =
      selection_.folder.empty() ? "the working directory" : printable(selection_.folder);
  return {ErrorKind::input,
          what,
          "check the spelling (case counts), that the build step ran before, and that paths are "
          "relative to " +
              where + "; a step that may be empty says allow-empty: true"};
}

Result<void> Expansion::add_entry(Entry entry) {
  if (entry.text.empty()) {
    return Error{ErrorKind::config, "a pattern is empty", "name a file, a folder or a pattern"};
  }
  if (entry.text.starts_with('!')) {
    return excludes_.add(entry.text.substr(1));
  }
  entries_.push_back(std::move(entry));
  return ok();
}

Result<void> Expansion::read_list(const std::string& name) {
  SIGNCTL_TRY(const Bytes bytes, read_file(path_in(selection_.folder, name), kLargestList), "");
  std::string_view text = without_byte_order_mark(as_text(bytes));
  const std::size_t before = entries_.size();
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.starts_with('@')) {
      return Error{ErrorKind::config,
                   "the list " + printable(name) + " names another list",
                   "name it beside this one; a file that begins with @ is ./@name"};
    }
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    SIGNCTL_CHECK(add_entry({std::string(line), name}), "");
  }
  if (entries_.size() == before && !selection_.allow_empty) {
    return Error{ErrorKind::input,
                 "the list " + printable(name) + " names no files",
                 "check that the build step wrote it"};
  }
  return ok();
}

Result<void> Expansion::read_entries() {
  for (const std::string& pattern : selection_.exclude) {
    SIGNCTL_CHECK(excludes_.add(pattern), "");
  }
  for (const std::string& text : selection_.include) {
    const bool is_list = text.starts_with('@');
    SIGNCTL_CHECK(is_list ? read_list(text.substr(1)) : add_entry({text, ""}),
                  is_list ? "reading the list " + printable(text.substr(1)) : "");
  }
  return ok();
}

/// Whether a link on the way makes `path` another file than it looks like.
bool Expansion::leads_elsewhere(const std::string& path, const fs::path& real) const {
  std::error_code failure;
  const fs::path named = to_path(path);
  if (fs::is_symlink(fs::symlink_status(named, failure))) {
    return true;
  }
  if (!named.is_absolute()) {
    return !here_.empty() && (here_ / named).lexically_normal() != real;
  }
  // How the project's own folder is reached is no news.
  const fs::path below = named.lexically_relative(to_path(selection_.folder));
  const bool is_below = !base_.empty() && !below.empty() && *below.begin() != "..";
  return (is_below ? base_ / below : named).lexically_normal() != real;
}

/// The pattern that excludes a file under the name by which it was found, or under its own where a
/// link led to it.
std::optional<std::string> Expansion::find_exclude(const std::string& path,
                                                   const fs::path& real) const {
  auto exclude = excludes_.find_match(path);
  const fs::path named = to_path(path);
  const fs::path whole = named.is_absolute() ? named : here_ / named;
  if (!exclude && whole.lexically_normal() != real) {
    const fs::path own = named.is_absolute() ? real : real.lexically_relative(here_);
    exclude = own.empty() ? std::nullopt : excludes_.find_match(to_utf8(own));
  }
  return exclude;
}

Result<void> Expansion::take(const std::string& path, const std::string& because) {
  std::error_code failure;
  const fs::path real = fs::canonical(to_path(path), failure);
  if (const auto exclude = failure ? excludes_.find_match(path) : find_exclude(path, real)) {
    if (excluded_.insert(path).second) {
      plan_.excluded.push_back({path, "excluded by " + *exclude});
    }
    return ok();
  }
  if (failure) {
    return Error{ErrorKind::input,
                 printable(path) + " is a link that leads nowhere",
                 "mend the link, or exclude it"};
  }
  has_files_ = true;
  // By path, not by inode: a hard link is replaced alone, so each name of a file needs its own
  // turn.
  if (planned_.insert(real).second) {
    plan_.files.push_back(
        {path, selection_.step, because, leads_elsewhere(path, real) ? to_utf8(real) : ""});
  } else if (leads_elsewhere(path, real) && excluded_.insert(path).second) {
    plan_.excluded.push_back({path, "leads to " + to_utf8(real) + ", which is planned already"});
  }
  return ok();
}

Result<std::size_t> Expansion::expand_folder(const Entry& entry, const std::string& path) {
  SIGNCTL_TRY(const Glob everything, Glob::parse("**"), "");
  SIGNCTL_TRY(const auto files, walk(everything, path == "." ? "" : path), "");
  std::size_t count = 0;
  for (const std::string& file : files) {
    if (recognise_ && !recognise_(file)) {
      continue;
    }
    SIGNCTL_CHECK(take(file, "in " + entry.text + from_list(entry)), "");
    ++count;
  }
  return count;
}

/// Unless it is excluded: then nobody misses it.
void Expansion::note_other_case(const std::string& path, const Entry& entry) {
  std::error_code failure;
  const fs::path real = fs::canonical(to_path(path), failure);
  if (!failure && !find_exclude(path, real)) {
    left_out_.push_back({path, entry.text});
  }
}

Result<void> Expansion::expand_pattern(const Entry& entry) {
  SIGNCTL_TRY(const Glob glob, Glob::parse(entry.text), "");
  SIGNCTL_TRY(const auto files, walk(glob.of_any_case(), selection_.folder), "");
  const std::size_t folder = glob.root().empty() ? selection_.folder.size() : 0;
  std::size_t count = 0;
  std::string similar;
  for (const std::string& file : files) {
    const std::string_view below = std::string_view(file).substr(folder);
    if (!glob.matches(folder > 0 && below.starts_with('/') ? below.substr(1) : below)) {
      note_other_case(file, entry);
      similar = similar.empty() ? file : similar;
      continue;
    }
    SIGNCTL_CHECK(take(file, "matches " + entry.text + from_list(entry)), "");
    ++count;
  }
  return count == 0 && !selection_.allow_empty ? Result<void>(matched_nothing(entry, similar))
                                               : ok();
}

Result<void> Expansion::expand_entry(const Entry& entry) {
  const std::string path = path_in(selection_.folder, entry.text);
  std::error_code ignored;
  const fs::file_status status = fs::status(to_path(path), ignored);
  if (fs::is_directory(status)) {
    SIGNCTL_TRY(const std::size_t count, expand_folder(entry, path), "");
    if (count == 0 && !selection_.allow_empty) {
      return Error{ErrorKind::input,
                   "no file in the folder " + printable(path) + " is " + std::string(nothing_.kind),
                   std::string(nothing_.hint)};
    }
    return ok();
  }
  if (fs::exists(status)) {
    return take(path, "named" + from_list(entry));
  }
  if (!has_wildcards(entry.text)) {
    return status.type() == fs::file_type::none ? unreachable(path) : absent(path);
  }
  return expand_pattern(entry);
}

Result<void> Expansion::run() {
  SIGNCTL_CHECK(read_entries(), "");
  for (const Entry& entry : entries_) {
    SIGNCTL_CHECK(expand_entry(entry), from_list(entry).empty() ? "" : "reading @" + entry.list);
  }
  if (!has_files_ && !selection_.allow_empty) {
    return Error{ErrorKind::input,
                 excluded_.empty() ? "no files are selected"
                                   : "every selected file is excluded, so nothing is left to do",
                 "check the files and the excludes"};
  }
  return ok();
}

}  // namespace

Result<FilePlan> expand(const std::vector<Selection>& selections,
                        const Recognise& recognise,
                        const NothingFound& nothing) {
  Expanded expanded;
  for (const Selection& selection : selections) {
    SIGNCTL_CHECK(Expansion(selection, recognise, nothing, expanded).run(),
                  selection.step.empty() ? "" : "planning step \"" + selection.step + "\"");
  }
  warn_of_other_case(expanded.left_out, expanded.planned);
  return std::move(expanded.plan);
}

}  // namespace signctl::plan
