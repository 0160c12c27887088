// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

#include <optional>
#include <string>
#include <vector>

/// Structures of "Windows Authenticode Portable Executable Signature Format" 1.0 (2008).
namespace signctl::cms {

/// SpcIndirectDataContent: what kind of file, and its digest.
struct IndirectData {
  std::string data_type;  ///< Dotted OID: SPC_PE_IMAGE_DATA, ...
  Bytes data_value;       ///< DER of data.value; empty if absent.
  DigestAlg alg{DigestAlg::sha256};
  Bytes digest;  ///< Raw; see DigestField.
};

/// What stands where the digest is expected.
enum class DigestField {
  one_digest,  ///< A digest of the algorithm's size: anything else is refused.
  table,       ///< Several digests with tags, as app packages have it; left to the format.
};

/// DER of the complete SpcIndirectDataContent.
[[nodiscard]] Bytes encode_indirect_data(const IndirectData& data);

/// @errors `input` for anything that is not exactly one SpcIndirectDataContent in DER.
Result<IndirectData> parse_indirect_data(ByteView der, DigestField field = DigestField::one_digest);

/// Program name and URL of the SpcSpOpusInfo attribute. UTF-8.
struct OpusInfo {
  std::string program_name;
  std::string more_info_url;
};

/// DER of SpcSpOpusInfo: name as BMPString, URL as IA5String (percent-encode before); `30 00` when
/// both are empty, as signtool writes it.
[[nodiscard]] Bytes encode_opus_info(const OpusInfo& info);
/// Accepts both SpcString forms; a moniker or file link is described as text.
Result<OpusInfo> parse_opus_info(ByteView der);

/// The signed attributes that signtool writes, unsorted: complete Attribute SEQUENCEs.
struct SignedAttributesSpec {
  std::string content_type;  ///< Dotted eContentType.
  Bytes message_digest;      ///< H(content octets of eContent).
  OpusInfo opus;
  std::optional<int> sequence_number;  ///< For nested signatures: 1, 2, ...
};

/// DER of the SET OF Attribute (universal tag 31, sorted): the bytes whose hash is signed.
[[nodiscard]] Bytes encode_signed_attributes(const SignedAttributesSpec& spec);

}  // namespace signctl::cms
