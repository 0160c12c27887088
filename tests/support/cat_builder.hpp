// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>

#include <optional>
#include <string>
#include <vector>

/// Catalogs made to order, as MakeCat and New-FileCatalog lay them out.
namespace signctl::test {

struct CatMember {
  DigestAlg alg{DigestAlg::sha256};
  Bytes digest;                ///< In the SpcIndirectDataContent, and as its name.
  std::optional<Bytes> tag{};  ///< Another name than the digest.
  std::string name{};          ///< CatNameValue "File"; none if empty.
  bool has_digest{true};       ///< Whether there is an SpcIndirectDataContent.
  std::string data_type{"1.3.6.1.4.1.311.2.1.25"};
};

struct CatSpec {
  int version{2};
  std::vector<CatMember> members{};
  std::string usage{"1.3.6.1.4.1.311.12.1.1"};
  bool os_attribute{true};  ///< A CatNameValue "OSAttr" of the whole list.
};

/// The CertificateTrustList.
Bytes make_ctl(const CatSpec& spec);
/// The unsigned catalog around it.
Bytes make_cat(const CatSpec& spec);

}  // namespace signctl::test
