// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/error.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/timestamper.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What a client and a session say to each other: JSON documents, each behind its length (4 octets,
// big-endian). The session speaks first (Welcome); then one question, one answer.
namespace signctl::session {

inline constexpr int kProtocol = 1;
inline constexpr std::size_t kLongestMessage = std::size_t{1} << 20U;

/// The first words of a session.
struct Welcome {
  int protocol{};
  std::string version;  ///< Of signctl.
  Bytes salt;           ///< 32 octets: the client's key is made with it.
};

enum class Asked { hello, chain, sign, stamp, status, stop };

struct Question {
  Asked asked{Asked::hello};
  Bytes key;     ///< hello: HMAC-SHA256 under the salt of what the client would sign with.
  Bytes digest;  ///< sign: raw.
  DigestAlg alg{DigestAlg::sha256};
  std::optional<Bytes> file_sha256;     ///< sign: of the whole file, if the client announces one.
  std::optional<Bytes> content_digest;  ///< sign
  StampRequest stamp;                   ///< stamp
};

/// What a session tells of itself.
struct Status {
  std::string signer;
  std::string provider;
  std::string subject;  ///< Of the certificate, as far as it is known.
  std::int64_t process{};
  std::size_t signatures{};
  std::size_t stamps{};
  std::size_t most_signatures{};  ///< 0: no limit.
  std::int64_t seconds_left{};    ///< Until it ends if nobody asks.
};

/// An answer is an error or what was asked for.
struct Answer {
  std::optional<Error> error;
  std::vector<Bytes> chain;
  Bytes signature;
  Stamp stamp;
  Status status;
};

[[nodiscard]] Bytes encode(const Welcome& welcome);
[[nodiscard]] Bytes encode(const Question& question);
[[nodiscard]] Bytes encode(const Answer& answer);

/// @errors `input` for what the other side cannot have meant.
Result<Welcome> decode_welcome(ByteView message);
Result<Question> decode_question(ByteView message);
Result<Answer> decode_answer(ByteView message);

}  // namespace signctl::session
