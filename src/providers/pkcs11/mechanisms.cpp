// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/mechanisms.hpp"

#include "core/text.hpp"
#include "providers/pkcs11/cryptoki.hpp"
#include "providers/pkcs11/objects.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

using crypto::KeyType;

enum class Kind {
  digest,  ///< Signs a digest as Authenticode wants it.
  hashes,  ///< Hashes first, and so wants the content.
  pss,
};

struct Mechanism {
  ck::Ulong type;
  std::string_view name;
  KeyType key;
  Kind kind;
};

constexpr std::array kMechanisms{
    Mechanism{ck::kMechanismRsaPkcs, "CKM_RSA_PKCS", KeyType::rsa, Kind::digest},
    Mechanism{ck::kMechanismEcdsa, "CKM_ECDSA", KeyType::ec, Kind::digest},
    Mechanism{0x40, "CKM_SHA256_RSA_PKCS", KeyType::rsa, Kind::hashes},
    Mechanism{0x41, "CKM_SHA384_RSA_PKCS", KeyType::rsa, Kind::hashes},
    Mechanism{0x42, "CKM_SHA512_RSA_PKCS", KeyType::rsa, Kind::hashes},
    Mechanism{0x1044, "CKM_ECDSA_SHA256", KeyType::ec, Kind::hashes},
    Mechanism{0x1045, "CKM_ECDSA_SHA384", KeyType::ec, Kind::hashes},
    Mechanism{0x1046, "CKM_ECDSA_SHA512", KeyType::ec, Kind::hashes},
    Mechanism{ck::kMechanismRsaPkcsPss, "CKM_RSA_PKCS_PSS", KeyType::rsa, Kind::pss},
    Mechanism{0x43, "CKM_SHA256_RSA_PKCS_PSS", KeyType::rsa, Kind::pss},
    Mechanism{0x44, "CKM_SHA384_RSA_PKCS_PSS", KeyType::rsa, Kind::pss},
    Mechanism{0x45, "CKM_SHA512_RSA_PKCS_PSS", KeyType::rsa, Kind::pss},
};

const Mechanism* find_mechanism(std::uint64_t type) {
  const auto* const found =
      std::find_if(kMechanisms.begin(), kMechanisms.end(), [type](const Mechanism& each) {
        return each.type == type;
      });
  return found == kMechanisms.end() ? nullptr : found;
}

/// Of what signs with others than the mechanism that is needed.
Error needs_another(const std::string& who,
                    const std::vector<const Mechanism*>& others,
                    KeyType key) {
  std::vector<std::string> names;
  for (const Mechanism* each : others) {
    names.emplace_back(each->name);
  }
  const std::string needed(mechanism_name(needed_mechanism(key)));
  const bool only_pss = !others.empty() && std::ranges::all_of(others, [](const Mechanism* each) {
    return each->kind == Kind::pss;
  });
  const bool hashes =
      std::ranges::any_of(others, [](const Mechanism* each) { return each->kind == Kind::hashes; });
  Error error{ErrorKind::unsupported,
              who + " signs with " + (names.empty() ? "other mechanisms" : join(names, ", ")) +
                  " and not with " + needed + ", which signctl needs"};
  error.hint = "use a key that allows " + needed;
  if (hashes) {
    error.hint =
        "mechanisms that hash on the token want the content, and signctl shows a signer digests "
        "alone; have the HSM's policy (FIPS mode) allow " +
        needed + " for this key";
  } else if (only_pss) {
    error.hint =
        "Authenticode verifiers take PKCS#1 v1.5 and no RSA-PSS; use a key that allows " + needed;
  }
  return error;
}

}  // namespace

bool is_signing_mechanism(std::uint64_t type) {
  return find_mechanism(type) != nullptr;
}

std::string_view mechanism_name(std::uint64_t type) {
  const Mechanism* found = find_mechanism(type);
  return found == nullptr ? std::string_view() : found->name;
}

std::uint64_t needed_mechanism(KeyType key) {
  return key == KeyType::rsa ? ck::kMechanismRsaPkcs : ck::kMechanismEcdsa;
}

std::optional<Error> objection_to_mechanisms(const std::vector<MechanismFacts>& listed,
                                             KeyType key) {
  std::vector<const Mechanism*> others;
  for (const MechanismFacts& each : listed) {
    const Mechanism* found = find_mechanism(each.type);
    if (found == nullptr || found->key != key) {
      continue;
    }
    if (found->kind == Kind::digest) {
      return std::nullopt;
    }
    others.push_back(found);
  }
  return others.empty() ? std::nullopt : std::optional(needs_another("the token", others, key));
}

std::optional<Error> objection_to_limits(const Object& key, KeyType type) {
  const auto& allowed = key.allowed_mechanisms;
  if (allowed.empty() || std::ranges::find(allowed, needed_mechanism(type)) != allowed.end()) {
    return std::nullopt;
  }
  std::vector<const Mechanism*> others;
  for (const std::uint64_t each : allowed) {
    if (const Mechanism* found = find_mechanism(each)) {
      others.push_back(found);
    }
  }
  return needs_another("key " + describe(key) + " (CKA_ALLOWED_MECHANISMS)", others, type);
}

}  // namespace signctl::providers::pkcs11
