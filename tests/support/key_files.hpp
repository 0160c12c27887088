// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/issue.hpp"
#include "crypto/keys.hpp"

#include <string>

namespace signctl::test {

/// 2026-11-23T12:00:00Z plus `days`: the day that FakeWorld lives in.
[[nodiscard]] TimePoint day(int days);

/// A root, an intermediate and a code signing certificate with its key, made at run time.
struct KeyChain {
  crypto::PrivateKey key;  ///< The leaf's.
  crypto::Certificate leaf;
  crypto::Certificate intermediate;
  crypto::Certificate root;

  /// Everything, leaf first, root last.
  [[nodiscard]] crypto::KeyBundle bundle() const { return {key, {leaf, intermediate, root}}; }
};

/// A code signing leaf, valid from 100 days before to 300 days after day(0).
[[nodiscard]] crypto::CertificateTemplate code_signing_leaf();

/// A chain for a new key. Issuing keys are P-256 and made once a process.
[[nodiscard]] KeyChain make_key_chain(
    crypto::PrivateKey::Spec spec, const crypto::CertificateTemplate& leaf = code_signing_leaf());

/// Writes PKCS#12.
void spill_pfx(const std::string& path,
               const crypto::KeyBundle& bundle,
               const std::string& password);

/// Writes certificates, or a private key, as PEM; the key encrypted if there is a password.
void spill_pem(const std::string& path, const std::vector<crypto::Certificate>& certificates);
void spill_pem(const std::string& path,
               const crypto::PrivateKey& key,
               const std::string& password = "");

}  // namespace signctl::test
