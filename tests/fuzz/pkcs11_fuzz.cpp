// SPDX-License-Identifier: Apache-2.0
// What a PKCS#11 driver's process answers, what a config names a token by, and what a token holds.

#include "core/text.hpp"
#include "providers/pkcs11/message.hpp"
#include "providers/pkcs11/objects.hpp"
#include "providers/pkcs11/uri.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace signctl;                     // NOLINT(google-build-using-namespace): small program
using namespace signctl::providers::pkcs11;  // NOLINT(google-build-using-namespace): as above

/// What was read must be written as it was.
template <class Message>
void require_same(const Message& message, ByteView payload) {
  const Bytes frame = encode(message);
  const ByteView again = ByteView(frame).subspan(kFrameHeader);
  if (!std::equal(again.begin(), again.end(), payload.begin(), payload.end())) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const ByteView input(bytes, size);
  if (const auto request = decode_request(input)) {
    require_same(*request, input);
  }
  if (const auto reply = decode_reply(input)) {
    require_same(*reply, input);
    static_cast<void>(choose(reply->objects, {}, {}, TimePoint{}));
  }
  static_cast<void>(payload_size(input));
  static_cast<void>(parse_uri(as_text(input)));
  return 0;
}
