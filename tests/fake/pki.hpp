// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"

#include <signctl/world.hpp>

#include <map>
#include <string>
#include <string_view>

namespace signctl::fake {

/// Whether certificates carry signctl's rehearsal marker, with which no release gate lets them
/// pass.
enum class Marking { rehearsal, none };

/// The kind of signer that Artifact Signing makes: RSA-3072, three days of life, and the
/// subscriber's lasting identity among its extended key usages.
inline constexpr std::string_view kIdVerified = "id-verified";

/// Of PKCS#12 files with client certificates.
inline constexpr const char* kClientPassword = "fake-p12-password";

/// The certificates of a world of fakes, made at start: a root, an intermediate, signing
/// certificates for every kind of key, a TLS certificate for loopback, and a CA for clients.
class Pki {
 public:
  /// Makes keys, which takes a second. Valid from one day before `now` for a year.
  Pki(TimePoint now, Marking marking);

  /// A signing key with its chain, leaf first and root last: "rsa2048", "rsa3072", "p256", "p384",
  /// "p521", kIdVerified; made when first asked for. `generation` 1 is the same key family with
  /// another key and certificate, for rotation and for lies.
  const crypto::KeyBundle& signer(std::string_view kind, int generation = 0);

  [[nodiscard]] const crypto::Certificate& root() const { return root_.chain.front(); }
  [[nodiscard]] const crypto::KeyBundle& tls() const { return tls_; }
  [[nodiscard]] const crypto::KeyBundle& client_authority() const { return client_root_; }
  /// A client certificate that the client authority has issued.
  [[nodiscard]] const crypto::KeyBundle& client() const { return client_; }
  /// One that it has not.
  [[nodiscard]] const crypto::KeyBundle& stranger() const { return stranger_; }

 private:
  crypto::KeyBundle issue(const std::string& name,
                          const std::string& usage,
                          const crypto::KeyBundle& issuer,
                          crypto::PrivateKey::Spec spec) const;
  crypto::KeyBundle authority(const std::string& name, const crypto::KeyBundle* issuer) const;

  TimePoint now_;
  Marking marking_;
  crypto::KeyBundle root_;
  crypto::KeyBundle intermediate_;
  crypto::KeyBundle tls_;
  crypto::KeyBundle client_root_;
  crypto::KeyBundle client_;
  crypto::KeyBundle stranger_;
  std::map<std::string, crypto::KeyBundle> signers_;
};

}  // namespace signctl::fake
