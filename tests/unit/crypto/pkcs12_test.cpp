// SPDX-License-Identifier: Apache-2.0
// PKCS #12 files of our own writer and of openssl's, old and new.
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/keys.hpp"
#include "support/catch.hpp"
#include "support/key_files.hpp"
#include "support/must.hpp"
#include "tools.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace signctl::crypto {
namespace {

using test::must;
using test::text_of;
using Spec = PrivateKey::Spec;

/// The parts of one identity as files for the openssl command.
struct Parts {
  test::TemporaryFolder folder;
  test::KeyChain chain;

  explicit Parts(Spec spec = Spec::p256) : chain(test::make_key_chain(spec)) {
    test::spill_pem(folder.file("key.pem"), chain.key);
    test::spill_pem(folder.file("leaf.pem"), {chain.leaf});
    test::spill_pem(folder.file("rest.pem"), {chain.root, chain.intermediate});
  }

  /// What `openssl pkcs12 -export OPTIONS` makes of them.
  [[nodiscard]] Bytes exported(const std::string& options) const {
    const auto result =
        test::shell("openssl pkcs12 -export -inkey " + folder.file("key.pem") + " -in " +
                    folder.file("leaf.pem") + " -certfile " + folder.file("rest.pem") + " -out " +
                    folder.file("out.pfx") + " " + options);
    INFO(result.output);
    REQUIRE(result.status == 0);
    return test::slurp(folder.file("out.pfx"));
  }

  void check_complete(const Result<KeyBundle>& read) const {
    if (!read) {
      FAIL(text_of(read.error()));
    }
    REQUIRE(read->chain.size() == 2);
    CHECK(read->chain[0] == chain.leaf);
    CHECK(read->chain[1] == chain.intermediate);
    CHECK(read->key.matches(chain.leaf));
    CHECK(read->key.sign_digest(Bytes(32, 1), DigestAlg::sha256));
  }
};

ErrorKind kind_of(const Result<KeyBundle>& read) {
  REQUIRE_FALSE(read);
  INFO(text_of(read.error()));
  CHECK(text_of(read.error()).find("hunter2") == std::string::npos);
  return read.error().kind;
}

}  // namespace

TEST_CASE("pkcs12: what we write is read back, and openssl reads it, too", "[crypto]") {
  const auto spec = GENERATE(Spec::rsa2048, Spec::p256, Spec::p521);
  const auto password = GENERATE(values<std::string>({"hunter2", "", "p\u00e4ssw\u00f6rd \u20ac"}));
  const Parts parts(spec);

  const Bytes written = must(write_pkcs12(parts.chain.bundle(), Secret(password), "a name"));

  parts.check_complete(read_pkcs12(written, Secret(password)));
  CHECK(kind_of(read_pkcs12(written, Secret(password + "x"))) == ErrorKind::auth);
  if (test::has_openssl("openssl reads our PKCS #12")) {
    test::spill(parts.folder.file("ours.pfx"), written);
    const auto info =
        test::shell("openssl pkcs12 -info -noout -in " + parts.folder.file("ours.pfx") +
                    " -passin 'pass:" + password + "'");
    INFO(info.output);
    CHECK(info.status == 0);
    CHECK(info.output.find("MAC: sha256") != std::string::npos);
    CHECK(info.output.find("AES-256-CBC") != std::string::npos);
  }
}

TEST_CASE("pkcs12: openssl's files of every age are read", "[crypto]") {
  if (!test::has_openssl("openssl's files of every age are read")) {
    return;
  }
  const auto options = GENERATE(values<std::string>({
      "",
      "-legacy",
      "-legacy -descert",
      "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
      "-legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-40",
      "-legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC2-128",
      "-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha512",
      "-certpbe NONE",
      "-keypbe NONE -certpbe NONE",
      "-nomac",
      "-legacy -nomac",
      "-iter 1 -name 'friendly name' -CSP 'Microsoft Software Key Storage Provider'",
  }));
  const Parts parts;
  INFO(options);
  const Bytes file = parts.exported(options + " -passout pass:hunter2");

  parts.check_complete(read_pkcs12(file, Secret("hunter2")));

  // With nothing encrypted and no MAC there is nothing that a password could be wrong for.
  CHECK(kind_of(read_pkcs12(file, Secret("hunter3"))) == ErrorKind::auth);
  CHECK(kind_of(read_pkcs12(file, Secret())) == ErrorKind::auth);
}

