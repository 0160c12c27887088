// SPDX-License-Identifier: Apache-2.0
// Looking inside: a container whose contents are whatever a test wants.
#include "engine/inside.hpp"

#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/pe_builder.hpp"
#include "support/zip_builder.hpp"
#include "trust/stores.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace signctl;          // NOLINT(google-build-using-namespace): test
using namespace signctl::test;    // NOLINT(google-build-using-namespace): test
using namespace signctl::engine;  // NOLINT(google-build-using-namespace): test

namespace {

Error not_here() {
  return Error{ErrorKind::unsupported, "the fake container is only walked"};
}

/// A member: its name, bytes, and what it claims and does.
struct Packed {
  std::string path;
  Bytes bytes;
  std::uint64_t claimed{};
  bool broken{false};
};

class FakeContainer final : public Signable {
 public:
  explicit FakeContainer(std::vector<Packed> packed) : packed_(std::move(packed)) {}

  Result<std::vector<Member>> members() override {
    if (directory_broken) {
      return Error{ErrorKind::input, "the directory is torn"};
    }
    std::vector<Member> all;
    for (const Packed& one : packed_) {
      all.push_back({one.path, one.claimed != 0 ? one.claimed : one.bytes.size()});
    }
    return all;
  }

  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override {
    ++opened;
    if (packed_[index].broken) {
      return Error{ErrorKind::input, "the member is torn"};
    }
    std::shared_ptr<const ByteSource> source = std::make_shared<MemorySource>(packed_[index].bytes);
    return source;
  }

  Result<std::vector<HashedRange>> hashed_ranges() override { return not_here(); }
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> /*algs*/) override {
    return not_here();
  }
  Result<SigningContent> content_to_sign(DigestAlg /*alg*/) override { return not_here(); }
  Result<std::vector<EmbeddedSignature>> signatures() override { return not_here(); }
  Result<std::vector<Finding>> container_findings() override { return not_here(); }
  Result<std::vector<Finding>> check_content(ByteView /*econtent*/) override { return not_here(); }
  Result<SigningContent> parse_content(ByteView /*econtent*/, DigestAlg /*alg*/) override {
    return not_here();
  }
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::none; }
  Result<PatchSet> embed(std::span<const Bytes> /*signatures*/) override { return not_here(); }
  Result<PatchSet> strip() override { return not_here(); }
  Result<std::vector<FileFact>> facts() override { return not_here(); }

  bool directory_broken{false};
  int opened{0};

 private:
  std::vector<Packed> packed_;
};

Bytes from_string(std::string_view text) {
  return {text.begin(), text.end()};
}

Report looked_into(FakeContainer& container, const InsideLimits& limits = {}) {
  Report report;
  const verify::Options options{trust::composite({}), false, TimePoint{}};
  must(look_inside(container, options, limits, report));
  return report;
}

