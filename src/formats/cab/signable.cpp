// SPDX-License-Identifier: Apache-2.0
#include "formats/cab/signable.hpp"

#include "cms/authenticode.hpp"
#include "crypto/oids.hpp"
#include "formats/cab/facts.hpp"
#include "formats/cab/head.hpp"
#include "formats/cab/reserve.hpp"
#include "formats/cab/signature.hpp"
#include "formats/common/cabinet.hpp"
#include "formats/common/cabinet_files.hpp"
#include "formats/common/cabinet_layout.hpp"
#include "formats/common/indirect_content.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace signctl::cab {
namespace {

/// SpcLink to a file without a name, as signtool writes it for what has nothing more to say.
constexpr std::array<std::uint8_t, 4> kEmptyLink{0xA2, 0x02, 0x80, 0x00};

class CabSignable final : public Signable {
 public:
  CabSignable(std::shared_ptr<const ByteSource> source,
              formats::CabinetLayout layout,
              Reserve reserve)
      : source_(std::move(source)), layout_(std::move(layout)), reserve_(std::move(reserve)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override;
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override;
  Result<void> check_signable(DigestAlg /*alg*/) override { return check_whole(); }
  Result<SigningContent> content_to_sign(DigestAlg alg) override;
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override;
  Result<std::vector<Finding>> check_content(ByteView econtent) override;
  Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) override;
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::nested; }
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override;
  Result<std::vector<FileFact>> facts() override { return facts_of(layout_); }
  Result<std::vector<Member>> members() override;
  void name_members(std::shared_ptr<const MemberNames> names) override {
    names_ = std::move(names);
  }
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override;

 private:
  Result<void> check_whole();
  Result<void> check_nothing_follows() const;
  /// Folders and files, checked once: nothing, or what is wrong.
  Result<const std::optional<Finding>*> directory_finding();
  Result<formats::Cabinet*> cabinet();

  std::shared_ptr<const ByteSource> source_;
  formats::CabinetLayout layout_;
  Reserve reserve_;
  std::map<DigestAlg, Bytes> digests_;
  std::optional<std::optional<Finding>> directory_finding_;
  std::unique_ptr<formats::Cabinet> cabinet_;
  std::shared_ptr<const MemberNames> names_;
};

Result<std::vector<HashedRange>> CabSignable::hashed_ranges() {
  std::vector<HashedRange> ranges{{0, 4, "signature of the header"},
                                  {8, formats::kCabHeaderSize, "header from cbCabinet on"}};
  const std::uint64_t area = layout_.reserve();
  if (reserve_.bytes.size() >= kStructureSizes) {
    ranges.push_back({area, area + 2, "size of the first reserved structure"});
    if (reserve_.first != 0) {
      const std::uint64_t begin = area + kStructureSizes;
      ranges.push_back({begin, begin + reserve_.first, "first reserved structure"});
    }
  }
  ranges.push_back({layout_.after_reserve(), layout_.size, "folders, files and data"});
  return ranges;
}

Result<std::vector<Bytes>> CabSignable::file_digests(std::span<const DigestAlg> algs) {
  std::vector<DigestAlg> missing;
  for (const DigestAlg alg : algs) {
    if (!digests_.contains(alg) &&
        std::find(missing.begin(), missing.end(), alg) == missing.end()) {
      missing.push_back(alg);
    }
  }
  if (!missing.empty()) {
    SIGNCTL_TRY(const Head head, head_with(*source_, layout_, prepared_reserve(reserve_)), "");
    SIGNCTL_TRY(auto digests, hash_cabinet(*source_, layout_, head, missing), "");
    for (std::size_t i = 0; i < missing.size(); ++i) {
      digests_[missing[i]] = std::move(digests[i]);
    }
  }
  std::vector<Bytes> result;
  for (const DigestAlg alg : algs) {
    result.push_back(digests_[alg]);
  }
  return result;
}

