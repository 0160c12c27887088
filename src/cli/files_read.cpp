// SPDX-License-Identifier: Apache-2.0
#include "cli/files_read.hpp"

#include "cli/settings.hpp"
#include "core/path.hpp"
#include "core/real_name.hpp"
#include "core/text.hpp"

#include <utility>

namespace signctl::cli {

namespace {

constexpr std::string_view kFile = "file:";
constexpr std::string_view kLocalAuthority = "dev:";

Error would_overwrite(const std::string& output) {
  return {ErrorKind::usage,
          "the output would overwrite " + printable(output) + ", which this run reads",
          "give --output another name"};
}

}  // namespace

void FilesRead::add(std::string path) {
  if (!path.empty()) {
    paths_.push_back(std::move(path));
  }
}

void FilesRead::add_value(const std::string& folder,
                          std::string_view value,
                          std::string_view prefix) {
  if (value.starts_with(prefix)) {
    value.remove_prefix(prefix.size());
  }
  if (!value.empty()) {
    add(in_folder(folder, std::string(value)));
  }
}

void FilesRead::add(const config::Config& config) {
  add(config.file);
  for (const std::string& source : config.gate.trust) {
    add_value(config.folder, source, kFile);
  }
  for (const std::string& server : config.sign.timestamp_servers) {
    add_value(config.folder, server, kLocalAuthority);
  }
  for (const auto& [name, signer] : config.signers) {
    for (const auto& [key, value] : signer.values) {
      add_value(config.folder, value, "");
    }
    for (const auto& [key, references] : signer.secrets) {
      for (const SecretRef& reference : references) {
        add_value(config.folder, reference.describe(), kFile);
      }
    }
  }
}

void FilesRead::add(const ConfigFlags& flags) {
  add(flags.file);
}

void FilesRead::add(const SignerFlags& flags) {
  add(flags.chain);
  for (const std::string& pair : flags.pairs) {
    add_value("", std::string_view(pair).substr(pair.find('=') + 1), kFile);
  }
}

void FilesRead::add(const TimestampFlags& flags) {
  for (const std::string& server : flags.servers) {
    add_value("", server, kLocalAuthority);
  }
}

void FilesRead::add(const TrustFlags& flags) {
  paths_.insert(paths_.end(), flags.certificates.begin(), flags.certificates.end());
}

std::unordered_set<std::string> FilesRead::real_names() const {
  std::unordered_set<std::string> names;
  for (const std::string& path : paths_) {
    names.insert(real_name(to_path(path)));
  }
  return names;
}

Result<void> FilesRead::check_output(const std::string& output) const {
  const bool is_read = !output.empty() && real_names().contains(real_name(to_path(output)));
  return is_read ? Result<void>(would_overwrite(output)) : ok();
}

Result<void> FilesRead::check_outputs(const std::vector<engine::FileTask>& tasks) const {
  const std::unordered_set<std::string> names = real_names();
  for (const engine::FileTask& task : tasks) {
    if (names.contains(real_name(to_path(task.output)))) {
      return would_overwrite(task.output);
    }
  }
  return ok();
}

}  // namespace signctl::cli
