// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/signable.hpp"

#include "cms/authenticode.hpp"
#include "core/file.hpp"
#include "core/patched_source.hpp"
#include "core/text.hpp"
#include "crypto/oids.hpp"
#include "crypto/prefix_hash.hpp"
#include "formats/common/indirect_content.hpp"
#include "formats/common/zip_edit.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/msix/block_check.hpp"
#include "formats/msix/content.hpp"
#include "formats/msix/content_types.hpp"
#include "formats/msix/digest.hpp"
#include "formats/msix/exchange.hpp"
#include "formats/msix/facts.hpp"
#include "formats/msix/publisher.hpp"
#include "formats/msix/signature_part.hpp"

#include <signctl/carries_findings.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace signctl::msix {
namespace {

/// Below this a thread costs more than it saves.
constexpr std::uint64_t kCheckInline = std::uint64_t{4} << 20U;

class PackageSignable final : public Signable,
                              public CarriesFindings,
                              public crypto::HashesFromStart {
 public:
  PackageSignable(std::shared_ptr<const ByteSource> source, Package package, Manifest manifest)
      : source_(std::move(source)), package_(std::move(package)), manifest_(std::move(manifest)) {
    for (std::size_t i = 0; i < package_.archive.entries.size(); ++i) {
      if (!package_.entry(i).is_folder() && i != package_.block_map &&
          i != package_.content_types && i != package_.signature && i != package_.code_integrity) {
        files_.push_back(i);
      }
    }
  }

  Result<std::vector<HashedRange>> hashed_ranges() override;
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override;
  Result<void> check_signable(DigestAlg alg) override;
  Result<SigningContent> content_to_sign(DigestAlg alg) override;
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override;
  Result<std::vector<Finding>> check_content(ByteView econtent) override;
  Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) override;
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::none; }
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override;
  Result<std::vector<FileFact>> facts() override;
  Result<std::vector<Finding>> check_certificate(ByteView leaf_der) override;
  Result<std::vector<Member>> members() override;
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override;
  Result<PatchSet> exchange_members(std::span<const Replacement> replacements) override;
  void carry_findings(const Signable& original) override;
  [[nodiscard]] std::uint64_t settled_prefix() const override {
    return msix::settled_prefix(package_);
  }
  void start_from(crypto::PrefixHash prefix) override { prefix_ = std::move(prefix); }

 private:
  /// The digests of content whose block map holds: what was signed.
  struct Proven {
    DigestAlg alg{};
    Bytes table;
  };
  Result<Bytes> part(std::size_t index, std::uint64_t limit = kMostPart) const {
    return zip::unpack_small(*source_, package_.entry(index), limit);
  }
  Result<const Bytes*> block_map_bytes();
  Result<const BlockMap*> block_map();
  /// What is wrong with the block map and the bundle's manifest. `beside`, if given, is run at the
  /// same time.
  template <class Work>
  Result<void> check_payload(Work beside);
  void find_in_payload();
  Result<void> hash_into_tables(std::span<const DigestAlg> algs);
  [[nodiscard]] bool is_proven() const;
  /// Everything but the signature itself, as it will be when signed.
  Result<zip::Edit> prepared(Bytes& content_types);
  Result<DigestInput> as_it_is();

  std::shared_ptr<const ByteSource> source_;
  Package package_;
  Manifest manifest_;
  std::vector<std::size_t> files_;  ///< Positions of what members() lists.
  std::map<DigestAlg, Bytes> tables_;
  std::optional<Bytes> block_map_bytes_;
  std::optional<BlockMap> block_map_;
  std::optional<std::vector<Finding>> payload_findings_;
  std::optional<Proven> signed_;    ///< Set by content_to_sign().
  std::optional<Proven> expected_;  ///< Set by carry_findings().
  std::optional<crypto::PrefixHash> prefix_;
};

Result<const Bytes*> PackageSignable::block_map_bytes() {
  if (!block_map_bytes_) {
    SIGNCTL_TRY(block_map_bytes_, part(package_.block_map, kMostBlockMap), "");
  }
  return &*block_map_bytes_;
}

