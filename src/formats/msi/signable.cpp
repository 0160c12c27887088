// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/signable.hpp"

#include "cms/authenticode.hpp"
#include "cms/signed_data.hpp"
#include "core/patched_source.hpp"
#include "crypto/oids.hpp"
#include "formats/common/indirect_content.hpp"
#include "formats/common/sip_info.hpp"
#include "formats/msi/compound_file.hpp"
#include "formats/msi/digest.hpp"
#include "formats/msi/edit.hpp"
#include "formats/msi/file_names.hpp"
#include "formats/msi/findings.hpp"
#include "formats/msi/sip_info.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace signctl::msi {
namespace {

constexpr std::uint64_t kMaxSignature = std::uint64_t{16} << 20U;
/// About the size of one with its chain and a timestamp.
constexpr std::size_t kUsualSignature = 10000;

class MsiSignable final : public Signable {
 public:
  explicit MsiSignable(std::shared_ptr<const CompoundFile> file) : file_(std::move(file)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override { return content_ranges(*file_); }
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override;
  Result<void> keep_signatures(DigestAlg alg) override;
  Result<void> check_signable(DigestAlg alg) override;
  Result<SigningContent> content_to_sign(DigestAlg alg) override;
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override;
  Result<std::vector<Finding>> check_content(ByteView econtent) override;
  Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) override;
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::nested; }
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override;
  Result<std::vector<FileFact>> facts() override { return facts_of(*file_); }
  Result<std::vector<Member>> members() override;
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override;

 private:
  /// Digests differ by what is hashed before the content.
  using DigestKey = std::pair<DigestAlg, Bytes>;

  Result<std::vector<Bytes>> digests(const std::vector<DigestRequest>& requests);
  Result<std::optional<Bytes>> stored_prehash() const;
  Result<std::optional<Bytes>> prehash_for(ByteView signature);
  const Result<FileNames>& file_names();
  Result<const std::vector<MemberStream>*> member_list();

  std::shared_ptr<const CompoundFile> file_;
  std::map<DigestKey, Bytes> digests_;
  std::optional<Result<FileNames>> names_;
  std::optional<std::vector<MemberStream>> members_;
  bool keeping_{false};
};

Result<std::vector<Bytes>> MsiSignable::digests(const std::vector<DigestRequest>& requests) {
  std::vector<DigestRequest> missing;
  for (const DigestRequest& request : requests) {
    const bool asked =
        std::any_of(missing.begin(), missing.end(), [&request](const DigestRequest& other) {
          return other.alg == request.alg && other.prefix == request.prefix;
        });
    if (!asked && !digests_.contains({request.alg, request.prefix})) {
      missing.push_back(request);
    }
  }
  if (!missing.empty()) {
    SIGNCTL_TRY(auto computed, content_digests(file_, missing), "hashing the file");
    for (std::size_t i = 0; i < missing.size(); ++i) {
      digests_[{missing[i].alg, missing[i].prefix}] = std::move(computed[i]);
    }
  }
  std::vector<Bytes> result;
  result.reserve(requests.size());
  for (const DigestRequest& request : requests) {
    result.push_back(digests_[{request.alg, request.prefix}]);
  }
  return result;
}

Result<std::optional<Bytes>> MsiSignable::stored_prehash() const {
  const auto entry = file_->find_in_root(kPrehashName);
  if (!entry) {
    return std::optional<Bytes>{};
  }
  SIGNCTL_TRY(Bytes stored, file_->read_all(*entry, kMaxPrehash), "");
  return std::optional<Bytes>{std::move(stored)};
}

/// As Windows computes it: the stored pre-hash goes first, whatever it is. That it is the right one
/// is another question, which container_findings() answers.
Result<std::vector<Bytes>> MsiSignable::file_digests(std::span<const DigestAlg> algs) {
  SIGNCTL_TRY(const auto stored, stored_prehash(), "");
  std::vector<DigestRequest> requests;
  requests.reserve(algs.size());
  for (const DigestAlg alg : algs) {
    requests.push_back({alg, stored.value_or(Bytes{})});
  }
  return digests(requests);
}

