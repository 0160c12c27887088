// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests need to know of the SignServer personality. Workers are named as the kinds of Pki;
// "17" is rsa3072 by its id, and
// - NoHash: takes no digests of clients; Sha256Only: accepts no other digest;
// - Restricted: admits nobody; Offline: its crypto token is not active;
// - Eager: signs whatever it is given.
// The client certificate of Pki, kToken, and kUser with kPassword are let in.
namespace signctl::fake::signserver {

inline constexpr const char* kToken = "fake-signserver-token";
inline constexpr const char* kUser = "ci";
inline constexpr const char* kPassword = "fake:signserver~password";

}  // namespace signctl::fake::signserver