Result<const BlockMap*> PackageSignable::block_map() {
  if (!block_map_) {
    SIGNCTL_TRY(const Bytes* const bytes, block_map_bytes(), "");
    SIGNCTL_TRY(block_map_, read_block_map(*bytes), "");
  }
  return &*block_map_;
}

void PackageSignable::find_in_payload() {
  std::vector<Finding> findings = check_block_map(*source_, package_, *block_map_, manifest_);
  const std::vector<Finding> bundle = check_bundle(package_, manifest_);
  findings.insert(findings.end(), bundle.begin(), bundle.end());
  payload_findings_ = std::move(findings);
}

template <class Work>
Result<void> PackageSignable::check_payload(Work beside) {
  if (payload_findings_) {
    return beside();
  }
  const auto map = block_map();
  if (!map) {
    payload_findings_ = {{"msix-block-map", Severity::error, "file", map.error().message}};
    return beside();
  }
  if (source_->size() < kCheckInline) {
    find_in_payload();
    return beside();
  }
  std::thread checker([this] { find_in_payload(); });
  Result<void> result = beside();
  checker.join();
  return result;
}

Result<std::vector<HashedRange>> PackageSignable::hashed_ranges() {
  const zip::Archive& archive = package_.archive;
  return std::vector<HashedRange>{
      {0, records_end(package_), "all files but the signature"},
      {archive.directory_offset, archive.file_size, "directory without the signature's entry"}};
}

Result<DigestInput> PackageSignable::as_it_is() {
  const zip::Archive& archive = package_.archive;
  DigestInput input;
  input.file = source_.get();
  input.records_end = records_end(package_);
  if (package_.signature) {
    zip::Edit edit(*source_, archive);
    edit.drop(*package_.signature);
    SIGNCTL_TRY(PatchSet edits, edit.finish(), "");
    input.directory = std::move(edits.patches.back().bytes);
  } else {
    SIGNCTL_TRY(
        input.directory,
        read_bytes(
            *source_, archive.directory_offset, archive.file_size - archive.directory_offset),
        "");
  }
  SIGNCTL_TRY(input.content_types, part(package_.content_types), "");
  SIGNCTL_TRY(const Bytes* const map, block_map_bytes(), "");
  input.block_map = *map;
  input.has_catalog = package_.code_integrity.has_value();
  if (input.has_catalog) {
    SIGNCTL_TRY(input.catalog, part(*package_.code_integrity), "");
  }
  return input;
}

Result<void> PackageSignable::hash_into_tables(std::span<const DigestAlg> algs) {
  SIGNCTL_TRY(DigestInput input, as_it_is(), "");
  if (prefix_ && prefix_->length <= input.records_end) {
    input.prefix = std::exchange(prefix_, std::nullopt);
  }
  SIGNCTL_TRY(auto made, make_tables(std::move(input), algs), "");
  for (std::size_t i = 0; i < algs.size(); ++i) {
    tables_[algs[i]] = std::move(made[i]);
  }
  return ok();
}

bool PackageSignable::is_proven() const {
  const auto computed = tables_.find(expected_->alg);
  return computed != tables_.end() && computed->second == expected_->table;
}

/// The block map says of each file what the digests cover already, octet by octet and in the same
/// place, so content with the same digests has the same findings: none.
void PackageSignable::carry_findings(const Signable& original) {
  const auto* const before = dynamic_cast<const PackageSignable*>(&original);
  if (before != nullptr && before->signed_ &&
      lie_alike(package_, files_, before->package_, before->files_)) {
    expected_ = before->signed_;
  }
}