/// "path: first finding" of every member.
std::vector<std::string> lines_of(const Report& report) {
  std::vector<std::string> lines;
  for (const Report& member : report.members) {
    lines.push_back(member.path + ": " +
                    (member.findings.empty() ? "" : member.findings.front().id));
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("inside: what formats know is judged, whatever it is called", "[engine]") {
  FakeContainer container({{"bin/tool.exe", make_pe()},
                           {"data.dat", make_pe()},
                           {"readme.txt", from_string("words")},
                           {"empty.txt", {}},
                           {"setup.ps1", from_string("'x'\r\n")}});

  const Report report = looked_into(container);

  CHECK(lines_of(report) ==
        Lines{"bin/tool.exe: unsigned", "data.dat: unsigned", "setup.ps1: unsigned"});
  CHECK(report.looked_inside);
  REQUIRE(report.members.size() == 3);
  CHECK(report.members[0].format == "pe");
  CHECK(report.members[0].needs_signature);
  CHECK(report.members[2].format == "script");
  CHECK(report.findings.empty());
}

TEST_CASE("inside: JavaScript counts only when it carries a signature", "[engine]") {
  FakeContainer container({{"web/app.js", from_string("let x = 1;\n")},
                           {"web/odd.js", from_string(std::string("a\0b", 3))},
                           {"signed.js",
                            from_string("x\r\n// SIG // Begin signature block\r\n// SIG // AAAA\r\n"
                                        "// SIG // End signature block\r\n")}});

  const Report report = looked_into(container);

  REQUIRE(report.members.size() == 1);
  CHECK(report.members[0].path == "signed.js");
  CHECK(report.members[0].findings.front().id == "cms-malformed");
}

TEST_CASE("inside: what cannot be looked at is said", "[engine]") {
  Bytes torn = make_pe();
  torn.resize(200);
  FakeContainer container({{"torn.exe", torn, 0, false},
                           {"locked.bin", from_string("x"), 0, true},
                           {"two-faced.js", make_pe()}});

  const Report report = looked_into(container);

  CHECK(lines_of(report) == Lines{"torn.exe: member-unreadable",
                                  "locked.bin: member-unreadable",
                                  "two-faced.js: member-unreadable"});

  FakeContainer without_directory({});
  without_directory.directory_broken = true;
  const Report outer = looked_into(without_directory);
  REQUIRE(outer.findings.size() == 1);
  CHECK(outer.findings.front().id == "member-unreadable");
}

TEST_CASE("inside: an archive that only some readers find is not passed over", "[engine]") {
  ZipSpec spec;
  spec.prefix = from_string("#!/bin/sh\n");
  spec.comment = GENERATE(std::string(), std::string(5000, 'c'));
  const Bytes hidden = make_zip(spec);
  spec.prefix.clear();
  spec.trailing = from_string("behind");
  FakeContainer container({{"inner.zip", hidden},
                           {"lib.nupkg", hidden},
                           {"setup.exe", hidden},
                           {"app.jar", hidden},
                           {"tail.dat", make_zip(spec)}});

  const Report report = looked_into(container);

  CHECK(lines_of(report) == Lines{"inner.zip: member-unreadable",
                                  "lib.nupkg: member-unreadable",
                                  "setup.exe: member-unreadable",
                                  "tail.dat: member-unreadable"});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().id == "member-unrecognised");
  CHECK(report.findings.front().subject == "app.jar");
}

TEST_CASE("inside: what is not of the type of its name is said", "[engine]") {
  for (const char* name : {"a.msi", "a.cab", "a.msix", "a.DLL", "a.exe", "a.cat", "a.vsix"}) {
    INFO(name);
    FakeContainer container({{name, from_string("garbage")}, {"a.txt", from_string("PK")}});

    const Report report = looked_into(container);

    CHECK(report.findings.empty());
    CHECK(lines_of(report) == Lines{std::string(name) + ": member-unrecognised"});
    REQUIRE(report.members.size() == 1);
    CHECK(report.members.front().findings.front().severity == Severity::error);
  }
}

TEST_CASE("inside: programs and cabinets that are cut short or empty are errors", "[engine]") {
  Bytes torn = make_pe();
  torn.resize(60);
  FakeContainer container({{"torn.exe", torn},
                           {"empty.dll", {}},
                           {"torn.cab", Bytes(20, 'M')},
                           {"web/app.js", from_string("let x = 1;\n")},
                           {"a.manifest", from_string("CACHE MANIFEST\n")},
                           {"odd.zip", from_string("garbage")}});

  const Report report = looked_into(container);

  CHECK(lines_of(report) == Lines{"torn.exe: member-unrecognised",
                                  "empty.dll: member-unrecognised",
                                  "torn.cab: member-unrecognised"});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().subject == "odd.zip");
  CHECK(report.findings.front().severity == Severity::warning);
}

TEST_CASE("inside: what claims to be empty is unpacked all the same", "[engine]") {
  FakeContainer container({{"empty.exe", {}, 0, true}});

  CHECK(lines_of(looked_into(container)) == Lines{"empty.exe: member-unreadable"});
}

TEST_CASE("inside: claims that go too far are not unpacked", "[engine]") {
  FakeContainer container({{"a.exe", make_pe()},
                           {"bomb.exe", make_pe(), std::uint64_t{1} << 60U},
                           {"b.exe", make_pe()}});

  const Report report = looked_into(container);

  CHECK(lines_of(report) == Lines{"a.exe: unsigned", "bomb.exe: members-limit"});
  CHECK(container.opened == 1);

  FakeContainer overflowing({{"a.exe", make_pe()}, {"b.exe", make_pe(), UINT64_MAX}});
  CHECK(lines_of(looked_into(overflowing)).back() == "b.exe: members-limit");
}

TEST_CASE("inside: there is an end to the number of files", "[engine]") {
  std::vector<Packed> many(20, Packed{"x.txt", from_string("x")});
  FakeContainer container(many);
  InsideLimits limits;
  limits.files = 10;

  const Report report = looked_into(container, limits);

  CHECK(lines_of(report) == Lines{"x.txt: members-limit"});
  CHECK(container.opened == 10);
}

TEST_CASE("inside: there is an end to the depth", "[engine]") {
  FakeContainer container({{"a.exe", make_pe()}});
  InsideLimits limits;
  limits.depth = 0;

  const Report report = looked_into(container, limits);

  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().id == "members-limit");
  CHECK(container.opened == 0);
}
