// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "providers/keylocker/key.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace signctl::providers::keylocker {
namespace {

constexpr std::size_t kPage = 100;
constexpr std::size_t kMaxCertificates = 5000;

bool is_hex(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}

Error odd_answer(const char* what) {
  return {ErrorKind::provider,
          std::string("DigiCert answered without ") + what,
          "check that host leads to DigiCert ONE and not to a gateway's page"};
}

/// The items of a list answer.
Result<std::vector<Json>> items_of(const Reply& reply) {
  const auto items = reply.json.is_object() ? reply.json.find("items") : reply.json.end();
  if (!reply.json.is_object() || items == reply.json.end() || !items->is_array()) {
    return odd_answer("a list");
  }
  return items->get<std::vector<Json>>();
}

/// Every certificate that is in force, over as many pages as it takes.
Result<std::vector<Json>> active_certificates(const Account& account) {
  std::vector<Json> all;
  while (all.size() < kMaxCertificates) {
    std::string path =
        "/certificates?limit=" + std::to_string(kPage) + "&certificate_status=ACTIVE";
    if (!all.empty()) {
      path += "&offset=" + std::to_string(all.size());
    }
    SIGNCTL_TRY(const Reply reply, account.lookups.send(get(path)), "listing the certificates");
    SIGNCTL_TRY(const auto items, items_of(reply), "listing the certificates");
    all.insert(all.end(), items.begin(), items.end());
    // Pages may be shorter than what was asked for; the total says when they end.
    const auto total = reply.json.find("total");
    const bool told = total != reply.json.end() && total->is_number_unsigned();
    if (items.empty() || (told ? all.size() >= total->get<std::size_t>() : items.size() < kPage)) {
      break;
    }
  }
  return all;
}

bool has_thumbprint(const Json& item, const std::string& thumbprint) {
  const auto der = from_any_base64(text_at(item, {"cert"}));
  const DigestAlg alg =
      thumbprint.size() == 2 * digest_size(DigestAlg::sha1) ? DigestAlg::sha1 : DigestAlg::sha256;
  return der && to_hex(crypto::hash(alg, *der)) == thumbprint;
}

/// Drops what `keep` does not hold for.
template <class Keep>
std::vector<Json> filtered(std::vector<Json> items, Keep keep) {
  items.erase(
      std::remove_if(items.begin(), items.end(), [&](const Json& item) { return !keep(item); }),
      items.end());
  return items;
}

Error no_such(const std::string& what, const std::string& name) {
  return {ErrorKind::config,
          "there is no " + what + " \"" + printable(name) + "\" in this DigiCert account",
          "aliases are case-sensitive; check that the API key is of the right account and host"};
}

Result<Json> certificate_named(const Account& account, const std::string& name) {
  const std::string thumbprint = thumbprint_in(name);
  if (!thumbprint.empty()) {
    SIGNCTL_TRY(auto active, active_certificates(account), "");
    const auto found = filtered(std::move(active),
                                [&](const Json& item) { return has_thumbprint(item, thumbprint); });
    return found.empty() ? Result<Json>(no_such("active certificate", name)) : found.front();
  }
  const std::string path =
      std::string("/certificates?") + (is_id(name) ? "id=" : "alias=") + percent_encode(name);
  SIGNCTL_TRY(const Reply reply, account.lookups.send(get(path)), "looking up the certificate");
  SIGNCTL_TRY(const auto items, items_of(reply), "looking up the certificate");
  if (items.empty()) {
    return no_such("certificate", name);
  }
  const auto active = filtered(items, [](const Json& item) {
    const std::string status = text_at(item, {"certificate_status"});
    return status.empty() || status == "ACTIVE";
  });
  if (active.empty()) {
    return Error{ErrorKind::config,
                 "the certificate \"" + printable(name) + "\" is " +
                     printable(text_at(items.front(), {"certificate_status"})),
                 "name an active one"};
  }
  return active.front();
}

/// The active certificate of a key pair: the one that is marked as its default, or that lives
/// longest.
Result<Json> certificate_of(const Account& account, const std::string& id) {
  SIGNCTL_TRY(auto active, active_certificates(account), "");
  const auto found = filtered(std::move(active), [&](const Json& item) {
    return to_lower(text_at(item, {"keypair", "id"})) == to_lower(id);
  });
  if (found.empty()) {
    return Error{ErrorKind::config,
                 "no active certificate was issued for the key pair " + printable(id),
                 "have one issued, or name another key"};
  }
  const auto rank = [](const Json& item) {
    const auto chosen = item.find("default_cert");
    const bool is_default = chosen != item.end() && chosen->is_boolean() && chosen->get<bool>();
    return std::make_pair(is_default, text_at(item, {"valid_to"}));
  };
  return *std::max_element(found.begin(), found.end(), [&](const Json& one, const Json& other) {
    return rank(one) < rank(other);
  });
}

/// The id of the key pair that setting `key` names by alias or id.
Result<std::string> id_of_key(const Account& account, const std::string& name) {
  if (is_id(name)) {
    return to_lower(name);
  }
  SIGNCTL_TRY(const Reply reply,
              account.lookups.send(get("/keypairs?alias=" + percent_encode(name))),
              "looking up the key pair");
  SIGNCTL_TRY(const auto items, items_of(reply), "looking up the key pair");
  const std::string id = items.empty() ? std::string() : text_at(items.front(), {"id"});
  return id.empty() ? Result<std::string>(no_such("key pair", name)) : id;
}

/// The leaf and the issuers that a certificate's item holds.
Result<Chain> chain_in(const Json& item) {
  std::vector<crypto::Certificate> pool;
  const auto add = [&pool](const std::string& base64) -> Result<void> {
    const auto der = from_any_base64(base64);
    if (!der || der->empty()) {
      return odd_answer("a certificate");
    }
    SIGNCTL_TRY(auto certificate, crypto::Certificate::parse(*der), "");
    pool.push_back(std::move(certificate));
    return ok();
  };
  SIGNCTL_CHECK(add(text_at(item, {"cert"})), "reading the certificate");
  const auto chain = item.find("chain");
  if (chain != item.end() && chain->is_array()) {
    for (const Json& issuer : *chain) {
      SIGNCTL_CHECK(add(text_at(issuer, {"blob"})), "reading the certificate's chain");
    }
  }
  return chain_of(pool);
}

/// "PRODUCTION key in HSM"
std::string described(const Json& pair) {
  const std::string type = text_at(pair, {"key_type"});
  const std::string storage = text_at(pair, {"key_storage"});
  return printable(type.empty() ? "key" : type + " key") +
         (storage.empty() ? "" : " in " + printable(storage));
}

std::optional<bool> flag_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_boolean() ? std::optional(found->get<bool>())
                                                    : std::nullopt;
}

