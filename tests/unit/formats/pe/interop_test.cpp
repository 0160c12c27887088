// SPDX-License-Identifier: Apache-2.0
// What osslsigncode and sbsign make of real images, against what we make of them. The images come
// with Debian packages (shim-unsigned, shim-signed, systemd-boot-efi, nsis-common).

#include "cms/authenticode.hpp"
#include "cms/signed_data.hpp"
#include "crypto/oids.hpp"
#include "formats/pe/image_data.hpp"
#include "pe_test.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::vector<std::string> present(const std::vector<std::string>& paths) {
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    if (exists(path)) {
      found.push_back(path);
    } else {
      std::cerr << "SKIPPED: comparison with osslsigncode for " << path << " (it is not there)\n";
    }
  }
  return found;
}

std::vector<std::string> unsigned_images() {
  const std::string jsign = std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/";
  return present({"/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
                  "/usr/lib/systemd/boot/efi/linuxx64.efi.stub",
                  "/usr/lib/shim/shimx64.efi",
                  "/usr/lib/shim/mmx64.efi",
                  "/usr/share/nsis/Stubs/zlib-x86-unicode",
                  "/usr/share/nsis/Stubs/lzma_solid-amd64-unicode",
                  "/usr/share/nsis/Plugins/x86-unicode/System.dll",
                  jsign + "wineyes.exe",
                  jsign + "fbx64.efi"});
}

/// Exit status and everything a command printed.
struct Run {
  int status{};
  std::string output;
};

Run run(const TemporaryFolder& folder, const std::string& command) {
  const std::string log = folder.file("log");
  const int status = std::system((command + " >'" + log + "' 2>&1").c_str());
  const Bytes output = slurp(log);
  return {status, std::string(output.begin(), output.end())};
}

bool have(const TemporaryFolder& folder, const std::string& tool) {
  if (run(folder, "command -v " + tool).status == 0) {
    return true;
  }
  std::cerr << "SKIPPED: comparison with " << tool << " (it is not installed)\n";
  return false;
}

/// A folder with a throw-away key and certificate, made now.
void make_key(const TemporaryFolder& folder) {
  const Run made =
      run(folder,
          "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout '" +
              folder.file("key.pem") + "' -out '" + folder.file("cert.pem") + "'");
  INFO(made.output);
  REQUIRE(made.status == 0);
}

Bytes sign_with_osslsigncode(const TemporaryFolder& folder,
                             const std::string& path,
                             const std::string& options) {
  const std::string output = folder.file("signed");
  std::error_code ignored;
  std::filesystem::remove(output, ignored);
  const Run done =
      run(folder,
          "osslsigncode sign " + options + " -certs '" + folder.file("cert.pem") + "' -key '" +
              folder.file("key.pem") + "' -in '" + path + "' -out '" + output + "'");
  INFO(done.output);
  REQUIRE(done.status == 0);
  return slurp(output);
}

/// The content that the first signature of `image` carries.
Bytes content_of(const Bytes& image) {
  const auto signatures = must(open(image)->signatures());
  return must(cms::parse_signed_data(signatures.at(0).cms)).content;
}

/// "Calculated message digest : HEX" of `osslsigncode verify`, in lower case.
std::string calculated_digest(const std::string& output) {
  const std::string label = "Calculated message digest : ";
  const auto at = output.find(label);
  if (at == std::string::npos) {
    return "no digest in: " + output;
  }
  const auto begin = at + label.size();
  return to_lower(output.substr(begin, output.find_first_of("\r\n ", begin) - begin));
}

}  // namespace

TEST_CASE("pe interop: osslsigncode's output is reproduced byte for byte from its signature",
          "[formats][pe]") {
  const TemporaryFolder folder;
  if (!have(folder, "osslsigncode") || !have(folder, "openssl")) {
    return;
  }
  make_key(folder);
  for (const std::string& path : unsigned_images()) {
    INFO(path);
    const Bytes theirs = sign_with_osslsigncode(folder, path, "-h sha256");
    const Bytes image = slurp(path);
    const auto file = open(image);

    const std::vector<Bytes> signatures{must(open(theirs)->signatures()).at(0).cms};
    const Bytes ours = apply_patches(image, must(file->embed(signatures)));

    CHECK((ours == theirs));
    const SigningContent claimed = must(file->parse_content(content_of(theirs), DigestAlg::sha256));
    CHECK(to_hex(claimed.file_digest) == to_hex(digest_of(*file)));
    CHECK(digest_hex_of(theirs) == to_hex(digest_of(*file)));
    CHECK(finding_ids(theirs) == Ids{});
    CHECK(must(open(theirs)->check_content(content_of(theirs))).empty());
  }
}

