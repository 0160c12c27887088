// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The certificate trust list ([MS-CAESO] 4.4.5.1) as catalogs use it.
namespace signctl::cat {

/// One trusted subject: a file that the catalog vouches for.
struct CtlMember {
  Bytes identifier;  ///< subjectIdentifier as stored.
  /// The hash that the identifier stands for: the identifier itself, or what it spells in UTF-16
  /// hex (version 1). Empty when it is no hash.
  Bytes tag;
  std::optional<DigestAlg> alg;  ///< Of the SpcIndirectDataContent, when there is one that we know.
  Bytes digest;                  ///< The digest that it carries.
  std::string data_type;         ///< Its dotted data type.
  std::vector<std::pair<std::string, std::string>> names;  ///< CatNameValue: tag and value, UTF-8.
};

struct Ctl {
  std::string usage;  ///< Dotted OID of subjectUsage.
  Bytes list_identifier;
  std::int64_t this_update{};     ///< Seconds since 1970.
  std::string subject_algorithm;  ///< Dotted OID; tells versions 1 and 2 apart.
  std::vector<CtlMember> members;
  std::vector<std::pair<std::string, std::string>> names;  ///< Of the whole list.
};

/// @param der  The complete CertificateTrustList.
/// @errors `input` with what was expected and where.
Result<Ctl> parse_ctl(ByteView der);

}  // namespace signctl::cat
