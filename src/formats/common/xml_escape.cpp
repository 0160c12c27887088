// SPDX-License-Identifier: Apache-2.0
#include "formats/common/xml.hpp"

namespace signctl::xml {
namespace {

std::string escaped(std::string_view text, bool attribute) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>' && !attribute) {
      out += "&gt;";
    } else if (c == '"' && attribute) {
      out += "&quot;";
    } else if (c == '\r' || (attribute && (c == '\n' || c == '\t'))) {
      out += c == '\r' ? "&#xD;" : c == '\n' ? "&#xA;" : "&#x9;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string escape_attribute(std::string_view text) {
  return escaped(text, true);
}

std::string escape_text(std::string_view text) {
  return escaped(text, false);
}

}  // namespace signctl::xml
