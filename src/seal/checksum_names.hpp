// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// What the names of lists of checksums say.
namespace signctl::seal {

/// Whether it is a hash that others write lists of and that is not made here.
[[nodiscard]] bool is_foreign_hash(std::string_view name);

/// What a list's name says: "sha256" of SHA256SUMS, app_1.0_sha256sums.txt, checksums-sha256.txt,
/// sha256.sum, SHA-256SUMS and SHASUMS256.txt; empty of checksums.txt, which names none.
struct ListName {
  bool is_list{false};
  std::string algorithm;
  bool is_vague{false};  ///< Others call their files so as well: sha256.txt, hashes.txt.
};

[[nodiscard]] ListName list_name(std::string_view file_name);

/// "sha256" of "app.exe.sha256", "app.exe.sha256sum" and "app.exe.sha256.txt", which then is about
/// app.exe; else empty.
[[nodiscard]] std::string algorithm_extension(std::string_view file_name);

/// The file that "setup.exe.sha256", "setup.exe.sha256sum" or "setup.exe.sha256.txt" is about.
[[nodiscard]] std::string_view file_of_one(std::string_view file_name);

}  // namespace signctl::seal
