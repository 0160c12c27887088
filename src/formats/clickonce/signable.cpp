// SPDX-License-Identifier: Apache-2.0
#include "formats/clickonce/signable.hpp"

#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/clickonce/examine.hpp"
#include "formats/clickonce/files.hpp"
#include "formats/clickonce/make.hpp"
#include "formats/clickonce/names.hpp"
#include "formats/common/xml.hpp"

#include <optional>
#include <utility>

namespace signctl::clickonce {

namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{16} << 20U;

Error not_cms() {
  return {ErrorKind::unsupported, "ClickOnce signatures are XML and carry no CMS content"};
}

/// A manifest is small and is held in memory, up to 16 MB.
class Manifest final : public Signable, public SignatureScheme {
 public:
  Manifest(std::shared_ptr<const ByteSource> source, Bytes bytes, xml::Document document)
      : source_(std::move(source)), bytes_(std::move(bytes)), document_(std::move(document)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override {
    return std::vector<HashedRange>{
        {0, bytes_.size(), "the document without its Signature, in canonical form"}};
  }

  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override {
    const auto signatures = document_.root().children(kDsig, "Signature");
    SIGNCTL_TRY(const Bytes canonical,
                document_.canonical(xml::Canonical::exclusive,
                                    {},
                                    signatures.empty() ? xml::Element() : signatures.front()),
                "");
    std::vector<Bytes> digests;
    digests.reserve(algs.size());
    for (const DigestAlg alg : algs) {
      digests.push_back(crypto::hash(alg, canonical));
    }
    return digests;
  }

  Result<void> check_signable(DigestAlg alg) override;
  Result<SigningContent> content_to_sign(DigestAlg /*alg*/) override { return not_cms(); }

  Result<std::vector<EmbeddedSignature>> signatures() override {
    std::vector<EmbeddedSignature> found;
    if (!document_.root().children(kDsig, "Signature").empty()) {
      found.push_back({bytes_, "Signature element of the manifest", 0, bytes_.size()});
    }
    return found;
  }

  Result<std::vector<Finding>> container_findings() override {
    std::vector<Finding> findings;
    check_files(document_.root(), path(), findings);
    return findings;
  }

  Result<std::vector<Finding>> check_content(ByteView /*econtent*/) override { return not_cms(); }
  Result<SigningContent> parse_content(ByteView /*econtent*/, DigestAlg /*alg*/) override {
    return not_cms();
  }
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::none; }

  Result<PatchSet> embed(std::span<const Bytes> signatures) override {
    if (signatures.size() != 1) {
      return Error{ErrorKind::unsupported, "a ClickOnce manifest holds one signature"};
    }
    return PatchSet{0, {{0, signatures.front()}}};
  }

  Result<PatchSet> strip() override {
    SIGNCTL_TRY(Bytes bare, without_signature(bytes_), "");
    return PatchSet{0, {{0, std::move(bare)}}};
  }

  Result<std::vector<FileFact>> facts() override {
    std::vector<FileFact> facts;
    for (const auto& [name, value] :
         document_.root().only(kAsmV1, "assemblyIdentity").attributes()) {
      facts.push_back({name, printable(value)});
    }
    return facts;
  }

  /// Not inside, but vouched for all the same, and to be signed first: the files beside it.
  Result<std::vector<Member>> members() override {
    std::vector<Member> members;
    for (const NamedFile& one : named()) {
      std::uint64_t size = 0;
      if (!one.path.empty()) {
        SIGNCTL_TRY(const auto source, FileSource::open(one.path), "");
        size = source->size();
      }
      members.push_back({one.name, size});
    }
    return members;
  }
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override {
    const std::vector<NamedFile>& files = named();
    if (index >= files.size()) {
      return Error{ErrorKind::internal, "the manifest names no such file"};
    }
    if (files[index].path.empty()) {
      return Error{ErrorKind::input,
                   "the manifest names this file, and it is not beside the manifest",
                   "verify the manifest where it is published, with all its files"};
    }
    SIGNCTL_TRY(auto source, FileSource::open(files[index].path), "");
    return std::shared_ptr<const ByteSource>(std::move(source));
  }

  [[nodiscard]] SignatureScheme* scheme() override { return this; }

  Result<SchemeDraft> prepare(const SchemeRequest& request) override {
    SIGNCTL_CHECK(check_signable(request.alg), "");
    return clickonce::prepare(bytes_, request);
  }
  Result<Bytes> assemble(const SchemeDraft& draft,
                         const std::vector<Bytes>& signatures,
                         ByteView token) override {
    return clickonce::assemble(draft, signatures, token);
  }
  Result<SchemeFacts> examine(ByteView envelope) override { return clickonce::examine(envelope); }
  Result<Bytes> with_timestamp(ByteView envelope, ByteView token) override {
    return clickonce::with_timestamp(envelope, token);
  }

 private:
  /// Empty for a manifest inside another file.
  [[nodiscard]] std::string path() const {
    const auto* file = dynamic_cast<const FileSource*>(source_.get());
    return file == nullptr ? std::string() : file->path();
  }

  /// None for a manifest inside another file, which lists what is beside it itself.
  const std::vector<NamedFile>& named() {
    if (!named_) {
      named_.emplace();
      if (const std::string own = path(); !own.empty()) {
        named_ = named_files(document_.root(), own);
      }
    }
    return *named_;
  }

  std::shared_ptr<const ByteSource> source_;
  Bytes bytes_;
  xml::Document document_;
  std::optional<std::vector<NamedFile>> named_;
};

}  // namespace

/// The runtime's limits, and the files that a signature would speak for.
Result<void> Manifest::check_signable(DigestAlg alg) {
  SIGNCTL_CHECK(check_digest(alg), "");
  SIGNCTL_TRY(const std::vector<Finding> findings, container_findings(), "");
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::error) {
      return Error{ErrorKind::input, finding.message, finding.hint};
    }
  }
  return ok();
}

Result<std::unique_ptr<Signable>> open_manifest(std::shared_ptr<const ByteSource> source) {
  if (source->size() > kMaxBytes) {
    return Error{ErrorKind::input, "the manifest is larger than 16 MB"};
  }
  SIGNCTL_TRY(Bytes bytes, read_bytes(*source, 0, source->size()), "reading the manifest");
  SIGNCTL_TRY(auto document, xml::Document::parse(bytes), "");
  const xml::Element root = document.root();
  if (!root.is(kAsmV1, "assembly") || root.only(kAsmV1, "assemblyIdentity").empty()) {
    return Error{ErrorKind::input,
                 "the XML document is no assembly manifest with one assemblyIdentity"};
  }
  return std::unique_ptr<Signable>(
      std::make_unique<Manifest>(std::move(source), std::move(bytes), std::move(document)));
}

}  // namespace signctl::clickonce
