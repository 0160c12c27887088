// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/append_file.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

// The audit log: one JSON object a line, each with the SHA-256 of the line before it, so that
// nothing can be changed or taken out of the middle unnoticed.
namespace signctl::audit {

/// What `prev` says in the first line.
[[nodiscard]] std::string no_line();

/// `prev` of the line after this one: SHA-256 of its octets without the line break, lower-case hex.
[[nodiscard]] std::string hash_of_line(std::string_view line);

/// A log that is appended to. Several processes may append to one file; within a process one object
/// is used by one thread at a time.
class Log {
 public:
  /// Opens or creates it.
  ///
  /// @errors `output`.
  static Result<Log> open(const std::string& path_utf8);

  /// Adds one record with `schema` in front and `prev` behind. Where the last line was torn, by a
  /// crash or a full disk, it is ended, kept, and the new record says `after_torn_line`.
  ///
  /// @param record  A JSON object.
  /// @errors `output`; `input` when the end of the file cannot be read.
  Result<void> append(const nlohmann::ordered_json& record);

  /// Waits until the disk has it.
  Result<void> sync() const;

 private:
  explicit Log(AppendFile file);
  Result<void> append_locked(const nlohmann::ordered_json& record);

  std::unique_ptr<AppendFile> file_;
};

/// What is wrong with a log.
struct LogDefect {
  std::size_t line{};  ///< 1-based
  std::string what;
};

struct LogCheck {
  std::size_t records{};
  std::size_t torn{};         ///< Lines that a crash has cut off, and that the next one tells of.
  std::string head;           ///< hash_of_line() of the last line.
  bool expected_seen{false};  ///< Whether `expected` is the hash of one of the lines.
  std::vector<LogDefect> defects;  ///< The first twenty.
};

/// Checks the whole chain.
///
/// @param expected  A head that was noted down earlier; may be empty.
[[nodiscard]] LogCheck check_log(std::string_view text, std::string_view expected);

}  // namespace signctl::audit
