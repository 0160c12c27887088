// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/signable.hpp"

#include "cms/authenticode.hpp"
#include "core/byte_reader.hpp"
#include "crypto/oids.hpp"
#include "formats/common/indirect_content.hpp"
#include "formats/pe/carry_over.hpp"
#include "formats/pe/certificate_table.hpp"
#include "formats/pe/facts.hpp"
#include "formats/pe/findings.hpp"
#include "formats/pe/image_data.hpp"
#include "formats/pe/ranges.hpp"
#include "formats/pe/scan.hpp"

#include <signctl/carries_digests.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace signctl::pe {
namespace {

/// Set aside for the table before there is one: a signature with its chain and a timestamp takes
/// some 10,000 bytes.
constexpr std::uint64_t kRoomForTable = std::uint64_t{64} << 10U;

Result<void> check_size(std::uint64_t end) {
  if (end > UINT32_MAX) {
    return Error{ErrorKind::unsupported,
                 "the signed file would be 4 GiB or larger, which the format cannot express",
                 "put less in the file"};
  }
  return ok();
}

class PeSignable final : public Signable, public CarriesDigests {
 public:
  PeSignable(std::shared_ptr<const ByteSource> source, Layout layout)
      : source_(std::move(source)), layout_(std::move(layout)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override { return pe::hashed_ranges(layout_); }
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override;
  Result<void> check_signable(DigestAlg /*alg*/) override { return check_whole(); }
  Result<SigningContent> content_to_sign(DigestAlg alg) override;
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override;
  Result<std::vector<Finding>> check_content(ByteView econtent) override;
  Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) override;
  [[nodiscard]] AppendStyle append_style() const override {
    return layout_.is_efi() ? AppendStyle::separate_entries : AppendStyle::nested;
  }
  Result<void> keep_signatures(DigestAlg alg) override;
  Result<void> hash_pages() override;
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override;
  Result<std::vector<FileFact>> facts() override;
  Result<bool> carry_over(const Signable& earlier, const PatchSet& edits) override;

 private:
  /// A digest is over the content and this many zeros.
  using DigestKey = std::pair<DigestAlg, std::uint64_t>;

  Result<std::vector<Bytes>> digests(std::span<const DigestAlg> algs, std::uint64_t zeros);
  Result<ChecksumSum> content_sum();
  Result<std::uint32_t> whole_checksum();
  Result<void> check_whole() const;
  Result<void> check_nothing_follows() const;
  Result<void> check_new_signatures(std::span<const Bytes> signatures) const;
  /// Zeros that belong to the digest of the file as it is. In a signed file they are bytes of the
  /// content already.
  [[nodiscard]] std::uint64_t zeros_now() const {
    return layout_.has_table() ? 0 : padding_before_table(layout_);
  }
  [[nodiscard]] Patch checksum_patch(std::uint32_t checksum) const;
  [[nodiscard]] Patch entry_patch(std::uint64_t offset, std::uint64_t size) const {
    return {layout_.security_offset, security_entry(offset, size)};
  }

  std::shared_ptr<const ByteSource> source_;
  Layout layout_;
  std::map<DigestKey, Bytes> digests_;
  std::optional<ChecksumSum> content_sum_;
  bool hashing_pages_{false};  ///< Set by hash_pages().
};

Result<std::vector<Bytes>> PeSignable::digests(std::span<const DigestAlg> algs,
                                               std::uint64_t zeros) {
  std::vector<DigestAlg> missing;
  for (const DigestAlg alg : algs) {
    if (!digests_.contains({alg, zeros}) &&
        std::find(missing.begin(), missing.end(), alg) == missing.end()) {
      missing.push_back(alg);
    }
  }
  if (!missing.empty()) {
    SIGNCTL_TRY(ContentScan scan, scan_content(*source_, layout_, missing, zeros), "");
    content_sum_ = scan.sum;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      digests_[{missing[i], zeros}] = std::move(scan.digests[i]);
    }
  }
  std::vector<Bytes> result;
  for (const DigestAlg alg : algs) {
    result.push_back(digests_[{alg, zeros}]);
  }
  return result;
}

Result<std::vector<Bytes>> PeSignable::file_digests(std::span<const DigestAlg> algs) {
  return digests(algs, zeros_now());
}

Result<ChecksumSum> PeSignable::content_sum() {
  if (!content_sum_) {
    SIGNCTL_TRY(const ContentScan scan, scan_content(*source_, layout_, {}, 0), "");
    content_sum_ = scan.sum;
  }
  return *content_sum_;
}

