// SPDX-License-Identifier: Apache-2.0
#include "engine/journal.hpp"

#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace signctl::engine {

namespace {

using test::must;

SignatureKey key_of(std::uint8_t octet) {
  return {std::string(64, 'a'), DigestAlg::sha256, Bytes(32, octet)};
}

SignedDigest made_of(std::uint8_t octet) {
  return {Bytes(256, octet), {Bytes(900, 1), Bytes(800, 2)}};
}

std::string path_in(const test::TemporaryFolder& folder) {
  return folder.path() + "/journal";
}

}  // namespace

TEST_CASE("journal: what was made is found by the next run", "[engine]") {
  const test::TemporaryFolder folder;
  {
    auto journal = must(Journal::open(path_in(folder)));
    must(journal.add_made(key_of(1), made_of(1)));
    must(journal.add_made(key_of(2), made_of(2)));
  }

  const auto journal = must(Journal::open(path_in(folder)));

  const auto found = journal.find(key_of(2));
  REQUIRE(found);
  CHECK(found->signature == made_of(2).signature);
  CHECK(found->chain == made_of(2).chain);
  CHECK_FALSE(journal.find(key_of(3)));
  CHECK(journal.knows_signature(made_of(1).signature));
  CHECK_FALSE(journal.knows_signature(made_of(3).signature));
}

TEST_CASE("journal: an operation is pending until its signature is there", "[engine]") {
  const test::TemporaryFolder folder;
  {
    auto journal = must(Journal::open(path_in(folder)));
    CHECK(journal.pending(key_of(1)).empty());
    must(journal.add_pending(key_of(1), {}, "operation 1 \n"));
    must(journal.add_pending(key_of(2), {}, "operation-2"));
    must(journal.add_pending(key_of(2), {}, "operation-3"));
  }

  auto journal = must(Journal::open(path_in(folder)));

  CHECK(journal.pending(key_of(1)) == "operation 1 \n");
  CHECK(journal.pending(key_of(2)) == "operation-3");
  CHECK(journal.pending(key_of(3)).empty());
  CHECK_FALSE(journal.find(key_of(1)));
  must(journal.add_made(key_of(1), made_of(1)));
  CHECK(journal.pending(key_of(1)).empty());

  // What another run is to fetch stays, whatever this one has finished; the rest goes.
  must(journal.add_done(key_of(1)));
  journal.remove_if_complete();
  const auto left = must(Journal::open(path_in(folder)));
  CHECK(left.pending(key_of(2)) == "operation-3");
  CHECK_FALSE(left.find(key_of(1)));
}

TEST_CASE("journal: it knows what is paid for and in no file yet", "[engine]") {
  const test::TemporaryFolder folder;
  auto journal = must(Journal::open(path_in(folder)));
  const auto owed = [&](std::uint8_t octet) {
    return journal.owed_to(DigestAlg::sha256, key_of(octet).digest);
  };
  CHECK_FALSE(journal.owes());

  must(journal.add_pending(key_of(1), made_of(1).chain, "operation-1"));
  CHECK(owed(1) == std::vector{key_of(1).identity});
  CHECK(journal.leaves() == std::vector<Bytes>{made_of(1).chain.front()});
  must(journal.add_made(key_of(1), made_of(1)));
  CHECK(owed(1) == std::vector{key_of(1).identity});
  CHECK(owed(2).empty());
  CHECK(journal.owes());
  must(journal.add_done(key_of(1)));
  CHECK(owed(1).empty());
  CHECK_FALSE(journal.owes());

  for (const std::string operation : {"..", ".", "a/b", "a b", "a?b", "", "a\n"}) {
    INFO(operation);
    CHECK_FALSE(Journal::is_operation(operation));
    must(journal.add_pending(key_of(2), {}, operation));
    CHECK_FALSE(journal.owes());
  }
  CHECK(Journal::is_operation("1b671a64-40d5-491e-99b0-da01ff1f3341"));
}

TEST_CASE("journal: a folder that is not there yet is made for it", "[engine]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/paid/for/journal";
  must(must(Journal::open(path)).add_made(key_of(1), made_of(1)));
  CHECK(must(Journal::open(path)).find(key_of(1)));
}

TEST_CASE("journal: what a crash left of the first line is no obstacle", "[engine]") {
  const std::string header = "signctl-journal 1";
  std::vector<std::string> torn{"\n", std::string(4096, '\0'), "signctl-jour\n"};
  for (std::size_t length = 1; length < header.size(); ++length) {
    torn.push_back(header.substr(0, length));
  }
  for (const std::string& start : torn) {
    INFO(start);
    const test::TemporaryFolder folder;
    test::spill(path_in(folder), Bytes(start.begin(), start.end()));
    CHECK_FALSE(must(Journal::look(path_in(folder))));
    {
      auto journal = must(Journal::open(path_in(folder)));
      must(journal.add_made(key_of(1), made_of(1)));
    }
    CHECK(must(Journal::open(path_in(folder))).find(key_of(1)));
  }
  const test::TemporaryFolder folder;
  for (const std::string foreign : {"signctl-jourx", "ourney\n", "\n\nhello"}) {
    test::spill(path_in(folder), Bytes(foreign.begin(), foreign.end()));
    CHECK_FALSE(Journal::open(path_in(folder)));
  }
}

