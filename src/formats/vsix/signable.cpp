// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/signable.hpp"

#include "core/text.hpp"
#include "formats/common/xml.hpp"
#include "formats/common/xml_signature.hpp"
#include "formats/common/zip_edit.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/vsix/entries.hpp"
#include "formats/vsix/examine.hpp"
#include "formats/vsix/layout.hpp"
#include "formats/vsix/make.hpp"
#include "formats/vsix/names.hpp"
#include "formats/vsix/package.hpp"

#include <string>
#include <utility>

namespace signctl::vsix {

namespace {

Error not_cms() {
  return {ErrorKind::unsupported, "VSIX signatures are XML and carry no CMS content"};
}

Bytes value_of(ByteView signature) {
  const auto document = xml::Document::parse(signature);
  return document ? xml::base64_of(document->root().only(xml::kDsig, "SignatureValue")) : Bytes{};
}

class VsixPackage final : public Signable, public SignatureScheme {
 public:
  explicit VsixPackage(Package package) : package_(std::move(package)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override;
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> /*algs*/) override {
    return not_cms();
  }
  Result<void> check_signable(DigestAlg /*alg*/) override { return vsix::check_signable(package_); }
  Result<SigningContent> content_to_sign(DigestAlg /*alg*/) override { return not_cms(); }
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override;
  Result<std::vector<Finding>> check_content(ByteView /*econtent*/) override { return not_cms(); }
  Result<SigningContent> parse_content(ByteView /*econtent*/, DigestAlg /*alg*/) override {
    return not_cms();
  }
  // The list of relationships that lead to signatures is itself signed.
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::none; }
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override;
  Result<std::vector<FileFact>> facts() override;
  Result<std::vector<Member>> members() override;
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override;
  Result<PatchSet> exchange_members(std::span<const Replacement> replacements) override;

  [[nodiscard]] SignatureScheme* scheme() override { return this; }
  Result<SchemeDraft> prepare(const SchemeRequest& request) override {
    return vsix::prepare(package_, request);
  }
  Result<Bytes> assemble(const SchemeDraft& draft,
                         const std::vector<Bytes>& signatures,
                         ByteView token) override {
    SIGNCTL_TRY(Bytes made, vsix::assemble(draft, signatures), "");
    return token.empty() ? Result<Bytes>(std::move(made)) : vsix::with_timestamp(made, token);
  }
  Result<SchemeFacts> examine(ByteView envelope) override;
  Result<Bytes> with_timestamp(ByteView envelope, ByteView token) override {
    return vsix::with_timestamp(envelope, token);
  }

 private:
  [[nodiscard]] bool are_the_same(std::span<const Bytes> signatures) const;

