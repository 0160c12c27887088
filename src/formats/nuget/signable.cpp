// SPDX-License-Identifier: Apache-2.0
#include "formats/nuget/signable.hpp"

#include "core/block_reader.hpp"
#include "core/patched_source.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "formats/common/xml.hpp"
#include "formats/common/zip_edit.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/common/zip_records.hpp"
#include "formats/nuget/content.hpp"
#include "formats/nuget/package.hpp"
#include "formats/nuget/signers.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace signctl::nuget {
namespace {

constexpr std::uint64_t kMostSignature = std::uint64_t{16} << 20U;
constexpr std::uint64_t kMostManifest = std::uint64_t{4} << 20U;
/// What ZIP counts and measures without ZIP64 (NU3039), the signature's own entry left out.
constexpr std::size_t kMostEntries = zip::kFull16 - 2;
constexpr std::uint64_t kMostBytes = zip::kFull32 - kMostSignature;
constexpr std::string_view kLabel = "signature 1";

class PackageSignable final : public Signable {
 public:
  PackageSignable(std::shared_ptr<const ByteSource> source, Package package)
      : source_(std::move(source)), package_(std::move(package)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override;
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override;
  Result<void> check_signable(DigestAlg /*alg*/) override { return check_whole(); }
  Result<SigningContent> content_to_sign(DigestAlg alg) override;
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override;
  Result<std::vector<Finding>> check_content(ByteView /*econtent*/) override {
    return std::vector<Finding>{};
  }
  Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) override;
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::none; }
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override { return without_signature(*source_, package_); }
  Result<std::vector<FileFact>> facts() override;
  [[nodiscard]] SignatureProfile profile() const override {
    return {Envelope::cms, oid::kData, oid::kTimeStampToken, oid::kProofOfOrigin};
  }
  Result<std::vector<Finding>> check_certificate(ByteView leaf_der) override {
    return nuget::check_certificate(leaf_der);
  }
  Result<std::vector<Member>> members() override;
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override;
  Result<PatchSet> exchange_members(std::span<const Replacement> replacements) override;

 private:
  Result<void> check_whole() const;
  Result<void> hash(const std::vector<DigestAlg>& algs);
  void add_manifest_facts(std::vector<FileFact>& facts) const;

  std::shared_ptr<const ByteSource> source_;
  Package package_;
  std::map<DigestAlg, Bytes> digests_;
};

Result<std::vector<HashedRange>> PackageSignable::hashed_ranges() {
  const zip::Archive& archive = package_.archive;
  if (!package_.signature) {
    return std::vector<HashedRange>{{0, source_->size(), "the whole package"}};
  }
  const zip::Entry& signature = package_.entry(*package_.signature);
  std::vector<HashedRange> ranges{{0, signature.local_offset, "files"}};
  if (signature.end_offset < archive.directory_offset) {
    ranges.push_back(
        {signature.end_offset, archive.directory_offset, "files behind the signature"});
  }
  ranges.push_back(
      {archive.directory_offset, archive.file_size, "directory without the signature's entry"});
  return ranges;
}

/// One pass over the package as it is without its signature.
Result<void> PackageSignable::hash(const std::vector<DigestAlg>& algs) {
  std::shared_ptr<const ByteSource> bare = source_;
  if (package_.signature) {
    SIGNCTL_TRY(PatchSet edits, without_signature(*source_, package_), "");
    SIGNCTL_TRY(bare, PatchedSource::make(source_, std::move(edits)), "");
  }
  std::vector<crypto::Hasher> hashers;
  hashers.reserve(algs.size());
  for (const DigestAlg alg : algs) {
    hashers.emplace_back(alg);
  }
  BlockVisitor visitor;
  visitor.visit = [&hashers](std::uint64_t /*offset*/, ByteView block) {
    for (crypto::Hasher& hasher : hashers) {
      hasher.update(block);
    }
    return true;
  };
  SIGNCTL_CHECK(for_each_block(*bare, 0, bare->size(), visitor), "hashing the package");
  for (std::size_t i = 0; i < algs.size(); ++i) {
    digests_[algs[i]] = hashers[i].finish();
  }
  return ok();
}

Result<std::vector<Bytes>> PackageSignable::file_digests(std::span<const DigestAlg> algs) {
  std::vector<DigestAlg> missing;
  for (const DigestAlg alg : algs) {
    if (!digests_.contains(alg) &&
        std::find(missing.begin(), missing.end(), alg) == missing.end()) {
      missing.push_back(alg);
    }
  }
  if (!missing.empty()) {
    SIGNCTL_CHECK(hash(missing), "");
  }
  std::vector<Bytes> result;
  result.reserve(algs.size());
  for (const DigestAlg alg : algs) {
    result.push_back(digests_[alg]);
  }
  return result;
}

/// Refuses what NuGet's clients would refuse afterwards, before anything is spent.
Result<void> PackageSignable::check_whole() const {
  const std::size_t entries =
      package_.archive.entries.size() - (package_.signature.has_value() ? 1U : 0U);
  if (package_.zip64 || entries > kMostEntries || source_->size() > kMostBytes) {
    return Error{ErrorKind::unsupported,
                 "the package is a ZIP64 archive or would become one, and NuGet's clients refuse "
                 "that when it is signed",
                 "pack less into it, with a tool that writes no ZIP64 records"};
  }
  return ok();
}

Result<SigningContent> PackageSignable::content_to_sign(DigestAlg alg) {
  SIGNCTL_CHECK(check_whole(), "");
  const std::array algs{alg};
  SIGNCTL_TRY(auto digests, file_digests(algs), "");
  SigningContent content;
  content.content_type = oid::kData;
  content.alg = alg;
  content.file_digest = std::move(digests.front());
  content.econtent = der::octet_string(encode_content({alg, content.file_digest}));
  return content;
}

