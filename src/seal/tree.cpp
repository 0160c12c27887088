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

std::string name_in_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t slash = url.find_last_of('/');
  const std::string_view last = slash == std::string_view::npos ? url : url.substr(slash + 1);
  std::string name;
  for (std::size_t i = 0; i < last.size(); ++i) {
    if (last[i] == '%' && i + 2 < last.size() && is_hex_digit(last[i + 1]) &&
        is_hex_digit(last[i + 2])) {
      name += static_cast<char>(from_hex(to_lower(last.substr(i + 1, 2)))->front());
      i += 2;
    } else {
      name += last[i];
    }
  }
  return name;
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
