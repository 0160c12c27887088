// SPDX-License-Identifier: Apache-2.0
#include "fake/keylocker.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/kms_wire.hpp"

#include <algorithm>

namespace signctl::fake {
namespace {

constexpr std::string_view kApi = "/signingmanager/api/v1/";
/// Of a page, when nothing else is asked for.
constexpr std::size_t kPage = 20;

/// `{"error": {"status", "message"}}`
Response refused(int status, const std::string& code, const std::string& message) {
  return json_response(status, {{"error", {{"status", code}, {"message", message}}}});
}

struct Pair {
  std::string name;
  std::string kind{"p256"};  ///< As in Pki.
  std::string alias{};       ///< "key-NAME" when empty.
};

const std::vector<Pair>& pairs() {
  static const std::vector<Pair> table{{"rsa2048", "rsa2048"},
                                       {"rsa3072", "rsa3072"},
                                       {"p256"},
                                       {"p384", "p384"},
                                       {"p521", "p521"},
                                       {"slow"},
                                       {"offline"},
                                       {"others"},
                                       {"spent"},
                                       {"capped"},
                                       {"cafe", "p256", "cafe"},
                                       {"bare"},
                                       {"revoked"}};
  return table;
}

std::string alias_of(const Pair& pair) {
  return pair.alias.empty() ? "key-" + pair.name : pair.alias;
}

/// A UUID that is always the same for one thing.
std::string id_for(const std::string& what) {
  const std::string hex = to_hex(crypto::hash(DigestAlg::sha256, as_bytes(what)));
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20, 12);
}

Json account() {
  return {{"id", id_for("account")}, {"name", "Contoso"}};
}

std::optional<DigestAlg> digest_of(const std::string& sig_alg, bool rsa) {
  // Services take either case of "with"; the key's family must be its own.
  const std::string suffix = rsa ? "withrsa" : "withecdsa";
  const std::string lower = to_lower(sig_alg);
  return lower.ends_with(suffix) ? find_digest_alg(lower.substr(0, lower.size() - suffix.size()))
                                 : std::nullopt;
}

class KeyLocker final : public Personality {
 public:
  explicit KeyLocker(Lab& lab) : lab_(lab) {}

