// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/uri.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

namespace signctl::test {

using providers::pkcs11::parse_uri;
using providers::pkcs11::Uri;

TEST_CASE("pkcs11 uri: the examples of RFC 7512 are read", "[providers][pkcs11][uri]") {
  CHECK_FALSE(must(parse_uri("pkcs11:")).token.has_value());
  CHECK(must(parse_uri("pkcs11:object=my-pubkey;type=public")).object == "my-pubkey");

  const Uri key = must(parse_uri("pkcs11:object=my-key;type=private?pin-source=file:/etc/token"));
  CHECK(key.type == "private");
  CHECK(key.pin_source == "file:/etc/token");

  const Uri certificate =
      must(parse_uri("pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;"
                     "manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
                     "object=my-certificate;type=cert;"
                     "id=%69%95%3E%5C%F4%BD%EC%91;serial="
                     "?pin-source=file:/etc/token_pin"));
  CHECK(certificate.token == "The Software PKCS#11 Softtoken");
  CHECK(certificate.manufacturer == "Snake Oil, Inc.");
  CHECK(certificate.model == "1.0");
  CHECK(certificate.serial == "");
  CHECK(to_hex(certificate.id.value_or(Bytes{})) == "69953e5cf4bdec91");

  const Uri module = must(
      parse_uri("pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc."
                "?module-name=mypkcs11"));
  CHECK(module.module_name == "mypkcs11");

  const Uri slot =
      must(parse_uri("pkcs11:slot-description=Sun%20Metaslot;slot-manufacturer=Snake;slot-id=327"));
  CHECK(slot.slot_description == "Sun Metaslot");
  CHECK(slot.slot_id == 327U);

  const Uri library =
      must(parse_uri("pkcs11:library-description=Soft%20Token%20Library;library-manufacturer=Snake;"
                     "library-version=3.1?module-path=/mnt/libmypkcs11.so.1"));
  CHECK(library.library_version == "3.1");
  CHECK(library.module_path == "/mnt/libmypkcs11.so.1");
}

TEST_CASE("pkcs11 uri: values are decoded one by one, and a plus is a plus",
          "[providers][pkcs11][uri]") {
  const Uri uri =
      must(parse_uri("pkcs11:token=A%3BB%3Dc;object=a+b;id=%01%A2%00;x-vendor=ignored?x-query=1&"
                     "pin-source=/x%20y"));

  CHECK(uri.token == "A;B=c");
  CHECK(uri.object == "a+b");
  CHECK(uri.id == Bytes{0x01, 0xA2, 0x00});
  CHECK(uri.pin_source == "/x y");
}

TEST_CASE("pkcs11 uri: the scheme may be written in any case", "[providers][pkcs11][uri]") {
  CHECK(must(parse_uri("PKCS11:token=a")).token == "a");
}

TEST_CASE("pkcs11 uri: what is malformed is refused with the reason, and no value is quoted",
          "[providers][pkcs11][uri]") {
  struct Lie {
    std::string text;
    std::string reason;
  };
  const auto lie = GENERATE(values<Lie>({
      {"", "does not begin with pkcs11:"},
      {"http:token=SECRET", "does not begin with pkcs11:"},
      {"pkcs11:token", "without a name or a value"},
      {"pkcs11:=SECRET", "without a name or a value"},
      {"pkcs11:token=a;token=SECRET", "has token twice"},
      {"pkcs11:token=a?pin-source=a&pin-source=SECRET", "has pin-source twice"},
      {"pkcs11:token=SECRET%", "bad character or percent-encoding in token"},
      {"pkcs11:token=SECRET%4", "bad character or percent-encoding in token"},
      {"pkcs11:token=SECRET%zz", "bad character or percent-encoding in token"},
      {"pkcs11:token=SECRET SECRET", "bad character or percent-encoding in token"},
      {"pkcs11:slot-id=SECRET", "slot-id that is no number"},
      {"pkcs11:slot-id=99999999999999999999999", "slot-id that is no number"},
      {"pkcs11:slot-id=-1", "slot-id that is no number"},
      {"pkcs11:type=SECRET", "unknown type"},
      {"pkcs11:type=secret-key", "cannot sign"},
      {"pkcs11:token=a?pin-value=SECRET", "PIN in clear"},
  }));
  INFO(lie.text);

  const auto uri = parse_uri(lie.text);

  REQUIRE_FALSE(uri);
  CHECK(uri.error().kind == ErrorKind::config);
  CHECK(uri.error().message.find(lie.reason) != std::string::npos);
  CHECK(text_of(uri.error()).find("SECRET") == std::string::npos);
}

TEST_CASE("pkcs11 uri: no prefix of a good one crashes the reader", "[providers][pkcs11][uri]") {
  const std::string whole =
      "pkcs11:token=A%3BB;slot-id=12;id=%01%A2;type=private?module-path=/x&pin-source=file:/y";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto uri = parse_uri(whole.substr(0, size));
    CHECK((uri.has_value() || uri.error().kind == ErrorKind::config));
  }
}

}  // namespace signctl::test
