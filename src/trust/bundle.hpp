// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/result.hpp>
#include <signctl/trust_store.hpp>

#include <string>
#include <vector>

namespace signctl::trust {

/// Which purposes a set of anchors serves.
enum class Serves { both, code_signing, time_stamping };

[[nodiscard]] bool serves(Serves serves, TrustPurpose purpose);

/// A set of anchors in memory.
struct Bundle {
  std::vector<crypto::Certificate> certificates;
  std::string source;    ///< For people, see Anchor::source.
  bool tls_list{false};  ///< See Anchor::tls_list.
  Serves purposes{Serves::both};

  void append_named(ByteView name_der, TrustPurpose purpose, std::vector<Anchor>& anchors) const;
};

/// Reads a file of certificates.
///
/// @errors `input`, naming the file, when it cannot be read or holds none.
Result<Bundle> read_bundle(const std::string& path_utf8, std::string source);

/// Like read_bundle, but takes only the PEM certificates whose encoding contains `name_der`: a
/// cheap way through a long list for one issuer. Unreadable blocks are passed over.
Result<Bundle> read_bundle_for(const std::string& path_utf8, std::string source, ByteView name_der);

}  // namespace signctl::trust
