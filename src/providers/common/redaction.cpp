// SPDX-License-Identifier: Apache-2.0
#include "providers/common/redaction.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace signctl::providers {

namespace {

constexpr std::string_view kInstead = "[secret]";
/// What is shorter is hidden where it stands for itself: it could be a part of any word.
constexpr std::size_t kShortest = 8;
/// Of PINs and passwords, which people choose. Less would hide the numbers of statuses.
constexpr std::size_t kShortestChosen = 4;

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

/// Whether a field that names_secret() holds what people choose or type.
bool names_chosen(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower == "pin" || lower == "otp" || lower == "totp" ||
         lower.find("password") != lower.npos || lower.find("passphrase") != lower.npos;
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
  void add(std::string_view text, std::size_t shortest = kShortest) {
    if (text.size() >= shortest) {
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
      add(text.substr(std::min(text.find(':'), text.size() - 1) + 1), kShortestChosen);
    }
  }

  /// application/x-www-form-urlencoded, as in bodies and queries.
  void add_form(std::string_view text) {
    while (!text.empty()) {
      const std::string_view field = text.substr(0, text.find('&'));
      text.remove_prefix(std::min(text.size(), field.size() + 1));
      const std::size_t equals = field.find('=');
      const std::string_view name = field.substr(0, equals);
      if (equals != field.npos && names_secret(name)) {
        add(field.substr(equals + 1), shortest_of(name));
        add(percent_decode(field.substr(equals + 1)), shortest_of(name));
      }
    }
  }

  /// @param shortest  Of the texts to keep; empty when `json` is in no secret field.
  void add_json(const Json& json, std::optional<std::size_t> shortest) {
    if (json.is_string() && shortest) {
      add(json.get_ref<const std::string&>(), *shortest);
    } else if (json.is_object()) {
      for (const auto& [name, value] : json.items()) {
        add_json(value, names_secret(name) ? shortest_of(name) : shortest);
      }
    } else if (json.is_array()) {
      for (const Json& value : json) {
        add_json(value, shortest);
      }
    }
  }

  /// The longest first: a part of it that went before would leave the rest to be read.
  std::vector<Secret> take() && {
    add_spellings();
    std::stable_sort(found_.begin(), found_.end(), [](const Secret& a, const Secret& b) {
      return a.reveal().size() > b.reveal().size();
    });
    return std::move(found_);
  }

 private:
  static std::size_t shortest_of(std::string_view name) {
    return names_chosen(name) ? kShortestChosen : kShortest;
  }

  /// As services and gateways may write what they repeat.
  void add_spellings() {
    for (std::size_t i = 0, count = found_.size(); i < count; ++i) {
      const std::string plain(found_[i].reveal());
      if (plain.size() >= kShortest) {
        const std::string base64 = to_base64(as_bytes(plain));
        add(base64);
        add(std::string_view(base64).substr(0, base64.find('=')));
        add(to_base64url(as_bytes(plain)));
        add(percent_encode(plain));
      }
    }
  }

  std::vector<Secret> found_;
};

bool is_letter_or_digit(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0;
}

bool is_whole_word(std::string_view text, std::size_t at, std::size_t size) {
  return (at == 0 || !is_letter_or_digit(text[at - 1])) &&
         (at + size == text.size() || !is_letter_or_digit(text[at + size]));
}

/// Where `wanted` is in `text` from `from` on, in capitals or not.
std::size_t find_spelled(std::string_view text, std::string_view wanted, std::size_t from) {
  const auto same = [](char one, char other) {
    return std::tolower(static_cast<unsigned char>(one)) ==
           std::tolower(static_cast<unsigned char>(other));
  };
  const auto begin = text.begin() + static_cast<std::ptrdiff_t>(from);
  const auto found = std::search(begin, text.end(), wanted.begin(), wanted.end(), same);
  return found == text.end() ? text.npos : static_cast<std::size_t>(found - text.begin());
}

void hide(std::string_view wanted, std::string& text) {
  for (std::size_t at = find_spelled(text, wanted, 0); at != text.npos;) {
    std::size_t next = at + 1;
    if (wanted.size() >= kShortest || is_whole_word(text, at, wanted.size())) {
      text.replace(at, wanted.size(), kInstead);
      next = at + kInstead.size();
    }
    at = find_spelled(text, wanted, next);
  }
}

/// @param shortest  Of the secrets to hide.
void hide(const std::vector<Secret>& secrets, std::string& text, std::size_t shortest) {
  for (const Secret& secret : secrets) {
    if (secret.reveal().size() >= shortest) {
      hide(secret.reveal(), text);
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
      hide(secrets, text, handed_over ? kShortest : kShortestChosen);
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
    collector.add_json(body, std::nullopt);
  }
  return std::move(collector).take();
}

void hide_secrets(const std::vector<Secret>& secrets, Reply& reply) {
  for (auto& [name, value] : reply.headers) {
    hide(secrets, value, reply.ok() ? kShortest : kShortestChosen);
  }
  hide_in(secrets, reply.json, reply.ok());
  if (!reply.ok()) {
    hide(secrets, reply.text, kShortestChosen);
  }
}

}  // namespace signctl::providers
