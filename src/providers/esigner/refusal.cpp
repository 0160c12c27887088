// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/refusal.hpp"

#include "core/text.hpp"

#include <array>
#include <string_view>

namespace signctl::providers::esigner {
namespace {

constexpr const char* kName = "SSL.com eSigner";

/// A part of the service's description, in lower case, and what it says to us. The first that fits
/// is taken.
struct Meaning {
  std::string_view part;
  Cause cause;
  ErrorKind kind;
  std::string_view hint;
};

constexpr std::array kMeanings{
    Meaning{"needs to be scanned",
            Cause::unscanned,
            ErrorKind::provider,
            "the account has SSL.com's malware blocker switched on, and it knows nothing of the "
            "file"},
    Meaning{"malware",
            Cause::other,
            ErrorKind::provider,
            "SSL.com's malware blocker stopped the file; ask SSL.com if that is a mistake"},
    Meaning{"otp",
            Cause::otp,
            ErrorKind::auth,
            "check that totp_secret is this credential's, that totp_format is right, and the "
            "clock"},
    Meaning{"pin",
            Cause::other,
            ErrorKind::auth,
            "check pin; it is not tried again, because a few wrong ones lock it"},
    Meaning{"not authorized by the sad", Cause::other, ErrorKind::internal, ""},
    Meaning{"sad", Cause::sad, ErrorKind::provider, "run this again"},
    Meaning{"credentialid",
            Cause::other,
            ErrorKind::config,
            "check credential_id; signctl doctor without it lists those there are"},
    Meaning{"expired",
            Cause::other,
            ErrorKind::config,
            "renew the certificate at SSL.com, then run signctl doctor"},
    Meaning{"hashalgo", Cause::other, ErrorKind::unsupported, "set digest to sha256"},
    Meaning{"signalgo", Cause::other, ErrorKind::unsupported, "set digest to sha256"},
    Meaning{"number of signatures",
            Cause::other,
            ErrorKind::config,
            "lower max_parallel: that many signatures were asked for at a time"},
    Meaning{"numbers of signatures",
            Cause::other,
            ErrorKind::config,
            "lower max_parallel: that many signatures were asked for at a time"},
    Meaning{"quota",
            Cause::other,
            ErrorKind::provider,
            "the subscription's signatures are used up; see the account at SSL.com"},
    Meaning{"subscription",
            Cause::other,
            ErrorKind::provider,
            "see the state of the eSigner subscription at SSL.com"},
    Meaning{"limit",
            Cause::other,
            ErrorKind::provider,
            "the subscription's signatures are used up; see the account at SSL.com"},
};

bool is_letter(char letter) {
  return letter >= 'a' && letter <= 'z';
}

/// Whether `text` has `part` at the beginning of a word; abbreviations must be the whole word.
bool mentions(std::string_view text, std::string_view part) {
  constexpr std::size_t kAbbreviation = 3;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    const bool begins = at == 0 || !is_letter(text[at - 1]);
    const bool ends = part.size() > kAbbreviation || end == text.size() || !is_letter(text[end]);
    if (begins && ends) {
      return true;
    }
  }
  return false;
}

const Meaning* meaning_of(const std::string& description) {
  const std::string text = to_lower(description);
  for (const Meaning& meaning : kMeanings) {
    if (mentions(text, meaning.part)) {
      return &meaning;
    }
  }
  return nullptr;
}

/// The service's own words. Hashes and ids are in them, secrets never.
std::string description_of(const Json& json) {
  const std::string code = text_at(json, {"error"});
  std::string text = text_at(json, {"error_description"});
  if (text.empty()) {
    text = text_at(json, {"message"});
  }
  return text.empty() ? code : text;
}

}  // namespace

Refusal read_refusal(const Reply& reply, const std::string& environment) {
  const std::string description = description_of(reply.json);
  const std::string code = text_at(reply.json, {"error"});
  Refusal refusal{refusal_of(reply, kName, description)};
  // Trouble and throttling pass, whatever a gateway writes about them.
  if (is_transient(refusal.error.kind)) {
    return refusal;
  }
  const Meaning* meaning = meaning_of(code == "invalid_otp" ? "otp" : description);
  if (code == "invalid_token" || (reply.status == 401 && meaning == nullptr)) {
    refusal.cause = Cause::token;
    refusal.error.kind = ErrorKind::auth;
    refusal.error.hint =
        "the login is not taken by " + environment + "; check environment, endpoint and login_url";
  } else if (meaning != nullptr) {
    refusal.cause = meaning->cause;
    refusal.error.kind = meaning->kind;
    refusal.error.hint = meaning->hint;
  } else if (reply.status == 404) {
    refusal.error.kind = ErrorKind::config;
    refusal.error.hint = "check endpoint";
  }
  return refusal;
}

}  // namespace signctl::providers::esigner
