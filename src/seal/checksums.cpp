// SPDX-License-Identifier: Apache-2.0
// Lists of checksums as sha256sum and its kin write them (GNU coreutils manual, "md5 invocation"),
// with and without --tag, and files that hold one hash for the file they are named after.
#include "core/text.hpp"
#include "seal/tree.hpp"

#include <algorithm>
#include <array>

namespace signctl::seal {

namespace {

constexpr std::array<std::string_view, 5> kAlgNames{"md5", "sha1", "sha256", "sha384", "sha512"};

/// Hashes that others write lists of and that are not made here.
constexpr std::array<std::string_view, 9> kForeignNames{
    "b2", "b3", "blake2", "blake2b", "blake2s", "blake3", "sha224", "sha3-256", "sha3-512"};

bool is_foreign(std::string_view name) {
  return std::find(kForeignNames.begin(), kForeignNames.end(), name) != kForeignNames.end();
}

/// "sha256" of "app.exe.sha256" and "app.exe.sha256sum", which then is about app.exe; else empty.
std::string_view algorithm_extension(std::string_view lower) {
  const std::size_t dot = lower.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0) {
    return {};
  }
  std::string_view extension = lower.substr(dot + 1);
  extension = extension.ends_with("sum") ? extension.substr(0, extension.size() - 3) : extension;
  const bool known = std::find(kAlgNames.begin(), kAlgNames.end(), extension) != kAlgNames.end();
  return known || is_foreign(extension) ? extension : std::string_view{};
}

/// "sha256" of SHA256SUMS, sha256sums.txt, SHA256SUM; else empty.
std::string_view algorithm_of_list(std::string_view lower) {
  std::string_view stem = lower.ends_with(".txt") ? lower.substr(0, lower.size() - 4) : lower;
  stem = stem.ends_with('s') ? stem.substr(0, stem.size() - 1) : stem;
  if (!stem.ends_with("sum")) {
    return {};
  }
  stem.remove_suffix(3);
  const bool known = std::find(kAlgNames.begin(), kAlgNames.end(), stem) != kAlgNames.end();
  return known || is_foreign(stem) ? stem : std::string_view{};
}

/// SHA256SUMS, sha256sums.txt, SHA256SUM, checksums.txt, app_1.0_checksums.txt.
bool is_list_name(std::string_view lower) {
  std::string_view stem = lower;
  stem = stem.ends_with(".txt") ? stem.substr(0, stem.size() - 4) : stem;
  if (stem == "checksums" || stem.ends_with("_checksums") || stem.ends_with("-checksums")) {
    return true;
  }
  return !algorithm_of_list(lower).empty();
}

/// A name with `\\` and `\n` for what cannot stand in a line.
std::string unescaped(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\' && i + 1 < name.size()) {
      ++i;
      result += name[i] == 'n' ? '\n' : name[i] == 'r' ? '\r' : name[i];
    } else {
      result += name[i];
    }
  }
  return result;
}

/// "SHA256 (app.exe) = 12ab...", relative to the line; false when it is none.
bool read_tagged(std::string_view line, Slot& slot, std::string_view& name) {
  const std::size_t open = line.find(" (");
  const std::size_t close = line.rfind(") = ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) {
    return false;
  }
  const std::string tag = to_lower(line.substr(0, open));
  const std::string_view digits = line.substr(close + 4);
  const auto alg = alg_of_digits(digits.size());
  // Others have hashes of the same length: BLAKE2b, SHA-512/256.
  if (!alg || !is_hex(digits) || tag != digest_name(*alg)) {
    return false;
  }
  name = line.substr(open + 2, close - open - 2);
  slot.begin = close + 4;
  slot.end = line.size();
  slot.alg = *alg;
  return true;
}

/// "12ab...  app.exe" or "12ab... *app.exe", relative to the line; false when it is none.
bool read_plain(std::string_view line, Slot& slot, std::string_view& name) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const auto alg = alg_of_digits(space);
  if (!alg || !is_hex(line.substr(0, space))) {
    return false;
  }
  slot.end = space;
  slot.alg = *alg;
  name = line.substr(space);
  if (name.starts_with("  ") || name.starts_with(" *")) {
    name.remove_prefix(2);
  } else if (!name.empty()) {
    name.remove_prefix(1);
  }
  return true;
}

class Checksums final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "checksums"; }
  [[nodiscard]] std::string_view title() const override { return "list of checksums"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view) const override {
    const std::string lower = to_lower(file_name);
    return is_list_name(lower) || !algorithm_extension(lower).empty();
  }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

Result<std::vector<Slot>> Checksums::read(std::string_view file_name, std::string_view text) const {
  std::vector<Slot> slots;
  const std::string lower = to_lower(file_name);
  const bool is_about_one = !is_list_name(lower);
  if (is_foreign(is_about_one ? algorithm_extension(lower) : algorithm_of_list(lower))) {
    return malformed(
        "its name says that it holds hashes of a kind that is not made here; known "
        "are md5, sha1, sha256, sha384 and sha512");
  }
  std::size_t number = 0;
  for (std::size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    line = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    ++number;
    if (!line.empty() && line.front() != '#') {
      Slot slot;
      std::string_view named;
      const bool escaped = line.front() == '\\';
      const std::string_view rest = line.substr(escaped ? 1 : 0);
      if (!read_tagged(rest, slot, named) && !read_plain(rest, slot, named)) {
        return malformed(
            "line " + std::to_string(number) +
            " holds no checksum that is known here: md5, sha1, sha256, sha384 or sha512 "
            "with a file's name");
      }
      slot.target = escaped ? unescaped(named) : std::string(named);
      if (slot.target.empty() && is_about_one) {
        slot.target = file_name.substr(0, file_name.find_last_of('.'));
      }
      if (slot.target.empty()) {
        return malformed("line " + std::to_string(number) + " names no file");
      }
      slot.label = digest_name(slot.alg);
      slot.begin += begin + (escaped ? 1 : 0);
      slot.end += begin + (escaped ? 1 : 0);
      slots.push_back(std::move(slot));
    }
    begin = end + 1;
  }
  return slots;
}

}  // namespace

const Dependent& checksums_dependent() {
  static const Checksums instance;
  return instance;
}

}  // namespace signctl::seal
