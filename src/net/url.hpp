// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace signctl::net {

/// `url` without user information, query and fragment, for messages. What cannot be told apart from
/// user information goes too.
[[nodiscard]] std::string without_secrets(std::string_view url);

/// The host of an http or https URL: lower case, no brackets, no port, no dot at the end. Empty for
/// anything else.
[[nodiscard]] std::string host_of(std::string_view url);

/// Whether `host` (as host_of() gives it) is this machine or a metadata service of the cloud it
/// runs in. Those are never asked through a proxy: it could not reach them, and must not see their
/// tokens.
[[nodiscard]] bool is_local_host(std::string_view host);

}  // namespace signctl::net
