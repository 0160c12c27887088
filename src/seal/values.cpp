// SPDX-License-Identifier: Apache-2.0
#include "seal/values.hpp"

#include "core/block_reader.hpp"
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/real_name.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/common/zip_archive.hpp"
#include "formats/common/zip_inflate.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace signctl::seal {

void Bodies::put(const std::string& real, const std::string& text) {
  future_[real] = std::make_shared<MemorySource>(Bytes(text.begin(), text.end()));
}

Result<std::shared_ptr<const ByteSource>> Bodies::open(const std::string& path) const {
  const auto future = future_.find(real_name(to_path(path)));
  if (future != future_.end()) {
    return future->second;
  }
  SIGNCTL_TRY(std::shared_ptr<const ByteSource> file, FileSource::open(path), "");
  return file;
}

Result<Bytes> Bodies::digest(const std::string& path, DigestAlg alg) {
  constexpr std::array kAlgs{
      DigestAlg::md5, DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512};
  const std::pair key(real_name(to_path(path)), alg);
  if (const auto known = digests_.find(key); known != digests_.end()) {
    return known->second;
  }
  SIGNCTL_TRY(const auto source, open(path), "");
  std::vector<std::pair<DigestAlg, crypto::Hasher>> hashers;
  for (const DigestAlg one : kAlgs) {
    if (one == alg || wanted_.contains(one)) {
      hashers.emplace_back(one, crypto::Hasher(one));
    }
  }
  SIGNCTL_CHECK(for_each_block(*source, 0, source->size(), {[&](std::uint64_t, ByteView block) {
                  for (auto& [name, hasher] : hashers) {
                    hasher.update(block);
                  }
                  return true;
                }}),
                "reading " + printable(path));
  for (auto& [one, hasher] : hashers) {
    digests_[{key.first, one}] = hasher.finish();
  }
  return digests_[key];
}

namespace {

constexpr std::uint64_t kLargestSignature = 16U << 20U;

Result<Bytes> signature_part_digest(const Bodies& bodies, const std::string& path) {
  SIGNCTL_TRY(const auto source, bodies.open(path), "");
  SIGNCTL_TRY(const zip::Archive archive,
              zip::read_archive(*source, zip::Strictness::package),
              "reading " + printable(path));
  const auto part = archive.find("AppxSignature.p7x");
  if (!part) {
    return Error{ErrorKind::input,
                 printable(path) + " has no AppxSignature.p7x, and a SignatureSha256 is asked for",
                 "sign the package first"};
  }
  SIGNCTL_TRY(const Bytes bytes,
              zip::unpack_small(*source, archive.entries[*part], kLargestSignature),
              "reading " + printable(path));
  return crypto::hash(DigestAlg::sha256, bytes);
}

std::string upper(std::string text) {
  for (char& c : text) {
    c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

/// A hash in the way the old one is written.
std::string written_like(std::string_view old, ByteView digest, Encoding encoding) {
  if (encoding == Encoding::base64) {
    return to_base64(digest);
  }
  const bool is_upper = old.find_first_of("ABCDEF") != std::string_view::npos;
  return is_upper ? upper(to_hex(digest)) : to_hex(digest);
}

}  // namespace

Result<std::optional<std::string>> right_value(const Slot& slot,
                                               std::string_view old,
                                               const std::string& path,
                                               Bodies& bodies) {
  using Value = std::optional<std::string>;
  switch (slot.fact) {
    case Fact::digest: {
      SIGNCTL_TRY(const Bytes digest, bodies.digest(path, slot.alg), "");
      return Value(written_like(old, digest, slot.encoding));
    }
    case Fact::size: {
      SIGNCTL_TRY(const auto source, bodies.open(path), "");
      return Value(std::to_string(source->size()));
    }
    case Fact::signature_part: {
      SIGNCTL_TRY(const Bytes digest, signature_part_digest(bodies, path), "");
      return Value(written_like(old, digest, Encoding::hex));
    }
    case Fact::block_map:
    case Fact::foreign:
      break;
  }
  return Value{};
}

}  // namespace signctl::seal
