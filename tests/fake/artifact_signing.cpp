// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "fake/azure.hpp"
#include "fake/kms_wire.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace signctl::fake {
namespace {

constexpr const char* kResource = "https://codesigning.azure.net";
constexpr const char* kVersion = "2022-06-15-preview";
constexpr std::string_view kKey = kIdVerified;
constexpr std::uint8_t kContext0 = 0xA0;

Response problem(int status, const std::string& field, const std::string& message) {
  return json_response(status,
                       {{"type", "https://tools.ietf.org/html/rfc9110"},
                        {"title", "One or more validation errors occurred."},
                        {"status", status},
                        {"errors", {{field, Json::array({message})}}}});
}

bool is_hash_list(const Json& list, std::size_t size) {
  const auto is_hash = [size](const Json& one) {
    const auto bytes = one.is_string() ? strict_base64(one.get<std::string>()) : std::nullopt;
    return bytes && bytes->size() == size;
  };
  return list.is_array() && !list.empty() && std::all_of(list.begin(), list.end(), is_hash);
}

std::optional<DigestAlg> digest_of(const std::string& algorithm) {
  if (algorithm == "RS256") {
    return DigestAlg::sha256;
  }
  if (algorithm == "RS384") {
    return DigestAlg::sha384;
  }
  return algorithm == "RS512" ? std::optional(DigestAlg::sha512) : std::nullopt;
}

enum class Order { leaf_first, root_first };

/// SignedData as the service makes it: the leaf for content, no digests, no signers.
Bytes pkcs7(const std::vector<crypto::Certificate>& chain, Order order) {
  std::vector<crypto::Certificate> sorted = chain;
  if (order == Order::root_first) {
    std::reverse(sorted.begin(), sorted.end());
  }
  Bytes certificates;
  for (const crypto::Certificate& one : sorted) {
    certificates.insert(certificates.end(), one.der().begin(), one.der().end());
  }
  const Bytes content = der::octet_string(chain.front().der());
  const Bytes data = der::sequence(
      {der::integer(1),
       der::set({}),
       der::sequence({der::oid("1.2.840.113549.1.7.1"), der::tlv(kContext0, content)}),
       der::tlv(kContext0, certificates),
       der::set({})});
  return der::sequence({der::oid("1.2.840.113549.1.7.2"), der::tlv(kContext0, data)});
}

/// Lines of 64, ended by CRLF.
std::string in_lines(const std::string& text) {
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += 64) {
    lines += text.substr(at, 64) + "\r\n";
  }
  return lines;
}

class ArtifactSigning final : public Personality {
 public:
  explicit ArtifactSigning(Lab& lab) : lab_(lab) {}