  Response handle(const Request& request) override {
    if (!request.path.starts_with(kApi)) {
      return json_response(
          404, {{"errors", {{{"code", "INTERNAL_SERVER_ERROR"}, {"message", "Path not found"}}}}});
    }
    if (request.header("x-api-key") != keylocker::kApiKey) {
      return refused(401, "unauthorized", "API key is invalid");
    }
    if (!request.client) {
      return refused(403,
                     "access_denied",
                     "User is not multi-factor authenticated. Missing Client Authentication "
                     "Certificate");
    }
    return serve(request, request.path.substr(kApi.size()));
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"host", base_url},
            {"api_key", keylocker::kApiKey},
            {"client_certificate_password", kClientPassword},
            {"key", "key-rsa3072"}};
  }

 private:
  Response serve(const Request& request, const std::string& path) {
    constexpr std::string_view kPairs = "keypairs/";
    constexpr std::string_view kSignatures = "signatures/";
    constexpr std::string_view kSign = "/sign";
    if (request.method == "POST" && path.starts_with(kPairs) && path.ends_with(kSign)) {
      return sign(request, path.substr(kPairs.size(), path.size() - kPairs.size() - kSign.size()));
    }
    if (request.method != "GET") {
      return json_response(
          404, {{"errors", {{{"code", "INTERNAL_SERVER_ERROR"}, {"message", "Path not found"}}}}});
    }
    if (path == "certificates") {
      return list(request, certificates());
    }
    if (path == "keypairs") {
      return list(request, key_pairs());
    }
    if (path.starts_with(kPairs)) {
      const Pair* pair = pair_with(path.substr(kPairs.size()));
      return pair == nullptr ? refused(404, "invalid_input_field", "Keypair not found")
                             : json_response(200, describe(*pair));
    }
    return path.starts_with(kSignatures)
               ? fetch(path.substr(kSignatures.size()))
               : json_response(404, {{"status", "404"}, {"error", "Not Found"}, {"path", path}});
  }

  static const Pair* pair_with(const std::string& id) {
    const auto found = std::find_if(pairs().begin(), pairs().end(), [&](const Pair& pair) {
      return id_for(alias_of(pair)) == id;
    });
    return found == pairs().end() ? nullptr : &*found;
  }

  Json describe(const Pair& pair) {
    const auto& leaf = lab_.signer(pair.kind).chain.front();
    return {{"id", id_for(alias_of(pair))},
            {"alias", alias_of(pair)},
            {"key_alg", pair.kind.starts_with("rsa") ? "RSA" : "ECDSA"},
            {"key_type", "PRODUCTION"},
            {"key_storage", "HSM"},
            {"public_key", to_base64(crypto::public_key_of(leaf))},
            {"account", account()},
            {"limit_by_users", true},
            {"key_status", pair.name == "offline" ? "OFFLINE" : "ONLINE"},
            {"is_signable_by_me", pair.name != "others"}};
  }

  Json key_pairs() {
    Json items = Json::array();
    for (const Pair& pair : pairs()) {
      items.push_back(describe(pair));
    }
    return items;
  }

  Json certificate(const Pair& pair) {
    const auto& chain = lab_.shown(pair.kind).chain;
    Json issuers = Json::array();
    for (std::size_t i = 1; i < chain.size(); ++i) {
      issuers.push_back({{"cert_type", i + 1 < chain.size() ? "intermediate" : "root"},
                         {"blob", to_base64(chain[i].der())}});
    }
    return {{"id", id_for("cert-" + pair.name)},
            {"alias", "cert-" + pair.name},
            {"cert", to_base64(chain.front().der())},
            {"certificate_status", pair.name == "revoked" ? "REVOKED" : "ACTIVE"},
            {"account", account()},
            {"keypair", {{"id", id_for(alias_of(pair))}, {"alias", alias_of(pair)}}},
            {"default_cert", true},
            {"chain", issuers},
            {"valid_to", to_iso8601(chain.front().not_after())}};
  }

  /// Old certificates on the first page, so that clients have to turn it.
  Json certificates() {
    constexpr int kOld = 110;
    Json items = Json::array();
    for (int i = 0; i < kOld; ++i) {
      Json old = certificate(pairs().front());
      old["id"] = id_for("old" + std::to_string(i));
      old["alias"] = "old-" + std::to_string(i);
      old["keypair"] = {{"id", id_for("gone")}, {"alias", "gone"}};
      old["cert"] = to_base64(lab_.pki().root().der());
      items.push_back(old);
    }
    for (const Pair& pair : pairs()) {
      if (pair.name != "bare") {
        items.push_back(certificate(pair));
      }
    }
    return items;
  }

  static Response list(const Request& request, const Json& all) {
    static const std::map<std::string, std::string> kFilters{
        {"alias", "alias"}, {"id", "id"}, {"certificate_status", "certificate_status"}};
    std::map<std::string, std::size_t> page{{"limit", kPage}, {"offset", 0}};
    Json found = Json::array();
    for (const Json& item : all) {
      bool keep = true;
      for (const auto& [name, value] : request.query) {
        const auto filter = kFilters.find(name);
        keep = keep && (filter == kFilters.end() || text_of(item, filter->second) == value);
      }
      if (keep) {
        found.push_back(item);
      }
    }
    for (const auto& [name, value] : request.query) {
      const bool number = !value.empty() && value.size() < 6 &&
                          value.find_first_not_of("0123456789") == std::string::npos;
      if (kFilters.count(name) == 0 && (page.count(name) == 0 || !number)) {
        return refused(400, "invalid_input_field", "unknown parameter " + name);
      }
      if (page.count(name) != 0) {
        page[name] = std::stoul(value);
      }
    }
    return json_response(200, one_page(found, page["offset"], page["limit"]));
  }

  static std::string text_of(const Json& item, const std::string& field) {
    return item.value(field, "");
  }

  static Json one_page(const Json& found, std::size_t offset, std::size_t limit) {
    Json items = Json::array();
    for (std::size_t i = offset; i < std::min(found.size(), offset + limit); ++i) {
      items.push_back(found[i]);
    }
    return {{"total", found.size()}, {"offset", offset}, {"limit", limit}, {"items", items}};
  }

  Response sign(const Request& request, const std::string& id) {
    const Pair* pair = pair_with(id);
    if (pair == nullptr) {
      return refused(404, "invalid_input_field", "Keypair not found");
    }
    const Json body = Json::parse(request.body, nullptr, false);
    if (request.header("content-type") != "application/json" || !body.is_object() ||
        !unknown_field(body, {"account", "sig_alg", "hash"}).empty()) {
      return refused(400, "invalid_input_field", "Invalid input");
    }
    if (body.value("account", account()) != account()) {
      return refused(403, "access_denied", "Account does not match");
    }
    if (pair->name == "others") {
      return refused(403, "access_denied", "User is not allowed to use this keypair");
    }
    if (pair->name == "offline") {
      return refused(403, "access_denied", "Keypair is OFFLINE");
    }
    if (pair->name == "spent" || (pair->name == "capped" && made_ >= keylocker::kCap)) {
      return refused(403, "access_denied", "Signature limit exceeded for this certificate");
    }
    return make(*pair, body);
  }

  Response make(const Pair& pair, const Json& body) {
    const auto alg = digest_of(body.value("sig_alg", ""), pair.kind.starts_with("rsa"));
    const auto hash = strict_base64(body.value("hash", ""));
    if (!alg || !hash || hash->size() != digest_size(*alg)) {
      return refused(400, "invalid_input_field", "Invalid sig_alg or hash");
    }
    made_ += pair.name == "capped" ? 1 : 0;
    const std::string signature = to_base64(lab_.sign(lab_.signer(pair.kind), *hash, *alg));
    const std::string id = id_for(signature);
    if (pair.name != "slow") {
      return json_response(200, {{"id", id}, {"signature", signature}});
    }
    pending_[id] = {signature, 0};
    return json_response(200, {{"id", id}});
  }

  Response fetch(const std::string& id) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) {
      return refused(404, "invalid_input_field", "Signature not found");
    }
    return ++found->second.second < 3
               ? json_response(200, {{"id", id}})
               : json_response(200, {{"id", id}, {"signature", found->second.first}});
  }

  Lab& lab_;
  int made_{0};
  std::map<std::string, std::pair<std::string, int>> pending_;
};

}  // namespace

std::unique_ptr<Personality> make_keylocker(Lab& lab);
std::unique_ptr<Personality> make_keylocker(Lab& lab) {
  return std::make_unique<KeyLocker>(lab);
}

}  // namespace signctl::fake
