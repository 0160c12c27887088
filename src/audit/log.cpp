// SPDX-License-Identifier: Apache-2.0
#include "audit/log.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::audit {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "signctl/audit/1";
constexpr std::uint64_t kTail = 64U << 10U;
/// The octet whose lock stands for the right to append; behind the end of any log.
constexpr std::uint64_t kLockPlace = std::uint64_t{1} << 60U;
constexpr std::chrono::milliseconds kLook{10};
constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kMostDefects = 20;

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The end of a log.
struct Tail {
  std::string prev;
  bool torn{false};  ///< The last line has no end.
};

/// Empty when the last line begins before `text`.
std::optional<Tail> tail_of(std::string_view text, bool is_whole) {
  if (text.empty()) {
    return Tail{no_line(), false};
  }
  const bool torn = text.back() != '\n';
  if (!torn) {
    text.remove_suffix(1);
  }
  const auto begin = text.rfind('\n');
  if (begin == std::string_view::npos && !is_whole) {
    return std::nullopt;
  }
  return Tail{hash_of_line(begin == std::string_view::npos ? text : text.substr(begin + 1)), torn};
}

Result<Tail> read_tail(const AppendFile& file) {
  for (std::uint64_t wanted = kTail;; wanted *= 2) {
    const std::uint64_t size = file.size();
    const std::uint64_t begin = size - std::min(size, wanted);
    SIGNCTL_TRY(const Bytes bytes, file.read_from(begin), "reading the end of the audit log");
    if (auto tail = tail_of(as_text(bytes), begin == 0)) {
      return std::move(*tail);
    }
  }
}

}  // namespace

std::string no_line() {
  constexpr std::size_t kDigits = 64;
  return std::string(kDigits, '0');
}

std::string hash_of_line(std::string_view line) {
  return to_hex(crypto::hash(DigestAlg::sha256, as_bytes(line)));
}

Log::Log(AppendFile file) : file_(std::make_unique<AppendFile>(std::move(file))) {}

Result<Log> Log::open(const std::string& path_utf8) {
  SIGNCTL_TRY(AppendFile file, AppendFile::open(path_utf8), "opening the audit log");
  return Log(std::move(file));
}

Result<void> Log::append(const Json& record) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!file_->try_lock(kLockPlace, 1)) {
    if (std::chrono::steady_clock::now() > deadline) {
      return Error{ErrorKind::output,
                   "the audit log is locked by another process for longer than a minute"};
    }
    std::this_thread::sleep_for(kLook);
  }
  auto appended = append_locked(record);
  file_->unlock(kLockPlace, 1);
  return appended;
}

Result<void> Log::append_locked(const Json& record) {
  SIGNCTL_TRY(const Tail tail, read_tail(*file_), "");
  Json line;
  line["schema"] = kSchema;
  line.update(record);
  if (tail.torn) {
    line["after_torn_line"] = true;
  }
  line["prev"] = tail.prev;
  const std::string text =
      (tail.torn ? "\n" : "") + line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  SIGNCTL_CHECK(file_->append(as_bytes(text)), "writing the audit log");
  return ok();
}

Result<void> Log::sync() const {
  return file_->sync();
}

LogCheck check_log(std::string_view text, std::string_view expected) {
  LogCheck check;
  std::string prev = no_line();
  bool after_torn = false;
  const auto defect = [&check](std::size_t line, std::string what) {
    if (check.defects.size() < kMostDefects) {
      check.defects.push_back({line, std::move(what)});
    }
  };
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool ended = end < text.size();
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const Json json = Json::parse(line, nullptr, false);
    const bool is_record = json.is_object() && text_of(json, "schema") == kSchema;
    if (!is_record) {
      // Only the next record can tell whether a crash has done this.
      after_torn = true;
      ++check.torn;
    } else {
      ++check.records;
      if (text_of(json, "prev") != prev) {
        defect(number, "it does not continue the line before it");
      }
      if (json.contains("after_torn_line") != after_torn) {
        defect(number,
               after_torn ? "the line before it is no record, and it does not tell of a torn line"
                          : "it tells of a torn line that is not there");
      }
      after_torn = false;
    }
    if (!ended) {
      defect(number, "the line has no end: the writing was cut off");
    }
    prev = hash_of_line(line);
    check.expected_seen = check.expected_seen || prev == expected;
  }
  if (after_torn && check.defects.empty()) {
    defect(number, "the last line is no record");
  }
  check.head = prev;
  return check;
}

}  // namespace signctl::audit
