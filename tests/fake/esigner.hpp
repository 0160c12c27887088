// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/personality.hpp"

// What tests need to know of the eSigner personality. The API is at the personality's root, the
// token service at /oauth2/token; the sandbox has both below /try. kUser has the code signing
// credentials named as the kinds of Pki, and
// - p384 answers with raw signatures, all others with DER;
// - single: one signature an authorization; the others kMostAtOnce;
// - scanned: the malware blocker is on; forgetful: it is, but the settings deny it;
// - pinned: wants kPin too; free: wants nothing; sent: one-time passwords go to a person;
// - disabled, suspended: as they say; slow: its authorizations are over when they are given.
namespace signctl::fake::esigner {

inline constexpr const char* kUser = "ci@contoso.example";
/// Has one EV and no OV credential, whose service answers 400 to who asks for those.
inline constexpr const char* kOnlyUser = "only@contoso.example";
/// Has credentials for documents alone.
inline constexpr const char* kPaperUser = "paper@contoso.example";
inline constexpr const char* kPassword = "fake~esigner~password";
/// Base64, as SSL.com shows it; and the same in base32, as authenticator apps do.
inline constexpr const char* kTotpSecret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
inline constexpr const char* kTotpBase32 = "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ";
inline constexpr const char* kPin = "4711-fake-pin";
inline constexpr const char* kOwnClient = "own-oauth-application";
inline constexpr const char* kOwnClientSecret = "own-oauth-application-secret";
inline constexpr std::size_t kMostAtOnce = 8;

/// Content whose SHA-256 is known as malware.
inline constexpr const char* kMalware = "malware";

}  // namespace signctl::fake::esigner
