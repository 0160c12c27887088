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

/// The DER of each PEM certificate in a file, not parsed: a cheap start for a long list of which
/// few are ever needed. Unreadable blocks are passed over.
///
/// @errors `input`, naming the file, when it cannot be read or holds no certificate.
Result<std::vector<Bytes>> read_pem_blocks(const std::string& path_utf8);

/// Says early whether read_pem_blocks() will work, from the start of the file where that is enough.
///
/// @errors As read_pem_blocks().
Result<void> check_pem_list(const std::string& path_utf8);

/// Parses only those of `blocks` whose encoding contains `name_der`.
[[nodiscard]] Bundle select_named(const std::vector<Bytes>& blocks, ByteView name_der);

}  // namespace signctl::trust