Result<void> MsiSignable::keep_signatures(DigestAlg alg) {
  SIGNCTL_TRY(const auto stored, stored_prehash(), "");
  // There is one pre-hash a file, and readers compute it with each signature's own algorithm.
  if (stored && stored->size() != digest_size(alg)) {
    return Error{ErrorKind::unsupported,
                 "the file's MsiDigitalSignatureEx has " + std::to_string(stored->size()) +
                     " bytes, so another signature cannot use " + std::string(digest_name(alg)),
                 "use the digest of the first signature, or --if-signed replace"};
  }
  keeping_ = true;
  return ok();
}

/// Looks at the file as it would be, with a signature that is none.
Result<void> MsiSignable::check_signable(DigestAlg alg) {
  SIGNCTL_CHECK(check_editable(*file_), "");
  SIGNCTL_TRY(const PatchSet edits,
              edit_signatures(*file_, {prehash(*file_, alg), Bytes(kUsualSignature)}),
              "");
  SIGNCTL_TRY(auto future, PatchedSource::make(file_->shared_source(), edits), "");
  SIGNCTL_TRY(const auto would_be, CompoundFile::open(std::move(future)), "");
  SIGNCTL_TRY(const auto findings, msi::container_findings(*would_be), "");
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::error) {
      return Error{ErrorKind::input,
                   finding.message,
                   "save the file anew with the tool that made it: a signature would not cover "
                   "this"};
    }
  }
  return ok();
}

Result<SigningContent> MsiSignable::content_to_sign(DigestAlg alg) {
  SIGNCTL_CHECK(check_signable(alg), "");
  std::optional<Bytes> prefix;
  if (keeping_) {
    SIGNCTL_TRY(prefix, stored_prehash(), "");
  } else {
    prefix = prehash(*file_, alg);
  }
  SIGNCTL_TRY(auto digest, digests({{alg, prefix.value_or(Bytes{})}}), "");
  SigningContent content;
  content.content_type = oid::kSpcIndirectData;
  content.alg = alg;
  content.file_digest = std::move(digest.front());
  content.econtent = cms::encode_indirect_data(
      {std::string(sip::kSpcSipInfo), encode_sip_info(prefix ? 2 : 1), alg, content.file_digest});
  return content;
}

Result<std::vector<EmbeddedSignature>> MsiSignable::signatures() {
  std::vector<EmbeddedSignature> found;
  const auto entry = file_->find_in_root(kSignatureName);
  if (!entry) {
    return found;
  }
  EmbeddedSignature signature;
  SIGNCTL_TRY(signature.cms, file_->read_all(*entry, kMaxSignature), "");
  if (signature.cms.empty()) {
    return Error{ErrorKind::input, "the stream DigitalSignature is empty"};
  }
  signature.location = "stream \"" + decode_name(kSignatureName) + "\"";
  signature.size = signature.cms.size();
  SIGNCTL_CHECK(file_->for_each_piece(*entry,
                                      [&signature](const Piece& piece) {
                                        signature.offset = piece.offset;
                                        return false;
                                      }),
                "");
  found.push_back(std::move(signature));
  return found;
}

Result<SigningContent> MsiSignable::parse_content(ByteView econtent, DigestAlg /*signer_alg*/) {
  return read_indirect_content(econtent);
}

Result<std::vector<Finding>> MsiSignable::check_content(ByteView econtent) {
  SIGNCTL_TRY(const cms::IndirectData data, cms::parse_indirect_data(econtent), "");
  return check_sip_info(
      data.data_type, data.data_value, file_->find_in_root(kPrehashName).has_value());
}

