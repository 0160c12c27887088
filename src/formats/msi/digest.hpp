// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/compound_file.hpp"

#include <signctl/digest_alg.hpp>
#include <signctl/format.hpp>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace signctl::msi {

/// Calls `visit` with every storage and stream that a signature covers, in hashing order; a storage
/// comes before its children with `begin`, and again after them without.
struct Visit {
  std::uint32_t entry{};
  bool begin{true};
};
[[nodiscard]] std::vector<Visit> hashing_order(const CompoundFile& file);

/// The pre-hash: names, sizes, classes, state bits and times of everything that is signed.
[[nodiscard]] Bytes prehash(const CompoundFile& file, DigestAlg alg);

/// What is hashed before the content: nothing, or the octets of MsiDigitalSignatureEx.
struct DigestRequest {
  DigestAlg alg{DigestAlg::sha256};
  Bytes prefix;
};

/// The digests asked for, from one pass over the streams.
Result<std::vector<Bytes>> content_digests(const std::shared_ptr<const CompoundFile>& file,
                                           std::span<const DigestRequest> requests);

/// The pieces of the file in hashing order; a file in very many pieces has the rest summed up.
Result<std::vector<HashedRange>> content_ranges(const CompoundFile& file);

}  // namespace signctl::msi
