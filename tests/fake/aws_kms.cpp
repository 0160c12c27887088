// SPDX-License-Identifier: Apache-2.0
#include "fake/aws_kms.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/kms_wire.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

namespace signctl::fake {
namespace {

using aws::kRegion;

/// The identity tokens' issuer.
constexpr const char* kIssuerKey = "rsa2048";
constexpr const char* kAccount = "111122223333";

/// A refusal of KMS: the name of its exception, and the status that it comes with.
struct Refusal {
  int status{400};
  std::string name;
  std::string message;
};

Response kms_error(const Refusal& refusal) {
  return {
      refusal.status,
      {{"content-type", "application/x-amz-json-1.1"}},
      Json{{"__type", "com.amazonaws.kms#" + refusal.name}, {"message", refusal.message}}.dump()};
}

Response sts_error(int status, const std::string& code, const std::string& message) {
  return {status,
          {{"content-type", "text/xml"}},
          "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    "
          "<Type>Sender</Type>\n    <Code>" +
              code + "</Code>\n    <Message>" + message +
              "</Message>\n  </Error>\n  <RequestId>fake</RequestId>\n</ErrorResponse>\n"};
}

std::string basic_time(TimePoint time) {
  std::string text = to_iso8601(time);
  std::erase_if(text, [](char letter) { return letter == '-' || letter == ':'; });
  return text;
}

std::optional<TimePoint> from_basic_time(const std::string& text) {
  if (text.size() != 16) {
    return std::nullopt;
  }
  return from_iso8601(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2) + "T" +
                      text.substr(9, 2) + ":" + text.substr(11, 2) + ":" + text.substr(13));
}

std::string hex_hash(std::string_view text) {
  return to_hex(crypto::hash(DigestAlg::sha256, as_bytes(text)));
}

/// Who calls: what the access key id stands for.
struct Identity {
  std::string secret;
  std::string token{};  ///< Empty for long-lived keys.
  std::optional<TimePoint> expires{};
  bool may_sign{true};
  std::string arn{"arn:aws:iam::111122223333:user/release"};
};

/// The parts of an Authorization header.
struct Authorization {
  std::string access_key;
  std::string date;
  std::string region;
  std::string service;
  std::vector<std::string> headers;
  std::string signature;
};

std::vector<std::string> split(std::string_view text, char mark) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == mark) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

std::optional<Authorization> parse_authorization(std::string_view header) {
  constexpr std::string_view kScheme = "AWS4-HMAC-SHA256 ";
  if (!header.starts_with(kScheme)) {
    return std::nullopt;
  }
  std::map<std::string, std::string> fields;
  for (std::string field : split(header.substr(kScheme.size()), ',')) {
    field.erase(0, field.find_first_not_of(' '));
    fields[field.substr(0, field.find('='))] = field.substr(field.find('=') + 1);
  }
  const auto scope = split(fields["Credential"], '/');
  if (fields.size() != 3 || scope.size() != 5 || scope[4] != "aws4_request" ||
      fields["Signature"].size() != 64) {
    return std::nullopt;
  }
  return Authorization{scope[0],
                       scope[1],
                       scope[2],
                       scope[3],
                       split(fields["SignedHeaders"], ';'),
                       fields["Signature"]};
}

class AwsKms final : public Personality {
 public:
  explicit AwsKms(Lab& lab) : lab_(lab) {
    identities_[aws::kAccessKey] = {aws::kSecretKey};
    identities_[aws::kReaderAccessKey] = {aws::kReaderSecretKey};
    identities_[aws::kReaderAccessKey].may_sign = false;
  }