/// The right CheckSum of the file as it is.
Result<std::uint32_t> PeSignable::whole_checksum() {
  SIGNCTL_TRY(ChecksumSum sum, content_sum(), "");
  sum.add(layout_.security_offset, security_entry(layout_.table_offset, layout_.table_size));
  SIGNCTL_CHECK(add_to_sum(*source_, layout_.content_end(), layout_.file_size, sum), "");
  return sum.value(layout_.file_size);
}

/// A signature would cover bytes that a loader sees differently, or have no room: refuse before one
/// is spent.
Result<void> PeSignable::check_whole() const {
  SIGNCTL_CHECK(check_nothing_follows(), "");
  SIGNCTL_CHECK(check_size(round_up_8(layout_.content_end()) + kRoomForTable), "");
  if (const Section* section = find_section_past_content(layout_)) {
    return Error{
        ErrorKind::input,
        describe(*section) + " reaches past the end of the content at " +
            std::to_string(layout_.content_end()),
        "the file is truncated or its headers are wrong; start again from the unsigned build"};
  }
  if (const auto ambiguity = fatal_ambiguity(layout_)) {
    return Error{ErrorKind::input,
                 *ambiguity + ", so readers would disagree about the digest",
                 "build the file anew, with sections that follow each other"};
  }
  return ok();
}

Result<void> PeSignable::check_nothing_follows() const {
  if (!layout_.has_table() || layout_.table_end() == layout_.file_size) {
    return ok();
  }
  return Error{ErrorKind::input,
               std::to_string(layout_.file_size - layout_.table_end()) +
                   " bytes follow the certificate table, which ends at " +
                   std::to_string(layout_.table_end()) + "; they would be lost",
               "append data first and sign afterwards, starting from the unsigned file"};
}

Result<void> PeSignable::keep_signatures(DigestAlg /*alg*/) {
  if (layout_.has_table() && padding_before_table(layout_) != 0) {
    return Error{ErrorKind::unsupported,
                 "the certificate table does not start at a multiple of 8, and moving it there "
                 "would break the signatures in it",
                 "use --if-signed replace"};
  }
  SIGNCTL_TRY(const auto stored, signatures(), "");
  if (stored.size() >= kMaxEntries) {
    return Error{ErrorKind::unsupported,
                 "the certificate table has " + std::to_string(stored.size()) +
                     " signatures already, and " + std::to_string(kMaxEntries) + " are the limit",
                 "use --if-signed replace"};
  }
  return ok();
}

Result<void> PeSignable::hash_pages() {
  SIGNCTL_CHECK(check_page_layout(layout_), "");
  hashing_pages_ = true;
  return ok();
}

Result<SigningContent> PeSignable::content_to_sign(DigestAlg alg) {
  SIGNCTL_CHECK(check_whole(), "");
  ImageData data;
  if (hashing_pages_) {
    SIGNCTL_TRY(data.page_hashes, make_page_hashes(*source_, layout_), "computing page hashes");
  }
  const std::array algs{alg};
  SIGNCTL_TRY(const std::vector<Bytes> digest, digests(algs, padding_before_table(layout_)), "");
  SigningContent content;
  content.content_type = oid::kSpcIndirectData;
  content.file_digest = digest.front();
  content.alg = alg;
  content.econtent = cms::encode_indirect_data(
      {std::string(oid::kSpcPeImageData), encode_image_data(data), alg, content.file_digest});
  return content;
}

Result<std::vector<EmbeddedSignature>> PeSignable::signatures() {
  SIGNCTL_TRY(const CertificateTable table, walk_table(*source_, layout_), "");
  return read_signatures(*source_, table);
}

Result<std::vector<Finding>> PeSignable::container_findings() {
  std::vector<Finding> findings = check_layout(layout_);
  const auto append = [&findings](std::vector<Finding> more) {
    std::move(more.begin(), more.end(), std::back_inserter(findings));
  };
  SIGNCTL_TRY(const CertificateTable table, walk_table(*source_, layout_), "");
  SIGNCTL_TRY(std::vector<Finding> in_table, check_table(*source_, layout_, table), "");
  append(std::move(in_table));
  SIGNCTL_TRY(const std::uint32_t checksum, whole_checksum(), "");
  append(check_checksum(layout_, checksum));
  return findings;
}

