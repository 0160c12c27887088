// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests need to know of the DigiCert personality. Key pairs are "key-KIND" for the kinds of
// Pki, with certificates "cert-KIND", and
// - key-slow, cert-slow: signatures are fetched by their id, and are not ready at once;
// - key-offline, cert-offline: 403 when it signs; key-spent, cert-spent: its allowance is used up;
// - cafe, cert-cafe: an alias that looks like an id;
// - cert-revoked: a certificate that is not in force; key-bare: has no certificate;
// - key-capped, cert-capped: good for kCap signatures.
// All are of Pki's p256 unless they are named after another kind.
namespace signctl::fake::keylocker {

inline constexpr const char* kApiKey = "fake-digicert-api-key_0123456789";
inline constexpr int kCap = 3;

}  // namespace signctl::fake::keylocker
