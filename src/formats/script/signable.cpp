// SPDX-License-Identifier: Apache-2.0
#include "formats/script/signable.hpp"

#include "cms/authenticode.hpp"
#include "core/byte_reader.hpp"
#include "crypto/oids.hpp"
#include "formats/common/indirect_content.hpp"
#include "formats/common/sip_info.hpp"
#include "formats/script/block.hpp"
#include "formats/script/findings.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace signctl::script {
namespace {

class ScriptSignable final : public Signable {
 public:
  explicit ScriptSignable(Script script) : script_(std::move(script)) {}

  Result<std::vector<HashedRange>> hashed_ranges() override;
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) override;
  Result<void> check_signable(DigestAlg /*alg*/) override { return check_nothing_follows(); }
  Result<SigningContent> content_to_sign(DigestAlg alg) override;
  Result<std::vector<EmbeddedSignature>> signatures() override;
  Result<std::vector<Finding>> container_findings() override {
    return script::container_findings(script_);
  }
  Result<std::vector<Finding>> check_content(ByteView econtent) override;
  Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) override;
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::nested; }
  Result<PatchSet> embed(std::span<const Bytes> signatures) override;
  Result<PatchSet> strip() override;
  Result<std::vector<FileFact>> facts() override { return facts_of(script_); }

 private:
  /// A digest is over the text, and perhaps over the place of the block in it.
  using DigestKey = std::pair<DigestAlg, std::size_t>;

  Result<std::vector<Bytes>> digests(std::span<const DigestAlg> algs, std::size_t place);
  std::vector<Bytes> compute(std::span<const DigestAlg> algs, std::size_t place) const;
  Result<void> check_nothing_follows() const;
  [[nodiscard]] std::size_t file_size() const {
    return script_.text.size() + (script_.block ? script_.block->end - script_.block->begin : 0);
  }

  Script script_;
  std::map<DigestKey, Bytes> digests_;
};

Result<std::vector<HashedRange>> ScriptSignable::hashed_ranges() {
  const std::size_t begin = script_.dialect->mark_hashed ? 0 : script_.text.mark_size();
  if (!script_.block) {
    return std::vector<HashedRange>{{begin, file_size(), "text, as UTF-16LE"}};
  }
  std::vector<HashedRange> ranges{
      {begin, script_.block->begin, "text up to the signature block, as UTF-16LE"}};
  if (script_.block->end < file_size()) {
    ranges.push_back({script_.block->end, file_size(), "text behind the block, as UTF-16LE"});
  }
  return ranges;
}

std::vector<Bytes> ScriptSignable::compute(std::span<const DigestAlg> algs,
                                           std::size_t place) const {
  std::vector<crypto::Hasher> hashers;
  for (const DigestAlg alg : algs) {
    hashers.emplace_back(alg);
  }
  // The mark decodes to U+FEFF like any other character.
  const Text& text = script_.text;
  const std::size_t begin = script_.dialect->mark_hashed ? 0 : text.mark_size();
  const std::uint64_t position = text.hash_utf16(begin, place, hashers);
  text.hash_utf16(place, text.size(), hashers);
  std::vector<Bytes> result;
  for (crypto::Hasher& hasher : hashers) {
    if (script_.dialect->position_hashed) {
      Bytes suffix;
      put_le(suffix, static_cast<std::uint32_t>(position));
      hasher.update(suffix);
    }
    result.push_back(hasher.finish());
  }
  return result;
}

Result<std::vector<Bytes>> ScriptSignable::digests(std::span<const DigestAlg> algs,
                                                   std::size_t place) {
  std::vector<DigestAlg> missing;
  for (const DigestAlg alg : algs) {
    if (!digests_.contains({alg, place}) &&
        std::find(missing.begin(), missing.end(), alg) == missing.end()) {
      missing.push_back(alg);
    }
  }
  std::vector<Bytes> computed = compute(missing, place);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    digests_[{missing[i], place}] = std::move(computed[i]);
  }
  std::vector<Bytes> result;
  for (const DigestAlg alg : algs) {
    result.push_back(digests_[{alg, place}]);
  }
  return result;
}

