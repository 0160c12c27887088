// SPDX-License-Identifier: Apache-2.0
#include "providers/common/github_token.hpp"

#include "providers/common/rest.hpp"

#include <utility>

namespace signctl::providers {

namespace {

constexpr const char* kName = "GitHub's token service";

}  // namespace

Result<Secret> github_token(World world, const std::string& audience) {
  const auto url = world.environment.get("ACTIONS_ID_TOKEN_REQUEST_URL");
  const auto bearer = world.environment.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  if (!url || !bearer) {
    return Error{ErrorKind::auth,
                 "GitHub gives this job no identity token",
                 "add permissions: id-token: write to the job (not available to pull requests of "
                 "forks)"};
  }
  const std::size_t scheme = url->find("://");
  const std::size_t slash = url->find('/', scheme == std::string::npos ? 0 : scheme + 3);
  Service service;
  service.name = kName;
  SIGNCTL_TRY(
      service.base_url, service_url(url->substr(0, slash), "ACTIONS_ID_TOKEN_REQUEST_URL"), "");
  Call call;
  call.path = slash == std::string::npos ? "/" : url->substr(slash);
  call.path += call.path.find('?') == std::string::npos ? '?' : '&';
  call.path += "audience=" + percent_encode(audience);
  call.headers["Authorization"] = "bearer " + *bearer;
  call.headers["Accept"] = "application/json";
  const RestClient client(world, std::move(service), nullptr, [](const Reply& reply) {
    Error error = refusal_of(reply, kName, {});
    if (!is_transient(error.kind)) {
      error.kind = ErrorKind::auth;
      error.hint =
          "the job's request token is not accepted: it ends with the job, and the job needs "
          "permissions: id-token: write";
    }
    return error;
  });
  SIGNCTL_TRY(const Reply reply, client.send(call), "asking GitHub for an identity token");
  std::string token = text_at(reply.json, {"value"});
  if (token.empty()) {
    return Error{ErrorKind::auth, "GitHub answered without an identity token"};
  }
  return Secret(std::move(token));
}

}  // namespace signctl::providers