Result<std::vector<Bytes>> PackageSignable::file_digests(std::span<const DigestAlg> algs) {
  std::vector<DigestAlg> missing;
  for (const DigestAlg alg : algs) {
    if (!tables_.contains(alg) && std::find(missing.begin(), missing.end(), alg) == missing.end()) {
      missing.push_back(alg);
    }
  }
  const auto hash = [&] { return hash_into_tables(missing); };
  if (!missing.empty() && expected_) {
    SIGNCTL_CHECK(hash(), "");
    if (is_proven()) {
      payload_findings_.emplace();
    }
  } else if (!missing.empty()) {
    SIGNCTL_CHECK(check_payload(hash), "");
  }
  std::vector<Bytes> result;
  result.reserve(algs.size());
  for (const DigestAlg alg : algs) {
    result.push_back(tables_[alg]);
  }
  return result;
}

/// Refuses what the gate would refuse afterwards, before anything is spent. Cheap; the payload
/// comes with the hashing.
Result<void> PackageSignable::check_signable(DigestAlg alg) {
  SIGNCTL_TRY(const BlockMap* const map, block_map(), "");
  if (map->alg != alg) {
    const std::string wanted(digest_name(map->alg));
    return Error{ErrorKind::unsupported,
                 "the block map of the package is made with " + wanted +
                     ", so the package can be signed with no other digest, and not with " +
                     std::string(digest_name(alg)),
                 "sign it with --file-digest " + wanted + ", or build it anew with makeappx /h"};
  }
  return ok();
}

Result<zip::Edit> PackageSignable::prepared(Bytes& content_types) {
  SIGNCTL_TRY(content_types, part(package_.content_types), "");
  SIGNCTL_TRY(const bool declared, has_signature_override(content_types), "");
  zip::Edit edit(*source_, package_.archive);
  if (package_.signature) {
    edit.drop(*package_.signature);
  }
  if (!declared) {
    SIGNCTL_TRY(content_types, with_signature_override(content_types), "");
    edit.replace_at_end(package_.content_types, zip::deflate(content_types));
  }
  return edit;
}

Result<SigningContent> PackageSignable::content_to_sign(DigestAlg alg) {
  SIGNCTL_CHECK(check_signable(alg), "");
  SIGNCTL_TRY(DigestInput input, as_it_is(), "");
  SIGNCTL_TRY(const zip::Edit edit, prepared(input.content_types), "");
  SIGNCTL_TRY(const PatchSet edits, edit.finish(), "");
  input.records_end = edits.patches.back().offset;
  input.directory = edits.patches.back().bytes;
  SIGNCTL_TRY(const auto future, PatchedSource::make(source_, edits), "");
  input.file = future.get();
  const std::array algs{alg};
  SigningContent content;
  SIGNCTL_CHECK(check_payload([&]() -> Result<void> {
                  SIGNCTL_TRY(auto tables, make_tables(std::move(input), algs), "");
                  content.file_digest = std::move(tables.front());
                  return ok();
                }),
                "");
  if (!payload_findings_->empty()) {
    return Error{ErrorKind::input,
                 payload_findings_->front().message,
                 "build the package anew with makeappx"};
  }
  signed_ = Proven{alg, content.file_digest};
  content.content_type = oid::kSpcIndirectData;
  content.alg = alg;
  content.econtent = encode_content(package_.bundle, alg, content.file_digest);
  return content;
}

Result<std::vector<EmbeddedSignature>> PackageSignable::signatures() {
  std::vector<EmbeddedSignature> signatures;
  if (package_.signature) {
    const zip::Entry& entry = package_.entry(*package_.signature);
    SIGNCTL_TRY(SignaturePart read, read_signature_part(*source_, entry), "");
    signatures.push_back({std::move(read.cms),
                          std::string(kSignature),
                          entry.local_offset,
                          entry.end_offset - entry.local_offset});
  }
  return signatures;
}

Result<std::vector<Finding>> PackageSignable::container_findings() {
  SIGNCTL_CHECK(check_payload([] { return ok(); }), "");
  std::vector<Finding> findings = *payload_findings_;
  if (package_.signature) {
    SIGNCTL_TRY(const auto around, check_signature_part(*source_, package_), "");
    findings.insert(findings.end(), around.begin(), around.end());
  }
  return findings;
}