TEST_CASE("pkcs12: passwords of other alphabets, as UTF-8 and in old files", "[crypto]") {
  if (!test::has_openssl("passwords of other alphabets")) {
    return;
  }
  const auto options = GENERATE(values<std::string>({"", "-legacy"}));
  const auto password = GENERATE(values<std::string>(
      {"\u00fcml\u00e4ut", "\u043f\u0430\u0440\u043e\u043b\u044c", "\u5bc6\u7801", "\U0001F511"}));
  const Parts parts;
  INFO(options << " " << password);
  const Bytes file = parts.exported(options + " -passout 'pass:" + password + "'");

  parts.check_complete(read_pkcs12(file, Secret(password)));
  CHECK(kind_of(read_pkcs12(file, Secret(password.substr(0, 1)))) == ErrorKind::auth);
}

TEST_CASE("pkcs12: an empty password is found without being given", "[crypto]") {
  if (!test::has_openssl("an empty password is found")) {
    return;
  }
  const auto options =
      GENERATE(values<std::string>({"", "-legacy", "-keypbe NONE -certpbe NONE -nomac"}));
  const Parts parts;

  parts.check_complete(read_pkcs12(parts.exported(options + " -passout pass:"), Secret()));
}

TEST_CASE("pkcs12: files without a key or without its certificate are told apart", "[crypto]") {
  if (!test::has_openssl("files without a key")) {
    return;
  }
  const Parts parts;
  const Parts others;
  const std::string out = parts.folder.file("out.pfx");
  const std::string tail = " -out " + out + " -passout pass:hunter2";

  REQUIRE(test::shell("openssl pkcs12 -export -nokeys -in " + parts.folder.file("leaf.pem") + tail)
              .status == 0);
  const auto no_key = read_pkcs12(test::slurp(out), Secret("hunter2"));
  REQUIRE(test::shell("openssl pkcs12 -export -nocerts -inkey " + parts.folder.file("key.pem") +
                      " -in " + parts.folder.file("leaf.pem") + tail)
              .status == 0);
  const auto no_certificate = read_pkcs12(test::slurp(out), Secret("hunter2"));

  CHECK(kind_of(no_key) == ErrorKind::input);
  CHECK(no_key.error().message == "the PKCS #12 file holds no private key");
  CHECK(kind_of(no_certificate) == ErrorKind::input);
  CHECK(no_certificate.error().message.find("no certificate") != std::string::npos);
}

TEST_CASE("pkcs12: every truncation is refused as input", "[crypto]") {
  const Parts parts;
  const Bytes file = must(write_pkcs12(parts.chain.bundle(), Secret("hunter2"), "n"));
  for (std::size_t size = 0; size < file.size(); size += size < 64 ? 1 : 61) {
    INFO(size);
    CHECK(kind_of(read_pkcs12(ByteView(file).first(size), Secret("hunter2"))) == ErrorKind::input);
  }
}

TEST_CASE("pkcs12: what is something else is refused as input", "[crypto]") {
  const Parts parts;
  const Bytes key = test::slurp(parts.folder.file("key.pem"));
  Bytes longer = must(write_pkcs12(parts.chain.bundle(), Secret("hunter2"), "n"));
  longer.push_back(0);

  CHECK(kind_of(read_pkcs12(key, Secret("hunter2"))) == ErrorKind::input);
  CHECK(kind_of(read_pkcs12(parts.chain.leaf.der(), Secret("hunter2"))) == ErrorKind::input);
  CHECK(kind_of(read_pkcs12(der::sequence({}), Secret())) == ErrorKind::input);
  CHECK(kind_of(read_pkcs12({}, Secret())) == ErrorKind::input);
  // Bytes behind it change nothing, as with openssl.
  parts.check_complete(read_pkcs12(longer, Secret("hunter2")));
}

