// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.hpp"

#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "plan/glob.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

namespace signctl::plan {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxListBytes = 16U << 20U;
constexpr int kMaxDepth = 256;
constexpr std::string_view kTemporary = ".signctl-";

std::string under(const std::string& folder, const std::string& path) {
  const bool absolute = to_path(path).is_absolute();
  return folder.empty() || absolute ? path : folder + "/" + path;
}

/// `path` as it is matched against patterns: with `/` separators, relative to `folder`.
std::string relative_to(const std::string& folder, const std::string& path) {
  std::string text = to_utf8(to_path(path).lexically_normal().generic_u8string());
  if (!folder.empty()) {
    const std::string base = to_utf8(to_path(folder).lexically_normal().generic_u8string());
    const std::string prefix = base.ends_with('/') ? base : base + "/";
    if (text.starts_with(prefix)) {
      text.erase(0, prefix.size());
    }
  }
  return text;
}

/// Collects what one selection names.
class Expansion {
 public:
  Expansion(const Selection& selection,
            const Recognise& recognise,
            FilePlan& plan,
            std::set<std::string>& seen)
      : selection_(selection), recognise_(recognise), plan_(plan), seen_(seen) {}

  Result<void> run() {
    for (const std::string& pattern : selection_.exclude) {
      SIGNCTL_CHECK(add_exclude(pattern), "");
    }
    SIGNCTL_TRY(std::vector<std::string> entries, with_lists(selection_.include), "");
    for (const std::string& entry : entries) {
      if (entry.starts_with('!')) {
        SIGNCTL_CHECK(add_exclude(entry.substr(1)), "");
      }
    }
    for (const std::string& entry : entries) {
      if (!entry.starts_with('!')) {
        SIGNCTL_CHECK(add(entry), in_step());
      }
    }
    return ok();
  }

 private:
  [[nodiscard]] std::string in_step() const {
    return selection_.step.empty() ? "" : "planning step \"" + selection_.step + "\"";
  }

  Result<void> add_exclude(const std::string& pattern) {
    SIGNCTL_TRY(auto alternatives, expand_braces(pattern), in_step());
    for (std::string& one : alternatives) {
      excludes_.push_back(std::move(one));
    }
    return ok();
  }

  /// `@list.txt` replaced by its lines; `#` begins a comment line.
  Result<std::vector<std::string>> with_lists(const std::vector<std::string>& include) const {
    std::vector<std::string> entries;
    for (const std::string& entry : include) {
      if (!entry.starts_with('@')) {
        entries.push_back(entry);
        continue;
      }
      SIGNCTL_TRY(const Bytes bytes,
                  read_file(under(selection_.folder, entry.substr(1)), kMaxListBytes),
                  "reading the list " + entry);
      std::string_view text = as_text(bytes);
      while (!text.empty()) {
        std::string_view line = text.substr(0, std::min(text.find('\n'), text.size()));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) {
          line.remove_suffix(1);
        }
        if (!line.empty() && line[0] != '#') {
          entries.emplace_back(line);
        }
      }
    }
    return entries;
  }

  Result<void> add(const std::string& entry) {
    const std::string path = under(selection_.folder, entry);
    std::error_code error;
    const fs::file_status status = fs::status(to_path(path), error);
    matched_ = false;
    // A file whose name looks like a pattern is still that file.
    if (fs::is_directory(status)) {
      SIGNCTL_CHECK(walk(path, "in " + entry, std::nullopt), "");
    } else if (fs::exists(status)) {
      take(path, "named");
    } else if (is_pattern(entry)) {
      SIGNCTL_CHECK(add_pattern(entry), "");
    } else {
      return Error{ErrorKind::input, path + " does not exist", "check the path"};
    }
    if (!matched_ && !selection_.allow_empty) {
      return Error{ErrorKind::input,
                   "\"" + entry + "\" matched nothing",
                   "check the pattern and the working directory; a step may say allow-empty: true"};
    }
    return ok();
  }

  Result<void> add_pattern(const std::string& entry) {
    SIGNCTL_TRY(const auto alternatives, expand_braces(entry), "");
    for (const std::string& pattern : alternatives) {
      // Walk only below the part without wildcards.
      std::string base;
      for (const std::string_view part : components(pattern)) {
        if (is_pattern(part)) {
          break;
        }
        base += (base.empty() && !pattern.starts_with('/') ? "" : "/") + std::string(part);
      }
      std::error_code error;
      const std::string start = under(selection_.folder, base.empty() ? "." : base);
      if (!is_pattern(pattern) && fs::is_regular_file(to_path(start), error)) {
        take(start, "matches " + entry);
      } else if (fs::is_directory(to_path(start), error)) {
        SIGNCTL_CHECK(walk(start, "matches " + entry, pattern), "");
      }
    }
    return ok();
  }

  /// Takes files below `folder`, in the order of their names: those that match the pattern, or
  /// those that we can sign when there is none.
  Result<void> walk(const std::string& folder,
                    const std::string& because,
                    const std::optional<std::string>& pattern,
                    int depth = 0) {
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    for (fs::directory_iterator entry(to_path(folder), error), end; !error && entry != end;
         entry.increment(error)) {
      entries.push_back(*entry);
    }
    if (error) {
      return Error{ErrorKind::input,
                   "cannot list the folder " + folder + ": " + error.message(),
                   "check its permissions"};
    }
    std::sort(entries.begin(), entries.end());
    for (const fs::directory_entry& entry : entries) {
      const std::string path = relative_display(to_utf8(entry.path()));
      std::error_code ignored;
      if (entry.is_directory(ignored)) {
        // Links to folders are not followed: they may lead in circles or out of the tree.
        if (!entry.is_symlink(ignored) && depth < kMaxDepth) {
          SIGNCTL_CHECK(walk(path, because, pattern, depth + 1), "");
        }
      } else if (entry.is_regular_file(ignored) && wanted(path, pattern)) {
        take(path, because);
      }
    }
    return ok();
  }

  [[nodiscard]] static std::string relative_display(const std::string& path) {
    return path.starts_with("./") ? path.substr(2) : path;
  }

  [[nodiscard]] bool wanted(const std::string& path,
                            const std::optional<std::string>& pattern) const {
    if (to_utf8(to_path(path).filename()).starts_with(kTemporary)) {
      return false;
    }
    return pattern ? path_matches(*pattern, relative_to(selection_.folder, path))
                   : recognise_(path);
  }

  void take(const std::string& path, const std::string& because) {
    const std::string relative = relative_to(selection_.folder, path);
    for (const std::string& exclude : excludes_) {
      if (path_matches(exclude, relative)) {
        matched_ = true;
        plan_.excluded.push_back({path, "excluded by " + exclude});
        return;
      }
    }
    matched_ = true;
    std::error_code error;
    const fs::path real = fs::weakly_canonical(to_path(path), error);
    if (seen_.insert(error ? path : to_utf8(real)).second) {
      plan_.files.push_back({path, selection_.step, because});
    } else {
      plan_.excluded.push_back({path, "the same file is in the plan already"});
    }
  }

  const Selection& selection_;
  const Recognise& recognise_;
  FilePlan& plan_;
  std::set<std::string>& seen_;
  std::vector<std::string> excludes_;
  bool matched_{false};
};

}  // namespace

Result<FilePlan> expand(const std::vector<Selection>& selections, const Recognise& recognise) {
  FilePlan plan;
  std::set<std::string> seen;
  for (const Selection& selection : selections) {
    SIGNCTL_CHECK(Expansion(selection, recognise, plan, seen).run(), "");
  }
  return plan;
}

}  // namespace signctl::plan