TEST_CASE("pe interop: page hashes are those of osslsigncode", "[formats][pe]") {
  const TemporaryFolder folder;
  if (!have(folder, "osslsigncode") || !have(folder, "openssl")) {
    return;
  }
  make_key(folder);
  int compared = 0;
  for (const std::string& path : unsigned_images()) {
    INFO(path);
    const auto file = open(slurp(path));
    if (const auto possible = file->hash_pages(); !possible) {
      // SectionAlignment is not 4096; osslsigncode 2.9 crashes on systemd-boot's, which is 512.
      CHECK(possible.error().kind == ErrorKind::unsupported);
      continue;
    }
    const SigningContent ours = must(file->content_to_sign(DigestAlg::sha256));
    const Bytes theirs = sign_with_osslsigncode(folder, path, "-h sha256 -ph");
    const Bytes content = content_of(theirs);

    const auto stored =
        must(pe::parse_image_data(must(cms::parse_indirect_data(content)).data_value));
    const auto made =
        must(pe::parse_image_data(must(cms::parse_indirect_data(ours.econtent)).data_value));

    REQUIRE(stored.page_hashes);
    REQUIRE(made.page_hashes);
    CHECK(to_hex(made.page_hashes->rows) == to_hex(stored.page_hashes->rows));
    CHECK(ids_of(must(open(theirs)->check_content(content))) == Ids{});
    ++compared;
  }
  if (compared == 0) {
    std::cerr << "SKIPPED: no image here to compare page hashes on\n";
  }
}

TEST_CASE("pe interop: signed images have the digest that they carry", "[formats][pe]") {
  const TemporaryFolder folder;
  const bool compare = have(folder, "osslsigncode");
  const std::string jsign = std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/";
  for (const std::string& path : present({"/usr/lib/shim/shimx64.efi.signed",
                                          "/usr/lib/shim/mmx64.efi.signed",
                                          "/usr/lib/shim/fbx64.efi.signed",
                                          jsign + "fbx64-signed-by-sbsign.efi"})) {
    INFO(path);
    const Bytes image = slurp(path);
    const auto signatures = must(open(image)->signatures());
    for (const EmbeddedSignature& signature : signatures) {
      const Bytes content = must(cms::parse_signed_data(signature.cms)).content;
      const SigningContent claimed = must(open(image)->parse_content(content, DigestAlg::sha256));
      CHECK(digest_hex_of(image, claimed.alg) == to_hex(claimed.file_digest));
      CHECK(must(open(image)->check_content(content)).empty());
    }
    CHECK(finding_ids(image) == Ids{});
    // osslsigncode 2.9 cannot read tables of several entries.
    if (!compare || signatures.size() != 1) {
      continue;
    }
    // It fails for want of trust, but prints the digest.
    const Run theirs = run(folder, "osslsigncode verify -in '" + path + "'");
    if (theirs.output.find("Invalid signature") != std::string::npos) {
      std::cerr << "SKIPPED: the digest of " << path << " (this osslsigncode cannot read it)\n";
      continue;
    }
    CHECK(digest_hex_of(image) == calculated_digest(theirs.output));
  }
}

TEST_CASE("pe interop: an image that we strip is one that osslsigncode finds unsigned",
          "[formats][pe]") {
  const TemporaryFolder folder;
  if (!have(folder, "osslsigncode") || !have(folder, "openssl")) {
    return;
  }
  make_key(folder);
  for (const std::string& path : unsigned_images()) {
    INFO(path);
    const Bytes theirs = sign_with_osslsigncode(folder, path, "-h sha256");
    const Bytes stripped = apply_patches(theirs, must(open(theirs)->strip()));
    spill(folder.file("stripped"), stripped);

    const Run verified = run(folder, "osslsigncode verify -in '" + folder.file("stripped") + "'");

    CHECK(verified.output.find("No signature found") != std::string::npos);
    CHECK(digest_hex_of(stripped) == digest_hex_of(theirs));
    CHECK(peek_u32(stripped, fields_of(stripped).checksum) == plain_checksum(stripped));
  }
}
