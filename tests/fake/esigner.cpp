// SPDX-License-Identifier: Apache-2.0
#include "fake/esigner.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/kms_wire.hpp"

#include <algorithm>
#include <set>

namespace signctl::fake {
namespace {

constexpr std::string_view kSandbox = "/try";
constexpr const char* kProductionClient = "kaXTRACNijSWsFdRKg_KAfD3fqrBlzMbWs6TwWHwAn8";
constexpr const char* kSandboxClient = "qOUeZCCzSqgA93acB3LYq6lBNjgZdiOxQc-KayC3UMw";
constexpr const char* kRsaEncryption = "1.2.840.113549.1.1.1";
constexpr std::chrono::seconds kTokenLife{3600};
constexpr std::int64_t kSadLife = 300;
constexpr std::size_t kPage = 3;

struct Entry {
  std::string id;
  std::string kind{"p256"};  ///< As in Pki.
  std::string user{esigner::kUser};
  std::string group{"OVCS"};
  std::size_t multisign{esigner::kMostAtOnce};
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> table{
      {"rsa2048", "rsa2048", esigner::kUser, "EVCS"},
      {"rsa3072", "rsa3072", esigner::kUser, "EVCS"},
      {"p256", "p256", esigner::kUser, "EVCS"},
      {"p384", "p384", esigner::kUser, "EVCS"},
      {"p521", "p521", esigner::kUser, "EVCS"},
      {"single", "p256", esigner::kUser, "OVCS", 1},
      {"scanned"},
      {"forgetful"},
      {"pinned"},
      {"free"},
      {"sent"},
      {"disabled"},
      {"suspended"},
      {"slow"},
      {"only", "rsa2048", esigner::kOnlyUser, "EVCS"},
      {"document", "rsa2048", esigner::kPaperUser, "DS"},
  };
  return table;
}

/// All CSC methods refuse alike; the description tells what it is about.
Response refused(const std::string& description, const std::string& code = "invalid_request") {
  return json_response(400, {{"error", code}, {"error_description", description}});
}

bool is_text(const Json& body, const char* name) {
  return body.contains(name) && body[name].is_string() && !body[name].get<std::string>().empty();
}

/// RFC 6238, written apart from the client's.
std::string totp_of(std::string_view key, std::int64_t step) {
  Bytes message(8);
  for (int i = 7; i >= 0; --i, step /= 256) {
    message[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(step % 256);
  }
  const Bytes mac = crypto::hmac(DigestAlg::sha1, as_bytes(key), message);
  const std::size_t at = mac[19] % 16;
  const std::uint64_t number = (mac[at] % 128ULL) << 24U | std::uint64_t{mac[at + 1]} << 16U |
                               std::uint64_t{mac[at + 2]} << 8U | mac[at + 3];
  const std::string digits = "000000" + std::to_string(number);
  return digits.substr(digits.size() - 6);
}

std::optional<DigestAlg> digest_of(const std::string& oid, const std::string& hash, bool rsa) {
  static const std::map<std::string, DigestAlg> rsa_names{
      {"1.2.840.113549.1.1.11", DigestAlg::sha256},
      {"1.2.840.113549.1.1.12", DigestAlg::sha384},
      {"1.2.840.113549.1.1.13", DigestAlg::sha512}};
  static const std::map<std::string, DigestAlg> ecdsa_names{
      {"1.2.840.10045.4.3.2", DigestAlg::sha256},
      {"1.2.840.10045.4.3.3", DigestAlg::sha384},
      {"1.2.840.10045.4.3.4", DigestAlg::sha512}};
  static const std::map<std::string, DigestAlg> hash_names{
      {"2.16.840.1.101.3.4.2.1", DigestAlg::sha256},
      {"2.16.840.1.101.3.4.2.2", DigestAlg::sha384},
      {"2.16.840.1.101.3.4.2.3", DigestAlg::sha512}};
  const bool bare = rsa && oid == kRsaEncryption;
  const auto& table = bare ? hash_names : rsa ? rsa_names : ecdsa_names;
  const auto found = table.find(bare ? hash : oid);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

/// r || s of an Ecdsa-Sig-Value of a curve of `size` bytes.
Bytes raw_signature(ByteView der, std::size_t size) {
  Bytes raw;
  ByteView rest = der.subspan(2);
  for (int i = 0; i < 2; ++i) {
    ByteView number = rest.subspan(2, rest[1]);
    rest = rest.subspan(2 + number.size());
    number = number.size() > size ? number.subspan(number.size() - size) : number;
    raw.resize(raw.size() + size - number.size());
    raw.insert(raw.end(), number.begin(), number.end());
  }
  return raw;
}

/// An authorization to sign certain hashes, once.
struct Authorization {
  std::string credential;
  Json hashes;
  bool scanned{true};
  TimePoint expires;
};

class Esigner final : public Personality {
 public:
  explicit Esigner(Lab& lab) : lab_(lab) {}

  Response handle(const Request& request) override {
    const bool sandbox = request.path.starts_with(kSandbox);
    const std::string path = sandbox ? request.path.substr(kSandbox.size()) : request.path;
    const Json body = Json::parse(request.body, nullptr, false);
    if (request.method != "POST" || request.header("content-type") != "application/json" ||
        !body.is_object()) {
      return refused("The request is not a POST of a JSON object");
    }
    if (path == "/oauth2/token") {
      return log_in(body, sandbox);
    }
    const auto user = user_of(request, sandbox);
    if (!user) {
      return json_response(401,
                           {{"error", "invalid_token"},
                            {"error_description", "The access token is invalid or has expired"}});
    }
    return serve(path, body, *user);
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"endpoint", base_url},
            {"login_url", base_url + "/oauth2/token"},
            {"username", esigner::kUser},
            {"password", esigner::kPassword},
            {"credential_id", "rsa3072"},
            {"totp_secret", esigner::kTotpSecret}};
  }

 private:
  // --- Login -----------------------------------------------------------------------------------

  Response log_in(const Json& body, bool sandbox) {
    const std::string grant = body.value("grant_type", "");
    const bool by_password = grant == "password";
    if (!by_password && grant != "refresh_token") {
      return refused("The authorization grant type is not supported", "unsupported_grant_type");
    }
    const std::string unknown =
        by_password
            ? unknown_field(body,
                            {"client_id", "client_secret", "grant_type", "username", "password"})
            : unknown_field(body, {"client_id", "client_secret", "grant_type", "refresh_token"});
    const bool complete = by_password ? is_text(body, "username") && is_text(body, "password")
                                      : is_text(body, "refresh_token");
    if (!unknown.empty() || !is_text(body, "client_id") || !complete) {
      return refused("missing or unknown field " + unknown);
    }
    const std::string client = body["client_id"];
    const std::string public_client = sandbox ? kSandboxClient : kProductionClient;
    const bool own = client == esigner::kOwnClient &&
                     body.value("client_secret", "") == esigner::kOwnClientSecret;
    if (!own && (client != public_client || body.contains("client_secret"))) {
      return json_response(
          401,
          {{"error", "invalid_client"}, {"error_description", "Client authentication failed"}});
    }
    const auto user = by_password ? user_with(body) : refreshed(body["refresh_token"], client);
    if (!user) {
      return refused(
          "The provided authorization grant is invalid, expired, revoked, does not match the "
          "redirection URI used in the authorization request, or was issued to another client.",
          "invalid_grant");
    }
    lab_.note({{"grant", grant}});
    return admit(*user, client, sandbox);
  }

  static std::optional<std::string> user_with(const Json& body) {
    const std::string user = body["username"];
    const bool known =
        user == esigner::kUser || user == esigner::kOnlyUser || user == esigner::kPaperUser;
    return known && body["password"] == esigner::kPassword ? std::optional(user) : std::nullopt;
  }

  /// A refresh token is good once, for the client that it was given to.
  std::optional<std::string> refreshed(const std::string& token, const std::string& client) {
    const auto found = refresh_.find(token);
    if (found == refresh_.end() || found->second.second != client) {
      return std::nullopt;
    }
    std::string user = found->second.first;
    refresh_.erase(found);
    return user;
  }

  Response admit(const std::string& user, const std::string& client, bool sandbox) {
    const std::string token = new_secret("esigner-");
    lab_.grant(token,
               {{"aud", audience(sandbox)},
                {"sub", user},
                {"exp", (lab_.now() + kTokenLife).time_since_epoch().count()}});
    const std::string refresh = new_secret("refresh-");
    refresh_[refresh] = {user, client};
    return json_response(200,
                         {{"access_token", token},
                          {"token_type", "Bearer"},
                          {"expires_in", kTokenLife.count()},
                          {"refresh_token", refresh},
                          {"scope", "service"}});
  }

  static std::string audience(bool sandbox) { return sandbox ? "esigner-try" : "esigner"; }

  std::optional<std::string> user_of(const Request& request, bool sandbox) const {
    constexpr std::string_view kBearer = "Bearer ";
    const std::string header = request.header("authorization");
    const auto claims = header.starts_with(kBearer) ? lab_.granted(header.substr(kBearer.size()))
                                                    : std::optional<Json>();
    if (!claims || claims->value("aud", "") != audience(sandbox) ||
        claims->value("exp", std::int64_t{0}) <= lab_.now().time_since_epoch().count()) {
      return std::nullopt;
    }
    return claims->value("sub", "");
  }

  // --- Methods ---------------------------------------------------------------------------------

  Response serve(const std::string& path, const Json& body, const std::string& user) {
    if (path == "/csc/v0/credentials/list") {
      return list(body, user);
    }
    const bool is_scan = path.starts_with("/scan/");
    const char* name = is_scan ? "credential_id" : "credentialID";
    if (!is_text(body, name)) {
      return refused("Missing (or invalid type) string parameter " + std::string(name));
    }
    const Entry* entry = find(body[name], user);
    if (entry == nullptr) {
      return refused("Invalid parameter " + std::string(name));
    }
    if (path == "/csc/v0/credentials/info") {
      return info(body, *entry);
    }
    if (path == "/csc/v0/credentials/authorize") {
      return authorize(body, *entry);
    }
    if (path == "/csc/v0/signatures/signHash") {
      return sign(body, *entry);
    }
    if (path == "/scan/settings") {
      return unknown_field(body, {"credential_id"}).empty()
                 ? json_response(200, {{"malware_scan_enabled", entry->id == "scanned"}})
                 : refused("unknown parameter");
    }
    return path == "/scan/hash" ? scan(body, *entry) : json_response(404, {{"error", "not_found"}});
  }

  static const Entry* find(const std::string& id, const std::string& user) {
    const auto found = std::find_if(entries().begin(), entries().end(), [&](const Entry& entry) {
      return entry.id == id && entry.user == user;
    });
    return found == entries().end() ? nullptr : &*found;
  }

  static Response list(const Json& body, const std::string& user) {
    if (!unknown_field(body, {"clientData", "maxResults", "pageToken"}).empty() ||
        !is_text(body, "clientData")) {
      return refused("Missing (or invalid type) string parameter clientData");
    }
    const std::string group = body["clientData"];
    if (user == esigner::kOnlyUser && group != "EVCS") {
      return refused("Invalid parameter clientData");
    }
    std::vector<std::string> ids;
    for (const Entry& entry : entries()) {
      if (entry.user == user && entry.group == group) {
        ids.push_back(entry.id);
      }
    }
    const std::size_t from = std::stoul("0" + body.value("pageToken", ""));
    const std::size_t to = std::min(from + kPage, ids.size());
    Json page = Json::array();
    for (std::size_t i = from; i < to; ++i) {
      page.push_back(ids[i]);
    }
    Json answer{{"credentialIDs", page}};
    if (to < ids.size()) {
      answer["nextPageToken"] = std::to_string(to);
    }
    return json_response(200, answer);
  }

  Response info(const Json& body, const Entry& entry) {
    if (!unknown_field(body, {"credentialID", "certificates", "certInfo", "authInfo", "lang"})
             .empty() ||
        body.value("certificates", "single") != "chain" || !body.value("authInfo", false)) {
      return refused("Invalid parameter certificates or authInfo");
    }
    Json certificates = Json::array();
    const crypto::KeyBundle& shown = lab_.shown(entry.kind);
    for (const crypto::Certificate& one : shown.chain) {
      certificates.push_back(to_base64(one.der()));
    }
    const bool free = entry.id == "free";
    return json_response(
        200,
        {{"description", "Code signing"},
         {"key",
          {{"status", entry.id == "disabled" ? "disabled" : "enabled"},
           {"algo", algorithms(entry)},
           {"len", shown.key.facts().bits}}},
         {"cert",
          {{"status", entry.id == "suspended" ? "suspended" : "valid"},
           {"certificates", certificates},
           {"subjectDN", shown.chain.front().info().subject}}},
         {"authMode", free ? "implicit" : "explicit"},
         {"SCAL", "2"},
         {"PIN", {{"presence", entry.id == "pinned" ? "true" : "false"}, {"format", "A"}}},
         {"OTP",
          {{"presence", free ? "false" : "true"},
           {"type", entry.id == "sent" ? "online" : "offline"},
           {"format", "N"}}},
         {"multisign", entry.multisign},
         {"lang", "en-US"}});
  }

  static Json algorithms(const Entry& entry) {
    if (entry.kind == "rsa2048") {
      return Json::array({kRsaEncryption});
    }
    if (entry.kind == "rsa3072") {
      return Json::array({"1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12"});
    }
    if (entry.kind == "p256") {
      return Json::array({"1.2.840.10045.4.3.2"});
    }
    return entry.kind == "p384" ? Json::array({"1.2.840.10045.4.3.3"}) : Json::array();
  }

  // --- Malware blocker ---------------------------------------------------------------------------

  Response scan(const Json& body, const Entry& entry) {
    const auto file = strict_base64(body.value("hash_to_scan", ""));
    const auto digest = strict_base64(body.value("hash_to_sign", ""));
    if (!unknown_field(body, {"credential_id", "hash_to_scan", "hash_to_sign"}).empty() || !file ||
        file->size() != digest_size(DigestAlg::sha256) || !digest || digest->empty()) {
      return refused("Invalid parameter hash_to_scan or hash_to_sign");
    }
    const bool malware = *file == crypto::hash(DigestAlg::sha256, as_bytes(esigner::kMalware));
    if (!malware) {
      scanned_.insert(entry.id + " " + body["hash_to_sign"].get<std::string>());
    }
    return json_response(200, {{"malware_detected", malware}});
  }

  [[nodiscard]] bool is_scanned(const Entry& entry, const Json& hashes) const {
    return (entry.id != "scanned" && entry.id != "forgetful") ||
           std::all_of(hashes.begin(), hashes.end(), [&](const Json& hash) {
             return scanned_.contains(entry.id + " " + hash.get<std::string>());
           });
  }

  // --- Signing -----------------------------------------------------------------------------------

  /// What is wrong with the parameter `hash`; empty when nothing is.
  static std::string doubt_about_hashes(const Json& body) {
    if (!body.contains("hash") || !body["hash"].is_array() || body["hash"].empty()) {
      return "Missing (or invalid type) array parameter hash";
    }
    for (const Json& hash : body["hash"]) {
      if (!hash.is_string() || !strict_base64(hash.get<std::string>())) {
        return "Invalid Base64 hash string parameter";
      }
    }
    return {};
  }

  Response authorize(const Json& body, const Entry& entry) {
    if (const std::string doubt = doubt_about_hashes(body); !doubt.empty()) {
      return refused(doubt);
    }
    if (!unknown_field(body, {"credentialID", "numSignatures", "hash", "OTP", "PIN"}).empty()) {
      return refused("unknown parameter");
    }
    if (!body.contains("numSignatures") || !body["numSignatures"].is_number_integer()) {
      return refused("Missing (or invalid type) integer parameter numSignatures");
    }
    if (body["numSignatures"] != body["hash"].size()) {
      return refused("Invalid value for parameter numSignatures");
    }
    if (body["hash"].size() > entry.multisign) {
      return refused("Numbers of signatures is too high");
    }
    if (const std::string doubt = doubt_about_factors(body, entry); !doubt.empty()) {
      return refused(doubt);
    }
    const std::string sad = new_secret("SAD-");
    const bool late = entry.id == "slow" && !was_slow_;
    was_slow_ = was_slow_ || late;
    authorizations_[sad] = {entry.id,
                            body["hash"],
                            is_scanned(entry, body["hash"]),
                            lab_.now() + std::chrono::seconds{late ? 0 : kSadLife}};
    return json_response(200, {{"SAD", sad}, {"expiresIn", kSadLife}});
  }

  std::string doubt_about_factors(const Json& body, const Entry& entry) {
    const std::string pin = entry.id == "pinned" ? esigner::kPin : "";
    if (body.value("PIN", "") != pin) {
      return "The PIN is invalid";
    }
    if (entry.id == "free") {
      return body.contains("OTP") ? "unexpected parameter OTP" : "";
    }
    return entry.id != "sent" && take_otp(entry.id, body.value("OTP", "")) ? ""
                                                                           : "The OTP is invalid";
  }

  /// Of this step, or of the last because networks take their time; each once.
  bool take_otp(const std::string& id, const std::string& otp) {
    const auto key = strict_base64(esigner::kTotpSecret);
    const std::int64_t now = lab_.now().time_since_epoch().count() / 30;
    for (const std::int64_t step : {now, now - 1}) {
      if (otp == totp_of(as_text(*key), step) && step > last_steps_[id]) {
        last_steps_[id] = step;
        return true;
      }
    }
    return false;
  }

  Response sign(const Json& body, const Entry& entry) {
    if (const std::string doubt = doubt_about_hashes(body); !doubt.empty()) {
      return refused(doubt);
    }
    if (!unknown_field(body,
                       {"credentialID", "SAD", "hash", "signAlgo", "signAlgoParams", "hashAlgo"})
             .empty()) {
      return refused("unknown parameter");
    }
    const bool rsa = entry.kind.starts_with("rsa");
    const Json offered = algorithms(entry);
    const std::string oid = body.value("signAlgo", "");
    const auto alg = digest_of(oid, body.value("hashAlgo", ""), rsa);
    const bool fits =
        offered.empty() || std::find(offered.begin(), offered.end(), oid) != offered.end();
    if (!alg || !fits) {
      return refused("Missing/Invalid parameter signAlgo");
    }
    if (!is_text(body, "SAD")) {
      return refused("Missing (or invalid type) string parameter SAD");
    }
    const auto found = authorizations_.find(body["SAD"].get<std::string>());
    if (found == authorizations_.end() || found->second.credential != entry.id) {
      return refused("Invalid parameter SAD");
    }
    const Authorization authorization = found->second;
    authorizations_.erase(found);
    if (authorization.expires <= lab_.now()) {
      return refused("SAD expired");
    }
    if (authorization.hashes != body["hash"]) {
      return refused("Hash is not authorized by the SAD");
    }
    if (!authorization.scanned) {
      return refused("hash needs to be scanned first before submitting for signing: " +
                     body["hash"].front().get<std::string>());
    }
    return sign_all(body["hash"], entry, *alg);
  }

  Response sign_all(const Json& hashes, const Entry& entry, DigestAlg alg) {
    Json signatures = Json::array();
    for (const Json& hash : hashes) {
      const Bytes digest = *strict_base64(hash.get<std::string>());
      Bytes signature = lab_.sign(lab_.signer(entry.kind), digest, alg);
      if (signature.empty()) {
        return refused("Invalid digest value length");
      }
      constexpr std::size_t kField = 48;
      signature = entry.kind == "p384" ? raw_signature(signature, kField) : signature;
      signatures.push_back(to_base64(signature));
    }
    return json_response(200, {{"signatures", signatures}});
  }

  Lab& lab_;
  std::map<std::string, std::pair<std::string, std::string>> refresh_;  ///< To user and client.
  std::map<std::string, Authorization> authorizations_;
  std::map<std::string, std::int64_t> last_steps_;  ///< By credential.
  std::set<std::string> scanned_;                   ///< "credential hash"
  bool was_slow_{false};
};

}  // namespace

std::unique_ptr<Personality> make_esigner(Lab& lab);
std::unique_ptr<Personality> make_esigner(Lab& lab) {
  return std::make_unique<Esigner>(lab);
}

}  // namespace signctl::fake
