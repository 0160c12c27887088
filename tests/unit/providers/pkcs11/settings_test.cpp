// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/settings.hpp"

#include "core/text.hpp"
#include "providers/pkcs11/module_paths.hpp"
#include "providers/pkcs11/return_value.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <set>

namespace signctl::test {
namespace {

using namespace providers::pkcs11;  // NOLINT(google-build-using-namespace): test

using Variables = std::map<std::string, std::string>;

ProviderSettings with(std::map<std::string, std::string> values) {
  ProviderSettings settings;
  settings.values = std::move(values);
  return settings;
}

}  // namespace

TEST_CASE("pkcs11 settings: a URI and the other keys complete each other",
          "[providers][pkcs11][settings]") {
  const Options options = must(read_options(
      with({{"uri", "pkcs11:token=T;id=%A1;object=name"}, {"serial", "42"}, {"timeout", "5s"}})));

  CHECK(options.token == "T");
  CHECK(options.serial == "42");
  CHECK(options.wanted.label == "name");
  CHECK(options.wanted.id == Bytes{0xA1});
  CHECK(options.timeout == std::chrono::seconds(5));
  CHECK(options.module.empty());
  CHECK(options.last_try == LastTry::refuse);
}

TEST_CASE("pkcs11 settings: the name in a URI for a certificate is not the key's",
          "[providers][pkcs11][settings]") {
  const Options options = must(read_options(with({{"uri", "pkcs11:object=name;type=cert"}})));

  CHECK_FALSE(options.wanted.label.has_value());
  CHECK(options.wanted.certificate == "name");
}

TEST_CASE("pkcs11 settings: what is wrong is a config error that names the key",
          "[providers][pkcs11][settings]") {
  struct Row {
    std::map<std::string, std::string> values;
    std::string reason;
  };
  const auto row = GENERATE(values<Row>({
      {{{"module", "libx.so"}}, "module must be an absolute path"},
      {{{"module", "/nonexistent/x.so"}}, "there is no module"},
      {{{"module", "/"}}, "there is no module"},
      {{{"uri", "pkcs11:?module-path=x.so"}}, "module must be an absolute path"},
      {{{"uri", "pkcs11:token=a"}, {"token", "b"}}, "token and the uri contradict"},
      {{{"uri", "pkcs11:serial=a"}, {"serial", "b"}}, "serial and the uri contradict"},
      {{{"timeout", "soon"}}, "timeout must be a duration"},
      {{{"timeout", "0s"}}, "timeout must be a duration"},
      {{{"user_type", "0"}}, "user_type must be"},
      {{{"user_type", "2"}}, "user_type must be"},
      {{{"user_type", "SO"}}, "user_type must be"},
      {{{"allow_final_pin_try", "perhaps"}}, "must be yes or no"},
      {{{"max_parallel", "0"}}, "max_parallel must be at least 1"},
      {{{"uri", "pkcs11:?pin-source=%7Ccommand"}}, "must name a file"},
  }));

  const auto options = read_options(with(row.values));

  REQUIRE_FALSE(options);
  INFO(options.error().message);
  CHECK(options.error().kind == ErrorKind::config);
  CHECK(options.error().message.find(row.reason) != std::string::npos);
}

TEST_CASE("pkcs11 settings: the vendor's number of a user may be hexadecimal",
          "[providers][pkcs11][settings]") {
  CHECK(must(read_options(with({{"user_type", "0x80000001"}}))).user == 0x80000001U);
  CHECK(must(read_options(with({}))).user == 1U);
}

TEST_CASE("pkcs11 settings: pin-source is a path or a file URI, and its first line counts",
          "[providers][pkcs11][settings]") {
  const TemporaryFolder folder;
  const std::string file = folder.file("pin");
  spill(file, as_bytes("1234\r\nsecond line\n"));
  for (const std::string& source : {file, "file:" + file, "file://" + file}) {
    INFO(source);
    const Options options = must(read_options(with({{"uri", "pkcs11:?pin-source=" + source}})));
    REQUIRE(options.pin.has_value());
    CHECK(options.pin->reveal() == "1234");
  }
}

TEST_CASE("pkcs11 settings: two PINs are refused, because trying them costs tries",
          "[providers][pkcs11][settings]") {
  ProviderSettings settings = with({{"uri", "pkcs11:?pin-source=/nonexistent"}});
  settings.secrets.emplace("pin", Secret("1234"));

  const auto options = read_options(settings);

  REQUIRE_FALSE(options);
  CHECK(options.error().kind == ErrorKind::config);
  CHECK(options.error().message.find("two PINs") != std::string::npos);
}

TEST_CASE("pkcs11 settings: a missing pin-source is an error of that file",
          "[providers][pkcs11][settings]") {
  CHECK(read_options(with({{"uri", "pkcs11:?pin-source=/nonexistent"}})).error().kind ==
        ErrorKind::input);
}

TEST_CASE("pkcs11 modules: the list holds absolute paths, each once",
          "[providers][pkcs11][settings]") {
  std::set<std::string_view> seen;
  for (const KnownModule& module : known_modules()) {
    INFO(module.vendor);
    CHECK_FALSE(module.paths.empty());
    for (const std::string_view path : module.paths) {
      INFO(path);
      CHECK(path.starts_with('/'));
      CHECK(seen.insert(path).second);
    }
  }
}

TEST_CASE("pkcs11 modules: the TPM's is not loaded to look around before it has a store",
          "[providers][pkcs11][settings]") {
  const FoundModule tpm{"TPM2", "/usr/lib/libtpm2_pkcs11.so"};

  CHECK(may_be_probed(tpm, FakeEnvironment(Variables{{"TPM2_PKCS11_STORE", "/x"}})));
  CHECK_FALSE(may_be_probed(tpm, FakeEnvironment(Variables{{"HOME", "/nonexistent"}})));
  CHECK(may_be_probed({"SoftHSM2", "/x"}, FakeEnvironment()));
}

TEST_CASE("pkcs11 return values: what a PIN was answered with is never worth another try",
          "[providers][pkcs11][settings]") {
  for (const std::uint64_t rv : {0xA0U, 0xA1U, 0xA2U, 0xA3U, 0xA4U, 0x102U}) {
    INFO(rv_text(rv));
    CHECK(class_of(rv) == RvClass::pin);
    CHECK(rv_error("C_Login", rv).kind == ErrorKind::auth);
    CHECK_FALSE(rv_error("C_Login", rv).hint.empty());
  }
  CHECK(rv_text(0xA0) == "CKR_PIN_INCORRECT (0xa0)");
  CHECK(rv_text(0x80000123) == "0x80000123");
  CHECK(class_of(0x80000123) == RvClass::device);
  CHECK(class_of(0x777) == RvClass::other);
}

}  // namespace signctl::test
