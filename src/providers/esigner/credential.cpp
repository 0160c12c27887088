// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/credential.hpp"

#include "core/text.hpp"
#include "providers/common/signing_key.hpp"

#include <algorithm>
#include <utility>

namespace signctl::providers::esigner {
namespace {

constexpr std::string_view kRsaEncryption = "1.2.840.113549.1.1.1";
constexpr std::size_t kMostAtOnce = 64;

/// OIDs of one hash: PKCS#1 (RFC 8017), ECDSA (RFC 5758, 3.2), and the hash's own.
struct Oids {
  std::string_view rsa;
  std::string_view ecdsa;
  std::string_view hash;
};

Oids oids_of(DigestAlg alg) {
  if (alg == DigestAlg::sha384) {
    return {"1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3", "2.16.840.1.101.3.4.2.2"};
  }
  if (alg == DigestAlg::sha512) {
    return {"1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4", "2.16.840.1.101.3.4.2.3"};
  }
  return {"1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2", "2.16.840.1.101.3.4.2.1"};
}

const Json& member(const Json& json, const char* name) {
  static const Json kNone;
  const auto found = json.is_object() ? json.find(name) : json.end();
  return json.is_object() && found != json.end() ? *found : kNone;
}

std::vector<std::string> texts_in(const Json& array) {
  std::vector<std::string> texts;
  if (array.is_array()) {
    for (const Json& one : array) {
      if (one.is_string()) {
        texts.push_back(one.get<std::string>());
      }
    }
  }
  return texts;
}

/// `presence` is a text in the CSC API, and a Boolean in some servers.
Presence presence_of(const Json& factor, Presence otherwise) {
  const Json& presence = member(factor, "presence");
  if (presence.is_boolean()) {
    return presence.get<bool>() ? Presence::required : Presence::none;
  }
  const std::string text = presence.is_string() ? to_lower(presence.get<std::string>()) : "";
  if (text == "optional") {
    return Presence::optional;
  }
  return text.empty() ? otherwise : text == "true" ? Presence::required : Presence::none;
}

/// Where the answer does not say, it is of one of the servers that always want it.
Presence otp_of(const Json& info) {
  const bool is_implicit = to_lower(text_at(info, {"authMode"})) == "implicit";
  return presence_of(member(info, "OTP"), is_implicit ? Presence::none : Presence::required);
}

std::size_t most_at_once(const Json& info) {
  const Json& number = member(info, "multisign");
  if (!number.is_number_integer()) {
    return 1;
  }
  const auto most = std::clamp<std::int64_t>(number.get<std::int64_t>(), 1, kMostAtOnce);
  return static_cast<std::size_t>(most);
}

Result<Chain> chain_in(const Json& info) {
  std::vector<crypto::Certificate> pool;
  for (const std::string& text : texts_in(member(member(info, "cert"), "certificates"))) {
    const auto der = from_any_base64(text);
    if (!der) {
      return Error{ErrorKind::provider, "SSL.com answered with a certificate that is not base64"};
    }
    SIGNCTL_TRY(auto certificate,
                crypto::Certificate::parse(*der),
                "reading the credential's certificates");
    pool.push_back(std::move(certificate));
  }
  if (pool.empty()) {
    return Error{ErrorKind::provider,
                 "the credential has no certificate",
                 "its order at SSL.com may not be completed"};
  }
  return chain_of(pool);
}

}  // namespace

Call info_call(const std::string& id) {
  return post_json(
      "/csc/v0/credentials/info",
      {{"credentialID", id}, {"certificates", "chain"}, {"certInfo", true}, {"authInfo", true}});
}

Result<Credential> read_credential(std::string id, const Json& info) {
  SIGNCTL_TRY(Chain chain, chain_in(info), "reading credential " + printable(id));
  SIGNCTL_CHECK(key_family(chain.leaf), "");
  Credential credential{std::move(chain), std::move(id)};
  credential.key_status = to_lower(text_at(info, {"key", "status"}));
  credential.certificate_status = to_lower(text_at(info, {"cert", "status"}));
  credential.algorithms = texts_in(member(member(info, "key"), "algo"));
  credential.otp = otp_of(info);
  credential.pin = presence_of(member(info, "PIN"), Presence::none);
  credential.is_otp_sent = to_lower(text_at(info, {"OTP", "type"})) == "online";
  credential.is_for_browsers = to_lower(text_at(info, {"authMode"})) == "oauth2code";
  credential.most_at_once = most_at_once(info);
  return credential;
}

Result<void> check_usable(const Credential& credential) {
  const std::string who = "credential " + printable(credential.id);
  if (!credential.key_status.empty() && credential.key_status != "enabled") {
    return Error{ErrorKind::config,
                 "the key of " + who + " is " + printable(credential.key_status),
                 "see the credential at SSL.com, or name another as credential_id"};
  }
  // An expired one is found by its dates, like everybody's.
  if (credential.certificate_status == "revoked" || credential.certificate_status == "suspended") {
    return Error{ErrorKind::config,
                 "the certificate of " + who + " is " + credential.certificate_status,
                 "see the order at SSL.com, or name another as credential_id"};
  }
  if (credential.is_for_browsers) {
    return Error{ErrorKind::config,
                 "each use of " + who + " is authorized on a web page",
                 "enrol it for automation at SSL.com, which gives a TOTP secret"};
  }
  if (credential.is_otp_sent && credential.otp == Presence::required) {
    return Error{ErrorKind::config,
                 who + " has its one-time passwords sent to a person",
                 "enrol it for automation at SSL.com, which gives a TOTP secret"};
  }
  return ok();
}

Result<SignatureAlgorithm> algorithm_for(const Credential& credential, DigestAlg alg) {
  const Oids oids = oids_of(alg);
  const auto offers = [&](std::string_view oid) {
    return std::find(credential.algorithms.begin(), credential.algorithms.end(), oid) !=
           credential.algorithms.end();
  };
  const bool rsa = credential.chain.leaf.key().type == crypto::KeyType::rsa;
  const std::string_view usual = rsa ? oids.rsa : oids.ecdsa;
  if (offers(usual)) {
    return SignatureAlgorithm{std::string(usual), ""};
  }
  if (rsa && offers(kRsaEncryption)) {
    return SignatureAlgorithm{std::string(kRsaEncryption), std::string(oids.hash)};
  }
  // Lists are known to be empty or to name the kind of key alone; SHA-256 is what everybody has.
  const bool says_nothing = std::none_of(
      credential.algorithms.begin(), credential.algorithms.end(), [](const std::string& oid) {
        return oid.starts_with("1.2.840.113549.1.1.1") || oid.starts_with("1.2.840.10045.4.");
      });
  if (says_nothing && (!rsa || alg == DigestAlg::sha256)) {
    return SignatureAlgorithm{std::string(usual), ""};
  }
  return digest_not_offered(
      credential.id, alg, says_nothing ? "sha256" : join(credential.algorithms, ", "));
}

}  // namespace signctl::providers::esigner
