// SPDX-License-Identifier: Apache-2.0
// AWS's shared files: sections in brackets ("[profile NAME]" in the config file, "[NAME]" in the
// credentials file), "key = value" lines, comments from # or ; at the start of a line, and indented
// lines that belong to the key above, which nothing here needs.
#include "providers/aws_kms/profile.hpp"

#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

namespace signctl::providers::aws_kms {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20U;

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// The profile that a section heading opens; empty for sections of other kinds.
std::string_view profile_of(std::string_view heading, ProfileFile kind) {
  const std::string_view inner = trimmed(heading.substr(1, heading.find(']') - 1));
  constexpr std::string_view kPrefix = "profile";
  const bool prefixed = inner.starts_with(kPrefix) && inner.size() > kPrefix.size() &&
                        (inner[kPrefix.size()] == ' ' || inner[kPrefix.size()] == '\t');
  if (kind == ProfileFile::credentials) {
    return inner;
  }
  if (inner == "default") {
    return inner;
  }
  return prefixed ? trimmed(inner.substr(kPrefix.size())) : std::string_view();
}

Profile& profile_named(std::string_view name, Profiles& profiles) {
  Profile& profile = profiles[std::string(name)];
  profile.name = std::string(name);
  return profile;
}

Result<void> load(const std::string& path, ProfileFile kind, Profiles& profiles) {
  std::error_code failed;
  if (path.empty() || !std::filesystem::exists(to_path(path), failed)) {
    return ok();
  }
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kLargestFile), "reading the AWS profiles");
  read_profiles(as_text(bytes), kind, profiles);
  return ok();
}

std::string shared_file(const Environment& environment,
                        std::string_view variable,
                        std::string_view name) {
  if (auto named = environment.get(variable)) {
    return *named;
  }
  auto home = environment.get("HOME");
  if (!home) {
    home = environment.get("USERPROFILE");
  }
  return home ? *home + "/.aws/" + std::string(name) : std::string();
}

}  // namespace

std::string Profile::get(std::string_view key) const {
  return std::string(secret(key).reveal());
}

Secret Profile::secret(std::string_view key) const {
  const auto found = values.find(std::string(key));
  return found == values.end() ? Secret() : found->second;
}

void read_profiles(std::string_view text, ProfileFile kind, Profiles& profiles) {
  Profile* current = nullptr;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') {
      continue;
    }
    if (content.front() == '[') {
      const std::string_view name = profile_of(content, kind);
      current = name.empty() ? nullptr : &profile_named(name, profiles);
      continue;
    }
    const std::size_t equals = content.find('=');
    const bool nested = line.front() == ' ' || line.front() == '\t';
    if (current == nullptr || nested || equals == content.npos) {
      continue;
    }
    const std::string key = to_lower(trimmed(content.substr(0, equals)));
    current->values[key] = Secret(std::string(trimmed(content.substr(equals + 1))));
  }
}

Result<Profiles> load_profiles(const Environment& environment) {
  Profiles profiles;
  SIGNCTL_CHECK(
      load(shared_file(environment, "AWS_CONFIG_FILE", "config"), ProfileFile::config, profiles),
      "");
  SIGNCTL_CHECK(load(shared_file(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
                     ProfileFile::credentials,
                     profiles),
                "");
  return profiles;
}

}  // namespace signctl::providers::aws_kms
