// SPDX-License-Identifier: Apache-2.0
#include "fake/signserver.hpp"

#include "core/text.hpp"
#include "fake/kms_wire.hpp"

#include <algorithm>

namespace signctl::fake {
namespace {

struct WorkerRow {
  std::string kind{"rsa3072"};  ///< As in Pki.
  bool client_side_hashing{true};
  std::optional<DigestAlg> only_digest{};  ///< The one that it accepts; any when empty.
  bool admits{true};
  bool online{true};
  bool checks_length{true};
};

const std::map<std::string, WorkerRow>& workers() {
  static const std::map<std::string, WorkerRow> table{
      {"rsa2048", {"rsa2048"}},
      {"rsa3072", {"rsa3072"}},
      {"17", {"rsa3072"}},
      {"p256", {"p256"}},
      {"p384", {"p384"}},
      {"p521", {"p521"}},
      {"NoHash", {.client_side_hashing = false}},
      {"Sha256Only", {.only_digest = DigestAlg::sha256}},
      {"Sha384Only", {.only_digest = DigestAlg::sha384}},
      {"Restricted", {.admits = false}},
      {"Offline", {.online = false}},
      {"Eager", {.checks_length = false}},
  };
  return table;
}

std::optional<DigestAlg> digest_of(const std::string& name) {
  static const std::map<std::string, DigestAlg> table{{"SHA-256", DigestAlg::sha256},
                                                      {"SHA-384", DigestAlg::sha384},
                                                      {"SHA-512", DigestAlg::sha512}};
  const auto found = table.find(name);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

/// The worker in "/rest/v1/workers/NAME/process"; empty for other paths.
std::string worker_in(const std::string& path) {
  constexpr std::string_view kBefore = "/rest/v1/workers/";
  constexpr std::string_view kAfter = "/process";
  if (!path.starts_with(kBefore) || !path.ends_with(kAfter) ||
      path.size() <= kBefore.size() + kAfter.size()) {
    return {};
  }
  return path.substr(kBefore.size(), path.size() - kBefore.size() - kAfter.size());
}

class SignServer final : public Personality {
 public:
  explicit SignServer(Lab& lab) : lab_(lab) {}

  Response handle(const Request& request) override {
    const std::string name = worker_in(request.path);
    if (name.empty() || request.method != "POST") {
      return text_response(404, "RESTEASY003210: Could not find resource for full path");
    }
    if (request.header("x-keyfactor-requested-with").empty()) {
      return text_response(403, "Missing X-Keyfactor-Requested-With header");
    }
    if (request.header("content-type") != "application/json") {
      return text_response(415, "Unsupported Media Type");
    }
    const auto found = workers().find(name);
    return found == workers().end() ? text_response(404, "No such worker: " + name)
                                    : serve(request, found->second);
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"url", base_url}, {"worker", "rsa3072"}, {"token", signserver::kToken}};
  }

 private:
  Response serve(const Request& request, const WorkerRow& worker) {
    const Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object() || !unknown_field(body, {"data", "encoding", "metaData"}).empty()) {
      return text_response(400, "Unrecognized field");
    }
    const Json data = body.value("data", Json());
    if (!data.is_string() || data == "") {
      return text_response(400, "Missing data in request");
    }
    const std::string authorization = request.header("authorization");
    const std::string basic = std::string(signserver::kUser) + ":" + signserver::kPassword;
    const bool token = authorization == std::string("Bearer ") + signserver::kToken ||
                       authorization == "Basic " + to_base64(as_bytes(basic));
    // A token that is wrong is not made up for by a certificate.
    if (!(token || (request.client && authorization.empty())) || !worker.admits) {
      return text_response(
          401, worker.admits ? "Client authentication is required" : "Authorization failed");
    }
    if (!worker.online) {
      return text_response(503, "Crypto token is offline");
    }
    return process(body, worker);
  }

  Response process(const Json& body, const WorkerRow& worker) {
    const Json meta = body.value("metaData", Json::object());
    if (body.value("encoding", "NONE") != "BASE64" || !meta.is_object()) {
      return text_response(400, "this stand-in takes BASE64 alone");
    }
    const auto data = strict_base64(body["data"].get<std::string>());
    if (!data) {
      return text_response(500, "Incorrect base64 data");
    }
    if (meta.value("USING_CLIENTSUPPLIED_HASH", "false") != "true" || !worker.client_side_hashing) {
      return text_response(400, "Client-side hashing requested but not allowed");
    }
    const auto alg = digest_of(meta.value("CLIENTSIDE_HASHDIGESTALGORITHM", ""));
    if (!alg || (worker.only_digest && *alg != *worker.only_digest)) {
      return text_response(400, "Client specified a non-accepted digest hash algorithm");
    }
    if (data->size() != digest_size(*alg) && worker.checks_length) {
      return text_response(400,
                           "Input length doesn't match hash digest algorithm specified through "
                           "request metadata");
    }
    return answer(worker, *data, *alg);
  }

  Response answer(const WorkerRow& worker, const Bytes& digest, DigestAlg alg) {
    const Bytes signature = lab_.sign(lab_.signer(worker.kind), digest, alg);
    return json_response(
        200,
        {{"archiveId", "2f0c7a6f"},
         {"requestId", "123456"},
         {"data", to_base64(signature.empty() ? digest : signature)},
         {"signerCertificate", to_base64(lab_.shown(worker.kind).chain.front().der())},
         {"metaData", Json::object()}});
  }

  Lab& lab_;
};

}  // namespace

std::unique_ptr<Personality> make_signserver(Lab& lab);
std::unique_ptr<Personality> make_signserver(Lab& lab) {
  return std::make_unique<SignServer>(lab);
}

}  // namespace signctl::fake
