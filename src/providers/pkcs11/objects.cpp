// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/objects.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "crypto/oids.hpp"
#include "providers/pkcs11/cryptoki.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

using crypto::Certificate;

constexpr std::string_view kRsaEncryption = "1.2.840.113549.1.1.1";
constexpr std::string_view kEcPublicKey = "1.2.840.10045.2.1";
// Every YubiKey has it: the vendor's statement about the key, not a certificate to sign with.
constexpr std::string_view kPivAttestation = "X.509 Certificate for PIV Attestation";

Bytes bit_string(ByteView content) {
  constexpr std::array<std::uint8_t, 1> kNoUnusedBits{0};
  return der::tlv(der::kBitString, {kNoUnusedBits, content});
}

/// Whether it is an uncompressed point of P-256, P-384 or P-521 (SEC 1, 2.3.3).
bool is_uncompressed_point(ByteView bytes) {
  constexpr std::array<std::size_t, 3> kSizes{1 + 2 * 32, 1 + 2 * 48, 1 + 2 * 66};
  return std::ranges::find(kSizes, bytes.size()) != kSizes.end() && bytes[0] == 4;
}

/// CKA_EC_POINT is an OCTET STRING around the point (PKCS#11 v2.40, 2.3.3); some modules leave it
/// out. The tag says nothing: a bare point begins with the same octet, and its second may look
/// like the length of the rest.
Bytes ec_point(const Bytes& attribute) {
  if (is_uncompressed_point(attribute)) {
    return attribute;
  }
  const auto wrapped = der::parse_whole(attribute, der::kOctetString, "an EC point");
  return wrapped ? Bytes(wrapped->content.begin(), wrapped->content.end()) : attribute;
}

Bytes public_key_in(const Object& object) {
  if (!object.modulus.empty() && !object.exponent.empty()) {
    const Bytes key = der::sequence(
        {der::unsigned_integer(object.modulus), der::unsigned_integer(object.exponent)});
    return der::sequence({der::algorithm_with_null(kRsaEncryption), bit_string(key)});
  }
  if (!object.ec_parameters.empty() && !object.ec_point.empty()) {
    const Bytes algorithm = der::sequence({der::oid(kEcPublicKey), object.ec_parameters});
    return der::sequence({algorithm, bit_string(ec_point(object.ec_point))});
  }
  return object.public_key_info;
}

/// Hexadecimal as people write it: with colons, blanks or 0x.
std::optional<Bytes> loose_hex(std::string_view text) {
  std::string digits;
  for (const char character : text) {
    if (character != ':' && character != ' ') {
      digits.push_back(character);
    }
  }
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    digits.erase(0, 2);
  }
  return digits.empty() ? std::nullopt : from_hex(digits);
}

bool named(const Object& object, const std::string& text) {
  return object.label == text || (!object.id.empty() && loose_hex(text) == object.id);
}

bool fits_uri(const Object& object, const Wanted& wanted) {
  return (!wanted.label || object.label == *wanted.label) &&
         (!wanted.id || object.id == *wanted.id);
}

bool is_thumbprint(const Certificate& certificate, const std::string& text) {
  const auto wanted = loose_hex(text);
  return wanted && (*wanted == crypto::hash(DigestAlg::sha1, certificate.der()) ||
                    *wanted == crypto::hash(DigestAlg::sha256, certificate.der()));
}

/// Whether a certificate's subject is, or has as common name, `text`.
bool has_subject(const Certificate& certificate, const std::string& text) {
  const std::string& subject = certificate.info().subject;
  if (subject == text) {
    return true;
  }
  const std::string wanted = "CN=" + text;
  const std::size_t at = subject.find(wanted);
  const std::size_t end = at + wanted.size();
  return at != std::string::npos && (at == 0 || subject[at - 1] == ' ' || subject[at - 1] == ',') &&
         (end == subject.size() || subject[end] == ',');
}

/// A certificate that could go with a key.
struct Candidate {
  Certificate certificate;
  const Object* object;  ///< Null when it comes from the file.
};

std::vector<Candidate> candidates(const std::vector<Object>& objects,
                                  const std::vector<Certificate>& from_file,
                                  const Wanted& wanted) {
  const std::string& text = wanted.certificate;
  std::vector<Candidate> found;
  for (const Object& object : objects) {
    if (object.kind != ObjectClass::certificate || object.label == kPivAttestation) {
      continue;
    }
    const auto certificate = Certificate::parse(object.value);
    if (certificate && (text.empty() || named(object, text) || is_thumbprint(*certificate, text) ||
                        has_subject(*certificate, text))) {
      found.push_back({*certificate, &object});
    }
  }
  for (const Certificate& certificate : from_file) {
    if (!certificate.is_ca() &&
        (text.empty() || is_thumbprint(certificate, text) || has_subject(certificate, text))) {
      found.push_back({certificate, nullptr});
    }
  }
  return found;
}

bool belongs(const Candidate& candidate, const Object& key, const Bytes& public_key) {
  if (!public_key.empty()) {
    return crypto::public_key_of(candidate.certificate) == public_key;
  }
  if (candidate.object == nullptr) {
    return true;  // Signatures are checked against it, so a wrong one comes to light.
  }
  return !key.id.empty() && candidate.object->id == key.id;
}

