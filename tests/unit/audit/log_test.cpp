// SPDX-License-Identifier: Apache-2.0
#include "audit/log.hpp"

#include "core/file.hpp"
#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

using namespace signctl;
using namespace signctl::test;
using Json = nlohmann::ordered_json;

namespace {

void append(const std::string& path, int number) {
  auto log = audit::Log::open(path);
  REQUIRE(log);
  REQUIRE(log->append(Json{{"event", "test"}, {"number", number}}));
}

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path, 1U << 20U);
  REQUIRE(bytes);
  return std::string(as_text(*bytes));
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string three_records(const std::string& path) {
  for (int i = 0; i < 3; ++i) {
    append(path, i);
  }
  return text_of(path);
}

bool is_intact(const std::string& text) {
  return audit::check_log(text, "").defects.empty();
}

}  // namespace

TEST_CASE("an audit log is a chain", "[audit]") {
  const TemporaryFolder folder;
  const std::string text = three_records(folder.file("log"));
  const auto check = audit::check_log(text, "");
  CHECK(check.defects.empty());
  CHECK(check.records == 3);
  CHECK(check.torn == 0);
  const std::size_t last = text.rfind('\n', text.size() - 2) + 1;
  CHECK(check.head == audit::hash_of_line(text.substr(last, text.size() - last - 1)));
  CHECK(audit::check_log(text, check.head).expected_seen);
  CHECK_FALSE(audit::check_log(text.substr(0, last), check.head).expected_seen);
}

TEST_CASE("any octet changed in an audit log breaks it, but for the last line", "[audit]") {
  const TemporaryFolder folder;
  const std::string text = three_records(folder.file("log"));
  const std::size_t last = text.rfind('\n', text.size() - 2) + 1;
  for (std::size_t at = 0; at < last; ++at) {
    for (const int flip : {0x01, 0x20}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      INFO(at);
      CHECK_FALSE(is_intact(changed));
    }
  }
}

TEST_CASE("lines taken out of an audit log, exchanged or doubled are found", "[audit]") {
  const TemporaryFolder folder;
  const std::string text = three_records(folder.file("log"));
  const std::size_t one = text.find('\n') + 1;
  const std::size_t two = text.find('\n', one) + 1;
  const std::string a = text.substr(0, one);
  const std::string b = text.substr(one, two - one);
  const std::string c = text.substr(two);
  CHECK(is_intact(a + b + c));
  CHECK_FALSE(is_intact(b + c));
  CHECK_FALSE(is_intact(a + c));
  CHECK_FALSE(is_intact(a + c + b));
  CHECK_FALSE(is_intact(a + a + b + c));
  CHECK_FALSE(is_intact(a + "\n" + b + c));
  CHECK_FALSE(is_intact(a + "no record\n" + b + c));
  CHECK_FALSE(is_intact(a + b + "no record\n"));
  CHECK_FALSE(is_intact(a + b + c.substr(0, c.size() - 1)));
}

TEST_CASE("a torn line is ended, kept and told of", "[audit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("log");
  const std::string whole = three_records(path);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{20}, std::size_t{80}}) {
    const std::string torn = whole.substr(0, whole.size() - cut);
    write(path, torn);
    append(path, 7);
    const std::string text = text_of(path);
    CHECK(text.starts_with(torn + "\n"));
    const auto check = audit::check_log(text, "");
    // With the line break alone missing, the line is a record all the same.
    if (cut > 1) {
      CHECK(check.defects.empty());
      CHECK(check.torn == 1);
    }
    std::string hidden = text;
    hidden.erase(torn.size() - 5, 5);
    CHECK_FALSE(is_intact(hidden));
  }
}

TEST_CASE("lines longer than what is read at a time are followed", "[audit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("log");
  auto log = audit::Log::open(path);
  REQUIRE(log);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(log->append(Json{{"event", std::string(200'000, 'x')}}));
  }
  CHECK(is_intact(text_of(path)));
}

TEST_CASE("several writers make one chain", "[audit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("log");
  // Locks are between processes: here the records of one object after another.
  for (int i = 0; i < 4; ++i) {
    auto first = audit::Log::open(path);
    auto second = audit::Log::open(path);
    REQUIRE(first);
    REQUIRE(second);
    REQUIRE(first->append(Json{{"event", "first"}}));
    REQUIRE(second->append(Json{{"event", "second"}}));
    REQUIRE(first->append(Json{{"event", "first again"}}));
  }
  const auto check = audit::check_log(text_of(path), "");
  CHECK(check.defects.empty());
  CHECK(check.records == 12);
}