  Response handle(const Request& request) override {
    if (request.path == "/" || request.path.empty()) {
      return kms(request);
    }
    if (request.path.starts_with("/sts")) {
      return sts(request);
    }
    if (request.path.starts_with("/imds/latest/")) {
      return instance(request);
    }
    if (request.path == "/container/credentials") {
      return container(request);
    }
    if (request.path == "/github") {
      return github(request);
    }
    return kms_error({404, "UnknownOperationException", "no such path"});
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"key_id", "alias/rsa3072"},
            {"region", kRegion},
            {"endpoint", base_url},
            {"sts_endpoint", base_url + "/sts"},
            {"access_key_id", aws::kAccessKey},
            {"secret_access_key", aws::kSecretKey}};
  }

 private:
  // --- Signature Version 4 -------------------------------------------------------------------

  /// Why the request's signature is not good; empty when it is.
  std::optional<Refusal> check_signature(const Request& request, const std::string& service) {
    const auto given = parse_authorization(request.header("authorization"));
    if (!given) {
      return Refusal{400, "MissingAuthenticationTokenException", "Missing Authentication Token"};
    }
    if (const auto wrong = check_scope(request, *given, service)) {
      return wrong;
    }
    const auto identity = identities_.find(given->access_key);
    if (identity == identities_.end() ||
        identity->second.token != request.header("x-amz-security-token")) {
      return Refusal{400,
                     "UnrecognizedClientException",
                     "The security token included in the request is invalid."};
    }
    if (const auto wrong = check_time(request)) {
      return wrong;
    }
    if (signature_of(request, *given, identity->second.secret) != given->signature) {
      return Refusal{400,
                     "InvalidSignatureException",
                     "The request signature we calculated does not match the signature you "
                     "provided. Check your AWS Secret Access Key and signing method."};
    }
    if (identity->second.expires && *identity->second.expires <= lab_.now()) {
      return Refusal{
          400, "ExpiredTokenException", "The security token included in the request is expired"};
    }
    caller_ = identity->second;
    return std::nullopt;
  }

  static std::optional<Refusal> check_scope(const Request& request,
                                            const Authorization& given,
                                            const std::string& service) {
    const std::string time = request.header("x-amz-date");
    if (given.region != kRegion || given.service != service ||
        given.date != time.substr(0, given.date.size()) || given.date.size() != 8) {
      return Refusal{400,
                     "InvalidSignatureException",
                     "Credential should be scoped to a valid region and service."};
    }
    const std::set<std::string> names(given.headers.begin(), given.headers.end());
    const bool sorted = std::is_sorted(given.headers.begin(), given.headers.end());
    bool complete = names.count("host") == 1 && names.size() == given.headers.size() && sorted;
    for (const auto& [name, value] : request.headers) {
      complete = complete && (!name.starts_with("x-amz-") || names.count(name) == 1);
    }
    for (const std::string& name : names) {
      complete = complete && request.headers.count(name) == 1;
    }
    if (!complete) {
      return Refusal{400,
                     "IncompleteSignatureException",
                     "'Host' and every x-amz- header must be a signed header."};
    }
    return std::nullopt;
  }

  std::optional<Refusal> check_time(const Request& request) {
    const auto time = from_basic_time(request.header("x-amz-date"));
    constexpr std::chrono::minutes kTolerance{5};
    if (!time) {
      return Refusal{400, "IncompleteSignatureException", "Date must be in ISO-8601 basic format."};
    }
    const std::string now = basic_time(lab_.now());
    if (*time < lab_.now() - kTolerance) {
      return Refusal{400,
                     "InvalidSignatureException",
                     "Signature expired: " + basic_time(*time) + " is now earlier than " + now};
    }
    if (*time > lab_.now() + kTolerance) {
      return Refusal{
          400,
          "InvalidSignatureException",
          "Signature not yet current: " + basic_time(*time) + " is still later than " + now};
    }
    return std::nullopt;
  }

  static std::string signature_of(const Request& request,
                                  const Authorization& given,
                                  const std::string& secret) {
    const std::size_t host = request.base_url.find("://") + 3;
    const std::string prefix = request.base_url.substr(request.base_url.find('/', host));
    std::string text = request.method + "\n" + prefix + request.path + "\n\n";
    std::string names;
    for (const std::string& name : given.headers) {
      text += name;
      text += ":" + request.header(name) + "\n";
      names += (names.empty() ? "" : ";") + name;
    }
    text += "\n" + names + "\n" + hex_hash(request.body);
    const std::string scope =
        given.date + "/" + given.region + "/" + given.service + "/aws4_request";
    const std::string to_sign =
        "AWS4-HMAC-SHA256\n" + request.header("x-amz-date") + "\n" + scope + "\n" + hex_hash(text);
    const std::string start = "AWS4" + secret;
    Bytes key(start.begin(), start.end());
    for (const std::string& step : split(scope, '/')) {
      key = crypto::hmac(DigestAlg::sha256, key, as_bytes(step));
    }
    return to_hex(crypto::hmac(DigestAlg::sha256, key, as_bytes(to_sign)));
  }

  // --- KMS -----------------------------------------------------------------------------------

  Response kms(const Request& request) {
    const std::string target = request.header("x-amz-target");
    if (request.method != "POST" ||
        request.header("content-type") != "application/x-amz-json-1.1" ||
        !target.starts_with("TrentService.")) {
      return kms_error({404, "UnknownOperationException", ""});
    }
    if (const auto refusal = check_signature(request, "kms")) {
      return kms_error(*refusal);
    }
    const Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object() || !body.contains("KeyId") || !body["KeyId"].is_string()) {
      return kms_error({400, "ValidationException", "KeyId is missing"});
    }
    const std::string action = target.substr(target.find('.') + 1);
    if (action == "GetPublicKey") {
      return get_public_key(body);
    }
    if (action == "Sign") {
      return sign(body);
    }
    return kms_error({400, "UnknownOperationException", action});
  }

  /// The kind of key that an id stands for; a refusal's name in `refusal` otherwise.
  static std::string kind_of(std::string id, Refusal& refusal) {
    const std::string arn = std::string("arn:aws:kms:") + kRegion + ":" + kAccount + ":";
    if (id.starts_with(arn)) {
      id.erase(0, arn.size());
    }
    static const std::set<std::string> kKinds{
        "rsa2048", "rsa3072", "p256", "p384", "p521", "disabled", "encryption"};
    const std::string kind = id.starts_with("alias/") ? id.substr(6) : "";
    if (kKinds.count(kind) == 0) {
      refusal = {400, "NotFoundException", "Alias " + arn + id + " is not found."};
      return {};
    }
    if (kind == "disabled") {
      refusal = {409, "DisabledException", arn + "key/1 is disabled."};
      return {};
    }
    return kind;
  }

  static std::string spec_of(const std::string& kind) {
    if (kind.starts_with("rsa")) {
      return "RSA_" + kind.substr(3);
    }
    return kind == "encryption" ? "RSA_2048" : "ECC_NIST_P" + kind.substr(1);
  }

  static std::vector<std::string> algorithms_of(const std::string& kind) {
    if (kind == "p256") {
      return {"ECDSA_SHA_256"};
    }
    if (kind == "p384") {
      return {"ECDSA_SHA_384"};
    }
    if (kind == "p521") {
      return {"ECDSA_SHA_512"};
    }
    return {"RSASSA_PKCS1_V1_5_SHA_256",
            "RSASSA_PKCS1_V1_5_SHA_384",
            "RSASSA_PKCS1_V1_5_SHA_512",
            "RSASSA_PSS_SHA_256",
            "RSASSA_PSS_SHA_384",
            "RSASSA_PSS_SHA_512"};
  }

  static Response kms_answer(const Json& body) {
    return {200, {{"content-type", "application/x-amz-json-1.1"}}, body.dump()};
  }

  static std::string key_arn(const std::string& kind) {
    return std::string("arn:aws:kms:") + kRegion + ":" + kAccount + ":key/" + kind;
  }

  Response get_public_key(const Json& body) {
    Refusal refusal;
    if (const std::string field = unknown_field(body, {"KeyId", "GrantTokens"}); !field.empty()) {
      return kms_error({400, "ValidationException", "unknown field " + field});
    }
    const std::string kind = kind_of(body["KeyId"], refusal);
    if (kind.empty()) {
      return kms_error(refusal);
    }
    const bool encryption = kind == "encryption";
    const auto& shown = lab_.shown(encryption ? "rsa2048" : kind);
    Json answer{{"KeyId", key_arn(kind)},
                {"KeySpec", spec_of(kind)},
                {"CustomerMasterKeySpec", spec_of(kind)},
                {"KeyUsage", encryption ? "ENCRYPT_DECRYPT" : "SIGN_VERIFY"},
                {"PublicKey", to_base64(crypto::public_key_of(shown.chain.front()))}};
    if (encryption) {
      answer["EncryptionAlgorithms"] = {"RSAES_OAEP_SHA_256"};
    } else {
      answer["SigningAlgorithms"] = algorithms_of(kind);
    }
    return kms_answer(answer);
  }

  Response sign(const Json& body) {
    Refusal refusal;
    const std::string field = unknown_field(
        body, {"KeyId", "Message", "MessageType", "SigningAlgorithm", "GrantTokens", "DryRun"});
    if (!field.empty()) {
      return kms_error({400, "ValidationException", "unknown field " + field});
    }
    const std::string kind = kind_of(body["KeyId"], refusal);
    if (kind.empty()) {
      return kms_error(refusal);
    }
    if (!caller_.may_sign) {
      return kms_error(
          {400,
           "AccessDeniedException",
           "User: " + caller_.arn +
               " is not authorized to perform: kms:Sign on resource: " + key_arn(kind)});
    }
    const std::string algorithm = body.value("SigningAlgorithm", "");
    const auto offered = algorithms_of(kind);
    if (kind == "encryption" ||
        std::find(offered.begin(), offered.end(), algorithm) == offered.end()) {
      return kms_error(
          {400,
           "InvalidKeyUsageException",
           "Algorithm " + algorithm + " is incompatible with key spec " + spec_of(kind) + "."});
    }
    return sign_message(body, kind, algorithm);
  }

  static DigestAlg digest_of(const std::string& algorithm) {
    if (algorithm.ends_with("_384")) {
      return DigestAlg::sha384;
    }
    return algorithm.ends_with("_512") ? DigestAlg::sha512 : DigestAlg::sha256;
  }

  Response sign_message(const Json& body, const std::string& kind, const std::string& algorithm) {
    const DigestAlg alg = digest_of(algorithm);
    const auto message = strict_base64(body.value("Message", ""));
    const std::string type = body.value("MessageType", "RAW");
    if (!message || (type != "RAW" && type != "DIGEST")) {
      return kms_error({400, "ValidationException", "Message or MessageType is not valid"});
    }
    if (type == "DIGEST" && message->size() != digest_size(alg)) {
      return kms_error(
          {400, "ValidationException", "Digest is invalid length for algorithm " + algorithm});
    }
    if (body.value("DryRun", false)) {
      return kms_error({412,
                        "DryRunOperationException",
                        "The request would have succeeded, but the DryRun option is set."});
    }
    const Bytes digest = type == "DIGEST" ? *message : crypto::hash(alg, *message);
    const auto& signer = lab_.signer(kind);
    const Bytes signature = algorithm.starts_with("RSASSA_PSS")
                                ? test::must(signer.key.sign_digest_pss(digest, alg))
                                : lab_.sign(signer, digest, alg);
    return kms_answer({{"KeyId", key_arn(kind)},
                       {"KeyOrigin", "AWS_KMS"},
                       {"Signature", to_base64(signature)},
                       {"SigningAlgorithm", algorithm}});
  }

  // --- Logins --------------------------------------------------------------------------------

  /// New temporary credentials, which the services below know from now on.
  std::pair<std::string, Identity> issue(const std::string& arn) {
    const std::string id = "ASIA" + random_text("").substr(0, 16);
    Identity identity{new_secret("secret-"), new_secret("token-")};
    identity.expires = lab_.now() + std::chrono::hours{1};
    identity.arn = arn;
    identities_[id] = identity;
    return {id, identity};
  }

  Response sts(const Request& request) {
    const auto fields = form_fields(request.body);
    if (request.method != "POST" || request.path != "/sts/" || !fields ||
        request.header("content-type") != "application/x-www-form-urlencoded" ||
        fields->count("Action") == 0 || fields->count("Version") == 0 ||
        fields->at("Version") != "2011-06-15") {
      return sts_error(400, "InvalidAction", "Could not find operation");
    }
    const std::string& action = fields->at("Action");
    if (action == "AssumeRoleWithWebIdentity") {
      return assume_with_web_identity(*fields);
    }
    if (const auto refusal = check_signature(request, "sts")) {
      return sts_error(403, refusal->name, refusal->message);
    }
    if (action == "GetCallerIdentity") {
      return {200,
              {{"content-type", "text/xml"}},
              "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>" + caller_.arn +
                  "</Arn><UserId>FAKE</UserId><Account>" + kAccount +
                  "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"};
    }
    if (action == "AssumeRole" && fields->count("RoleSessionName") == 1 &&
        fields->count("RoleArn") == 1 && fields->at("RoleArn") == aws::kRole) {
      return role_answer(action);
    }
    return sts_error(403, "AccessDenied", "not authorized to perform: sts:" + action);
  }

  Response assume_with_web_identity(const std::map<std::string, std::string>& fields) {
    const auto at = [&](const char* name) {
      const auto found = fields.find(name);
      return found == fields.end() ? std::string() : found->second;
    };
    static const std::set<std::string> kKnown{
        "Action", "Version", "RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds"};
    for (const auto& [name, value] : fields) {
      if (kKnown.count(name) == 0) {
        return sts_error(400, "ValidationError", "unknown parameter " + name);
      }
    }
    if (at("RoleSessionName").size() < 2) {
      return sts_error(400, "ValidationError", "RoleSessionName is missing or too short");
    }
    const auto claims =
        verified_claims(at("WebIdentityToken"), lab_.pki().signer(kIssuerKey).chain.front());
    if (!claims) {
      return sts_error(400,
                       "InvalidIdentityToken",
                       "Couldn't retrieve verification key from your identity provider");
    }
    if (claims->value("exp", std::int64_t{0}) <= lab_.now().time_since_epoch().count()) {
      return sts_error(400, "ExpiredTokenException", "Token expired");
    }
    if (claims->value("aud", "") != "sts.amazonaws.com" ||
        claims->value("sub", "") != aws::kSubject || at("RoleArn") != aws::kRole) {
      return sts_error(
          403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    }
    return role_answer("AssumeRoleWithWebIdentity");
  }

  Response role_answer(const std::string& action) {
    const auto [id, identity] = issue("arn:aws:sts::111122223333:assumed-role/codesign/signctl");
    return {200,
            {{"content-type", "text/xml"}},
            "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <" +
                action + "Result>\n    <Credentials>\n      <AccessKeyId>" + id +
                "</AccessKeyId>\n      <SecretAccessKey>" + identity.secret +
                "</SecretAccessKey>\n      <SessionToken>" + identity.token +
                "</SessionToken>\n      <Expiration>" + to_iso8601(*identity.expires) +
                "</Expiration>\n    </Credentials>\n  </" + action + "Result>\n</" + action +
                "Response>\n"};
  }

  Response credentials_answer() {
    const auto [id, identity] = issue("arn:aws:sts::111122223333:assumed-role/machine/i-1");
    return json_response(200,
                         {{"Code", "Success"},
                          {"Type", "AWS-HMAC"},
                          {"AccessKeyId", id},
                          {"SecretAccessKey", identity.secret},
                          {"Token", identity.token},
                          {"Expiration", to_iso8601(*identity.expires)}});
  }

  Response container(const Request& request) {
    if (request.method != "GET" || request.header("authorization") != aws::kContainerToken) {
      return text_response(401, "the authorization token is wrong");
    }
    return credentials_answer();
  }

  Response github(const Request& request) {
    const auto audience = request.query.find("audience");
    if (request.method != "GET" || audience == request.query.end() ||
        request.query.count("api-version") == 0 ||
        request.header("authorization") != std::string("bearer ") + aws::kGithubBearer) {
      return text_response(401, "no bearer or no audience");
    }
    return json_response(200, {{"value", aws::identity_token(lab_, audience->second)}});
  }

  Response instance(const Request& request) {
    const std::string path = request.path.substr(5);
    if (path == "/latest/api/token") {
      const bool good = request.method == "PUT" &&
                        !request.header("x-aws-ec2-metadata-token-ttl-seconds").empty();
      instance_token_ = good ? new_secret("imds-") : "";
      return {good ? 200 : 400, {{"content-type", "text/plain"}}, instance_token_};
    }
    if (request.method != "GET" || instance_token_.empty() ||
        request.header("x-aws-ec2-metadata-token") != instance_token_) {
      return {401, {}, ""};
    }
    if (path == "/latest/meta-data/iam/security-credentials/") {
      return {200, {{"content-type", "text/plain"}}, "machine"};
    }
    if (path == "/latest/meta-data/iam/security-credentials/machine") {
      return credentials_answer();
    }
    return {404, {}, ""};
  }

  Lab& lab_;
  std::map<std::string, Identity> identities_;
  Identity caller_;
  std::string instance_token_;
};

}  // namespace

namespace aws {

std::string identity_token(Lab& lab, const std::string& audience, const std::string& subject) {
  const auto now = lab.now().time_since_epoch().count();
  return make_jwt({{"iss", "https://token.actions.githubusercontent.com"},
                   {"aud", audience},
                   {"sub", subject},
                   {"iat", now},
                   {"exp", now + 300}},
                  lab.pki().signer(kIssuerKey).key);
}

}  // namespace aws

std::unique_ptr<Personality> make_aws_kms(Lab& lab);
std::unique_ptr<Personality> make_aws_kms(Lab& lab) {
  return std::make_unique<AwsKms>(lab);
}

}  // namespace signctl::fake
