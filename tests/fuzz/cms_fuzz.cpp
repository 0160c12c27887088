// SPDX-License-Identifier: Apache-2.0
// Everything in src/cms that is shown bytes of a stranger.

#include "cms/authenticode.hpp"
#include "cms/countersignature.hpp"
#include "cms/signed_data.hpp"
#include "cms/timestamp_token.hpp"
#include "crypto/oids.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace {

using namespace signctl;  // NOLINT(google-build-using-namespace): one small program

/// A result that only has to be reached.
template <class T>
void touch(T&& result) {
  static_cast<void>(std::forward<T>(result));
}

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void judge(const cms::SignedData& data) {
  for (const auto& signer : data.signers) {
    touch(check_signer(data, signer, cms::Flavour::authenticode));
    touch(check_signer(data, signer, cms::Flavour::timestamp_token));
    for (const auto& attribute : signer.unsigned_attributes) {
      for (const auto& value : attribute.values) {
        touch(cms::check_countersignature(data, signer, value));
        touch(cms::parse_signed_data(value));
        touch(cms::parse_timestamp_token(value));
      }
    }
  }
}

/// Editing must come out as a signature that parses, and undo must give the bytes back.
void edit(const cms::SignedData& data) {
  constexpr std::string_view kUnused = "2.25.1";
  const auto edited = cms::with_unsigned_attribute(data.der, kUnused, {Bytes{0x05, 0x00}});
  const auto& signer = data.signers.front();
  if (edited && signer.unsigned_attributes.size() < 64 && signer.find_unsigned(kUnused).empty()) {
    require(cms::parse_signed_data(*edited).has_value());
    const auto undone = cms::with_unsigned_attribute(*edited, kUnused, {});
    require(undone.has_value());
    // An empty [1] is not written again.
    require(*undone == data.der || signer.unsigned_attributes.empty());
  }
  touch(cms::with_nested_signature(data.der, data.der));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const ByteView input(bytes, size);
  if (const auto data = cms::parse_signed_data(input)) {
    judge(*data);
    edit(*data);
    touch(cms::parse_indirect_data(data->content));
  }
  if (const auto token = cms::parse_timestamp_token(input)) {
    touch(cms::check_timestamp_token(*token, input));
  }
  touch(cms::parse_timestamp_response(input));
  if (const auto indirect = cms::parse_indirect_data(input)) {
    require(indirect->digest.size() == digest_size(indirect->alg));
  }
  touch(cms::parse_opus_info(input));
  touch(cms::parse_signer_info(input));
  return 0;
}
