// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/zip_builder.hpp"

#include <signctl/format.hpp>

#include <array>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

std::shared_ptr<const ByteSource> source_of(const ZipSpec& spec) {
  return std::make_shared<MemorySource>(make_zip(spec));
}

const Format& zip_format() {
  const auto source = source_of({});
  return *must(detect_format(*source, "x.dat"));
}

Bytes all_of(const ByteSource& source) {
  return must(read_bytes(source, 0, source.size()));
}

}  // namespace

TEST_CASE("zip format: archives are known by content", "[formats][zip]") {
  CHECK(zip_format().name() == "zip");
  CHECK_FALSE(zip_format().capabilities().sign);
  CHECK(zip_format().capabilities().exchange);
  CHECK_FALSE(zip_format().needs_own_signature());
  const MemorySource text(Bytes{'t', 'e', 'x', 't'});
  CHECK_FALSE(detect_format(text, "x.zip"));
}

TEST_CASE("zip format: members are files, and can be exchanged", "[formats][zip]") {
  ZipSpec spec;
  spec.files = {{"dir/", {}}, {"dir/a.txt", Bytes(5000, 'a'), true}, {"b\xFF.bin", {'b'}}};
  const auto source = source_of(spec);
  auto file = must(zip_format().open(source));
  const auto members = must(file->members());
  REQUIRE(members.size() == 2);
  CHECK(members[0].path == "dir/a.txt");
  CHECK(members[0].size == 5000);
  CHECK(members[1].path == "b\\xff.bin");
  CHECK(all_of(*must(file->open_member(0))) == spec.files[1].bytes);
  CHECK_FALSE(file->open_member(2));
  CHECK(must(file->signatures()).empty());

  const Bytes other(7000, 'o');
  const std::array replacements{Replacement{1, std::make_shared<MemorySource>(other)}};
  const auto packed = must(PatchedSource::make(source, must(file->exchange_members(replacements))));
  auto again = must(zip_format().open(packed));
  CHECK(all_of(*must(again->open_member(0))) == spec.files[1].bytes);
  CHECK(all_of(*must(again->open_member(1))) == other);
  CHECK(must(again->members())[1].size == other.size());
  const std::array beyond{Replacement{2, std::make_shared<MemorySource>(other)}};
  CHECK_FALSE(file->exchange_members(beyond));
}

TEST_CASE("zip format: it is not signed itself", "[formats][zip]") {
  auto file = must(zip_format().open(source_of({})));
  const auto content = file->content_to_sign(DigestAlg::sha256);
  REQUIRE_FALSE(content);
  CHECK(content.error().kind == ErrorKind::unsupported);
  CHECK(content.error().hint.find("--deep") != std::string::npos);
  CHECK_FALSE(file->embed({}));
  CHECK_FALSE(file->strip());
}

TEST_CASE("zip format: packages with signatures of their own are refused", "[formats][zip]") {
  const ZipSpec nuget{{{"x.nuspec", {'x'}}, {"[Content_Types].xml", {'x'}}}};
  const auto opened = zip_format().open(source_of(nuget));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::unsupported);
  for (const char* extension : {"msix", "appx", "msixbundle", "nupkg", "snupkg", "vsix"}) {
    INFO(extension);
    CHECK_FALSE(zip_format().open_named(source_of({}), extension));
  }
  CHECK(zip_format().open_named(source_of({}), "docx").has_value());
  // What hides the directory is told, and not what cannot be seen for it.
  ZipSpec longer;
  longer.trailing = {'e', 'v', 'i', 'l'};
  const auto refused = zip_format().open_named(source_of(longer), "msix");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "4 bytes follow the end of the archive");
}
