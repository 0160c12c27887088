// SPDX-License-Identifier: Apache-2.0
#include "trust/bundle.hpp"

#include "core/equal.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace signctl::trust {

namespace {

constexpr std::size_t kMaxBundleBytes = 16U << 20U;

constexpr std::uint64_t kListStart = 16U
                                     << 10U;  ///< Holds a certificate and the comment before it.

/// The DER of the first `most` PEM certificates in `text`; what is no base64 is passed over.
std::vector<Bytes> pem_blocks(std::string_view text, std::size_t most) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::vector<Bytes> blocks;
  while (blocks.size() < most) {
    const std::size_t begin = text.find(kBegin);
    const std::size_t end = begin == std::string_view::npos ? begin : text.find(kEnd, begin);
    if (end == std::string_view::npos) {
      break;
    }
    const std::size_t body = begin + kBegin.size();
    if (auto der = from_base64(text.substr(body, end - body))) {
      blocks.push_back(std::move(*der));
    }
    text.remove_prefix(end);
  }
  return blocks;
}

}  // namespace

bool serves(Serves serves, TrustPurpose purpose) {
  switch (serves) {
    case Serves::both:
      return true;
    case Serves::code_signing:
      return purpose == TrustPurpose::code_signing;
    case Serves::time_stamping:
      return purpose == TrustPurpose::time_stamping;
  }
  return false;
}

void Bundle::append_named(ByteView name_der,
                          TrustPurpose purpose,
                          std::vector<Anchor>& anchors) const {
  if (!serves(purposes, purpose)) {
    return;
  }
  for (const crypto::Certificate& certificate : certificates) {
    if (equal(certificate.subject_der(), name_der)) {
      anchors.push_back({certificate.der(), source, tls_list});
    }
  }
}

Result<Bundle> read_bundle(const std::string& path_utf8, std::string source) {
  SIGNCTL_TRY(const Bytes bytes, read_file(path_utf8, kMaxBundleBytes), "reading trust anchors");
  Bundle bundle;
  SIGNCTL_TRY(bundle.certificates,
              crypto::read_certificates(bytes),
              "reading trust anchors from " + path_utf8);
  bundle.source = std::move(source);
  return bundle;
}

Result<std::vector<Bytes>> read_pem_blocks(const std::string& path_utf8) {
  SIGNCTL_TRY(const Bytes bytes, read_file(path_utf8, kMaxBundleBytes), "reading trust anchors");
  std::vector<Bytes> blocks = pem_blocks(as_text(bytes), kMaxBundleBytes);
  if (blocks.empty()) {
    return Error{ErrorKind::input, path_utf8 + " holds no PEM certificate"};
  }
  return blocks;
}

Result<void> check_pem_list(const std::string& path_utf8) {
  SIGNCTL_TRY(const auto file, FileSource::open(path_utf8), "reading trust anchors");
  const std::uint64_t size = std::min<std::uint64_t>(file->size(), kListStart);
  SIGNCTL_TRY(const Bytes start, read_bytes(*file, 0, size), "reading trust anchors");
  if (pem_blocks(as_text(start), 1).empty()) {
    // Perhaps behind a long comment.
    SIGNCTL_TRY(const auto blocks, read_pem_blocks(path_utf8), "");
  }
  return ok();
}

Bundle select_named(const std::vector<Bytes>& blocks, ByteView name_der) {
  Bundle bundle;
  for (const Bytes& block : blocks) {
    if (std::search(block.begin(), block.end(), name_der.begin(), name_der.end()) == block.end()) {
      continue;
    }
    if (auto certificate = crypto::Certificate::parse(block)) {
      bundle.certificates.push_back(std::move(*certificate));
    }
  }
  return bundle;
}

}  // namespace signctl::trust
