// SPDX-License-Identifier: Apache-2.0
#include "formats/common/xml_limits.hpp"

#include "core/text.hpp"
#include "formats/common/xml_api.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace signctl::xml {
namespace {

constexpr std::size_t kMaxAttributes = 256;
constexpr int kMaxDepth = 256;
constexpr int kMaxNamespaces = 100;

/// Where the markup at `at` that is no element ends; `at` when it is an element.
std::size_t end_of_other_markup(std::string_view text, std::size_t at) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kOthers{
      {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}}};
  for (const auto& [opening, closing] : kOthers) {
    if (text.substr(at).starts_with(opening)) {
      const auto end = text.find(closing, at + opening.size());
      return end == std::string_view::npos ? text.size() : end + closing.size();
    }
  }
  return at;
}

/// Counts the attributes of the tag at `at` and moves behind it.
std::size_t attributes_of_tag(std::string_view text, std::size_t& at) {
  std::size_t count = 0;
  char quote = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      quote = c == quote ? '\0' : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      break;
    } else {
      count += c == '=' ? 1U : 0U;
    }
  }
  return count;
}

/// Right for what is well-formed; what is not ends the parser's work where it ends being so.
bool has_too_many_attributes(std::string_view text) {
  for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
    const std::size_t end = end_of_other_markup(text, at);
    if (end != at) {
      at = end;
    } else if (attributes_of_tag(text, at) > kMaxAttributes) {
      return true;
    }
  }
  return false;
}

int namespaces_on(const xmlNode* node) {
  int count = 0;
  for (const xmlNs* one = node->type == XML_ELEMENT_NODE ? node->nsDef : nullptr; one != nullptr;
       one = one->next) {
    ++count;
  }
  return count;
}

}  // namespace

Result<void> check_raw(ByteView bytes) {
  if (bytes.size() > kMaxBytes) {
    return Error{ErrorKind::input, "the XML document is larger than 16 MB"};
  }
  const bool wide = bytes.size() >= 2 && ((bytes[0] == 0xFF && bytes[1] == 0xFE) ||
                                          (bytes[0] == 0xFE && bytes[1] == 0xFF));
  if (wide || std::find(bytes.begin(), bytes.end(), 0) != bytes.end()) {
    return Error{ErrorKind::unsupported,
                 "the XML document is not in UTF-8",
                 "save it as UTF-8, which is what build tools write"};
  }
  // Before the parser sees it: declarations of entities cost time and memory as they are read.
  const std::string_view text = as_text(bytes);
  if (text.find("<!DOCTYPE") != std::string_view::npos ||
      text.find("<!ENTITY") != std::string_view::npos) {
    return Error{ErrorKind::input, "the XML document has a document type declaration"};
  }
  if (has_too_many_attributes(text)) {
    return Error{ErrorKind::input,
                 "the XML document has an element with more than " +
                     std::to_string(kMaxAttributes) + " attributes"};
  }
  return ok();
}

Result<void> check_tree(const _xmlNode* root) {
  int depth = 1;
  int namespaces = namespaces_on(root);
  const xmlNode* at = root;
  while (at != nullptr) {
    if (depth > kMaxDepth || namespaces > kMaxNamespaces) {
      return Error{ErrorKind::input,
                   depth > kMaxDepth
                       ? "the XML document is nested more than 256 levels deep"
                       : "the XML document has more than 100 namespaces in one place"};
    }
    if (at->type == XML_ELEMENT_NODE && at->children != nullptr) {
      at = at->children;
      ++depth;
      namespaces += namespaces_on(at);
      continue;
    }
    while (at != root && at->next == nullptr) {
      namespaces -= namespaces_on(at);
      at = at->parent;
      --depth;
    }
    if (at == root) {
      break;
    }
    namespaces -= namespaces_on(at);
    at = at->next;
    namespaces += namespaces_on(at);
  }
  return ok();
}

}  // namespace signctl::xml
