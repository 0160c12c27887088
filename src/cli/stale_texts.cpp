// SPDX-License-Identifier: Apache-2.0
#include "cli/stale_texts.hpp"

#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/utf16.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace signctl::cli {

namespace {

constexpr std::array<std::size_t, 5> kHashSizes{16, 20, 32, 48, 64};  // MD5 to SHA-512
/// What of a hash is looked for: no such digits are in a text by chance.
constexpr std::size_t kHexDigits = 32;
constexpr std::size_t kBase64Digits = 20;
constexpr std::size_t kLargestText = std::size_t{16} << 20U;
/// Of a larger file, what tells whether it is a text.
constexpr std::size_t kHead = std::size_t{64} << 10U;

std::string_view without_padding(std::string_view base64) {
  return base64.substr(0, base64.find_last_not_of('=') + 1);
}

/// The hash that a value says; empty for what is none.
Bytes hash_of(std::string_view value) {
  constexpr std::size_t kGroup = 4;
  std::string digits(without_padding(value));
  if (digits.empty() || digits.find_first_not_of(digits.front()) == std::string::npos) {
    return {};  // A placeholder: zeros, "xxxx".
  }
  std::optional<Bytes> hash = from_hex(digits);
  if (!hash) {
    digits.append((kGroup - digits.size() % kGroup) % kGroup, '=');
    hash = from_base64(digits);
  }
  const bool is_hash =
      hash && std::find(kHashSizes.begin(), kHashSizes.end(), hash->size()) != kHashSizes.end();
  return is_hash ? *std::move(hash) : Bytes{};
}

/// How a form starts, or a place in a text that is at least as long as that.
std::uint64_t start_of(const char* text) {
  std::uint64_t start = 0;
  std::memcpy(&start, text, sizeof(start));
  return start;
}

std::string without(std::string_view text, std::string_view characters) {
  std::string rest(text);
  std::erase_if(rest, [&](char c) { return characters.find(c) != std::string_view::npos; });
  return rest;
}

std::string url_safe(std::string base64) {
  std::replace(base64.begin(), base64.end(), '+', '-');
  std::replace(base64.begin(), base64.end(), '/', '_');
  return base64;
}

/// What a file says; empty optional when it is no text.
std::optional<std::string> text_in(ByteView bytes) {
  auto text = ascii_of_utf16(bytes);
  if (!text) {
    text = std::string(as_text(bytes));
  }
  return text->find('\0') == std::string::npos ? text : std::nullopt;
}

/// The file as text; empty when it is none.
std::string text_of(const std::string& path) {
  const auto source = FileSource::open(path);
  if (!source) {
    return {};
  }
  const bool is_too_large = (*source)->size() > kLargestText;
  const auto bytes = read_bytes(**source, 0, is_too_large ? kHead : (*source)->size());
  auto text = bytes ? text_in(*bytes) : std::nullopt;
  if (text && is_too_large) {
    log_warning(
        printable(path) + " is larger than " + std::to_string(kLargestText >> 20U) +
        " MiB and is not searched for hashes of files as they were before they were signed");
    return {};
  }
  return text.value_or(std::string());
}

}  // namespace

void OldHashes::add(std::string_view value, const std::string& of) {
  const Bytes hash = hash_of(value);
  if (hash.empty() || !known_.insert(hash).second) {
    return;
  }
  // The first digits are enough: a table may cut it off, or break it over lines.
  const std::string base64 = to_base64(hash).substr(0, kBase64Digits);
  add_form(to_hex(hash).substr(0, kHexDigits), of, hex_);
  add_form(base64, of, base64_);
  if (const std::string safe = url_safe(base64); safe != base64) {
    add_form(safe, of, base64_);
  }
}

void OldHashes::add_form(std::string text, const std::string& of, Forms& forms) {
  const std::uint64_t start = start_of(text.data());
  forms.emplace(start, Form{std::move(text), of});
}

/// Whatever stands before and after: no hash is in a text by chance.
const std::string* OldHashes::find_form(std::string_view text, const Forms& forms) {
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(1)) {
    const auto [begin, end] = forms.equal_range(start_of(text.data()));
    for (auto form = begin; form != end; ++form) {
      if (text.starts_with(form->second.text)) {
        return &form->second.of;
      }
    }
  }
  return nullptr;
}

const std::string* OldHashes::find_in(std::string_view text) const {
  if (known_.empty()) {
    return nullptr;
  }
  const std::string* found = find_form(to_lower(text), hex_);
  found = found != nullptr ? found : find_form(text, base64_);
  // As certutil and Format-List write it, and BitConverter.
  const std::string dense = without(text, " \t\r\n");
  found = found != nullptr ? found : find_form(dense, base64_);
  return found != nullptr ? found : find_form(to_lower(without(dense, "-:")), hex_);
}

Result<void> OldHashes::check_absent_from(const std::vector<std::string>& paths_utf8) const {
  for (const std::string& path : paths_utf8) {
    const std::string* const of = known_.empty() ? nullptr : find_in(text_of(path));
    if (of != nullptr) {
      return Error{ErrorKind::gate,
                   printable(path) + " holds a hash of " + printable(*of) +
                       " as it was before it was signed, and is of no type that is known here",
                   "bring it up to date yourself and run again, or leave it out: '!" +
                       printable(path) + "'; docs/seal.md lists the types"};
    }
  }
  return ok();
}

Result<void> OldHashes::check_absent_beside_values(const std::string& path_utf8,
                                                   std::string_view text) const {
  if (const std::string* const of = find_in(text); of != nullptr) {
    return Error{ErrorKind::gate,
                 printable(path_utf8) + " holds, beside the values that are sealed, a hash of " +
                     printable(*of) + " as it was before it was signed",
                 "take it out of the comment or note that it stands in, and run again"};
  }
  return ok();
}

}  // namespace signctl::cli