/// A signed file that goes on behind its signature would lose that part.
Result<void> CabSignable::check_nothing_follows() const {
  const std::uint64_t end = reserve_.is_signed()
                                ? std::uint64_t{reserve_.signature_offset} + reserve_.signature_size
                                : layout_.size;
  if (end == layout_.source_size &&
      (!reserve_.is_signed() || reserve_.signature_offset == layout_.size)) {
    return ok();
  }
  return Error{ErrorKind::input,
               "the file has bytes that belong neither to the cabinet, which ends at " +
                   std::to_string(layout_.size) + ", nor to its signature; they would be lost",
               "start from the unsigned cabinet"};
}

/// Refuses what the gate would refuse afterwards, before a signature is spent.
Result<void> CabSignable::check_whole() {
  SIGNCTL_CHECK(check_nothing_follows(), "");
  SIGNCTL_TRY(
      const std::vector<Finding> around, check_surroundings(*source_, layout_, reserve_), "");
  for (const Finding& finding : around) {
    if (finding.id == "cab-reserve-data" || finding.id == "cab-reserve-malformed" ||
        finding.id == "cab-header-checksum") {
      return Error{ErrorKind::input,
                   finding.message,
                   "make the cabinet without it: a signature would not cover it"};
    }
  }
  SIGNCTL_TRY(const std::optional<Finding>* const directory, directory_finding(), "");
  if (*directory) {
    return Error{ErrorKind::input, (*directory)->message, "make the cabinet anew"};
  }
  return ok();
}

Result<SigningContent> CabSignable::content_to_sign(DigestAlg alg) {
  SIGNCTL_CHECK(check_whole(), "");
  const std::array algs{alg};
  SIGNCTL_TRY(const std::vector<Bytes> digest, file_digests(algs), "");
  SigningContent content;
  content.content_type = oid::kSpcIndirectData;
  content.file_digest = digest.front();
  content.alg = alg;
  content.econtent = cms::encode_indirect_data({std::string(oid::kSpcCabData),
                                                Bytes(kEmptyLink.begin(), kEmptyLink.end()),
                                                alg,
                                                content.file_digest});
  return content;
}

Result<std::vector<EmbeddedSignature>> CabSignable::signatures() {
  SIGNCTL_TRY(auto signature, read_signature(*source_, reserve_), "");
  std::vector<EmbeddedSignature> signatures;
  if (signature) {
    signatures.push_back(std::move(*signature));
  }
  return signatures;
}

Result<const std::optional<Finding>*> CabSignable::directory_finding() {
  if (!directory_finding_) {
    std::optional<Finding> finding;
    const auto directory = formats::read_cabinet_files(*source_, layout_);
    const auto folders = formats::walk_folders(*source_, layout_);
    if (!directory || !folders) {
      const Error& error = directory ? folders.error() : directory.error();
      finding = {"cab-malformed", Severity::error, "file", error.message};
    } else if (const auto overlap = formats::find_overlap(*folders, directory->end)) {
      finding = {"cab-folders-overlap", Severity::error, "file", *overlap};
    } else if (const auto gap = formats::find_gap(layout_, *folders, directory->end)) {
      finding = {"cab-gap", Severity::error, "file", *gap};
    }
    directory_finding_ = std::move(finding);
  }
  return &*directory_finding_;
}

Result<std::vector<Finding>> CabSignable::container_findings() {
  SIGNCTL_TRY(std::vector<Finding> findings, check_surroundings(*source_, layout_, reserve_), "");
  SIGNCTL_TRY(const std::optional<Finding>* const directory, directory_finding(), "");
  if (*directory) {
    findings.push_back(**directory);
  }
  return findings;
}

Result<SigningContent> CabSignable::parse_content(ByteView econtent, DigestAlg /*signer_alg*/) {
  return read_indirect_content(econtent);
}

