// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/check.hpp"
#include "config/config.hpp"

#include <signctl/provider.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::config {

inline constexpr std::string_view kReferenceHint = "use env:NAME, file:PATH, exec:COMMAND or stdin";

/// The keys that a provider understands.
[[nodiscard]] std::vector<std::string> setting_names(const Provider& provider);

/// The setting of a provider with that key; nullptr if it has none.
[[nodiscard]] const SettingSpec* find_setting(const Provider& provider, std::string_view key);

/// Whether a secret belongs under `key`: by this build's provider, else by what is known of it.
[[nodiscard]] bool is_secret_key(std::string_view provider, std::string_view key);

/// Whether `text` may be the value of a number setting: decimal digits, not too many.
[[nodiscard]] bool is_setting_number(std::string_view text);

/// `path` as seen from `folder`, unless absolute; "" is the working directory.
[[nodiscard]] std::string in_folder(const std::string& folder, const std::string& path);

/// Reads `signers:`. References of the kind file:PATH become relative to the working directory.
Result<std::map<std::string, Signer>> read_signers(const Node& node,
                                                   const Config& config,
                                                   Origins& origins);

}  // namespace signctl::config
