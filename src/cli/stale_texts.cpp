// SPDX-License-Identifier: Apache-2.0
#include "cli/stale_texts.hpp"

#include "core/file.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace signctl::cli {

namespace {

constexpr std::string_view kHex = "0123456789abcdefABCDEF";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
constexpr std::size_t kFewestHexDigits = 32;  // MD5
constexpr std::size_t kFewestBase64Letters = 24;
/// What is longer is no text about a release.
constexpr std::size_t kLargestText = std::size_t{16} << 20U;

bool is_all_of(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == text.npos;
}

/// The next run of `letters`, taken off the text with what stands before it; empty at the end.
std::string_view take_run(std::string_view& text, std::string_view letters) {
  text.remove_prefix(std::min(text.find_first_of(letters), text.size()));
  const std::string_view run = text.substr(0, text.find_first_not_of(letters));
  text.remove_prefix(run.size());
  return run;
}

/// The file as text; empty when it is none.
std::string text_of(const std::string& path) {
  const auto source = FileSource::open(path);
  if (!source || (*source)->size() > kLargestText) {
    return {};
  }
  const auto bytes = read_bytes(**source, 0, (*source)->size());
  const bool is_text = bytes && std::find(bytes->begin(), bytes->end(), 0) == bytes->end();
  return is_text ? std::string(as_text(*bytes)) : std::string();
}

}  // namespace

void OldHashes::add(std::string_view value, const std::string& of) {
  if (value.size() >= kFewestHexDigits && is_all_of(value, kHex)) {
    hashes_.emplace(to_lower(value), of);
  } else if (value.size() >= kFewestBase64Letters && is_all_of(value, kBase64)) {
    hashes_.emplace(value, of);
  }
}

const std::string* OldHashes::find_in(std::string_view text) const {
  for (const std::string_view letters : {kHex, kBase64}) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view run = take_run(rest, letters);
      if (run.size() < kFewestBase64Letters) {
        continue;
      }
      const auto found = hashes_.find(letters == kHex ? to_lower(run) : std::string(run));
      if (found != hashes_.end()) {
        return &found->second;
      }
    }
  }
  return nullptr;
}

Result<void> OldHashes::check_absent_from(const std::vector<std::string>& paths_utf8) const {
  for (const std::string& path : paths_utf8) {
    const std::string* const of = hashes_.empty() ? nullptr : find_in(text_of(path));
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

}  // namespace signctl::cli
