// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/text.hpp"
#include "providers/common/material.hpp"

#include <algorithm>
#include <utility>

namespace signctl::providers {

namespace {

constexpr std::size_t kMaxChainFile = 1U << 20U;

std::vector<crypto::Certificate> without_copies(const std::vector<crypto::Certificate>& pool) {
  std::vector<crypto::Certificate> unique;
  for (const crypto::Certificate& one : pool) {
    if (std::find(unique.begin(), unique.end(), one) == unique.end()) {
      unique.push_back(one);
    }
  }
  return unique;
}

bool issued_another(const crypto::Certificate& candidate,
                    const std::vector<crypto::Certificate>& pool) {
  return std::any_of(pool.begin(), pool.end(), [&](const crypto::Certificate& other) {
    return !(other == candidate) &&
           std::ranges::equal(other.issuer_der(), candidate.subject_der()) &&
           other.signed_by(candidate);
  });
}

Chain ordered(const crypto::Certificate& leaf, const std::vector<crypto::Certificate>& pool) {
  Chain chain{leaf, {}};
  for (const crypto::Certificate& one : crypto::order_chain(leaf, pool)) {
    chain.der.push_back(one.der());
  }
  return chain;
}

}  // namespace

Result<Chain> chain_of(const std::vector<crypto::Certificate>& pool) {
  const auto unique = without_copies(pool);
  std::vector<crypto::Certificate> leaves;
  for (const crypto::Certificate& one : unique) {
    if (!one.is_ca() && !issued_another(one, unique)) {
      leaves.push_back(one);
    }
  }
  // A self-signed certificate for trying things may call itself a CA.
  if (leaves.empty() && unique.size() == 1) {
    leaves = unique;
  }
  if (leaves.size() != 1) {
    return Error{ErrorKind::provider,
                 leaves.empty() ? "there is no signing certificate among the certificates"
                                : "there are " + std::to_string(leaves.size()) +
                                      " signing certificates where one is expected",
                 "give the signing certificate and its issuers, and nothing else"};
  }
  return ordered(leaves.front(), unique);
}

Result<Chain> chain_with_file(const ProviderSettings& settings,
                              const std::vector<crypto::Certificate>& from_service) {
  std::vector<crypto::Certificate> pool;
  const std::string file = settings.get("chain");
  if (!file.empty()) {
    SIGNCTL_TRY(const Bytes bytes, read_file(file, kMaxChainFile), "reading \"chain\"");
    SIGNCTL_TRY(pool, crypto::read_certificates(bytes), "reading \"chain\" " + printable(file));
  }
  if (pool.empty() && from_service.empty()) {
    return Error{ErrorKind::config,
                 "there is no certificate: the service keeps none and \"chain\" names no file",
                 "set chain to a PEM file with the signing certificate and its issuers"};
  }
  if (from_service.empty()) {
    return chain_of(pool);
  }
  SIGNCTL_TRY(const Chain served, chain_of(from_service), "");
  pool.insert(pool.end(), from_service.begin(), from_service.end());
  return ordered(served.leaf, without_copies(pool));
}

bool is_key_of(ByteView spki, const crypto::Certificate& certificate) {
  return std::ranges::equal(spki, crypto::public_key_of(certificate));
}

Result<KeyFamily> key_family(const crypto::Certificate& leaf) {
  const crypto::KeyFacts& key = leaf.key();
  if (key.type == crypto::KeyType::rsa) {
    return KeyFamily::rsa;
  }
  if (key.type == crypto::KeyType::ec && key.curve == "P-256") {
    return KeyFamily::p256;
  }
  if (key.type == crypto::KeyType::ec && key.curve == "P-384") {
    return KeyFamily::p384;
  }
  if (key.type == crypto::KeyType::ec && key.curve == "P-521") {
    return KeyFamily::p521;
  }
  return Error{
      ErrorKind::unsupported,
      "the certificate's key (" + leaf.info().key + ") cannot make Authenticode signatures",
      "use RSA (2048 to 4096 bits) or ECDSA (P-256, P-384, P-521)"};
}

}  // namespace signctl::providers
