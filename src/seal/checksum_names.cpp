// SPDX-License-Identifier: Apache-2.0
#include "seal/checksum_names.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace signctl::seal {

namespace {

constexpr std::array<std::string_view, 5> kAlgNames{"md5", "sha1", "sha256", "sha384", "sha512"};

/// Hashes that others write lists of and that are not made here.
constexpr std::array<std::string_view, 9> kForeignNames{
    "b2", "b3", "blake2", "blake2b", "blake2s", "blake3", "sha224", "sha3-256", "sha3-512"};

bool is_algorithm(std::string_view name) {
  return std::find(kAlgNames.begin(), kAlgNames.end(), name) != kAlgNames.end() ||
         is_foreign_hash(name);
}

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

/// In lower case, with "sha256" for "SHA-256".
std::string without_dash(std::string_view file_name) {
  std::string lower = to_lower(file_name);
  for (std::size_t at = lower.find("sha-"); at != std::string::npos; at = lower.find("sha-", at)) {
    const bool is_number = at + 4 < lower.size() && lower[at + 4] >= '0' && lower[at + 4] <= '9';
    lower.erase(at + 3, is_number ? 1 : 0);
    at += 3;
  }
  return lower;
}

}  // namespace

bool is_foreign_hash(std::string_view name) {
  return std::find(kForeignNames.begin(), kForeignNames.end(), name) != kForeignNames.end();
}

ListName list_name(std::string_view file_name) {
  const std::string lower = without_dash(file_name);
  const bool is_text = lower.ends_with(".txt");
  const std::string_view stem = std::string_view(lower).substr(0, lower.size() - (is_text ? 4 : 0));
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

std::string algorithm_extension(std::string_view file_name) {
  const std::string whole = without_dash(file_name);
  const std::string_view lower(whole.data(), whole.size() - (whole.ends_with(".txt") ? 4 : 0));
  const std::size_t dot = lower.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0) {
    return {};
  }
  std::string_view extension = lower.substr(dot + 1);
  extension = extension.ends_with("sum") ? extension.substr(0, extension.size() - 3) : extension;
  return is_algorithm(extension) ? std::string(extension) : "";
}

std::string_view file_of_one(std::string_view file_name) {
  file_name =
      to_lower(file_name).ends_with(".txt") ? file_name.substr(0, file_name.size() - 4) : file_name;
  return file_name.substr(0, file_name.find_last_of('.'));
}

}  // namespace signctl::seal
