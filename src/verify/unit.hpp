// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"

#include <signctl/format.hpp>
#include <signctl/report.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::verify {

/// One signature taken apart: a top-level one, one nested in it, or a repository's beside it.
struct Unit {
  std::string label;  ///< "signature 1", "signature 1.1"
  std::string location;
  int depth{0};
  SignatureProfile profile{};
  /// A counter-signature (RFC 5652, 11.4). Then `data` has the signer's own SignerInfo, the value
  /// that it is over as content, and the certificates of the signature that it belongs to.
  bool countersignature{false};
  Bytes cms;                            ///< Empty for counter-signatures.
  std::optional<cms::SignedData> data;  ///< Empty if it cannot be parsed.
  /// Of a signature that is not CMS. Then `data` has only what follows from it: certificates, the
  /// stamped signature value and the timestamps, for the checks that both kinds share.
  std::optional<SchemeFacts> scheme;
  std::optional<SigningContent> content;  ///< Empty if its content is not of this format.
};

/// Parses the stored signatures and those nested in them or beside them. What cannot be parsed
/// becomes a finding
/// ("cms-malformed", "content-malformed", "nested-depth", "nested-count") and a unit without data.
[[nodiscard]] std::vector<Unit> take_apart(Signable& file,
                                           std::span<const EmbeddedSignature> stored,
                                           std::vector<Finding>& findings);

/// All values of the unsigned attributes of the first signer that have this OID.
[[nodiscard]] std::vector<Bytes> unsigned_values(const cms::SignerInfo& signer,
                                                 std::string_view oid);

}  // namespace signctl::verify
