// SPDX-License-Identifier: Apache-2.0
#include "formats/cat/catalog.hpp"

#include "core/file.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace signctl::cat {
namespace {

Result<void> read_content(der::Parser& parser, Catalog& catalog) {
  SIGNCTL_TRY(const der::Tlv info, parser.expect(der::kSequence, "encapContentInfo"), "");
  der::Parser inner(info.content);
  SIGNCTL_TRY(const std::string type, inner.oid("content type"), "");
  if (type != oid::kCtl) {
    return Error{ErrorKind::input,
                 "the content is of type " + type + ", not a certificate trust list"};
  }
  SIGNCTL_TRY(const der::Tlv wrapper, inner.expect(der::context(0), "content"), "");
  SIGNCTL_CHECK(inner.end("encapContentInfo"), "");
  SIGNCTL_TRY(const der::Tlv list,
              der::parse_whole(wrapper.content, der::kSequence, "CertificateTrustList"),
              "");
  SIGNCTL_CHECK(der::check_strict(list.full), "reading the certificate trust list");
  catalog.content.assign(list.full.begin(), list.full.end());
  return ok();
}

/// SignedData (RFC 2315, 9.1). cms::parse_signed_data() does it again for one with signers.
Result<void> read_signed_data(ByteView content, Catalog& catalog) {
  der::Parser parser(content);
  SIGNCTL_TRY(const std::uint64_t version, parser.small_integer("SignedData version"), "");
  static_cast<void>(version);
  SIGNCTL_TRY(const der::Tlv algorithms, parser.expect(der::kSet, "digestAlgorithms"), "");
  static_cast<void>(algorithms);
  SIGNCTL_CHECK(read_content(parser, catalog), "");
  SIGNCTL_TRY(const auto certificates, parser.optional(der::context(0), "certificates"), "");
  SIGNCTL_TRY(const auto crls, parser.optional(der::context(1), "crls"), "");
  static_cast<void>(certificates);
  static_cast<void>(crls);
  SIGNCTL_TRY(const der::Tlv signers, parser.expect(der::kSet, "signerInfos"), "");
  catalog.has_signers = !signers.content.empty();
  return parser.end("SignedData");
}

/// The content octets, or as many as there are, of the TLV at the start of `bytes`.
std::optional<ByteView> enter(ByteView bytes, std::uint8_t tag) {
  constexpr std::size_t kLongForm = 0x80;
  if (bytes.size() < 2 || bytes[0] != tag) {
    return std::nullopt;
  }
  const std::size_t more = bytes[1] > kLongForm ? bytes[1] - kLongForm : 0;
  if (bytes[1] == kLongForm || more > 4 || bytes.size() < 2 + more) {
    return std::nullopt;
  }
  return bytes.subspan(2 + more);
}

/// What follows the complete TLV at the start of `bytes`, whatever follows it.
std::optional<ByteView> skip(ByteView bytes, std::uint8_t tag) {
  der::Parser parser(bytes);
  const auto tlv = parser.next("element");
  if (!tlv || tlv->tag != tag) {
    return std::nullopt;
  }
  return parser.rest();
}

/// What follows the OBJECT IDENTIFIER `dotted`.
std::optional<ByteView> skip_oid(ByteView bytes, std::string_view dotted) {
  const Bytes wanted = der::oid(dotted);
  if (bytes.size() < wanted.size() || !std::equal(wanted.begin(), wanted.end(), bytes.begin())) {
    return std::nullopt;
  }
  return bytes.subspan(wanted.size());
}

}  // namespace

Result<Catalog> read_catalog(const ByteSource& source) {
  if (source.size() > kMaxCatalogSize) {
    return Error{ErrorKind::input, "the catalog has more than 16 MB"};
  }
  SIGNCTL_TRY(const Bytes bytes, read_bytes(source, 0, source.size()), "reading the catalog");
  der::Parser file(bytes);
  SIGNCTL_TRY(const der::Tlv info, file.expect(der::kSequence, "ContentInfo"), "");
  Catalog catalog;
  catalog.cms.assign(info.full.begin(), info.full.end());
  catalog.trailing = file.rest().size();
  der::Parser parser(info.content);
  SIGNCTL_TRY(const std::string type, parser.oid("ContentInfo type"), "");
  if (type != oid::kSignedData) {
    return Error{ErrorKind::input, "the ContentInfo is of type " + type + ", not signedData"};
  }
  SIGNCTL_TRY(const der::Tlv wrapper, parser.expect(der::context(0), "SignedData"), "");
  SIGNCTL_CHECK(parser.end("ContentInfo"), "");
  SIGNCTL_TRY(
      const der::Tlv body, der::parse_whole(wrapper.content, der::kSequence, "SignedData"), "");
  SIGNCTL_CHECK(read_signed_data(body.content, catalog), "");
  return catalog;
}

Bytes encode_unsigned(ByteView content) {
  const Bytes list(content.begin(), content.end());
  const Bytes info =
      der::sequence({der::oid(oid::kCtl), der::tlv(der::context(0), ByteView(list))});
  const Bytes data = der::sequence({der::integer(1), der::set({}), info, der::set({})});
  return der::sequence({der::oid(oid::kSignedData), der::tlv(der::context(0), ByteView(data))});
}

bool starts_like_catalog(ByteView head) {
  auto rest = enter(head, der::kSequence);
  rest = rest ? skip_oid(*rest, oid::kSignedData) : rest;
  rest = rest ? enter(*rest, der::context(0)) : rest;
  rest = rest ? enter(*rest, der::kSequence) : rest;
  rest = rest ? skip(*rest, der::kInteger) : rest;
  rest = rest ? skip(*rest, der::kSet) : rest;
  rest = rest ? enter(*rest, der::kSequence) : rest;
  return rest && skip_oid(*rest, oid::kCtl);
}

}  // namespace signctl::cat
