// SPDX-License-Identifier: Apache-2.0
#include "session/wire.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::session {

namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 6> kAsked{
    "hello", "chain", "sign", "stamp", "status", "stop"};
constexpr std::array kKinds{ErrorKind::gate,
                            ErrorKind::usage,
                            ErrorKind::config,
                            ErrorKind::input,
                            ErrorKind::unsupported,
                            ErrorKind::auth,
                            ErrorKind::provider,
                            ErrorKind::timestamp,
                            ErrorKind::network,
                            ErrorKind::guard,
                            ErrorKind::output,
                            ErrorKind::internal,
                            ErrorKind::interrupted};

Error garbled() {
  return {ErrorKind::input,
          "the other side of a signing session said something that has no meaning"};
}

Bytes to_bytes(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return {text.begin(), text.end()};
}

/// Reads members without ever throwing: the first that is not as it should be makes all of it bad.
class Members {
 public:
  explicit Members(ByteView message) : json_(Json::parse(as_text(message), nullptr, false)) {
    good_ = json_.is_object();
  }
  Members(const Json& json, bool good) : json_(json), good_(good && json.is_object()) {}

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool has(const char* name) const { return good_ && json_.contains(name); }

  std::string text(const char* name) {
    const Json* member = find(name);
    if (member == nullptr || !member->is_string()) {
      good_ = false;
      return {};
    }
    return member->get<std::string>();
  }
  std::int64_t number(const char* name) {
    const Json* member = find(name);
    if (member == nullptr || !member->is_number_integer()) {
      good_ = false;
      return 0;
    }
    return member->get<std::int64_t>();
  }
  Bytes bytes(const char* name) { return decoded(text(name)); }
  std::vector<Bytes> list(const char* name) {
    std::vector<Bytes> items;
    const Json* member = find(name);
    if (member == nullptr || !member->is_array()) {
      good_ = false;
      return items;
    }
    for (const Json& item : *member) {
      good_ = good_ && item.is_string();
      items.push_back(good_ ? decoded(item.get<std::string>()) : Bytes{});
    }
    return items;
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> items;
    const Json* member = find(name);
    if (member == nullptr || !member->is_array()) {
      good_ = false;
      return items;
    }
    for (const Json& item : *member) {
      good_ = good_ && item.is_string();
      items.push_back(good_ ? item.get<std::string>() : "");
    }
    return items;
  }
  Members inner(const char* name) {
    const Json* member = find(name);
    good_ = good_ && member != nullptr && member->is_object();
    return {good_ ? *member : Json::object(), good_};
  }
  DigestAlg alg(const char* name) {
    const auto found = find_digest_alg(text(name));
    good_ = good_ && found.has_value();
    return found.value_or(DigestAlg::sha256);
  }
  void require(bool condition) { good_ = good_ && condition; }

 private:
  const Json* find(const char* name) {
    if (!good_) {
      return nullptr;
    }
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  Bytes decoded(const std::string& text) {
    auto bytes = from_base64(text);
    good_ = good_ && bytes.has_value();
    return bytes.value_or(Bytes{});
  }

  Json json_;
  bool good_{};
};

Json to_json(const Error& error) {
  Json json{{"kind", static_cast<int>(error.kind)},
            {"message", error.message},
            {"hint", error.hint},
            {"trail", error.trail}};
  if (error.retry_after) {
    json["retry_after_ms"] = error.retry_after->count();
  }
  if (error.may_be_done) {
    json["may_be_done"] = 1;
  }
  return json;
}

Error read_error(Members& members) {
  Error error;
  const auto kind = static_cast<std::size_t>(members.number("kind"));
  const auto known = std::find_if(kKinds.begin(), kKinds.end(), [&](ErrorKind one) {
    return static_cast<std::size_t>(one) == kind;
  });
  members.require(known != kKinds.end());
  error.kind = known == kKinds.end() ? ErrorKind::internal : *known;
  error.message = members.text("message");
  error.hint = members.text("hint");
  error.trail = members.texts("trail");
  if (members.has("retry_after_ms")) {
    error.retry_after = std::chrono::milliseconds(members.number("retry_after_ms"));
  }
  error.may_be_done = members.has("may_be_done");
  return error;
}

}  // namespace

Bytes encode(const Welcome& welcome) {
  return to_bytes({{"protocol", welcome.protocol},
                   {"version", welcome.version},
                   {"salt", to_base64(welcome.salt)}});
}