Result<KeyPair> read_key_pair(const Account& account, const std::string& id, Chain chain) {
  SIGNCTL_TRY(const Reply reply,
              account.lookups.send(get("/keypairs/" + percent_encode(id))),
              "looking up the key pair");
  if (!reply.json.is_object()) {
    return odd_answer("a key pair");
  }
  KeyPair pair{.id = id,
               .alias = text_at(reply.json, {"alias"}),
               .kind = described(reply.json),
               .limited = flag_at(reply.json, "limit_by_users").value_or(false),
               .is_mine = flag_at(reply.json, "is_signable_by_me"),
               .status = text_at(reply.json, {"key_status"}),
               .account = reply.json.value("account", Json()),
               .chain = std::move(chain),
               .server_time = reply.server_time,
               .received = reply.received};
  const auto spki = from_any_base64(text_at(reply.json, {"public_key"}));
  if (spki && !spki->empty()) {
    SIGNCTL_CHECK(check_key_of_chain(*spki, pair.chain, pair.alias), "");
  }
  return pair;
}

}  // namespace

bool is_id(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  const std::string lower = to_lower(text);
  return std::equal(lower.begin(), lower.end(), kShape.begin(), kShape.end(), [](char one, char x) {
    return x == '-' ? one == '-' : is_hex(one);
  });
}

std::string thumbprint_in(std::string_view text) {
  constexpr unsigned char kLastAscii = 0x7f;
  std::string digits;
  for (const char letter : to_lower(text)) {
    if (is_hex(letter)) {
      digits += letter;
    } else if (letter != ':' && letter != ' ' && static_cast<unsigned char>(letter) <= kLastAscii) {
      return {};
    }
  }
  const bool fits = digits.size() == 2 * digest_size(DigestAlg::sha1) ||
                    digits.size() == 2 * digest_size(DigestAlg::sha256);
  return fits ? digits : std::string();
}

Result<KeyPair> find_key_pair(const Account& account, const ProviderSettings& settings) {
  const std::string certificate = settings.get("certificate");
  const std::string key = settings.get("key");
  if (certificate.empty() && key.empty()) {
    return Error{ErrorKind::config,
                 "neither \"key\" nor \"certificate\" is set",
                 "set key to the key pair's alias (SM_KEYPAIR_ALIAS), or certificate to the "
                 "certificate's alias, id or thumbprint (SM_CODE_SIGNING_CERT_SHA1_HASH)"};
  }
  std::string id;
  if (!key.empty()) {
    SIGNCTL_TRY(id, id_of_key(account, key), "");
  }
  SIGNCTL_TRY(
      const Json item,
      certificate.empty() ? certificate_of(account, id) : certificate_named(account, certificate),
      "");
  const std::string owner = text_at(item, {"keypair", "id"});
  if (owner.empty()) {
    return odd_answer("the certificate's key pair");
  }
  if (!id.empty() && to_lower(owner) != to_lower(id)) {
    return Error{ErrorKind::config,
                 "the certificate \"" + printable(certificate) + "\" belongs to the key pair " +
                     printable(text_at(item, {"keypair", "alias"})) + ", not to " + printable(key),
                 "leave out key or certificate, or name those that belong together"};
  }
  SIGNCTL_TRY(Chain chain, chain_in(item), "");
  return read_key_pair(account, owner, std::move(chain));
}

}  // namespace signctl::providers::keylocker
