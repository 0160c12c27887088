// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::cli {

/// Hashes that files had before they were signed: in lower-case hex or base64, and whose.
class OldHashes {
 public:
  /// What is neither hex nor base64 of a hash's length is passed over.
  void add(std::string_view value, const std::string& of);

  /// Refuses texts that hold one of them: they are of no type that can be brought up to date, and
  /// would be stale.
  ///
  /// @errors `gate` for the first such text.
  [[nodiscard]] Result<void> check_absent_from(const std::vector<std::string>& paths_utf8) const;

 private:
  [[nodiscard]] const std::string* find_in(std::string_view text) const;

  std::map<std::string, std::string, std::less<>> hashes_;
};

}  // namespace signctl::cli
