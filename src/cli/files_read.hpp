// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/common_options.hpp"
#include "config/config.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace signctl::cli {

/// What a run reads besides the files it is about: the config, keys, certificates, anchors. A typo
/// in the name of an output must not cost one of them.
///
/// Values that may be paths and are none do no harm: they are only compared with outputs.
class FilesRead {
 public:
  void add(std::string path);
  /// The config itself, its anchors, and the values and secret references of all its signers.
  void add(const config::Config& config);
  void add(const ConfigFlags& flags);
  void add(const SignerFlags& flags);
  void add(const TimestampFlags& flags);
  void add(const TrustFlags& flags);

  [[nodiscard]] const std::vector<std::string>& paths() const { return paths_; }

  /// @errors `usage` for an output that is one of them, however it is reached.
  [[nodiscard]] Result<void> check_output(const std::string& output) const;
  [[nodiscard]] Result<void> check_outputs(const std::vector<engine::FileTask>& tasks) const;

 private:
  /// A value that may be a path, behind `prefix` if it begins with that.
  void add_value(const std::string& folder, std::string_view value, std::string_view prefix);
  [[nodiscard]] std::unordered_set<std::string> real_names() const;

  std::vector<std::string> paths_;
};

}  // namespace signctl::cli