/// The pre-hash that a signature was made with, which it does not say itself: the one in the file
/// if it is the signature of the file as it is, else the one that content_to_sign() makes.
Result<std::optional<Bytes>> MsiSignable::prehash_for(ByteView signature) {
  SIGNCTL_TRY(const auto data, cms::parse_signed_data(signature), "reading the new signature");
  SIGNCTL_TRY(const auto content, cms::parse_indirect_data(data.content), "");
  SIGNCTL_TRY(auto stored, stored_prehash(), "");
  SIGNCTL_TRY(const auto present, signatures(), "");
  if (!present.empty()) {
    const auto before = cms::parse_signed_data(present.front().cms);
    if (keeping_ || (before && before->content == data.content)) {
      return stored;
    }
  }
  const auto known = [&](const Bytes& prefix) {
    const auto found = digests_.find({content.alg, prefix});
    return found != digests_.end() && found->second == content.digest;
  };
  Bytes fresh = prehash(*file_, content.alg);
  if (known(fresh)) {
    return std::optional<Bytes>{std::move(fresh)};
  }
  const Bytes as_is = stored.value_or(Bytes{});
  SIGNCTL_TRY(const auto computed, digests({{content.alg, as_is}, {content.alg, fresh}}), "");
  if (computed[0] == content.digest) {
    return stored;
  }
  if (computed[1] == content.digest) {
    return std::optional<Bytes>{std::move(fresh)};
  }
  return Error{ErrorKind::input, "the signature is not over this file"};
}

Result<PatchSet> MsiSignable::embed(std::span<const Bytes> signatures) {
  if (signatures.size() != 1) {
    return Error{signatures.empty() ? ErrorKind::internal : ErrorKind::unsupported,
                 "a Windows Installer file holds one top-level signature",
                 "nest the second one in the first"};
  }
  SIGNCTL_CHECK(check_editable(*file_), "");
  SignatureStreams streams;
  SIGNCTL_TRY(streams.prehash, prehash_for(signatures.front()), "");
  streams.signature = signatures.front();
  return edit_signatures(*file_, streams);
}

Result<PatchSet> MsiSignable::strip() {
  SIGNCTL_CHECK(check_editable(*file_), "");
  return edit_signatures(*file_, {});
}

Result<std::vector<Finding>> MsiSignable::container_findings() {
  SIGNCTL_TRY(std::vector<Finding> findings, msi::container_findings(*file_), "");
  if (const auto& names = file_names(); !names) {
    SIGNCTL_TRY(const auto* members, member_list(), "");
    if (std::any_of(members->begin(), members->end(), std::mem_fn(&MemberStream::is_cabinet))) {
      findings.push_back({"msi-names-unreadable",
                          Severity::warning,
                          "file",
                          "the names of the files in cabinets cannot be read, so that scripts "
                          "among them cannot be told: " +
                              names.error().message});
    }
  }
  return findings;
}

const Result<FileNames>& MsiSignable::file_names() {
  if (!names_) {
    names_ = read_file_names(*file_);
  }
  return *names_;
}

Result<const std::vector<MemberStream>*> MsiSignable::member_list() {
  if (!members_) {
    const auto& names = file_names();
    SIGNCTL_TRY(
        members_, member_streams(*file_, names ? *names : FileNames{}), "looking for files inside");
  }
  return &*members_;
}

Result<std::vector<Member>> MsiSignable::members() {
  SIGNCTL_TRY(const auto* list, member_list(), "");
  std::vector<Member> members;
  members.reserve(list->size());
  for (const MemberStream& stream : *list) {
    members.push_back(stream.member);
  }
  return members;
}

Result<std::shared_ptr<const ByteSource>> MsiSignable::open_member(std::size_t index) {
  SIGNCTL_TRY(const auto* list, member_list(), "");
  if (index >= list->size()) {
    return Error{ErrorKind::internal, "there is no member of that number"};
  }
  return stream_source(file_, (*list)[index].entry);
}

}  // namespace

Result<std::unique_ptr<Signable>> open_installer(std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(auto file, CompoundFile::open(std::move(source)), "");
  if (kind_of(*file).empty()) {
    return Error{ErrorKind::unsupported,
                 "the file is a compound file, but not one of Windows Installer's",
                 "its root class must be that of a package, a patch or a transform"};
  }
  std::unique_ptr<Signable> installer = std::make_unique<MsiSignable>(std::move(file));
  return installer;
}

}  // namespace signctl::msi
