// SPDX-License-Identifier: Apache-2.0
#include "engine/signature_cache.hpp"

#include "cms/signed_data.hpp"
#include "core/atomic_file.hpp"
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"

#include <filesystem>

namespace signctl::engine {

namespace {

constexpr std::size_t kLargestSignature = std::size_t{16} << 20U;

}  // namespace

Result<SignatureCache> SignatureCache::open(const std::string& folder_utf8) {
  std::error_code code;
  std::filesystem::create_directories(to_path(folder_utf8), code);
  if (code) {
    return Error{
        ErrorKind::output,
        "the cache folder " + printable(folder_utf8) + " cannot be created: " + code.message()};
  }
  return SignatureCache(folder_utf8);
}

std::string SignatureCache::path_of(const SignatureKey& key, bool timestamped) const {
  const std::string text = key.text() + (timestamped ? " timestamped" : " bare");
  const std::string name = to_hex(crypto::hash(DigestAlg::sha256, as_bytes(text)));
  return to_utf8(to_path(folder_) / (name + ".p7s"));
}

std::optional<Bytes> SignatureCache::find(const SignatureKey& key, bool timestamped) const {
  std::error_code ignored;
  const std::string path = path_of(key, timestamped);
  if (!std::filesystem::exists(to_path(path), ignored)) {
    return std::nullopt;
  }
  auto bytes = read_file(path, kLargestSignature);
  return bytes ? std::optional(std::move(*bytes)) : std::nullopt;
}

Result<void> SignatureCache::add(const SignatureKey& key, bool timestamped, ByteView cms) const {
  return write_file(path_of(key, timestamped), cms, Existing::replace);
}

void SignatureCache::remove(const SignatureKey& key) const {
  std::error_code ignored;
  std::filesystem::remove(to_path(path_of(key, true)), ignored);
  std::filesystem::remove(to_path(path_of(key, false)), ignored);
}

bool is_signature_of(ByteView cms, const UnsignedSignature& wanted) {
  const auto data = cms::parse_signed_data(cms);
  if (!data || data->signers.size() != 1) {
    return false;
  }
  const cms::SignerInfo& signer = data->signers.front();
  // The attributes hold the content's digest, and the content that of the file.
  if (signer.signed_attributes_set != wanted.attributes_set ||
      signer.digest_alg != wanted.content.alg) {
    return false;
  }
  const auto leaf = cms::find_signer_certificate(*data, signer);
  return leaf &&
         crypto::verify_digest(*leaf, wanted.to_be_signed, wanted.content.alg, signer.signature);
}

}  // namespace signctl::engine