  Response handle(const Request& request) override {
    const auto claims = azure::caller(request, lab_, kResource);
    if (!claims) {
      return {401, {{"www-authenticate", "Bearer"}}, ""};
    }
    const auto version = request.query.find("api-version");
    if (version == request.query.end() || version->second != kVersion) {
      return problem(400, "api-version", "unsupported");
    }
    const std::string profile = "/codesigningaccounts/" + std::string(azure::kAccount) +
                                "/certificateprofiles/" + azure::kProfile + "/sign";
    // A stranger, an unknown name and another region all look alike: 403, empty.
    if ((*claims)["appid"] != azure::kClient || !request.path.starts_with(profile)) {
      return {403, {{"x-azure-ref", "fake"}}, ""};
    }
    const std::string rest = request.path.substr(profile.size());
    if (rest.empty() && request.method == "POST") {
      return sign(request);
    }
    if (rest == "/certchain" && request.method == "GET") {
      const Bytes chain = pkcs7(lab_.signer(kKey).chain, Order::root_first);
      return {200, {{"content-type", "application/pkcs7-mime"}}, std::string(as_text(chain))};
    }
    return request.method == "GET" && rest.starts_with("/") ? poll(rest.substr(1))
                                                            : Response{404, {}, ""};
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"endpoint", base_url + "/"},
            {"account", azure::kAccount},
            {"profile", azure::kProfile},
            {"auth", "client-secret"},
            {"authority", base_url.substr(0, base_url.rfind('/')) + "/entra"},
            {"tenant_id", azure::kTenant},
            {"client_id", azure::kClient},
            {"client_secret", azure::kClientSecret}};
  }

 private:
  struct Operation {
    Bytes signature;
    std::string certificate;
    int polls_left{};
    std::chrono::steady_clock::time_point ready{};
  };

  Response sign(const Request& request) {
    const Json body = Json::parse(request.body, nullptr, false);
    if (request.header("content-type") != "application/json" || !body.is_object()) {
      return problem(415, "body", "JSON is expected");
    }
    const std::string unknown = unknown_field(
        body, {"signatureAlgorithm", "digest", "fileHashList", "authenticodeHashList"});
    if (!unknown.empty()) {
      return problem(400, unknown, "unknown field");
    }
    const auto alg = digest_of(body.value("signatureAlgorithm", ""));
    const auto digest = strict_base64(body.value("digest", ""));
    if (!alg || !digest || digest->size() != digest_size(*alg) ||
        std::all_of(digest->begin(), digest->end(), [](auto octet) { return octet == 0; })) {
      return problem(400, "digest", "wrong length or algorithm");
    }
    const std::pair<const char*, DigestAlg> lists[] = {{"fileHashList", DigestAlg::sha256},
                                                       {"authenticodeHashList", *alg}};
    for (const auto& [name, hash] : lists) {
      if (body.contains(name) && !is_hash_list(body[name], digest_size(hash))) {
        return problem(400, name, "a list of hashes in base64 is expected");
      }
    }
    lab_.note({{"digest", body["digest"]},
               {"fileHashList", body.value("fileHashList", Json::array())},
               {"authenticodeHashList", body.value("authenticodeHashList", Json::array())}});
    const std::string id = random_text("operation-");
    const crypto::KeyBundle& shown = lab_.shown(kKey);
    Operation& operation = operations_[id];
    operation.signature = lab_.sign(lab_.signer(kKey), *digest, *alg);
    operation.certificate =
        to_base64(as_bytes(in_lines(to_base64(pkcs7(shown.chain, Order::leaf_first)))));
    // A delay of the operation rather than of an answer: "OPERATION /artifact-signing".
    constexpr std::array kDelay{FaultKind::delay};
    const auto slow = lab_.take(kDelay, "OPERATION /artifact-signing");
    operation.polls_left = slow ? 0 : 2;
    operation.ready =
        std::chrono::steady_clock::now() + (slow ? slow->delay : std::chrono::milliseconds{0});
    Response response = json_response(202, pending(id, "InProgress"));
    response.headers["operation-location"] = request.base_url + request.path + "/" + id;
    return response;
  }

  static Json pending(const std::string& id, const std::string& status) {
    return {{"operationId", id},
            {"status", status},
            {"signature", nullptr},
            {"signingCertificate", nullptr}};
  }

  Response poll(const std::string& id) {
    const auto found = operations_.find(id);
    if (found == operations_.end()) {
      return json_response(404, {{"errorDetail", {{"code", "NotFound"}, {"message", "none"}}}});
    }
    Operation& operation = found->second;
    if (std::chrono::steady_clock::now() < operation.ready) {
      return json_response(200, pending(id, "InProgress"));
    }
    if (operation.polls_left-- > 0) {
      return json_response(200, pending(id, operation.polls_left == 0 ? "Running" : "InProgress"));
    }
    return json_response(200,
                         {{"operationId", id},
                          {"status", "Succeeded"},
                          {"signature", to_base64(operation.signature)},
                          {"signingCertificate", operation.certificate}});
  }

  Lab& lab_;
  std::map<std::string, Operation> operations_;
};

}  // namespace

std::unique_ptr<Personality> make_artifact_signing(Lab& lab) {
  return std::make_unique<ArtifactSigning>(lab);
}

}  // namespace signctl::fake
