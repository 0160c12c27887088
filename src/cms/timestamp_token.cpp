// SPDX-License-Identifier: Apache-2.0
// Parsed by hand: Microsoft's authorities put attribute certificates into the token, on which
// OpenSSL's PKCS7 and TS parsers, and so its TS_RESP, fail.

#include "cms/timestamp_token.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <utility>

namespace signctl::cms {
namespace {

constexpr std::size_t kMaxStatusTexts = 16;
constexpr std::size_t kMaxFailureOctets = 16;
constexpr std::size_t kMaxExtensions = 64;
/// A number of seconds that still fits in milliseconds with room to spare: three hundred years.
constexpr std::uint64_t kMaxAccuracySeconds = 10'000'000'000;

Error malformed(std::string message) {
  return Error{ErrorKind::input, std::move(message)};
}

Bytes copy(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

/// An INTEGER (1..999) under a context tag; 0 if absent.
Result<std::uint64_t> read_fraction(der::Parser& parser, unsigned number) {
  SIGNCTL_TRY(
      const auto tagged, parser.optional(der::context_primitive(number), "accuracy fraction"), "");
  if (!tagged) {
    return std::uint64_t{0};
  }
  Bytes universal = copy(tagged->full);
  universal[0] = der::kInteger;
  return der::Parser(universal).small_integer("accuracy fraction");
}

/// Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] INTEGER (1..999) OPTIONAL,
///                         micros [1] INTEGER (1..999) OPTIONAL }
Result<std::chrono::milliseconds> read_accuracy(ByteView content) {
  der::Parser parser(content);
  std::uint64_t seconds = 0;
  if (parser.peek() == der::kInteger) {
    SIGNCTL_TRY(seconds, parser.small_integer("accuracy seconds"), "");
  }
  SIGNCTL_TRY(const std::uint64_t millis, read_fraction(parser, 0), "");
  SIGNCTL_TRY(const std::uint64_t micros, read_fraction(parser, 1), "");
  SIGNCTL_CHECK(parser.end("accuracy"), "");
  if (seconds > kMaxAccuracySeconds || millis > 999 || micros > 999) {
    return malformed("the accuracy of the timestamp is out of range");
  }
  const std::uint64_t rounded_up = micros == 0 ? 0 : 1;
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000 + millis + rounded_up));
}

Result<void> read_imprint(der::Parser& parser, TstInfo& info) {
  SIGNCTL_TRY(const der::Tlv imprint, parser.expect(der::kSequence, "messageImprint"), "");
  der::Parser inner(imprint.content);
  SIGNCTL_TRY(
      const der::AlgorithmId algorithm, der::read_algorithm(inner, "imprint algorithm"), "");
  SIGNCTL_TRY(const der::Tlv digest, inner.expect(der::kOctetString, "hashedMessage"), "");
  SIGNCTL_CHECK(inner.end("messageImprint"), "");
  if (!algorithm.parameters.empty() && algorithm.parameters[0] != der::kNull) {
    return malformed("the imprint algorithm has parameters");
  }
  info.imprint_oid = algorithm.oid;
  info.imprint_alg = oid::digest_from(algorithm.oid);
  info.imprint = copy(digest.content);
  return ok();
}

/// Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
Result<void> read_extension(ByteView content, TstInfo& info) {
  der::Parser parser(content);
  SIGNCTL_TRY(std::string id, parser.oid("extension id"), "");
  SIGNCTL_TRY(const auto critical, parser.optional(der::kBoolean, "critical"), "");
  SIGNCTL_TRY(const der::Tlv value, parser.expect(der::kOctetString, "extension value"), "");
  static_cast<void>(value);
  if (critical && (critical->content.size() != 1 || critical->content[0] != 0)) {
    info.critical_extensions.push_back(std::move(id));
  }
  return parser.end("extension");
}

Result<void> read_extensions(ByteView content, TstInfo& info) {
  der::Parser parser(content);
  for (std::size_t count = 0; !parser.at_end(); ++count) {
    if (count == kMaxExtensions) {
      return malformed("more than " + std::to_string(kMaxExtensions) + " extensions in TSTInfo");
    }
    SIGNCTL_TRY(const der::Tlv extension, parser.expect(der::kSequence, "extension"), "");
    auto read = read_extension(extension.content, info);
    if (!read) {
      return read;
    }
  }
  return ok();
}

/// What follows genTime, all of it optional but in this order.
Result<void> read_optional_fields(der::Parser& parser, TstInfo& info) {
  SIGNCTL_TRY(const auto accuracy, parser.optional(der::kSequence, "accuracy"), "");
  if (accuracy) {
    SIGNCTL_TRY(info.accuracy, read_accuracy(accuracy->content), "");
  }
  SIGNCTL_TRY(const auto ordering, parser.optional(der::kBoolean, "ordering"), "");
  if (ordering && (ordering->content.size() != 1 ||
                   (ordering->content[0] != 0x00 && ordering->content[0] != 0xFF))) {
    return malformed("the ordering field of TSTInfo is no DER BOOLEAN");
  }
  SIGNCTL_TRY(const auto nonce, parser.optional(der::kInteger, "nonce"), "");
  if (nonce) {
    if (nonce->content.empty()) {
      return malformed("the nonce of TSTInfo is empty");
    }
    info.nonce = copy(nonce->content);
  }
  SIGNCTL_TRY(const auto tsa, parser.optional(der::context(0), "tsa"), "");
  static_cast<void>(tsa);
  SIGNCTL_TRY(const auto extensions, parser.optional(der::context(1), "extensions"), "");
  SIGNCTL_CHECK(read_extensions(extensions ? extensions->content : ByteView(), info), "");
  return parser.end("TSTInfo");
}

Result<TstInfo> read_tst_info(ByteView der) {
  SIGNCTL_CHECK(der::check_strict(der), "");
  SIGNCTL_TRY(const der::Tlv whole, der::parse_whole(der, der::kSequence, "TSTInfo"), "");
  der::Parser parser(whole.content);
  TstInfo info;
  SIGNCTL_TRY(info.version, parser.small_integer("TSTInfo version"), "");
  if (info.version != 1) {
    return malformed("TSTInfo is version " + std::to_string(info.version) + ", expected 1");
  }
  SIGNCTL_TRY(info.policy, parser.oid("TSTInfo policy"), "");
  SIGNCTL_CHECK(read_imprint(parser, info), "");
  SIGNCTL_TRY(const der::Tlv serial, parser.expect(der::kInteger, "TSTInfo serialNumber"), "");
  if (serial.content.empty()) {
    return malformed("the serial number of TSTInfo is empty");
  }
  info.serial = copy(serial.content);
  SIGNCTL_TRY(const der::Tlv time, parser.expect(der::kGeneralizedTime, "genTime"), "");
  SIGNCTL_TRY(const std::int64_t seconds, der::read_time(time, "genTime"), "");
  info.time = TimePoint(std::chrono::seconds(seconds));
  SIGNCTL_CHECK(read_optional_fields(parser, info), "");
  return info;
}

/// PKIFreeText ::= SEQUENCE OF UTF8String, on one line.
Result<std::string> read_free_text(ByteView content) {
  std::string text;
  der::Parser parser(content);
  for (std::size_t count = 0; !parser.at_end(); ++count) {
    if (count == kMaxStatusTexts) {
      return malformed("more than " + std::to_string(kMaxStatusTexts) + " status texts");
    }
    SIGNCTL_TRY(const der::Tlv line, parser.expect(der::kUtf8String, "status text"), "");
    text += (text.empty() ? "" : "; ") + printable(as_text(line.content));
  }
  return text;
}

/// The numbers of the bits that are set in PKIFailureInfo, a BIT STRING.
Result<std::vector<int>> read_failure_bits(ByteView content) {
  if (content.empty() || content[0] > 7 || content.size() > kMaxFailureOctets) {
    return malformed("the failure information is no usable BIT STRING");
  }
  std::vector<int> bits;
  const ByteView octets = content.subspan(1);
  for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
    if ((octets[bit / 8] & (0x80U >> (bit % 8))) != 0) {
      bits.push_back(static_cast<int>(bit));
    }
  }
  return bits;
}

