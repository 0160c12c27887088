// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/pe/signable.hpp"
#include "support/must.hpp"
#include "support/pe_builder.hpp"

#include <signctl/format.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace signctl::test {

inline Result<std::unique_ptr<Signable>> try_open(Bytes image) {
  return pe::open_image(std::make_shared<MemorySource>(std::move(image)));
}

inline std::unique_ptr<Signable> open(Bytes image) {
  return must(try_open(std::move(image)));
}

inline Bytes digest_of(Signable& file, DigestAlg alg = DigestAlg::sha256) {
  const std::array algs{alg};
  return must(file.file_digests(algs)).front();
}

inline std::string digest_hex_of(Bytes image, DigestAlg alg = DigestAlg::sha256) {
  return to_hex(digest_of(*open(std::move(image)), alg));
}

/// "id severity" of every finding, sorted, for comparing with a list in a test.
inline std::vector<std::string> ids_of(const std::vector<Finding>& findings) {
  std::vector<std::string> ids;
  for (const Finding& finding : findings) {
    ids.push_back(finding.id + " " + severity_name(finding.severity));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

inline std::vector<std::string> finding_ids(Bytes image) {
  return ids_of(must(open(std::move(image))->container_findings()));
}

/// A good signed image, as far as the container goes.
inline Bytes signed_pe(const PeSpec& spec = {}, std::size_t signature_size = 1000) {
  return with_table(make_pe(spec), {{fake_signature(signature_size)}});
}

inline Bytes from_hex_text(const std::string& text) {
  const auto bytes = from_hex(text);
  if (!bytes) {
    throw std::runtime_error("not hexadecimal: " + text);
  }
  return *bytes;
}

using Ids = std::vector<std::string>;

}  // namespace signctl::test
