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

bool is_algorithm(std::string_view name) {
  return std::find(kAlgNames.begin(), kAlgNames.end(), name) != kAlgNames.end() || is_foreign(name);
}

/// "sha256" of "app.exe.sha256", "app.exe.sha256sum" and "app.exe.sha256.txt", which then is about
/// app.exe; else empty.
std::string_view algorithm_extension(std::string_view lower) {
  lower = lower.ends_with(".txt") ? lower.substr(0, lower.size() - 4) : lower;
  const std::size_t dot = lower.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0) {
    return {};
  }
  std::string_view extension = lower.substr(dot + 1);
  extension = extension.ends_with("sum") ? extension.substr(0, extension.size() - 3) : extension;
  return is_algorithm(extension) ? extension : std::string_view{};
}

/// What a list's name says: "sha256" of SHA256SUMS, app_1.0_sha256sums.txt, checksums-sha256.txt,
/// sha256.sum and SHASUMS256.txt; empty of checksums.txt, which names none.
struct ListName {
  bool is_list{false};
  std::string algorithm;
  bool is_vague{false};  ///< Others call their files so as well: sha256.txt, hashes.txt.
};

/// The last word of a name, taken from it.
std::string_view take_last_word(std::string_view& name) {
  const std::size_t separator = name.find_last_of("_-. ");
  const std::string_view word = name.substr(separator + 1);
  name = name.substr(0, separator == std::string_view::npos ? 0 : separator);
  return word;
}

/// "sha256" of "sha256sums" and of Node.js's "shasums256"; else empty.
std::string algorithm_of_sums(std::string_view word) {
  if (word.starts_with("shasums")) {
    const std::string name = "sha" + std::string(word.substr(7));
    return is_algorithm(name) ? name : "";
  }
  word = word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
  if (!word.ends_with("sum")) {
    return {};
  }
  word.remove_suffix(3);
  return is_algorithm(word) ? std::string(word) : "";
}

bool says_checksums(std::string_view word) {
  return word == "checksums" || word == "checksum" || word == "shasums";
}

ListName list_name(std::string_view lower) {
  const bool is_text = lower.ends_with(".txt");
  const std::string_view stem = is_text ? lower.substr(0, lower.size() - 4) : lower;
  // SHA3-256SUMS has a separator in its one word.
  if (std::string algorithm = algorithm_of_sums(stem); !algorithm.empty()) {
    return {true, std::move(algorithm)};
  }
  std::string_view rest = stem;
  const std::string_view last = take_last_word(rest);
  if (std::string algorithm = algorithm_of_sums(last); !algorithm.empty()) {
    // "setup.exe.sha256sum" is about setup.exe alone.
    return {last.ends_with('s') || stem[rest.size()] != '.', std::move(algorithm)};
  }
  if (rest.empty() && (is_algorithm(last) || last == "hashes")) {
    return {true, is_algorithm(last) ? std::string(last) : "", true};
  }
  const std::string_view other = take_last_word(rest);
  if (says_checksums(last) || last == "sum" || last == "sums") {
    const bool is_named = is_algorithm(other);
    return {says_checksums(last) || is_named, is_named ? std::string(other) : ""};
  }
  const bool is_named = is_algorithm(last) && says_checksums(other);
  return {is_named, is_named ? std::string(last) : ""};
}

/// The file that "setup.exe.sha256", "setup.exe.sha256sum" or "setup.exe.sha256.txt" is about.
std::string_view file_of_one(std::string_view file_name) {
  file_name =
      to_lower(file_name).ends_with(".txt") ? file_name.substr(0, file_name.size() - 4) : file_name;
  return file_name.substr(0, file_name.find_last_of('.'));
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

/// Whether the first line that says anything is one of a list.
bool begins_with_checksum(std::string_view text) {
  text.remove_prefix(text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    line = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    if (!line.empty() && line.front() != '#') {
      Slot slot;
      std::string_view name;
      line.remove_prefix(line.front() == '\\' ? 1 : 0);
      return read_tagged(line, slot, name) || (read_plain(line, slot, name) && !name.empty());
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

class Checksums final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "checksums"; }
  [[nodiscard]] std::string_view title() const override { return "list of checksums"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view text) const override {
    const std::string lower = to_lower(file_name);
    const ListName list = list_name(lower);
    return list.is_vague ? begins_with_checksum(text)
                         : list.is_list || !algorithm_extension(lower).empty();
  }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

Result<std::vector<Slot>> Checksums::read(std::string_view file_name, std::string_view text) const {
  std::vector<Slot> slots;
  const std::string lower = to_lower(file_name);
  const ListName list = list_name(lower);
  const std::string algorithm =
      list.is_list ? list.algorithm : std::string(algorithm_extension(lower));
  if (is_foreign(algorithm)) {
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
      const bool is_tagged = read_tagged(rest, slot, named);
      if (!is_tagged && !read_plain(rest, slot, named)) {
        return malformed(
            "line " + std::to_string(number) +
            " holds no checksum that is known here: md5, sha1, sha256, sha384 or sha512 "
            "with a file's name");
      }
      slot.target = escaped ? unescaped(named) : std::string(named);
      if (slot.target.empty() && !list.is_list) {
        slot.target = file_of_one(file_name);
      }
      if (slot.target.empty()) {
        return malformed("line " + std::to_string(number) + " names no file");
      }
      slot.label = digest_name(slot.alg);
      slot.guessed = !is_tagged && algorithm != slot.label;
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
