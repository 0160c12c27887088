// SPDX-License-Identifier: Apache-2.0
#include "formats/zip/signable.hpp"

#include "formats/common/zip_archive.hpp"
#include "formats/common/zip_edit.hpp"
#include "formats/common/zip_inflate.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace signctl::zip {
namespace {

Error not_signed_itself() {
  return {ErrorKind::unsupported,
          "a ZIP archive carries no signature of its own",
          "sign what is inside with signctl sign --deep, and verify it with verify --deep"};
}

class ZipSignable final : public Signable {
 public:
  ZipSignable(std::shared_ptr<const ByteSource> source, Archive archive)
      : source_(std::move(source)), archive_(std::move(archive)) {
    for (std::size_t i = 0; i < archive_.entries.size(); ++i) {
      if (!archive_.entries[i].is_folder()) {
        files_.push_back(i);
      }
    }
  }

  Result<std::vector<HashedRange>> hashed_ranges() override { return std::vector<HashedRange>{}; }
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> /*algs*/) override {
    return not_signed_itself();
  }
  Result<SigningContent> content_to_sign(DigestAlg /*alg*/) override { return not_signed_itself(); }
  Result<std::vector<EmbeddedSignature>> signatures() override {
    return std::vector<EmbeddedSignature>{};
  }
  Result<std::vector<Finding>> container_findings() override { return std::vector<Finding>{}; }
  Result<std::vector<Finding>> check_content(ByteView /*econtent*/) override {
    return not_signed_itself();
  }
  Result<SigningContent> parse_content(ByteView /*econtent*/, DigestAlg /*signer_alg*/) override {
    return not_signed_itself();
  }
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::none; }
  Result<PatchSet> embed(std::span<const Bytes> /*signatures*/) override {
    return not_signed_itself();
  }
  Result<PatchSet> strip() override { return not_signed_itself(); }
  Result<std::vector<FileFact>> facts() override;
  Result<std::vector<Member>> members() override;
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override;
  Result<PatchSet> exchange_members(std::span<const Replacement> replacements) override;

 private:
  std::shared_ptr<const ByteSource> source_;
  Archive archive_;
  std::vector<std::size_t> files_;  ///< Positions of the entries that are no folders.
};

Result<std::vector<FileFact>> ZipSignable::facts() {
  const auto encrypted =
      std::count_if(archive_.entries.begin(), archive_.entries.end(), [](const Entry& entry) {
        return (entry.flags & kFlagEncrypted) != 0;
      });
  std::vector<FileFact> facts{{"files", std::to_string(files_.size())},
                              {"ZIP64", archive_.zip64_end.empty() ? "no" : "yes"}};
  if (encrypted != 0) {
    facts.push_back({"encrypted files", std::to_string(encrypted)});
  }
  return facts;
}

Result<std::vector<Member>> ZipSignable::members() {
  std::vector<Member> members;
  members.reserve(files_.size());
  for (const std::size_t index : files_) {
    const Entry& entry = archive_.entries[index];
    members.push_back({display_name(entry), entry.size});
  }
  return members;
}

Result<std::shared_ptr<const ByteSource>> ZipSignable::open_member(std::size_t index) {
  if (index >= files_.size()) {
    return Error{ErrorKind::internal, "the archive has no such member"};
  }
  return open_entry(source_, archive_.entries[files_[index]]);
}

Result<PatchSet> ZipSignable::exchange_members(std::span<const Replacement> replacements) {
  Edit edit(*source_, archive_);
  for (const Replacement& one : replacements) {
    if (one.index >= files_.size() || one.bytes == nullptr) {
      return Error{ErrorKind::internal, "the archive has no such member"};
    }
    const std::size_t index = files_[one.index];
    // What its maker left unpacked stays so: it may be read in place.
    const bool stored = archive_.entries[index].method == kStored;
    SIGNCTL_TRY(Content content, stored ? store(one.bytes) : deflate_source(*one.bytes), "");
    edit.replace(index, std::move(content));
  }
  return edit.finish();
}

}  // namespace

Result<std::unique_ptr<Signable>> open_archive(std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(Archive archive, read_archive(*source, Strictness::archive), "");
  std::unique_ptr<Signable> opened =
      std::make_unique<ZipSignable>(std::move(source), std::move(archive));
  return opened;
}

}  // namespace signctl::zip
