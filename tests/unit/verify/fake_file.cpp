// SPDX-License-Identifier: Apache-2.0
#include "fake_file.hpp"

#include "cms/authenticode.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"

namespace signctl::test {

namespace {

Error not_here() {
  return Error{ErrorKind::unsupported, "the fake file is only read"};
}

}  // namespace

Bytes content_over(ByteView bytes, DigestAlg alg) {
  cms::IndirectData data;
  data.data_type = oid::kSpcPeImageData;
  data.data_value = from_hex("3009030100a004a2028000").value();
  data.alg = alg;
  data.digest = crypto::hash(alg, bytes);
  return cms::encode_indirect_data(data);
}

Result<std::vector<HashedRange>> FakeFile::hashed_ranges() {
  return std::vector<HashedRange>{{0, bytes_.size(), "everything"}};
}

Result<std::vector<Bytes>> FakeFile::file_digests(std::span<const DigestAlg> algs) {
  ++passes;
  std::vector<Bytes> digests;
  for (const DigestAlg alg : algs) {
    digests.push_back(crypto::hash(alg, bytes_));
  }
  return digests;
}

Result<SigningContent> FakeFile::content_to_sign(DigestAlg alg) {
  return SigningContent{std::string(oid::kSpcIndirectData),
                        content_over(bytes_, alg),
                        crypto::hash(alg, bytes_),
                        alg};
}

Result<std::vector<EmbeddedSignature>> FakeFile::signatures() {
  std::vector<EmbeddedSignature> all;
  for (const Bytes& one : signatures_) {
    all.push_back({one, "beside the file", 0, one.size()});
  }
  return all;
}

Result<std::vector<Finding>> FakeFile::check_content(ByteView /*econtent*/) {
  return std::vector<Finding>{};
}

Result<SigningContent> FakeFile::parse_content(ByteView econtent, DigestAlg /*signer_alg*/) {
  SIGNCTL_TRY(const cms::IndirectData data, cms::parse_indirect_data(econtent), "");
  return SigningContent{std::string(oid::kSpcIndirectData),
                        Bytes(econtent.begin(), econtent.end()),
                        data.digest,
                        data.alg};
}

Result<PatchSet> FakeFile::embed(std::span<const Bytes> /*signatures*/) {
  return not_here();
}

Result<PatchSet> FakeFile::strip() {
  return not_here();
}

Result<std::vector<FileFact>> FakeFile::facts() {
  return std::vector<FileFact>{{"kind", "fake"}};
}

}  // namespace signctl::test
