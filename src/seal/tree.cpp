// SPDX-License-Identifier: Apache-2.0
#include "seal/tree.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::seal {

namespace {

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// `%20` and the like read.
std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is_hex_digit(text[i + 1]) &&
        is_hex_digit(text[i + 2])) {
      result += static_cast<char>(from_hex(to_lower(text.substr(i + 1, 2)))->front());
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

Result<Tree> Tree::parse(std::string_view text) {
  Tree tree;
  tree.text_ = text;
  auto root = config::read_yaml(text, "");
  if (!root) {
    Error error = std::move(root).error();
    error.kind = ErrorKind::input;
    // "config:3:1: ..." names our own config elsewhere.
    error.message.replace(0, error.message.starts_with("config:") ? 7 : 0, "line ");
    return error;
  }
  tree.root_ = std::move(*root);
  tree.lines_.push_back(0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    // As yaml-cpp counts them: a lone CR ends a line as well.
    if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'))) {
      tree.lines_.push_back(i + 1);
    }
  }
  return tree;
}

Result<void> Tree::add(const config::Node* value, Slot slot, std::vector<Slot>& slots) const {
  if (value == nullptr) {
    return ok();
  }
  const auto line = static_cast<std::size_t>(value->line) - 1;
  const std::string where = "line " + std::to_string(value->line) + ": " + slot.label;
  if (value->kind != config::NodeKind::scalar || value->text.empty() || line >= lines_.size()) {
    return malformed(where + " is no plain value");
  }
  const std::size_t end = line + 1 < lines_.size() ? lines_[line + 1] : text_.size();
  std::size_t begin = lines_[line] + static_cast<std::size_t>(value->column) - 1;
  // A byte order mark is part of the first line and of no column.
  if (line == 0 && text_.starts_with("\xEF\xBB\xBF")) {
    begin += 3;
  }
  if (begin < end && (text_[begin] == '"' || text_[begin] == '\'')) {
    ++begin;
  }
  if (begin > end ||
      text_.substr(begin, std::min(value->text.size(), end - begin)) != value->text) {
    return malformed(where + " is written in a way that is not changed in place");
  }
  slot.begin = begin;
  slot.end = begin + value->text.size();
  slots.push_back(std::move(slot));
  return ok();
}

Slot Tree::line_of(const config::Node& value, Slot slot) const {
  const auto line = static_cast<std::size_t>(value.line) - 1;
  slot.begin = lines_[line];
  slot.end = line + 1 < lines_.size() ? lines_[line + 1] : text_.size();
  return slot;
}

std::string text_of(const config::Node& node, std::string_view key) {
  const config::Node* value = node.find(key);
  return value != nullptr && value->kind == config::NodeKind::scalar ? value->text : "";
}

const config::Node* said(const config::Node* value) {
  const bool says = value != nullptr && value->kind != config::NodeKind::null &&
                    !(value->kind == config::NodeKind::scalar && value->text.empty());
  return says ? value : nullptr;
}

std::span<const config::Node> items_of(const config::Node* sequence) {
  return sequence == nullptr ? std::span<const config::Node>{} : sequence->items;
}

std::span<const config::Entry> entries_of(const config::Node* mapping) {
  return mapping == nullptr ? std::span<const config::Entry>{} : mapping->entries;
}

std::string name_in_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  return decoded(url.substr(url.find_last_of('/') + 1));
}

std::vector<std::string> path_in_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(std::min(url.find('/', scheme + 3), url.size()));
  }
  std::vector<std::string> parts;
  while (!url.empty()) {
    const std::size_t end = std::min(url.find('/'), url.size());
    std::string part = decoded(url.substr(0, end));
    if (!part.empty() && part != "." && part != "..") {
      parts.push_back(std::move(part));
    }
    url.remove_prefix(std::min(end + 1, url.size()));
  }
  return parts;
}

Slot slot_for_url(std::string_view url) {
  Slot slot;
  slot.target = name_in_url(url);
  slot.address = url.substr(0, url.find('#'));
  return slot;
}

std::optional<DigestAlg> alg_of_digits(std::size_t digits) {
  constexpr std::array kAlgs{
      DigestAlg::md5, DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512};
  for (const DigestAlg alg : kAlgs) {
    if (digits == 2 * digest_size(alg)) {
      return alg;
    }
  }
  return std::nullopt;
}

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_hex_digit);
}

Error malformed(std::string what) {
  return {ErrorKind::input, std::move(what)};
}

}  // namespace signctl::seal