Result<std::vector<Finding>> PackageSignable::check_content(ByteView econtent) {
  SIGNCTL_TRY(const cms::IndirectData data,
              cms::parse_indirect_data(econtent, cms::DigestField::table),
              "");
  std::vector<Finding> findings = check_content_shape(data, package_);
  const auto map = block_map();
  if (map && (*map)->alg != data.alg) {
    findings.push_back({"msix-hash-method",
                        Severity::error,
                        "",
                        "the package is signed with " + std::string(digest_name(data.alg)) +
                            ", its block map is made with " +
                            std::string(digest_name((*map)->alg)) + "; Windows wants both alike"});
  }
  const auto computed = tables_.find(data.alg);
  if (findings.empty() && computed != tables_.end()) {
    const std::string changed = table_differences(data.digest, computed->second, data.alg);
    if (!changed.empty()) {
      findings.push_back(
          {"msix-changed", Severity::error, "", "what was changed since: " + changed});
    }
  }
  return findings;
}

Result<SigningContent> PackageSignable::parse_content(ByteView econtent, DigestAlg /*signer_alg*/) {
  return read_indirect_content(econtent, cms::DigestField::table);
}

Result<PatchSet> PackageSignable::embed(std::span<const Bytes> signatures) {
  if (signatures.size() != 1) {
    return Error{signatures.empty() ? ErrorKind::internal : ErrorKind::unsupported,
                 "an app package holds exactly one signature",
                 "use --if-signed replace"};
  }
  Bytes content_types;
  SIGNCTL_TRY(zip::Edit edit, prepared(content_types), "");
  edit.append(std::string(kSignature), zip::deflate(encode_signature_part(signatures.front())));
  return edit.finish();
}

Result<PatchSet> PackageSignable::strip() {
  if (!package_.signature) {
    return PatchSet{source_->size(), {}};
  }
  zip::Edit edit(*source_, package_.archive);
  edit.drop(*package_.signature);
  SIGNCTL_TRY(const Bytes content_types, part(package_.content_types), "");
  if (const auto without = without_signature_override(content_types)) {
    edit.replace_at_end(package_.content_types, zip::deflate(*without));
  }
  return edit.finish();
}

Result<std::vector<FileFact>> PackageSignable::facts() {
  SIGNCTL_CHECK(check_payload([] { return ok(); }), "");
  return facts_of(package_, manifest_, block_map_ ? &*block_map_ : nullptr, files_.size());
}

Result<std::vector<Finding>> PackageSignable::check_certificate(ByteView leaf_der) {
  return check_publisher(
      manifest_.publisher, package_.bundle ? kBundleManifest : kAppManifest, leaf_der);
}

Result<std::vector<Member>> PackageSignable::members() {
  std::vector<Member> members;
  members.reserve(files_.size());
  for (const std::size_t index : files_) {
    const zip::Entry& entry = package_.entry(index);
    members.push_back({zip::display_name(entry), entry.size});
  }
  return members;
}

Result<std::shared_ptr<const ByteSource>> PackageSignable::open_member(std::size_t index) {
  if (index >= files_.size()) {
    return Error{ErrorKind::internal, "the package has no such member"};
  }
  return zip::open_entry(source_, package_.entry(files_[index]));
}

Result<PatchSet> PackageSignable::exchange_members(std::span<const Replacement> replacements) {
  SIGNCTL_TRY(const BlockMap* const map, block_map(), "");
  return exchange({*source_, package_, *map, manifest_}, files_, replacements);
}

}  // namespace

Result<std::unique_ptr<Signable>> open_package(std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(Package package, read_package(*source), "");
  SIGNCTL_TRY(
      const Bytes xml, zip::unpack_small(*source, package.entry(package.manifest), kMostPart), "");
  SIGNCTL_TRY(Manifest manifest, read_manifest(xml, package.bundle), "");
  std::unique_ptr<Signable> opened =
      std::make_unique<PackageSignable>(std::move(source), std::move(package), std::move(manifest));
  return opened;
}

}  // namespace signctl::msix