Bytes encode(const Question& question) {
  Json json{{"asked", kAsked[static_cast<std::size_t>(question.asked)]}};
  if (question.asked == Asked::hello) {
    json["key"] = to_base64(question.key);
  } else if (question.asked == Asked::sign) {
    json["digest"] = to_base64(question.digest);
    json["alg"] = digest_name(question.alg);
    if (question.file_sha256 && question.content_digest) {
      json["file_sha256"] = to_base64(*question.file_sha256);
      json["content_digest"] = to_base64(*question.content_digest);
    }
  } else if (question.asked == Asked::stamp) {
    json["signature"] = to_base64(question.stamp.signature);
    json["alg"] = digest_name(question.stamp.alg);
    json["policy"] = question.stamp.policy;
  }
  return to_bytes(json);
}

Bytes encode(const Answer& answer) {
  if (answer.error) {
    return to_bytes({{"error", to_json(*answer.error)}});
  }
  Json json{{"chain", Json::array()},
            {"signature", to_base64(answer.signature)},
            {"token", to_base64(answer.stamp.token)},
            {"source", answer.stamp.source},
            {"attempts", answer.stamp.attempts},
            {"status",
             {{"signer", answer.status.signer},
              {"provider", answer.status.provider},
              {"subject", answer.status.subject},
              {"process", answer.status.process},
              {"signatures", answer.status.signatures},
              {"stamps", answer.status.stamps},
              {"most_signatures", answer.status.most_signatures},
              {"seconds_left", answer.status.seconds_left}}}};
  for (const Bytes& certificate : answer.chain) {
    json["chain"].push_back(to_base64(certificate));
  }
  return to_bytes(json);
}

Result<Welcome> decode_welcome(ByteView message) {
  constexpr std::size_t kSaltBytes = 32;
  Members members(message);
  Welcome welcome;
  welcome.protocol = static_cast<int>(members.number("protocol"));
  welcome.version = members.text("version");
  welcome.salt = members.bytes("salt");
  members.require(welcome.salt.size() == kSaltBytes);
  return members.good() ? Result<Welcome>(std::move(welcome)) : garbled();
}

Result<Question> decode_question(ByteView message) {
  constexpr std::size_t kKeyBytes = 32;
  Members members(message);
  Question question;
  const std::string asked = members.text("asked");
  const auto known = std::find(kAsked.begin(), kAsked.end(), asked);
  if (!members.good() || known == kAsked.end()) {
    return garbled();
  }
  question.asked = static_cast<Asked>(known - kAsked.begin());
  if (question.asked == Asked::hello) {
    question.key = members.bytes("key");
    members.require(question.key.size() == kKeyBytes);
  } else if (question.asked == Asked::sign) {
    question.digest = members.bytes("digest");
    question.alg = members.alg("alg");
    members.require(question.digest.size() == digest_size(question.alg));
    if (members.has("file_sha256") || members.has("content_digest")) {
      question.file_sha256 = members.bytes("file_sha256");
      question.content_digest = members.bytes("content_digest");
      members.require(question.file_sha256->size() == digest_size(DigestAlg::sha256));
    }
  } else if (question.asked == Asked::stamp) {
    question.stamp.signature = members.bytes("signature");
    question.stamp.alg = members.alg("alg");
    question.stamp.policy = members.text("policy");
  }
  return members.good() ? Result<Question>(std::move(question)) : garbled();
}

Result<Answer> decode_answer(ByteView message) {
  Members members(message);
  Answer answer;
  if (members.has("error")) {
    Members inner = members.inner("error");
    answer.error = read_error(inner);
    return inner.good() ? Result<Answer>(std::move(answer)) : garbled();
  }
  answer.chain = members.list("chain");
  answer.signature = members.bytes("signature");
  answer.stamp.token = members.bytes("token");
  answer.stamp.source = members.text("source");
  answer.stamp.attempts = static_cast<int>(members.number("attempts"));
  Members status = members.inner("status");
  answer.status.signer = status.text("signer");
  answer.status.provider = status.text("provider");
  answer.status.subject = status.text("subject");
  answer.status.process = status.number("process");
  answer.status.signatures = static_cast<std::size_t>(status.number("signatures"));
  answer.status.stamps = static_cast<std::size_t>(status.number("stamps"));
  answer.status.most_signatures = static_cast<std::size_t>(status.number("most_signatures"));
  answer.status.seconds_left = status.number("seconds_left");
  return members.good() && status.good() ? Result<Answer>(std::move(answer)) : garbled();
}

}  // namespace signctl::session
