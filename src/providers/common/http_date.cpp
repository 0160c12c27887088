// SPDX-License-Identifier: Apache-2.0
#include "providers/common/http_date.hpp"

#include "core/text.hpp"

#include <string>

namespace signctl::providers {

std::optional<TimePoint> parse_http_date(std::string_view text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  static constexpr std::string_view kShape = "aaa, 00 aaa 0000 00:00:00 GMT";
  if (text.size() != kShape.size() || text.substr(25) != " GMT" || text[11] != ' ' ||
      text[16] != ' ') {
    return std::nullopt;
  }
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) {
    return std::nullopt;
  }
  const std::size_t number = month / 3 + 1;
  // Which checks the digits and their ranges.
  return from_iso8601(std::string(text.substr(12, 4)) + (number < 10 ? "-0" : "-") +
                      std::to_string(number) + "-" + std::string(text.substr(5, 2)) + "T" +
                      std::string(text.substr(17, 8)) + "Z");
}

}  // namespace signctl::providers
