// SPDX-License-Identifier: Apache-2.0
#include "providers/common/redaction.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace signctl::providers {

namespace {

constexpr std::string_view kInstead = "[secret]";
constexpr std::size_t kShortest = 8;

/// Whatever is not here is taken for a credential, so that a new provider need not say what is.
constexpr std::array<std::string_view, 16> kHarmlessHeaders{"accept",
                                                            "content-length",
                                                            "content-type",
                                                            "host",
                                                            "metadata",
                                                            "metadata-flavor",
                                                            "x-amz-content-sha256",
                                                            "x-amz-date",
                                                            "x-amz-target",
                                                            "x-aws-ec2-metadata-token-ttl-seconds",
                                                            "x-correlation-id",
                                                            "x-keyfactor-requested-with",
                                                            "x-ms-version",
                                                            "x-tfs-fedauthredirect",
                                                            "x-vault-namespace",
                                                            "x-vault-request"};

template <class Range>
bool holds(const Range& range, std::string_view wanted) {
  return std::find(std::begin(range), std::end(range), wanted) != std::end(range);
}

/// Whether a field of a body or query carries a secret, by its name: client_secret, secret_id,
/// subjectToken, WebIdentityToken, client_assertion, iam_request_headers, SAD and the like. What
/// ends in "type" only says what another field holds.
bool names_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kParts{
      "secret", "password", "passphrase", "token", "assertion", "headers", "api_key"};
  static constexpr std::array<std::string_view, 5> kWhole{"pin", "otp", "totp", "jwt", "sad"};
  const std::string lower = to_lower(name);
  return !lower.ends_with("type") &&
         (holds(kWhole, lower) ||
          std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
            return lower.find(part) != lower.npos;
          }));
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = text[i] == '%' ? from_hex(text.substr(i + 1, 2)) : std::optional<Bytes>();
    if (octet && octet->size() == 1) {
      decoded.push_back(static_cast<char>(octet->front()));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

class Collector {
 public:
  void add(std::string_view text) {
    if (text.size() >= kShortest) {
      found_.emplace_back(std::string(text));
    }
  }

  /// "SCHEME credentials" (RFC 9110, 11.4), of which the second half alone may be repeated, decoded
  /// perhaps.
  void add_header(std::string_view value) {
    add(value);
    const std::size_t blank = value.find(' ');
    if (blank == value.npos) {
      return;
    }
    const std::string_view scheme = value.substr(0, blank);
    add(value.substr(blank + 1));
    add(value.substr(value.rfind(' ') + 1));
    const std::size_t signature = value.find("Signature=");
    if (signature != value.npos) {
      add(value.substr(signature + std::string_view("Signature=").size()));
    }
    const auto pair =
        to_lower(scheme) == "basic" ? from_any_base64(value.substr(blank + 1)) : std::nullopt;
    if (pair) {
      const std::string_view text = as_text(*pair);
      add(text);
      add(text.substr(std::min(text.find(':'), text.size() - 1) + 1));
    }
  }

  /// application/x-www-form-urlencoded, as in bodies and queries.
  void add_form(std::string_view text) {
    while (!text.empty()) {
      const std::string_view field = text.substr(0, text.find('&'));
      text.remove_prefix(std::min(text.size(), field.size() + 1));
      const std::size_t equals = field.find('=');
      if (equals != field.npos && names_secret(field.substr(0, equals))) {
        add(field.substr(equals + 1));
        add(percent_decode(field.substr(equals + 1)));
      }
    }
  }

  void add_json(const Json& json, bool secret) {
    if (json.is_string() && secret) {
      add(json.get_ref<const std::string&>());
    } else if (json.is_object()) {
      for (const auto& [name, value] : json.items()) {
        add_json(value, secret || names_secret(name));
      }
    } else if (json.is_array()) {
      for (const Json& value : json) {
        add_json(value, secret);
      }
    }
  }

  /// The longest first: a part of it that went before would leave the rest to be read.
  std::vector<Secret> take() && {
    std::stable_sort(found_.begin(), found_.end(), [](const Secret& a, const Secret& b) {
      return a.reveal().size() > b.reveal().size();
    });
    return std::move(found_);
  }

 private:
  std::vector<Secret> found_;
};

void hide(const std::vector<Secret>& secrets, std::string& text) {
  for (const Secret& secret : secrets) {
    const std::string_view wanted = secret.reveal();
    for (std::size_t at = text.find(wanted); at != text.npos;
         at = text.find(wanted, at + kInstead.size())) {
      text.replace(at, wanted.size(), kInstead);
    }
  }
}

bool is_one_of(const std::vector<Secret>& secrets, std::string_view text) {
  return std::any_of(secrets.begin(), secrets.end(), [&](const Secret& secret) {
    return secret.reveal() == text;
  });
}

void hide_in(const std::vector<Secret>& secrets, Json& json, bool handed_over) {
  if (json.is_string()) {
    auto& text = json.get_ref<std::string&>();
    if (!handed_over || !is_one_of(secrets, text)) {
      hide(secrets, text);
    }
  } else if (json.is_structured()) {
    for (Json& value : json) {
      hide_in(secrets, value, handed_over);
    }
  }
}

}  // namespace

std::vector<Secret> secrets_of(const HttpRequest& request) {
  Collector collector;
  for (const auto& [name, value] : request.headers) {
    if (!holds(kHarmlessHeaders, to_lower(name))) {
      collector.add_header(value);
    }
  }
  const std::size_t query = request.url.find('?');
  if (query != request.url.npos) {
    collector.add_form(std::string_view(request.url).substr(query + 1));
  }
  const Json body = parse_json(as_text(request.body));
  if (body.is_discarded()) {
    collector.add_form(as_text(request.body));
  } else {
    collector.add_json(body, false);
  }
  return std::move(collector).take();
}

void hide_secrets(const std::vector<Secret>& secrets, Reply& reply) {
  for (auto& [name, value] : reply.headers) {
    hide(secrets, value);
  }
  hide_in(secrets, reply.json, reply.ok());
  if (!reply.ok()) {
    hide(secrets, reply.text);
  }
}

}  // namespace signctl::providers
