// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "formats/cat/catalog.hpp"
#include "formats/cat/members.hpp"
#include "formats/cat/signable.hpp"

#include <signctl/format.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace signctl::cat {
namespace {

/// The digest of a list is over its content octets, as messageDigest is (RFC 2315, 9.3).
Result<Bytes> digest_of(ByteView list, DigestAlg alg) {
  SIGNCTL_TRY(
      const der::Tlv whole, der::parse_whole(list, der::kSequence, "CertificateTrustList"), "");
  return crypto::hash(alg, whole.content);
}

class CatSignable final : public Signable {
 public:
  CatSignable(Catalog catalog, Ctl ctl) : catalog_(std::move(catalog)), ctl_(std::move(ctl)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override;
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override;
  Result<void> check_signable(DigestAlg alg) override;
  Result<SigningContent> content_to_sign(DigestAlg alg) override;
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override;
  Result<std::vector<Finding>> check_content(ByteView econtent) override;
  Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) override;
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::nested; }
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override;
  Result<std::vector<FileFact>> facts() override { return facts_of(ctl_); }
  [[nodiscard]] SignatureProfile profile() const override {
    return {Envelope::authenticode, oid::kCtl, oid::kSpcRfc3161Timestamp};
  }
  Result<std::vector<VouchedFile>> vouched_files() override { return cat::vouched_files(ctl_); }

 private:
  [[nodiscard]] Result<void> check_nothing_follows() const;

  Catalog catalog_;
  Ctl ctl_;
};

Result<std::vector<HashedRange>> CatSignable::hashed_ranges() {
  SIGNCTL_TRY(const der::Tlv list,
              der::parse_whole(catalog_.content, der::kSequence, "CertificateTrustList"),
              "");
  // The list stands once in the SignedData, which was read from the start of the file.
  const auto found = std::search(
      catalog_.cms.begin(), catalog_.cms.end(), catalog_.content.begin(), catalog_.content.end());
  const auto begin = static_cast<std::uint64_t>(found - catalog_.cms.begin());
  const std::uint64_t end = begin + catalog_.content.size();
  return std::vector<HashedRange>{
      {end - list.content.size(), end, "certificate trust list without tag and length"}};
}

Result<std::vector<Bytes>> CatSignable::file_digests(std::span<const DigestAlg> algs) {
  std::vector<Bytes> digests;
  for (const DigestAlg alg : algs) {
    SIGNCTL_TRY(Bytes digest, digest_of(catalog_.content, alg), "");
    digests.push_back(std::move(digest));
  }
  return digests;
}

Result<void> CatSignable::check_nothing_follows() const {
  if (catalog_.trailing == 0) {
    return ok();
  }
  return Error{ErrorKind::input,
               std::to_string(catalog_.trailing) + " bytes follow the catalog; they would be lost",
               "start from the catalog as it was made"};
}

Result<void> CatSignable::check_signable(DigestAlg /*alg*/) {
  SIGNCTL_CHECK(check_nothing_follows(), "");
  for (const Finding& finding : check_members(ctl_)) {
    if (finding.severity == Severity::error) {
      return Error{ErrorKind::input, finding.message, "make the catalog anew"};
    }
  }
  return ok();
}

Result<SigningContent> CatSignable::content_to_sign(DigestAlg alg) {
  SIGNCTL_CHECK(check_signable(alg), "");
  SigningContent content;
  content.content_type = oid::kCtl;
  content.econtent = catalog_.content;
  content.alg = alg;
  SIGNCTL_TRY(content.file_digest, digest_of(catalog_.content, alg), "");
  return content;
}

Result<std::vector<EmbeddedSignature>> CatSignable::signatures() {
  std::vector<EmbeddedSignature> signatures;
  if (catalog_.has_signers) {
    signatures.push_back({catalog_.cms, "the file itself", 0, catalog_.cms.size()});
  }
  return signatures;
}

Result<std::vector<Finding>> CatSignable::container_findings() {
  std::vector<Finding> findings = check_members(ctl_);
  if (catalog_.trailing != 0) {
    findings.push_back({"cat-data-after-signature",
                        Severity::error,
                        "file",
                        std::to_string(catalog_.trailing) +
                            " bytes that nothing covers follow the catalog, at offset " +
                            std::to_string(catalog_.cms.size())});
  }
  return findings;
}

Result<SigningContent> CatSignable::parse_content(ByteView econtent, DigestAlg signer_alg) {
  SIGNCTL_TRY(const Ctl list, parse_ctl(econtent), "");
  static_cast<void>(list);
  SigningContent content;
  content.content_type = oid::kCtl;
  content.econtent.assign(econtent.begin(), econtent.end());
  content.alg = signer_alg;
  SIGNCTL_TRY(content.file_digest, digest_of(econtent, signer_alg), "");
  return content;
}

Result<std::vector<Finding>> CatSignable::check_content(ByteView econtent) {
  // A nested signature is over a copy of the list; the one that counts is the file's.
  std::vector<Finding> findings;
  if (!std::equal(
          econtent.begin(), econtent.end(), catalog_.content.begin(), catalog_.content.end())) {
    findings.push_back({"cat-other-list",
                        Severity::error,
                        "",
                        "the signature is over another list than that of the catalog"});
  }
  return findings;
}

Result<PatchSet> CatSignable::embed(std::span<const Bytes> signatures) {
  if (signatures.size() != 1) {
    return Error{signatures.empty() ? ErrorKind::internal : ErrorKind::unsupported,
                 "a catalog holds exactly one signature at the top level",
                 "nest the second one in the first"};
  }
  SIGNCTL_CHECK(check_nothing_follows(), "");
  const MemorySource made(signatures.front());
  SIGNCTL_TRY(const Catalog catalog, read_catalog(made), "reading the signature");
  if (catalog.content != catalog_.content) {
    return Error{ErrorKind::input, "the signature is over another list than that of the catalog"};
  }
  return PatchSet{0, {{0, signatures.front()}}};
}

Result<PatchSet> CatSignable::strip() {
  SIGNCTL_CHECK(check_nothing_follows(), "");
  if (!catalog_.has_signers) {
    return PatchSet{catalog_.cms.size(), {}};
  }
  return PatchSet{0, {{0, encode_unsigned(catalog_.content)}}};
}

class CatFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "cat"; }
  [[nodiscard]] std::string_view title() const override { return "Security catalog"; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static constexpr std::array<std::string_view, 1> kExtensions{"cat"};
    return kExtensions;
  }
  [[nodiscard]] FormatCapabilities capabilities() const override {
    FormatCapabilities can;
    can.sign = true;
    can.verify = true;
    can.append = true;
    can.timestamp = true;
    can.remove = true;
    can.detached = true;
    return can;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override {
    return starts_like_catalog(input.head) ? Sniff::yes : Sniff::no;
  }
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    return open_catalog(*source);
  }
};

}  // namespace

Result<std::unique_ptr<Signable>> open_catalog(const ByteSource& source) {
  SIGNCTL_TRY(Catalog catalog, read_catalog(source), "");
  SIGNCTL_TRY(Ctl ctl, parse_ctl(catalog.content), "reading the certificate trust list");
  std::unique_ptr<Signable> opened =
      std::make_unique<CatSignable>(std::move(catalog), std::move(ctl));
  return opened;
}

const Format& format() {
  static const CatFormat instance;
  return instance;
}

}  // namespace signctl::cat
