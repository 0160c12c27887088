// SPDX-License-Identifier: Apache-2.0
#include "plan/excludes.hpp"

#include "core/path.hpp"

#include <algorithm>
#include <filesystem>

namespace signctl::plan {

namespace {

namespace fs = std::filesystem;

fs::path absolute_path(const std::string& path) {
  std::error_code failure;
  const fs::path absolute = fs::absolute(to_path(path.empty() ? "." : path), failure);
  // Only a working directory that has gone fails; nothing relative to it can be found either.
  return failure ? to_path(path) : absolute.lexically_normal();
}

bool matches_a_name(const Glob& glob, const std::string& path) {
  const auto names = split_path(path);
  return std::any_of(
      names.begin(), names.end(), [&](std::string_view name) { return glob.matches(name); });
}

}  // namespace

Result<void> Excludes::add(const std::string& pattern) {
  SIGNCTL_TRY(Glob glob, Glob::parse(pattern), "");
  globs_.push_back(std::move(glob));
  return ok();
}

std::optional<std::string> Excludes::find_match(const std::string& path) const {
  if (globs_.empty()) {
    return std::nullopt;
  }
  const fs::path whole = absolute_path(path);
  const std::string absolute = with_slashes(to_utf8(whole));
  // As seen from the folder, however the path was written; empty on another drive.
  const std::string relative =
      with_slashes(to_utf8(whole.lexically_relative(absolute_path(folder_))));
  for (const Glob& glob : globs_) {
    const bool is_name = glob.text().find('/') == std::string::npos;
    const std::string& seen = glob.root().empty() && !relative.empty() ? relative : absolute;
    if (is_name ? matches_a_name(glob, seen) : glob.matches_or_contains(seen)) {
      return glob.text();
    }
  }
  return std::nullopt;
}

}  // namespace signctl::plan