Result<std::vector<EmbeddedSignature>> PackageSignable::signatures() {
  std::vector<EmbeddedSignature> signatures;
  if (package_.signature) {
    const zip::Entry& entry = package_.entry(*package_.signature);
    SIGNCTL_TRY(Bytes cms,
                zip::unpack_small(*source_, entry, kMostSignature),
                "reading " + std::string(kSignature));
    signatures.push_back({std::move(cms),
                          std::string(kSignature),
                          entry.local_offset,
                          entry.end_offset - entry.local_offset});
  }
  return signatures;
}

Result<std::vector<Finding>> PackageSignable::container_findings() {
  if (!package_.signature) {
    return std::vector<Finding>{};
  }
  SIGNCTL_TRY(auto findings, check_package(*source_, package_), "");
  SIGNCTL_TRY(const auto stored, signatures(), "");
  const Signers signers = read_signers(stored.front().cms, std::string(kLabel));
  findings.insert(findings.end(), signers.findings.begin(), signers.findings.end());
  return findings;
}

Result<SigningContent> PackageSignable::parse_content(ByteView econtent, DigestAlg /*signer_alg*/) {
  SIGNCTL_TRY(PackageHash hash, nuget::parse_content(econtent), "");
  SigningContent content;
  content.content_type = oid::kData;
  content.econtent.assign(econtent.begin(), econtent.end());
  content.alg = hash.alg;
  content.file_digest = std::move(hash.digest);
  return content;
}

Result<PatchSet> PackageSignable::embed(std::span<const Bytes> signatures) {
  if (signatures.size() != 1) {
    return Error{signatures.empty() ? ErrorKind::internal : ErrorKind::unsupported,
                 "a NuGet package holds exactly one signature",
                 "use --if-signed replace"};
  }
  SIGNCTL_CHECK(check_whole(), "");
  if (signatures.front().size() > kMostSignature) {
    return Error{ErrorKind::unsupported,
                 "a signature of " + std::to_string(signatures.front().size()) +
                     " octets is larger than any reader takes"};
  }
  zip::Edit edit(*source_, package_.archive);
  if (package_.signature) {
    edit.drop(*package_.signature);
  }
  edit.append(std::string(kSignature), zip::store(signatures.front()));
  return edit.finish();
}

/// Of the manifest, if it can be read: it says nothing about the signature.
void PackageSignable::add_manifest_facts(std::vector<FileFact>& facts) const {
  const auto bytes = zip::unpack_small(*source_, package_.entry(package_.manifest), kMostManifest);
  const auto document = bytes ? xml::Document::parse(*bytes) : Result<xml::Document>(bytes.error());
  if (!document) {
    return;
  }
  const xml::Element root = document->root();
  const xml::Element metadata = root.only(root.namespace_uri(), "metadata");
  for (const std::string name : {"id", "version"}) {
    const std::string text = metadata.only(root.namespace_uri(), name).text();
    if (!text.empty()) {
      facts.push_back({name, printable(text)});
    }
  }
}

std::string role_text(const SignerFacts& signer) {
  switch (signer.role) {
    case Role::author:
      return "author";
    case Role::repository:
      return "repository " + signer.service_index_url +
             (signer.owners.empty() ? "" : ", owners " + join(signer.owners, ", "));
    case Role::unknown:
      break;
  }
  return "unknown";
}

Result<std::vector<FileFact>> PackageSignable::facts() {
  std::vector<FileFact> facts;
  add_manifest_facts(facts);
  facts.push_back({"files", std::to_string(package_.files.size())});
  facts.push_back({"ZIP64", package_.zip64 ? "yes" : "no"});
  SIGNCTL_TRY(const auto stored, signatures(), "");
  if (!stored.empty()) {
    const Signers signers = read_signers(stored.front().cms, std::string(kLabel));
    facts.push_back({"signed by", role_text(signers.primary)});
    for (const SignerFacts& beside : signers.beside) {
      facts.push_back({"countersigned by", role_text(beside)});
    }
  }
  return facts;
}

Result<std::vector<Member>> PackageSignable::members() {
  std::vector<Member> members;
  members.reserve(package_.files.size());
  for (const std::size_t index : package_.files) {
    const zip::Entry& entry = package_.entry(index);
    members.push_back({zip::display_name(entry), entry.size});
  }
  return members;
}

Result<std::shared_ptr<const ByteSource>> PackageSignable::open_member(std::size_t index) {
  if (index >= package_.files.size()) {
    return Error{ErrorKind::internal, "the package has no such member"};
  }
  return zip::open_entry(source_, package_.entry(package_.files[index]));
}

Result<PatchSet> PackageSignable::exchange_members(std::span<const Replacement> replacements) {
  zip::Edit edit(*source_, package_.archive);
  if (package_.signature) {
    edit.drop(*package_.signature);
  }
  for (const Replacement& one : replacements) {
    if (one.index >= package_.files.size() || one.bytes == nullptr) {
      return Error{ErrorKind::internal, "the package has no such member"};
    }
    const std::size_t index = package_.files[one.index];
    const bool stored = package_.entry(index).method == zip::kStored;
    SIGNCTL_TRY(
        zip::Content content, stored ? zip::store(one.bytes) : zip::deflate_source(*one.bytes), "");
    edit.replace(index, std::move(content));
  }
  return edit.finish();
}

}  // namespace

Result<std::unique_ptr<Signable>> open_package(std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(Package package, read_package(*source), "");
  return std::unique_ptr<Signable>(
      std::make_unique<PackageSignable>(std::move(source), std::move(package)));
}

}  // namespace signctl::nuget
