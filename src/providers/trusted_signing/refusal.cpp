// SPDX-License-Identifier: Apache-2.0
#include "providers/trusted_signing/refusal.hpp"

#include "core/text.hpp"

namespace signctl::providers::trusted_signing {
namespace {

constexpr const char* kName = "Artifact Signing";

/// The service's own words, in any of its shapes.
std::string detail_of(const Json& json) {
  for (const char* outer : {"errorDetail", "error"}) {
    std::string message = text_at(json, {outer, "message"});
    if (!message.empty()) {
      return message;
    }
  }
  std::string text = text_at(json, {"title"});
  const auto errors = json.is_object() ? json.find("errors") : json.end();
  if (json.is_object() && errors != json.end() && errors->is_object()) {
    for (const auto& [field, messages] : errors->items()) {
      text += (text.empty() ? "" : "; ") + field;
      if (messages.is_array() && !messages.empty() && messages.front().is_string()) {
        text += ": " + messages.front().get<std::string>();
      }
    }
  }
  return text;
}

std::string principal(const Refused& refused) {
  const auto token = refused.login->token();
  const std::string who = token ? azure::principal_of(token->text.reveal()) : "";
  return who.empty() ? refused.login->description() : who;
}

Error forbidden(const Reply& reply, const Refused& refused) {
  Error error = refusal_of(reply, kName, detail_of(reply.json));
  error.kind = ErrorKind::auth;
  error.retry_after.reset();
  error.hint = "check, in this order: 1) " + principal(refused) +
               " has the role \"Artifact Signing Certificate Profile Signer\" on account " +
               printable(refused.account) + ", for ten minutes or longer; 2) " +
               printable(refused.endpoint) +
               " is the account's region (its accountUri); 3) the names of account " +
               printable(refused.account) + " and profile " + printable(refused.profile) +
               " are spelt as in the portal; 4) the profile is active and the identity validation "
               "completed; 5) the resource provider Microsoft.CodeSigning is registered and the "
               "subscription is a paid one; 6) no network rule of yours stands between";
  return error;
}

}  // namespace

bool is_inner_refusal(const Reply& reply) {
  return reply.status == 404 && detail_of(reply.json).find("403") != std::string::npos;
}

Error explain(const Reply& reply, const Refused& refused) {
  const std::string detail = detail_of(reply.json);
  if (reply.status == 403 || is_inner_refusal(reply)) {
    return forbidden(reply, refused);
  }
  Error error = refusal_of(reply, kName, detail);
  if (reply.status == 400) {
    error.kind = ErrorKind::config;
    error.hint = "if auth is auto, say which login to use; \"" + refused.login->description() +
                 "\" was used";
  } else if (reply.status == 401) {
    error.hint = "the token is not accepted; check tenant_id and authority";
  } else if (reply.status == 404) {
    error.kind = ErrorKind::config;
    error.hint = "account " + printable(refused.account) + " or profile " +
                 printable(refused.profile) + " is not at " + printable(refused.endpoint);
  }
  return error;
}

}  // namespace signctl::providers::trusted_signing
