// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/block_reader.hpp"
#include "crypto/digest.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/provider.hpp>

namespace signctl::engine {

/// The input, read once more if the session wants its hash.
class InputFacts final : public FileFacts {
 public:
  InputFacts(const ByteSource& source, const Bytes& digest) : source_(source), digest_(digest) {}

  [[nodiscard]] Result<Bytes> sha256() const override {
    crypto::Hasher hasher(DigestAlg::sha256);
    BlockVisitor visitor;
    visitor.visit = [&](std::uint64_t /*offset*/, ByteView block) {
      hasher.update(block);
      return true;
    };
    SIGNCTL_CHECK(for_each_block(source_, 0, source_.size(), visitor), "hashing the whole file");
    return hasher.finish();
  }

  [[nodiscard]] const Bytes& content_digest() const override { return digest_; }

 private:
  const ByteSource& source_;
  const Bytes& digest_;
};

}  // namespace signctl::engine