TEST_CASE("journal: a file cut at any length is read up to there, and written on", "[engine]") {
  const test::TemporaryFolder folder;
  {
    auto journal = must(Journal::open(path_in(folder)));
    must(journal.add_made(key_of(1), made_of(1)));
    must(journal.add_made(key_of(2), made_of(2)));
  }
  const Bytes whole = test::slurp(path_in(folder));
  for (std::size_t length = 40; length < whole.size(); length += 97) {
    INFO(length);
    test::spill(path_in(folder), ByteView(whole).first(length));

    auto journal = must(Journal::open(path_in(folder)));
    must(journal.add_made(key_of(3), made_of(3)));

    CHECK(journal.find(key_of(3)).has_value());
    const auto again = must(Journal::open(path_in(folder)));
    CHECK(again.find(key_of(3)).has_value());
    CHECK(again.find(key_of(1)).has_value() == journal.find(key_of(1)).has_value());
  }
}

TEST_CASE("journal: a damaged entry is passed over", "[engine]") {
  const test::TemporaryFolder folder;
  {
    auto journal = must(Journal::open(path_in(folder)));
    must(journal.add_made(key_of(1), made_of(1)));
    must(journal.add_made(key_of(2), made_of(2)));
  }
  Bytes bytes = test::slurp(path_in(folder));
  bytes[bytes.size() - 100] ^= 1U;
  test::spill(path_in(folder), bytes);

  const auto journal = must(Journal::open(path_in(folder)));

  CHECK(journal.find(key_of(1)));
  CHECK_FALSE(journal.find(key_of(2)));
}

TEST_CASE("journal: it says whose a signature is, also to those who only look", "[engine]") {
  const test::TemporaryFolder folder;
  CHECK_FALSE(must(Journal::look(path_in(folder))));
  CHECK_FALSE(std::filesystem::exists(path_in(folder)));
  must(must(Journal::open(path_in(folder))).add_made(key_of(1), made_of(1)));
  const Bytes before = test::slurp(path_in(folder));

  auto journal = must(Journal::look(path_in(folder)));

  REQUIRE(journal);
  CHECK(journal->identity_of(made_of(1).signature) == std::string(64, 'a'));
  CHECK(journal->identity_of(made_of(2).signature).empty());
  must(journal->add_done(key_of(1)));
  CHECK(test::slurp(path_in(folder)) == before);
}

#if defined(__linux__)
TEST_CASE("journal: a link is not followed, and called one", "[engine]") {
  const test::TemporaryFolder folder;
  std::filesystem::create_symlink("elsewhere", path_in(folder));

  const auto journal = Journal::open(path_in(folder));

  REQUIRE_FALSE(journal);
  CHECK(journal.error().message.find("it is a symbolic link") != std::string::npos);
}
#endif

TEST_CASE("journal: another kind of file is not written to", "[engine]") {
  const test::TemporaryFolder folder;
  const std::string text = "somebody's notes\n";
  test::spill(path_in(folder), Bytes(text.begin(), text.end()));

  const auto journal = Journal::open(path_in(folder));

  REQUIRE_FALSE(journal);
  CHECK(journal.error().kind == ErrorKind::input);
  CHECK(test::slurp(path_in(folder)) == Bytes(text.begin(), text.end()));
}

TEST_CASE("journal: two of them see and lock each other", "[engine]") {
  const test::TemporaryFolder folder;
  auto one = must(Journal::open(path_in(folder)));
  auto two = must(Journal::open(path_in(folder)));

  REQUIRE(must(one.try_lock(key_of(1))));
#if defined(__linux__)
  CHECK_FALSE(must(two.try_lock(key_of(1))));
#endif
  CHECK(must(two.try_lock(key_of(2))));
  must(one.add_made(key_of(1), made_of(1)));
  one.unlock(key_of(1));
  CHECK(must(two.try_lock(key_of(1))));
  CHECK(two.find(key_of(1)));
}

TEST_CASE("journal: it goes when all is done and nobody else uses it", "[engine]") {
  const test::TemporaryFolder folder;
  auto one = must(Journal::open(path_in(folder)));
  {
    auto two = must(Journal::open(path_in(folder)));
    must(one.add_made(key_of(1), made_of(1)));
    two.remove_if_complete();
    CHECK(std::filesystem::exists(path_in(folder)));
    must(two.try_lock(key_of(1)));
    must(two.add_done(key_of(1)));
#if defined(__linux__)
    two.remove_if_complete();
    CHECK(std::filesystem::exists(path_in(folder)));
#endif
  }

  one.remove_if_complete();

  CHECK_FALSE(std::filesystem::exists(path_in(folder)));
}

}  // namespace signctl::engine
