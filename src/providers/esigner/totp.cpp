// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/totp.hpp"

#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "providers/common/rest.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::providers::esigner {
namespace {

constexpr std::int64_t kStep = 30;
/// Both clocks tell whole seconds, so a step's first and last ones may be the neighbour's.
constexpr std::int64_t kTooEarly = 1;
constexpr std::int64_t kTooLate = 28;
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// RFC 4226, 4 (R6): anything shorter is a code or a password pasted here by mistake.
constexpr std::size_t kShortestKey = 10;

/// RFC 4648, 6; padding and blanks aside, in either case.
std::optional<Bytes> from_base32(std::string_view text) {
  Bytes bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char letter : text) {
    const char upper = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
    if (letter == '=' || letter == ' ' || letter == '-') {
      continue;
    }
    const std::size_t value = kBase32.find(upper);
    if (value == kBase32.npos) {
      return std::nullopt;
    }
    bits = (bits << 5U | static_cast<std::uint32_t>(value)) & 0xFFFU;
    count += 5;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> count & 0xFFU));
    }
  }
  return bytes;
}

/// Authenticator apps show base32: capitals and 2 to 7, in 52 characters or a multiple of 8. A
/// base64 secret of 44 characters is that by accident as good as never.
bool looks_like_base32(std::string_view text) {
  const std::string_view letters = text.substr(0, text.find('='));
  constexpr std::size_t kUsualLength = 52;
  const bool has_length =
      text.size() % 8 == 0 || letters.size() % 8 == 0 || letters.size() == kUsualLength;
  return has_length && letters.find_first_not_of(kBase32) == letters.npos;
}

}  // namespace

Result<Secret> decode_totp_secret(const Secret& text, std::string_view format) {
  constexpr std::array<std::string_view, 4> kFormats{"", "auto", "base64", "base32"};
  if (std::find(kFormats.begin(), kFormats.end(), format) == kFormats.end()) {
    return Error{ErrorKind::config,
                 "esigner: \"totp_format\" is neither base64 nor base32",
                 "leave it out to have it guessed"};
  }
  const std::string_view spelt = text.reveal();
  const bool guess = format.empty() || format == "auto";
  const bool base32 = format == "base32" || (guess && looks_like_base32(spelt));
  const auto key = base32 ? from_base32(spelt) : from_any_base64(spelt);
  if (!key || key->size() < kShortestKey) {
    return Error{ErrorKind::auth,
                 "esigner: \"totp_secret\" is no base64 or base32 of a secret",
                 "it is what SSL.com shows once at enrolment, some 44 characters, not a six-digit "
                 "code; totp_format says which of the two it is"};
  }
  return Secret(std::string(as_text(*key)));
}

std::uint64_t totp_step(TimePoint time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.time_since_epoch().count(), 0) /
                                    kStep);
}

std::string totp_code(const Secret& key, std::uint64_t step) {
  std::array<std::uint8_t, 8> message{};
  for (std::size_t i = 0; i < message.size(); ++i) {
    message[message.size() - 1 - i] = static_cast<std::uint8_t>(step >> 8 * i & 0xFFU);
  }
  const Bytes mac = crypto::hmac(DigestAlg::sha1, as_bytes(key.reveal()), message);
  // Dynamic truncation (RFC 4226, 5.3).
  const std::size_t offset = mac.back() & 0xFU;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number = number << 8U | mac[offset + i];
  }
  constexpr std::uint32_t kSixDigits = 1'000'000;
  std::string code = std::to_string((number & 0x7FFFFFFFU) % kSixDigits);
  return std::string(6 - code.size(), '0') + code;
}

std::string OneTimePasswords::next(std::chrono::seconds ahead) {
  for (;;) {
    const TimePoint now = clock_.now() + ahead;
    const std::int64_t into = now.time_since_epoch().count() % kStep;
    const std::uint64_t step = totp_step(now);
    const bool is_used = last_ && step <= *last_;
    if (!is_used && into >= kTooEarly && into < kTooLate) {
      last_ = step;
      return totp_code(key_, step);
    }
    // A clock that was set back waits until the last step is over, a step at a time.
    const std::int64_t wait =
        into < kTooEarly && !is_used ? kTooEarly - into : kStep - into + kTooEarly;
    log_verbose("esigner: waiting " + std::to_string(wait) + " s for the next one-time password");
    clock_.sleep_for(std::chrono::seconds(wait));
  }
}

}  // namespace signctl::providers::esigner