  Package package_;
};

Result<std::vector<HashedRange>> VsixPackage::hashed_ranges() {
  std::vector<HashedRange> ranges;
  for (std::size_t part = 0; part < package_.parts().size(); ++part) {
    if (!package_.is_of_signature(part)) {
      const zip::Entry& entry = package_.archive().entries[package_.parts()[part].entry];
      ranges.push_back({entry.data_offset,
                        entry.data_offset + entry.packed_size,
                        printable(package_.name_of(part)) + ", unpacked"});
    }
  }
  return ranges;
}

Result<std::vector<EmbeddedSignature>> VsixPackage::signatures() {
  std::vector<EmbeddedSignature> found;
  for (const StoredSignature& one : package_.signatures()) {
    const zip::Entry& entry = package_.archive().entries[package_.parts()[one.part].entry];
    found.push_back({one.xml,
                     "part " + printable(package_.name_of(one.part)),
                     entry.local_offset,
                     entry.end_offset - entry.local_offset});
  }
  return found;
}

Result<std::vector<Finding>> VsixPackage::container_findings() {
  std::vector<Finding> findings;
  if (!package_.signatures().empty()) {
    SIGNCTL_TRY(findings, check_entries(*package_.source(), package_.archive()), "");
  }
  for (std::size_t part = 0; part < package_.parts().size(); ++part) {
    if (package_.parts()[part].type == kSignatureType && !package_.is_of_signature(part)) {
      findings.push_back({"vsix-stray-signature",
                          Severity::warning,
                          "file",
                          printable(package_.name_of(part)) +
                              " is a signature that the package's relationships do not lead to"});
    }
  }
  return findings;
}

/// Whether they are those that are there, but for what they do not cover: the timestamps.
bool VsixPackage::are_the_same(std::span<const Bytes> signatures) const {
  const auto& stored = package_.signatures();
  bool same = !stored.empty() && stored.size() == signatures.size();
  for (std::size_t i = 0; same && i < stored.size(); ++i) {
    const Bytes value = value_of(stored[i].xml);
    same = !value.empty() && value == value_of(signatures[i]);
  }
  return same;
}

Result<PatchSet> VsixPackage::embed(std::span<const Bytes> signatures) {
  zip::Edit edit(*package_.source(), package_.archive());
  if (are_the_same(signatures)) {
    for (std::size_t i = 0; i < signatures.size(); ++i) {
      edit.replace(package_.parts()[package_.signatures()[i].part].entry,
                   zip::deflate(signatures[i]));
    }
    return edit.finish();
  }
  if (signatures.size() != 1) {
    return Error{ErrorKind::unsupported, "a VSIX package is given one signature"};
  }
  SIGNCTL_TRY(const std::string name, signature_name(signatures.front()), "");
  SIGNCTL_TRY(const Layout layout, signed_layout(package_, name), "");
  apply(layout, package_, edit);
  edit.append(name, zip::deflate(signatures.front()));
  return edit.finish();
}

Result<PatchSet> VsixPackage::strip() {
  SIGNCTL_TRY(const Layout layout, unsigned_layout(package_), "");
  zip::Edit edit(*package_.source(), package_.archive());
  apply(layout, package_, edit);
  return edit.finish();
}

Result<std::vector<FileFact>> VsixPackage::facts() {
  std::vector<FileFact> facts{{"parts", std::to_string(package_.parts().size())},
                              {"ZIP64", package_.archive().zip64_end.empty() ? "no" : "yes"}};
  for (const StoredSignature& one : package_.signatures()) {
    const std::string time = signature_time(one.xml);
    if (!time.empty()) {
      facts.push_back({"claimed signature time", time});
    }
  }
  return facts;
}

Result<std::vector<Member>> VsixPackage::members() {
  std::vector<Member> members;
  for (std::size_t part = 0; part < package_.parts().size(); ++part) {
    const zip::Entry& entry = package_.archive().entries[package_.parts()[part].entry];
    members.push_back({zip::display_name(entry), entry.size});
  }
  return members;
}

Result<std::shared_ptr<const ByteSource>> VsixPackage::open_member(std::size_t index) {
  if (index >= package_.parts().size()) {
    return Error{ErrorKind::internal, "the package has no such member"};
  }
  return zip::open_entry(package_.source(),
                         package_.archive().entries[package_.parts()[index].entry]);
}

Result<PatchSet> VsixPackage::exchange_members(std::span<const Replacement> replacements) {
  SIGNCTL_TRY(const Layout layout, unsigned_layout(package_), "");
  zip::Edit edit(*package_.source(), package_.archive());
  apply(layout, package_, edit);
  for (const Replacement& one : replacements) {
    if (one.index >= package_.parts().size() || one.bytes == nullptr) {
      return Error{ErrorKind::internal, "the package has no such member"};
    }
    const std::size_t index = package_.parts()[one.index].entry;
    const bool stored = package_.archive().entries[index].method == zip::kStored;
    SIGNCTL_TRY(
        zip::Content content, stored ? zip::store(one.bytes) : zip::deflate_source(*one.bytes), "");
    edit.replace(index, std::move(content));
  }
  return edit.finish();
}

Result<SchemeFacts> VsixPackage::examine(ByteView envelope) {
  std::vector<Bytes> certificates;
  for (const StoredSignature& one : package_.signatures()) {
    if (std::equal(one.xml.begin(), one.xml.end(), envelope.begin(), envelope.end())) {
      certificates = one.certificates;
    }
  }
  return vsix::examine(package_, envelope, certificates);
}

}  // namespace

Result<std::unique_ptr<Signable>> open_package(std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(Package package, Package::read(std::move(source)), "");
  return std::unique_ptr<Signable>(std::make_unique<VsixPackage>(std::move(package)));
}

}  // namespace signctl::vsix
