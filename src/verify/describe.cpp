// SPDX-License-Identifier: Apache-2.0
#include "verify/describe.hpp"

#include "cms/authenticode.hpp"
#include "cms/timestamp_token.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "verify/stuffing.hpp"

#include <algorithm>
#include <array>

namespace signctl::verify {

namespace {

constexpr std::size_t kMaxHexShown = 64;

std::string shown_hex(ByteView bytes) {
  return bytes.size() <= kMaxHexShown ? to_hex(bytes)
                                      : to_hex(bytes.first(kMaxHexShown)) + "... (" +
                                            std::to_string(bytes.size()) + " bytes)";
}

std::string named(const std::string& oid) {
  const std::string_view name = oid::name(oid);
  return name.empty() ? oid : std::string(name);
}

std::string oids_text(ByteView value) {
  std::string text;
  for (der::Parser parser(value); !parser.at_end();) {
    const auto one = parser.oid("OBJECT IDENTIFIER");
    if (!one) {
      return shown_hex(value);
    }
    text += (text.empty() ? "" : ", ") + named(*one);
  }
  return text;
}

std::string opus_text(ByteView value) {
  const auto opus = cms::parse_opus_info(value);
  if (!opus) {
    return shown_hex(value);
  }
  std::string text = opus->program_name.empty() ? "" : "\"" + printable(opus->program_name) + "\"";
  if (!opus->more_info_url.empty()) {
    text += (text.empty() ? "" : ", ") + printable(opus->more_info_url);
  }
  return text.empty() ? "(empty)" : text;
}

std::string token_text(ByteView value) {
  const auto token = cms::parse_timestamp_token(value);
  return token ? "token of " + to_iso8601(token->info.time) + " over " + token->info.imprint_oid
               : shown_hex(value);
}

std::string time_text(ByteView value) {
  der::Parser parser(value);
  const auto tlv = parser.next("time");
  const auto time = tlv ? der::read_time(*tlv, "time") : Result<std::int64_t>(tlv.error());
  return time ? to_iso8601(TimePoint(std::chrono::seconds(*time))) : shown_hex(value);
}

/// CommitmentTypeIndication ::= SEQUENCE { commitmentTypeId OBJECT IDENTIFIER, qualifiers OPTIONAL
/// }
std::string commitment_text(ByteView value) {
  const auto indication = der::parse_whole(value, der::kSequence, "commitment type");
  der::Parser parser(indication ? indication->content : ByteView());
  const auto type = parser.oid("commitmentTypeId");
  return type ? named(*type) : shown_hex(value);
}

/// A SEQUENCE OF strings.
std::string texts_of(ByteView value) {
  const auto list = der::parse_whole(value, der::kSequence, "texts");
  std::string text;
  for (der::Parser parser(list ? list->content : ByteView()); !parser.at_end();) {
    const auto one = parser.next("text");
    if (!one) {
      return shown_hex(value);
    }
    text += (text.empty() ? "" : ", ") + printable(as_text(one->content));
  }
  return text.empty() ? shown_hex(value) : text;
}

std::string content_text(ByteView value) {
  der::Parser parser(value);
  const auto tlv = parser.next("value");
  return shown_hex(tlv ? tlv->content : value);
}

std::string value_text(const std::string& oid, ByteView value) {
  if (oid == oid::kMessageDigest) {
    return content_text(value);
  }
  if (oid == oid::kContentType) {
    return oids_text(value);
  }
  if (oid == oid::kSpcStatementType) {
    der::Parser parser(value);
    const auto sequence = parser.next("statement type");
    return sequence ? oids_text(sequence->content) : shown_hex(value);
  }
  if (oid == oid::kSpcSpOpusInfo) {
    return opus_text(value);
  }
  if (oid == oid::kSigningTime) {
    return time_text(value);
  }
  if (oid == oid::kCommitmentType) {
    return commitment_text(value);
  }
  if (oid == oid::kNugetServiceIndexUrl) {
    der::Parser parser(value);
    const auto url = parser.next("URL");
    return url ? printable(as_text(url->content)) : shown_hex(value);
  }
  if (oid == oid::kNugetPackageOwners) {
    return texts_of(value);
  }
  if (oid == oid::kSpcRfc3161Timestamp || oid == oid::kTimeStampToken) {
    return token_text(value);
  }
  if (oid == oid::kSpcNestedSignature || oid == oid::kCounterSignature) {
    return std::to_string(value.size()) + " bytes";
  }
  return shown_hex(value);
}

AttributeInfo attribute_info(const cms::Attribute& attribute) {
  AttributeInfo info{attribute.oid, std::string(oid::name(attribute.oid)), {}, attribute.der};
  for (const Bytes& value : attribute.values) {
    info.value += (info.value.empty() ? "" : "; ") + value_text(attribute.oid, value);
  }
  return info;
}

void read_opus(const cms::SignerInfo& signer, SignatureInfo& info, std::vector<Finding>& findings) {
  for (const cms::Attribute* attribute : signer.find_signed(oid::kSpcSpOpusInfo)) {
    const auto opus = attribute->values.empty()
                          ? Result<cms::OpusInfo>(Error{ErrorKind::input, "no value"})
                          : cms::parse_opus_info(attribute->values.front());
    if (!opus) {
      findings.push_back({"opus-malformed",
                          Severity::warning,
                          info.label,
                          "description and URL cannot be read: " + opus.error().message});
      continue;
    }
    info.description = opus->program_name;
    info.url = opus->more_info_url;
  }
}

/// What it is over is the value of another signature, and what it says of that its messageDigest.
void describe_countersignature(const cms::SignedData& data, SignatureInfo& info) {
  const cms::SignerInfo& signer = data.signers.front();
  info.digest_alg = signer.digest_alg.value_or(DigestAlg::sha256);
  const auto attributes = signer.find_signed(oid::kMessageDigest);
  if (attributes.size() == 1 && attributes.front()->values.size() == 1) {
    info.digest_hex = content_text(attributes.front()->values.front());
  }
  info.computed_digest_hex = to_hex(crypto::hash(info.digest_alg, data.hashed_content));
}

bool carries_page_hashes(ByteView content) {
  const auto contains = [content](std::string_view oid) {
    const Bytes wanted = der::oid(oid);
    return std::search(content.begin(), content.end(), wanted.begin(), wanted.end()) !=
           content.end();
  };
  return contains(oid::kSpcPageHashesV1) || contains(oid::kSpcPageHashesV2);
}

}  // namespace

void describe(const Unit& unit, SignatureInfo& info, std::vector<Finding>& findings) {
  info.label = unit.label;
  info.location = unit.location;
  info.depth = unit.depth;
  info.cms = unit.cms;
  if (unit.content) {
    info.digest_alg = unit.content->alg;
    info.digest_hex = to_hex(unit.content->file_digest);
  }
  if (!unit.data) {
    return;
  }
  const cms::SignerInfo& signer = unit.data->signers.front();
  if (unit.scheme) {
    info.digest_alg = unit.scheme->alg;
    info.digest_hex = to_hex(unit.scheme->claimed_digest);
    info.computed_digest_hex = to_hex(unit.scheme->computed_digest);
    info.description = unit.scheme->description;
    info.url = unit.scheme->url;
  }
  if (unit.countersignature) {
    describe_countersignature(*unit.data, info);
  }
  info.page_hashes = carries_page_hashes(unit.data->content);
  for (const crypto::Certificate& certificate : unit.data->certificates) {
    info.certificates.push_back(certificate.info());
  }
  for (const cms::Attribute& attribute : signer.signed_attributes) {
    info.signed_attributes.push_back(attribute_info(attribute));
  }
  for (const cms::Attribute& attribute : signer.unsigned_attributes) {
    info.unsigned_attributes.push_back(attribute_info(attribute));
  }
  if (unit.profile.envelope == Envelope::authenticode) {
    read_opus(signer, info, findings);
  }
  check_stuffing(unit, findings);
}

}  // namespace signctl::verify