/// Better certificates compare greater.
auto rank(const Candidate& candidate, TimePoint now) {
  const Certificate& certificate = candidate.certificate;
  const bool valid = certificate.not_before() <= now && now <= certificate.not_after();
  return std::tuple(certificate.has_eku(oid::kCodeSigning), valid, certificate.not_before());
}

/// A key, and the best certificate for it.
struct Match {
  const Object* key;
  const Candidate* certificate;
};

std::vector<Match> match(const std::vector<const Object*>& keys,
                         const std::vector<Candidate>& certificates,
                         const std::vector<Object>& objects,
                         TimePoint now) {
  std::vector<Match> matches;
  for (const Object* key : keys) {
    const Bytes public_key = public_key_of(*key, objects);
    const Candidate* best = nullptr;
    for (const Candidate& each : certificates) {
      if (belongs(each, *key, public_key) &&
          (best == nullptr || rank(each, now) > rank(*best, now))) {
        best = &each;
      }
    }
    if (best != nullptr) {
      matches.push_back({key, best});
    }
  }
  return matches;
}

std::string list_of(const std::vector<const Object*>& keys) {
  std::vector<std::string> texts;
  texts.reserve(keys.size());
  for (const Object* key : keys) {
    texts.push_back(describe(*key));
  }
  return join(texts, ", ");
}

std::vector<const Object*> private_keys(const std::vector<Object>& objects) {
  std::vector<const Object*> keys;
  for (const Object& object : objects) {
    if (object.kind == ObjectClass::private_key && object.may_sign) {
      keys.push_back(&object);
    }
  }
  return keys;
}

Error no_key(const std::vector<const Object*>& all) {
  if (all.empty()) {
    return {ErrorKind::config,
            "the token shows no private key that may sign",
            "check that it is the right token, and that its keys need no other user or PIN"};
  }
  return {ErrorKind::config,
          "no key on the token is named so; there are " + list_of(all),
          "set key to a label or an id in hexadecimal"};
}

Error no_certificate(const std::vector<const Object*>& keys,
                     const std::vector<Object>& objects,
                     const Wanted& wanted) {
  for (const Object* key : keys) {
    for (const Object& object : objects) {
      if (object.kind == ObjectClass::certificate && !key->id.empty() && object.id == key->id &&
          wanted.certificate.empty()) {
        return {ErrorKind::config,
                "the certificate with the id of key " + describe(*key) +
                    " is for another key, or cannot be read",
                "write the certificate that was issued for this key onto the token"};
      }
    }
  }
  const std::string which =
      wanted.certificate.empty() ? "no certificate" : "no certificate that is named so";
  return {ErrorKind::config,
          which + " belongs to key " + list_of(keys),
          "write it onto the token with the key's id, or give it in chain: FILE"};
}

}  // namespace

Bytes public_key_of(const Object& key, const std::vector<Object>& objects) {
  Bytes own = public_key_in(key);
  if (!own.empty() || key.id.empty()) {
    return own;
  }
  const auto found = std::find_if(objects.begin(), objects.end(), [&](const Object& object) {
    return object.kind == ObjectClass::public_key && object.id == key.id &&
           object.key_type == key.key_type;
  });
  return found == objects.end() ? own : public_key_in(*found);
}

std::vector<Certificate> certificates_of(const std::vector<Object>& objects) {
  std::vector<Certificate> certificates;
  for (const Object& object : objects) {
    if (object.kind != ObjectClass::certificate) {
      continue;
    }
    if (auto certificate = Certificate::parse(object.value)) {
      certificates.push_back(*std::move(certificate));
    }
  }
  return certificates;
}

Result<Choice> choose(const std::vector<Object>& objects,
                      const std::vector<Certificate>& from_file,
                      const Wanted& wanted,
                      TimePoint now) {
  const std::vector<const Object*> all = private_keys(objects);
  std::vector<const Object*> keys;
  std::copy_if(all.begin(), all.end(), std::back_inserter(keys), [&](const Object* key) {
    return fits_uri(*key, wanted) && (wanted.key.empty() || named(*key, wanted.key));
  });
  if (keys.empty()) {
    return no_key(all);
  }
  const std::vector<Candidate> certificates = candidates(objects, from_file, wanted);
  std::vector<Match> matches = match(keys, certificates, objects, now);
  if (matches.empty()) {
    return no_certificate(keys, objects, wanted);
  }
  if (matches.size() > 1) {
    const auto others =
        std::stable_partition(matches.begin(), matches.end(), [](const Match& each) {
          return each.certificate->certificate.has_eku(oid::kCodeSigning);
        });
    if (others - matches.begin() != 1) {
      return Error{ErrorKind::config,
                   "several keys on the token could sign: " + list_of(keys),
                   "set key to the label or id of one, or certificate to a thumbprint"};
    }
  }
  return Choice{*matches.front().key, matches.front().certificate->certificate};
}

std::string describe(const Object& key) {
  std::string text = "\"" + printable(key.label) + "\" (id ";
  text += key.id.empty() ? "none" : to_hex(key.id);
  if (key.key_type == ck::kKeyRsa) {
    text += ", RSA";
    text += key.modulus.empty() ? "" : " " + std::to_string(key.modulus.size() * 8);
  } else if (key.key_type == ck::kKeyEc) {
    text += ", EC";
  }
  return text + ")";
}

}  // namespace signctl::providers::pkcs11