TEST_CASE("pkcs12: a flipped byte never gives another key", "[crypto]") {
  const Parts parts;
  const Bytes file = must(write_pkcs12(parts.chain.bundle(), Secret("hunter2"), "n"));
  for (std::size_t at = 0; at < file.size(); at += 23) {
    Bytes damaged = file;
    damaged[at] ^= 0x10U;

    const auto read = read_pkcs12(damaged, Secret("hunter2"));

    INFO(at);
    if (read) {
      CHECK(read->chain.front() == parts.chain.leaf);
    } else {
      CHECK((read.error().kind == ErrorKind::input || read.error().kind == ErrorKind::auth ||
             read.error().kind == ErrorKind::unsupported));
    }
  }
}

TEST_CASE("pkcs12: of several keys the one with a certificate is taken", "[crypto]") {
  if (!test::has_openssl("of several keys the one with a certificate is taken")) {
    return;
  }
  const Parts parts;
  const Parts others;
  const auto path = [&](const char* name) { return parts.folder.file(name); };
  const std::string quiet = " -passout pass:hunter2 -out ";
  const auto run = [](const std::string& command) { return test::shell(command).status; };
  // openssl writes one key a file, so the second one comes as a file with a key alone, and the bags
  // of both are put into one authenticated safe, without a MAC.
  REQUIRE(run("openssl pkcs12 -export -nomac -certpbe NONE -keypbe NONE -nocerts -inkey " +
              others.folder.file("key.pem") + " -in " + others.folder.file("leaf.pem") + quiet +
              path("one.pfx")) == 0);
  REQUIRE(run("openssl pkcs12 -export -nomac -certpbe NONE -keypbe NONE -inkey " + path("key.pem") +
              " -in " + path("leaf.pem") + " -certfile " + path("rest.pem") + quiet +
              path("two.pfx")) == 0);
  const auto safes_of = [&](const char* name) {
    const Bytes file = test::slurp(path(name));
    der::Parser pfx(must(der::parse_whole(file, der::kSequence, "PFX")).content);
    must(pfx.next("version"));
    der::Parser info(must(pfx.next("authSafe")).content);
    must(info.next("type"));
    const Bytes explicit_octets(info.rest().begin(), info.rest().end());
    const auto wrapped = must(der::parse_whole(explicit_octets, der::context(0), "content"));
    const auto octets = must(der::parse_whole(wrapped.content, der::kOctetString, "octets"));
    const auto list = must(der::parse_whole(octets.content, der::kSequence, "safes"));
    return Bytes(list.content.begin(), list.content.end());
  };
  const Bytes all = der::octet_string(der::sequence({safes_of("one.pfx"), safes_of("two.pfx")}));
  const Bytes info =
      der::sequence({der::oid("1.2.840.113549.1.7.1"), der::tlv(der::context(0), ByteView(all))});

  parts.check_complete(read_pkcs12(der::sequence({der::integer(3), info}), Secret()));
}

TEST_CASE("pkcs12: an old file without the legacy provider [child]", "[.][no-legacy]") {
  const Bytes file = test::slurp(std::getenv("SIGNCTL_TEST_PFX"));

  const auto read = read_pkcs12(file, Secret("hunter2"));

  CHECK(kind_of(read) == ErrorKind::unsupported);
  CHECK(read.error().hint.find("convert the file") != std::string::npos);
}

TEST_CASE("pkcs12: an old file without the legacy provider says what to do", "[crypto]") {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || !test::has_openssl("an old file without the legacy provider")) {
    std::cerr << "SKIPPED: an old file without the legacy provider (no /proc or openssl)\n";
    return;
  }
  const Parts parts;
  static_cast<void>(parts.exported("-legacy -passout pass:hunter2"));

  // In a process of its own, because the provider is looked for once.
  const auto child =
      test::shell("OPENSSL_MODULES=/nonexistent SIGNCTL_TEST_PFX='" + parts.folder.file("out.pfx") +
                  "' '" + self.string() + "' '[no-legacy]'");

  INFO(child.output);
  CHECK(child.status == 0);
}

}  // namespace signctl::crypto
