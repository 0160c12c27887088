// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/world.hpp>

#include <optional>
#include <string_view>

namespace signctl::providers {

/// IMF-fixdate (RFC 9110, 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT"; empty for anything else.
[[nodiscard]] std::optional<TimePoint> parse_http_date(std::string_view text);

}  // namespace signctl::providers
