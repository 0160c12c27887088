// SPDX-License-Identifier: Apache-2.0
#include "audit/manifest.hpp"

#include "audit/manifest_check.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "support/catch.hpp"

#include <filesystem>
#include <string>

using namespace signctl;
using audit::FileDigests;
using audit::FileRecord;
using audit::Manifest;

namespace {

FileDigests digests(char digit) {
  return {42, std::string(64, digit), std::string(128, digit)};
}

Manifest small() {
  Manifest manifest;
  manifest.run = {"00112233445566778899aabbccddeeff",
                  "0.1.0",
                  "2026-11-25T10:00:00Z",
                  "2026-11-25T10:00:01Z",
                  0,
                  true,
                  "signctl.yaml",
                  std::string(64, 'c'),
                  std::string(64, 'f')};
  FileRecord signed_file{"app.exe", "signed", "binaries", "", "pe", digests('a'), digests('b'), {}};
  signed_file.signature = audit::SignatureRecord{
      "release", "pfx", "CN=Contoso", std::string(64, 'd'), "sha256:00", "", "", ""};
  manifest.files = {signed_file,
                    {"../lib/b.dll", "skipped", "", "signed already", "pe", {}, digests('e'), {}}};
  manifest.left_out = {"c.pdb"};
  return manifest;
}

}  // namespace

TEST_CASE("a manifest is read as it was written", "[audit]") {
  const std::string text = audit::to_text(small());
  const auto read = audit::parse_manifest(as_bytes(text));
  REQUIRE(read);
  CHECK(audit::to_text(*read) == text);
  CHECK(read->complete());
  CHECK(read->run.rehearsal);
  CHECK(read->files[0].signature->signer == "release");
  CHECK(*read->files[1].after == digests('e'));
}

TEST_CASE("no beginning of a manifest is a manifest", "[audit]") {
  const std::string text = audit::to_text(small());
  // The last octet is a line break.
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    INFO(size);
    const auto read = audit::parse_manifest(as_bytes(text.substr(0, size)));
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::input);
  }
}

TEST_CASE("a manifest with any octet changed is refused, or read without harm", "[audit]") {
  const std::string text = audit::to_text(small());
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char other : {'\0', '"', '9', '\xFF'}) {
      std::string changed = text;
      changed[at] = other;
      const auto read = audit::parse_manifest(as_bytes(changed));
      CHECK((read || read.error().kind == ErrorKind::input));
    }
  }
}

TEST_CASE("a manifest names no file outside the ways down from a folder", "[audit]") {
  const std::string text = audit::to_text(small());
  for (const std::string path : {"",
                                 "/etc/passwd",
                                 "C:/Windows",
                                 "a\\\\b",
                                 "a/../../b",
                                 "a//b",
                                 "./a",
                                 "a/",
                                 "..",
                                 "../..",
                                 "a\\u0000b",
                                 "../lib/b.dll"}) {
    INFO(path);
    std::string changed = text;
    changed.replace(changed.find("app.exe"), 7, path);
    CHECK_FALSE(audit::parse_manifest(as_bytes(changed)));
  }
}

TEST_CASE("nested JSON of any depth does no harm", "[audit]") {
  CHECK_FALSE(audit::parse_manifest(as_bytes(std::string(1'000'000, '['))));
}

TEST_CASE("paths are from the manifest's folder", "[audit]") {
  CHECK(*audit::path_in_manifest("dist/app.exe", "dist/m.json") == "app.exe");
  CHECK(*audit::path_in_manifest("dist/x/app.exe", "dist/m.json") == "x/app.exe");
  CHECK(*audit::path_in_manifest("app.exe", "out/m.json") == "../app.exe");
  const std::string here = to_utf8(std::filesystem::current_path());
  CHECK(*audit::path_in_manifest(here + "/bin/app.exe", "m.json") == "bin/app.exe");
  CHECK(*audit::path_in_manifest("bin/app.exe", here + "/m.json") == "bin/app.exe");
  CHECK(audit::path_from_manifest("../app.exe", "out/m.json") == "app.exe");
  CHECK(audit::path_from_manifest("app.exe", "m.json") == "app.exe");
}

TEST_CASE("a manifest without files proves nothing", "[audit]") {
  audit::Manifest manifest;
  CHECK(audit::check_run(manifest)->id == "manifest-incomplete");
  manifest.shard.emplace();
  CHECK_FALSE(audit::check_run(manifest));
}

TEST_CASE("what is there is held against the manifest", "[audit]") {
  Manifest manifest = small();
  CHECK_FALSE(audit::check_run(manifest));
  CHECK_FALSE(audit::check_file(manifest.files[0], digests('b')));
  CHECK(audit::check_file(manifest.files[0], digests('a'))->id == "manifest-changed");
  CHECK(audit::check_file(manifest.files[0], std::nullopt)->id == "manifest-missing");
  FileDigests longer = digests('b');
  ++longer.size;
  CHECK(audit::check_file(manifest.files[0], longer)->id == "manifest-changed");
  CHECK(audit::added_file().id == "manifest-added");

  manifest.files[1].state = "failed";
  manifest.files[1].after.reset();
  CHECK(audit::check_run(manifest)->id == "manifest-incomplete");
  CHECK(audit::check_file(manifest.files[1], digests('e'))->id == "manifest-incomplete");
  manifest = small();
  manifest.run.exit_code = 9;
  CHECK(audit::check_run(manifest)->id == "manifest-incomplete");
}