Result<std::vector<Finding>> CabSignable::check_content(ByteView econtent) {
  SIGNCTL_TRY(const cms::IndirectData data, cms::parse_indirect_data(econtent), "");
  std::vector<Finding> findings;
  if (data.data_type != oid::kSpcCabData) {
    findings.push_back({"cab-data-type",
                        Severity::error,
                        "",
                        "the signed content is for another kind of file (" + data.data_type +
                            "), not a cabinet (" + std::string(oid::kSpcCabData) + ")"});
  }
  return findings;
}

Result<PatchSet> CabSignable::embed(std::span<const Bytes> signatures) {
  if (signatures.size() != 1) {
    return Error{signatures.empty() ? ErrorKind::internal : ErrorKind::unsupported,
                 "a cabinet holds exactly one signature at the top level",
                 "nest the second one in the first"};
  }
  SIGNCTL_CHECK(check_whole(), "");
  Bytes record = signatures.front();
  record.resize((record.size() + kSignatureAlignment - 1) / kSignatureAlignment *
                kSignatureAlignment);
  SIGNCTL_TRY(Head head, head_with(*source_, layout_, prepared_reserve(reserve_)), "");
  if (record.size() > UINT32_MAX - head.cabinet_size) {
    return Error{ErrorKind::unsupported, "the signed cabinet would be 4 GiB or larger"};
  }
  const std::uint64_t offset = head.cabinet_size;
  const Bytes locator =
      encode_locator(static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(record.size()));
  std::copy(locator.begin(),
            locator.end(),
            head.bytes.begin() + static_cast<std::ptrdiff_t>(head.reserve + reserve_.locator()));
  PatchSet edits = replace_head(layout_, std::move(head));
  edits.patches.push_back({offset, std::move(record)});
  return edits;
}

Result<PatchSet> CabSignable::strip() {
  SIGNCTL_CHECK(check_nothing_follows(), "");
  if (!reserve_.is_signed()) {
    return PatchSet{layout_.source_size, {}};
  }
  // An area that holds nothing but the place of the signature was made for it.
  if (reserve_.bytes.size() == kPlainReserve) {
    SIGNCTL_TRY(Head head, head_without(*source_, layout_), "");
    return replace_head(layout_, std::move(head));
  }
  Bytes area = reserve_.bytes;
  area[2] = 0;
  const auto locator = area.begin() + static_cast<std::ptrdiff_t>(reserve_.locator());
  std::fill_n(locator, kLocatorSize, std::uint8_t{0});
  SIGNCTL_TRY(Head head, head_with(*source_, layout_, area), "");
  return replace_head(layout_, std::move(head));
}

Result<formats::Cabinet*> CabSignable::cabinet() {
  if (!cabinet_) {
    SIGNCTL_TRY(cabinet_, formats::Cabinet::open(source_), "");
  }
  return cabinet_.get();
}

Result<std::vector<Member>> CabSignable::members() {
  SIGNCTL_TRY(const formats::Cabinet* const opened, cabinet(), "");
  std::vector<Member> members = opened->members();
  if (names_) {
    for (Member& member : members) {
      const auto name = names_->find(member.path);
      member.path = name == names_->end() ? member.path : name->second;
    }
  }
  return members;
}

Result<std::shared_ptr<const ByteSource>> CabSignable::open_member(std::size_t index) {
  SIGNCTL_TRY(formats::Cabinet* const opened, cabinet(), "");
  return opened->open_member(index);
}

}  // namespace

Result<std::unique_ptr<Signable>> open_cabinet(std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(formats::CabinetLayout layout, formats::read_cabinet_layout(*source), "");
  SIGNCTL_CHECK(formats::refuse_cabinet_set(layout), "");
  SIGNCTL_TRY(Reserve reserve, read_reserve(*source, layout), "");
  std::unique_ptr<Signable> cabinet =
      std::make_unique<CabSignable>(std::move(source), std::move(layout), std::move(reserve));
  return cabinet;
}

}  // namespace signctl::cab
