// SPDX-License-Identifier: Apache-2.0
#include "plan/walk.hpp"

#include "core/path.hpp"
#include "core/real_name.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

namespace signctl::plan {

namespace {

namespace fs = std::filesystem;

class Walk {
 public:
  explicit Walk(const Glob& glob) : glob_(glob) {}

  Result<void> visit_folder(const std::string& folder, const Glob::State& state);
  /// Folders that links lead to come last: what is found under its own name as well is not to hide
  /// behind a link, which may be excluded.
  Result<void> follow_links();
  std::vector<std::string> take_found() && { return std::move(found_); }

 private:
  Result<std::vector<std::string>> list(const std::string& folder) const;
  Result<void> visit(const std::string& path, const Glob::State& state);
  bool is_first_visit(const std::string& folder, const Glob::State& state);

  const Glob& glob_;
  /// A folder counts as visited together with the state it was reached in: a/**/b and a link to a
  /// may want other files of it.
  std::set<std::pair<fs::path, Glob::State>> visited_;
  std::vector<std::pair<std::string, Glob::State>> links_;  ///< To folders, not followed yet.
  std::vector<std::string> found_;
};

std::string shown(const std::string& folder) {
  return folder.empty() ? "." : folder;
}

Result<std::vector<std::string>> Walk::list(const std::string& folder) const {
  std::vector<std::string> names;
  std::error_code failure;
  fs::directory_iterator entry(to_path(shown(folder)), failure);
  while (!failure && entry != fs::directory_iterator()) {
    std::string name = to_utf8(entry->path().filename());
    if (!name.starts_with(kOwnPrefix)) {
      names.push_back(std::move(name));
    }
    entry.increment(failure);
  }
  if (failure) {
    return Error{
        ErrorKind::input,
        "cannot list the folder " + printable(shown(folder)) + ": " + to_lower(failure.message()),
        "let the user that runs signctl read it, or exclude what must not be signed by "
        "naming other folders"};
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool Walk::is_first_visit(const std::string& folder, const Glob::State& state) {
  std::error_code failure;
  fs::path real = fs::canonical(to_path(shown(folder)), failure);
  return failure || visited_.emplace(std::move(real), glob_.open_part(state)).second;
}

Result<void> Walk::visit_folder(const std::string& folder, const Glob::State& state) {
  std::vector<std::string> names;
  if (auto literal = glob_.literal_names(state)) {
    names = std::move(*literal);
  } else if (is_first_visit(folder, state)) {
    SIGNCTL_TRY(names, list(folder), "");
  }
  for (const std::string& name : names) {
    const Glob::State next = glob_.step(state, name);
    if (!next.empty()) {
      SIGNCTL_CHECK(visit(path_in(folder, name), next), "");
    }
  }
  return ok();
}

Result<void> Walk::visit(const std::string& path, const Glob::State& state) {
  std::error_code failure;
  const fs::file_status status = fs::status(to_path(path), failure);
  std::error_code ignored;
  const bool is_link = fs::is_symlink(fs::symlink_status(to_path(path), ignored));
  if (fs::is_directory(status)) {
    if (is_link) {
      links_.emplace_back(path, state);
      return ok();
    }
    return visit_folder(path, state);
  }
  // A link that leads nowhere, or in a circle, has no status, but is there.
  const bool leads_nowhere = !fs::exists(status) && is_link;
  if (status.type() == fs::file_type::none && !leads_nowhere) {
    return Error{ErrorKind::input,
                 "cannot look at " + printable(path) + ": " + to_lower(failure.message()),
                 "let the user that runs signctl enter the folder, or exclude what must not be "
                 "signed by naming other folders"};
  }
  if ((fs::is_regular_file(status) || leads_nowhere) && glob_.accepts(state)) {
    found_.push_back(path);
  }
  return ok();
}

Result<void> Walk::follow_links() {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const auto [path, state] = links_[i];
    SIGNCTL_CHECK(visit_folder(path, state), "");
  }
  return ok();
}

}  // namespace

Result<std::vector<std::string>> walk(const Glob& glob, const std::string& folder) {
  Walk walk(glob);
  SIGNCTL_CHECK(walk.visit_folder(glob.root().empty() ? folder : glob.root(), glob.start()), "");
  SIGNCTL_CHECK(walk.follow_links(), "");
  return std::move(walk).take_found();
}

std::string path_in(const std::string& folder, const std::string& path) {
  if (folder.empty() || to_path(path).is_absolute()) {
    return path;
  }
  const std::string below = path.starts_with("./") ? path.substr(2) : path;
  if (below.empty() || below == ".") {
    return folder;
  }
  return folder.ends_with('/') ? folder + below : folder + "/" + below;
}

}  // namespace signctl::plan
