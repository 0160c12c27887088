// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signctl::cli {

/// Hashes that files had before they were signed, and whose. Looked for in hex and in base64,
/// however they were written where they are known from.
class OldHashes {
 public:
  /// What is neither hex nor base64 of a hash, and a placeholder of one digit, is passed over.
  void add(std::string_view value, const std::string& of);

  /// Refuses texts that hold one of them: they are of no type that can be brought up to date, and
  /// would be stale. UTF-16 with a byte order mark is read; a text that is too large is named in a
  /// warning.
  ///
  /// @errors `gate` for the first such text.
  [[nodiscard]] Result<void> check_absent_from(const std::vector<std::string>& paths_utf8) const;

  /// Refuses a file that is brought up to date but for what it says beside its values.
  ///
  /// @errors `gate`.
  [[nodiscard]] Result<void> check_absent_beside_values(const std::string& path_utf8,
                                                        std::string_view text) const;

 private:
  struct Form {
    std::string text;
    std::string of;
  };
  /// By how they start, so that each place of a text is looked up once, for all of them.
  using Forms = std::unordered_multimap<std::uint64_t, Form>;

  static void add_form(std::string text, const std::string& of, Forms& forms);
  [[nodiscard]] static const std::string* find_form(std::string_view text, const Forms& forms);
  [[nodiscard]] const std::string* find_in(std::string_view text) const;

  std::set<Bytes> known_;
  Forms hex_;  ///< Lower-case.
  Forms base64_;
};

}  // namespace signctl::cli
