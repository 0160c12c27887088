// SPDX-License-Identifier: Apache-2.0
#include "fake/kms_wire.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <mutex>

namespace signctl::fake {
namespace {

struct GivenOut {
  std::mutex mutex;
  std::vector<std::string> secrets;
};

GivenOut& given_out() {
  static GivenOut instance;
  return instance;
}

std::string kept(std::string secret) {
  const std::lock_guard lock(given_out().mutex);
  given_out().secrets.push_back(secret);
  return secret;
}

std::string url_base64(ByteView bytes) {
  std::string text = to_base64(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

std::optional<Bytes> from_url_base64(std::string_view text) {
  std::string standard(text);
  if (standard.find_first_of("+/=") != std::string::npos) {
    return std::nullopt;
  }
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  standard.append((4 - standard.size() % 4) % 4, '=');
  return strict_base64(standard);
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      plain += ' ';
    } else if (text[i] == '%') {
      const auto octet = from_hex(text.substr(i + 1, 2));
      if (!octet || octet->size() != 1) {
        return std::nullopt;
      }
      plain += static_cast<char>(octet->front());
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

std::optional<Bytes> strict_base64(std::string_view text) {
  auto bytes = from_base64(text);
  return bytes && to_base64(*bytes) == text ? bytes : std::nullopt;
}

std::optional<std::map<std::string, std::string>> form_fields(std::string_view body) {
  std::map<std::string, std::string> fields;
  while (!body.empty()) {
    const std::string_view field = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(body.size(), field.size() + 1));
    const std::size_t equals = field.find('=');
    if (equals == field.npos) {
      return std::nullopt;
    }
    const auto name = percent_decoded(field.substr(0, equals));
    const auto value = percent_decoded(field.substr(equals + 1));
    if (!name || !value || !fields.emplace(*name, *value).second) {
      return std::nullopt;
    }
  }
  return fields;
}

std::string unknown_field(const Json& body, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : body.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return name;
    }
  }
  return {};
}

std::optional<Json> verified_claims(std::string_view jwt, const crypto::Certificate& signer) {
  const std::size_t first = jwt.find('.');
  const std::size_t second = first == jwt.npos ? jwt.npos : jwt.find('.', first + 1);
  if (second == jwt.npos) {
    return std::nullopt;
  }
  const auto header = from_url_base64(jwt.substr(0, first));
  const auto payload = from_url_base64(jwt.substr(first + 1, second - first - 1));
  const auto signature = from_url_base64(jwt.substr(second + 1));
  if (!header || !payload || !signature) {
    return std::nullopt;
  }
  const Json head = Json::parse(as_text(*header), nullptr, false);
  const Json claims = Json::parse(as_text(*payload), nullptr, false);
  const Bytes digest = crypto::hash(DigestAlg::sha256, as_bytes(jwt.substr(0, second)));
  const bool good = head.is_object() && head.value("alg", "") == "RS256" && claims.is_object() &&
                    crypto::verify_digest(signer, digest, DigestAlg::sha256, *signature);
  return good ? std::optional(claims) : std::nullopt;
}

std::string make_jwt(const Json& claims, const crypto::PrivateKey& key) {
  const Json header{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "fake"}};
  const std::string text =
      url_base64(as_bytes(header.dump())) + "." + url_base64(as_bytes(claims.dump()));
  const Bytes digest = crypto::hash(DigestAlg::sha256, as_bytes(text));
  return kept(text + "." + url_base64(test::must(key.sign_digest(digest, DigestAlg::sha256))));
}

std::string public_key_pem(const crypto::Certificate& certificate) {
  const std::string text = to_base64(crypto::public_key_of(certificate));
  std::string pem = "-----BEGIN PUBLIC KEY-----\n";
  for (std::size_t at = 0; at < text.size(); at += 64) {
    pem += text.substr(at, 64) + "\n";
  }
  return pem + "-----END PUBLIC KEY-----\n";
}

std::string random_text(std::string_view prefix) {
  return std::string(prefix) + to_hex(crypto::random_bytes(20));
}

std::string new_secret(std::string_view prefix) {
  return kept(random_text(prefix));
}

std::vector<std::string> secrets_given_out() {
  const std::lock_guard lock(given_out().mutex);
  return given_out().secrets;
}

}  // namespace signctl::fake