Result<void> read_status(ByteView content, TimestampResponse& response) {
  der::Parser parser(content);
  SIGNCTL_TRY(response.status, parser.small_integer("status"), "");
  SIGNCTL_TRY(const auto text, parser.optional(der::kSequence, "statusString"), "");
  if (text) {
    SIGNCTL_TRY(response.status_text, read_free_text(text->content), "");
  }
  SIGNCTL_TRY(const auto failure, parser.optional(der::kBitString, "failInfo"), "");
  if (failure) {
    SIGNCTL_TRY(response.failure_bits, read_failure_bits(failure->content), "");
  }
  return parser.end("PKIStatusInfo");
}

}  // namespace

Result<TimestampToken> parse_timestamp_token(ByteView der) {
  TimestampToken token;
  SIGNCTL_TRY(token.signed_data, parse_signed_data(der), "reading the timestamp token");
  const SignedData& data = token.signed_data;
  if (data.content_type != oid::kTstInfo) {
    return malformed("the content of the timestamp token is " + data.content_type +
                     ", not TSTInfo");
  }
  if (!data.content_in_octet_string) {
    return malformed("the TSTInfo of the timestamp token is not in an OCTET STRING");
  }
  if (data.signers.size() != 1) {
    return malformed("the timestamp token has " + std::to_string(data.signers.size()) +
                     " signers, expected one");
  }
  SIGNCTL_TRY(token.info, read_tst_info(data.content), "reading the TSTInfo of the token");
  return token;
}

Bytes encode_timestamp_request(ByteView imprint,
                               DigestAlg alg,
                               ByteView nonce,
                               const std::string& policy) {
  const Bytes message_imprint =
      der::sequence({der::algorithm_with_null(oid::of(alg)), der::octet_string(imprint)});
  const Bytes policy_id = policy.empty() ? Bytes{} : der::oid(policy);
  const Bytes number = nonce.empty() ? Bytes{} : der::unsigned_integer(nonce);
  return der::sequence({der::integer(1), message_imprint, policy_id, number, der::boolean(true)});
}

Result<TimestampResponse> parse_timestamp_response(ByteView der) {
  SIGNCTL_TRY(const der::Tlv whole, der::parse_whole(der, der::kSequence, "TimeStampResp"), "");
  der::Parser parser(whole.content);
  TimestampResponse response;
  SIGNCTL_TRY(const der::Tlv status, parser.expect(der::kSequence, "PKIStatusInfo"), "");
  SIGNCTL_CHECK(read_status(status.content, response), "reading the status of the response");
  SIGNCTL_TRY(const auto token, parser.optional(der::kSequence, "timeStampToken"), "");
  if (token) {
    response.token = copy(token->full);
  }
  SIGNCTL_CHECK(parser.end("TimeStampResp"), "");
  return response;
}

}  // namespace signctl::cms
