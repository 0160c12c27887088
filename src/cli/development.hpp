// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/trust_store.hpp>
#include <signctl/world.hpp>

#include <chrono>
#include <memory>
#include <string>

// Certificates for trying things. All carry the rehearsal marker.
namespace signctl::cli {

struct DevelopmentCertificate {
  std::string subject;  ///< Common name, UTF-8; "(signctl rehearsal)" is added.
  TimePoint now{};
  std::chrono::days valid_for{};
};

/// A self-signed code-signing certificate.
Result<crypto::KeyBundle> make_self_signed(const DevelopmentCertificate& wanted,
                                           const crypto::PrivateKey& key);

/// A signer that lives as long as a rehearsal: an authority, a leaf issued by it, and a store that
/// trusts the authority.
struct RehearsalSigner {
  std::shared_ptr<const crypto::KeyBundle> bundle;
  std::shared_ptr<const TrustStore> store;
};
Result<RehearsalSigner> make_rehearsal_signer(TimePoint now);

/// A session that signs with a key in memory.
std::unique_ptr<SigningSession> open_rehearsal_session(
    std::shared_ptr<const crypto::KeyBundle> bundle);

}  // namespace signctl::cli