Result<SigningContent> PeSignable::parse_content(ByteView econtent, DigestAlg /*signer_alg*/) {
  return read_indirect_content(econtent);
}

Result<std::vector<Finding>> PeSignable::check_content(ByteView econtent) {
  SIGNCTL_TRY(const cms::IndirectData data, cms::parse_indirect_data(econtent), "");
  std::vector<Finding> findings;
  if (data.data_type != oid::kSpcPeImageData) {
    findings.push_back({"pe-data-type",
                        Severity::error,
                        "",
                        "the signed content is for another kind of file (" + data.data_type +
                            "), not a PE image (" + std::string(oid::kSpcPeImageData) + ")"});
    return findings;
  }
  const Result<ImageData> image = parse_image_data(data.data_value);
  if (!image) {
    findings.push_back(
        {"pe-page-hashes-malformed",
         Severity::error,
         "",
         "the image data in the signed content is malformed: " + image.error().message});
    return findings;
  }
  if (image->page_hashes) {
    return check_page_hashes(*source_, layout_, *image->page_hashes);
  }
  return findings;
}

Result<void> PeSignable::check_new_signatures(std::span<const Bytes> signatures) const {
  if (signatures.empty()) {
    return Error{ErrorKind::internal, "there is no signature to embed"};
  }
  if (signatures.size() > 1 && !layout_.is_efi()) {
    return Error{ErrorKind::unsupported,
                 "only EFI images hold several signatures side by side",
                 "nest the second one in the first"};
  }
  std::uint64_t end = round_up_8(layout_.content_end());
  for (const Bytes& signature : signatures) {
    end += kTableAlignment + round_up_8(signature.size());
  }
  return check_size(end);
}

Patch PeSignable::checksum_patch(std::uint32_t checksum) const {
  Patch patch{layout_.checksum_offset, {}};
  put_le(patch.bytes, checksum);
  return patch;
}

Result<PatchSet> PeSignable::embed(std::span<const Bytes> signatures) {
  SIGNCTL_CHECK(check_whole(), "");
  SIGNCTL_CHECK(check_new_signatures(signatures), "");
  SIGNCTL_TRY(ChecksumSum sum, content_sum(), "");
  Bytes table = encode_table(signatures);
  const std::uint64_t offset = round_up_8(layout_.content_end());
  Patch entry = entry_patch(offset, table.size());
  sum.add(entry.offset, entry.bytes);
  sum.add(offset, table);

  // The gap between the kept bytes and the table reads as zeros: the padding that was hashed.
  PatchSet patches{layout_.content_end(), {}};
  patches.patches.push_back(checksum_patch(sum.value(offset + table.size())));
  patches.patches.push_back(std::move(entry));
  patches.patches.push_back({offset, std::move(table)});
  return patches;
}

Result<PatchSet> PeSignable::strip() {
  SIGNCTL_CHECK(check_nothing_follows(), "");
  if (!layout_.has_table()) {
    return PatchSet{layout_.file_size, {}};
  }
  SIGNCTL_TRY(const ChecksumSum sum, content_sum(), "");
  const std::uint64_t size = layout_.content_end();
  return PatchSet{size, {checksum_patch(sum.value(size)), entry_patch(0, 0)}};
}

Result<std::vector<FileFact>> PeSignable::facts() {
  SIGNCTL_TRY(const std::uint32_t checksum, whole_checksum(), "");
  return facts_of(layout_, checksum);
}

Result<bool> PeSignable::carry_over(const Signable& earlier, const PatchSet& edits) {
  const auto* const before = dynamic_cast<const PeSignable*>(&earlier);
  if (before == nullptr || !leaves_content_alone(before->layout_, layout_, edits)) {
    return false;
  }
  // The padding came with the edits, so it was not read before.
  const std::uint64_t end = layout_.content_end();
  SIGNCTL_TRY(const std::uint64_t nonzero, find_nonzero(*source_, edits.keep, end), "");
  if (nonzero != end) {
    return false;
  }
  for (const auto& [key, digest] : before->digests_) {
    if (key.second == end - edits.keep) {
      digests_.insert({{key.first, 0}, digest});
    }
  }
  content_sum_ = before->content_sum_;
  return true;
}

}  // namespace

Result<std::unique_ptr<Signable>> open_image(std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(Layout layout, read_layout(*source), "");
  std::unique_ptr<Signable> image =
      std::make_unique<PeSignable>(std::move(source), std::move(layout));
  return image;
}

}  // namespace signctl::pe
