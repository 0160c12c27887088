// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <map>
#include <string>
#include <string_view>

namespace signctl::providers::aws_kms {

/// A profile of AWS's shared files. Values are kept as secrets, because some are.
struct Profile {
  std::string name;
  std::map<std::string, Secret> values;

  /// The value of `key`, or the empty string; not for keys that hold secrets.
  [[nodiscard]] std::string get(std::string_view key) const;
  /// The value of `key`, or an empty secret.
  [[nodiscard]] Secret secret(std::string_view key) const;
};

/// The sections of the config file and the credentials file, joined by profile; the credentials
/// file wins.
using Profiles = std::map<std::string, Profile>;

enum class ProfileFile { config, credentials };

/// Adds the sections of one file. What is not understood is passed over, as AWS's tools do.
void read_profiles(std::string_view text, ProfileFile kind, Profiles& profiles);

/// The shared files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, or those in the
/// user's folder. A file that does not exist is empty.
///
/// @errors `input` for one that exists and cannot be read.
Result<Profiles> load_profiles(const Environment& environment);

}  // namespace signctl::providers::aws_kms