Result<std::vector<Bytes>> ScriptSignable::file_digests(std::span<const DigestAlg> algs) {
  if (script_.block) {
    return digests(algs, script_.block->begin);
  }
  SIGNCTL_TRY(const std::size_t place, insertion_point(script_.text, *script_.dialect), "");
  return digests(algs, place);
}

/// What follows a block at the end would move in front of the next one: code that nobody has seen
/// signed.
Result<void> ScriptSignable::check_nothing_follows() const {
  if (!script_.dialect->before.empty() || script_.bytes_after_block() == 0) {
    return ok();
  }
  return Error{ErrorKind::input,
               std::to_string(script_.bytes_after_block()) +
                   " bytes follow the signature block, which ends at line " +
                   std::to_string(script_.block->last_line),
               "nothing may stand behind a signature; start again from the unsigned script"};
}

Result<SigningContent> ScriptSignable::content_to_sign(DigestAlg alg) {
  SIGNCTL_CHECK(check_nothing_follows(), "");
  SIGNCTL_TRY(const std::size_t place, insertion_point(script_.text, *script_.dialect), "");
  SIGNCTL_TRY(const auto digest, digests(std::array{alg}, place), "");
  SigningContent content;
  content.content_type = oid::kSpcIndirectData;
  content.file_digest = digest.front();
  content.alg = alg;
  content.econtent = cms::encode_indirect_data({std::string(sip::kSpcSipInfo),
                                                sip::encode_sip_info(*script_.dialect->sip),
                                                alg,
                                                content.file_digest});
  return content;
}

Result<std::vector<EmbeddedSignature>> ScriptSignable::signatures() {
  std::vector<EmbeddedSignature> result;
  if (const auto& block = script_.block) {
    result.push_back({block->cms,
                      "signature block, lines " + std::to_string(block->first_line) + " to " +
                          std::to_string(block->last_line),
                      block->begin,
                      block->end - block->begin});
  }
  return result;
}

Result<SigningContent> ScriptSignable::parse_content(ByteView econtent, DigestAlg /*signer_alg*/) {
  return read_indirect_content(econtent);
}

Result<std::vector<Finding>> ScriptSignable::check_content(ByteView econtent) {
  SIGNCTL_TRY(const cms::IndirectData data, cms::parse_indirect_data(econtent), "");
  return check_sip(*script_.dialect, data.data_type, data.data_value);
}

Result<PatchSet> ScriptSignable::embed(std::span<const Bytes> signatures) {
  if (signatures.size() != 1) {
    return Error{ErrorKind::unsupported,
                 "a script holds one signature block",
                 "nest the second signature in the first"};
  }
  SIGNCTL_CHECK(check_nothing_follows(), "");
  const Text& text = script_.text;
  SIGNCTL_TRY(const std::size_t place, insertion_point(text, *script_.dialect), "");
  const std::size_t keep = script_.block ? std::min(place, script_.block->begin) : place;
  Patch rest{keep, {}};
  const auto append = [&rest](ByteView more) {
    rest.bytes.insert(rest.bytes.end(), more.begin(), more.end());
  };
  append(text.bytes().subspan(keep, place - keep));
  append(encode_block(text, *script_.dialect, signatures.front(), kCharactersALine));
  append(text.bytes().subspan(place));
  PatchSet patches{keep, {}};
  patches.patches.push_back(std::move(rest));
  return patches;
}

Result<PatchSet> ScriptSignable::strip() {
  SIGNCTL_CHECK(check_nothing_follows(), "");
  if (!script_.block) {
    return PatchSet{file_size(), {}};
  }
  const ByteView after = script_.text.bytes().subspan(script_.block->begin);
  PatchSet patches{script_.block->begin, {}};
  if (!after.empty()) {
    patches.patches.push_back({script_.block->begin, Bytes(after.begin(), after.end())});
  }
  return patches;
}

}  // namespace

Result<std::unique_ptr<Signable>> open_script(std::shared_ptr<const ByteSource> source,
                                              const Dialect& dialect) {
  SIGNCTL_TRY(Script script, read_script(*source, dialect), "");
  std::unique_ptr<Signable> signable = std::make_unique<ScriptSignable>(std::move(script));
  return signable;
}

}  // namespace signctl::script
