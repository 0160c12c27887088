// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "formats/common/xml_api.hpp"
#include "formats/common/xml_signature.hpp"

#include <algorithm>
#include <cstring>

namespace signctl::xml {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view content_of(const xmlNode* node) {
  const auto* text = reinterpret_cast<const char*>(node->content);
  return text == nullptr ? std::string_view() : std::string_view(text, std::strlen(text));
}

bool is_text(const xmlNode* node) {
  return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

/// What the nodes of a document hold that is not covered.
struct Uncovered {
  const xmlNode* signature;
  std::size_t comments{0};  ///< In no canonical form.
  std::size_t others{0};

  /// `first` and what follows it on its level. Documents are not deep.
  void add(const xmlNode* first, bool within) {
    bool has_elements = false;
    for (const xmlNode* at = first; at != nullptr; at = at->next) {
      has_elements = has_elements || at->type == XML_ELEMENT_NODE;
    }
    for (const xmlNode* at = first; at != nullptr; at = at->next) {
      if (at->type == XML_COMMENT_NODE) {
        comments += content_of(at).size();
      } else if (at->type == XML_PI_NODE) {
        others += content_of(at).size();
      } else if (is_text(at) && within) {
        const std::string_view text = content_of(at);
        others += has_elements
                      ? text.size()
                      : static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_blank));
      } else if (at->type == XML_ELEMENT_NODE) {
        add(at->children, within || at == signature);
      }
    }
  }
};

/// Line ends of two octets are one in the canonical form.
std::size_t size_with_short_line_ends(ByteView raw) {
  std::size_t size = raw.size();
  for (std::size_t i = 1; i < raw.size(); ++i) {
    size -= raw[i - 1] == '\r' && raw[i] == '\n' ? 1U : 0U;
  }
  return size;
}

}  // namespace

Result<std::size_t> uncovered_bytes(const Document& document,
                                    ByteView raw,
                                    const Element& signature) {
  Uncovered found{signature.node()};
  found.add(document.root().node()->doc->children, false);
  SIGNCTL_TRY(const Bytes canonical, document.canonical(Canonical::inclusive), "");
  const std::size_t needed = canonical.size() + found.comments;
  const std::size_t size = size_with_short_line_ends(raw);
  return found.comments + found.others + (size > needed ? size - needed : 0);
}

}  // namespace signctl::xml
