// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/format.hpp>

#include <string>
#include <vector>

namespace signctl::test {

/// SpcIndirectDataContent over `bytes`.
[[nodiscard]] Bytes content_over(ByteView bytes, DigestAlg alg = DigestAlg::sha256);

/// A file of a format without a container: bytes, and signatures beside them.
class FakeFile final : public Signable {
 public:
  FakeFile(Bytes bytes, std::vector<Bytes> signatures)
      : bytes_(std::move(bytes)), signatures_(std::move(signatures)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override;
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override;
  Result<SigningContent> content_to_sign(DigestAlg alg) override;
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override { return container; }
  Result<std::vector<Finding>> check_content(ByteView econtent) override;
  Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) override;
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::nested; }
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override;
  Result<std::vector<FileFact>> facts() override;

  std::vector<Finding> container;  ///< What container_findings() gives.
  int passes{0};                   ///< How often digests were asked for.

 private:
  Bytes bytes_;
  std::vector<Bytes> signatures_;
};

}  // namespace signctl::test
