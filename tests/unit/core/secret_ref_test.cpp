// SPDX-License-Identifier: Apache-2.0
#include "core/secret_ref.hpp"

#include "core/secret_input.hpp"
#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <thread>
#include <unistd.h>

using namespace signctl;
using signctl::test::must;
using signctl::test::TemporaryFolder;

namespace {

class MapEnvironment final : public Environment {
 public:
  explicit MapEnvironment(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override {
    const auto found = values_.find(std::string(name));
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::map<std::string, std::string> values_;
};

const MapEnvironment kEmpty({});

std::string resolved(const std::string& text, const Environment& environment = kEmpty) {
  return std::string(must(must(SecretRef::parse(text)).resolve(environment)).reveal());
}

Error failure(const std::string& text, const Environment& environment = kEmpty) {
  const auto secret = must(SecretRef::parse(text)).resolve(environment);
  REQUIRE_FALSE(secret);
  return secret.error();
}

}  // namespace

TEST_CASE("secret references: a literal is refused and never repeated", "[core]") {
  for (const std::string text : {"hunter2",
                                 "",
                                 "s3cr3t:with:colons",
                                 "ENV:NAME",
                                 "stdin:",
                                 "Stdin",
                                 "env",
                                 "env:",
                                 "file:",
                                 "exec:",
                                 "env:A B",
                                 "env:hunter2=x",
                                 "https://user:hunter2@host",
                                 "exec"}) {
    INFO(text);
    const auto reference = SecretRef::parse(text);
    REQUIRE_FALSE(reference);
    CHECK(reference.error().kind == ErrorKind::config);
    CHECK_THAT(reference.error().hint, Catch::Contains("env:NAME"));
    if (text.size() > 6) {
      CHECK_THAT(test::text_of(reference.error()), !Catch::Contains(text));
      CHECK_THAT(test::text_of(reference.error()), !Catch::Contains("hunter2"));
    }
  }
}

TEST_CASE("secret references: described without giving anything away", "[core]") {
  CHECK(must(SecretRef::parse("env:TOKEN_PIN")).describe() == "env:TOKEN_PIN");
  CHECK(must(SecretRef::parse("file:/run/secrets/pin")).describe() == "file:/run/secrets/pin");
  CHECK(must(SecretRef::parse("stdin")).describe() == "stdin");
  CHECK(must(SecretRef::parse("exec:pass")).describe() == "exec:pass");
  CHECK(must(SecretRef::parse("exec:curl -H hunter2")).describe() == "exec:curl ...");
  CHECK(must(SecretRef::parse("exec:TOKEN=hunter2 vault read")).describe() == "exec:...");
}

TEST_CASE("secret references: from the environment", "[core]") {
  const MapEnvironment environment({{"PIN", " 12 34\n"}, {"EMPTY", ""}});

  CHECK(resolved("env:PIN", environment) == " 12 34\n");
  for (const std::string name : {"ABSENT", "EMPTY"}) {
    const Error error = failure("env:" + name, environment);
    CHECK(error.kind == ErrorKind::auth);
    CHECK_THAT(error.message, Catch::Contains(name));
  }
}

TEST_CASE("secret references: an empty variable is not called absent", "[core]") {
  const MapEnvironment environment({{"PIN", ""}, {"OTHER", "x"}});
  CHECK_THAT(failure("env:PIN", environment).message, Catch::Contains("PIN is empty"));
  CHECK_THAT(failure("env:PIN").message, Catch::Contains("PIN is not set"));
}

TEST_CASE("secret references: from a file, without one trailing line break", "[core]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("secret");
  for (const auto& [content, secret] :
       std::vector<std::pair<std::string, std::string>>{{"abc", "abc"},
                                                        {"abc\n", "abc"},
                                                        {"abc\r\n", "abc"},
                                                        {"abc\n\n", "abc\n"},
                                                        {"a\nb", "a\nb"}}) {
    test::spill(path, as_bytes(content));
    CHECK(resolved("file:" + path) == secret);
  }
}

TEST_CASE("secret references: a byte order mark is no part of the secret", "[core]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("secret");
  test::spill(path, as_bytes("\xEF\xBB\xBFpa\xC3\x9F\r\n"));
  CHECK(resolved("file:" + path) == "pa\xC3\x9F");
  CHECK(resolved("exec:cat " + path) == "pa\xC3\x9F");

  test::spill(path, as_bytes("\xEF\xBB\xBF\r\n"));
  CHECK(failure("file:" + path).kind == ErrorKind::auth);
}

TEST_CASE("secret references: UTF-16 is refused with a way out", "[core]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("secret");
  const auto content = GENERATE(as<std::string>(),
                                std::string("\xFF\xFEh\0u\0\r\0\n\0", 10),
                                std::string("\xFE\xFF\0h\0u\0\r\0\n", 10));
  test::spill(path, as_bytes(content));

  for (const std::string& text : {"file:" + path, "exec:cat " + path}) {
    const Error error = failure(text);
    CHECK(error.kind == ErrorKind::config);
    CHECK(error.message == must(SecretRef::parse(text)).describe() + " holds UTF-16");
    CHECK_THAT(error.hint, Catch::Contains("UTF-8"));
    const auto first = resolve_first({must(SecretRef::parse(text))}, kEmpty);
    REQUIRE_FALSE(first);
    CHECK(first.error().kind == ErrorKind::config);
    CHECK_THAT(first.error().hint, Catch::Contains("UTF-8"));
  }
}

TEST_CASE("secret references: an absent, empty or huge file is an auth error", "[core]") {
  const TemporaryFolder folder;
  test::spill(folder.file("empty"), as_bytes("\n"));
  test::spill(folder.file("huge"), Bytes(1U << 20U));

  for (const std::string name : {"absent", "empty", "huge"}) {
    const Error error = failure("file:" + folder.file(name));
    INFO(test::text_of(error));
    CHECK(error.kind == ErrorKind::auth);
    CHECK_THAT(error.message, Catch::Contains(name));
  }
}

TEST_CASE("secret references: from a command, its first line", "[core]") {
  CHECK(resolved("exec:printf 'one\\ntwo\\n'") == "one");
  CHECK(resolved("exec:printf 'one\\r\\ntwo'") == "one");
  CHECK(resolved("exec:echo one | tr a-z A-Z") == "ONE");
}

TEST_CASE("secret references: a command has no input", "[core]") {
  CHECK(resolved("exec:cat; echo after") == "after");
}

TEST_CASE("secret references: a command that fails is an auth error without its output", "[core]") {
  const Error failed = failure("exec:echo hunter2; exit 3");
  CHECK(failed.kind == ErrorKind::auth);
  CHECK_THAT(failed.message, Catch::Contains("exit code 3"));
  CHECK_THAT(test::text_of(failed), !Catch::Contains("hunter2"));

  const Error killed = failure("exec:echo hunter2; kill -9 $$");
  CHECK_THAT(killed.message, Catch::Contains("killed"));
  const Error absent = failure("exec:signctl-no-such-program 2>/dev/null");
  CHECK_THAT(absent.message, Catch::Contains("127"));
  const Error silent = failure("exec:true");
  CHECK_THAT(silent.message, Catch::Contains("nothing"));
  const Error endless = failure("exec:yes");
  CHECK_THAT(endless.message, Catch::Contains("more than a secret"));
}

TEST_CASE("secret references: a command that takes too long is ended with all it started",
          "[core]") {
  const TemporaryFolder folder;
  const auto begin = std::chrono::steady_clock::now();

  // The sleeper in the background keeps the output open after the shell itself has gone.
  const auto secret =
      read_command_output("(sleep 30 & echo $! > '" + folder.file("pid") + "'; wait) | cat",
                          std::chrono::milliseconds{500});

  REQUIRE_FALSE(secret);
  CHECK(secret.error().kind == ErrorKind::auth);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{10});
  pid_t sleeper = 0;
  std::ifstream(folder.file("pid")) >> sleeper;
  REQUIRE(sleeper > 0);
  bool gone = false;
  for (int i = 0; i < 200 && !gone; ++i) {
    // Killed, it may stay as a zombie until whoever adopted it looks.
    std::ifstream status("/proc/" + std::to_string(sleeper) + "/stat");
    std::string id;
    std::string name;
    std::string state;
    status >> id >> name >> state;
    gone = !status || state == "Z";
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  CHECK(gone);
}

TEST_CASE("secret references: standard input is read once and kept", "[core]") {
  int ends[2] = {};
  REQUIRE(::pipe(static_cast<int*>(ends)) == 0);
  const int before = ::dup(STDIN_FILENO);
  REQUIRE(::dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
  REQUIRE(::write(ends[1], "from stdin\n", 11) == 11);
  ::close(ends[0]);
  ::close(ends[1]);

  const std::string first = resolved("stdin");
  const std::string second = resolved("stdin");
  ::dup2(before, STDIN_FILENO);
  ::close(before);

  CHECK(first == "from stdin");
  CHECK(second == first);
}

TEST_CASE("secret references: the first that resolves wins", "[core]") {
  const MapEnvironment environment({{"OLD", "old"}, {"NEW", "new"}});
  const auto refs = [](const std::vector<std::string>& texts) {
    std::vector<SecretRef> out;
    for (const std::string& text : texts) {
      out.push_back(must(SecretRef::parse(text)));
    }
    return out;
  };

  CHECK(must(resolve_first(refs({"env:ABSENT", "env:NEW", "env:OLD"}), environment)).reveal() ==
        "new");

  const auto none = resolve_first(refs({"env:ABSENT", "file:/no/such/file"}), environment);
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::auth);
  CHECK_THAT(none.error().message, Catch::Contains("env:ABSENT"));
  CHECK_THAT(none.error().message, Catch::Contains("file:/no/such/file"));
  CHECK_THAT(none.error().message, Catch::Contains("does not exist"));

  const auto empty = resolve_first({}, environment);
  REQUIRE_FALSE(empty);
  CHECK(empty.error().kind == ErrorKind::auth);
}
